"""SciPy's two functions for pictures, on corr's kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import _core
from . import _functional as functional

__all__ = ["convolve2d", "correlate2d"]

_MODES = ("full", "same", "valid")
_PAD_MODES = {
    "fill": "constant",
    "pad": "constant",
    "wrap": "wrap",
    "circular": "wrap",
    "symm": "symmetric",
    "symmetric": "symmetric",
}


def correlate2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0
) -> np.ndarray:
    """Cross-correlate two 2-D arrays.

    Parameters
    ----------
    in1, in2 : array_like, 2-D
        Integers give integers, exactly (and wrap around as the type does).
    mode : {"full", "valid", "same"}, default "full"
        All overlaps, only whole ones, or as many as in1 has elements.
    boundary : {"fill", "wrap", "symm"}, default "fill"
        What lies around in1: `fillvalue`, its repetition, or its mirror image.
    fillvalue : scalar, default 0

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError
        Arrays that are not 2-D or empty, unknown words, in "valid" mode neither array inside
        the other.
    TypeError
        Complex and other types that corr does not compute with.

    Notes
    -----
    ``scipy.signal.correlate2d``, for real arrays.

    Examples
    --------
    >>> from corr import signal
    >>> signal.correlate2d([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]], mode="valid")
    array([[19, 25],
           [37, 43]])
    """
    a, b, swapped = _prepare(in1, in2, mode)
    out = _correlate(a, b, mode, boundary, fillvalue, first=lambda k: (k - 1) // 2)
    return out[::-1, ::-1] if swapped else out


def convolve2d(
    in1: Any, in2: Any, mode: str = "full", boundary: str = "fill", fillvalue: float = 0
) -> np.ndarray:
    """Convolve two 2-D arrays: correlate the first with the flipped second.

    Parameters, errors and results are those of `correlate2d`.

    Parameters
    ----------
    in1, in2 : array_like, 2-D
    mode : {"full", "valid", "same"}, default "full"
    boundary : {"fill", "wrap", "symm"}, default "fill"
    fillvalue : scalar, default 0

    Returns
    -------
    ndarray

    Raises
    ------
    ValueError, TypeError
        As `correlate2d`.

    Notes
    -----
    ``scipy.signal.convolve2d``, for real arrays.

    Examples
    --------
    >>> from corr import signal
    >>> signal.convolve2d([[1, 2, 3]], [[1, -1]])
    array([[ 1,  1,  1, -3]])
    """
    a, b, _ = _prepare(in1, in2, mode)
    return _correlate(a, b[::-1, ::-1], mode, boundary, fillvalue, first=lambda k: k // 2)


def _prepare(in1: Any, in2: Any, mode: str) -> tuple[np.ndarray, np.ndarray, bool]:
    """Both as arrays, swapped where `valid` mode wants the larger one first."""
    a, _ = functional.as_array(in1, "in1")
    b, _ = functional.as_array(in2, "in2")
    if a.ndim != 2 or b.ndim != 2:
        raise ValueError(f"in1 and in2 must be 2-D arrays, got shapes {a.shape} and {b.shape}")
    functional.check_kind(a, "in1")
    functional.check_kind(b, "in2")
    if a.dtype == b.dtype == np.bool_:
        raise TypeError("in1 and in2 are bool: say which number type to count in")
    if not isinstance(mode, str) or mode not in _MODES:
        raise ValueError(f"mode must be 'full', 'valid' or 'same', got {functional.brief(mode)}")
    if a.size == 0 or b.size == 0:
        raise ValueError(f"in1 and in2 must not be empty, got shapes {a.shape} and {b.shape}")
    if mode != "valid" or all(m >= n for m, n in zip(a.shape, b.shape, strict=True)):
        return a, b, False
    if all(m <= n for m, n in zip(a.shape, b.shape, strict=True)):
        return b, a, True
    raise ValueError(
        "mode='valid' needs in1 or in2 to be at least as large as the other along both axes, "
        f"got shapes {a.shape} and {b.shape}"
    )


def _correlate(
    a: np.ndarray, b: np.ndarray, mode: str, boundary: str, fillvalue: Any, first: Any
) -> np.ndarray:
    if not isinstance(boundary, str) or boundary not in _PAD_MODES:
        raise ValueError("boundary must be 'fill', 'wrap' or 'symm', "
                         f"got {functional.brief(boundary)}")
    dtype = np.result_type(a.dtype, b.dtype)
    fill = _fill(fillvalue, dtype)
    before = [{"full": k - 1, "same": first(k), "valid": 0}[mode] for k in b.shape]
    total = [0 if mode == "valid" else (k - 1) * (2 if mode == "full" else 1) for k in b.shape]
    pads = [(p, t - p) for p, t in zip(before, total, strict=True)]
    zeros = _PAD_MODES[boundary] == "constant" and fill == 0
    if any(map(any, pads)) and not zeros:
        nothing = [(0, 0), (0, 0)]
        if functional.takes_border(a, b):
            sizes = [n + sum(p) - k + 1 for n, p, k in zip(a.shape, pads, b.shape, strict=True)]
            out: np.ndarray = functional.within_border(
                lambda part, kernel, to: _zero_padded(part, kernel, nothing, dtype, to),
                a, b, pads, _PAD_MODES[boundary], fill, np.empty(sizes, dtype))
            return out
        a = _padded(a, pads, _PAD_MODES[boundary], fill)
        pads = nothing
    return _zero_padded(a, b, pads, dtype)


def _zero_padded(a: np.ndarray, b: np.ndarray, pads: Any, dtype: np.dtype[Any],
                 out: np.ndarray | None = None) -> np.ndarray:
    if dtype.kind != "f":
        return _whole_numbers(a, b, pads, dtype, out)
    if not functional.takes_bands(a) or dtype.itemsize < 4:
        a = a.astype(dtype, copy=False)
    return _core.corr2d(a, b.astype(dtype, copy=False), padding=pads, out=out)


def _fill(value: Any, dtype: np.dtype[Any]) -> Any:
    array = np.asarray(value)
    if array.size != 1:
        raise ValueError(
            "`fillvalue` must be scalar or an array with exactly one element, "
            f"got shape {array.shape}"
        )
    if array.dtype.kind not in "biuf":
        raise ValueError(f"could not cast `fillvalue` directly to the output type {dtype}: "
                         f"{functional.brief(value)}")
    return array.reshape(()).astype(dtype)


def _padded(a: np.ndarray, pads: Any, mode: str, fill: Any) -> np.ndarray:
    if mode != "constant":
        return np.pad(a, pads, mode=mode)
    if fill.astype(a.dtype) != fill:
        a = a.astype(fill.dtype)
    return np.pad(a, pads, constant_values=fill.astype(a.dtype))


def _whole_numbers(a: np.ndarray, b: np.ndarray, pads: Any, dtype: np.dtype[Any],
                   out: np.ndarray | None) -> np.ndarray:
    """Exact: by floating point where no partial sum can leave it, else term by term."""
    if out is None:
        out = np.empty([n + sum(p) - k + 1 for n, p, k in zip(a.shape, pads, b.shape, strict=True)],
                       dtype)
    largest = _magnitude(a) * sum(abs(int(v)) for v in b.ravel().tolist())
    for compute, limit in ((np.float32, 2**24), (np.float64, 2**53)):
        if largest < limit:
            functional.in_bands(_direct, a, b.astype(compute), pads, out)
            return out
    padded, b = np.pad(a, pads).astype(dtype), b.astype(dtype)
    out[...] = 0
    for i in range(b.shape[0]):
        for j in range(b.shape[1]):
            out += padded[i : i + out.shape[0], j : j + out.shape[1]] * b[i, j]
    return out


def _magnitude(a: np.ndarray) -> int:
    return max(abs(int(a.min())), abs(int(a.max())))


def _direct(a: np.ndarray, b: np.ndarray, padding: Any, out: np.ndarray) -> None:
    exact = _core.conv2d(a[None], b[None, None], padding=padding, algorithm="direct")
    np.copyto(out, exact[0].astype(np.int64), casting="unsafe")
