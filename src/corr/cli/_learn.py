"""Learning a kernel from a picture and its feature map, by corr's own passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .. import conv2d, conv2d_weight


@dataclass
class Learned:
    """What `learn_kernel` found: target = corr2d(picture, kernel) + offset, nearly."""

    start: np.ndarray
    kernel: np.ndarray
    offset: float = 0.0
    losses: list[float] = field(default_factory=list)


class _Fit:
    """The linear map from a kernel to the residual's part that a constant cannot explain.

    Pixels outside `known` count as 0; of the others the mean is taken away, which solves for
    the offset at each step. The picture's own mean is taken away first: it adds only to the
    offset, and would make one direction thousands of times steeper than the rest.
    """

    def __init__(self, picture: np.ndarray, known: np.ndarray, shape: tuple[int, ...]) -> None:
        self.mean = float(picture.mean(dtype=np.float64))
        self.x = (picture - np.float32(self.mean))[None, None]
        self.known = known.astype(np.float32)
        self.count = float(self.known.sum(dtype=np.float64))
        self.shape = shape

    def centred(self, y: np.ndarray) -> np.ndarray:
        y *= self.known
        y -= np.float32(y.sum(dtype=np.float64) / self.count)
        y *= self.known
        return y

    def forward(self, w: np.ndarray) -> np.ndarray:
        return self.centred(conv2d(self.x, w)[0, 0])

    def backward(self, residual: np.ndarray) -> np.ndarray:
        return conv2d_weight(self.x, self.shape, residual[None, None])


def _squared(a: np.ndarray) -> float:
    return float(np.vdot(a, a))


def learn_kernel(
    picture: np.ndarray,
    target: np.ndarray,
    size: tuple[int, int],
    *,
    known: np.ndarray | None = None,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Learned:
    """The kernel w and offset b that make corr2d(picture, w) + b the target.

    Conjugate gradients on the squared error (Hestenes and Stiefel 1952, in the form for least
    squares), from a random start: a step is one forward pass and one weight gradient. Gradient
    descent needs thousands of steps here, since neighbouring pixels are nearly alike.
    Rounding lets the residual drift from the kernel, so each round computes it anew. `known`
    marks the target's pixels that count.
    """
    if known is None:
        known = np.ones(target.shape, bool)
    fit = _Fit(np.asarray(picture, np.float32), known, (1, 1, *size))
    y = fit.centred(np.array(target, np.float32))
    w = np.random.default_rng(seed).uniform(-0.5, 0.5, fit.shape).astype(np.float32)
    result = Learned(start=w[0, 0].copy(), kernel=w[0, 0])
    enough = 1e-13 * _squared(fit.backward(y - fit.forward(w)))
    for _ in range(3):
        before = w
        w = _conjugate_gradients(fit, y, w, enough, result.losses, progress)
        if float(np.abs(w - before).max()) <= 1e-6 * float(np.abs(w).max()):
            break
    result.kernel = w[0, 0]
    rest = np.where(known, target - conv2d(fit.x, w)[0, 0], np.float32(0))
    constant = rest.sum(dtype=np.float64) / fit.count
    result.offset = float(constant - fit.mean * w.sum(dtype=np.float64))
    return result


def _conjugate_gradients(fit: _Fit, y: np.ndarray, w: np.ndarray, enough: float,
                         losses: list[float],
                         progress: Callable[[float], None] | None) -> np.ndarray:
    residual = y - fit.forward(w)
    gradient = fit.backward(residual)
    direction, steepness = gradient, _squared(gradient)
    # In exact arithmetic there are as many steps as taps; rounding takes some more.
    for _ in range(2 * w.size + 10):
        seen = fit.forward(direction)
        length = _squared(seen)
        if not length > 0 or not steepness > enough:
            break
        step = np.float32(steepness / length)
        w = w + step * direction
        residual -= step * seen
        losses.append(_squared(residual) / fit.count)
        if progress:
            progress(losses[-1])
        gradient = fit.backward(residual)
        before, steepness = steepness, _squared(gradient)
        direction = gradient + np.float32(steepness / before) * direction
    return w
