/* Some rows and vectors of outputs against a kernel of any size, all sums in registers and
 * without a mask: what a tap wants of the image is readable, in whole vectors.
 *
 *   block     each tap one weight, and for each sum one load, which the FMA does itself
 *   reuse     each loaded vector serves all rows of the block: of a row r of inputs, tap q,
 *             acc[i] += w[r - i][q] * x[r][q ..], for every row i
 *   lanes     as block, a lane a channel: the weights are vectors
 *   image     as lanes, from where pixels lie apart, strip by strip
 */
/* Outputs that do not fill their vectors, or do not follow one another. */
static CORR_NOINLINE void CORR_NAME(store_ragged)(int rows, int vectors, int lanes,
                                                  const corr_stencil *s, const real *sums, real *y) {
    for (int i = 0; i < rows; i++, y += s->y_row)
        for (int v = 0; v < vectors; v++, sums += V_LANES) {
            const int64_t left = lanes ? s->columns : s->columns - v * V_LANES;
            const int64_t n = left < V_LANES ? left : V_LANES;
            real *to = y + v * s->y_vector;
            if (s->y_step != 1)
                for (int64_t l = 0; l < n; l++)
                    to[l * s->y_step] = sums[l];
            else if (n == V_LANES)
                v_store(to, v_load(sums));
            else
                v_store_n(to, v_load(sums), n);
        }
}

CORR_INLINE void CORR_NAME(block_store)(const int rows, const int vectors, const int lanes,
                                        const corr_stencil *s, vec *acc, real *y) {
    if (s->epilogue) {
        const vec low = v_set1(s->activation == CORR_LINEAR ? -(real)INFINITY : 0);
        const vec high = v_set1(s->activation == CORR_RELU6 ? 6 : (real)INFINITY);
        const real *b = s->bias;
        const vec bias = !b ? v_zero() : lanes ? v_load_n(b, s->columns) : v_set1(*b);
        CORR_UNROLL
        for (int i = 0; i < rows * vectors; i++)
            acc[i] = v_min(high, v_max(low, v_add(acc[i], bias)));
    }
    const int64_t width = (lanes ? 1 : vectors) * V_LANES, spare = width - s->columns;
    /* Where rows follow one another, the next one covers what a whole vector leaves in it. */
    const int follows = !lanes && s->y_row == s->columns && spare <= s->columns;
    if (s->y_step == 1 && (spare == 0 || follows)) {
        CORR_UNROLL
        for (int i = 0; i < rows; i++)
            CORR_UNROLL
            for (int v = 0; v < vectors; v++)
                if (i < rows - 1 || v < vectors - 1 || spare == 0)
                    v_store(y + i * s->y_row + v * (lanes ? s->y_vector : V_LANES), acc[i * vectors + v]);
        if (spare)
            v_store_n(y + (rows - 1) * s->y_row + (vectors - 1) * V_LANES, acc[rows * vectors - 1],
                      V_LANES - spare);
        return;
    }
    real sums[CORR_BLOCK_SUMS * V_LANES];
    CORR_UNROLL
    for (int i = 0; i < rows * vectors; i++)
        v_store(sums + i * V_LANES, acc[i]);
    CORR_NAME(store_ragged)(rows, vectors, lanes, s, sums, y);
}

CORR_INLINE void CORR_NAME(block_sums)(const int rows, const int vectors, const int lanes,
                                       const corr_stencil *s, const real *x, int64_t x_vector,
                                       const real *w, vec *acc) {
    const int64_t first = s->row_lo * s->kw, end = s->row_hi * s->kw, x_next = s->x_next;
    const int64_t w_tap = lanes ? s->w_tap : 1;
    const int32_t *offsets = s->offsets;
    CORR_UNROLL
    for (int i = 0; i < rows * vectors; i++)
        acc[i] = v_zero();
    w += first * w_tap;
    for (int64_t k = first; k < end; k++, w += w_tap) {
        const real *at = x + offsets[k];
        const vec wk = lanes ? v_load(w) : v_set1(*w);
        CORR_UNROLL
        for (int i = 0; i < rows; i++) {
            if (i % 3 == 0 && i > 0) { /* else each row would have a register, or a place on the stack */
                at += 3 * x_next;
                CORR_FORGET(at);
            }
            CORR_UNROLL
            for (int v = 0; v < vectors; v++)
                acc[i * vectors + v] =
                    v_fma(wk, v_load(at + i % 3 * x_next + v * x_vector), acc[i * vectors + v]);
        }
    }
}

CORR_INLINE void CORR_NAME(stencil_block)(const int rows, const int vectors, const int lanes,
                                          const corr_stencil *s, const real *x, const real *w,
                                          real *y) {
    vec acc[CORR_BLOCK_SUMS];
    CORR_NAME(block_sums)(rows, vectors, lanes, s, x, V_LANES, w, acc);
    CORR_NAME(block_store)(rows, vectors, lanes, s, acc, y);
}

