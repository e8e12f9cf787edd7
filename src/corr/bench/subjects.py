"""What is timed: corr's functions, in the form that the peers take too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

import corr

from .suites import Layer

PASSES = ("forward", "input", "weight")


class Unsupported(Exception):
    """A subject that cannot do this layer, type or pass; its text says why."""


@dataclass
class Task:
    """A layer with its data: what every subject computes."""

    layer: Layer
    which: str
    dtype: np.dtype[Any]
    threads: int
    fresh: bool
    channels_last: bool
    x: np.ndarray
    w: np.ndarray
    g: np.ndarray

    @property
    def parameters(self) -> tuple[int, int, int, int]:
        layer = self.layer
        return layer.stride, layer.padding, layer.dilation, layer.groups

    def laid_out(self, array: np.ndarray) -> np.ndarray:
        """`array` in the memory layout of this run, its shape unchanged."""
        if not self.channels_last:
            return array
        return np.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


@dataclass
class Subject:
    """A way to compute the task: `call()` is timed, `read(call())` is its output as NCHW."""

    name: str
    call: Callable[[], Any]
    read: Callable[[Any], np.ndarray] = np.asarray
    algorithm: str = ""
    kernel: str = ""


def make_task(layer: Layer, which: str, dtype: str, threads: int, fresh: bool = False,
              channels_last: bool = False) -> Task:
    """Data as a network has it: rectified normal inputs, weights of 1/sqrt(K)."""
    rng = np.random.default_rng(0)
    terms = layer.ic // layer.groups * layer.kh * layer.kw

    def normal(shape: tuple[int, ...]) -> np.ndarray:
        return rng.standard_normal(shape, dtype=np.float32).astype(dtype)

    x = np.maximum(normal(layer.x_shape), 0)
    w = normal(layer.w_shape) * np.dtype(dtype).type(terms**-0.5)
    return Task(layer, which, np.dtype(dtype), threads, fresh, channels_last, x, w,
                normal(layer.y_shape))


def of_corr(task: Task) -> Iterator[Subject]:
    """corr's own functions for the task."""
    x, g, w, parameters = task.laid_out(task.x), task.laid_out(task.g), task.w, task.parameters
    layer = task.layer
    if task.which == "input":
        yield Subject("conv2d_input",
                      partial(corr.conv2d_input, layer.x_shape, w, g, *parameters))
    elif task.which == "weight":
        yield Subject("conv2d_weight",
                      partial(corr.conv2d_weight, x, layer.w_shape, g, *parameters))
    else:
        plan = corr.plan(layer.x_shape, w, None, *parameters)
        yield Subject("plan", partial(plan, x), algorithm=plan.algorithm, kernel=plan.kernel)
        yield Subject("conv2d", partial(corr.conv2d, x, w, None, *parameters))
        if layer.n == layer.ic == layer.oc == layer.stride == layer.dilation == 1:
            yield Subject("corr2d", partial(corr.corr2d, x[0, 0], w[0, 0], padding=layer.padding),
                          lambda y: y[None, None])
