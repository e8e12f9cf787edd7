"""One input channel a group: narrow and wide planes, every layout, exact."""

import numpy as np
import pytest
import reference
from cases import laid_out

import corr

LAYOUTS = ("contiguous", "channels_last", "reversed", "gaps")


def whole(rng, shape, dtype):
    return (rng.integers(1, 5, shape) * rng.choice((-1, 1), shape)).astype(dtype)


def random_layer(rng):
    """(input shape, weight shape, (stride, padding, dilation, groups))"""
    groups = int(rng.choice((1, 2, 5, 17, 37)))
    multiplier = int(rng.choice((1, 1, 2, 3)))
    kernel = [int(k) for k in rng.integers(1, 10, 2)]
    if rng.random() < 0.7:
        kernel = [int(rng.choice((3, 5, 7)))] * 2
    stride = int(rng.choice((1, 1, 2, 3)))
    dilation = int(rng.choice((1, 1, 1, 2, 3)))
    padding = tuple(int(p) for p in rng.integers(0, 5, 2))
    if rng.random() < 0.5:
        padding = tuple(k // 2 for k in kernel)
    sizes = [(k - 1) * dilation + 1 + int(rng.integers(0, rng.choice((4, 12, 34, 100))))
             for k in kernel]
    return ((int(rng.integers(1, 3)), groups, *sizes), (groups * multiplier, 1, *kernel),
            (stride, padding, dilation, groups))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_exact(layout, dtype):
    rng = np.random.default_rng(LAYOUTS.index(layout))
    for count in range(150):
        x_shape, w_shape, args = random_layer(rng)
        x, w = whole(rng, x_shape, dtype), whole(rng, w_shape, dtype)
        bias = whole(rng, w_shape[:1], dtype) if count % 2 else None
        xl, case = laid_out(x, layout, rng), (x_shape, w_shape, args)
        wanted = reference.conv2d(x, w, bias, *args)
        got = corr.conv2d(xl, w, bias, *args, algorithm="direct")
        np.testing.assert_array_equal(got, wanted, str(case))
        plan = corr.plan((None, *x_shape[1:]), w, bias, *args, dtype=dtype, algorithm="direct",
                         activation="relu6")
        np.testing.assert_array_equal(plan(xl), wanted.clip(0, 6), str(case))
        gy = whole(rng, wanted.shape, dtype)
        gyl = laid_out(gy, layout, rng)
        gw = corr.conv2d_weight(xl, w_shape, gyl, *args, algorithm="direct")
        np.testing.assert_array_equal(gw, reference.conv2d_weight(x, w_shape, gy, *args), str(case))
        gx = corr.conv2d_input(x_shape, w, gyl, *args, algorithm="direct")
        np.testing.assert_array_equal(gx, reference.conv2d_input(x_shape, w, gy, *args), str(case))


def test_wide_padding_beside_narrow_planes():
    """Outputs that see nothing but padding are their own plane's bias."""
    rng = np.random.default_rng(6)
    for width in range(1, 9):
        for size, pads in ((3, range(1, 6)), (5, range(2, 7)), (7, range(3, 8))):
            for pad in pads:
                x, w = whole(rng, (1, 14, 8, width), np.float32), whole(rng, (14, 1, size, size), np.float32)
                bias = whole(rng, 14, np.float32)
                for stride in (1, 2):
                    args = (stride, (size // 2, pad), 1, 14)
                    np.testing.assert_array_equal(
                        corr.conv2d(x, w, bias, *args, algorithm="direct"),
                        reference.conv2d(x, w, bias, *args), f"{width} {size} {pad} {stride}")


def test_pixels_far_apart():
    """Rows go in parts where a pixel, with the channels that are not looked at, is long."""
    rng = np.random.default_rng(7)
    all_channels = np.full((1, 9, 50, 2048), np.nan, np.float32)
    x = all_channels[..., 3:40].transpose(0, 3, 1, 2)
    x[:] = whole(rng, x.shape, np.float32)
    for size, stride, dilation in ((3, 1, 1), (3, 2, 1), (5, 1, 1), (5, 1, 2), (7, 1, 1), (7, 2, 1)):
        w, bias = whole(rng, (37, 1, size, size), np.float32), whole(rng, 37, np.float32)
        args = (stride, size // 2 * dilation, dilation, 37)
        np.testing.assert_array_equal(corr.conv2d(x, w, bias, *args, algorithm="direct"),
                                      reference.conv2d(x, w, bias, *args), f"{size} {stride} {dilation}")


@pytest.mark.parametrize("apart", [0, 1, 160, -7, 2**40, -(2**60)])
def test_a_column_s_stride_says_nothing(apart):
    """Channels-last images one pixel wide, from one to the next of which any distance may be."""
    rng = np.random.default_rng(8)
    pixels = whole(rng, (2, 12, 40), np.float32)
    x = np.lib.stride_tricks.as_strided(pixels, (2, 40, 12, 1), (12 * 160, 4, 160, apart))
    for size, stride, pad, dilation in ((3, 1, 1, 1), (3, 2, 1, 1), (5, 1, 2, 1), (7, 1, 3, 1), (3, 1, 2, 2),
                                        (3, 1, 40, 1), (7, 2, 30, 1)):
        w = whole(rng, (40, 1, size, size), np.float32)
        args = (stride, pad, dilation, 40)
        wanted = reference.conv2d(pixels.transpose(0, 2, 1)[..., None].copy(), w, None, *args)
        np.testing.assert_array_equal(corr.conv2d(x, w, None, *args, algorithm="direct"), wanted)


def test_planes_that_leave_lanes_empty():
    """Turned to pixels and back; from and to rows that do not follow one another, too."""
    rng = np.random.default_rng(9)
    for count, (channels, h, w) in enumerate([(16, 8, 8), (17, 9, 9), (40, 17, 18), (33, 8, 20), (16, 5, 18),
                                              (37, 10, 3), (16, 26, 19)]):
        for size, stride, dilation in ((7, 1, 1), (7, 2, 1), (9, 1, 1), (11, 1, 1), (5, 2, 2), (9, 2, 1), (8, 1, 1)):
            room = np.full((2, channels, h + 3, w + 5), np.nan, np.float32)
            x = room[:, :, 2:-1, 3:-2] if count % 2 else np.empty((2, channels, h, w), np.float32)
            x[:] = whole(rng, x.shape, np.float32)
            weight, bias = whole(rng, (channels, 1, size, size), np.float32), whole(rng, channels, np.float32)
            args = (stride, size // 2 * dilation, dilation, channels)
            wanted = reference.conv2d(x, weight, bias, *args)
            plan = corr.plan(x.shape, weight, bias, *args, algorithm="direct", activation="relu6")
            np.testing.assert_array_equal(plan(x), wanted.clip(0, 6), f"{x.shape} {size} {stride}")
            wide = np.full((*wanted.shape[:3], wanted.shape[3] + 3), 7, np.float32)
            corr.conv2d(x, weight, bias, *args, algorithm="direct", out=wide[..., 1:-2])
            np.testing.assert_array_equal(wide[..., 1:-2], wanted, f"{x.shape} {size} {stride}")
            assert (wide[..., 0] == 7).all() and (wide[..., -2:] == 7).all()


@pytest.mark.parametrize("apart", [0, 7, 2**40, -(2**60)])
def test_a_row_s_stride_says_nothing(apart):
    rng = np.random.default_rng(3)
    x, w = whole(rng, (1, 2, 1, 70), np.float32), whole(rng, (2, 1, 5, 5), np.float32)
    one = np.lib.stride_tricks.as_strided(x, x.shape, (x.strides[0], x.strides[1], apart, 4))
    args = (1, (20, 4), 2, 2)
    got = corr.conv2d(one, w, None, *args, algorithm="direct")
    np.testing.assert_array_equal(got, reference.conv2d(x, w, None, *args))


@pytest.mark.parametrize("threads", [1, 3, 8])
@pytest.mark.parametrize("kernel, dilation, size, groups", [
    ((3, 3), (2, 2), (256, 256), 3), ((3, 3), (3, 1), (31, 90), 2), ((5, 5), (2, 2), (29, 67), 1),
    ((7, 7), (3, 3), (140, 129), 2), ((3, 5), (1, 1), (50, 44), 1), ((5, 1), (4, 1), (37, 64), 3),
    ((3, 3), (9, 9), (401, 453), 1), ((7, 3), (1, 5), (23, 71), 1), ((7, 7), (6, 6), (33, 1999), 1), ((3, 3), (1, 2), (3000, 70), 1)])
def test_bands_of_taps_apart(kernel, dilation, size, groups, threads):
    """Rows of a dilation's phases, in parts of an image and on several threads."""
    rng = np.random.default_rng(groups)
    x, w = whole(rng, (1, groups, *size), np.float32), whole(rng, (groups, 1, *kernel), np.float32)
    args = (1, tuple((k - 1) * d // 2 for k, d in zip(kernel, dilation)), dilation, groups)
    with corr.num_threads(threads):
        got = corr.conv2d(x, w, None, *args, algorithm="direct")
    np.testing.assert_array_equal(got, reference.conv2d(x, w, None, *args))


@pytest.mark.parametrize("size", [7, 9])
def test_a_plan_for_planes_that_are_turned_takes_other_images(size):
    """Mirrored and channels-last, from and to: its weights are packed for planes."""
    rng = np.random.default_rng(11)
    for channels in (77, 80, 93):
        w = whole(rng, (channels, 1, size, size), np.float32)
        pixels = whole(rng, (1, 26, 19, channels), np.float32)
        plan = corr.plan((1, channels, 26, 19), w, None, 1, size // 2, 1, channels, algorithm="direct")
        for image in (pixels, pixels[:, :, ::-1], pixels[:, ::-1]):
            x = image.transpose(0, 3, 1, 2)
            wanted = reference.conv2d(x, w, None, 1, size // 2, 1, channels)
            last = np.full_like(pixels, np.nan).transpose(0, 3, 1, 2)
            for out in (np.full(x.shape, np.nan, np.float32), last):
                np.testing.assert_array_equal(plan(x, out=out), wanted, f"{channels}")


def test_slabs_of_whole_pages():
    """Kernels of any height: no slab's size makes one more row free of cost."""
    for height in range(2, 130):
        for width in (14, 6, 3):
            x, w = np.ones((1, 2, height + 12, width), np.float32), np.ones((2, 1, height, 1), np.float32)
            y = corr.conv2d(x, w, groups=2, algorithm="direct")
            np.testing.assert_array_equal(y, np.full((1, 2, 13, width), height, np.float32))


def test_gradients_add_up():
    rng = np.random.default_rng(5)
    for shape, size, stride in (((2, 5, 14, 14), 3, 1), ((1, 3, 28, 30), 5, 2), ((2, 4, 9, 40), 7, 1)):
        x = whole(rng, shape, np.float32)
        w = whole(rng, (shape[1], 1, size, size), np.float32)
        args = (stride, size // 2, 1, shape[1])
        gy = whole(rng, corr.conv2d(x, w, None, *args).shape, np.float32)
        once = corr.conv2d_backward(gy, x, w, *args, algorithm="direct")
        into = [np.full_like(g, 3) for g in once]
        into[1] = np.full((*w.shape, 2), 3, np.float32)[..., 0]
        corr.conv2d_backward(gy, x, w, *args, algorithm="direct", accumulate_into=into)
        for total, gradient in zip(into, once, strict=True):
            np.testing.assert_array_equal(total, gradient + 3)
        gy[0, 0, 0, 0] = 0
        wanted = into[1] + reference.conv2d_weight(x, w.shape, gy, *args)
        half = size // 2
        wanted[0, 0, half:, half:] += np.inf * x[0, 0, : size - half, : size - half]
        gy[0, 0, 0, 0] = np.inf
        with np.errstate(invalid="ignore"):
            corr.conv2d_backward(gy, x, w, *args, needs=("weight",), algorithm="direct",
                                 accumulate_into=(None, into[1], None))
        np.testing.assert_array_equal(into[1], wanted)


def test_absent_taps():
    """An infinite weight or pixel touches just the outputs whose window holds it."""
    rng = np.random.default_rng(1)
    for size, pad, stride, shape in ((3, 1, 1, (14, 14)), (5, 2, 1, (7, 7)), (3, 1, 2, (28, 30)),
                                     (7, 3, 1, (20, 60)), (9, 4, 1, (30, 30)), (4, 3, 1, (9, 9))):
        x = whole(rng, (2, 6, *shape), np.float32)
        w = whole(rng, (6, 1, size, size), np.float32)
        for array in (x, w):
            good = array.copy()
            array[0, 0, 0, 0] = np.inf
            args = (stride, pad, 1, 6)
            with np.errstate(invalid="ignore"):
                y = corr.conv2d(x, w, None, *args, algorithm="direct")
                touched = corr.conv2d(np.isinf(x) if array is x else np.ones_like(x),
                                      np.isinf(w) if array is w else np.ones_like(w), None,
                                      *args, algorithm="direct") != 0
            clean = np.array(array)
            clean[0, 0, 0, 0] = good[0, 0, 0, 0]
            wanted = corr.conv2d(*((clean, w) if array is x else (x, clean)), None, *args,
                                 algorithm="direct")
            np.testing.assert_array_equal(y[~touched], wanted[~touched])
            assert not np.isfinite(y[touched]).any()
            array[...] = good


def test_bits_do_not_depend_on_threads_or_batch():
    rng = np.random.default_rng(2)
    for shape, kernel, groups, padding in (
            ((3, 64, 56, 56), (3, 3), 64, 1), ((2, 40, 28, 28), (5, 5), 40, 2),
            ((1, 1, 700, 900), (5, 5), 1, 2), ((1, 1, 700, 900), (15, 15), 1, 7),
            ((3, 300, 7, 7), (3, 3), 300, 1), ((2, 2, 300, 300), (31, 31), 2, 15)):
        x = rng.standard_normal(shape, dtype=np.float32)
        w = rng.standard_normal((groups, 1, *kernel), dtype=np.float32)
        args = (1, padding, 1, groups)
        results = []
        for threads in (1, 2, 3):
            with corr.num_threads(threads):
                y = corr.conv2d(x, w, None, *args)
                results.append((y, corr.conv2d_weight(x, w.shape, y, *args),
                                corr.conv2d_input(x.shape, w, y, *args)))
        for other in results[1:]:
            for a, b in zip(results[0], other, strict=True):
                np.testing.assert_array_equal(a, b)
        np.testing.assert_array_equal(corr.conv2d(x[:1], w, None, *args), results[0][0][:1])
