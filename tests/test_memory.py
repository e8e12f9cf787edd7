"""Not one byte outside: arrays and the core's memory flush against inaccessible pages."""

import ctypes
import mmap

import faults
import numpy as np
import pytest
import reference

import corr
from corr import _kernels

pytestmark = pytest.mark.skipif(not _kernels.memory.guards, reason="needs mmap and mprotect")
PAGE = mmap.PAGESIZE


class Guarded:
    """An array that ends (or begins) at an inaccessible page."""

    def __init__(self, values, at="end", skip=0):
        body = -(-(values.nbytes + skip * values.itemsize) // PAGE) * PAGE
        self.map = mmap.mmap(-1, body + 2 * PAGE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.map))
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mprotect.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        for start in (address, address + PAGE + body):
            assert libc.mprotect(start, PAGE, 0) == 0
        gap = skip * values.itemsize
        offset = PAGE + (gap if at == "start" else body - values.nbytes - gap)
        self.array = np.frombuffer(self.map, values.dtype, values.size, offset).reshape(values.shape)
        self.array[...] = values


SHAPES = [
    # input, weight, stride, padding, dilation, groups
    ((1, 1, 6, 8), (1, 1, 1, 2), 1, 0, 1, 1),
    ((2, 3, 9, 11), (5, 3, 3, 3), 1, 1, 1, 1),
    ((1, 16, 17, 19), (33, 16, 3, 3), 1, 1, 1, 1),
    ((1, 8, 33, 35), (20, 8, 5, 5), 2, 2, 1, 1),
    ((1, 7, 31, 29), (9, 7, 3, 3), 3, 4, 2, 1),
    ((2, 40, 13, 13), (70, 40, 1, 1), 1, 0, 1, 1),
    ((1, 40, 15, 14), (23, 40, 1, 1), 2, 0, 1, 1),
    ((1, 40, 15, 14), (23, 40, 3, 3), 2, 1, 1, 1),
    ((2, 48, 10, 11), (33, 16, 4, 3), (3, 2), 1, 1, 3),
    ((7, 134, 1, 1), (70, 67, 1, 1), 1, 0, 1, 2),
    ((3, 5, 5, 6), (11, 5, 5, 6), 1, 0, 1, 1),
    ((2, 1100, 1, 1), (9, 1100, 1, 1), 1, 0, 1, 1),
    ((1, 24, 16, 15), (24, 1, 3, 3), 1, 1, 1, 24),
    ((1, 24, 16, 15), (48, 4, 3, 2), 2, 1, 1, 6),
    ((1, 9, 7, 7), (9, 1, 3, 3), 1, 1, 1, 9),
    ((1, 9, 14, 14), (9, 1, 5, 5), 1, 2, 1, 9),
    ((2, 5, 28, 28), (5, 1, 3, 3), 2, 1, 1, 5),
    ((1, 3, 20, 75), (3, 1, 7, 7), 1, 3, 1, 3),
    ((1, 6, 9, 15), (6, 1, 7, 7), 2, 3, 1, 6),
    ((1, 1, 40, 83), (2, 1, 5, 5), 1, 2, 1, 1),
    ((1, 2, 30, 70), (2, 1, 5, 3), 1, (2, 1), (2, 3), 2),
    ((1, 67, 9, 14), (4, 67, 3, 3), 1, 1, 1, 1),
    ((1, 3, 19, 67), (20, 3, 4, 4), 4, 0, 1, 1),
    ((1, 3, 33, 147), (40, 3, 4, 5), 4, 2, 1, 1),
    ((1, 5, 16, 61), (5, 1, 4, 1), 4, 0, 1, 5),
    ((1, 3, 33, 71), (40, 3, 8, 8), 8, 2, 1, 1),
    ((1, 5, 21, 23), (40, 5, 3, 3), 2, 1, 1, 1),
    ((1, 1, 20, 21), (17, 1, 5, 5), 1, 2, 1, 1),
    ((1, 1, 23, 30), (9, 1, 3, 3), 2, 1, 1, 1),
    ((1, 37, 9, 9), (37, 1, 7, 7), 1, 3, 1, 37),
    ((2, 20, 10, 9), (20, 1, 9, 9), 1, 4, 1, 20),
    ((1, 18, 17, 10), (18, 1, 7, 7), 2, 3, 1, 18),
    ((2, 130, 6, 7), (3, 130, 2, 3), 2, 1, (1, 2), 1),
    ((1, 3, 15, 21), (32, 3, 3, 3), 1, 1, 1, 1),
    ((1, 20, 15, 21), (3, 20, 3, 4), 1, (1, 2), 1, 1),
]


def guarded_image(values, nhwc, at, skip):
    if nhwc:
        return Guarded(values.transpose(0, 2, 3, 1), at, skip).array.transpose(0, 3, 1, 2)
    return Guarded(values, at, skip).array


