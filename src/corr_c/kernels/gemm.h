/* The micro-kernel: a tile of rows x vectors accumulators that live in registers.
 *
 *            b: vectors      each step of k loads one row of b and broadcasts
 *          +--------------+  one element of a for every row of the tile
 *   a: r   |              |
 *      o   |  acc[i][j]   |  fma(broadcast a[i], b[j], acc[i][j])
 *      w   |              |
 *      s   +--------------+
 */
CORR_INLINE vec CORR_NAME(activate)(vec a, corr_activation activation) {
    if (activation == CORR_LINEAR)
        return a;
    a = v_max(v_zero(), a);
    return activation == CORR_RELU6 ? v_min(v_set1(6), a) : a;
}

/* Rows of whole vectors. */
CORR_INLINE void CORR_NAME(gemm_store_whole)(const int vectors, const int along, const int linear, int rows,
                                             const vec *sums, real *c, int64_t ldc,
                                             const corr_store *store) {
    const real *bias = store->bias, *biases = store->column_bias;
    const vec high = v_set1(store->activation == CORR_RELU6 ? 6 : (real)INFINITY);
    vec column[CORR_MAX_VECTORS];
    CORR_UNROLL
    for (int j = 0; along && j < vectors; j++)
        column[j] = v_load(biases + j * V_LANES);
    for (int i = 0; i < rows; i++, c += ldc, sums += vectors) {
        const vec row = v_set1(along ? 0 : bias[i]);
        CORR_UNROLL
        for (int j = 0; j < vectors; j++) {
            const vec sum = v_add(sums[j], along ? column[j] : row);
            v_store(c + j * V_LANES, linear ? sum : v_min(high, v_max(v_zero(), sum)));
        }
    }
}

/* One of two biases, and no sums of before. */
CORR_INLINE void CORR_NAME(gemm_store_most)(const int vectors, int rows, const vec *sums, real *c,
                                            int64_t ldc, const corr_store *store) {
    const int linear = store->activation == CORR_LINEAR;
    if (store->bias && linear)
        CORR_NAME(gemm_store_whole)(vectors, 0, 1, rows, sums, c, ldc, store);
    else if (store->bias)
        CORR_NAME(gemm_store_whole)(vectors, 0, 0, rows, sums, c, ldc, store);
    else if (linear)
        CORR_NAME(gemm_store_whole)(vectors, 1, 1, rows, sums, c, ldc, store);
    else
        CORR_NAME(gemm_store_whole)(vectors, 1, 0, rows, sums, c, ldc, store);
}

static CORR_NOINLINE void CORR_NAME(gemm_store)(int rows, int vectors, const vec *sums, real *c,
                                                int64_t ldc, int64_t columns,
                                                const corr_store *store) {
    const real *bias = store->bias, *biases = store->column_bias;
    if (columns == vectors * V_LANES && !store->accumulate && !bias != !biases) {
        switch (vectors) {
        case 1: CORR_NAME(gemm_store_most)(1, rows, sums, c, ldc, store); return;
        case 2: CORR_NAME(gemm_store_most)(2, rows, sums, c, ldc, store); return;
        case 3: CORR_NAME(gemm_store_most)(3, rows, sums, c, ldc, store); return;
        default: CORR_NAME(gemm_store_most)(4, rows, sums, c, ldc, store); return;
        }
    }
    for (int i = 0; i < rows; i++, c += ldc)
        for (int j = 0; j < vectors; j++, sums++) {
            const int64_t n = columns - j * V_LANES < V_LANES ? columns - j * V_LANES : V_LANES;
            real *to = c + j * V_LANES;
            vec sum = *sums;
            if (store->accumulate)
                sum = v_add(v_load_n(to, n), sum);
            if (bias)
                sum = v_add(sum, v_set1(bias[i]));
            if (biases)
                sum = v_add(sum, v_load_n(biases + j * V_LANES, n));
            sum = CORR_NAME(activate)(sum, store->activation);
            if (n == V_LANES)
                v_store(to, sum);
            else
                v_store_n(to, sum, n);
        }
}

/* Sums of a tile whose epilogue is worth its code: 24 of 32 registers. */
enum { CORR_NAME(LARGE_TILE) = V_MASKED ? 24 : 12 };

/* a[i * a_row + k * a_step]; rows of b lie ldb apart. If there are offsets, they say instead
 * where step k of a or b lies. */