CORR_INLINE void CORR_NAME(stencil_image)(const int rows, const int vectors, const corr_stencil *s,
                                          const real *x, const real *w, real *y) {
    vec acc[CORR_BLOCK_SUMS];
    for (int64_t n = s->strips; n > 0; n--, x += vectors * s->x_vector, y += vectors * s->y_vector) {
        CORR_NAME(block_sums)(rows, vectors, 1, s, x, s->x_vector, w, acc);
        CORR_NAME(block_store)(rows, vectors, 1, s, acc, y);
    }
}

/* Input row r, for the sums of output rows first .. last of the block. */
CORR_INLINE void CORR_NAME(reuse_row)(const int vectors, const int first, const int last,
                                      const corr_stencil *s, const real *x, const real *w,
                                      vec *acc) {
    const int64_t kw = s->kw, x_tap = s->x_tap;
    for (int64_t q = 0; q < kw; q++, x += x_tap) {
        vec data[CORR_MAX_VECTORS];
        CORR_UNROLL
        for (int v = 0; v < vectors; v++)
            data[v] = v_load(x + v * V_LANES);
        CORR_UNROLL
        for (int i = first; i <= last; i++) {
            const vec wi = v_set1(w[q - i * kw]);
            CORR_UNROLL
            for (int v = 0; v < vectors; v++)
                acc[i * vectors + v] = v_fma(wi, data[v], acc[i * vectors + v]);
        }
    }
}

CORR_INLINE void CORR_NAME(stencil_reuse)(const int rows, const int vectors,
                                          const corr_stencil *s, const real *x, const real *w,
                                          real *y) {
    const int64_t kh = s->kh, kw = s->kw, lo = s->row_lo, hi = s->row_hi;
    vec acc[CORR_BLOCK_SUMS];
    CORR_UNROLL
    for (int i = 0; i < rows * vectors; i++)
        acc[i] = v_zero();
    CORR_UNROLL
    for (int r = 0; r < rows - 1; r++)
        if (r >= lo && r < hi)
            CORR_NAME(reuse_row)(vectors, 0, r, s, x + r * s->x_row, w + r * kw, acc);
    const int64_t from = lo > rows - 1 ? lo : rows - 1, end = hi < kh ? hi : kh;
    for (int64_t r = from; r < end; r++)
        CORR_NAME(reuse_row)(vectors, 0, rows - 1, s, x + r * s->x_row, w + r * kw, acc);
    CORR_UNROLL
    for (int e = 0; e < rows - 1; e++)
        if (kh + e >= lo && kh + e < hi)
            CORR_NAME(reuse_row)(vectors, e + 1, rows - 1, s, x + (kh + e) * s->x_row,
                                 w + (kh + e) * kw, acc);
    CORR_NAME(block_store)(rows, vectors, 0, s, acc, y);
}

#define CORR_BLOCK(rows, vectors)                                                              \
    static void CORR_NAME(corr_block_##rows##_##vectors)(                                      \
        const corr_stencil *s, const void *x, const void *w, void *y) {                        \
        CORR_NAME(stencil_block)(rows, vectors, 0, s, x, w, y);                                \
    }                                                                                          \
    static void CORR_NAME(corr_block_lanes_##rows##_##vectors)(                                \
        const corr_stencil *s, const void *x, const void *w, void *y) {                        \
        CORR_NAME(stencil_block)(rows, vectors, 1, s, x, w, y);                                \
    }
#define CORR_REUSE(rows, vectors)                                                              \
    static void CORR_NAME(corr_reuse_##rows##_##vectors)(                                      \
        const corr_stencil *s, const void *x, const void *w, void *y) {                        \
        CORR_NAME(stencil_reuse)(rows, vectors, s, x, w, y);                                   \
    }
#define CORR_BLOCK_IMAGE(rows, vectors)                                                        \
    static void CORR_NAME(corr_block_image_##rows##_##vectors)(                                \
        const corr_stencil *s, const void *x, const void *w, void *y) {                        \
        CORR_NAME(stencil_image)(rows, vectors, s, x, w, y);                                   \
    }
CORR_PASTE2(CORR_BLOCKS, CORR_ISA)(CORR_BLOCK)
CORR_PASTE2(CORR_BLOCKS_IMAGE, CORR_ISA)(CORR_BLOCK_IMAGE)
CORR_PASTE2(CORR_REUSES, CORR_ISA)(CORR_REUSE)
#undef CORR_BLOCK
#undef CORR_BLOCK_IMAGE
#undef CORR_REUSE
