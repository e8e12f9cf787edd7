"""`corr demo`: the section's ideas on a real photograph, and one picture of them."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import corr2d, filters, get_num_threads, signal
from ._errors import CommandError, missing_extra
from ._learn import Learned, learn_kernel
from ._pictures import check_writable, read_gray, sample_photograph

DEFAULT_OUTPUT = "corr-demo.png"
LONGEST_LOOP = 5.0  # seconds that the nested loop may take before it gets a crop
EDGE = np.array([[1, -1]], dtype=np.float32)
SOBEL = filters.sobel()


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "demo",
        help="find the edges of a photograph and learn the kernel back",
        description="Find the edges of a photograph, learn the kernel back from them, and "
        "draw it all into one picture.",
    )
    parser.add_argument("photo", nargs="?", help="a picture (default: one matplotlib ships)")
    parser.add_argument("-o", "--output", default=DEFAULT_OUTPUT, metavar="PNG",
                        help="where to draw (default: %(default)s)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> None:
    try:
        import matplotlib  # noqa: F401
        import tqdm  # noqa: F401
    except ImportError as error:
        raise missing_extra(error) from None
    path = arguments.photo or sample_photograph()
    photo = read_gray(path)
    if min(photo.shape) < 8:
        raise CommandError(f"{path}: needs at least 8 x 8 pixels, has {photo.shape}")
    output = check_writable(arguments.output)
    print(f"photograph: {path}, {photo.shape[1]} x {photo.shape[0]}")
    vertical, horizontal = corr2d(photo, EDGE), corr2d(photo, EDGE.T)
    print(f"vertical edges:   corr2d(photo, [[1, -1]])   -> {vertical.shape}")
    print(f"horizontal edges: corr2d(photo, [[1], [-1]]) -> {horizontal.shape}")
    stripes = show_stripes()
    learned = [(name, kernel, teach(photo, kernel, name))
               for name, kernel in (("[1, -1]", EDGE), ("Sobel", SOBEL))]
    check_strict(photo)
    show_times(photo)
    from . import _demo_figure

    _demo_figure.draw(output, photo, vertical, horizontal, stripes, learned)
    print(f"picture: {output}")


def show_stripes() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The section's image: [1, -1] finds its vertical edges, and none once transposed."""
    x = np.ones((6, 8), dtype=np.float32)
    x[:, 2:6] = 0
    y, transposed = corr2d(x, EDGE), corr2d(x.T, EDGE)
    print(f"stripes: {int(np.count_nonzero(y))} edge pixels; "
          f"on the transposed stripes {int(np.count_nonzero(transposed))}")
    return x, y, transposed


def teach(photo: np.ndarray, kernel: np.ndarray, name: str) -> Learned:
    """Learn `kernel` back from the photograph and its feature map."""
    from tqdm import tqdm

    target = corr2d(photo, kernel)
    started = time.perf_counter()
    with tqdm(desc=f"learning {name}", unit=" steps", leave=False) as bar:

        def progress(loss: float) -> None:
            bar.set_postfix_str(f"loss {loss:.2e}", refresh=False)
            bar.update()

        learned = learn_kernel(photo, target, kernel.shape, progress=progress)
    seconds = time.perf_counter() - started
    error = float(np.abs(learned.kernel - kernel).max())
    print(f"learned {name}: off by at most {error:.1e} after {len(learned.losses)} steps "
          f"and {seconds:.1f} s")
    return learned


def check_strict(photo: np.ndarray) -> None:
    """Strict convolution is cross-correlation with the flipped kernel."""
    same = np.array_equal(signal.convolve2d(photo, SOBEL, mode="valid"),
                          corr2d(photo, SOBEL[::-1, ::-1]))
    if not same:
        raise CommandError("strict convolution differs from the flipped kernel's correlation")
    print("strict convolution: equal to corr2d with the kernel flipped")


def nested_loop(x: np.ndarray, k: np.ndarray) -> np.ndarray:
    """The section's corr2d."""
    h, w = k.shape
    y = np.zeros((x.shape[0] - h + 1, x.shape[1] - w + 1), dtype=x.dtype)
    for i in range(y.shape[0]):
        for j in range(y.shape[1]):
            y[i, j] = (x[i : i + h, j : j + w] * k).sum()
    return y


def windows(x: np.ndarray, k: np.ndarray) -> np.ndarray:
    """NumPy's way: a view of all windows, and one sum of products."""
    return np.einsum("ijpq,pq->ij", np.lib.stride_tricks.sliding_window_view(x, k.shape), k)


def best_time(function: Callable[[], Any], seconds: float = 0.2) -> float:
    best, end = float("inf"), time.perf_counter() + seconds
    while True:
        start = time.perf_counter()
        function()
        now = time.perf_counter()
        best = min(best, now - start)
        if now > end:
            return best


def show_times(photo: np.ndarray) -> None:
    """corr, NumPy and the nested loop on the same array."""
    strip = photo[: min(32, photo.shape[0])]
    expected = best_time(lambda: nested_loop(strip, SOBEL), 0) * photo.size / strip.size
    picture, note = photo, ""
    if expected > LONGEST_LOOP:
        rows = max(8, int(photo.shape[0] * LONGEST_LOOP / expected))
        picture, note = photo[:rows], f" (its first {rows} rows, or the loop would take long)"
    wanted = nested_loop(picture, SOBEL)
    if not np.allclose(corr2d(picture, SOBEL), wanted, atol=1e-5):
        raise CommandError("corr2d differs from the nested loop")
    corr_time = best_time(lambda: corr2d(picture, SOBEL))
    print(f"Sobel on {picture.shape[1]} x {picture.shape[0]}{note}, "
          f"{get_num_threads()} threads:")
    for name, seconds in (
        ("corr.corr2d", corr_time),
        ("NumPy sliding_window_view", best_time(lambda: windows(picture, SOBEL))),
        ("the section's nested loop", best_time(lambda: nested_loop(picture, SOBEL), 0)),
    ):
        print(f"  {name:26} {seconds * 1e3:10.3f} ms  {seconds / corr_time:8.0f} x")
