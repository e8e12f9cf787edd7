"""The stencils and transforms of every table, against NumPy, into outputs full of NaN."""

import itertools

import numpy as np
import pytest

from corr import _kernels

TABLES = [(isa, dtype) for isa in _kernels.isas() for dtype in (np.float32, np.float64)]
SHARED, OWN, PAIR = range(3)


def whole(rng, shape, dtype):
    return (rng.integers(1, 5, shape) * rng.choice((-1, 1), shape)).astype(dtype)


def correlate(x, w, step, rows, columns, dilation=1):
    """Of a plane padded as needed: output (i, j) begins at x[i * step, j * step]."""
    y = np.zeros((rows, columns))
    for p in range(w.shape[0]):
        for q in range(w.shape[1]):
            y += w[p, q] * x[p : p + (rows - 1) * step + 1 : step,
                             q * dilation : q * dilation + (columns - 1) * step + 1 : step]
    return y


def activate(y, kind):
    return y if kind == 0 else y.clip(0, None) if kind == 1 else y.clip(0, 6)


def padded(planes, top, left, height, width):
    out = np.zeros((planes.shape[0], height, width))
    out[:, top : top + planes.shape[1], left : left + planes.shape[2]] = planes
    return out


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_march_every_width(isa, dtype):
    rng = np.random.default_rng(0)
    lanes = _kernels.lanes(isa, dtype)
    for table, (kind, size, step, vectors) in only(isa, dtype, "march"):
        half, together = size // 2, {SHARED: 1, OWN: vectors, PAIR: 2 * vectors}[kind]
        gap = half - (size == 7)
        last = lanes if kind != PAIR else (lanes - gap) // 2
        for tail in range(1, last + 1):
            columns = (vectors - 1) * lanes + tail if kind == SHARED else tail
            rows, planes = 1 + tail % 9, 2 * together
            wide = columns * step - (step - 1)
            x = np.full((planes, rows * step + 3, wide + 4), np.nan, dtype)
            image = x[:, 1 : 1 + rows * step, 2 : 2 + wide]
            image[...] = whole(rng, image.shape, dtype)
            w = whole(rng, (planes, size, size), dtype)
            bias = whole(rng, planes, dtype) if tail % 2 else None
            # Rows apart, or one after another: then a whole vector may run on into the next.
            after, left = (0, 0) if tail % 2 else (3, 1)
            y = np.full((planes, rows + 1, columns + after), np.nan, dtype)
            wanted = y.copy()
            around = padded(image, half, half, rows * step + 2 * size, wide + 2 * size)
            for n in range(planes):
                sums = correlate(around[n], w[n], step, rows, columns)
                wanted[n, :rows, left : left + columns] = activate(
                    sums + (0 if bias is None else bias[n]), tail % 3)
            strides = [s // x.itemsize for s in (*x.strides, *y.strides)]
            start = strides[1] + 2 - half * strides[1]
            _kernels.stencil(
                isa, table, (kind, size, step, vectors), x, start, w, 0, y, left, bias=bias,
                activation=tail % 3, kh=size, kw=size, step=step, planes=planes, rows=rows,
                columns=columns, pair=lanes - columns, row_lo=half,
                row_hi=min(half + rows * step, (rows - 1) * step + size), column_lo=0,
                column_hi=wide, x_plane=strides[0], x_row=strides[1], w_plane=size * size,
                w_row=size, w_tap=1, y_plane=strides[3], y_row=strides[4], bias_plane=1)
            np.testing.assert_array_equal(y, wanted, f"{kind} {size} {step} {vectors} {columns}")


def only(isa, dtype, *tables):
    return [found for found in _kernels.stencils(isa, dtype) if found[0] in tables]


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_lanes_every_tail(isa, dtype):
    rng = np.random.default_rng(1)
    lanes = _kernels.lanes(isa, dtype)
    for table, (kh, step, vectors) in only(isa, dtype, "lanes"):
        for channels in range(1, lanes + 1):
            kw = 3 if kh == 3 else 3 + channels % 5
            rows, height, width = 1 + channels % 4, 5 * step, vectors * step
            x = np.full((height, width, channels + 1), np.nan, dtype)
            x[..., :channels] = whole(rng, (height, width, channels), dtype)
            w = np.full((kh, kw, lanes), np.nan, dtype)
            w[..., :channels] = whole(rng, (kh, kw, channels), dtype)
            bias = whole(rng, channels, dtype)
            y = np.full((rows, vectors, channels + 2), np.nan, dtype)
            wanted = y.copy()
            around = padded(x[..., :channels].transpose(2, 0, 1), 1, 2, 40, 40)
            for c in range(channels):
                wanted[..., c] = correlate(around[c], w[..., c], step, rows, vectors) + bias[c]
            _kernels.stencil(
                isa, table, (kh, step, vectors), x, -(width + 2) * (channels + 1), w, 0, y, 0,
                bias=bias, kh=kh, kw=kw, step=step, dilation=1, rows=rows, columns=channels,
                row_lo=1, row_hi=min(1 + height, (rows - 1) * step + kh), column_lo=2,
                column_hi=2 + width, x_row=width * (channels + 1), x_tap=channels + 1,
                x_vector=step * (channels + 1), w_row=kw * lanes, w_tap=lanes,
                y_row=vectors * (channels + 2), y_vector=channels + 2)
            np.testing.assert_array_equal(y, wanted, f"{kh} {step} {vectors} {channels}")


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_blocks_every_width(isa, dtype):
    """Taps anywhere (or, reused, a row apart), outputs in rows, rows with gaps, or every other one."""
    rng = np.random.default_rng(2)
    lanes = _kernels.lanes(isa, dtype)
    for table, (rows, vectors) in only(isa, dtype, "block", "reuse"):
        for tail, (gap, step) in itertools.product(range(1, lanes + 1), [(0, 1), (3, 1), (2, 2)]):
            columns, wide = (vectors - 1) * lanes + tail, vectors * lanes
            kh, kw = rows + tail % 3 if table == "reuse" else 1 + tail % 3, 1 + tail % 4
            apart = 1 if table == "reuse" else 1 + tail % 2
            absent = min(tail % 2, kh - 1)
            x = whole(rng, ((rows - 1) * apart + kh + absent, wide + 2 * kw), dtype)
            taps = np.arange(kh)[:, None] * x.shape[1] + np.arange(kw) * 2
            if table == "block":
                taps = rng.permutation(taps.ravel())
            w = whole(rng, (kh, kw), dtype)
            bias = whole(rng, 1, dtype) if tail % 2 else None
            end = kh - absent if table == "block" else kh + rows - 1 - absent
            y = np.full((rows + 1, columns * step + gap), np.nan, dtype)
            wanted = y.copy()
            for i in range(rows):
                total = np.zeros(columns) if bias is None else np.full(columns, float(bias[0]))
                for k, at in enumerate(np.ravel(taps)):
                    if k // kw + (i if table == "reuse" else 0) < end:
                        first = i * apart * x.shape[1] + at
                        total += w.ravel()[k] * x.ravel()[first : first + columns]
                wanted[i, : columns * step : step] = activate(total, tail % 3)
            _kernels.stencil(
                isa, table, (rows, vectors), x, 0, w, 0, y, 0, bias=bias, activation=tail % 3, kh=kh,
                kw=kw, columns=columns, row_lo=0, row_hi=end, x_row=x.shape[1], x_tap=2,
                x_next=apart * x.shape[1], offsets=np.ravel(taps).astype(np.int32),
                y_row=y.shape[1], y_vector=lanes * step, y_step=step)
            np.testing.assert_array_equal(y, wanted, f"{table} {rows} {vectors} {columns} {gap} {step}")


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_blocks_of_lanes_every_tail(isa, dtype):
    rng = np.random.default_rng(7)
    lanes = _kernels.lanes(isa, dtype)
    for table, (rows, vectors) in only(isa, dtype, "block_lanes"):
        for channels in range(1, lanes + 1):
            taps, apart, absent = 3 + channels % 3, 1 + channels % 2, channels % 2
            x = whole(rng, ((rows - 1) * apart + 2, vectors + 4, lanes), dtype)
            offsets = rng.integers(0, 5, taps)
            w = whole(rng, (taps, lanes + 1), dtype)
            bias = whole(rng, channels, dtype) if channels % 3 else None
            y = np.full((rows, vectors, channels + 2), np.nan, dtype)
            wanted = y.copy()
            for i in range(rows):
                for v in range(vectors):
                    data = x[i * apart].reshape(-1, lanes)[offsets[absent:] + v]
                    total = (w[absent:, :lanes] * data).sum(0)[:channels]
                    wanted[i, v, :channels] = activate(total + (0 if bias is None else bias), channels % 3)
            _kernels.stencil(
                isa, table, (rows, vectors), x, 0, w, 0, y, 0, bias=bias, activation=channels % 3,
                kh=taps, kw=1, columns=channels, row_lo=absent, row_hi=taps, w_tap=lanes + 1,
                x_next=apart * x.shape[1] * lanes, offsets=(offsets * lanes).astype(np.int32),
                y_row=y.shape[1] * y.shape[2], y_vector=y.shape[2], y_step=1)
            np.testing.assert_array_equal(y, wanted, f"{table} {rows} {vectors} {channels}")


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_blocks_of_an_image(isa, dtype):
    rng = np.random.default_rng(8)
    lanes = _kernels.lanes(isa, dtype)
    for table, (rows, vectors) in only(isa, dtype, "block_image"):
        for strips, step, beside in itertools.product((1, 2, 5), (1, 2, 3), (0, 1, 3)):
            taps, columns = 3 + beside, strips * vectors
            x = whole(rng, (rows * step + 1, columns * step + 4, lanes + beside), dtype)
            offsets = np.array([rng.integers(0, 2) * x.shape[1] + rng.integers(0, 4) for _ in range(taps)])
            w = whole(rng, (taps, lanes + 1), dtype)
            bias = whole(rng, lanes, dtype) if beside else None
            y = np.full((rows, columns, lanes + beside), np.nan, dtype)
            wanted = y.copy()
            pixels = x.reshape(-1, x.shape[2])[:, :lanes]
            for i, j in itertools.product(range(rows), range(columns)):
                total = (w[:, :lanes] * pixels[offsets + i * step * x.shape[1] + j * step]).sum(0)
                wanted[i, j, :lanes] = activate(total + (0 if bias is None else bias), beside % 3)
            _kernels.stencil(
                isa, table, (rows, vectors), x, 0, w, 0, y, 0, bias=bias, activation=beside % 3,
                kh=taps, kw=1, columns=lanes, row_hi=taps, w_tap=lanes + 1, strips=strips,
                x_next=step * x.shape[1] * x.shape[2], x_vector=step * x.shape[2],
                offsets=(offsets * x.shape[2]).astype(np.int32),
                y_row=y.shape[1] * y.shape[2], y_vector=y.shape[2], y_step=1)
            np.testing.assert_array_equal(y, wanted, f"{rows} {vectors} {strips} {step} {beside}")


def in_blocks(w, block):
    """Weights (p, q, channel) by blocks of channels; the last one ends with the last channel."""
    columns = w.shape[2]
    return np.stack([w[..., start : start + block]
                     for start in [min(c, columns - block) for c in range(0, columns, block)]])


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_bands_at_every_tail(isa, dtype):
    """Channels from the fewest on; rows absent at both ends, and columns or taps; NaN around all."""
    rng = np.random.default_rng(9)
    lanes = _kernels.lanes(isa, dtype)
    for table, (kh, step, rows, vectors) in only(isa, dtype, "band", "slide"):
        high = (rows - 1) * step + kh
        edges = ((0, high), (-3, high + 2), (1, high), (kh - 1, high), (0, high - 1), (2, high - 2), (high, 0))
        for tail in range(2 * lanes + 1):
            columns, strips, kw = vectors * lanes + tail, 1 + tail % 3, kh if table == "slide" else 1 + tail % 4
            lo, hi = edges[tail % len(edges)]
            wide = (strips - 1) * step + kw
            of = wide if table == "slide" else kw
            left, right = ((0, of), (of // 2, of), (0, (of + 1) // 2), (of, 0), (1, of))[tail // 2 % 5]
            x = np.full((high, wide + 1, columns + 1), np.nan, dtype)
            x[max(lo, 0) : hi, :wide, :columns] = whole(rng, (high, wide, columns), dtype)[max(lo, 0) : hi]
            if table == "slide":
                x[:, :left] = x[:, max(right, left) :] = np.nan
            w = whole(rng, (kh, kw, columns), dtype)
            bias = whole(rng, columns, dtype) if tail % 2 else None
            y = np.full((rows, strips + 1, columns + 3), np.nan, dtype)
            wanted = y.copy()
            there = np.nan_to_num(x)[..., :columns]
            taps = slice(None) if table == "slide" else slice(left, right)
            for i, n in itertools.product(range(rows), range(strips)):
                window = there[i * step : i * step + kh, n * step : n * step + kw]
                total = (window * w)[:, taps].sum((0, 1))
                wanted[i, n, :columns] = activate(total + (0 if bias is None else bias), tail % 3)
            _kernels.stencil(
                isa, table, (kh, step), x, 0, in_blocks(w, vectors * lanes), 0, y, 0, bias=bias,
                activation=tail % 3, kw=kw, columns=columns, strips=strips, row_lo=lo, row_hi=hi,
                column_lo=left, column_hi=right, x_row=x.shape[1] * x.shape[2], x_tap=x.shape[2],
                x_vector=step * x.shape[2], x_ahead=tail % 2 * x.shape[2], y_row=y.shape[1] * y.shape[2],
                y_vector=y.shape[2])
            np.testing.assert_array_equal(y, wanted, f"{table} {kh} {step} {tail}")


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_bands_of_planes_at_every_edge(isa, dtype):
    """Columns at every distance from the image's edges, taps apart, rows absent at both ends, of one strip
    every number of columns stored; NaN around all."""
    rng = np.random.default_rng(10)
    lanes = _kernels.lanes(isa, dtype)
    for table, (kh, step, rows, vectors) in only(isa, dtype, "band_planes"):
        high = (rows - 1) * step + kh
        edges = ((0, high), (-3, high + 2), (1, high), (kh - 1, high), (0, high - 1), (2, high - 2), (high, 0))
        for tail in range(2 * lanes + 4):
            strips, kw = 1 + tail % 3, (kh, 1, 2)[tail % 3 if tail > lanes else 0]
            tap, width = 1 + tail // 2 % 3, vectors * lanes
            columns = strips * width
            stored = 1 + tail % width if strips == 1 else columns
            wide = columns * step + (kw - 1) * tap  # all that is loaded
            lo, hi = edges[tail % len(edges)]
            end = max(wide - tail // 2, 0)
            left, right = ((0, wide), (tail, wide), (0, end), (tail, max(tail, end)))[tail % 4]
            x = np.full((high, wide), np.nan, dtype)
            x[max(lo, 0) : hi, left:right] = whole(rng, (high, wide), dtype)[max(lo, 0) : hi, left:right]
            w = whole(rng, (kh, kw), dtype)
            bias = whole(rng, 1, dtype) if tail % 2 else None
            y = np.full((rows, columns + 3), np.nan, dtype)
            wanted = y.copy()
            there = np.nan_to_num(x)
            sums = sum(w[p, q] * there[p : p + (rows - 1) * step + 1 : step,
                                       q * tap : q * tap + (columns - 1) * step + 1 : step]
                       for p in range(kh) for q in range(kw)) + (0 if bias is None else bias)
            wanted[:, :stored] = activate(sums, tail % 3)[:, :stored]
            _kernels.stencil(
                isa, table, (kh, step, rows, vectors), x, 0, w, 0, y, 0, bias=bias, activation=tail % 3,
                kw=kw, strips=strips, row_lo=lo, row_hi=hi, column_lo=left, column_hi=right,
                x_row=x.shape[1], x_tap=tap, y_row=y.shape[1], columns=min(stored, width))
            np.testing.assert_array_equal(y, wanted, f"{kh} {step} {vectors} {tail}")


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_weight_blocks_every_width(isa, dtype):
    rng = np.random.default_rng(3)
    lanes = _kernels.lanes(isa, dtype)
    for table, index in only(isa, dtype, "weight", "weight3"):
        step, vectors = (index[2], 1) if table == "weight" else index
        taps_h, taps_w = index[:2] if table == "weight" else (3, 3)
        middle = 0 if table == "weight" else 1
        for tail in range(1, lanes + 1):
            columns, rows = (vectors - 1) * lanes + tail, 1 + tail % 5
            x = whole(rng, (rows * step + 1, columns * step), dtype)
            gy = whole(rng, (rows, columns), dtype)
            sums = np.zeros((taps_h, taps_w, lanes), dtype)
            around = padded(x[None], 1, 1, (rows - 1) * step + taps_h + 9,
                            (columns - 1) * step + taps_w + 9)[0]
            wanted = [[(gy * around[p : p + (rows - 1) * step + 1 : step,
                                    q : q + (columns - 1) * step + 1 : step]).sum()
                       for q in range(taps_w)] for p in range(taps_h)]
            _kernels.stencil(
                isa, table, index, x, middle - 1 - x.shape[1], gy, 0, sums, 0, kh=taps_h, kw=taps_w,
                step=step, dilation=1, rows=rows, columns=columns, row_lo=1,
                row_hi=min(1 + len(x), (rows - 1) * step + taps_h), column_lo=1 - middle,
                column_hi=1 - middle + x.shape[1], x_row=x.shape[1], x_tap=1, y_row=columns)
            np.testing.assert_array_equal(sums.sum(2), wanted, f"{table} {index} {columns}")
            to = np.zeros(2 * taps_h * taps_w, dtype)
            _kernels.add_lanes(isa, taps_h * taps_w, sums, to, 2)
            np.testing.assert_array_equal(to[::2], np.ravel(wanted))
            assert not sums.any()


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_weight_lanes(isa, dtype):
    rng = np.random.default_rng(5)
    lanes = _kernels.lanes(isa, dtype)
    for taps_h, taps_w in _kernels.weight_lanes_taps(isa, dtype):
        for rows, columns, step, dilation in [(0, 3, 1, 1), (1, 1, 1, 1), (3, 5, 2, 1), (4, 2, 3, 2)]:
            height = (rows - 1) * step + (taps_h - 1) * dilation + 1 if rows else 1
            apart = rows % 3 + 1
            width = (columns - 1) * step + (taps_w - 1) * apart + 1
            x = whole(rng, (height, width, lanes), dtype)
            gy = whole(rng, (rows, columns + 1, 2 * lanes), dtype)
            sums = whole(rng, (taps_h, taps_w + 2, lanes), dtype)
            wanted = sums.copy()
            for p in range(taps_h):
                for q in range(taps_w):
                    met = x[p * dilation :: step, q * apart :: step][:rows, :columns]
                    wanted[p, q] += (met * gy[:, :columns, :lanes]).sum((0, 1))
            _kernels.weight_lanes(isa, taps_h, taps_w, x, gy, sums, rows=rows, columns=columns,
                                  x_next=step * width * lanes, x_row=dilation * width * lanes,
                                  x_step=step * lanes, x_tap=apart * lanes, y_row=(columns + 1) * 2 * lanes,
                                  y_step=2 * lanes, sum_row=taps_w + 2)
            np.testing.assert_array_equal(sums, wanted, f"{taps_h}x{taps_w} {rows} {columns}")


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_up_lanes_every_width(isa, dtype):
    """Padding from none to more than the kernel, gradients' rows from none; NaN beside all columns."""
    rng = np.random.default_rng(6)
    lanes = _kernels.lanes(isa, dtype)
    for kw in _kernels.up_lanes_taps(isa, dtype):
        for width in range(7, 28):
            pad, rows = width % (kw + 1), width % 5
            columns = (width + 2 * pad - kw) // 2 + 1 - width % 2
            first, end = pad // 2, (width - 1 + pad) // 2 + 1
            if end - first < 4 or columns < 1:
                continue
            gy = np.full((max(rows, 1), columns + 1, 2 * lanes), np.nan, dtype)
            gy[:, :columns, :lanes] = whole(rng, (len(gy), columns, lanes), dtype)
            w = whole(rng, (rows, kw, lanes), dtype)
            gx = np.full((width + 2, lanes + 3), np.nan, dtype)
            wanted = gx.copy()
            wanted[1:-1, :lanes] = 0
            for u in range(pad, pad + width):
                for q in range(u % 2, kw, 2):
                    if 0 <= (u - q) // 2 < columns:
                        met = w[:, q] * gy[:rows, (u - q) // 2, :lanes]
                        wanted[1 + u - pad, :lanes] += met.sum(0)
            _kernels.up_lanes(isa, kw, gy, w, gx, gx.shape[1], first, end, columns, width, pad)
            np.testing.assert_array_equal(gx, wanted, f"{kw} {width}")


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_up_every_width(isa, dtype):
    rng = np.random.default_rng(4)
    lanes = _kernels.lanes(isa, dtype)
    for table, (size, vectors) in only(isa, dtype, "up"):
        half = size // 2
        for tail in range(1, 2 * lanes + 1):
            columns, rows, top = 2 * (vectors - 1) * lanes + tail, 1 + tail % 7, tail % 3
            out_h, out_w = (rows + top + 1) // 2, (columns + 1) // 2
            gy, w = whole(rng, (2, out_h, out_w), dtype), whole(rng, (2, size, size), dtype)
            gx = np.full((2, rows, columns + 1), np.nan, dtype)
            wanted = gx.copy()
            for n in range(2):
                whole_gx = np.zeros((2 * out_h + size, 2 * out_w + size))
                for p in range(size):
                    for q in range(size):
                        whole_gx[p : p + 2 * out_h : 2, q : q + 2 * out_w : 2] += w[n, p, q] * gy[n]
                wanted[n, :, :-1] = whole_gx[top : top + rows, half : half + columns]
            _kernels.stencil(
                isa, table, (size, vectors), gy, 0, w, 0, gx, 0, planes=2, rows=rows,
                columns=columns, row_lo=top, row_hi=out_h, column_lo=0, column_hi=out_w,
                x_plane=out_h * out_w, x_row=out_w, w_plane=size * size, w_row=size, w_tap=1,
                y_plane=rows * (columns + 1), y_row=columns + 1)
            np.testing.assert_array_equal(gx, wanted, f"{size} {vectors} {columns}")


def twiddles(n, dtype):
    w = []
    while n >= 4:
        for j in range(n // 4):
            for times in (1, 2, 3):
                root = np.exp(-2j * np.pi * times * j / n)
                w += [root.real, root.imag]
        n //= 4
    return np.array(w + [0], dtype)


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_transforms(isa, dtype):
    rng = np.random.default_rng(5)
    lanes, tolerance = _kernels.lanes(isa, dtype), 60 * np.finfo(dtype).eps
    for n in (1, 2, 4, 8, 16, 64, 128, 512):
        points = rng.standard_normal((n, 2, lanes)).astype(dtype)
        there = points.copy()
        _kernels.fft(isa, there, twiddles(n, dtype))
        spectrum = np.fft.fft(points[:, 0].astype(float) + 1j * points[:, 1].astype(float), axis=0)
        order = scrambled(n)
        scale = np.abs(spectrum).max()
        np.testing.assert_allclose(there[:, 0], spectrum[order].real, atol=tolerance * scale)
        np.testing.assert_allclose(there[:, 1], spectrum[order].imag, atol=tolerance * scale)
        _kernels.fft(isa, there, twiddles(n, dtype), inverse=True)
        np.testing.assert_allclose(there / n, points, atol=tolerance * n**0.5)


def scrambled(n):
    """Where the frequencies lie after radix-4 steps, the last one of radix 2."""
    if n == 1:
        return np.zeros(1, int)
    radix = 4 if n >= 4 else 2
    inner = scrambled(n // radix)
    return np.concatenate([radix * inner + m for m in range(radix)])


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_around_transforms(isa, dtype):
    rng = np.random.default_rng(6)
    lanes = _kernels.lanes(isa, dtype)
    src = rng.standard_normal((3, lanes, 2, lanes)).astype(dtype)
    dst = np.full_like(src, np.nan)
    _kernels.fft_turn(isa, 3, src, 2 * lanes * lanes, dst, 2 * lanes * lanes)
    np.testing.assert_array_equal(dst, src.transpose(0, 3, 2, 1))
    a, b = (whole(rng, (5, 2, lanes), dtype) for _ in range(2))
    to = np.full_like(a, np.nan)
    _kernels.fft_multiply(isa, a, b, to)
    product = (a[:, 0] + 1j * a[:, 1]) * (b[:, 0] + 1j * b[:, 1])
    np.testing.assert_array_equal(to, np.stack([product.real, product.imag], 1))
    for lo in range(lanes + 1):
        for hi in range(lo, lanes + 1):
            for step in (1, 2, 3):
                x = whole(rng, (4, 3 * lanes), dtype)
                points = np.full((4, 2, lanes), np.nan, dtype)
                _kernels.fft_load(isa, 4, lo, hi, x, 0, 3 * lanes, step, points)
                wanted = np.zeros((4, lanes))
                wanted[:, lo:hi] = x[:, ::step][:, lo:hi]
                np.testing.assert_array_equal(points[:, 0], wanted)
                assert np.isnan(points[:, 1]).all()
    for columns in range(1, lanes + 1):
        for step in (1, 2):
            points = whole(rng, (4, 2, lanes), dtype)
            y = np.full((4, 2 * lanes), np.nan, dtype)
            wanted = y.copy()
            wanted[:, : step * columns : step] = (points[:, 0, :columns] + 2).clip(0)
            bias = np.full(1, 2, dtype)
            assert _kernels.fft_store(isa, 4, columns, points, y, 0, 2 * lanes, step, 1, bias)
            np.testing.assert_array_equal(y, wanted)
            points[3, 0, columns - 1] = np.inf
            assert not _kernels.fft_store(isa, 4, columns, points, y, 0, 2 * lanes, step, 1, bias)
