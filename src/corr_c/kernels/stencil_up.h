/* The input gradient of a depthwise layer of stride 2, padded by half the kernel at the left.
 *
 * A march (stencil.h) down the rows of the output's gradient: row t adds to the input's rows
 * 2 t + p, of which pairs move through the registers, even and odd columns apart; they are
 * laced together when they are stored. No zero is inserted anywhere.
 */
CORR_INLINE void CORR_NAME(up_store)(const int vectors, const CORR_NAME(march) *m, const vec *even,
                                     const vec *odd, real *y) {
    CORR_UNROLL
    for (int v = 0; v < vectors; v++) {
        vec low, high;
        v_lace(even[v], odd[v], &low, &high);
        if (v < vectors - 1) {
            v_store(y + 2 * v * V_LANES, low);
            v_store(y + (2 * v + 1) * V_LANES, high);
        } else {
            v_store_mask(y + 2 * v * V_LANES, low, m->stores[0]);
            v_store_mask(y + (2 * v + 1) * V_LANES, high, m->stores[1]);
        }
    }
}

CORR_INLINE void CORR_NAME(up_turn)(const int size, const int vectors, const CORR_NAME(march) *m, int64_t t,
                                    const real *x, const real *w, real *y, vec *acc) {
    const corr_stencil *s = m->s;
    const int slots = (size + 1) / 2, sides = (size / 4 + 1 + V_LANES - 1) / V_LANES;
    if (t < s->row_hi) {
        vec row[2][CORR_MAX_VECTORS + 4];
        CORR_NAME(march_load)(CORR_STENCIL_SHARED, size, 1, vectors, sides, m, x + t * s->x_row, row);
        CORR_UNROLL
        for (int v = 0; v < vectors; v++)
            CORR_PREFETCH(x + t * s->x_row + s->x_ahead + v * V_LANES);
        CORR_UNROLL
        for (int q = size - 1; q >= 0; q--) {
            const int odd = (q + size / 2) % 2, d = (odd + size / 2 - q) / 2;
            CORR_UNROLL
            for (int v = 0; v < vectors; v++) {
                const vec data = CORR_NAME(march_data)(CORR_STENCIL_SHARED, 1, sides, d, v, row);
                CORR_UNROLL
                for (int p = 0; p < size; p++) {
                    const int at = (p * 2 + odd) * vectors + v;
                    acc[at] = v_fma(v_set1(w[p * size + q]), data, acc[at]);
                }
            }
        }
    }
    CORR_UNROLL
    for (int a = 0; a < 2; a++) {
        const int64_t r = 2 * t + a;
        if (r >= s->row_lo && r < s->row_lo + s->rows)
            CORR_NAME(up_store)(vectors, m, acc + 2 * a * vectors, acc + (2 * a + 1) * vectors,
                                y + (r - s->row_lo) * s->y_row);
        CORR_PREFETCH_WRITE(y + (r - s->row_lo) * s->y_row + s->y_ahead);
    }
    CORR_UNROLL
    for (int i = 0; i < 4 * (slots - 1) * vectors; i++)
        acc[i] = acc[i + 4 * vectors];
    CORR_UNROLL
    for (int i = 4 * (slots - 1) * vectors; i < 4 * slots * vectors; i++)
        acc[i] = v_zero();
}

CORR_INLINE void CORR_NAME(stencil_up)(const int size, const int vectors, const corr_stencil *s,
                                       const real *x, const real *w, real *y) {
    const int slots = (size + 1) / 2, sides = (size / 4 + 1 + V_LANES - 1) / V_LANES;
    const int64_t turns = (s->row_lo + s->rows + 1) / 2, last = s->columns - 2 * (vectors - 1) * V_LANES;
    CORR_NAME(march) m;
    m.s = s;
    CORR_NAME(march_masks)(CORR_STENCIL_SHARED, 1, vectors, sides, s, &m);
    m.stores[0] = CORR_NAME(march_mask)(0, last, 0);
    m.stores[1] = CORR_NAME(march_mask)(0, last, V_LANES);
    for (int64_t i = 0; i < s->planes; i++) {
        vec acc[4 * ((CORR_STENCIL_TAPS + 1) / 2) * 2];
        CORR_UNROLL
        for (int k = 0; k < 4 * slots * vectors; k++)
            acc[k] = v_zero();
        for (int64_t t = 0; t < turns; t++)
            CORR_NAME(up_turn)(size, vectors, &m, t, x, w, y, acc);
        x += s->x_plane;
        y += s->y_plane;
        w += s->w_plane;
    }
}

#define CORR_UP(size, vectors)                                                                 \
    static void CORR_NAME(corr_up_##size##_##vectors)(const corr_stencil *s, const void *x,    \
                                                      const void *w, void *y) {                \
        CORR_NAME(stencil_up)(size, vectors, s, x, w, y);                                      \
    }
CORR_PASTE2(CORR_UPS, CORR_ISA)(CORR_UP)
#undef CORR_UP
