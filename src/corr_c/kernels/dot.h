/* The weight gradient's tile with its lanes along the pixels, for few channels a group: some
 * output channels' gradients, where they lie, against runs of a slab of the input, one for
 * every tap of every input channel. A masked vector ends each run of pixels.
 *
 * One vector of b is held at a time, so that rows * columns accumulators and a's rows are all
 * that fills the registers. */
CORR_INLINE void CORR_NAME(dot_tile)(const int rows, const int columns,
                                     const corr_segment *segment, int64_t segments,
                                     const real *a, int64_t a_row, const real *b,
                                     const int32_t *offsets, real *c, int64_t ldc,
                                     int accumulate) {
    vec acc[CORR_DOT_MAX_ROWS * CORR_DOT_MAX_COLUMNS];
    const real *from[CORR_DOT_MAX_COLUMNS];
    CORR_UNROLL
    for (int i = 0; i < rows * columns; i++)
        acc[i] = v_zero();
    CORR_UNROLL
    for (int j = 0; j < columns; j++)
        from[j] = b + offsets[j];
    for (; segments > 0; segments--, segment++) {
        const real *ak = a + segment->a;
        int64_t at = segment->b, n = segment->count;
        for (; n >= V_LANES; n -= V_LANES, ak += V_LANES, at += V_LANES) {
            vec av[CORR_DOT_MAX_ROWS];
            CORR_UNROLL
            for (int i = 0; i < rows; i++)
                av[i] = v_load(ak + i * a_row);
            CORR_UNROLL
            for (int j = 0; j < columns; j++) {
                const vec bj = v_load(from[j] + at);
                CORR_UNROLL
                for (int i = 0; i < rows; i++)
                    acc[i * columns + j] = v_fma(av[i], bj, acc[i * columns + j]);
            }
        }
        if (n > 0) {
            vec av[CORR_DOT_MAX_ROWS];
            CORR_UNROLL
            for (int i = 0; i < rows; i++)
                av[i] = v_load_n(ak + i * a_row, n);
            CORR_UNROLL
            for (int j = 0; j < columns; j++) {
                const vec bj = v_load_n(from[j] + at, n);
                CORR_UNROLL
                for (int i = 0; i < rows; i++)
                    acc[i * columns + j] = v_fma(av[i], bj, acc[i * columns + j]);
            }
        }
    }
    CORR_UNROLL
    for (int i = 0; i < rows; i++)
        CORR_UNROLL
        for (int j = 0; j < columns; j++) {
            real *to = c + (i * ldc + j) * V_LANES;
            v_store(to, accumulate ? v_add(v_load(to), acc[i * columns + j]) : acc[i * columns + j]);
        }
}

#define CORR_DOT_INSTANCE(columns, rows)                                                      \
    static void CORR_NAME(corr_dot_##rows##x##columns)(                                       \
        const corr_segment *segments, int64_t count, const void *a, int64_t a_row,            \
        const void *b, const int32_t *offsets, void *c, int64_t ldc, int accumulate) {        \
        CORR_NAME(dot_tile)(rows, columns, segments, count, a, a_row, b, offsets, c, ldc,     \
                            accumulate);                                                      \
    }
CORR_PASTE2(CORR_DOTS, CORR_ISA)(CORR_DOT_INSTANCE)
#undef CORR_DOT_INSTANCE

static void CORR_NAME(corr_sum_lanes)(const void *src_, int64_t n, void *dst_) {
    const real *src = src_;
    real *dst = dst_;
    for (int64_t i = 0; i < n; i++, src += V_LANES)
        dst[i] = v_sum(v_load(src));
}

static void CORR_NAME(corr_store_dots)(int64_t rows, int64_t columns, const void *sums_, void *y_,
                                       int64_t y_row, int64_t y_column, const corr_store *store) {
    const real *sums = sums_, *bias = store->bias, *biases = store->column_bias;
    real *y = y_;
    const corr_activation activation = store->activation;
    for (int64_t i = 0; i < rows; i++, y += y_row)
        for (int64_t j = 0; j < columns; j++, sums += V_LANES) {
            real sum = v_sum(v_load(sums));
            if (bias)
                sum += bias[i];
            if (biases)
                sum += biases[j];
            if (activation != CORR_LINEAR && sum < 0)
                sum = 0;
            if (activation == CORR_RELU6 && sum > 6)
                sum = 6;
            y[j * y_column] = sum;
        }
}
