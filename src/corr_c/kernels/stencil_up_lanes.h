/* The input gradient of a depthwise layer of stride 2, a channel a lane: a row of gx, from the rows of
 * gradients and of weights that meet there. Its columns are u = 2m + b, counted from the padding:
 *
 *   gx[u] = sum over rows i, taps t of gy[i][m - t] * w[i][2t + b]
 *
 * Four m at a time, the last of them over those before; beside gradients' rows there are zeros. */
enum { CORR_NAME(UP_SOME) = 4, CORR_NAME(UP_REACH) = (CORR_UP_TAPS - 1) / 2 + CORR_NAME(UP_SOME) };

static CORR_NOINLINE void CORR_NAME(up_lanes_load)(const corr_up_lanes *s, const real *gy, int64_t m,
                                                   int64_t count, real *edge) {
    for (int64_t d = 0; d < count; d++) {
        const int present = m + d >= 0 && m + d < s->columns;
        v_store(edge + d * V_LANES, present ? v_load(gy + (m + d) * s->y_step) : v_zero());
    }
}

static CORR_NOINLINE void CORR_NAME(up_lanes_store)(const corr_up_lanes *s, const real *sums, int64_t u,
                                                    real *gx) {
    for (int c = 0; c < 2 * CORR_NAME(UP_SOME); c++, u++)
        if (u >= 0 && u < s->width)
            v_store(gx + u * s->x_step, v_load(sums + c * V_LANES));
}

CORR_INLINE void CORR_NAME(up_lanes)(const int kw, const corr_up_lanes *s, real *gx) {
    enum { SOME = CORR_NAME(UP_SOME), REACH = CORR_NAME(UP_REACH) };
    const int before = (kw - 1) / 2;
    for (int64_t next = s->first; next < s->end; next += SOME) {
        const int64_t m = next + SOME > s->end ? s->end - SOME : next;
        const int inside = m >= before && m + SOME <= s->columns;
        vec acc[2 * SOME];
        CORR_UNROLL
        for (int c = 0; c < 2 * SOME; c++)
            acc[c] = v_zero();
        for (int64_t i = 0; i < s->rows; i++) {
            real edge[REACH * V_LANES];
            const real *from = edge, *gy = s->gy[i], *w = s->w[i];
            const int64_t step = inside ? s->y_step : V_LANES;
            if (inside)
                from = gy + (m - before) * step;
            else
                CORR_NAME(up_lanes_load)(s, gy, m - before, before + SOME, edge);
            vec data[REACH];
            CORR_UNROLL
            for (int d = 0; d < before + SOME; d++)
                data[d] = v_load(from + d * step);
            CORR_UNROLL
            for (int q = 0; q < kw; q++) {
                const vec wq = v_load(w + q * V_LANES);
                CORR_UNROLL
                for (int c = 0; c < SOME; c++)
                    acc[2 * c + q % 2] = v_fma(wq, data[before + c - q / 2], acc[2 * c + q % 2]);
            }
        }
        const int whole = 2 * m >= s->pad && 2 * (m + SOME) <= s->width + s->pad;
        const int64_t step = whole ? s->x_step : V_LANES;
        real sums[2 * SOME * V_LANES], *to = whole ? gx + (2 * m - s->pad) * step : sums;
        CORR_UNROLL
        for (int c = 0; c < 2 * SOME; c++)
            v_store(to + c * step, acc[c]);
        if (!whole)
            CORR_NAME(up_lanes_store)(s, sums, 2 * m - s->pad, gx);
    }
}

#define CORR_UP_LANES(kw)                                                                      \
    static void CORR_NAME(corr_up_lanes_##kw)(const corr_up_lanes *s, void *gx) {              \
        CORR_NAME(up_lanes)(kw, s, gx);                                                        \
    }
CORR_PASTE2(CORR_UPS_LANES, CORR_ISA)(CORR_UP_LANES)
#undef CORR_UP_LANES
