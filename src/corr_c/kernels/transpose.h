/* A tile turned: what was computed with its lanes over channels leaves as planes of pixels. */
static void CORR_NAME(corr_transpose)(int64_t rows, int64_t columns, const void *src_,
                                      int64_t lds, void *dst_, int64_t ldd,
                                      const corr_store *store) {
    const real *src = src_, *bias = store->bias;
    real *dst = dst_;
    for (int64_t j = 0; j < columns; j += V_LANES) {
        const int64_t across = columns - j < V_LANES ? columns - j : V_LANES;
        for (int64_t i = 0; i < rows; i += V_LANES) {
            const int64_t down = rows - i < V_LANES ? rows - i : V_LANES;
            vec block[V_LANES];
            CORR_UNROLL
            for (int r = 0; r < V_LANES; r++)
                block[r] = r < down ? v_load_n(src + (i + r) * lds + j, across) : v_zero();
            v_transpose(block);
            for (int64_t r = 0; r < across; r++)
                CORR_PREFETCH_WRITE(dst + (j + r) * ldd + i + 4 * V_LANES);
            for (int64_t r = 0; r < across; r++) {
                vec sum = block[r];
                if (store->accumulate)
                    sum = v_add(v_load_n(dst + (j + r) * ldd + i, down), sum);
                if (bias)
                    sum = v_add(sum, v_set1(bias[j + r]));
                v_store_n(dst + (j + r) * ldd + i, CORR_NAME(activate)(sum, store->activation),
                          down);
            }
        }
    }
}
