"""`corr filter`: a picture correlated with a kernel."""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from .. import conv2d
from ._errors import CommandError
from ._kernel_words import FORMS, kernel_from
from ._pictures import Picture, check_picture_name, read_picture, write_picture


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "filter", help="correlate a picture with a kernel",
        description="Correlate a picture with a kernel, channel by channel; size, depth and "
        "transparency stay. A kernel whose taps add up to 0 answers around mid-gray, and its "
        "largest possible answer is black or white. OUT.npy takes the answer's numbers as they "
        "are (1 is white).")
    parser.add_argument("image", metavar="IMAGE", help="a picture, or an array in a .npy file")
    parser.add_argument("--kernel", required=True, metavar="KERNEL",
                        help=f"{FORMS}; or numbers, --kernel='0 -1 0; -1 5 -1; 0 -1 0' "
                        "(fractions too); or a .npy file")
    parser.add_argument("-o", "--output", required=True, metavar="OUT",
                        help="where to write; the name's end says the format")
    parser.add_argument("--border", default="replicate",
                        choices=("replicate", "reflect", "circular", "zeros"),
                        help="what lies around the picture (default: %(default)s)")
    parser.add_argument("--gain", type=float, default=1.0, metavar="G",
                        help="multiply the answer (default: %(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    kernel = kernel_from(arguments.kernel)
    if not np.isfinite(arguments.gain):
        raise CommandError(f"--gain must be finite, got {arguments.gain}")
    output = check_picture_name(arguments.output)
    picture = read_picture(arguments.image)
    start = time.perf_counter()
    answer = correlate(picture.channels, kernel, arguments.border)
    milliseconds = (time.perf_counter() - start) * 1e3
    answer *= np.float32(arguments.gain)
    if output.suffix.lower() != ".npy" and picture.top > 1:
        answer = shown(answer, kernel)
    write_picture(output, Picture(answer, picture.top, picture.alpha))
    high, wide = picture.size
    print(f"{arguments.image}: {picture.kind}, {wide} x {high}; kernel "
          f"{kernel.shape[0]} x {kernel.shape[1]}, {milliseconds:.2f} ms; written to {output}")


def correlate(channels: np.ndarray, kernel: np.ndarray, border: str = "replicate") -> np.ndarray:
    """Each channel with the kernel, at the channels' own size."""
    try:
        return conv2d(channels[:, None], kernel[None, None], padding="same",
                      padding_mode=border)[:, 0]
    except ValueError as error:
        raise CommandError(str(error)) from None


def shown(answer: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Signed answers go around mid-gray; others are colours already."""
    rising = float(kernel[kernel > 0].sum(dtype=np.float64))
    falling = float(-kernel[kernel < 0].sum(dtype=np.float64))
    if rising == 0 or abs(rising - falling) > 1e-5 * (rising + falling):
        return answer
    return np.float32(0.5) + answer / np.float32(2 * rising)
