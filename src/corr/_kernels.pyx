# cython: language_level=3, binding=False, auto_pickle=False
"""Private, for the tests: every kernel of every table, one kernel a call; and, included at the
end, the core's hooks."""

cimport numpy as cnp
from cpython.pycapsule cimport PyCapsule_Import
from libc.stdint cimport int16_t, int32_t, int64_t, uintptr_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

import itertools

import numpy as np

from . import _core  # the capsule's owner

cnp.import_array()


cdef const corr_api *api = <const corr_api *>PyCapsule_Import("corr._core._C_API", 0)
if api.version != 1:
    raise ImportError("corr._kernels was built for another version of the core")


cdef const corr_kernels *_table(str isa, object dtype) except NULL:
    cdef corr_dtype t = CORR_F32 if np.dtype(dtype) == np.float32 else CORR_F64
    cdef const corr_kernels *k
    cdef int i = 0
    while True:
        k = api.kernel_table_at(i, t)
        if k == NULL:
            raise ValueError(f"no such ISA here: {isa}")
        if k.isa.decode() == isa:
            return k
        i += 1


cdef void *_at(object array, int64_t element) except? NULL:
    return <char *>cnp.PyArray_DATA(<cnp.ndarray?>array) + element * <int64_t>array.itemsize


def isas():
    """Every ISA this machine can run."""
    names, i = [], 0
    while api.kernel_table_at(i, CORR_F32) != NULL:
        names.append(api.kernel_table_at(i, CORR_F32).isa.decode())
        i += 1
    return names


def lanes(isa, dtype):
    return _table(isa, dtype).lanes


def tiles(isa, dtype, form="packed"):
    """(rows, vectors) of every micro-kernel."""
    cdef const corr_kernels *k = _table(isa, dtype)
    cdef bint lines = form == "lines"
    return [(rows + 1, vectors + 1) for vectors in range(CORR_MAX_VECTORS)
            for rows in range(CORR_MAX_ROWS)
            if (k.gemm_lines[vectors][rows] if lines else k.gemm[vectors][rows]) != NULL]


line = CORR_LINE


cdef corr_store _store(int accumulate, int activation, bias, column_bias) except *:
    cdef corr_store store
    store.accumulate = accumulate
    store.epilogue = activation or bias is not None or column_bias is not None
    store.activation = <corr_activation>activation
    store.bias = NULL if bias is None else _at(bias, 0)
    store.column_bias = NULL if column_bias is None else _at(column_bias, 0)
    return store


def gemm(isa, form, rows, vectors, int64_t depth, a, b, int64_t ldb, c, int64_t c_at,
         int64_t ldc, int64_t columns, int accumulate, int activation, bias, column_bias=None,
         offsets=None):
    """form: "packed"; "lines", a is [row][line] rather than [depth][row]; "taps" or "points", step k of b or of a lies at offsets[k] (int32), and
    the rows of the latter two elements apart."""
    cdef const corr_kernels *k = _table(isa, c.dtype)
    cdef corr_store store = _store(accumulate, activation, bias, column_bias)
    cdef void *ap = _at(a, 0)
    cdef void *bp = _at(b, 0)
    cdef void *cp = _at(c, c_at)
    cdef int32_t *at = NULL if offsets is None else <int32_t *>_at(offsets, 0)
    cdef int v = vectors - 1, r = rows - 1
    if form == "lines":
        ahead = np.zeros(depth, np.int32)
        at = <int32_t *>_at(ahead, 0)
        k.gemm_lines[v][r](depth, ap, bp, ldb, cp, ldc, columns, &store, ap, at)
    elif form == "taps":
        k.gemm_taps[v][r](depth, ap, bp, at, cp, ldc, columns, &store)
    elif form == "points":
        k.gemm_points[v][r](depth, ap, 2, at, bp, ldb, cp, ldc, columns, &store)
    else:
        k.gemm[v][r](depth, ap, bp, ldb, cp, ldc, columns, &store)


def pack_rows(isa, rows, x, int64_t x_at, int64_t channel, int64_t channels, dst,
              int64_t dst_channel):
    """rows: the fields of corr_rows."""
    cdef corr_rows r
    r.count, r.first, r.end, r.width, r.lo, r.hi, r.pitch, r.row, r.step = rows
    _table(isa, dst.dtype).pack_rows(&r, _at(x, x_at), channel, channels, _at(dst, 0), dst_channel)


def gather(isa, int64_t n, x, int64_t x_at, offsets, dst, int64_t pitch):
    _table(isa, dst.dtype).gather(len(offsets), n, _at(x, x_at), <const int32_t *>_at(offsets, 0),
                                  _at(dst, 0), pitch)


