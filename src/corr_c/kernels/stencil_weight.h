/* The weight gradient of one channel: some rows and columns of taps, a vector of sums each.
 *
 * As a march (stencil.h), but what moves through the registers are the rows of the output's gradient:
 * input row r is loaded once, shifted by q, and meets the gradient's rows r, r - 1, r - 2 for taps
 * p = 0, 1, 2.
 */
CORR_INLINE void CORR_NAME(weight_turn)(const int taps_h, const int taps_w, const int step,
                                        const corr_stencil *s, const vmask *masks, vmask lanes,
                                        int64_t t, const real *x, const real *gy, vec *rows,
                                        vec *acc) {
    const int slots = (taps_h + step - 1) / step;
    CORR_PREFETCH(gy + t * s->y_row + s->y_ahead);
    if (s->y_far)
        CORR_PREFETCH(gy + t * s->y_row + s->y_far);
    CORR_UNROLL
    for (int i = slots - 1; i > 0; i--)
        rows[i] = rows[i - 1];
    rows[0] = t < s->rows ? v_load_mask(gy + t * s->y_row, lanes) : v_zero();
    CORR_UNROLL
    for (int a = 0; a < step; a++) {
        const int64_t r = t * step + a;
        if (r < s->row_lo || r >= s->row_hi)
            continue;
        const real *xr = x + r * s->x_row;
        CORR_PREFETCH(xr + s->x_ahead);
        if (s->x_far)
            CORR_PREFETCH(xr + s->x_far);
        if (step == 2)
            CORR_PREFETCH(xr + s->x_ahead + V_LANES);
        vec data[CORR_STENCIL_TAPS + 1];
        CORR_UNROLL
        for (int q = 0; q < taps_w; q++) {
            if (step == 1)
                data[q] = v_load_mask(xr + q * s->x_tap, masks[q]);
            else if (q % 2 == 0)
                v_split(v_load_mask(xr + q, masks[q]), v_load_mask(xr + q + V_LANES, masks[q + 1]),
                        &data[q], &data[q + 1]);
            CORR_UNROLL
            for (int p = a; p < taps_h; p += step)
                acc[p * taps_w + q] = v_fma(data[q], rows[p / step], acc[p * taps_w + q]);
        }
    }
}

CORR_INLINE void CORR_NAME(weight_march)(const int taps_h, const int taps_w, const int step,
                                         const corr_stencil *s, const real *x, const real *gy,
                                         real *sums) {
    const int slots = (taps_h + step - 1) / step;
    const int64_t turns = s->rows + slots - 1;
    const vmask lanes = v_mask(0, s->columns);
    vec acc[CORR_WEIGHT_TAPS], rows[CORR_STENCIL_TAPS];
    vmask masks[CORR_STENCIL_TAPS + 1];
    for (int q = 0; q < taps_w; q++) {
        if (step == 1) {
            masks[q] = CORR_NAME(march_mask)(s->column_lo, s->column_hi, q * s->dilation);
        } else if (q % 2 == 0) {
            masks[q] = CORR_NAME(march_mask)(s->column_lo, s->column_hi, q);
            masks[q + 1] = CORR_NAME(march_mask)(s->column_lo, s->column_hi, q + V_LANES);
        }
    }
    CORR_UNROLL
    for (int k = 0; k < taps_h * taps_w; k++)
        acc[k] = v_load(sums + k * V_LANES);
    CORR_UNROLL
    for (int i = 0; i < slots; i++)
        rows[i] = v_zero();
    for (int64_t t = 0; t < turns; t++)
        CORR_NAME(weight_turn)(taps_h, taps_w, step, s, masks, lanes, t, x, gy, rows, acc);
    CORR_UNROLL
    for (int k = 0; k < taps_h * taps_w; k++)
        v_store(sums + k * V_LANES, acc[k]);
}

#define CORR_WEIGHT(taps_h, taps_w, step)                                                      \
    static void CORR_NAME(corr_weight_##taps_h##_##taps_w##_##step)(                           \
        const corr_stencil *s, const void *x, const void *gy, void *sums) {                    \
        CORR_NAME(weight_march)(taps_h, taps_w, step, s, x, gy, sums);                         \
    }
CORR_PASTE2(CORR_WEIGHTS, CORR_ISA)(CORR_WEIGHT)
#undef CORR_WEIGHT

