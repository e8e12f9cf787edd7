"""Reading pictures by Pillow, with every failure said in one line."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ._errors import CommandError, missing_extra

# A photograph of 100 megapixels is 400 MB in float32; beyond, refuse rather than swap.
MOST_PIXELS = 100_000_000


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
    try:
        from PIL import Image, UnidentifiedImageError
    except ImportError as error:
        raise missing_extra(error) from None
    try:
        with Image.open(path) as picture:
            if picture.width * picture.height > MOST_PIXELS:
                raise CommandError(f"{path}: {picture.width} x {picture.height} is too large")
            gray = np.asarray(picture.convert("F"), dtype=np.float32)
    except FileNotFoundError:
        raise CommandError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise CommandError(f"{path}: is a directory") from None
    except PermissionError:
        raise CommandError(f"{path}: permission denied") from None
    except (UnidentifiedImageError, Image.DecompressionBombError):
        raise CommandError(f"{path}: not a picture that Pillow can read") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise CommandError(f"{path}: broken picture ({error})") from None
    top = float(gray.max(initial=0.0))
    return gray / np.float32(255 if top <= 255 else top)


def check_writable(path: str | os.PathLike[str]) -> Path:
    """Fail before the work, not after it."""
    target = Path(path)
    if target.is_dir():
        raise CommandError(f"{target}: is a directory")
    folder = target.parent
    if not folder.is_dir():
        raise CommandError(f"{folder}: no such directory")
    if not os.access(target if target.exists() else folder, os.W_OK):
        raise CommandError(f"{target}: not writable")
    return target
