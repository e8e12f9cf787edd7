"""Receptive fields against what gradients see."""

import numpy as np
import pytest

import corr
from corr import nn


def seen(layers, size, at):
    """The bounding slices of the input pixels that output `at` depends on."""
    x = np.ones((1, 1, *size))
    for layer in layers:
        layer.weight.data[...] = 1
        x = layer(x)
    g = np.zeros_like(x)
    g[0, 0][at] = 1
    for layer in reversed(layers):
        g = layer.backward(g)
    rows, columns = np.nonzero(g[0, 0])
    return slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)


def layer(kernel, stride=1, padding=0):
    return nn.Conv2d(1, 1, kernel, stride, padding, bias=False, dtype=np.float64)


@pytest.mark.parametrize("at", [(0, 0), (1, 2), (3, 3)])
def test_as_the_gradients_see(at):
    stack = [layer(3, 1, 1), layer((3, 2), 2, 0), layer(3, 1, "same")]
    field = corr.receptive_field(stack)
    assert field.slice(*at, (12, 11)) == seen(stack, (12, 11), at)


def test_tuples():
    field = corr.receptive_field([(7, 2, 3), (3, 2, 1), (3, 1, 1, 2)])
    assert field == corr.ReceptiveField((27, 27), (4, 4), (-9, -9))
    assert corr.receptive_field([]) == corr.ReceptiveField((1, 1), (1, 1), (0, 0))
    assert corr.receptive_field([((3, 1), (2, 1), ((1, 0), (0, 0)))]).offset == (-1, 0)


def test_larger_than_the_input():
    field = corr.receptive_field([(5, 1, 2)] * 10)
    assert field.size == (41, 41)
    assert field.slice(3, 3, (8, 8)) == (slice(0, 8), slice(0, 8))


def test_errors():
    with pytest.raises(ValueError, match="kernel must be positive"):
        corr.receptive_field([(0,)])
    with pytest.raises(ValueError, match="stride 1"):
        corr.receptive_field([(3, 2, "same")])
    with pytest.raises(ValueError, match="tuple"):
        corr.receptive_field([()])
