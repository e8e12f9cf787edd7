"""Groups of few channels: each kernel at every tail, and the engine in both layouts."""

import corr
import numpy as np
import pytest
import reference
from corr import _kernels

TABLES = [(isa, dtype) for isa in _kernels.isas() for dtype in (np.float32, np.float64)]
GAP = 40  # NaN around every image


def whole(rng, shape, dtype):
    return rng.integers(-8, 9, shape).astype(dtype)


def framed(rng, shape, axes, dtype):
    """An image within NaN, and the same within zeros."""
    pads = [(GAP, GAP) if axis in axes else (0, 0) for axis in range(len(shape))]
    image = whole(rng, shape, dtype)
    return (np.ascontiguousarray(np.pad(image, pads, constant_values=np.nan)), np.pad(image, pads))


def activate(y, activation):
    return y.clip(0, 6 if activation == 2 else None) if activation else y


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
@pytest.mark.parametrize("down", [False, True])
def test_tiles_in_planes_at_every_tail(isa, dtype, down):
    """Columns at every distance from the image's edges; vectors beside or below each other."""
    rng = np.random.default_rng(0)
    lanes, channels, kh, kw, height, count = _kernels.lanes(isa, dtype), 3, 2, 3, 24, 2
    for step, rows, vectors in _kernels.group_tiles(isa, dtype):
        for tail in range(1, lanes + 1):
            dilation, pad = 1 + tail % 2, (0, 1, kw)[tail % 3]
            columns = tail if down else (vectors - 1) * lanes + tail
            width = max(1, (columns - 1) * step + (kw - 1) * dilation + 1 - 2 * pad)
            x, zeros = framed(rng, (channels, height, width), (1, 2), dtype)
            w = whole(rng, (kh, kw, channels, rows + 1), dtype)
            bias = whole(rng, rows, dtype) if tail % 4 > 1 else None
            activation = tail % 3 if tail % 4 else 0
            below = count * (vectors if down else 1)
            y = np.full((rows, below, columns + 3), np.nan, dtype)
            wanted = y.copy()
            first = 2 if down else -1  # with a row of taps above the image
            cut = zeros[:, first + GAP :, GAP - pad :]
            wanted[:, :, :columns] = sum(
                np.einsum("chw,co->ohw", cut[:, p * dilation :, q * dilation :]
                          [:, : below * step : step, : columns * step : step], w[p, q, :, :rows])
                for p in range(kh) for q in range(kw))
            if bias is not None:
                wanted[:, :, :columns] += bias[:, None, None]
            apart = vectors if down else 1
            fields = {
                "channels": channels, "kh": kh, "kw": kw, "x_channel": x[0].size,
                "x_row": dilation * x.shape[2], "x_tap": dilation,
                "x_vector": step * (x.shape[2] if down else lanes),
                "x_next": apart * step * x.shape[2], "y_channel": y[0].size,
                "y_vector": y.shape[2] if down else lanes, "y_next": apart * y.shape[2],
                "w_width": rows + 1, "count": count, "row": first, "row_next": apart * step,
                "row_tap": dilation, "row_end": height, "columns": columns,
                "column_tap": dilation, "column_vector": 0 if down else lanes,
                "column_lo": pad, "column_hi": pad + width, "step": 0, "x_lanes": 0,
            }
            at = (first + GAP) * x.shape[2] + GAP - pad
            _kernels.group(isa, (step, rows, vectors), fields, x, at, w, y, 0, activation, bias)
            np.testing.assert_array_equal(y, activate(wanted, activation), f"{step} {rows}x{vectors} {tail}")


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
@pytest.mark.parametrize("step", [1, 2, 3])
def test_tiles_channels_last_at_every_tail(isa, dtype, step):
    rng = np.random.default_rng(1)
    lanes, kh, kw, count = _kernels.lanes(isa, dtype), 3, 2, 2
    for rows, vectors in _kernels.group_lanes_tiles(isa, dtype):
        for ic, oc in ((1, 2), (2, 1), (2, 3), (4, 4)):
            for groups in range(1, lanes // max(ic, oc) + 1):
                dilation, pad, more = 1 + groups % 2, groups % 3, 2
                width = max(1, (vectors - 1) * step + (kw - 1) * dilation + 1 - 2 * pad)
                x, zeros = framed(rng, (6, width, groups * ic + more), (0, 1), dtype)
                zeros = zeros[..., : groups * ic].reshape(*zeros.shape[:2], groups, ic)
                x[..., groups * ic :] = np.nan
                w = np.zeros((kh, kw, ic, lanes), dtype)
                w[..., : groups * oc] = whole(rng, (kh, kw, ic, groups * oc), dtype)
                grouped = w[..., : groups * oc].reshape(kh, kw, ic, groups, oc)
                index = np.zeros((ic, lanes), np.int32)
                index[:, : groups * oc] = np.arange(groups * oc) // oc * ic + np.arange(ic)[:, None]
                bias = whole(rng, groups * oc, dtype) if groups % 2 else None
                y = np.full((count * rows, vectors, groups * oc + 1), np.nan, dtype)
                wanted, first = y.copy(), -1
                cut = zeros[first + GAP :, GAP - pad :]
                wanted[..., :-1] = sum(
                    np.einsum("hwgc,cgo->hwgo", cut[p : p + len(y) * step : step, q * dilation :]
                              [:, : vectors * step : step], grouped[p, q])
                    for p in range(kh) for q in range(kw)).reshape(len(y), vectors, -1)
                if bias is not None:
                    wanted[..., :-1] += bias
                fields = {
                    "channels": ic, "kh": kh, "kw": kw, "x_channel": 0, "x_row": x[0].size,
                    "x_tap": dilation * x.shape[2], "x_vector": step * x.shape[2],
                    "x_next": rows * step * x[0].size, "y_channel": y[0].size,
                    "y_vector": y.shape[2], "y_next": rows * y[0].size, "w_width": lanes,
                    "count": count, "row": first, "row_next": rows * step, "row_tap": 1,
                    "row_end": 6, "columns": groups * oc, "column_tap": dilation,
                    "column_vector": step, "column_lo": pad, "column_hi": pad + width,
                    "step": step, "x_lanes": groups * ic,
                }
                at = ((first + GAP) * x.shape[1] + GAP - pad) * x.shape[2]
                _kernels.group(isa, (rows, vectors), fields, x, at, w, y, 0, groups % 3, bias, index)
                np.testing.assert_array_equal(y, activate(wanted, groups % 3), f"{rows}x{vectors} {ic} {oc} {groups}")


SHAPES = [
    # groups, ic, oc a group, image, kernel, stride, padding, dilation
    (4, 4, 4, (14, 56), 3, 1, 1, 1),
    (5, 4, 4, (9, 14), 3, 1, 1, 1),
    (3, 8, 8, (15, 28), 3, 1, 1, 1),
    (2, 16, 16, (14, 14), 3, 1, 1, 1),
    (7, 2, 3, (11, 16), (5, 4), (1, 2), (2, 1), 1),
    (3, 3, 5, (13, 33), 3, 2, 1, 1),
    (2, 5, 7, (17, 31), 3, 1, 2, 2),
    (3, 6, 13, (8, 15), (1, 7), 1, (0, 3), 1),
    (9, 1, 4, (7, 12), 3, 3, 2, 1),
    (4, 4, 4, (6, 60), 1, 1, 0, 1),
    (2, 4, 4, (5, 16), (4, 3), 1, 5, 1),
]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("last", [False, True])
def test_forward_is_exact(shape, dtype, last):
    groups, ic, oc, size, kernel, *args = shape
    kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
    rng = np.random.default_rng(2)
    x, w = whole(rng, (2, groups * ic, *size), dtype), whole(rng, (groups * oc, ic, *kernel), dtype)
    bias = whole(rng, groups * oc, dtype)
    wanted = reference.conv2d(x, w, bias, *args, groups)
    if last:
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(corr.conv2d(x, w, bias, *args, groups, algorithm="direct"), wanted)
    plan = corr.plan(x.shape, w, bias, *args, groups, dtype=dtype, algorithm="direct")
    np.testing.assert_array_equal(plan(x), wanted)
    wide = np.full((2, groups * ic, size[0], 2 * size[1]), np.nan, dtype)
    wide[..., ::2] = x
    np.testing.assert_array_equal(plan(wide[..., ::2]), wanted)
    with corr.num_threads(2):
        np.testing.assert_array_equal(plan(x), wanted)


@pytest.mark.parametrize("last", [False, True])
def test_infinite_weights_do_not_meet_the_padding(last):
    rng = np.random.default_rng(3)
    x, w = whole(rng, (1, 8, 9, 16), np.float32), whole(rng, (8, 4, 3, 3), np.float32)
    w[3, 1, 0, 0] = np.inf
    if last:
        x = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    y = corr.conv2d(x, w, None, 1, 1, 1, 2, algorithm="direct")
    assert np.isfinite(y[0, 3, 0]).all()
    assert np.isfinite(y[0, 3, :, 0]).all()
    assert not np.isfinite(y[0, 3, 1:, 1:]).any()
    assert np.isfinite(np.delete(y, 3, axis=1)).all()
