"""`corr learn`: the kernel that turns one picture into another."""

from __future__ import annotations

import argparse
import re
import time
from pathlib import Path
from typing import Any

import numpy as np

from ._errors import CommandError, missing_extra
from ._learn import Learned, learn_kernel
from ._pictures import Picture, check_writable, read_picture

MOST_SIDE = 31


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "learn", help="learn a kernel from two pictures",
        description="Learn the kernel that turns INPUT into TARGET, which is as large as INPUT "
        "or smaller by the kernel's size less one. Colours are taken as gray. Pixels of TARGET "
        "at the end of its range are left out, since they may have been clipped.")
    parser.add_argument("input", metavar="INPUT", help="a picture, or an array in a .npy file")
    parser.add_argument("target", metavar="TARGET", help="the same picture after the kernel")
    parser.add_argument("--kernel-size", required=True, metavar="K",
                        help=f"a number, or HEIGHTxWIDTH; at most {MOST_SIDE}")
    parser.add_argument("-o", "--output", default="kernel.npy", metavar="NPY",
                        help="where to write the kernel (default: %(default)s)")
    parser.add_argument("--plot", metavar="PNG",
                        help="where to draw it (default: beside the kernel)")
    parser.add_argument("--seed", type=int, default=0, help="of the start (default: %(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    try:
        import matplotlib  # noqa: F401
        import tqdm  # noqa: F401
    except ImportError as error:
        raise missing_extra(error) from None
    size = kernel_size(arguments.kernel_size)
    if arguments.seed < 0:
        raise CommandError(f"--seed must be at least 0, got {arguments.seed}")
    output, plot = _outputs(arguments)
    picture, target = read_picture(arguments.input), read_picture(arguments.target)
    gray, wanted, known = aligned(picture, target, size)
    start = time.perf_counter()
    learned = _learn(gray, wanted, known, size, arguments.seed)
    seconds = time.perf_counter() - start
    np.save(output, learned.kernel)
    from . import _learn_figure

    _learn_figure.draw(plot, learned)
    _report(learned, seconds)
    print(f"kernel: {output}\nplot: {plot}")


def kernel_size(text: str) -> tuple[int, int]:
    """(height, width) out of "3" or "3x5"."""
    found = re.fullmatch(r"(\d{1,4})(?:x(\d{1,4}))?", text)
    if not found:
        raise CommandError(f"--kernel-size must be a number or HEIGHTxWIDTH, got {text!r}")
    size = int(found[1]), int(found[2] or found[1])
    if not all(1 <= side <= MOST_SIDE for side in size):
        raise CommandError(f"--kernel-size must be 1 to {MOST_SIDE} a side, got {text!r}")
    return size


def _outputs(arguments: argparse.Namespace) -> tuple[Path, Path]:
    output = check_writable(arguments.output)
    if output.suffix != ".npy":
        raise CommandError(f"{output}: the kernel's file must end in .npy")
    plot = check_writable(arguments.plot or output.with_suffix(".png"))
    if plot.suffix != ".png":
        raise CommandError(f"{plot}: the plot's file must end in .png")
    return output, plot


def aligned(picture: Picture, target: Picture,
            size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gray values, the target of all whole windows, and which of its pixels count."""
    room = [n - k + 1 for n, k in zip(picture.size, size, strict=True)]
    if min(room) < 1:
        raise CommandError(f"the kernel ({size[0]} x {size[1]}) is larger than the input "
                           f"({picture.size[0]} x {picture.size[1]})")
    if target.size not in (picture.size, tuple(room)):
        raise CommandError(
            f"the target is {target.size[0]} x {target.size[1]} (height x width), but must be "
            f"{picture.size[0]} x {picture.size[1]} as the input, or {room[0]} x {room[1]}")
    at = [0, 0] if target.size == tuple(room) else [(k - 1) // 2 for k in size]
    part = np.s_[:, at[0] : at[0] + room[0], at[1] : at[1] + room[1]]
    channels = target.channels[part]
    known = np.ones(room, bool)
    if target.top > 1:
        known = ((channels > 0) & (channels < 1)).all(axis=0)
    if np.count_nonzero(known) < 2 * size[0] * size[1]:
        raise CommandError(f"the target leaves {np.count_nonzero(known)} pixels to learn from, "
                           f"too few for {size[0] * size[1]} taps")
    return picture.gray(), Picture(channels, target.top).gray(), known


def _learn(gray: np.ndarray, wanted: np.ndarray, known: np.ndarray, size: tuple[int, int],
           seed: int) -> Learned:
    from tqdm import tqdm

    with tqdm(desc="learning", unit=" steps") as bar:

        def progress(loss: float) -> None:
            bar.set_postfix_str(f"loss {loss:.2e}", refresh=False)
            bar.update()

        return learn_kernel(gray, wanted, size, known=known, seed=seed, progress=progress)


def _report(learned: Learned, seconds: float) -> None:
    steps = len(learned.losses)
    rest = learned.losses[-1] ** 0.5 if steps else 0.0
    print(f"{steps} steps, {seconds:.2f} s; root mean squared error {rest:.2e}, "
          f"offset {learned.offset:+z.4f}")
    if max(learned.kernel.shape) <= 9:
        for row in learned.kernel:
            print("  ".join(f"{value:+z9.5f}" for value in row))
