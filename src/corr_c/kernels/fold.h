/* Rows of col2im: pixels stay in registers while all their taps are added, and the taps' masks
 * serve all rows. */
CORR_INLINE void CORR_NAME(fold_block)(const int vectors, real *dst, int64_t from, int64_t n,
                                       const corr_fold *f, int add) {
    const int64_t tap_count = f->tap_count, row_count = f->row_count;
    vmask inside[CORR_FOLD_TAPS][CORR_MAX_VECTORS];
    int partly[CORR_FOLD_TAPS];
    for (int64_t t = 0; t < tap_count; t++) {
        int64_t lo = f->taps[t].lo - from, hi = f->taps[t].hi - from;
        lo = lo < 0 ? 0 : lo < n ? lo : n;
        hi = hi < lo ? lo : hi < n ? hi : n;
        partly[t] = lo > 0 || hi < vectors * V_LANES;
        CORR_UNROLL
        for (int j = 0; j < vectors; j++) {
            const int64_t first = lo - j * V_LANES, end = hi - j * V_LANES;
            inside[t][j] = v_mask(first < 0 ? 0 : first < V_LANES ? first : V_LANES,
                                  end < 0 ? 0 : end < V_LANES ? end : V_LANES);
        }
    }
    for (int64_t h = 0; h < f->count; h++, dst += f->dst_step) {
        vec acc[CORR_MAX_VECTORS];
        CORR_UNROLL
        for (int j = 0; j < vectors; j++) {
            const int64_t rest = n - j * V_LANES;
            acc[j] = add ? v_load_n(dst + j * V_LANES, rest < V_LANES ? rest : V_LANES) : v_zero();
        }
        for (int64_t t = 0; t < tap_count; t++) {
            const int64_t at = f->taps[t].at + from + h * f->row_step;
            if (partly[t]) {
                for (int64_t i = 0; i < row_count; i++) {
                    const real *src = (const real *)f->rows[i] + at;
                    CORR_UNROLL
                    for (int j = 0; j < vectors; j++)
                        acc[j] = v_add(acc[j], v_load_mask(src + j * V_LANES, inside[t][j]));
                }
            } else {
                for (int64_t i = 0; i < row_count; i++) {
                    const real *src = (const real *)f->rows[i] + at;
                    CORR_UNROLL
                    for (int j = 0; j < vectors; j++)
                        acc[j] = v_add(acc[j], v_load(src + j * V_LANES));
                }
            }
        }
        CORR_UNROLL
        for (int j = 0; j < vectors; j++) {
            const int64_t rest = n - j * V_LANES;
            if (rest >= V_LANES)
                v_store(dst + j * V_LANES, acc[j]);
            else
                v_store_n(dst + j * V_LANES, acc[j], rest);
        }
    }
}

static void CORR_NAME(corr_fold)(void *dst_, int64_t from, int64_t n, const corr_fold *f, int add) {
    real *dst = dst_;
    for (; n > 3 * V_LANES; n -= 4 * V_LANES, from += 4 * V_LANES, dst += 4 * V_LANES)
        CORR_NAME(fold_block)(4, dst, from, n < 4 * V_LANES ? n : 4 * V_LANES, f, add);
    for (; n > V_LANES; n -= 2 * V_LANES, from += 2 * V_LANES, dst += 2 * V_LANES)
        CORR_NAME(fold_block)(2, dst, from, n < 2 * V_LANES ? n : 2 * V_LANES, f, add);
    if (n > 0)
        CORR_NAME(fold_block)(1, dst, from, n, f, add);
}
