/* Channels-last, along the rows, some rows of outputs at a time. Where there are 16 registers: all
 * channels of a pixel, then the next pixel. Image and outputs are met from end to end, as prefetchers
 * foresee. What is loaded of a row serves all rows of outputs that have a tap there, while their taps
 * stay in registers: every second row's at a step of 2. */
CORR_INLINE void CORR_NAME(band_sums)(const int kh, const int step, const int rows, const int vectors,
                                      const int some, const corr_stencil *s, const real *x,
                                      const real *w, vec *acc) {
    const int64_t x_row = s->x_row, w_tap = vectors * V_LANES, w_row = s->kw * w_tap;
    const uint64_t present = s->row_hi > s->row_lo ? (uint64_t)(s->row_hi - s->row_lo) : 0;
    CORR_UNROLL
    for (int i = 0; i < rows * vectors; i++)
        acc[i] = v_zero();
    for (int64_t q = s->column_lo; q < s->column_hi; q++, x += s->x_tap, w += w_tap)
        CORR_UNROLL
        for (int v = 0; v < vectors; v++) {
            vec taps[CORR_BAND_TAPS];
            CORR_UNROLL
            for (int a = 0; a < step; a++) {
                const real *xr = x + a * x_row + v * V_LANES, *wr = w + a * w_row + v * V_LANES;
                CORR_UNROLL
                for (int r = a; r < (rows - 1) * step + kh; r += step, xr += step * x_row) {
                    if (r < kh) {
                        taps[r] = v_load(wr);
                        wr += step * w_row;
                    }
                    if (some && (uint64_t)(r - s->row_lo) >= present)
                        continue;
                    vec data = v_load(xr);
                    if (kh == 3) /* there are registers for that */
                        CORR_IN_REGISTER(data);
                    CORR_UNROLL
                    for (int i = 0; i < rows; i++)
                        if (r >= i * step && r < i * step + kh)
                            acc[i * vectors + v] = v_fma(taps[r - i * step], data, acc[i * vectors + v]);
                }
            }
        }
}

CORR_INLINE void CORR_NAME(band_pixels)(const int kh, const int step, const int rows, const int vectors,
                                        const int some, const corr_stencil *s, const real *x,
                                        const real *w, real *y) {
    const int64_t last = s->columns - vectors * V_LANES, kernels = kh * s->kw * vectors * V_LANES;
    const real *bias = s->bias;
    x += s->column_lo * s->x_tap;
    w += s->column_lo * vectors * V_LANES;
    for (int64_t n = s->strips; n > 0; n--, x += s->x_vector, y += s->y_vector) {
        const real *wc = w;
        for (int64_t c = 0; c < s->columns; c += vectors * V_LANES, wc += kernels) {
            vec acc[CORR_BAND_SUMS];
            c = c < last ? c : last; /* overlaps the channels before it */
            CORR_NAME(band_sums)(kh, step, rows, vectors, some, s, x + c, wc, acc);
            if (s->epilogue) {
                const vec low = v_set1(s->activation == CORR_LINEAR ? -(real)INFINITY : 0);
                const vec high = v_set1(s->activation == CORR_RELU6 ? 6 : (real)INFINITY);
                CORR_UNROLL
                for (int v = 0; v < vectors; v++) {
                    const vec b = bias ? v_load(bias + c + v * V_LANES) : v_zero();
                    CORR_UNROLL
                    for (int i = 0; i < rows; i++)
                        acc[i * vectors + v] = v_min(high, v_max(low, v_add(acc[i * vectors + v], b)));
                }
            }
            CORR_UNROLL
            for (int i = 0; i < rows; i++)
                CORR_UNROLL
                for (int v = 0; v < vectors; v++)
                    v_store(y + i * s->y_row + c + v * V_LANES, acc[i * vectors + v]);
        }
    }
}

#define CORR_BAND(kh, step, rows, vectors)                                                     \
    static void CORR_NAME(corr_band_##kh##_##step)(const corr_stencil *s, const void *x,       \
                                                   const void *w, void *y) {                   \
        if (s->row_lo > 0 || s->row_hi < (rows - 1) * step + kh)                               \
            CORR_NAME(band_pixels)(kh, step, rows, vectors, 1, s, x, w, y);                    \
        else                                                                                   \
            CORR_NAME(band_pixels)(kh, step, rows, vectors, 0, s, x, w, y);                    \
    }
CORR_PASTE2(CORR_BANDS, CORR_ISA)(CORR_BAND)
#undef CORR_BAND

/* Planes, likewise: vectors of a row's columns, `vectors` of them and then the next. At an edge rows
 * may be absent, and columns outside the image are loaded as zeros. */
CORR_INLINE vec CORR_NAME(band_columns)(const int step, const int edge, const real *x, const vmask *masks) {
    const vec a = edge ? v_load_mask(x, masks[0]) : v_load(x);
    if (step == 1)
        return a;
    vec even, odd;
    const vec b = edge ? v_load_mask(x + V_LANES, masks[1]) : v_load(x + V_LANES);
    v_split(a, b, &even, &odd);
    return even;
}

