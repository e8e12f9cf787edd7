/* Channels-last: a lane a channel, a vector a column of outputs. Down the rows as in stencil.h;
 * the taps of a row are other vectors, so nothing is shifted, and at the edges they are left
 * out by empty masks. */
CORR_INLINE void CORR_NAME(lanes_turn)(const int kh, const int kept, const int step,
                                       const int vectors, const corr_stencil *s,
                                       const vmask *masks, const vec *weights, vmask lanes,
                                       int64_t t, const real *x, const real *w, real *y,
                                       vec bias, vec low, vec high, vec *acc) {
    const int slots = (kh + step - 1) / step, done = slots - 1;
    const int64_t kw = kept ? kept : s->kw;
    CORR_UNROLL
    for (int a = 0; a < step; a++) {
        const int64_t r = t * step + a;
        if (r < s->row_lo || r >= s->row_hi)
            continue;
        const real *xr = x + r * s->x_row;
        for (int64_t q = 0; q < kw; q++, xr += s->x_tap) {
            vec data[CORR_MAX_VECTORS];
            CORR_UNROLL
            for (int v = 0; v < vectors; v++)
                data[v] = v_load_mask(xr + v * s->x_vector, masks[q * vectors + v]);
            CORR_UNROLL
            for (int p = a; p < kh; p += step) {
                const int slot = p / step;
                const vec wp = kept ? weights[q * kh + p] : v_load(w + q * s->w_tap + p * s->w_row);
                CORR_UNROLL
                for (int v = 0; v < vectors; v++)
                    acc[slot * vectors + v] = v_fma(wp, data[v], acc[slot * vectors + v]);
            }
        }
    }
    if (t >= slots - 1) {
        CORR_UNROLL
        for (int v = 0; v < vectors; v++) {
            const vec sum = v_add(acc[done * vectors + v], bias);
            v_store_mask(y + (t - slots + 1) * s->y_row + v * s->y_vector,
                         v_min(high, v_max(low, sum)), lanes);
        }
    }
    CORR_UNROLL
    for (int i = slots * vectors - 1; i >= vectors; i--)
        acc[i] = acc[i - vectors];
    CORR_UNROLL
    for (int v = 0; v < vectors; v++)
        acc[v] = v_zero();
}

CORR_INLINE void CORR_NAME(stencil_lanes)(const int kh, const int kept, const int step,
                                          const int vectors, const corr_stencil *s, const real *x,
                                          const real *w, real *y) {
    const int slots = (kh + step - 1) / step;
    const int64_t kw = kept ? kept : s->kw, turns = s->rows + slots - 1;
    const vmask lanes = v_mask(0, s->columns);
    const vec low = v_set1(s->activation == CORR_LINEAR ? -(real)INFINITY : 0);
    const vec high = v_set1(s->activation == CORR_RELU6 ? 6 : (real)INFINITY);
    const vec bias = s->bias ? v_load_mask(s->bias, lanes) : v_zero();
    vmask masks[CORR_STENCIL_TAPS * CORR_MAX_VECTORS];
    vec acc[CORR_STENCIL_TAPS * CORR_MAX_VECTORS], weights[9];
    for (int64_t q = 0; q < kw; q++)
        for (int v = 0; v < vectors; v++) {
            const int64_t at = v * step + q * s->dilation;
            const int present = at >= s->column_lo && at < s->column_hi;
            masks[q * vectors + v] = v_mask(0, present ? s->columns : 0);
        }
    if (kept) {
        CORR_UNROLL
        for (int k = 0; k < kh * kept; k++)
            weights[k] = v_load(w + k / kh * s->w_tap + k % kh * s->w_row);
    }
    CORR_UNROLL
    for (int i = 0; i < slots * vectors; i++)
        acc[i] = v_zero();
    for (int64_t t = 0; t < turns; t++)
        CORR_NAME(lanes_turn)(kh, kept, step, vectors, s, masks, weights, lanes, t, x, w, y, bias, low, high, acc);
}

#define CORR_LANES(kh, kept, step, vectors)                                                    \
    static void CORR_NAME(corr_lanes_##kh##_##step##_##vectors)(                               \
        const corr_stencil *s, const void *x, const void *w, void *y) {                        \
        CORR_NAME(stencil_lanes)(kh, kept, step, vectors, s, x, w, y);                         \
    }
CORR_PASTE3(CORR_LANES_MARCHES, CORR_TYPE, CORR_ISA)(CORR_LANES)
#undef CORR_LANES
