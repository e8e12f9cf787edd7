/* The weight gradient of one channel a lane: some rows and columns of taps, a vector of sums each.
 * A vector of gradients is loaded once, and every vector of x that it meets is an operand of its
 * multiply-add: the load ports keep pace with both FMA pipes, and nothing is shifted.
 */
CORR_INLINE void CORR_NAME(weight_lanes)(const int taps_h, const int taps_w,
                                         const corr_weight_lanes *s, const real *x,
                                         const real *gy, real *sums) {
    vec acc[CORR_WEIGHT_TAPS];
    CORR_UNROLL
    for (int k = 0; k < taps_h * taps_w; k++)
        acc[k] = v_zero();
    /* Taps in bytes, of which an address takes one, two or four times as many. */
    const int64_t one = s->x_tap * (int64_t)sizeof(real), three = 3 * one, five = 5 * one;
    for (int64_t i = 0; i < s->rows; i++, x += s->x_next, gy += s->y_row) {
        const real *at = x, *g = gy;
        for (int64_t j = 0; j < s->columns; j++, at += s->x_step, g += s->y_step) {
            const vec gradient = v_load(g);
            CORR_UNROLL
            for (int p = 0; p < taps_h; p++) {
                const char *row = (const char *)(at + p * s->x_row);
                CORR_UNROLL
                for (int q = 0; q < taps_w; q++) {
                    const int64_t tap = q == 3 ? three : q == 5 ? five : q == 6 ? 2 * three : q * one;
                    acc[p * taps_w + q] = v_fma(gradient, v_load((const real *)(const void *)(row + tap)),
                                                acc[p * taps_w + q]);
                }
            }
        }
    }
    CORR_UNROLL
    for (int p = 0; p < taps_h; p++)
        CORR_UNROLL
        for (int q = 0; q < taps_w; q++) {
            real *to = sums + (p * s->sum_row + q) * V_LANES;
            v_store(to, v_add(v_load(to), acc[p * taps_w + q]));
        }
}

#define CORR_WEIGHT_LANES(taps_h, taps_w)                                                      \
    static void CORR_NAME(corr_weight_lanes_##taps_h##_##taps_w)(                              \
        const corr_weight_lanes *s, const void *x, const void *gy, void *sums) {               \
        CORR_NAME(weight_lanes)(taps_h, taps_w, s, x, gy, sums);                               \
    }
CORR_PASTE2(CORR_WEIGHTS_LANES, CORR_ISA)(CORR_WEIGHT_LANES)
#undef CORR_WEIGHT_LANES
