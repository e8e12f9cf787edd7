"""Learning a kernel from a picture and its feature map, by corr's own passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from .. import conv2d, conv2d_weight


@dataclass
class Learned:
    """What `learn_kernel` found."""

    start: np.ndarray
    kernel: np.ndarray
    losses: list[float] = field(default_factory=list)


def _normal_step(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The quadratic's matrix times w: correlate, then the weight's gradient of that."""
    return conv2d_weight(x, w.shape, conv2d(x, w))


def largest_eigenvalue(x: np.ndarray, shape: tuple[int, ...], rng: np.random.Generator) -> float:
    """Of the squared loss' Hessian (half of it), by power iteration."""
    v = rng.standard_normal(shape).astype(x.dtype)
    value = 0.0
    for _ in range(30):
        v /= np.linalg.norm(v)
        v = _normal_step(x, v)
        value = float(np.linalg.norm(v))
    return value


def learn_kernel(
    picture: np.ndarray,
    target: np.ndarray,
    size: tuple[int, int],
    steps: int = 3000,
    seed: int = 0,
    progress: Callable[[float], None] | None = None,
) -> Learned:
    """The kernel w that makes corr2d(picture, w) the target, from a random start.

    Gradient descent with Nesterov's momentum, started anew whenever the loss rises
    (O'Donoghue and Candes 2015); the step is 1 over the largest eigenvalue. The mean of
    both pictures is removed: it says only what the taps' sum is, and makes that direction
    thousands of times steeper than the others. The taps' sum is set last, from the means.
    """
    rng = np.random.default_rng(seed)
    x = (picture - picture.mean(dtype=np.float64)).astype(np.float32)[None, None]
    y = target.astype(np.float32)[None, None]
    w = rng.uniform(-0.5, 0.5, (1, 1, *size)).astype(np.float32)
    result = Learned(start=w[0, 0].copy(), kernel=w[0, 0])
    step = np.float32(1 / (1.02 * largest_eigenvalue(x, w.shape, rng)))
    before, momentum, bias = w, 1.0, np.float32(0)
    for _ in range(steps):
        following = (1 + np.sqrt(1 + 4 * momentum**2)) / 2
        ahead = w + np.float32((momentum - 1) / following) * (w - before)
        residual = conv2d(x, ahead) - y
        bias = residual.mean(dtype=np.float64).astype(np.float32)
        residual -= bias  # what the removed mean contributes to every output
        loss = float(np.mean(np.square(residual), dtype=np.float64))
        result.losses.append(loss)
        if progress:
            progress(loss)
        before, w = w, ahead - step * conv2d_weight(x, w.shape, residual)
        momentum = following
        if len(result.losses) > 1 and loss > result.losses[-2]:
            before, momentum = w, 1.0
        if loss <= 1e-9 * result.losses[0]:
            break
    result.kernel = w[0, 0]
    return result
