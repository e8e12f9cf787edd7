"""ONNX's convolutions for its reference evaluator, which then runs whole networks in NumPy.

``import corr`` does not import this module; it needs the package `onnx`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from onnx.reference.ops.op_conv import Conv as _Conv
from onnx.reference.ops.op_conv_transpose import ConvTranspose as _ConvTranspose

from . import _core

__all__ = ["OPS", "Conv", "ConvTranspose"]

_AUTO_PAD = {"SAME_UPPER": "same_upper", "SAME_LOWER": "same_lower", "VALID": "valid"}


def _two_axes(values: Any, axes: int, default: int) -> list[int]:
    """An attribute of one or two spatial axes as one of two."""
    values = [default] * axes if values is None else [int(value) for value in values]
    return [default] * (2 - axes) + values


def _padding(pads: Any, axes: int) -> list[tuple[int, int]]:
    """ONNX lists all that comes before, then all that comes after."""
    pads = [0] * 2 * axes if pads is None else [int(pad) for pad in pads]
    return [(0, 0)] * (2 - axes) + list(zip(pads[:axes], pads[axes:], strict=True))


def _wide(array: np.ndarray) -> np.ndarray:
    """(N, C, W) as (N, C, 1, W)."""
    return array if array.ndim == 4 else array[:, :, None]


def _is_ours(*arrays: np.ndarray) -> bool:
    return arrays[0].ndim in (3, 4) and all(a.dtype.kind == "f" for a in arrays)


class Conv(_Conv):
    """ONNX's Conv by `corr.conv2d`, over one or two axes.

    Convolutions over three axes, and of types that NumPy itself lacks, stay the evaluator's
    own.

    Notes
    -----
    ONNX operator specification, Conv.

    Examples
    --------
    >>> import numpy as np, onnx.parser, onnx.reference
    >>> from corr.onnx import Conv
    >>> model = onnx.parser.parse_model('''
    ...     <ir_version: 8, opset_import: ["": 17]>
    ...     g (float[1,1,3,3] x, float[1,1,2,2] w) => (float[1,1,2,2] y) { y = Conv(x, w) }''')
    >>> session = onnx.reference.ReferenceEvaluator(model, new_ops=[Conv])
    >>> x = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    >>> session.run(None, {"x": x, "w": x[:, :, :2, :2]})[0].tolist()
    [[[[26.0, 34.0], [50.0, 58.0]]]]
    """

    op_domain = ""

    def _run(self, X: np.ndarray, W: np.ndarray, B: np.ndarray | None = None,  # noqa: N803
             auto_pad: str | None = None, dilations: Any = None, group: int | None = None,
             kernel_shape: Any = None, pads: Any = None,
             strides: Any = None) -> tuple[np.ndarray]:
        if not _is_ours(X, W):
            return super()._run(X, W, B, auto_pad, dilations, group, kernel_shape, pads, strides)
        axes = X.ndim - 2
        if auto_pad in _AUTO_PAD:
            padding: Any = _AUTO_PAD[auto_pad]
        else:
            padding = _padding(pads, axes)
        y = _core.conv2d(_wide(X), _wide(W), B, _two_axes(strides, axes, 1), padding,
                         _two_axes(dilations, axes, 1), group or 1)
        return (y.reshape(*y.shape[:2], *y.shape[4 - axes:]).astype(X.dtype, copy=False),)


class ConvTranspose(_ConvTranspose):
    """ONNX's ConvTranspose by `corr.conv2d_input`: a convolution's gradient is its transpose.

    Over one or two axes and with explicit pads; others stay the evaluator's own.

    Notes
    -----
    ONNX operator specification, ConvTranspose.

    Examples
    --------
    >>> import numpy as np, onnx.parser, onnx.reference
    >>> from corr.onnx import ConvTranspose
    >>> model = onnx.parser.parse_model('''
    ...     <ir_version: 8, opset_import: ["": 17]>
    ...     g (float[1,1,1,2] x, float[1,1,1,2] w) => (float[1,1,1,3] y)
    ...     { y = ConvTranspose(x, w) }''')
    >>> session = onnx.reference.ReferenceEvaluator(model, new_ops=[ConvTranspose])
    >>> x = np.array([[[[1, 10]]]], dtype=np.float32)
    >>> session.run(None, {"x": x, "w": x})[0].tolist()
    [[[[1.0, 20.0, 100.0]]]]
    """

    op_domain = ""

    def _run(self, X: np.ndarray, W: np.ndarray, B: np.ndarray | None = None,  # noqa: N803
             auto_pad: str | None = None, dilations: Any = None, group: int | None = None,
             kernel_shape: Any = None, output_padding: Any = None, output_shape: Any = None,
             pads: Any = None, strides: Any = None) -> tuple[np.ndarray]:
        automatic = output_shape is not None or auto_pad not in (None, "NOTSET")
        if automatic or not _is_ours(X, W):
            return super()._run(X, W, B, auto_pad, dilations, group, kernel_shape,
                                output_padding, output_shape, pads, strides)
        axes, groups = X.ndim - 2, group or 1
        x, w, padding = _wide(X), _wide(W), _padding(pads, axes)
        stride, dilation = _two_axes(strides, axes, 1), _two_axes(dilations, axes, 1)
        extra = _two_axes(None if not output_padding else output_padding[:axes], axes, 0)
        size = [(n - 1) * s + (k - 1) * d + 1 + e - sum(p) for n, s, k, d, e, p in zip(
            x.shape[2:], stride, w.shape[2:], dilation, extra, padding, strict=True)]
        y = _core.conv2d_input((len(x), w.shape[1] * groups, *size), w, x, stride, padding,
                               dilation, groups)
        if B is not None:
            y += B[:, None, None]
        return (y.reshape(*y.shape[:2], *y.shape[4 - axes:]).astype(X.dtype, copy=False),)


OPS = [Conv, ConvTranspose]