def transpose(isa, int64_t rows, int64_t columns, src, int64_t lds, dst, int64_t dst_at,
              int64_t ldd, int activation, bias, int accumulate=0):
    cdef corr_store store = _store(accumulate, activation, bias, None)
    _table(isa, dst.dtype).transpose(rows, columns, _at(src, 0), lds, _at(dst, dst_at), ldd,
                                     &store)


def pack_weights(isa, w, int64_t w_at, int64_t rows, int64_t width, int64_t channels, int64_t kh, int64_t kw,
                 int64_t w_o, int64_t w_c, int64_t w_h, int64_t w_w, dst):
    """True if all weights are finite."""
    cdef const corr_kernels *k = _table(isa, dst.dtype)
    return bool(k.pack_weights(_at(w, w_at), rows, width, channels, kh, kw, w_o, w_c, w_h, w_w,
                               _at(dst, 0)))


def pack_spread(isa, w, int64_t w_at, int64_t rows, int64_t width, int64_t channels, int64_t w_o,
                int64_t w_c, dst, places):
    """places: for each element of the span where in dst its first weight goes, or -1. True if all
    weights are finite."""
    cdef void *to[64]
    for at, place in enumerate(places):
        to[at] = NULL if place < 0 else _at(dst, place)
    return bool(_table(isa, dst.dtype).pack_spread(_at(w, w_at), rows, width, channels, len(places),
                                                   w_o, w_c, to))


cdef class _Segments:
    """A C array of (a, b, count) tuples."""
    cdef corr_segment *items
    cdef int64_t count

    def __cinit__(self, segments):
        self.count = len(segments)
        self.items = <corr_segment *>malloc(max(1, len(segments)) * sizeof(corr_segment))
        if self.items == NULL:
            raise MemoryError
        for i, (a, b, count) in enumerate(segments):
            self.items[<int>i].a, self.items[<int>i].b = a, b
            self.items[<int>i].count = count

    def __dealloc__(self):
        free(self.items)


def dots(isa, dtype):
    """(rows, columns) of the dot tiles of one table."""
    cdef const corr_kernels *k = _table(isa, np.dtype(dtype))
    return [(i + 1, j + 1) for i in range(k.dot_rows) for j in range(k.dot_columns)]


def dot(isa, int rows, int columns, segments, a, int64_t a_row, b, offsets, c, int64_t c_at,
        int64_t ldc, int accumulate):
    cdef const corr_kernels *k = _table(isa, c.dtype)
    cdef _Segments s = _Segments(segments)
    cdef int r = rows - 1, j = columns - 1
    k.dot[r][j](s.items, s.count, _at(a, 0), a_row, _at(b, 0),
                <const int32_t *>_at(offsets, 0), _at(c, c_at), ldc, accumulate)


def lace(isa, dst, int64_t dst_at, even, odd, int64_t n):
    _table(isa, dst.dtype).lace(_at(dst, dst_at), _at(even, 0), _at(odd, 0), n)


def fold(isa, dst, int64_t dst_at, int64_t dst_step, int64_t first, int64_t n, src,
         int64_t row_step, int64_t count, rows, taps, int add):
    """rows: where they begin in src; taps: (at, lo, hi) each."""
    cdef corr_fold f
    f.count, f.dst_step, f.row_step = count, dst_step, row_step
    f.row_count, f.tap_count = len(rows), len(taps)
    for i, row in enumerate(rows):
        f.rows[i] = _at(src, row)
    for i, (at, lo, hi) in enumerate(taps):
        f.taps[i].at, f.taps[i].lo, f.taps[i].hi = at, lo, hi
    _table(isa, dst.dtype).fold(_at(dst, dst_at), first, n, &f, add)


def sum_rows(isa, src, int64_t step, int64_t rows, int64_t columns, dst):
    _table(isa, dst.dtype).sum_rows(_at(src, 0), step, rows, columns, _at(dst, 0))


def sum_lanes(isa, src, int64_t n, dst):
    _table(isa, dst.dtype).sum_lanes(_at(src, 0), n, _at(dst, 0))


def store_dots(isa, int64_t rows, int64_t columns, sums, y, int64_t y_row, int64_t y_column,
               int activation=0, bias=None, column_bias=None):
    cdef corr_store store = _store(0, activation, bias, column_bias)
    _table(isa, y.dtype).store_dots(rows, columns, _at(sums, 0), _at(y, 0), y_row, y_column, &store)


