"""Whole numbers: every direct path must be exact, bit for bit."""

from collections import Counter

import exactness
import numpy as np
import pytest
import reference
from cases import laid_out, random_case

import corr

COUNT, CHUNKS = 400, 4
# An ISA; with three of them 40,200. tests/long/exact.py goes on for as long as one likes.
PROBLEMS, PARTS = 13400, 10


def check(got, wanted, what, case):
    assert got.shape == wanted.shape, (what, case)
    if not np.array_equal(got, wanted):
        where = tuple(np.argwhere(got != wanted)[0])
        raise AssertionError(f"{what} at {where}: {got[where]} != {wanted[where]}, {case}")


def mostly_zero(array):
    return array.size > 8 and np.count_nonzero(array) < array.size / 4


@pytest.mark.parametrize("part", range(PARTS))
def test_drawn_problems(part, record_property):
    kernels, count = Counter(), PROBLEMS // PARTS
    checked = exactness.run(count, part * 10**6, kernels)
    record_property("exact problems, four passes each, not mostly zeros", count)
    assert checked < 1.5 * count
    engines = Counter(name.partition("_")[0] for name in kernels.elements())
    for engine in ("gemm", "depthwise", "plain"):
        assert engines[engine] > count // 100, engines


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_forward_and_gradients(chunk, dtype):
    counted = 0
    for seed in range(chunk, COUNT, CHUNKS):
        case = random_case(seed)
        x, w, b, gy = case.arrays(dtype)
        x = laid_out(x, case.layout, case.rng)
        gy = laid_out(gy, case.layout, case.rng) if seed % 2 else gy
        xi, wi, bi, gi = (np.asarray(a, dtype=np.int64) for a in (x, w, b, gy))
        y = corr.conv2d(x, w, b, *case.args, algorithm="direct")
        wanted = reference.conv2d(xi, wi, bi, *case.args)
        counted += not mostly_zero(wanted)
        check(y, wanted, "output", case)
        grads = corr.conv2d_backward(gy, x, w, *case.args, algorithm="direct")
        gx = reference.conv2d_input(x.shape, wi, gi, *case.args)
        gw = reference.conv2d_weight(xi, w.shape, gi, *case.args)
        check(grads.input, gx, "input gradient", case)
        check(grads.weight, gw, "weight gradient", case)
        check(grads.bias, gi.sum((0, 2, 3)), "bias gradient", case)
        no_bias = y.astype(np.int64) - bi[:, None, None]
        inner = int((gi * no_bias).sum())
        assert inner == int((grads.input.astype(np.int64) * xi).sum()), case
        assert inner == int((grads.weight.astype(np.int64) * wi).sum()), case
        if seed % 4 == 0:
            plan = corr.plan(x.shape, w, b, *case.args, dtype=dtype, algorithm="direct")
            check(plan(x), wanted, "plan", case)
            relu = corr.conv2d(x, w, b, *case.args, activation="relu6",
                               algorithm="direct")
            check(relu, wanted.clip(0, 6), "relu6", case)
    assert counted > 0.9 * (COUNT // CHUNKS)


@pytest.mark.parametrize("layout", ["contiguous", "reversed", "gaps", "channels_last"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_strides_and_many_outputs(dtype, layout):
    """Tiles that read strided planes in place, with padding beside them; and pictures, with plans."""
    rng = np.random.default_rng(3)
    for count in range(120):
        ic, oc = int(rng.choice((1, 1, 3, 8, 30))), int(rng.integers(4, 70))
        stride = int(rng.integers(1, 6))
        kernel = [int(rng.integers(1, 2 * stride + 3)) for _ in range(2)]
        sizes = [k + int(rng.integers(0, 24 * stride)) for k in kernel]
        args = (stride, tuple(int(rng.integers(0, 4)) for _ in range(2)), 1, 1)
        x = (rng.integers(1, 4, (1, ic, *sizes)) * rng.choice((-1, 1), (1, ic, *sizes))).astype(dtype)
        w = rng.integers(-3, 4, (oc, ic, *kernel)).astype(dtype)
        bias = rng.integers(-3, 4, oc).astype(dtype) if count % 2 else None
        wanted, case = reference.conv2d(x, w, bias, *args), (x.shape, w.shape, args)
        xl = laid_out(x, layout, rng)
        check(corr.conv2d(xl, w, bias, *args, algorithm="direct"), wanted, "output", case)
        plan = corr.plan(x.shape, w, bias, *args, algorithm="direct", activation="relu")
        check(plan(xl), wanted.clip(0), "plan", case)
        last = corr.plan((None, *sizes, ic), w, bias, *args, algorithm="direct", layout="NHWC")
        check(last(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2), wanted, "plan of channels last", case)


@pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_padding_modes(mode, layout):
    for seed in range(60):
        case, dtype = random_case(seed), (np.float32, np.float64)[seed % 2]
        stride, pads, dilation, groups = case.args
        most = [n if mode == "circular" else n - 1 for n in case.input_shape[2:]]
        if mode != "replicate":
            pads = tuple(tuple(min(p, m) for p in both) for both, m in zip(pads, most, strict=True))
        padded = [n + sum(p) for n, p in zip(case.input_shape[2:], pads, strict=True)]
        if any(n < (k - 1) * d + 1
               for n, k, d in zip(padded, case.weight_shape[2:], dilation, strict=True)):
            continue
        args = (stride, pads, dilation, groups)
        x, w = case.whole(case.input_shape, dtype), case.whole(case.weight_shape, dtype)
        x = laid_out(x, layout, case.rng)
        xi, wi = x.astype(np.int64), w.astype(np.int64)
        wanted = reference.conv2d(xi, wi, None, *args, mode)
        direct = {"padding_mode": mode, "algorithm": "direct"}
        check(corr.conv2d(x, w, None, *args, **direct), wanted, mode, case)
        plan = corr.plan((None, *x.shape[1:]), w, None, *args, **direct)
        check(plan(x), wanted, mode, case)
        gy = case.whole(wanted.shape, dtype)
        grads = corr.conv2d_backward(gy, x, w, *args, **direct)
        gi = gy.astype(np.int64)
        check(grads.input, reference.conv2d_input(x.shape, wi, gi, *args, mode), mode, case)
        check(grads.weight, reference.conv2d_weight(xi, w.shape, gi, *args, mode), mode, case)


def test_batches_of_images_in_either_layout_into_out():
    for seed in range(200):
        case = random_case(seed)
        x, w, b, _ = case.arrays(np.float32)
        wanted = reference.conv2d(x.astype(np.int64), w, b, *case.args)
        nhwc = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
        y = corr.conv2d(nhwc, w, b, *case.args, layout="NHWC", algorithm="direct")
        assert y.flags.c_contiguous
        check(y.transpose(0, 3, 1, 2), wanted, "NHWC", case)
        single = corr.conv2d(x[0], w, b, *case.args, algorithm="direct")
        check(single, wanted[0], "unbatched", case)
        out = laid_out(np.full(wanted.shape, np.nan, np.float32), "gaps", case.rng)
        around = out.base.copy()
        assert corr.conv2d(x, w, b, *case.args, out=out, algorithm="direct") is out
        check(out, wanted, "out", case)
        out[...] = np.nan
        assert np.array_equal(out.base, around, equal_nan=True), f"written outside out, {case}"


def test_large_sums_cross_blocks_and_tiles():
    rng = np.random.default_rng(0)
    for ic, oc, size in ((200, 67, 9), (129, 130, 17), (512, 40, 7), (64, 100, 33)):
        x = rng.integers(-3, 4, (2, ic, size, size))
        w = rng.integers(-3, 4, (oc, ic, 3, 3))
        for dtype in (np.float32, np.float64):
            y = corr.conv2d(x.astype(dtype), w.astype(dtype), padding=1, algorithm="direct")
            np.testing.assert_array_equal(y, reference.conv2d(x, w, padding=1))
            g = corr.conv2d_backward(y * 0 + 1, x.astype(dtype), w.astype(dtype), padding=1,
                                     algorithm="direct")
            ones = np.ones(y.shape, np.int64)
            np.testing.assert_array_equal(
                g.input, reference.conv2d_input(x.shape, w, ones, padding=1))
            np.testing.assert_array_equal(
                g.weight, reference.conv2d_weight(x, w.shape, ones, padding=1))
