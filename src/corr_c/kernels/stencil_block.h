/* A block of output rows against a kernel of any size: each loaded vector serves all rows of
 * the block, each weight all its vectors.
 *
 *   input row r, tap q:  data = x[r][q ..]     acc[i] += w[r - i][q] * data, for every row i
 */
CORR_INLINE int64_t CORR_NAME(clamp)(int64_t a, int64_t lo, int64_t hi) {
    return a < lo ? lo : a > hi ? hi : a;
}

/* Lanes of vector v that have an output. */
CORR_INLINE int64_t CORR_NAME(block_lanes)(const corr_stencil *s, int64_t v) {
    return CORR_NAME(clamp)(s->columns - v * V_LANES, 0, V_LANES);
}

/* A vector of inputs, `step` apart, in which lanes whose column is no column of x are zero. */
CORR_INLINE vec CORR_NAME(stencil_load)(const corr_stencil *s, const int any, const real *x,
                                        int64_t at, int64_t lanes) {
    const int64_t step = s->step;
    int64_t lo = s->column_lo - at, hi = s->column_hi - at;
    /* Most vectors of a strip at an edge do not meet it, and masks are dear. What lies beyond
     * the last output but in the image may be read. */
    if (lo <= 0 && hi >= (any ? step : 1) * V_LANES) {
        if (!any || s->x_step == 1)
            return v_load(x);
        if (s->x_step == 2 && step == 2) {
            vec even, odd;
            v_split(v_load(x), v_load(x + V_LANES), &even, &odd);
            return even;
        }
    }
    if (any && step != 1) {
        lo = lo <= 0 ? 0 : (lo + step - 1) / step;
        hi = hi <= 0 ? 0 : (hi + step - 1) / step;
    }
    lo = CORR_NAME(clamp)(lo, 0, lanes);
    hi = CORR_NAME(clamp)(hi, lo, lanes);
    if (any && s->x_step != 1)
        return CORR_NAME(load_run)(x, s->x_step, lo, hi);
    return v_load_range(x, lo, hi);
}

/* Input row r, for the sums of output rows first .. last of the block. */
CORR_INLINE void CORR_NAME(stencil_row)(const int rows, const int vectors, const int masked,
                                        const int first, const int last, const corr_stencil *s,
                                        const real *x, const real *w, vec *acc) {
    const int any = rows == 1;
    const int64_t kw = s->kw, x_tap = s->x_tap, x_vector = any ? s->x_vector : V_LANES;
    for (int64_t q = 0; q < kw; q++, x += x_tap) {
        vec data[CORR_MAX_VECTORS];
        if (any && masked) { /* loads with branches: one at a time in registers */
            const vec wq = v_set1(w[q]);
            CORR_UNROLL
            for (int v = 0; v < vectors; v++)
                acc[v] = v_fma(wq, CORR_NAME(stencil_load)(s, any, x + v * x_vector,
                                                           q * s->dilation + v * V_LANES * s->step,
                                                           CORR_NAME(block_lanes)(s, v)), acc[v]);
            continue;
        }
        CORR_UNROLL
        for (int v = 0; v < vectors; v++)
            data[v] = masked ? CORR_NAME(stencil_load)(s, any, x + v * x_vector,
                                                       q * s->dilation + v * V_LANES,
                                                       CORR_NAME(block_lanes)(s, v))
                             : v_load(x + v * V_LANES);
        CORR_UNROLL
        for (int i = first; i <= last; i++) {
            const vec wi = v_set1(w[q - i * kw]);
            CORR_UNROLL
            for (int v = 0; v < vectors; v++)
                acc[i * vectors + v] = v_fma(wi, data[v], acc[i * vectors + v]);
        }
    }
}

static CORR_NOINLINE void CORR_NAME(stencil_store)(int rows, int vectors, const corr_stencil *s,
                                                   const real *sums, real *y) {
    const real *b = s->bias;
    const vec bias = b ? v_set1(*b) : v_zero();
    for (int i = 0; i < rows; i++, y += s->y_row)
        for (int v = 0; v < vectors; v++, sums += V_LANES) {
            const int64_t lanes = CORR_NAME(block_lanes)(s, v);
            const vec sum = CORR_NAME(activate)(v_add(v_load(sums), bias), s->activation);
            real *to = y + v * s->y_vector;
            if (s->y_step != 1) {
                real lane[V_LANES];
                v_store(lane, sum);
                for (int64_t l = 0; l < lanes; l++)
                    to[l * s->y_step] = lane[l];
            } else if (lanes == V_LANES) {
                v_store(to, sum);
            } else {
                v_store_n(to, sum, lanes);
            }
        }
}

/* One block of exactly `rows` rows of outputs; more than one only with a stride of 1, and no
 * more than the kernel is high. */
CORR_INLINE void CORR_NAME(stencil_block)(const int rows, const int vectors, const int masked,
                                          const corr_stencil *s, const real *x, const real *w,
                                          real *y) {
    const int64_t kh = s->kh, kw = s->kw, lo = s->row_lo, hi = s->row_hi;
    vec acc[CORR_STENCIL_ROWS * CORR_MAX_VECTORS];
    CORR_UNROLL
    for (int i = 0; i < rows * vectors; i++)
        acc[i] = v_zero();
    CORR_UNROLL
    for (int r = 0; r < rows - 1; r++)
        if (r >= lo && r < hi)
            CORR_NAME(stencil_row)(rows, vectors, masked, 0, r, s, x + r * s->x_row, w + r * kw, acc);
    const int64_t from = lo > rows - 1 ? lo : rows - 1, end = hi < kh ? hi : kh;
    for (int64_t r = from; r < end; r++)
        CORR_NAME(stencil_row)(rows, vectors, masked, 0, rows - 1, s, x + r * s->x_row, w + r * kw, acc);
    CORR_UNROLL
    for (int e = 0; e < rows - 1; e++)
        if (kh + e >= lo && kh + e < hi)
            CORR_NAME(stencil_row)(rows, vectors, masked, e + 1, rows - 1, s, x + (kh + e) * s->x_row,
                                   w + (kh + e) * kw, acc);
    if (!masked && !s->epilogue) {
        CORR_UNROLL
        for (int i = 0; i < rows; i++)
            CORR_UNROLL
            for (int v = 0; v < vectors; v++)
                v_store(y + i * s->y_row + v * V_LANES, acc[i * vectors + v]);
        return;
    }
    real sums[CORR_STENCIL_ROWS * CORR_MAX_VECTORS * V_LANES];
    CORR_UNROLL
    for (int i = 0; i < rows * vectors; i++)
        v_store(sums + i * V_LANES, acc[i]);
    CORR_NAME(stencil_store)(rows, vectors, s, sums, y);
}

#define CORR_BLOCK(rows, vectors)                                                              \
    static void CORR_NAME(corr_block_##rows##_##vectors)(                                      \
        const corr_stencil *s, const void *x, const void *w, void *y) {                        \
        CORR_NAME(stencil_block)(rows, vectors, 1, s, x, w, y);                                \
    }                                                                                          \
    static void CORR_NAME(corr_block_inside_##rows##_##vectors)(                               \
        const corr_stencil *s, const void *x, const void *w, void *y) {                        \
        CORR_NAME(stencil_block)(rows, vectors, 0, s, x, w, y);                                \
    }
CORR_PASTE2(CORR_BLOCKS, CORR_ISA)(CORR_BLOCK)
#undef CORR_BLOCK
