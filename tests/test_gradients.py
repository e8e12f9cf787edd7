"""The gradients' own promises: the same bits at any number of threads, absent padding, sums
added in the core, bias, and no memory but for results."""

import tracemalloc

import numpy as np
import pytest
import reference
from cases import laid_out, random_case

import corr
from corr import _kernels, nn

# input, weight, stride, padding, dilation, groups: every way through the engines
PATHS = [
    ((1, 3, 70, 66), (64, 3, 3, 3), 1, 1, 1, 1),  # a stem: few weights, splits of the pixels
    ((1, 3, 61, 59), (40, 3, 7, 7), 2, 3, 1, 1),
    ((3, 40, 14, 14), (70, 40, 3, 3), 1, 1, 1, 1),  # chunks of several images
    ((5, 33, 7, 7), (65, 33, 3, 3), 1, 1, 1, 1),
    ((2, 20, 32, 32), (33, 20, 3, 3), 1, 1, 1, 1),  # planes a page apart
    ((2, 20, 64, 64), (33, 20, 3, 3), 2, 2, 2, 1),
    ((1, 70, 14, 14), (50, 70, 1, 1), 1, 0, 1, 1),
    ((2, 24, 15, 17), (40, 24, 1, 1), 2, 0, 1, 1),
    ((1, 24, 30, 33), (24, 4, 3, 3), 1, 1, 1, 6),  # dots along the pixels
    ((2, 24, 30, 33), (48, 2, 3, 2), 2, 1, 2, 12),
    ((1, 2, 9, 1500), (3, 2, 1, 5), 1, 2, 1, 1),  # rows longer than a chunk
    ((1, 17, 5, 1300), (20, 17, 3, 3), 3, 4, 2, 1),
    ((9, 5, 10, 13), (7, 5, 5, 5), 1, 1, 1, 1),  # runs that go on from row to row, of images
    ((1, 2, 1, 3001), (5, 2, 1, 7), 1, 3, 1, 1),  # chunks of one row
    ((2, 3, 40, 65), (6, 3, 3, 5), (3, 2), (4, 1), (2, 3), 1),
    ((2, 20, 9, 11), (200, 20, 1, 1), 1, 0, 1, 1),
    ((2, 200, 9, 11), (20, 200, 1, 1), (2, 1), 0, 1, 1),
    ((1, 64, 7, 7), (100, 64, 1, 1), 1, 0, 1, 1),  # factors in each other's place, sums where they belong
    ((2, 64, 9, 11), (200, 32, 1, 1), (1, 2), 0, 1, 2),
    ((2, 32, 22, 22), (200, 32, 1, 1), 4, 1, 1, 1),  # but not where the first is padding
    ((2, 32, 40, 41), (150, 32, 1, 1), 1, 0, 1, 1),
    ((3, 12, 7, 7), (128, 12, 3, 3), 1, 1, 1, 1),
    ((1, 20, 40, 41), (150, 20, 3, 3), 1, 1, 1, 1),  # several panels on a chunk
    ((3, 32, 30, 29), (32, 4, 3, 3), 1, 1, 1, 8),  # channels-last in groups: by way of planes
    ((2, 21, 15, 16), (21, 1, 3, 3), 2, 1, 1, 21),  # channels-last: all phases of a row at once
    ((1, 37, 19, 13), (37, 1, 4, 5), 2, (3, 4), 1, 37),
    ((2, 16, 12, 31), (16, 1, 7, 7), 2, (0, 2), 1, 16),
    ((1, 16, 30, 29), (16, 1, 11, 15), 2, (5, 6), 1, 16),
    ((1, 32, 20, 21), (32, 1, 2, 2), 2, 0, 1, 32),
    ((2, 24, 15, 18), (32, 24, 3, 3), 2, 1, 1, 1),  # phases of columns laced
    ((1, 30, 40, 41), (45, 30, 5, 5), 2, 2, 1, 1),  # their weights packed together
    ((2, 40, 15, 18), (33, 40, 3, 3), 2, 1, 1, 1),  # all phases of an image at once
    ((2, 48, 13, 12), (40, 12, 3, 4), (2, 3), (1, 2), 1, 4),
    ((3, 36, 10, 11), (130, 36, 3, 3), 2, 1, 1, 1),  # in several chains
    ((2, 34, 17, 16), (20, 34, 3, 3), 2, 2, 3, 1),
    ((1, 70, 1, 9), (21, 70, 1, 3), 2, (0, 1), 1, 1),
    ((1, 70, 1, 1), (37, 70, 1, 1), 1, 0, 1, 1),  # fully connected
    ((30, 140, 1, 1), (46, 70, 1, 1), 2, 0, 3, 2),
    ((9, 6, 5, 7), (100, 6, 5, 7), 1, 0, 1, 1),
    ((2, 1300, 1, 1), (70, 1300, 1, 1), 1, 0, 1, 1),  # several chains
    ((130, 66, 1, 1), (129, 66, 1, 1), 1, 0, 1, 1),
    ((1, 24, 9, 11), (130, 24, 3, 3), 2, 1, 1, 1),  # by way of the columns
    ((1, 12, 7, 6), (160, 6, 3, 2), (2, 1), 1, 1, 2),
    ((3, 3, 31, 33), (32, 3, 3, 3), 1, 1, 1, 1),  # channels-last: along rows of taps, columns at the edge apart
    ((2, 2, 20, 37), (16, 2, 5, 7), 2, (3, 6), 1, 1),
    ((2, 1, 20, 17), (32, 1, 3, 9), (1, 2), (1, 5), (1, 3), 1),
    ((1, 4, 45, 44), (19, 4, 3, 4), 1, (0, 3), (2, 1), 1),
    ((1, 3, 6, 700), (16, 3, 3, 3), 1, 1, 1, 1),
    ((1, 32, 40, 40), (9, 32, 3, 3), 1, 1, 1, 1),  # factors in each other's place, kernels flipped
    ((2, 33, 20, 21), (3, 33, 5, 1), 1, (2, 0), (2, 1), 1),
    ((2, 24, 15, 40), (2, 24, 4, 3), 1, (0, 2), 1, 1),
    ((2, 37, 7, 7), (37, 1, 5, 5), 1, 2, 1, 37),  # a channel a lane, narrow planes turned whole
    ((3, 20, 14, 13), (40, 1, 9, 8), 2, 4, 1, 20),
    ((2, 18, 40, 150), (18, 1, 3, 3), 1, 1, 1, 18),  # bands of rows, if channels-last
    ((1, 16, 30, 90), (16, 1, 4, 7), (3, 1), (2, 5), (1, 2), 16),
]


