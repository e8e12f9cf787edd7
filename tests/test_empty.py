"""Sizes of nothing, or of almost nothing, beside padding: sums of no terms are zeros."""

import numpy as np
import pytest

import corr

KERNELS = [(1, 1), (3, 3), (5, 5), (7, 7), (4, 4), (9, 9), (1, 5), (2, 60), (60, 2), (3, 1)]


def draw(rng):
    """(input shape as NCHW, weight shape, stride, padding, dilation, groups)"""
    groups = int(rng.choice((1, 1, 2, 8, 32, 40)))
    ic, oc = (groups * int(rng.choice(sizes)) for sizes in ((0, 1, 1, 1, 2, 4, 16), (0, 1, 1, 2, 4, 20)))
    kernel = KERNELS[rng.integers(len(KERNELS))]
    h, w = int(rng.choice((0, 1, 1, 2, 3, 16, 17))), int(rng.choice((0, 1, 1, 2, 3, 16, 33, 64)))
    padding = tuple(int(rng.choice((0, 1, 3, 20, 64))) for _ in range(2))
    args = int(rng.choice((1, 1, 2, 3, 4))), padding, int(rng.choice((1, 1, 2))), groups
    return (int(rng.choice((0, 1, 1, 2))), ic, h, w), (oc, ic // groups, *kernel), *args


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_drawn_sizes(dtype, layout):
    rng = np.random.default_rng(1)
    done = 0
    for _ in range(1000):
        shape, w_shape, stride, padding, dilation, groups = draw(rng)
        if layout == "NHWC":
            shape = tuple(shape[i] for i in (0, 2, 3, 1))
        x, w = np.ones(shape, dtype), np.ones(w_shape, dtype)
        how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "layout": layout}
        try:
            y = corr.conv2d(x, w, **how)
        except ValueError:  # a kernel larger than the padded input
            continue
        done += 1
        again = corr.plan(shape, w, **how)(x)
        gy = np.ones_like(y)
        gx, gw = corr.conv2d_input(shape, w, gy, **how), corr.conv2d_weight(x, w_shape, gy, **how)
        assert again.shape == y.shape and gx.shape == shape and gw.shape == w_shape
        if x.size == 0:
            assert not y.any() and not again.any() and not gw.any()
        if w.size == 0:
            assert not y.any() and not gx.any()
        # Of ones every sum is a count, and all passes count the same pairs.
        count = y.sum(dtype=np.float64)
        for sums in (again, gx, gw):
            np.testing.assert_allclose(sums.sum(dtype=np.float64), count, rtol=1e-5, atol=1e-3)
    assert done > 500
