# The kernels of depthwise layers and pictures, forward and gradients; included by _kernels.pyx.

cdef corr_band _band(const corr_kernels *k, str table, int kh, int step):
    if table == "slide":
        return k.slide[kh // 2 - 1][step - 1]
    return k.band[kh // 2 - 1][step - 1] if table == "band" else k.band_planes[kh // 2 - 1][step - 1]


cdef stencil_function _stencil(const corr_kernels *k, str table, tuple i):
    if table == "march":
        return k.march[<int>i[0]][<int>i[1] // 2 - 1][<int>i[2] - 1][<int>i[3] - 1]
    if table == "lanes":
        return k.march_lanes[<int>i[0] // 2 - 1][<int>i[1] - 1][<int>i[2] - 1]
    if table == "block":
        return k.block[<int>i[0] - 1][<int>i[1] - 1]
    if table == "block_lanes":
        return k.block_lanes[<int>i[0] - 1][<int>i[1] - 1]
    if table == "block_image":
        return k.block_image[<int>i[0] - 1][<int>i[1] - 1]
    if table in ("slide", "band", "band_planes"):
        return _band(k, table, i[0], i[1]).run
    if table == "reuse":
        return k.reuse[<int>i[0] - 1][<int>i[1] - 1]
    if table == "up":
        return k.up[<int>i[0] // 2 - 1][<int>i[1] - 1]
    if table == "weight":
        return <stencil_function>k.weight[<int>i[0] - 1][<int>i[1] - 1][<int>i[2] - 1]
    return <stencil_function>k.weight3[<int>i[0] - 1][<int>i[1] - 1]


def stencils(isa, dtype):
    """(table, its index) of every stencil there is."""
    cdef const corr_kernels *k = _table(isa, dtype)
    cdef corr_band band
    sizes = {"march": ((0, 1, 2), (3, 5, 7), (1, 2), (1, 2, 3, 4)),
             "lanes": ((3, 5, 7), (1, 2), (1, 2, 3, 4)),
             **dict.fromkeys(("block", "block_lanes", "block_image", "reuse"), (range(1, 8), range(1, 5))),
             "up": ((3, 5, 7), (1, 2, 3, 4)), "weight": (range(1, 6), range(1, 8), (1, 2)),
             "weight3": ((1, 2), (1, 2, 3, 4))}
    found = []
    for table, axes in sizes.items():
        for index in itertools.product(*axes):
            if _stencil(k, table, index) != NULL:
                found.append((table, index))
    for kh, step in itertools.product((3, 5, 7), (1, 2)):
        for table in ("slide", "band", "band_planes"):
            band = _band(k, table, kh, step)
            if band.rows:
                found.append((table, (kh, step, band.rows, band.vectors)))
    return found


def stencil(isa, table, index, x, int64_t x_at, w, int64_t w_at, y, int64_t y_at, *, bias=None,
            offsets=None, int activation=0, **fields):
    """One call; `fields` are those of corr_stencil."""
    cdef corr_stencil s
    memset(&s, 0, sizeof(s))
    s.kh = fields.pop("kh", 0)
    s.kw = fields.pop("kw", 0)
    s.step = fields.pop("step", 0)
    s.dilation = fields.pop("dilation", 0)
    s.planes = fields.pop("planes", 0)
    s.rows = fields.pop("rows", 0)
    s.columns = fields.pop("columns", 0)
    s.pair = fields.pop("pair", 0)
    s.row_lo = fields.pop("row_lo", 0)
    s.row_hi = fields.pop("row_hi", 0)
    s.column_lo = fields.pop("column_lo", 0)
    s.column_hi = fields.pop("column_hi", 0)
    s.x_plane = fields.pop("x_plane", 0)
    s.x_row = fields.pop("x_row", 0)
    s.x_tap = fields.pop("x_tap", 0)
    s.x_vector = fields.pop("x_vector", 0)
    s.strips = fields.pop("strips", 0)
    s.x_next = fields.pop("x_next", 0)
    if offsets is not None:
        s.offsets = <const int32_t *>_at(offsets, 0)
    s.w_plane = fields.pop("w_plane", 0)
    s.w_row = fields.pop("w_row", 0)
    s.w_tap = fields.pop("w_tap", 0)
    s.y_plane = fields.pop("y_plane", 0)
    s.y_row = fields.pop("y_row", 0)
    s.y_vector = fields.pop("y_vector", 0)
    s.y_step = fields.pop("y_step", 0)
    s.x_ahead = fields.pop("x_ahead", 0)
    s.y_ahead = fields.pop("y_ahead", 0)
    s.x_far = fields.pop("x_far", 0)
    s.y_far = fields.pop("y_far", 0)
    s.bias_plane = fields.pop("bias_plane", 0)
    assert not fields, fields
    s.epilogue = bias is not None or activation
    s.activation = <corr_activation>activation
    s.bias = NULL if bias is None else _at(bias, 0)
    _stencil(_table(isa, y.dtype), table, index)(&s, _at(x, x_at), _at(w, w_at), _at(y, y_at))


def up_lanes_taps(isa, dtype):
    cdef const corr_kernels *k = _table(isa, dtype)
    return [2 * i + 3 for i in range(2) if k.up_lanes[i] != NULL]


def up_lanes(isa, int kw, gy, w, gx, int64_t gx_at, int64_t first, int64_t end, int64_t columns, int64_t width,
             int64_t pad):
    """A row of gx [column][lane], of gy [row][column][lane] and w [row][tap][lane]."""
    cdef corr_up_lanes s
    s.rows = len(w)
    s.first, s.end, s.columns, s.width, s.pad = first, end, columns, width, pad
    s.x_step, s.y_step = gx.shape[1], gy.shape[2]
    for i in range(len(w)):
        s.gy[i] = _at(gy, i * gy.shape[1] * gy.shape[2])
        s.w[i] = _at(w, i * w.shape[1] * w.shape[2])
    _table(isa, gx.dtype).up_lanes[kw // 2 - 1](&s, _at(gx, gx_at))


def weight_lanes_taps(isa, dtype):
    """(rows, columns) of every block of taps there is."""
    cdef const corr_kernels *k = _table(isa, dtype)
    return [(h + 1, w + 1) for h in range(5) for w in range(7) if k.weight_lanes[h][w] != NULL]


def weight_lanes(isa, int taps_h, int taps_w, x, gy, sums, **fields):
    """One call; `fields` are those of corr_weight_lanes."""
    cdef corr_weight_lanes s
    s.rows = fields.pop("rows")
    s.columns = fields.pop("columns")
    s.x_next = fields.pop("x_next")
    s.x_row = fields.pop("x_row")
    s.x_step = fields.pop("x_step")
    s.x_tap = fields.pop("x_tap")
    s.y_row = fields.pop("y_row")
    s.y_step = fields.pop("y_step")
    s.sum_row = fields.pop("sum_row")
    assert not fields, fields
    _table(isa, sums.dtype).weight_lanes[taps_h - 1][taps_w - 1](&s, _at(x, 0), _at(gy, 0), _at(sums, 0))


def add_lanes(isa, int64_t n, sums, to, int64_t step):
    _table(isa, to.dtype).add_lanes(n, _at(sums, 0), _at(to, 0), step)
