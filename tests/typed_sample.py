"""Uses the API as a typed project would; test_types.py holds it against mypy --strict."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

import corr
from corr import nn, signal

Array = NDArray[np.floating[Any]]


def functions(x: NDArray[np.float32], w: NDArray[np.float32]) -> Array:
    bias = np.zeros(2, np.float32)
    y = corr.conv2d(x, w, bias, stride=(1, 1), padding="same_upper", dilation=1, groups=1,
                    padding_mode="reflect", layout="NCHW", activation="relu", algorithm="direct")
    out: Array = corr.conv2d(x, w, None, 1, ((1, 0), (0, 1)), out=None)
    gx = corr.conv2d_input(x.shape, w, y, padding="same_upper", padding_mode="reflect")
    gw = corr.conv2d_weight(x, w.shape, y, padding="same_upper", padding_mode="reflect")
    all_three = corr.conv2d_backward(out, x, w, 1, ((1, 0), (0, 1)), needs=("input", "bias"))
    assert all_three.weight is None and all_three.input is not None
    both = corr.Gradients(gx, gw, None)
    assert both.input is gx and both.bias is None
    edges: Array = corr.corr2d([[0, 1, 1, 0]], [[1, -1]], padding="valid")
    columns = corr.im2col(x, (2, 2), stride=1, padding=0, dilation=1)
    image = corr.col2im(columns, x.shape[2:], 2)
    return np.concatenate([edges.ravel(), image.ravel()])


def plans(x: NDArray[np.float32], w: NDArray[np.float32]) -> str:
    plan: corr.Plan = corr.plan((None, *x.shape[1:]), w, stride=1, dtype=np.float32,
                                activation="relu6")
    y: Array = plan(x)
    plan(x, out=y)
    numbers: tuple[int, float] = (plan.workspace_bytes, plan.flops)
    return f"{plan.algorithm} {plan.kernel} {numbers}"


def layers(x: NDArray[np.float32]) -> list[nn.Parameter]:
    layer = nn.Conv2d(x.shape[1], 2, (2, 2), padding="same", bias=True, dtype=np.float32,
                      rng=np.random.default_rng(0))
    y = layer(x)
    layer.backward(np.ones_like(y))
    for parameter in layer.parameters():
        assert parameter.grad is not None
        parameter.data[:] -= 0.1 * parameter.grad
    layer.zero_grad()
    layer.load_state_dict(layer.state_dict())
    layer.freeze().unfreeze()
    lazy = nn.LazyConv2d(2, kernel_size=3)
    lazy.forward(x)
    return lazy.parameters()


def process() -> dict[str, Any]:
    threads: int = corr.get_num_threads()
    corr.set_num_threads(threads)
    with corr.num_threads(1):
        flag: bool = corr.set_flush_denormal(False)
    corr.trim()
    assert isinstance(flag, bool)
    folder: str = corr.get_include()
    version: str = corr.__version__
    return corr.show_config("dicts") | {"include": folder, "version": version}


def fields() -> tuple[slice, slice]:
    field: corr.ReceptiveField = corr.receptive_field([(3, 2), (3,)])
    size: tuple[int, int] = field.size
    assert size == (7, 7) and field.stride == (2, 2) and field.offset == (0, 0)
    return field.slice(0, 0, (8, 8))


def pictures(picture: Array) -> Array:
    smooth: Array = signal.correlate2d(picture, np.ones((2, 2)), mode="same", boundary="symm")
    return signal.convolve2d(smooth, [[1.0, -1.0]], "valid", fillvalue=0)


def main() -> None:
    x = np.ones((1, 3, 5, 6), np.float32)
    w = np.ones((2, 3, 2, 2), np.float32)
    functions(x, w)
    plans(x, w)
    layers(x)
    process()
    fields()
    pictures(np.ones((4, 5)))


if __name__ == "__main__":
    main()