/* All taps of a 3x3 kernel, several vectors at a time: a row is loaded once and shifted in
 * registers, as stencil.h does it. */
CORR_INLINE void CORR_NAME(weight3_turn)(const int step, const int vectors,
                                         const CORR_NAME(march) *m, int64_t t, const real *x,
                                         const real *gy, vec *rows, vec *acc) {
    const corr_stencil *s = m->s;
    const int slots = (3 + step - 1) / step, sides = (1 / step + (step == 2) + V_LANES - 1) / V_LANES;
    CORR_UNROLL
    for (int i = slots * vectors - 1; i >= vectors; i--)
        rows[i] = rows[i - vectors];
    CORR_UNROLL
    for (int v = 0; v < vectors; v++) {
        const real *from = gy + t * s->y_row + v * V_LANES;
        rows[v] = t >= s->rows ? v_zero() : v == vectors - 1 ? v_load_mask(from, m->stores[0]) : v_load(from);
        CORR_PREFETCH(from + s->y_ahead);
        if (s->y_far)
            CORR_PREFETCH(from + s->y_far);
    }
    CORR_UNROLL
    for (int a = 0; a < step; a++) {
        const int64_t r = t * step + a;
        if (r < s->row_lo || r >= s->row_hi)
            continue;
        vec row[2][CORR_MAX_VECTORS + 4];
        CORR_NAME(march_load)(CORR_STENCIL_SHARED, 3, step, vectors, sides, m, x + r * s->x_row, row);
        CORR_UNROLL
        for (int v = 0; v < vectors * step; v++)
            CORR_PREFETCH(x + r * s->x_row + s->x_ahead + v * V_LANES);
        if (s->x_far) {
            CORR_UNROLL
            for (int v = 0; v < vectors * step; v++)
                CORR_PREFETCH(x + r * s->x_row + s->x_far + v * V_LANES);
        }
        CORR_UNROLL
        for (int q = 0; q < 3; q++)
            CORR_UNROLL
            for (int v = 0; v < vectors; v++) {
                const vec data = CORR_NAME(march_data)(CORR_STENCIL_SHARED, step, sides, q - 1, v, row);
                CORR_UNROLL
                for (int p = a; p < 3; p += step)
                    acc[p * 3 + q] = v_fma(data, rows[p / step * vectors + v], acc[p * 3 + q]);
            }
    }
}

CORR_INLINE void CORR_NAME(weight3)(const int step, const int vectors, const corr_stencil *s,
                                    const real *x, const real *gy, real *sums) {
    const int slots = (3 + step - 1) / step, sides = (1 / step + (step == 2) + V_LANES - 1) / V_LANES;
    const int64_t turns = s->rows + slots - 1;
    vec acc[9], rows[3 * CORR_MAX_VECTORS];
    CORR_NAME(march) m;
    m.s = s;
    CORR_NAME(march_masks)(CORR_STENCIL_SHARED, step, vectors, sides, s, &m);
    CORR_UNROLL
    for (int k = 0; k < 9; k++)
        acc[k] = v_load(sums + k * V_LANES);
    CORR_UNROLL
    for (int i = 0; i < slots * vectors; i++)
        rows[i] = v_zero();
    for (int64_t t = 0; t < turns; t++)
        CORR_NAME(weight3_turn)(step, vectors, &m, t, x, gy, rows, acc);
    CORR_UNROLL
    for (int k = 0; k < 9; k++)
        v_store(sums + k * V_LANES, acc[k]);
}

#define CORR_WEIGHT3(step, vectors)                                                            \
    static void CORR_NAME(corr_weight3_##step##_##vectors)(                                    \
        const corr_stencil *s, const void *x, const void *gy, void *sums) {                    \
        CORR_NAME(weight3)(step, vectors, s, x, gy, sums);                                     \
    }
CORR_PASTE2(CORR_WEIGHTS3, CORR_ISA)(CORR_WEIGHT3)
#undef CORR_WEIGHT3

/* to[k * step] += the lanes of sums[k], summed; the sums are zero then. */
static void CORR_NAME(corr_add_lanes)(int64_t n, void *sums_, void *to_, int64_t step) {
    real *sums = sums_, *to = to_;
    for (int64_t k = 0; k < n; k++, sums += V_LANES) {
        to[k * step] += v_sum(v_load(sums));
        v_store(sums, v_zero());
    }
}
