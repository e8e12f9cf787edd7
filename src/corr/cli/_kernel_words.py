"""Kernels as words: a name of `corr.filters`, numbers, or a .npy file."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np

from .. import filters
from ._errors import CommandError
from ._pictures import read_numbers

# A picture of 512 x 512 has no more taps.
MOST_TAPS = 512 * 512
AXES = {"x": 1, "y": 0}


def _axis(word: str) -> int:
    if word not in AXES:
        raise ValueError(f"the axis must be x or y, got {word!r}")
    return AXES[word]


def number(word: str) -> float:
    """A decimal or a fraction."""
    try:
        value = float(Fraction(word))
    except (ValueError, ZeroDivisionError, OverflowError):
        raise ValueError(f"{word!r} is no number") from None
    return value


def _whole(word: str) -> int:
    try:
        return int(word)
    except ValueError:
        raise ValueError(f"{word!r} is no whole number") from None


# Name: how many words may follow the colon, what makes the kernel of them, and how to say it.
NAMES: dict[str, tuple[range, Callable[..., np.ndarray], str]] = {
    "difference": (range(3), lambda order="1", axis="x": filters.difference(
        _whole(order), _axis(axis)), "difference[:ORDER,x|y]"),
    "central": (range(2), lambda axis="x": filters.central_difference(_axis(axis)),
                "central[:x|y]"),
    "sobel": (range(2), lambda axis="x": filters.sobel(_axis(axis)), "sobel[:x|y]"),
    "scharr": (range(2), lambda axis="x": filters.scharr(_axis(axis)), "scharr[:x|y]"),
    "directional": (range(2, 3), lambda down, right: filters.directional(
        (number(down), number(right))), "directional:DOWN,RIGHT"),
    "laplacian": (range(2), lambda near="4": filters.laplacian(_whole(near)), "laplacian[:4|8]"),
    "line": (range(2), lambda angle="0": filters.line(_whole(angle)), "line[:0|45|90|135]"),
    "box": (range(3), lambda high="3", wide=None: filters.box(
        (_whole(high), _whole(wide or high))), "box[:SIZE]"),
    "gaussian": (range(3), lambda sigma="1", radius=None: filters.gaussian(
        number(sigma), None if radius is None else _whole(radius)), "gaussian[:SIGMA,RADIUS]"),
    "sharpen": (range(2), lambda amount="1": filters.sharpen(number(amount)), "sharpen[:AMOUNT]"),
}
FORMS = ", ".join(form for _, _, form in NAMES.values())


def kernel_from(text: str) -> np.ndarray:
    """The kernel that a user means by `text`."""
    if text.endswith(".npy"):
        kernel = read_numbers(text)
        kernel = kernel[None, :] if kernel.ndim == 1 else kernel
        if kernel.ndim != 2:
            raise CommandError(f"{text}: a kernel has two axes, this has shape {kernel.shape}")
    elif text[:1].isalpha():
        kernel = _named(text)
    else:
        kernel = _spelled(text)
    if not 1 <= kernel.size <= MOST_TAPS:
        raise CommandError(f"--kernel {text}: {kernel.size} taps, must be 1 to {MOST_TAPS}")
    if not np.isfinite(kernel).all():
        raise CommandError(f"--kernel {text}: the numbers must be finite")
    return kernel


def _named(text: str) -> np.ndarray:
    name, colon, rest = text.partition(":")
    if name not in NAMES:
        raise CommandError(f"--kernel {text}: no such kernel; there are {FORMS}")
    words = [word.strip() for word in rest.split(",")] if colon else []
    counts, make, form = NAMES[name]
    if len(words) not in counts:
        raise CommandError(f"--kernel {text}: must be {form}")
    try:
        _check_reach(name, words)
        return make(*words)
    except (ValueError, TypeError) as error:
        raise CommandError(f"--kernel {text}: {error}") from None


def _check_reach(name: str, words: list[Any]) -> None:
    """Refuse what would fill the memory before it is made."""
    side = {"gaussian": lambda: 8 * number(words[0]) if len(words) == 1 else 2 * _whole(words[1]),
            "box": lambda: max(map(_whole, words)),
            "difference": lambda: 8 * _whole(words[0])}
    if words and name in side and side[name]() > 512:
        raise ValueError("the kernel would be larger than 512 x 512"
                         if name != "difference" else "the order must be at most 64")


def _spelled(text: str) -> np.ndarray:
    """Numbers: rows end at a semicolon; a comma or a space lies between numbers."""
    rows = [row.replace(",", " ").split() for row in text.strip().strip(";").split(";")]
    try:
        values = [[number(word) for word in row] for row in rows]
    except ValueError as error:
        raise CommandError(f"--kernel {text}: {error}") from None
    if not values[0] or len({len(row) for row in values}) != 1:
        raise CommandError(f"--kernel {text!r}: needs rows of equally many numbers, as "
                           "'0 -1 0; -1 5 -1; 0 -1 0'")
    with np.errstate(over="ignore"):
        return np.array(values, np.float32)
