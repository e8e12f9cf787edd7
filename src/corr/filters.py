"""Kernels for pictures, each with its formula and where it comes from.

All are made to be correlated, not convolved: ``corr.corr2d(picture, filters.sobel())``.
Derivatives are positive where the picture grows brighter along the axis, which is 0 for
down and 1 for right, as in NumPy.

Each makes a new array of the floating type `dtype`. What is no number, and a type that is
not floating, is a TypeError; a number out of range a ValueError that names it.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import _functional as functional

__all__ = ["box", "central_difference", "difference", "directional", "gaussian", "laplacian",
           "line", "scharr", "sharpen", "sobel"]

# Across an edge, and along it.
_CENTRAL = np.array([-1.0, 0.0, 1.0])
_SOBEL_SMOOTHING = np.array([1.0, 2.0, 1.0])
_SCHARR_SMOOTHING = np.array([3.0, 10.0, 3.0])
_LINES = {
    0: [[-1, -1, -1], [2, 2, 2], [-1, -1, -1]],
    45: [[-1, -1, 2], [-1, 2, -1], [2, -1, -1]],
    90: [[-1, 2, -1], [-1, 2, -1], [-1, 2, -1]],
    135: [[2, -1, -1], [-1, 2, -1], [-1, -1, 2]],
}


def difference(order: int = 1, axis: int = 1, *, dtype: Any = np.float32) -> np.ndarray:
    """The finite difference of an order: the smallest kernel for that derivative.

    Parameters
    ----------
    order : int, default 1
        0 or more; the kernel has order + 1 taps.
    axis : {0, 1}, default 1
        0 for down, 1 for right.

    Returns
    -------
    ndarray, (1, order + 1) or (order + 1, 1)

    Notes
    -----
    Tap i is ``(-1)**(order - i) * binomial(order, i)``: [-1, 1] correlated with itself
    order - 1 times. Fewer taps cannot do: a kernel of d taps that is 0 on the polynomials
    of degree below d is 0 altogether. It equals the derivative, on polynomials of degree
    `order`, exactly. Newton, "Methodus Differentialis", 1711.

    Examples
    --------
    >>> from corr import filters
    >>> filters.difference()
    array([[-1.,  1.]], dtype=float32)
    >>> filters.difference(2)
    array([[ 1., -2.,  1.]], dtype=float32)
    """
    n = functional.integer(order, "order", 0)
    taps = [(-1) ** (n - i) * math.comb(n, i) for i in range(n + 1)]
    return _along(np.array(taps, np.float64), axis, dtype)


def central_difference(axis: int = 1, *, dtype: Any = np.float32) -> np.ndarray:
    """The first derivative at the pixel itself, from its two neighbours.

    Parameters
    ----------
    axis : {0, 1}, default 1
        0 for down, 1 for right.

    Returns
    -------
    ndarray, (1, 3) or (3, 1)

    Notes
    -----
    ``(f(x + 1) - f(x - 1)) / 2``: the error is of second order in the pixel's width, that
    of `difference` of first order. Abramowitz and Stegun, 25.3.21.

    Examples
    --------
    >>> from corr import filters
    >>> filters.central_difference()
    array([[-0.5,  0. ,  0.5]], dtype=float32)
    """
    return _along(_CENTRAL / 2, axis, dtype)


def sobel(axis: int = 1, *, dtype: Any = np.float32) -> np.ndarray:
    """Sobel's derivative: a central difference, smoothed across.

    Parameters
    ----------
    axis : {0, 1}, default 1
        0 for down, 1 for right.

    Returns
    -------
    ndarray, (3, 3)

    Notes
    -----
    ``outer([1, 2, 1], [-1, 0, 1])``; a slope of 1 a pixel gives 8. Sobel and Feldman, "A 3x3
    isotropic gradient operator for image processing", Stanford AI Project, 1968.

    Examples
    --------
    >>> from corr import filters
    >>> filters.sobel()
    array([[-1.,  0.,  1.],
           [-2.,  0.,  2.],
           [-1.,  0.,  1.]], dtype=float32)
    """
    return _smoothed_derivative(_SOBEL_SMOOTHING, axis, dtype)


def scharr(axis: int = 1, *, dtype: Any = np.float32) -> np.ndarray:
    """Scharr's derivative: Sobel's, with the direction of the gradient truer.

    Parameters
    ----------
    axis : {0, 1}, default 1
        0 for down, 1 for right.

    Returns
    -------
    ndarray, (3, 3)

    Notes
    -----
    ``outer([3, 10, 3], [-1, 0, 1])``; a slope of 1 a pixel gives 32. Scharr, "Optimale
    Operatoren in der Digitalen Bildverarbeitung", Heidelberg, 2000.

    Examples
    --------
    >>> from corr import filters
    >>> filters.scharr(axis=0)
    array([[ -3., -10.,  -3.],
           [  0.,   0.,   0.],
           [  3.,  10.,   3.]], dtype=float32)
    """
    return _smoothed_derivative(_SCHARR_SMOOTHING, axis, dtype)


def directional(v: Any, *, dtype: Any = np.float32) -> np.ndarray:
    """The derivative along a direction: it answers edges that lie across it.

    Parameters
    ----------
    v : pair of float
        How far down and how far right; only its direction counts.

    Returns
    -------
    ndarray, (3, 3)

    Notes
    -----
    ``(v0 * scharr(0) + v1 * scharr(1)) / (32 * hypot(v0, v1))``, since the derivative along v
    is the gradient's product with v at length 1; a slope of 1 a pixel gives 1. Freeman and
    Adelson, "The design and use of steerable filters", IEEE PAMI 13(9), 1991.

    Examples
    --------
    >>> from corr import filters
    >>> filters.directional((1, 1)).round(3)
    array([[-0.133, -0.221,  0.   ],
           [-0.221,  0.   ,  0.221],
           [ 0.   ,  0.221,  0.133]], dtype=float32)
    """
    try:
        down, right = (float(number) for number in v)
    except (TypeError, ValueError):
        raise TypeError(f"v must be a pair of numbers, got {functional.brief(v)}") from None
    largest = max(abs(down), abs(right))
    if not 0 < largest < math.inf or math.isnan(down + right):
        raise ValueError(f"v must be finite and not (0, 0), got {functional.brief(v)}")
    down, right = down / largest, right / largest
    kernel = down * scharr(0, dtype=np.float64) + right * scharr(1, dtype=np.float64)
    return _made(kernel / (32 * math.hypot(down, right)), dtype)


def laplacian(neighbours: int = 4, *, dtype: Any = np.float32) -> np.ndarray:
    """The sum of the second derivatives down and right.

    Parameters
    ----------
    neighbours : {4, 8}, default 4
        8 adds the two diagonals' second differences.

    Returns
    -------
    ndarray, (3, 3)

    Notes
    -----
    With 4, ``difference(2, 0) + difference(2, 1)``, each centred (Abramowitz and Stegun,
    25.3.30). With 8, 1 all around and -8 amid (Gonzalez and Woods, "Digital Image
    Processing", section 3.6): three times the Laplacian.

    Examples
    --------
    >>> from corr import filters
    >>> filters.laplacian()
    array([[ 0.,  1.,  0.],
           [ 1., -4.,  1.],
           [ 0.,  1.,  0.]], dtype=float32)
    """
    if neighbours not in (4, 8):
        raise ValueError(f"neighbours must be 4 or 8, got {functional.brief(neighbours)}")
    kernel = np.ones((3, 3))
    if neighbours == 4:
        kernel[::2, ::2] = 0
    kernel[1, 1] = -neighbours
    return _made(kernel, dtype)


def line(angle: int = 0, *, dtype: Any = np.float32) -> np.ndarray:
    """A detector of bright lines one pixel wide.

    Parameters
    ----------
    angle : {0, 45, 90, 135}, default 0
        Of the line, in degrees: 0 lies flat, 45 rises to the right.

    Returns
    -------
    ndarray, (3, 3)

    Notes
    -----
    2 along the line, -1 elsewhere. Gonzalez and Woods, "Digital Image Processing", section
    10.2.

    Examples
    --------
    >>> from corr import filters
    >>> filters.line(45)
    array([[-1., -1.,  2.],
           [-1.,  2., -1.],
           [ 2., -1., -1.]], dtype=float32)
    """
    if angle not in _LINES:
        raise ValueError(f"angle must be 0, 45, 90 or 135, got {functional.brief(angle)}")
    return _made(np.array(_LINES[angle], np.float64), dtype)


def box(size: Any = 3, *, dtype: Any = np.float32) -> np.ndarray:
    """The mean of a window.

    Parameters
    ----------
    size : int or pair, default 3

    Returns
    -------
    ndarray of that size

    Notes
    -----
    ``1 / (height * width)`` everywhere. McDonnell, "Box-filtering techniques", Computer
    Graphics and Image Processing 17, 1981.

    Examples
    --------
    >>> from corr import filters
    >>> filters.box(2)
    array([[0.25, 0.25],
           [0.25, 0.25]], dtype=float32)
    """
    height, width = functional.pair(size, "size", 1)
    return _made(np.full((height, width), 1 / (height * width)), dtype)


def gaussian(sigma: float = 1.0, radius: int | None = None, *,
             dtype: Any = np.float32) -> np.ndarray:
    """A blur by the normal distribution.

    Parameters
    ----------
    sigma : float, default 1.0
        The standard deviation, in pixels; above 0.
    radius : int, optional
        The kernel has 2 * radius + 1 taps a side; by default ``ceil(4 * sigma)``, beyond which
        0.01% of the weight lies.

    Returns
    -------
    ndarray, (2 * radius + 1, 2 * radius + 1)

    Notes
    -----
    ``exp(-(y**2 + x**2) / (2 * sigma**2))``, divided by its sum. Marr and Hildreth, "Theory of
    edge detection", Proc. R. Soc. Lond. B 207, 1980.

    Examples
    --------
    >>> from corr import filters
    >>> filters.gaussian(0.5, radius=1).round(3)
    array([[0.011, 0.084, 0.011],
           [0.084, 0.619, 0.084],
           [0.011, 0.084, 0.011]], dtype=float32)
    """
    width = _number(sigma, "sigma")
    if width <= 0:
        raise ValueError(f"sigma must be positive, got {functional.brief(sigma)}")
    reach = math.ceil(4 * width) if radius is None else functional.integer(radius, "radius", 0)
    profile = np.exp(-((np.arange(-reach, reach + 1) / width) ** 2) / 2)
    profile /= profile.sum()
    return _made(np.outer(profile, profile), dtype)


def sharpen(amount: float = 1.0, *, dtype: Any = np.float32) -> np.ndarray:
    """The picture less its Laplacian.

    Parameters
    ----------
    amount : float, default 1.0
        How much of the Laplacian; 0 changes nothing.

    Returns
    -------
    ndarray, (3, 3)

    Notes
    -----
    ``identity - amount * laplacian()``: blur is diffusion, whose rate of change is the
    Laplacian; this goes one step back. Gonzalez and Woods, "Digital Image Processing",
    section 3.6.

    Examples
    --------
    >>> from corr import filters
    >>> filters.sharpen()
    array([[ 0., -1.,  0.],
           [-1.,  5., -1.],
           [ 0., -1.,  0.]], dtype=float32)
    """
    kernel = -_number(amount, "amount") * laplacian(dtype=np.float64)
    kernel[1, 1] += 1
    return _made(kernel + 0.0, dtype)  # -0 becomes 0


def _number(value: Any, name: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise TypeError(f"{name} must be a number, got {functional.brief(value)}") from None
    if not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {functional.brief(value)}")
    return number


def _made(kernel: np.ndarray, dtype: Any) -> np.ndarray:
    kind = np.dtype(dtype)
    if kind.kind != "f":
        raise TypeError(f"dtype must be a floating type, got {kind}")
    return np.ascontiguousarray(kernel, dtype=kind)


def _axis(axis: Any) -> int:
    if axis not in (0, 1):
        raise ValueError(f"axis must be 0 (down) or 1 (right), got {functional.brief(axis)}")
    return int(axis)


def _along(taps: np.ndarray, axis: Any, dtype: Any) -> np.ndarray:
    return _made(taps[None, :] if _axis(axis) else taps[:, None], dtype)


def _smoothed_derivative(smoothing: np.ndarray, axis: Any, dtype: Any) -> np.ndarray:
    kernel = np.outer(smoothing, _CENTRAL)
    return _made(kernel if _axis(axis) else kernel.T, dtype)