CORR_INLINE void CORR_NAME(plane_sums)(const int kh, const int step, const int rows, const int vectors,
                                       const int edge, const corr_stencil *s, const real *x, int64_t at,
                                       const real *w, vec *acc) {
    const int64_t kw = s->kw, x_row = s->x_row, x_tap = s->x_tap;
    const uint64_t present = s->row_hi > s->row_lo ? (uint64_t)(s->row_hi - s->row_lo) : 0;
    CORR_UNROLL
    for (int i = 0; i < rows * vectors; i++)
        acc[i] = v_zero();
    for (int64_t q = 0; q < kw; q++, x += x_tap, at += x_tap, w++) {
        vmask masks[2 * CORR_MAX_VECTORS];
        if (edge) {
            CORR_UNROLL
            for (int v = 0; v < vectors * step; v++) {
                const int64_t lo = CORR_NAME(clamp)(s->column_lo - at - v * V_LANES, 0, V_LANES);
                masks[v] = v_mask(lo, CORR_NAME(clamp)(s->column_hi - at - v * V_LANES, lo, V_LANES));
            }
        }
        CORR_UNROLL
        for (int a = 0; a < step; a++) {
            vec taps[CORR_BAND_TAPS];
            const real *xr = x + a * x_row, *wr = w + a * kw;
            CORR_UNROLL
            for (int r = a; r < (rows - 1) * step + kh; r += step, xr += step * x_row) {
                if (r < kh) {
                    taps[r] = v_set1(*wr);
                    wr += step * kw;
                }
                if (edge && (uint64_t)(r - s->row_lo) >= present)
                    continue;
                CORR_UNROLL
                for (int v = 0; v < vectors; v++) {
                    vec data = CORR_NAME(band_columns)(step, edge, xr + v * step * V_LANES, masks + v * step);
                    if (V_MASKED)
                        CORR_IN_REGISTER(data);
                    CORR_UNROLL
                    for (int i = 0; i < rows; i++)
                        if (r >= i * step && r < i * step + kh)
                            acc[i * vectors + v] = v_fma(taps[r - i * step], data, acc[i * vectors + v]);
                }
            }
        }
    }
}

/* Out of line: a loop around sums has no registers for more. */
static CORR_NOINLINE void CORR_NAME(band_fetch)(const corr_stencil *s, const real *x, int rows, int vectors) {
    CORR_HAS_EFFECT();
    x += s->x_ahead;
    for (int r = 0; r < rows; r++, x += s->x_row)
        for (int v = 0; v < vectors; v += CORR_NAME(LINE_VECTORS))
            CORR_PREFETCH(x + v * V_LANES);
}

CORR_INLINE void CORR_NAME(band_planes)(const int kh, const int step, const int rows, const int vectors,
                                        const int edge, const corr_stencil *s, const real *x,
                                        const real *w, real *y) {
    const real *bias = s->bias;
    for (int64_t n = 0; n < s->strips; n++, y += vectors * V_LANES) {
        vec acc[CORR_BAND_ROWS * CORR_MAX_VECTORS];
        const int64_t at = n * vectors * V_LANES * step;
        if (!edge)
            CORR_NAME(band_fetch)(s, x + at, rows * step, vectors * step);
        CORR_NAME(plane_sums)(kh, step, rows, vectors, edge, s, x + at, at, w, acc);
        if (s->epilogue) {
            const vec low = v_set1(s->activation == CORR_LINEAR ? -(real)INFINITY : 0);
            const vec high = v_set1(s->activation == CORR_RELU6 ? 6 : (real)INFINITY);
            const vec b = bias ? v_set1(*bias) : v_zero();
            CORR_UNROLL
            for (int i = 0; i < rows * vectors; i++)
                acc[i] = v_min(high, v_max(low, v_add(acc[i], b)));
        }
        CORR_UNROLL
        for (int i = 0; i < rows; i++)
            CORR_UNROLL
            for (int v = 0; v < vectors; v++) {
                real *to = y + i * s->y_row + v * V_LANES;
                const int64_t n = s->columns - v * V_LANES;
                if (!edge || n >= V_LANES)
                    v_store(to, acc[i * vectors + v]);
                else if (n > 0)
                    v_store_n(to, acc[i * vectors + v], n);
            }
    }
}

#define CORR_BAND_PLANES(kh, step, rows, vectors)                                                  \
    static void CORR_NAME(corr_band_planes_##kh##_##step)(const corr_stencil *s, const void *x,    \
                                                          const void *w, void *y) {                \
        const int64_t last = (s->strips * vectors * V_LANES - 1) * step + (s->kw - 1) * s->x_tap + 1;  \
        if (s->row_lo > 0 || s->row_hi < (rows - 1) * step + kh || s->column_lo > 0 ||             \
            s->column_hi < last + step - 1 || s->columns < vectors * V_LANES)                      \
            CORR_NAME(band_planes)(kh, step, rows, vectors, 1, s, x, w, y);                        \
        else                                                                                       \
            CORR_NAME(band_planes)(kh, step, rows, vectors, 0, s, x, w, y);                        \
    }
CORR_PASTE2(CORR_BANDS_PLANES, CORR_ISA)(CORR_BAND_PLANES)
#undef CORR_BAND_PLANES
