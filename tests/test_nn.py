"""Layers: PyTorch's behaviour on NumPy arrays."""

import copy
import math
import pickle

import numpy as np
import pytest

import corr
from corr import nn


def image(shape=(2, 3, 6, 7), dtype=np.float32, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def test_initial_weights_are_uniform_within_the_bound():
    layer = nn.Conv2d(8, 64, (3, 5), groups=2, rng=0)
    bound = math.sqrt(2 / (8 * 15))
    assert layer.weight.shape == (64, 4, 3, 5) and layer.weight.dtype == np.float32
    for parameter in layer.parameters():
        assert np.abs(parameter.data).max() <= bound
    assert np.abs(layer.weight.data).max() > 0.99 * bound
    assert abs(layer.weight.data.std() - bound / math.sqrt(3)) < 0.02 * bound


def test_rng_is_reproducible():
    one, two = nn.Conv2d(2, 3, 3, rng=7), nn.Conv2d(2, 3, 3, rng=np.random.default_rng(7))
    np.testing.assert_array_equal(one.weight.data, two.weight.data)


@pytest.mark.parametrize("options", [
    {}, {"stride": 2, "padding": 1}, {"padding": "same", "dilation": 2},
    {"padding": 1, "padding_mode": "reflect"}, {"groups": 3, "bias": False},
])
def test_backward_matches_finite_differences(options):
    layer = nn.Conv2d(3, 6, 3, dtype=np.float64, rng=1, **options)
    x = image(dtype=np.float64)
    gy = image(layer(x).shape, np.float64, 2)
    gx = layer.backward(gy)
    rng = np.random.default_rng(3)
    for array, grad in [(x, gx), *((p.data, p.grad) for p in layer.parameters())]:
        for _ in range(8):
            at = tuple(int(rng.integers(n)) for n in array.shape)
            kept, ends = array[at], []
            for step in (1e-6, -1e-6):
                array[at] = kept + step
                ends.append((layer(x) * gy).sum())
            array[at] = kept
            assert grad[at] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5, abs=1e-7)


def test_gradients_add_up_and_zero_in_place():
    layer = nn.Conv2d(3, 4, 3, rng=0)
    x = image()
    gy = np.ones_like(layer(x))
    layer.backward(gy)
    first, held = layer.weight.grad.copy(), layer.weight.grad
    layer.backward(gy)
    assert layer.weight.grad is held
    np.testing.assert_allclose(held, 2 * first, rtol=1e-6)
    layer.zero_grad()
    assert not held.any() and not layer.bias.grad.any()


def test_backward_errors():
    layer = nn.Conv2d(3, 4, 3)
    with pytest.raises(RuntimeError, match="forward"):
        layer.backward(np.ones((2, 4, 4, 5), np.float32))
    layer(image())
    with pytest.raises(ValueError, match=r"\(2, 4, 4, 5\).*\(2, 4, 4, 4\)"):
        layer.backward(np.ones((2, 4, 4, 4), np.float32))


def test_freeze():
    layer = nn.Conv2d(3, 4, 3, padding=1, rng=0)
    x = image()
    wanted, gy = layer(x), image((2, 4, 6, 7), seed=1)
    gx = layer.backward(gy)
    layer.zero_grad()
    assert layer.freeze() is layer
    for batch in (x, x[:1], x[0], x[:, :, :5]):
        np.testing.assert_allclose(layer(batch), corr.conv2d(
            batch, layer.weight.data, layer.bias.data, padding=1), rtol=1e-6)
    np.testing.assert_array_equal(layer(x), wanted)
    np.testing.assert_array_equal(layer.backward(gy), gx)
    assert not layer.weight.grad.any()
    with pytest.raises(ValueError, match="read-only"):
        layer.weight.data[:] = 0
    with pytest.raises(RuntimeError, match="frozen"):
        layer.load_state_dict(layer.state_dict())
    layer.unfreeze()
    layer.weight.data[:] = 0
    assert np.allclose(layer(x), layer.bias.data[:, None, None])


def test_state_dict():
    layer, other = nn.Conv2d(3, 4, 3, rng=0), nn.Conv2d(3, 4, 3, rng=1)
    state = layer.state_dict()
    assert list(state) == ["weight", "bias"]
    other.load_state_dict(state)
    np.testing.assert_array_equal(other(image()), layer(image()))
    with pytest.raises(ValueError, match="names"):
        other.load_state_dict({"weight": state["weight"]})
    with pytest.raises(ValueError, match=r"weight must have shape \(4, 3, 3, 3\)"):
        other.load_state_dict({**state, "weight": np.ones((4, 3, 2, 2))})


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("way", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_copies_leave_input_and_plans_behind(way, frozen):
    layer = nn.Conv2d(3, 4, 3, rng=0)
    if frozen:
        layer.freeze()
    wanted = layer(image())
    twin = way(layer)
    with pytest.raises(RuntimeError, match="forward"):
        twin.backward(np.ones_like(wanted))
    np.testing.assert_array_equal(twin(image()), wanted)
    assert twin.weight.data.flags.writeable is not frozen


def test_lazy():
    layer = nn.LazyConv2d(6, 3, groups=3, bias=False)
    assert layer.in_channels is None and layer.parameters() == []
    layer = nn.LazyConv2d(6, 3, groups=3, rng=0)
    assert layer(image()).shape == (2, 6, 4, 5)
    assert layer.weight.shape == (6, 1, 3, 3)
    loaded = nn.LazyConv2d(6, 3, groups=3)
    loaded.load_state_dict(layer.state_dict())
    np.testing.assert_array_equal(loaded(image()), layer(image()))
    with pytest.raises(ValueError, match="input must have shape"):
        nn.LazyConv2d(4, 3)(np.ones((3, 3)))


@pytest.mark.parametrize(("args", "text"), [
    ((0, 4, 3), "in_channels"), ((3, 0, 3), "out_channels"), ((3, 4, 0), "kernel_size"),
    ((3, 4, 3, 0), "stride"), ((3, 4, 3, 1, -1), "padding"), ((3, 4, 3, 1, 0, 1, 2), "groups"),
])
def test_bad_arguments(args, text):
    with pytest.raises(ValueError, match=text):
        nn.Conv2d(*args)


def test_repr_and_parameter():
    layer = nn.Conv2d(3, 4, 3, 2, 1, 2, bias=False)
    assert repr(layer) == ("Conv2d(3, 4, kernel_size=(3, 3), stride=(2, 2), padding=1, "
                           "dilation=(2, 2), bias=False)")
    parameter = nn.Parameter(np.ones(3, np.float32))
    assert np.asarray(parameter) is parameter.data
    assert np.array(parameter) is not parameter.data and parameter.shape == (3,)


def test_two_layers_see_four_and_nine():
    """Section 7.2.6: an element of z depends on 4 of Y and on 9 of X."""
    first, second = (nn.Conv2d(1, 1, 2, dtype=np.float64, rng=i) for i in range(2))
    x = image((1, 1, 6, 6), np.float64)
    z = second(first(x))
    gz = np.zeros_like(z)
    gz[0, 0, 1, 2] = 1
    gy = second.backward(gz)
    assert np.count_nonzero(gy) == 4
    gx = first.backward(gy)
    assert np.count_nonzero(gx) == 9
    field = corr.receptive_field([first, second])
    assert field.size == (3, 3)
    seen = np.zeros((6, 6), bool)
    seen[field.slice(1, 2, (6, 6))] = True
    np.testing.assert_array_equal(seen, gx[0, 0] != 0)