def data(path, dtype, layout="contiguous", values="whole"):
    xs, ws, *args = PATHS[path]
    rng = np.random.default_rng(path)
    shapes = (xs, ws, reference.conv2d(np.zeros(xs, int), np.zeros(ws, int), None, *args).shape)
    if values == "whole":
        arrays = [rng.integers(-3, 4, s).astype(dtype) for s in shapes]
    else:
        arrays = [rng.standard_normal(s).astype(dtype) for s in shapes]
    x, w, gy = arrays
    return laid_out(x, layout, rng), w, laid_out(gy, layout, rng), args


@pytest.mark.parametrize("layout", ["contiguous", "channels_last", "gaps", "transposed"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("path", range(len(PATHS)))
def test_exact_and_added(path, dtype, layout):
    x, w, gy, args = data(path, dtype, layout)
    gx = reference.conv2d_input(x.shape, w, gy, *args)
    gw = reference.conv2d_weight(x, w.shape, gy, *args)
    got = corr.conv2d_backward(gy, x, w, *args, algorithm="direct")
    np.testing.assert_array_equal(got.input, gx)
    np.testing.assert_array_equal(got.weight, gw)
    np.testing.assert_array_equal(got.bias, gy.sum((0, 2, 3)))
    into = corr.conv2d_backward(gy, x, w, *args, algorithm="direct")
    again = corr.conv2d_backward(gy, x, w, *args, algorithm="direct", accumulate_into=into)
    for name, first, second in zip(into._fields, into, again, strict=True):
        assert first is second, name
    np.testing.assert_array_equal(again.input, 2 * gx)
    np.testing.assert_array_equal(again.weight, 2 * gw)
    np.testing.assert_array_equal(again.bias, 2 * gy.sum((0, 2, 3)))
    hwio = np.full([w.shape[i] for i in (2, 3, 1, 0)], np.nan, dtype).transpose(3, 2, 0, 1)
    corr.conv2d_weight(x, w.shape, gy, *args, algorithm="direct", out=hwio)
    np.testing.assert_array_equal(hwio, gw)


@pytest.mark.parametrize("path", range(len(PATHS)))
def test_the_same_bits_at_any_number_of_threads(path):
    x, w, gy, args = data(path, np.float32, values="normal")
    wanted = None
    for threads in (1, 2, 3, 4, 5, 6, 7, 8, 8):
        with corr.num_threads(threads):
            got = corr.conv2d_backward(gy, x, w, *args)
        wanted = wanted or got
        for a, b in zip(got, wanted, strict=True):
            assert a.tobytes() == b.tobytes(), threads


@pytest.mark.parametrize("path", range(len(PATHS)))
def test_error_bound(path):
    x, w, gy, args = data(path, np.float32, values="normal")
    exact = [a.astype(np.float64) for a in (x, gy)]
    wanted = reference.conv2d_weight(exact[0], w.shape, exact[1], *args)
    size = reference.conv2d_weight(abs(exact[0]), w.shape, abs(exact[1]), *args)
    terms = gy.shape[0] * gy.shape[2] * gy.shape[3]
    bound = terms * 2.0**-24 / (1 - terms * 2.0**-24) * size
    assert (abs(corr.conv2d_weight(x, w.shape, gy, *args, algorithm="direct") - wanted) <= bound).all()
    bias, sums = corr.conv2d_backward(gy, x, w, *args, needs="bias").bias, exact[1].sum((0, 2, 3))
    assert (abs(bias - sums) <= terms * 2.0**-24 * abs(exact[1]).sum((0, 2, 3))).all()


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("path", range(len(PATHS)))
def test_padding_is_absent(path, value):
    """A gradient that is not finite reaches the taps that meet a pixel, and no other."""
    x, w, gy, args = data(path, np.float32)
    for where in ((0, 0), (-1, -1), (gy.shape[2] // 2, 0)):
        bad = gy.copy()
        bad[0, 1, where[0], where[1]] = value
        met = np.where(np.isfinite(bad), 0, 1)
        reached = reference.conv2d_weight(np.ones(x.shape, int), w.shape, met, *args) > 0
        got = corr.conv2d_weight(np.where(x == 0, 1, x), w.shape, bad, *args)
        np.testing.assert_array_equal(~np.isfinite(got), reached)
        wanted = reference.conv2d_weight(np.where(x == 0, 1, x), w.shape, gy, *args)
        np.testing.assert_array_equal(got[~reached], wanted[~reached])


def test_accumulating_in_other_types_layouts_and_modes():
    for seed in range(60):
        case = random_case(seed)
        x, w, _, gy = case.arrays(np.float32)
        once = corr.conv2d_backward(gy, x, w, *case.args, algorithm="direct")
        half = [a.astype(np.float16) for a in (gy, x, w)]
        into = [np.ones(a.shape, np.float16) for a in once]
        corr.conv2d_backward(*half, *case.args, algorithm="direct", accumulate_into=into)
        for got, wanted in zip(into, once, strict=True):
            np.testing.assert_array_equal(got, (wanted.astype(np.float16) + np.float16(1)))
        nhwc = [np.ascontiguousarray(a.transpose(0, 2, 3, 1)) for a in (gy, x)]
        into = (np.ones(nhwc[1].shape, np.float32), None, np.ones(w.shape[0] * 2, np.float32)[::2])
        got = corr.conv2d_backward(*nhwc, w, *case.args, layout="NHWC",
                                   algorithm="direct", accumulate_into=into)
        np.testing.assert_array_equal(got.input.transpose(0, 3, 1, 2), once.input + 1)
        np.testing.assert_array_equal(got.bias, once.bias + 1)


def test_layers_allocate_nothing_but_results_from_the_second_step_on():
    layer = nn.Conv2d(8, 16, 3, padding=1, rng=0)
    x = np.ones((2, 8, 40, 40), np.float32)
    gy = np.ones_like(layer(x))
    layer.backward(gy)
    kept = layer.weight.grad, layer.bias.grad
    with _kernels.memory() as memory:
        layer(x)
        gx = layer.backward(gy)  # alive, and all else of the core is given back
        assert memory.live() == 1
        del gx
    assert layer.weight.grad is kept[0] and layer.bias.grad is kept[1]
    layer(x)
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        layer.backward(gy)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    assert peak < 8192  # Python's small objects: no array passes through NumPy's allocator


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("isa", _kernels.isas())
def test_sum_kernel_at_every_length(isa, dtype):
    rng = np.random.default_rng(0)
    lanes = _kernels.lanes(isa, dtype)
    for n in (*range(6 * lanes), 1000, 40000):
        for step in (1, 2, -3):
            line = rng.integers(-8, 9, 3 * max(n, 1)).astype(dtype)
            start = len(line) - 1 if step < 0 else 0
            wanted = line[start + np.arange(n) * step].sum(dtype=np.float64)
            assert _kernels.sum_(isa, line, start, step, n) == wanted


def test_an_empty_batch_adds_nothing():
    """And without sums to add to, it gives zeros."""
    x, w, gy = (np.ones(shape, np.float32) for shape in ((0, 3, 8, 8), (4, 3, 3, 3), (0, 4, 6, 6)))
    new = corr.conv2d_backward(gy, x, w)
    assert not new.weight.any() and not new.bias.any()
    into = corr.Gradients(np.ones_like(x), np.full_like(w, 3), np.full(4, 5, np.float32))
    got = corr.conv2d_backward(gy, x, w, accumulate_into=into)
    assert (got.weight == 3).all() and (got.bias == 5).all()


def test_columns_of_many_images():
    """By way of columns some images at a time: each like the same image alone."""
    rng = np.random.default_rng(12)
    w = rng.integers(-3, 4, (16, 1, 3, 3)).astype(np.float32)
    gy = rng.integers(-3, 4, (6, 16, 222, 222)).astype(np.float32)
    for step in (1, -1):
        gx = corr.conv2d_input((6, 1, 224, 224), w, gy[::step])
        for got, image in zip(gx, gy[::step], strict=True):
            np.testing.assert_array_equal(got, corr.conv2d_input((1, 1, 224, 224), w, image[None])[0])
    np.testing.assert_array_equal(gx[5], reference.conv2d_input((1, 1, 224, 224), w, gy[:1])[0])


@pytest.mark.parametrize("gap", [0, 3])
def test_groups_of_many_channels_last_images(gap):
    """Turned to planes some images at a time."""
    rng = np.random.default_rng(13)
    x = rng.integers(-3, 4, (3, 120, 130 + gap, 96)).astype(np.float32)[:, :, :130]
    gy = rng.integers(-3, 4, (3, 120, 130 + gap, 96)).astype(np.float32)[:, :, :130]
    planes, gy_planes = (np.ascontiguousarray(a.transpose(0, 3, 1, 2)) for a in (x, gy))
    wanted = corr.conv2d_weight(planes, (96, 4, 3, 3), gy_planes, padding=1, groups=24)
    got = corr.conv2d_weight(x, (96, 4, 3, 3), gy, padding=1, groups=24, layout="NHWC")
    np.testing.assert_array_equal(got, wanted)
