"""Every kernel of every table at every tail, against NumPy, into outputs full of NaN."""

import itertools

import numpy as np
import pytest

from corr import _kernels

TABLES = [(isa, dtype) for isa in _kernels.isas() for dtype in (np.float32, np.float64)]
DEPTHS = (1, 2, 5)


def whole(rng, shape, dtype):
    return rng.integers(-8, 9, shape).astype(dtype)


def scattered(rng, rows):
    """The rows in another order, one element apart, and where each begins."""
    order = rng.permutation(len(rows))
    width = rows.shape[1] + 1
    there = np.full((len(rows), width), np.nan, rows.dtype)
    there[order, :-1] = rows
    return there, (order * width).astype(np.int32)


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
@pytest.mark.parametrize("accumulate", [0, 1])
@pytest.mark.parametrize("form", ["packed", "lines", "taps", "points"])
def test_gemm_tiles_at_every_tail(isa, dtype, accumulate, form):
    rng = np.random.default_rng(0)
    lanes, tiles = _kernels.lanes(isa, dtype), _kernels.tiles(isa, dtype, form)
    assert bool(tiles) == (form != "lines" or dtype == np.float32)
    for rows, vectors in tiles:
        for tail in range(1, lanes + 1):
            columns = (vectors - 1) * lanes + tail
            depth = DEPTHS[tail % len(DEPTHS)]
            ldb, ldc = vectors * lanes + tail % 3, columns + 1 + tail % 5
            a = whole(rng, (depth, rows), dtype)
            b = np.full((depth, ldb), np.nan, dtype)
            b[:, :columns] = whole(rng, (depth, columns), dtype)
            bias = whole(rng, rows, dtype) if tail % 2 else None
            c = np.full((rows, ldc), np.nan, dtype)
            if accumulate:
                c[:, :columns] = whole(rng, (rows, columns), dtype)
            wanted = c.copy()
            product = a.T @ b[:, :columns]
            offsets = None
            if form == "lines":
                a_lines = np.full((rows, _kernels.line), np.nan, dtype)
                a_lines[:, :depth] = a.T
                a = a_lines
            elif form == "taps":
                b, offsets = scattered(rng, b)
            elif form == "points":
                a, offsets = scattered(rng, np.stack((a, a * np.nan), 2).reshape(depth, -1))
            wanted[:, :columns] = product + (c[:, :columns] if accumulate else 0)
            if bias is not None:
                wanted[:, :columns] += bias[:, None]
            column_bias = whole(rng, columns, dtype) if tail % 4 > 1 else None
            if column_bias is not None:
                wanted[:, :columns] += column_bias
            activation = tail % 3
            if activation:
                wanted[:, :columns] = wanted[:, :columns].clip(0, 6 if activation == 2 else None)
            _kernels.gemm(isa, form, rows, vectors, depth, a, b, ldb, c, 0, ldc, columns, accumulate,
                          activation, bias, column_bias, offsets)
            np.testing.assert_array_equal(c, wanted, f"{rows}x{vectors} columns {columns}")


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
@pytest.mark.parametrize("step", [1, 2, 3, 4, -1])
def test_pack_rows_every_range(isa, dtype, step):
    rng = np.random.default_rng(6)
    lanes, channels, count, middle = _kernels.lanes(isa, dtype), 2, 4, 8 * 64
    x = whole(rng, (channels, count, 16 * 64), dtype)
    for width in (*range(1, lanes + 2), 2 * lanes - 1, 2 * lanes, 3 * lanes + 1):
        for lo in {0, 1, lanes // 2, lanes - 1, lanes, lanes + 1, width}:
            for hi in {lo, lo + 1, width - lanes, width - 1, width}:
                if not 0 <= lo <= hi <= width:
                    continue
                first = (lo + hi) % 3
                end = first + (width + lo) % (count + 1 - first)
                pitch = width + hi % 2
                size = count * pitch + lanes
                dst = np.full((channels, size), np.nan, dtype)
                rows = (count, first, end, width, lo, hi, pitch, x.shape[2], step)
                _kernels.pack_rows(isa, rows, x, middle, x[0].size, channels, dst, size)
                wanted = np.zeros((channels, count, width), dtype)
                for j in range(lo, hi):
                    wanted[:, first:end, j] = x[:, first:end, middle + j * step]
                got = dst[:, : count * pitch].reshape(channels, count, pitch)[:, :, :width]
                np.testing.assert_array_equal(got, wanted, f"{rows}")


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_gather_every_width(isa, dtype):
    rng = np.random.default_rng(8)
    lanes, k, apart = _kernels.lanes(isa, dtype), 5, 67
    for n in range(1, max(4 * lanes, 14) + 1):  # pixels of a tile: its vectors, or its rows
        for pitch in (n, n + 3):
            x = np.full(3 + (k - 1) * apart + n, np.nan, dtype)
            rows = np.lib.stride_tricks.as_strided(x[3:], (k, n), (apart * x.itemsize, x.itemsize))
            rows[...] = whole(rng, (k, n), dtype)
            turned = rng.permutation(k).astype(np.int32)
            dst = np.full(k * pitch + lanes, np.nan, dtype)
            _kernels.gather(isa, n, x, 3, turned * apart, dst, pitch)
            got = dst[: k * pitch].reshape(k, pitch)[:, :n]
            np.testing.assert_array_equal(got, rows[turned], f"{n} {pitch}")


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_transpose_every_tail(isa, dtype):
    rng = np.random.default_rng(5)
    lanes = _kernels.lanes(isa, dtype)
    for rows in range(1, 2 * lanes + 2):
        for columns in (*range(1, lanes + 2), 2 * lanes + 1):
            src = whole(rng, (rows, columns + rows % 3), dtype)
            bias = whole(rng, columns, dtype) if rows % 2 else None
            dst = np.full((columns, rows + 2), np.nan, dtype)
            wanted = dst.copy()
            wanted[:, 1 : rows + 1] = src[:, :columns].T + (0 if bias is None else bias[:, None])
            activation = columns % 3
            if activation:
                wanted = wanted.clip(0, 6 if activation == 2 else None)
            _kernels.transpose(isa, rows, columns, src, src.shape[1], dst, 1, rows + 2,
                               activation, bias)
            np.testing.assert_array_equal(dst, wanted)
            if not activation:
                wanted[:, 1 : rows + 1] += src[:, :columns].T
            else:
                continue
            if bias is not None:
                wanted[:, 1 : rows + 1] += bias[:, None]
            _kernels.transpose(isa, rows, columns, src, src.shape[1], dst, 1, rows + 2,
                               activation, bias, 1)
            np.testing.assert_array_equal(dst, wanted)


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
@pytest.mark.parametrize("kernel", [(1, 1), (3, 2), (1, 3), (5, 1)])
def test_pack_weights(isa, dtype, kernel):
    rng = np.random.default_rng(2)
    lanes, (kh, kw) = _kernels.lanes(isa, dtype), kernel
    channels = lanes // 2 + 3
    plain = whole(rng, (2 * lanes + 1, channels, kh, kw), dtype)
    orders = ((0, 1, 2, 3), (2, 3, 1, 0), (1, 0, 2, 3))  # as torch, HWIO, transposed
    for order, flipped in itertools.product(orders, (False, True)):
        w = np.ascontiguousarray(plain.transpose(order)).transpose(np.argsort(order))
        if flipped:
            w = w[:, :, ::-1, ::-1]
        strides = [s // w.itemsize for s in w.strides]
        first = -(kh - 1) * strides[2] - (kw - 1) * strides[3] if flipped else 0
        for rows in range(1, 2 * lanes + 2):
            for width in (rows, -(-rows // lanes) * lanes):
                dst = np.full((kh * kw * channels * width + 1), np.nan, dtype)
                base = w[:, :, ::-1, ::-1] if flipped else w
                assert _kernels.pack_weights(isa, base, first, rows, width, channels, kh, kw,
                                             *strides, dst)
                wanted = np.zeros((kh * kw * channels, width), dtype)
                wanted[:, :rows] = w[:rows].transpose(2, 3, 1, 0).reshape(-1, rows)
                np.testing.assert_array_equal(dst[:-1].reshape(wanted.shape), wanted)
                assert np.isnan(dst[-1])
        for odd in (np.inf, -np.inf, np.nan):
            bad = w.copy(order="K")
            bad[rows - 1, channels - 1, kh - 1, kw - 1] = odd
            bad_strides = [s // w.itemsize for s in bad.strides]
            assert not _kernels.pack_weights(isa, bad, 0, rows, rows, channels, kh, kw,
                                             *bad_strides, dst)


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
@pytest.mark.parametrize("kernel", [(3, 3), (1, 2), (3, 1), (2, 2), (4, 5), (7, 9)])
def test_pack_weights_as_the_input_gradient_reads_them(isa, dtype, kernel):
    rng = np.random.default_rng(7)
    lanes, (kh, kw) = _kernels.lanes(isa, dtype), kernel
    channels = lanes + 3
    for order in ((0, 1, 2, 3), (2, 3, 1, 0)):  # as torch, HWIO
        base = whole(rng, [(channels, 2 * lanes + 1, kh, kw)[i] for i in order], dtype)
        seen = base.transpose(np.argsort(order)).transpose(1, 0, 2, 3)
        for view in (seen[:, :, ::-1, ::-1], seen[:, :, ::-2, ::-3], seen[:, :, ::2, ::-1],
                     np.broadcast_to(seen[:, :, :1, :1], seen.shape)):
            at = (view.ctypes.data - base.ctypes.data) // base.itemsize
            strides = [s // base.itemsize for s in view.strides]
            taps = view.shape[2] * view.shape[3]
            for rows in (1, lanes - 1, lanes, 2 * lanes + 1):
                for width in (rows, -(-rows // lanes) * lanes):
                    dst = np.full(taps * channels * width + 1, np.nan, dtype)
                    assert _kernels.pack_weights(isa, base, at, rows, width, channels,
                                                 *view.shape[2:], *strides, dst)
                    wanted = np.zeros((taps * channels, width), dtype)
                    wanted[:, :rows] = view[:rows].transpose(2, 3, 1, 0).reshape(-1, rows)
                    np.testing.assert_array_equal(dst[:-1].reshape(wanted.shape), wanted)
                    assert np.isnan(dst[-1])
        base[...] = np.nan  # a tap that the view leaves out may be anything
        view = seen[:, :, ::-2, ::-2]
        view[...] = 1
        at = (view.ctypes.data - base.ctypes.data) // base.itemsize
        dst = np.empty(view.size, dtype)
        strides = [s // base.itemsize for s in view.strides]
        assert _kernels.pack_weights(isa, base, at, view.shape[0], view.shape[0], channels,
                                     *view.shape[2:], *strides, dst)


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_pack_spread(isa, dtype):
    rng = np.random.default_rng(8)
    lanes = _kernels.lanes(isa, dtype)
    channels = 3
    spans = [(span, 1) for span in range(1, 4 * lanes + 1, 1 if lanes < 8 else 3)]
    if 9 <= 4 * lanes:
        spans += [(9, 0)] * 4  # 3x3 taps of neighbours that follow one another
    for span, gap in spans:
        for rows, width in ((1, 1), (lanes - 1, lanes - 1), (lanes - 1, lanes), (2 * lanes + 1,) * 2):
            w = np.full((channels, rows, span + gap), np.nan, dtype)
            w[:, :, :span] = whole(rng, (channels, rows, span), dtype)
            left_out = rng.random(span) < 0.3
            w[:, :, :span][:, :, left_out] = np.inf
            places = rng.permutation(span) * (channels * width + 2) + 1
            dst = np.full(span * (channels * width + 2) + 1, np.nan, dtype)
            wanted = dst.copy()
            for at in np.flatnonzero(~left_out):
                block = wanted[places[at] : places[at] + channels * width].reshape(channels, width)
                block[:] = 0
                block[:, :rows] = w[:, :, at]
            places[left_out] = -1
            assert _kernels.pack_spread(isa, w, 0, rows, width, channels, span + gap,
                                        rows * (span + gap), dst, places)
            np.testing.assert_array_equal(dst, wanted)
            if not left_out.all():
                w[channels - 1, rows - 1, np.flatnonzero(~left_out)[-1]] = -np.inf
                assert not _kernels.pack_spread(isa, w, 0, rows, width, channels, span + gap,
                                                rows * (span + gap), dst, places)


def random_segments(rng, a_size, b_size, a_step, b_step, counts):
    """(a, b, count) that stay inside two lines of these sizes."""
    return [(int(rng.integers(0, a_size - (n - 1) * a_step)),
             int(rng.integers(0, b_size - (n - 1) * b_step)), n) for n in counts]


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
@pytest.mark.parametrize("accumulate", [0, 1])
def test_dot_tiles(isa, dtype, accumulate):
    rng = np.random.default_rng(3)
    lanes = _kernels.lanes(isa, dtype)
    for rows, columns in _kernels.dots(isa, dtype):
        offsets = rng.permutation(12 * lanes)[:columns].astype(np.int32)
        for n in range(2 * lanes + 2):
            a = np.full((rows, 3 * lanes), np.nan, dtype)
            b = np.full(20 * lanes, np.nan, dtype)
            segments = random_segments(rng, 3 * lanes, 6 * lanes, 1, 1, [n, 1, lanes][: n % 4])
            for i, j, count in segments:
                a[:, i : i + count] = whole(rng, (rows, count), dtype)
                for at in offsets:
                    b[at + j : at + j + count] = whole(rng, count, dtype)
            c = np.full((rows, columns + 1, lanes), np.nan, dtype)
            if accumulate:
                c[:, :columns] = 5
            wanted = c.copy()
            wanted[:, :columns] = 5 * accumulate
            for i, j, count in segments:
                for k in range(count):
                    wanted[:, :columns, k % lanes] += np.outer(a[:, i + k], b[offsets + j + k])
            _kernels.dot(isa, rows, columns, segments, a, a.shape[1], b, offsets, c, 0,
                         columns + 1, accumulate)
            np.testing.assert_array_equal(c, wanted, f"{rows}x{columns}")
            sums = np.full(rows * (columns + 1) + 1, np.nan, dtype)
            _kernels.sum_lanes(isa, c, rows * (columns + 1), sums)
            np.testing.assert_array_equal(sums[:-1].reshape(rows, -1), c.sum(2))
            assert np.isnan(sums[-1])


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_dots_are_stored_either_way(isa, dtype):
    rng = np.random.default_rng(8)
    sums = whole(rng, (3, 4, _kernels.lanes(isa, dtype)), dtype)
    bias, column_bias = whole(rng, 3, dtype), whole(rng, 4, dtype)
    wanted = sums.sum(2)
    for activation, most in ((0, None), (1, np.inf), (2, 6)):
        for given in ({}, {"bias": bias}, {"column_bias": column_bias}):
            want = wanted + (bias[:, None] if "bias" in given else given.get("column_bias", 0))
            want = want if most is None else want.clip(0, most)
            for steps in ((5, 1), (1, 3)):
                y = np.full(20, np.nan, dtype)
                at = np.arange(3)[:, None] * steps[0] + np.arange(4) * steps[1]
                _kernels.store_dots(isa, 3, 4, sums, y, *steps, activation, **given)
                np.testing.assert_array_equal(y[at], want)
                assert np.isnan(np.delete(y, at)).all()


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
@pytest.mark.parametrize("accumulate", [0, 1])
def test_outer_tiles(isa, dtype, accumulate):
    rng = np.random.default_rng(6)
    lanes = _kernels.lanes(isa, dtype)
    for rows, vectors in _kernels.tiles(isa, dtype):
        for a_step, counts in ((1, [3, 1, 7]), (3, [2]), (2, [])):
            columns = vectors * lanes
            a, b = whole(rng, (rows, 31), dtype), whole(rng, (20, columns + 2), dtype)
            segments = random_segments(rng, a.shape[1], b.shape[0], a_step, 1, counts)
            c = np.full((rows, columns + 3), np.nan, dtype)
            if accumulate:
                c[:, :columns] = 5
            wanted = c.copy()
            wanted[:, :columns] = 5 * accumulate + sum(
                (a[:, i : i + n * a_step : a_step] @ b[j : j + n, :columns]
                 for i, j, n in segments), np.zeros((rows, columns), dtype))
            in_b = [(i, j * b.shape[1], n) for i, j, n in segments]
            _kernels.outer(isa, rows, vectors, in_b, a, a.shape[1], a_step, b, b.shape[1], c, 0,
                           columns + 3, accumulate)
            np.testing.assert_array_equal(c, wanted, f"{rows}x{vectors}")


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_lace_and_sum_rows_every_length(isa, dtype):
    rng = np.random.default_rng(5)
    for n in range(9 * _kernels.lanes(isa, dtype) + 2):
        even, odd = whole(rng, n // 2 + 1, dtype), whole(rng, n // 2 + 1, dtype)
        even[(n + 1) // 2 :] = odd[n // 2 :] = np.nan
        dst = np.full(n + 2, np.nan, dtype)
        _kernels.lace(isa, dst, 1, even, odd, n)
        np.testing.assert_array_equal(dst[1 : n + 1], np.stack([even, odd], 1).ravel()[:n])
        assert np.isnan(dst[[0, n + 1]]).all()
        src = np.full((n % 5 + 1, n + 3), np.nan, dtype)
        src[:, :n] = whole(rng, (len(src), n), dtype)
        dst = np.full(n + 1, np.nan, dtype)
        _kernels.sum_rows(isa, src, n + 3, len(src), n, dst)
        np.testing.assert_array_equal(dst[:n], src[:, :n].sum(0))
        assert np.isnan(dst[n])


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
def test_fold_every_length(isa, dtype):
    rng = np.random.default_rng(6)
    for n in range(9 * _kernels.lanes(isa, dtype) + 2):
        first, count = int(rng.integers(0, 20)), int(rng.integers(1, 4))
        wide = first + n + 6
        rows = np.full((int(rng.integers(0, 4)), count, wide), np.nan, dtype)
        rows[:, :, 3:-3] = whole(rng, (len(rows), count, first + n), dtype)
        old = whole(rng, (count, n), dtype)
        taps, wanted = [], np.stack([np.zeros_like(old), old])
        for at in range(int(rng.integers(0, 4))):  # what lies outside is NaN
            lo = max(0, 3 - at + int(rng.integers(0, 3)))
            hi = first + n + 3 - at - int(rng.integers(0, 4))
            taps.append((at, lo, hi))
            inside = np.arange(max(lo, first), max(lo, first, min(hi, first + n)))
            wanted[:, :, inside - first] += rows[:, :, inside + at].sum(0)
        starts = np.arange(len(rows)) * count * wide
        for add in (0, 1):
            dst = np.full((count, n + 2), np.nan, dtype)
            if add:
                dst[:, 1:-1] = old
            _kernels.fold(isa, dst.ravel(), 1, n + 2, first, n, rows.ravel(), wide, count,
                          starts, taps, add)
            np.testing.assert_array_equal(dst[:, 1:-1], wanted[add])
            assert np.isnan(dst[:, [0, -1]]).all()


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
@pytest.mark.parametrize("step", [1, 2, 3, -1])
def test_copy_and_add_every_length(isa, dtype, step):
    rng = np.random.default_rng(4)
    for n in range(4 * _kernels.lanes(isa, dtype) + 2):
        line = whole(rng, 4 * max(n, 1) + 8, dtype)
        start = len(line) - 1 if step < 0 else 0
        picked = line[start + np.arange(n) * step]
        dst = np.full(n + 2, np.nan, dtype)
        _kernels.copy(isa, dst, 1, line, start, step, n)
        np.testing.assert_array_equal(dst[1 : n + 1], picked)
        assert np.isnan(dst[[0, n + 1]]).all()
        source = whole(rng, n + 1, dtype)
        wanted = line.copy()
        wanted[start + np.arange(n) * step] = source[:n]
        _kernels.spread(isa, line, start, step, source, 0, n)
        np.testing.assert_array_equal(line, wanted)
        wanted = line.copy()
        wanted[start + np.arange(n) * step] += source[:n]
        _kernels.add(isa, line, start, step, source, 0, n)
        np.testing.assert_array_equal(line, wanted)


def with_gaps(values, rng):
    """The same values in memory of another order, forwards or backwards, NaN around each: the
    memory, where the first lies, the strides, and the view."""
    order, step = rng.permutation(values.ndim), int(rng.choice((1, 2)))
    flips = tuple(slice(None, None, int(rng.choice((1, 1, -1)))) for _ in order)
    gaps = tuple(slice(1, 1 + n * step, step) for n in values.shape)
    shape = [n * step + 2 for n in values.shape]
    room = np.full([shape[i] for i in order], np.nan, values.dtype)
    view = room.transpose(np.argsort(order))[gaps][flips]
    view[...] = values
    at = (view.ctypes.data - room.ctypes.data) // room.itemsize
    return room, at, [s // room.itemsize for s in view.strides], view


def plain_problems(rng, lanes):
    """Axes (in, out, kernel, stride, dilation, pad): every width of a row up to two vectors, windows
    that leave the image at both ends, are cut or lie wholly outside."""
    def axis(out, kernel, stride, dilation, pad):
        after = int(rng.choice((-1, 0, 1, 3)))
        fits = (out - 1) * stride + (kernel - 1) * dilation + 1 - pad - after
        return max(1, fits), out, kernel, stride, dilation, pad

    sizes = itertools.product(range(1, 2 * lanes + 2), (1, 2, 3), (1, 2, 3), (1, 2), (-1, 0, 1, 4))
    for w in sizes:
        h = [int(rng.integers(least, most)) for least, most in ((1, 5), (1, 4), (1, 4), (1, 3), (-1, 5))]
        yield axis(*h), axis(*w)


def reached(axis, tap):
    """The pixel that each output meets at a tap, and whether it is in the image."""
    size, out, _, stride, dilation, pad = axis
    at = np.arange(out) * stride + tap * dilation - pad
    return at.clip(0, size - 1), (at >= 0) & (at < size)


def tap_pixels(x, h, w, p, q):
    """x[c] under one tap of each output, and where there is one."""
    (rows, in_h), (columns, in_w) = reached(h, p), reached(w, q)
    return x[:, rows[:, None], columns], in_h[:, None] & in_w


def plain_sum(x, w, h, v, cb, kc):
    """In the order of the packed sum: blocks of cb channels, in them chains of kc terms (p, q, c),
    each term rounded once. Products and sums of these numbers are exact in float64."""
    total = np.zeros((len(w), h[1], v[1]), x.dtype)
    for c0 in range(0, len(x), cb):
        block = range(c0, min(c0 + cb, len(x)))
        terms = list(itertools.product(range(h[2]), range(v[2]), block))
        for k in range(0, len(terms), kc):
            chain = np.zeros_like(total)
            for p, q, c in terms[k : k + kc]:
                pixels, inside = tap_pixels(x[c : c + 1].astype(np.float64), h, v, p, q)
                longer = chain + pixels * w[:, c, p, q].astype(np.float64)[:, None, None]
                chain = np.where(inside, longer, chain).astype(x.dtype)
            total += chain
    return total


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
@pytest.mark.parametrize("edges_only", [0, 1])
@np.errstate(invalid="ignore")
def test_plain_every_width(isa, dtype, edges_only):
    rng = np.random.default_rng(9)
    for h, v in plain_problems(rng, _kernels.lanes(isa, dtype)):
        ic, oc = (int(n) for n in rng.integers(1, 4, 2))
        cb = int(rng.integers(1, ic + 1))
        kc = int(rng.integers(1, cb * h[2] * v[2] + 2))
        x, w = whole(rng, (ic, h[0], v[0]), dtype), whole(rng, (oc, ic, h[2], v[2]), dtype)
        if dtype == np.float32:  # so that the order of a sum shows
            x *= 2.0 ** rng.integers(0, 24, x.shape)
        if rng.random() < 0.2:  # an absent tap meets nothing
            w[tuple(rng.integers(w.shape))] = rng.choice((np.inf, np.nan))
        bias = whole(rng, oc, dtype) if rng.random() < 0.5 else None
        activation = int(rng.integers(3))
        wanted = plain_sum(x, w, h, v, cb, kc)
        if bias is not None:
            wanted += bias[:, None, None]
        if activation:
            wanted = wanted.clip(0, 6 if activation == 2 else None)
        if edges_only:
            inside = [reached(axis, 0)[1] & reached(axis, axis[2] - 1)[1] for axis in (h, v)]
            wanted[:, inside[0][:, None] & inside[1]] = np.nan
        (x, x_at, x_stride, _), (w, w_at, w_stride, _) = with_gaps(x, rng), with_gaps(w, rng)
        y, y_at, y_stride, view = with_gaps(np.full_like(wanted, np.nan), rng)
        problem = (h, v, (ic, oc), x_stride, w_stride, y_stride)
        _kernels.plain(isa, problem, cb, kc, x, x_at, w, w_at, y, y_at, activation, bias, edges_only)
        np.testing.assert_array_equal(view, wanted, f"{problem} {cb} {kc}")
        view[...] = np.nan
        assert np.isnan(y).all(), problem


@pytest.mark.parametrize(("isa", "dtype"), TABLES)
@np.errstate(invalid="ignore")
def test_plain_weight_every_width(isa, dtype):
    rng = np.random.default_rng(10)
    for h, v in plain_problems(rng, _kernels.lanes(isa, dtype)):
        ic, oc = (int(n) for n in rng.integers(1, 4, 2))
        x, gy = whole(rng, (ic, h[0], v[0]), dtype), whole(rng, (oc, h[1], v[1]), dtype)
        if rng.random() < 0.2:  # an absent term meets nothing
            gy[tuple(rng.integers(gy.shape))] = rng.choice((np.inf, np.nan))
        wanted = whole(rng, (oc, ic, h[2], v[2]), dtype)
        gw, gw_at, gw_stride, view = with_gaps(wanted, rng)
        for p, q in np.ndindex(h[2], v[2]):
            pixels, inside = tap_pixels(x, h, v, p, q)
            wanted[:, :, p, q] += gy[:, inside] @ pixels[:, inside].T
        (x, x_at, x_stride, _), (gy, gy_at, gy_stride, _) = with_gaps(x, rng), with_gaps(gy, rng)
        problem = (h, v, (ic, oc), x_stride, gw_stride, gy_stride)
        _kernels.plain_weight(isa, problem, x, x_at, gw, gw_at, gy, gy_at)
        np.testing.assert_array_equal(view, wanted, f"{problem}")
        view[...] = np.nan
        assert np.isnan(gw).all(), problem
