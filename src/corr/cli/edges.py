"""`corr edges`: how strong the edges of a picture are, pixel by pixel."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from .. import filters
from ._errors import CommandError
from ._pictures import Picture, check_picture_name, read_picture, write_picture
from .filter import correlate

# A picture without edges stays black: what is left there is rounding.
FAINTEST_WHITE = 1 / 255


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "edges", help="draw the edges of a picture",
        description="Draw how strong the edges of a picture are: the length of its gradient "
        "(Scharr's) after a Gaussian blur; the strongest 0.5% of the pixels are white. OUT.npy "
        "takes the gradient's length as it is.")
    parser.add_argument("image", metavar="IMAGE", help="a picture, or an array in a .npy file")
    parser.add_argument("-o", "--output", required=True, metavar="OUT",
                        help="where to write; the name's end says the format")
    parser.add_argument("--sigma", type=float, default=1.0, metavar="S",
                        help="blur before, in pixels; 0 for none (default: %(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    if not 0 <= arguments.sigma <= 64:
        raise CommandError(f"--sigma must be 0 to 64, got {arguments.sigma:g}")
    output = check_picture_name(arguments.output)
    gray = read_picture(arguments.image).gray()
    strength = edge_strength(gray, arguments.sigma)
    if output.suffix.lower() != ".npy":
        strength = strength / np.float32(max(np.percentile(strength, 99.5), FAINTEST_WHITE))
    write_picture(output, Picture(strength[None], 1 if output.suffix.lower() == ".npy" else 255))
    print(f"{arguments.image}: {gray.shape[1]} x {gray.shape[0]}; written to {output}")


def edge_strength(gray: np.ndarray, sigma: float) -> np.ndarray:
    """The length of the gradient, in gray values a pixel."""
    channels = gray[None]
    if sigma > 0:
        channels = correlate(channels, filters.gaussian(sigma))
    down, right = (correlate(channels, filters.scharr(axis) / np.float32(32)) for axis in (0, 1))
    return np.hypot(down[0], right[0])