def outer(isa, rows, vectors, segments, a, int64_t a_row, int64_t a_step, b, int64_t b_step, c,
          int64_t c_at, int64_t ldc, int accumulate):
    cdef const corr_kernels *k = _table(isa, c.dtype)
    cdef _Segments s = _Segments(segments)
    cdef int v = vectors - 1, r = rows - 1
    k.outer[v][r](s.items, s.count, _at(a, 0), a_row, a_step, _at(b, 0), b_step, _at(c, c_at),
                  ldc, accumulate)


def group_tiles(isa, dtype):
    """(step, rows, vectors) of every kernel for groups in planes."""
    cdef const corr_kernels *k = _table(isa, dtype)
    return [(step + 1, rows + 1, vectors + 1) for step in range(2) for rows in range(8)
            for vectors in range(4) if k.group[step][rows][vectors] != NULL]


def group_lanes_tiles(isa, dtype):
    """(rows, vectors) of those for channels-last."""
    cdef const corr_kernels *k = _table(isa, dtype)
    return [(rows + 1, vectors + 1) for rows in range(3) for vectors in range(4)
            if k.group_lanes[rows][vectors] != NULL]


def group(isa, tile, fields, x, int64_t x_at, w, y, int64_t y_at, int activation, bias,
          index=None):
    """tile: of one of the two lists above; fields: those of corr_group, by their names."""
    cdef const corr_kernels *k = _table(isa, y.dtype)
    cdef corr_group s
    cdef int a, b, c
    memset(&s, 0, sizeof(s))
    s.channels, s.kh, s.kw = fields["channels"], fields["kh"], fields["kw"]
    s.x_channel, s.x_row, s.x_tap = fields["x_channel"], fields["x_row"], fields["x_tap"]
    s.x_vector, s.x_next = fields["x_vector"], fields["x_next"]
    s.y_channel, s.y_vector, s.y_next = fields["y_channel"], fields["y_vector"], fields["y_next"]
    s.w_width, s.count = fields["w_width"], fields["count"]
    s.row, s.row_next = fields["row"], fields["row_next"]
    s.row_tap, s.row_end = fields["row_tap"], fields["row_end"]
    s.columns, s.column_tap = fields["columns"], fields["column_tap"]
    s.column_vector = fields["column_vector"]
    s.column_lo, s.column_hi = fields["column_lo"], fields["column_hi"]
    s.step, s.x_lanes = fields["step"], fields["x_lanes"]
    s.activation = <corr_activation>activation
    s.bias = NULL if bias is None else _at(bias, 0)
    s.epilogue = activation != 0 or bias is not None
    if index is None:
        a, b, c = tile[0] - 1, tile[1] - 1, tile[2] - 1
        k.group[a][b][c](&s, _at(x, x_at), _at(w, 0), _at(y, y_at))
    else:
        a, b = tile[0] - 1, tile[1] - 1
        s.index = <const int32_t *>_at(index, 0)
        k.group_lanes[a][b](&s, _at(x, x_at), _at(w, 0), _at(y, y_at))


cdef corr_problem _problem(fields) except *:
    """One image and group: both axes, each as the fields of corr_axis, the channels in and out, the
    strides of c, h, w, of o, c, p, q and of o, h, w."""
    cdef corr_problem s
    cdef int i
    h, w, channels, x_stride, w_stride, y_stride = fields
    memset(&s, 0, sizeof(s))
    s.ic, s.oc = channels
    s.h.in_, s.h.out, s.h.kernel, s.h.stride, s.h.dilation, s.h.pad = h
    s.w.in_, s.w.out, s.w.kernel, s.w.stride, s.w.dilation, s.w.pad = w
    for i in range(3):
        s.x_stride[2 + i], s.y_stride[2 + i] = x_stride[i], y_stride[i]
    for i in range(4):
        s.w_stride[1 + i] = w_stride[i]
    return s


def plain(isa, problem, int64_t cb, int64_t kc, x, int64_t x_at, w, int64_t w_at, y, int64_t y_at,
          int activation, bias, int edges_only):
    """problem: as _problem says."""
    cdef corr_problem s = _problem(problem)
    s.activation = <corr_activation>activation
    _table(isa, y.dtype).plain(&s, cb, kc, _at(x, x_at), _at(w, w_at),
                               NULL if bias is None else _at(bias, 0), _at(y, y_at), edges_only)


def plain_weight(isa, problem, x, int64_t x_at, gw, int64_t gw_at, gy, int64_t gy_at):
    cdef corr_problem s = _problem(problem)
    _table(isa, gw.dtype).plain_weight(&s, _at(x, x_at), _at(gw, gw_at), _at(gy, gy_at))


