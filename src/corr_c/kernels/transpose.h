/* Blocks of V_LANES x V_LANES, turned in registers. */
CORR_INLINE void CORR_NAME(turn_block)(const real *src, int64_t src_row, real *dst,
                                       int64_t dst_row) {
    vec block[V_LANES];
    CORR_UNROLL
    for (int i = 0; i < V_LANES; i++)
        block[i] = v_load(src + i * src_row);
    v_transpose(block);
    CORR_UNROLL
    for (int i = 0; i < V_LANES; i++)
        v_store(dst + i * dst_row, block[i]);
}

/* With fewer rows or columns: a chain of channels is often shorter than a vector. */
static CORR_NOINLINE void CORR_NAME(turn_some)(int64_t down, int64_t across, const real *src, int64_t lds,
                                               real *dst, int64_t ldd) {
    vec block[V_LANES];
    CORR_UNROLL
    for (int r = 0; r < V_LANES; r++)
        block[r] = r < down ? v_load_n(src + r * lds, across) : v_zero();
    v_transpose(block);
    CORR_UNROLL
    for (int r = 0; r < V_LANES; r++)
        if (r < across)
            v_store_n(dst + r * ldd, block[r], down);
}

/* And with something to add and an activation. */
static CORR_NOINLINE void CORR_NAME(turn_part)(int64_t down, int64_t across, const real *src,
                                               int64_t lds, real *dst, int64_t ldd,
                                               const real *bias, const corr_store *store) {
    vec block[V_LANES];
    CORR_UNROLL
    for (int r = 0; r < V_LANES; r++)
        block[r] = r < down ? v_load_n(src + r * lds, across) : v_zero();
    v_transpose(block);
    for (int64_t r = 0; r < across; r++)
        CORR_PREFETCH_WRITE(dst + r * ldd + 4 * V_LANES);
    for (int64_t r = 0; r < across; r++, dst += ldd) {
        vec sum = block[r];
        if (store->accumulate)
            sum = v_add(v_load_n(dst, down), sum);
        if (bias)
            sum = v_add(sum, v_set1(bias[r]));
        v_store_n(dst, CORR_NAME(activate)(sum, store->activation), down);
    }
}

/* Pixels of channels to planes, or back: what was computed with its lanes over the one leaves
 * with the other side by side. A line of columns at a time, unless rows of the result would drive
 * one another out of L1. */
static void CORR_NAME(corr_transpose)(int64_t rows, int64_t columns, const void *src_,
                                      int64_t lds, void *dst_, int64_t ldd,
                                      const corr_store *store) {
    const int64_t line = CORR_CACHE_LINE / (int64_t)sizeof(real);
    const int64_t some = ldd * (int64_t)sizeof(real) % 4096 && line > V_LANES ? line : V_LANES;
    const real *src = src_, *bias = store->bias;
    real *dst = dst_;
    const int plain = !store->accumulate && !bias && store->activation == CORR_LINEAR;
    for (int64_t from = 0; from < columns; from += some)
        for (int64_t i = 0; i < rows; i += V_LANES)
            for (int64_t j = from; j < columns && j < from + some; j += V_LANES) {
                const int64_t across = columns - j < V_LANES ? columns - j : V_LANES;
                const int64_t down = rows - i < V_LANES ? rows - i : V_LANES;
                const real *block = src + i * lds + j;
                if (plain && down == V_LANES && across == V_LANES)
                    CORR_NAME(turn_block)(block, lds, dst + j * ldd + i, ldd);
                else if (plain)
                    CORR_NAME(turn_some)(down, across, block, lds, dst + j * ldd + i, ldd);
                else
                    CORR_NAME(turn_part)(down, across, block, lds, dst + j * ldd + i, ldd,
                                         bias ? bias + j : NULL, store);
            }
}
