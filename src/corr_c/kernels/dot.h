/* The weight gradient's tile: vectors run along the pixels, so neither operand is
 * transposed; each accumulator is summed across its lanes once, at the end. */
CORR_INLINE void CORR_NAME(dot_tile)(const int rows, const int columns, int64_t k,
                                     const real *a, int64_t lda, const real *b, int64_t ldb,
                                     real *c, int64_t ldc) {
    vec acc[32];
    CORR_UNROLL
    for (int i = 0; i < rows * columns; i++)
        acc[i] = v_zero();
    for (int64_t p = 0; p < k; p += V_LANES) {
        vec av[8];
        CORR_UNROLL
        for (int i = 0; i < rows; i++)
            av[i] = v_load(a + i * lda + p);
        CORR_UNROLL
        for (int j = 0; j < columns; j++) {
            vec bj = v_load(b + j * ldb + p);
            CORR_UNROLL
            for (int i = 0; i < rows; i++)
                acc[i * columns + j] = v_fma(av[i], bj, acc[i * columns + j]);
        }
    }
    CORR_UNROLL
    for (int i = 0; i < rows; i++)
        CORR_UNROLL
        for (int j = 0; j < columns; j++)
            c[i * ldc + j] += v_sum(acc[i * columns + j]);
}

static void CORR_NAME(corr_dot)(int64_t k, const void *a_, int64_t lda, const void *b_,
                                int64_t ldb, void *c_, int64_t ldc, int64_t rows,
                                int64_t columns) {
    enum {
        ROWS = CORR_PASTE2(CORR_DOT_ROWS, CORR_ISA),
        COLUMNS = CORR_PASTE2(CORR_DOT_COLUMNS, CORR_ISA)
    };
    const real *a = a_, *b = b_;
    real *c = c_;
    int64_t i = 0;
    for (; i + ROWS <= rows; i += ROWS) {
        int64_t j = 0;
        for (; j + COLUMNS <= columns; j += COLUMNS)
            CORR_NAME(dot_tile)(ROWS, COLUMNS, k, a + i * lda, lda, b + j * ldb, ldb,
                                c + i * ldc + j, ldc);
        for (; j < columns; j++)
            CORR_NAME(dot_tile)(ROWS, 1, k, a + i * lda, lda, b + j * ldb, ldb,
                                c + i * ldc + j, ldc);
    }
    for (; i < rows; i++) {
        int64_t j = 0;
        for (; j + COLUMNS <= columns; j += COLUMNS)
            CORR_NAME(dot_tile)(1, COLUMNS, k, a + i * lda, lda, b + j * ldb, ldb,
                                c + i * ldc + j, ldc);
        for (; j < columns; j++)
            CORR_NAME(dot_tile)(1, 1, k, a + i * lda, lda, b + j * ldb, ldb, c + i * ldc + j,
                                ldc);
    }
}
