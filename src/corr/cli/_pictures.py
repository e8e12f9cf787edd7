"""Reading and writing pictures by Pillow, with every failure said in one line."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ._errors import CommandError, missing_extra

# A photograph of 100 megapixels is 400 MB in float32; beyond, refuse rather than swap.
MOST_PIXELS = 100_000_000
GRAY = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601, as Pillow's own conversion
# Modes that cannot be filtered channel by channel, and what they become.
PLAIN = {"1": "L", "La": "LA", "RGBa": "RGBA", "PA": "RGBA", "CMYK": "RGB", "YCbCr": "RGB",
         "HSV": "RGB", "RGBX": "RGB"}


@dataclass
class Picture:
    """Channels of float32, and how they go back into a file.

    Attributes
    ----------
    channels : ndarray, (1 or 3, H, W)
        In [0, 1] where the file counts in whole numbers, else as they are.
    top : float
        What 1 is in the file: 255, 65535, or 1 for floating files.
    alpha : ndarray of uint8 or None
    """

    channels: np.ndarray
    top: float
    alpha: np.ndarray | None = None

    @property
    def size(self) -> tuple[int, int]:
        return self.channels.shape[1], self.channels.shape[2]

    @property
    def kind(self) -> str:
        colour = {1: "gray", 3: "colour"}.get(len(self.channels), f"{len(self.channels)} channels")
        bits = {255: "8-bit ", 65535: "16-bit "}.get(self.top, "floating ")
        return bits + colour + (" with alpha" if self.alpha is not None else "")

    def gray(self) -> np.ndarray:
        """One channel, (H, W)."""
        if len(self.channels) != 3:
            return self.channels.mean(axis=0, dtype=np.float32)
        return np.tensordot(GRAY.astype(np.float32), self.channels, axes=1)


def sample_photograph() -> Path:
    """The photograph that matplotlib ships (Rear Admiral Grace Hopper, public domain)."""
    try:
        from matplotlib import cbook
    except ImportError as error:
        raise missing_extra(error) from None
    path = Path(str(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)))
    if not path.exists():
        raise CommandError("matplotlib's sample photograph is not installed: name a picture")
    return path


def read_gray(path: str | os.PathLike[str]) -> np.ndarray:
    """A picture as float32 gray values in [0, 1], shape (H, W)."""
    gray = read_picture(path).gray()
    return gray / np.float32(max(1.0, gray.max(initial=0.0)))


def read_picture(path: str | os.PathLike[str]) -> Picture:
    """Any picture that Pillow reads, upright; or an array out of a .npy file."""
    if Path(path).suffix == ".npy":
        return _from_array(read_numbers(path), path)
    try:
        from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
    except ImportError as error:
        raise missing_extra(error) from None
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise CommandError(f"{path}: {picture.width} x {picture.height} is too large")
            return _from_pillow(ImageOps.exif_transpose(picture))
    except FileNotFoundError:
        raise CommandError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise CommandError(f"{path}: is a directory") from None
    except PermissionError:
        raise CommandError(f"{path}: permission denied") from None
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise CommandError(f"{path}: not a picture that Pillow can read") from None
    except (OSError, SyntaxError, ValueError, EOFError, ImageCms.PyCMSError) as error:
        raise CommandError(f"{path}: broken picture ({error})") from None


def _from_pillow(picture: Any) -> Picture:
    """Colour becomes red, green and blue; the rest one channel."""
    if picture.mode == "P":
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    elif picture.mode == "LAB":
        from PIL import ImageCms

        srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
        picture = ImageCms.profileToProfile(picture, lab, srgb, outputMode="RGB")
    elif picture.mode in PLAIN:
        picture = picture.convert(PLAIN[picture.mode])
    values = np.asarray(picture)
    if values.ndim == 2:
        values = values[:, :, None]
    alpha = values[:, :, -1].copy() if picture.mode in ("LA", "RGBA") else None
    if alpha is not None:
        values = values[:, :, :-1]
    top = 255 if values.dtype == np.uint8 else 1 if values.dtype.kind == "f" else 65535
    channels = values.transpose(2, 0, 1).astype(np.float32) / np.float32(top)
    return Picture(_finite(channels), top, alpha)


def _from_array(array: np.ndarray, path: str | os.PathLike[str]) -> Picture:
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.size == 0:
        raise CommandError(f"{path}: needs an array of (H, W) or (H, W, C), has {array.shape}")
    return Picture(np.ascontiguousarray(array.transpose(2, 0, 1), np.float32), 1)


def _finite(array: np.ndarray) -> np.ndarray:
    if not np.isfinite(array).all():
        raise ValueError("values that are not finite")
    return array


def read_numbers(path: str | os.PathLike[str]) -> np.ndarray:
    """A .npy file of finite real numbers, as float32."""
    try:
        array = np.load(path, allow_pickle=False)
        if array.dtype.kind not in "biuf":
            raise ValueError(f"dtype {array.dtype}")
        return _finite(np.asarray(array, np.float32))
    except FileNotFoundError:
        raise CommandError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise CommandError(f"{path}: is a directory") from None
    except PermissionError:
        raise CommandError(f"{path}: permission denied") from None
    except (OSError, ValueError, EOFError, SyntaxError, AttributeError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CommandError(f"{path}: no array of real numbers ({reason})") from None


def check_writable(path: str | os.PathLike[str]) -> Path:
    """Fail before the work, not after it."""
    target = Path(path)
    try:
        os.stat(target)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:  # too long a name, a NUL in it
        raise CommandError(f"{str(target)!r}: {getattr(error, 'strerror', error)}") from None
    if target.is_dir():
        raise CommandError(f"{target}: is a directory")
    folder = target.parent
    if not folder.is_dir():
        raise CommandError(f"{folder}: no such directory")
    if not os.access(target if target.exists() else folder, os.W_OK):
        raise CommandError(f"{target}: not writable")
    return target


def check_picture_name(path: str | os.PathLike[str]) -> Path:
    """As `check_writable`, and the name must say a format that Pillow writes, or .npy."""
    target = check_writable(path)
    try:
        from PIL import Image
    except ImportError as error:
        raise missing_extra(error) from None
    Image.init()
    suffix = target.suffix.lower()
    if suffix != ".npy" and Image.registered_extensions().get(suffix) not in Image.SAVE:
        raise CommandError(f"{target}: the name must end as a picture does (.png, .jpg, .tif) "
                           "or in .npy")
    return target


def write_picture(path: Path, picture: Picture) -> None:
    """Into the kind of file that the name says; .npy takes the numbers as they are."""
    from PIL import Image

    try:
        if path.suffix.lower() == ".npy":
            rows = picture.channels.transpose(1, 2, 0)
            np.save(path, rows[:, :, 0] if rows.shape[2] == 1 else rows)
            return
        Image.fromarray(_to_file(picture)).save(path)
    except (OSError, ValueError, TypeError, KeyError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise CommandError(f"{path}: cannot be written ({error.strerror})") from None
        raise CommandError(f"{path}: this format does not hold a {picture.kind} picture "
                           f"({error})") from None


def _to_file(picture: Picture) -> np.ndarray:
    values = picture.channels.transpose(1, 2, 0)
    if picture.top > 1:
        values = np.rint(values.clip(0, 1) * np.float32(picture.top))
        values = values.astype(np.uint8 if picture.top == 255 else np.uint16)
    if picture.alpha is not None:
        values = np.concatenate((values, picture.alpha[:, :, None]), axis=2)
    return values[:, :, 0] if values.shape[2] == 1 else values
