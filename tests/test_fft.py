"""Large one-channel kernels by overlap-save: the bound, what is not finite, and the bits."""

import numpy as np
import pytest
from tiles import fft_blocks

import corr

UNIT = 2.0**-24


def direct(x, w, **options):
    return corr.conv2d(x.astype(np.float64), w.astype(np.float64), **options)


@pytest.mark.parametrize("seed", range(40))
def test_error_is_bounded_by_the_largest_sum_of_its_block(seed):
    rng = np.random.default_rng(seed)
    kh, kw = (int(k) for k in rng.integers(1, 64, 2))
    h, w = kh + rng.integers(0, 300), kw + rng.integers(0, 300)
    if seed % 4 == 0:
        h, w = 700, 900
    oc, n = rng.integers(1, 4), rng.integers(1, 3)
    x = rng.standard_normal((n, 1, h, w), dtype=np.float32)
    if seed % 3 == 1:
        x[..., : w // 2] *= 1e-4
    if seed % 3 == 2:
        x = np.maximum(x, 0)
    k = rng.standard_normal((oc, 1, kh, kw), dtype=np.float32)
    bias = rng.standard_normal(oc, dtype=np.float32)
    padding = int(rng.integers(0, min(kh, kw) // 2 + 1))
    activation = (None, "relu", "relu6")[seed % 3]
    options = dict(padding=padding, activation=activation)
    plan = corr.plan(x.shape, k, bias, algorithm="fft", **options)
    error = np.abs(plan(x) - direct(x, k, bias=bias.astype(np.float64), **options))
    sums = direct(np.abs(x), np.abs(k), padding=padding)
    for image, kernel in np.ndindex(error.shape[:2]):
        for block in fft_blocks(plan, (kh, kw), error.shape[2:]):
            largest = max(sums[image, kernel][tile].max() for tile in block)
            for tile in block:
                assert (error[image, kernel][tile].max()
                        <= 16 * UNIT * largest + 4 * UNIT * abs(bias[kernel]))


@pytest.mark.parametrize("odd", [np.inf, -np.inf, np.nan])
def test_what_is_not_finite_reaches_only_the_windows_that_hold_it(odd):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((1, 1, 150, 170), dtype=np.float32)
    w = rng.standard_normal((1, 1, 25, 27), dtype=np.float32)
    x[0, 0, 70, 80] = odd
    got = corr.conv2d(x, w, padding=10, algorithm="fft")
    held = direct(~np.isfinite(x), np.ones(w.shape), padding=10) > 0
    assert (~np.isfinite(got)[held]).all() and np.isfinite(got[~held]).all()
    w[0, 0, 3, 4] = odd
    x[0, 0, 70, 80] = 1
    np.testing.assert_array_equal(
        np.isfinite(corr.conv2d(x, w, padding=10, algorithm="fft")),
        np.isfinite(corr.conv2d(x, w, padding=10, algorithm="direct")))


def test_the_same_bits_at_any_number_of_threads_and_planned_or_not():
    rng = np.random.default_rng(2)
    x = rng.standard_normal((2, 1, 300, 280), dtype=np.float32)
    w = rng.standard_normal((2, 1, 31, 31), dtype=np.float32)
    wanted = corr.conv2d(x, w, padding=15)
    plan = corr.plan(x.shape, w, padding=15)
    assert plan.algorithm == "fft"
    for threads in (1, 2, 3, 8):
        with corr.num_threads(threads):
            assert plan(x).tobytes() == wanted.tobytes()
            assert corr.conv2d(x, w, padding=15).tobytes() == wanted.tobytes()
    mirrored = np.ascontiguousarray(x[..., ::-1])[..., ::-1]
    np.testing.assert_array_equal(corr.conv2d(mirrored, w, padding=15), wanted)


def test_where_it_cannot_be():
    x, w = np.ones((1, 1, 40, 40)), np.ones((1, 1, 9, 9))
    with pytest.raises(ValueError, match="algorithm='fft'"):
        corr.conv2d(x, w, algorithm="fft")
    x, w = np.ones((1, 2, 40, 40), np.float32), np.ones((1, 2, 9, 9), np.float32)
    with pytest.raises(ValueError, match="algorithm"):
        corr.conv2d(x, w, stride=2, algorithm="fft")
    assert corr.plan((1, 1, 300, 300), np.ones((1, 1, 31, 31))).algorithm == "direct"