CORR_INLINE void CORR_NAME(gemm_tile)(const int rows, const int vectors, const int64_t a_row,
                                      const int a_step, int64_t k, const real *a,
                                      const int32_t *a_offsets, const real *b, int64_t ldb,
                                      const int32_t *b_offsets, real *c, int64_t ldc,
                                      int64_t columns, const corr_store *store,
                                      const int along, const int fetches, const real *ahead,
                                      const int32_t *ahead_offsets) {
    vec acc[CORR_MAX_ROWS * CORR_MAX_VECTORS];
    CORR_UNROLL
    for (int i = 0; i < rows * vectors; i++)
        acc[i] = v_zero();
    /* Not by tiles that their loads bound. */
    const int fetches_lines = !fetches && vectors > 1 && rows * vectors >= CORR_NAME(LARGE_TILE) / 2;
    const char *line = store->ahead ? store->ahead : (const char *)a;
    for (; k > 0; k--, a += a_step, b += ldb) {
        if (fetches_lines) {
            CORR_PREFETCH_L2(line);
            line += CORR_CACHE_LINE;
        }
        const real *ak = a_offsets ? a + *a_offsets++ : a;
        const real *bk = b_offsets ? b + *b_offsets++ : b;
        if (fetches) {
            CORR_PREFETCH_L2(ahead + *ahead_offsets++);
            CORR_UNROLL
            for (int j = 0; j < vectors * V_LANES; j += CORR_CACHE_LINE / (int)sizeof(real))
                CORR_PREFETCH(b + CORR_STEPS_AHEAD * ldb + j);
        }
        vec bv[CORR_MAX_VECTORS];
        CORR_UNROLL
        for (int j = 0; j < vectors; j++)
            bv[j] = v_load(bk + j * V_LANES);
        CORR_UNROLL
        for (int i = 0; i < rows; i++) {
            vec ai = v_set1(ak[i * a_row]);
            CORR_UNROLL
            for (int j = 0; j < vectors; j++)
                acc[i * vectors + j] = v_fma(ai, bv[j], acc[i * vectors + j]);
        }
    }
    const int accumulate = store->accumulate;
    if (columns == vectors * V_LANES && !store->epilogue) {
        CORR_UNROLL
        for (int i = 0; i < rows; i++, c += ldc) {
            CORR_UNROLL
            for (int j = 0; j < vectors; j++) {
                vec sum = acc[i * vectors + j];
                if (accumulate)
                    sum = v_add(v_load(c + j * V_LANES), sum);
                v_store(c + j * V_LANES, sum);
            }
        }
        return;
    }
    /* The largest tiles, that most of a layer goes through, in floats. */
    const real *bias = along ? store->column_bias : store->bias;
    const real *other = along ? store->bias : store->column_bias;
    if (CORR_PASTE2(CORR_IS_FLOAT32, CORR_TYPE) && rows * vectors >= CORR_NAME(LARGE_TILE) && bias && !other &&
        (V_MASKED || columns == vectors * V_LANES) && !accumulate) {
        const vec low = v_set1(store->activation == CORR_LINEAR ? -(real)INFINITY : 0);
        const vec high = v_set1(store->activation == CORR_RELU6 ? 6 : (real)INFINITY);
        const vmask last = v_mask(0, V_MASKED ? columns - (vectors - 1) * V_LANES : V_LANES);
        CORR_UNROLL
        for (int i = 0; i < rows; i++, c += ldc) {
            CORR_UNROLL
            for (int j = 0; j < vectors; j++) {
                const int whole = !V_MASKED || j < vectors - 1;
                const vec b = !along  ? v_set1(bias[i])
                              : whole ? v_load(bias + j * V_LANES)
                                      : v_load_mask(bias + j * V_LANES, last);
                const vec sum = v_min(high, v_max(low, v_add(acc[i * vectors + j], b)));
                if (whole)
                    v_store(c + j * V_LANES, sum);
                else
                    v_store_mask(c + j * V_LANES, sum, last);
            }
        }
        return;
    }
    /* All else from memory: branches among the accumulators would make the compiler spill. */
    vec sums[CORR_MAX_ROWS * CORR_MAX_VECTORS];
    CORR_UNROLL
    for (int i = 0; i < rows * vectors; i++)
        sums[i] = acc[i];
    CORR_NAME(gemm_store)(rows, vectors, sums, c, ldc, columns, store);
}

#define CORR_GEMM_INSTANCE(rows, vectors)                                                     \
    static void CORR_NAME(corr_gemm_##rows##x##vectors)(                                      \
        int64_t k, const void *a, const void *b, int64_t ldb, void *c, int64_t ldc,           \
        int64_t columns, const corr_store *store) {                                           \
        CORR_NAME(gemm_tile)(rows, vectors, 1, rows, k, a, NULL, b, ldb, NULL, c, ldc,        \
                             columns, store, 0, 0, NULL, NULL);                                  \
    }                                                                                         \
    static void CORR_NAME(corr_gemm_taps_##rows##x##vectors)(                                 \
        int64_t k, const void *a, const void *b, const int32_t *offsets, void *c,             \
        int64_t ldc, int64_t columns, const corr_store *store) {                              \
        CORR_NAME(gemm_tile)(rows, vectors, 1, rows, k, a, NULL, b, 0, offsets, c, ldc,       \
                             columns, store, 0, 0, NULL, NULL);                                  \
    }                                                                                         \
    static void CORR_NAME(corr_gemm_points_##rows##x##vectors)(                               \
        int64_t k, const void *a, int64_t lda, const int32_t *offsets, const void *b,         \
        int64_t ldb, void *c, int64_t ldc, int64_t columns, const corr_store *store) {        \
        CORR_NAME(gemm_tile)(rows, vectors, lda, 0, k, a, offsets, b, ldb, NULL, c, ldc,      \
                             columns, store, 1, 0, NULL, NULL);                                  \
    }
CORR_PASTE2(CORR_TILES, CORR_ISA)(CORR_GEMM_INSTANCE)
#undef CORR_GEMM_INSTANCE

/* For Winograd alone. */
#if CORR_PASTE2(CORR_IS_FLOAT32, CORR_TYPE)
#define CORR_GEMM_LINES_INSTANCE(rows, vectors)                                               \
    static void CORR_NAME(corr_gemm_lines_##rows##x##vectors)(                                \
        int64_t k, const void *a, const void *b, int64_t ldb, void *c, int64_t ldc,           \
        int64_t columns, const corr_store *store, const void *ahead,                          \
        const int32_t *ahead_offsets) {                                                       \
        CORR_NAME(gemm_tile)(rows, vectors, CORR_LINE, 1, k, a, NULL, b, ldb, NULL, c, ldc,   \
                             columns, store, 1, 1, ahead, ahead_offsets);                        \
    }
CORR_PASTE2(CORR_TILES, CORR_ISA)(CORR_GEMM_LINES_INSTANCE)
#undef CORR_GEMM_LINES_INSTANCE
#endif