def copy(isa, dst, int64_t dst_at, src, int64_t src_at, int64_t step, int64_t n):
    _table(isa, dst.dtype).copy(_at(dst, dst_at), _at(src, src_at), step, n)


def add(isa, dst, int64_t dst_at, int64_t step, src, int64_t src_at, int64_t n):
    _table(isa, dst.dtype).add(_at(dst, dst_at), step, _at(src, src_at), n)


def lanes_in(isa, x, int64_t x_at, int64_t pixel, int64_t channel, int64_t pixels,
             int64_t channels, dst):
    _table(isa, dst.dtype).lanes_in(_at(x, x_at), pixel, channel, pixels, channels, _at(dst, 0), 0)


def lanes_out(isa, src, int64_t pixels, int64_t channels, y, int64_t y_at, int64_t pixel,
              int64_t channel):
    _table(isa, src.dtype).lanes_out(_at(src, 0), pixels, channels, _at(y, y_at), pixel, channel, 0)


cdef const corr_winograd_kernels *_winograd(str isa, int points) except NULL:
    return &_table(isa, np.float32).winograd[0 if points == 6 else 1]


def winograd_input(isa, int points, x, int64_t row, int64_t column, int64_t tiles, v, int64_t tile, offsets):
    """offsets: int32, where in v each point of the first tile goes. Of gradients, if points are -6."""
    cdef const int32_t *at = <const int32_t *>_at(offsets, 0)
    cdef winograd_input_function run = _winograd(isa, points).input
    if points < 0:
        run = _table(isa, np.float32).winograd_gradients
    run(_at(x, 0), row, column, tiles, _at(v, 0), tile, at)


def winograd_taps(isa, m, int64_t point, int64_t count, taps, int64_t tap):
    """True if all is finite."""
    return bool(_table(isa, np.float32).winograd_taps(_at(m, 0), point, count, _at(taps, 0), tap))


def winograd_output(isa, int points, m, int64_t point, int64_t tile, int64_t tiles, y,
                    int64_t row, int64_t column, int64_t rows, int64_t columns, int64_t channels,
                    int activation, bias):
    """True if all is finite."""
    cdef corr_store store = _store(0, activation, bias, None)
    return bool(_winograd(isa, points).output(_at(m, 0), point, tile, tiles, _at(y, 0), row,
                                              column, rows, columns, channels, &store))


def winograd_weights(isa, int points, w, int64_t w_at, int64_t tap, int64_t count, u,
                     int64_t step, int64_t point):
    _winograd(isa, points).weights(_at(w, w_at), tap, count, _at(u, 0), step, point)


def spread(isa, dst, int64_t dst_at, int64_t step, src, int64_t src_at, int64_t n):
    _table(isa, dst.dtype).spread(_at(dst, dst_at), step, _at(src, src_at), n)


def sum_(isa, src, int64_t src_at, int64_t step, int64_t n):
    return _table(isa, src.dtype).sum(_at(src, src_at), step, n)


include "_kernels_stencils.pxi"


def fft(isa, points, twiddles, inverse=False):
    """In place, of points [n][2][lanes]."""
    cdef const corr_kernels *k = _table(isa, points.dtype)
    cdef int64_t n = points.shape[0]
    if inverse:
        k.fft_inverse(n, _at(points, 0), _at(twiddles, 0))
    else:
        k.fft_forward(n, _at(points, 0), _at(twiddles, 0))


def fft_turn(isa, int64_t blocks, src, int64_t src_step, dst, int64_t dst_step):
    _table(isa, dst.dtype).fft_turn(blocks, _at(src, 0), src_step, _at(dst, 0), dst_step)


def fft_multiply(isa, a, b, to):
    _table(isa, to.dtype).fft_multiply(to.shape[0], _at(a, 0), _at(b, 0), _at(to, 0))


def fft_load(isa, int64_t rows, int64_t lo, int64_t hi, x, int64_t x_at, int64_t x_row,
             int64_t step, points):
    _table(isa, x.dtype).fft_load(rows, lo, hi, _at(x, x_at), x_row, step, _at(points, 0))


def fft_store(isa, int64_t rows, int64_t columns, points, y, int64_t y_at, int64_t y_row,
              int64_t step, int activation, bias):
    """True if all are finite."""
    cdef corr_store store = _store(0, activation, bias, None)
    return bool(_table(isa, y.dtype).fft_store(rows, columns, _at(points, 0), _at(y, y_at), y_row,
                                               step, &store))


include "_kernels_hooks.pxi"