@pytest.mark.parametrize("at", ["end", "start"])
@pytest.mark.parametrize("nhwc", [False, True])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_nothing_outside(shape, dtype, nhwc, at):
    xs, ws, *args = SHAPES[shape]
    rng = np.random.default_rng(shape)
    x, w = rng.integers(-3, 4, xs), rng.integers(-3, 4, ws)
    bias = rng.integers(-3, 4, ws[0])
    wanted = reference.conv2d(x, w, bias, *args)
    gy = rng.integers(-3, 4, wanted.shape)
    gx, gw = reference.conv2d_input(xs, w, gy, *args), reference.conv2d_weight(x, ws, gy, *args)
    for skip in range(4):
        ax, ag = (guarded_image(a.astype(dtype), nhwc, at, skip) for a in (x, gy))
        aw, ab = (Guarded(a.astype(dtype), at, skip).array for a in (w, bias))
        oy, ox = (guarded_image(np.full(a.shape, np.nan, dtype), nhwc, at, skip) for a in (wanted, gx))
        ow = Guarded(np.full(ws, np.nan, dtype), at, skip).array
        with _kernels.memory(at) as memory:
            corr.conv2d(ax, aw, ab, *args, out=oy, algorithm="direct")
            corr.conv2d_input(xs, aw, ag, *args, out=ox, algorithm="direct")
            corr.conv2d_weight(ax, ws, ag, *args, out=ow, algorithm="direct")
            plan = corr.plan(xs, aw, ab, *args, algorithm="direct")
            again = plan(ax, out=np.full_like(oy, np.nan))
            del plan
        assert memory.alive == 0
        for got, want in ((oy, wanted), (again, wanted), (ox, gx), (ow, gw)):
            np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("at", ["end", "start"])
@pytest.mark.parametrize("nhwc", [False, True])
@pytest.mark.parametrize("sizes", [(1, 5, 4, 9, 11), (2, 17, 33, 6, 21), (1, 40, 16, 14, 35)])
def test_winograd_touches_nothing_outside(sizes, nhwc, at):
    n, ic, oc, h, w = sizes
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((n, ic, h, w)), rng.standard_normal((oc, ic, 3, 3))
    bias = rng.standard_normal(oc)
    for padding, skip in ((0, 0), (1, 1), (((2, 0), (1, 3)), 2)):
        wanted = reference.conv2d(x, weight, bias, 1, padding)
        back = reference.conv2d_input(x.shape, weight, wanted, 1, padding)
        arrays = [x, wanted, np.full_like(wanted, np.nan), np.full_like(x, np.nan)]
        if nhwc:
            arrays = [np.ascontiguousarray(a.transpose(0, 2, 3, 1)) for a in arrays]
        guarded = [Guarded(a.astype(np.float32), at, skip) for a in (*arrays, weight, bias)]
        ax, ag, oy, ox, aw, ab = (g.array for g in guarded)
        if nhwc:
            ax, ag, oy, ox = (a.transpose(0, 3, 1, 2) for a in (ax, ag, oy, ox))
        how = {"padding": padding, "algorithm": "winograd"}
        with _kernels.memory(at) as memory:
            corr.conv2d(ax, aw, ab, out=oy, **how)
            corr.conv2d_input(x.shape, aw, ag, out=ox, **how)
            large = rng.standard_normal((oc, ic, 5, 4)).astype(np.float32)
            wide = corr.conv2d(ax, large, ab, padding=(2, 3), algorithm="winograd")
            dilated = corr.conv2d(ax, aw, ab, padding=(2, 4), dilation=2, algorithm="winograd")
            plan = corr.plan(x.shape, aw, ab, **how)
            again = plan(ax, out=np.full_like(oy, np.nan))
            del plan
            apart = reference.conv2d(x, weight, bias, 1, (2, 4), 2)
            np.testing.assert_allclose(dilated, apart, atol=1e-5 * np.abs(apart).max(), rtol=0)
            apart = reference.conv2d(x, large, bias, 1, (2, 3))
            np.testing.assert_allclose(wide, apart, atol=1e-5 * np.abs(apart).max(), rtol=0)
            del dilated, wide
        assert memory.alive == 0
        for got, want in ((oy, wanted), (again, wanted), (ox, back)):
            np.testing.assert_allclose(got, want, atol=1e-5 * np.abs(want).max(), rtol=0)


def test_columns_outside():
    x = np.random.default_rng(0).integers(-3, 4, (2, 3, 11, 13)).astype(np.float32)
    for at in ("end", "start"):
        for stride in (1, 2, 3):
            guarded = Guarded(x, at)
            with _kernels.memory(at):
                cols = corr.im2col(guarded.array, 3, stride=stride, padding=2)
                flush = Guarded(cols, at)
                corr.col2im(flush.array, (11, 13), 3, stride=stride, padding=2)
                del cols


def test_allocations_fail_one_by_one():
    x = np.ones((1, 64, 40, 40), np.float32)
    w = np.ones((64, 64, 3, 3), np.float32)
    gy = np.ones((1, 64, 40, 40), np.float32)
    calls = [
        lambda: corr.conv2d(x, w, padding=1),
        lambda: corr.conv2d(x, w, padding=1, padding_mode="circular"),
        lambda: corr.conv2d_input(x.shape, w, gy, padding=1),
        lambda: corr.conv2d_weight(x, w.shape, gy, padding=1),
        lambda: corr.plan(x.shape, w, padding=1)(x),
    ]
    for call in calls:
        for count in range(1, 30):
            try:
                with _kernels.memory(fail_at=count) as memory:
                    call()
            except MemoryError:
                assert memory.alive == 0
            else:
                break
        assert 1 < count < 29 and memory.alive == 0
    wanted = reference.conv2d(x[:, :, :5, :5], w, padding=1)
    np.testing.assert_array_equal(corr.conv2d(x[:, :, :5, :5], w, padding=1), wanted)


@pytest.mark.parametrize("part", range(4))
def test_allocations_of_drawn_problems_fail(part, record_property):
    failures = sum(faults.check(seed) for seed in range(part * 10**6, part * 10**6 + 60))
    assert failures > 100
    record_property("allocations made to fail", failures)


def test_refused_threads():
    x, w = np.ones((1, 64, 40, 40), np.float32), np.ones((64, 64, 3, 3), np.float32)
    wanted = corr.conv2d(x, w)
    _kernels.limit_started_threads(0)
    try:
        with corr.num_threads(16):
            assert np.array_equal(corr.conv2d(x, w), wanted)
    finally:
        _kernels.limit_started_threads()
