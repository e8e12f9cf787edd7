"""How much of the input one output sees."""

from __future__ import annotations

from typing import Any, NamedTuple

from . import _functional as functional

Pair = tuple[int, int]


class ReceptiveField(NamedTuple):
    """The receptive field of stacked layers; each member is a (height, width) pair.

    Attributes
    ----------
    size : pair of int
        Input pixels that one output pixel depends on; may exceed the input.
    stride : pair of int
        Input pixels between the fields of neighbouring outputs.
    offset : pair of int
        Where the first output's field starts; negative where it reaches into the padding.

    Examples
    --------
    >>> import corr
    >>> corr.receptive_field([(2,), (2,)]).slice(1, 1, (6, 8))
    (slice(1, 4, None), slice(1, 4, None))
    """

    size: Pair
    stride: Pair
    offset: Pair

    def slice(self, i: int, j: int, input_size: Any) -> tuple[slice, slice]:
        """The input pixels that output (i, j) sees, clipped to an input of (H, W)."""
        sizes = functional.pair(input_size, "input_size", 0)
        at = (functional.integer(i, "i", 0), functional.integer(j, "j", 0))
        result = []
        for index, size, stride, offset, limit in zip(
            at, self.size, self.stride, self.offset, sizes, strict=True
        ):
            start = offset + index * stride
            result.append(slice(min(max(start, 0), limit), min(max(start + size, 0), limit)))
        return result[0], result[1]


def receptive_field(layers: Any) -> ReceptiveField:
    """The receptive field of a stack of convolutions or poolings.

    Parameters
    ----------
    layers : iterable
        In the order of the forward pass; each a layer with `kernel_size`, `stride`,
        `padding` and `dilation`, or a tuple (kernel, stride, padding, dilation) whose
        later members may be left out (1, 0, 1).

    Returns
    -------
    ReceptiveField

    Raises
    ------
    ValueError, TypeError
        A member that is no size, or padding "same" with another stride than 1.

    Notes
    -----
    Araujo, Norris and Sim 2019, "Computing Receptive Fields of Convolutional Neural
    Networks", Distill.

    Examples
    --------
    >>> import corr
    >>> corr.receptive_field([(2,), (2,)])
    ReceptiveField(size=(3, 3), stride=(1, 1), offset=(0, 0))
    >>> corr.receptive_field([(7, 2, 3), (3, 2, 1)]).size
    (11, 11)
    """
    size, step, offset = [1, 1], [1, 1], [0, 0]
    try:
        layers = iter(layers)
    except TypeError:
        raise TypeError(f"layers must be a sequence of layers, got {layers!r}") from None
    for layer in layers:
        kernel, stride, before, dilation = _describe(layer)
        for axis in range(2):
            offset[axis] -= before[axis] * step[axis]
            size[axis] += (kernel[axis] - 1) * dilation[axis] * step[axis]
            step[axis] *= stride[axis]
    return ReceptiveField((size[0], size[1]), (step[0], step[1]), (offset[0], offset[1]))


def _describe(layer: Any) -> tuple[Pair, Pair, Pair, Pair]:
    if isinstance(layer, (tuple, list)):
        if not 1 <= len(layer) <= 4:
            raise ValueError(
                f"layers: a tuple is (kernel, stride, padding, dilation), got {layer!r}")
        kernel, stride, padding, dilation = (*layer, *(1, 0, 1)[len(layer) - 1 :])
    else:
        try:
            kernel, stride = layer.kernel_size, layer.stride
            padding, dilation = layer.padding, layer.dilation
        except AttributeError:
            raise TypeError(
                f"layers: need kernel_size, stride, padding and dilation, got {layer!r}") from None
    kernel = functional.pair(kernel, "kernel", 1)
    stride = functional.pair(stride, "stride", 1)
    dilation = functional.pair(dilation, "dilation", 1)
    return kernel, stride, _before(padding, kernel, stride, dilation), dilation


def _before(padding: Any, kernel: Pair, stride: Pair, dilation: Pair) -> Pair:
    """Pixels of padding above and to the left."""
    if not isinstance(padding, str):
        (top, _), (left, _) = functional.explicit_padding(padding)
        return top, left
    if padding == "valid":
        return 0, 0
    if padding != "same":
        raise functional.bad_padding_word(padding)
    if stride != (1, 1):
        raise ValueError('padding="same" needs stride 1')
    return (kernel[0] - 1) * dilation[0] // 2, (kernel[1] - 1) * dilation[1] // 2
