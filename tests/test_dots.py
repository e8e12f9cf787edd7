"""Few output channels of channels-last images: vectors along the input channels."""

import numpy as np
import pytest
import reference

import corr


def whole(rng, shape, dtype=np.float32):
    return rng.integers(-4, 5, shape).astype(dtype)


def channels_last(a):
    return np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("outputs", range(1, 13))
def test_exact(outputs, dtype):
    """Every tile's remainders; strides, dilations, paddings; rows cut into several items."""
    rng = np.random.default_rng(outputs)
    for count in range(25):
        groups, inputs = int(rng.choice((1, 1, 2))), int(rng.choice((17, 40, 64, 131, 300)))
        kernel = [int(k) for k in rng.integers(1, 6, 2)]
        stride, dilation = int(rng.integers(1, 4)), int(rng.choice((1, 1, 2, 3)))
        padding = tuple(int(p) for p in rng.integers(0, 5, 2))
        sizes = [(k - 1) * dilation + 1 + int(rng.integers(0, rng.choice((3, 20, 60)))) for k in kernel]
        args = (stride, padding, dilation, groups)
        x = whole(rng, (int(rng.integers(1, 3)), groups * inputs, *sizes), dtype)
        w = whole(rng, (groups * outputs, inputs, *kernel), dtype)
        if count % 3 == 1:
            w = w[:, :, ::-1, ::-1]
        bias = whole(rng, len(w), dtype) if count % 2 else None
        wanted = reference.conv2d(x, w, bias, *args)
        got = corr.conv2d(channels_last(x), w, bias, *args, algorithm="direct")
        np.testing.assert_array_equal(got, wanted, str((x.shape, w.shape, args)))
        into = np.full_like(np.ascontiguousarray(got), np.nan)  # planes
        corr.conv2d(channels_last(x), w, bias, *args, algorithm="direct", activation="relu6", out=into)
        np.testing.assert_array_equal(into, wanted.clip(0, 6), str((x.shape, w.shape, args)))


def is_chosen(shape, w, *args):
    """For images [n, h, w, c]."""
    return corr.plan(shape, w, None, *args, layout="NHWC", algorithm="direct").kernel.startswith("dots")


@pytest.mark.parametrize("outputs", [1, 3])
def test_chosen_for_few_outputs_of_many_channels(outputs):
    w = np.ones((outputs, 256, 3, 3), np.float32)
    assert is_chosen((1, 20, 20, 256), w, 1, 1)
    assert not is_chosen((1, 20, 20, 256), np.repeat(w, 64 // outputs, 0), 1, 1)
    assert not is_chosen((1, 20, 20, 2), np.ones((outputs, 2, 1, 1), np.float32))
    planes = corr.plan((1, 256, 20, 20), w, None, 1, 1, algorithm="direct")
    assert not planes.kernel.startswith("dots")


def test_plan_meets_other_strides():
    """Pixels with gaps between them, a plane and a plan's own layout; the bits are the same."""
    rng = np.random.default_rng(0)
    w = rng.standard_normal((5, 128, 3, 3)).astype(np.float32)
    plan = corr.plan((None, 9, 33, 128), w, None, 1, 1, layout="NHWC", algorithm="direct")
    assert plan.kernel.startswith("dots")
    x = rng.standard_normal((3, 9, 33, 128)).astype(np.float32)
    wanted = plan(x)
    wide = np.full((3, 9, 33, 131), np.nan, np.float32)
    wide[..., :128] = x
    assert plan(wide[..., :128]).tobytes() == wanted.tobytes()
    assert plan(x[:, ::-1, ::-1][:, ::-1, ::-1]).tobytes() == wanted.tobytes()
    assert plan(x[1:2]).tobytes() == wanted[1:2].tobytes()
    np.testing.assert_allclose(plan(np.asfortranarray(x)), wanted, atol=1e-3)


def test_infinite_weights_do_not_meet_the_padding():
    w = np.ones((3, 64, 3, 3), np.float32)
    w[1, 5, 0, 0] = np.inf
    y = corr.conv2d(channels_last(np.ones((1, 64, 8, 8), np.float32)), w, padding=1, algorithm="direct")
    assert np.isfinite(y[0, [0, 2]]).all() and np.isfinite(y[0, 1, 0]).all() and np.isfinite(y[0, 1, :, 0]).all()
    assert np.isposinf(y[0, 1, 1:, 1:]).all()


def test_not_a_number_stays_one_under_relu():
    x = channels_last(np.ones((1, 300, 4, 4), np.float32))
    x[0, 0, 1, 1] = np.nan
    y = corr.conv2d(x, -np.ones((2, 300, 1, 1), np.float32), activation="relu6", algorithm="direct")
    assert np.isnan(y[0, :, 1, 1]).all() and (y[0, :, 0] == 0).all()
