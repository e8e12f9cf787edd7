/* The weight gradient's tile with its lanes along the pixels, for few channels a group:
 * both factors are read as they lie, a masked vector ends each run of pixels, and an
 * accumulator is summed across its lanes once, at the end. */
CORR_INLINE vec CORR_NAME(dot_load)(const int step, int64_t b_step, const real *p, int64_t n) {
    if (step == 1)
        return n == V_LANES ? v_load(p) : v_load_n(p, n);
    return step == 2 ? v_load2_range(p, 0, n) : CORR_NAME(gather_run)(p, b_step, 0, n);
}

/* step: that of b if it is 1 or 2, so that it is a constant; else 0. */
CORR_INLINE void CORR_NAME(dot_tile)(const int rows, const int columns, const int step,
                                     const corr_segment *segment, int64_t segments,
                                     const real *a, int64_t a_row, const real *b, int64_t b_row,
                                     int64_t b_step, real *c, int64_t ldc, int64_t c_step,
                                     int accumulate) {
    vec acc[16];
    CORR_UNROLL
    for (int i = 0; i < rows * columns; i++)
        acc[i] = v_zero();
    for (; segments > 0; segments--, segment++) {
        const real *ak = a + segment->a, *bk = b + segment->b;
        int64_t n = segment->count;
        for (; n >= V_LANES; n -= V_LANES, ak += V_LANES, bk += V_LANES * b_step) {
            vec bv[8];
            CORR_UNROLL
            for (int j = 0; j < columns; j++)
                bv[j] = CORR_NAME(dot_load)(step, b_step, bk + j * b_row, V_LANES);
            CORR_UNROLL
            for (int i = 0; i < rows; i++) {
                const vec ai = v_load(ak + i * a_row);
                CORR_UNROLL
                for (int j = 0; j < columns; j++)
                    acc[i * columns + j] = v_fma(ai, bv[j], acc[i * columns + j]);
            }
        }
        if (n > 0) {
            vec bv[8];
            CORR_UNROLL
            for (int j = 0; j < columns; j++)
                bv[j] = CORR_NAME(dot_load)(step, b_step, bk + j * b_row, n);
            CORR_UNROLL
            for (int i = 0; i < rows; i++) {
                const vec ai = v_load_n(ak + i * a_row, n);
                CORR_UNROLL
                for (int j = 0; j < columns; j++)
                    acc[i * columns + j] = v_fma(ai, bv[j], acc[i * columns + j]);
            }
        }
    }
    CORR_UNROLL
    for (int i = 0; i < rows; i++)
        CORR_UNROLL
        for (int j = 0; j < columns; j++) {
            real *to = c + i * ldc + j * c_step, sum = v_sum(acc[i * columns + j]);
            *to = accumulate ? *to + sum : sum;
        }
}

#define CORR_DOT_TILE(rows, columns)                                                          \
    do {                                                                                      \
        if (b_step == 1)                                                                      \
            CORR_NAME(dot_tile)(rows, columns, 1, segment, segments, a, a_row, b, b_row, 1,   \
                                c, ldc, c_step, accumulate);                                  \
        else if (b_step == 2)                                                                 \
            CORR_NAME(dot_tile)(rows, columns, 2, segment, segments, a, a_row, b, b_row, 2,   \
                                c, ldc, c_step, accumulate);                                  \
        else                                                                                  \
            CORR_NAME(dot_tile)(rows, columns, 0, segment, segments, a, a_row, b, b_row,      \
                                b_step, c, ldc, c_step, accumulate);                          \
    } while (0)

static CORR_NOINLINE void CORR_NAME(dot_whole)(const corr_segment *segment, int64_t segments,
                                               const real *a, int64_t a_row, const real *b,
                                               int64_t b_row, int64_t b_step, real *c,
                                               int64_t ldc, int64_t c_step, int accumulate) {
    CORR_DOT_TILE(CORR_PASTE2(CORR_DOT_ROWS, CORR_ISA), CORR_PASTE2(CORR_DOT_COLUMNS, CORR_ISA));
}

static CORR_NOINLINE void CORR_NAME(dot_row)(const corr_segment *segment, int64_t segments,
                                             const real *a, int64_t a_row, const real *b,
                                             int64_t b_row, int64_t b_step, real *c, int64_t ldc,
                                             int64_t c_step, int accumulate) {
    CORR_DOT_TILE(1, CORR_PASTE2(CORR_DOT_COLUMNS, CORR_ISA));
}

static CORR_NOINLINE void CORR_NAME(dot_column)(const corr_segment *segment, int64_t segments,
                                                const real *a, int64_t a_row, const real *b,
                                                int64_t b_row, int64_t b_step, real *c,
                                                int64_t ldc, int64_t c_step, int accumulate) {
    CORR_DOT_TILE(CORR_PASTE2(CORR_DOT_ROWS, CORR_ISA), 1);
}

static CORR_NOINLINE void CORR_NAME(dot_one)(const corr_segment *segment, int64_t segments,
                                             const real *a, int64_t a_row, const real *b,
                                             int64_t b_row, int64_t b_step, real *c, int64_t ldc,
                                             int64_t c_step, int accumulate) {
    CORR_DOT_TILE(1, 1);
}
#undef CORR_DOT_TILE

static void CORR_NAME(corr_dot)(const corr_segment *segments, int64_t count, const void *a_,
                                int64_t a_row, const void *b_, int64_t b_row, int64_t b_step,
                                void *c_, int64_t ldc, int64_t c_step, int64_t rows,
                                int64_t columns, int accumulate) {
    enum {
        ROWS = CORR_PASTE2(CORR_DOT_ROWS, CORR_ISA),
        COLUMNS = CORR_PASTE2(CORR_DOT_COLUMNS, CORR_ISA)
    };
    for (int64_t i = 0; i < rows;) {
        const int64_t some = rows - i < ROWS ? 1 : ROWS;
        for (int64_t j = 0; j < columns;) {
            const int64_t across = columns - j < COLUMNS ? 1 : COLUMNS;
            const real *a = (const real *)a_ + i * a_row, *b = (const real *)b_ + j * b_row;
            real *c = (real *)c_ + i * ldc + j * c_step;
            if (some > 1 && across > 1)
                CORR_NAME(dot_whole)(segments, count, a, a_row, b, b_row, b_step, c, ldc, c_step,
                                     accumulate);
            else if (across > 1)
                CORR_NAME(dot_row)(segments, count, a, a_row, b, b_row, b_step, c, ldc, c_step,
                                   accumulate);
            else if (some > 1)
                CORR_NAME(dot_column)(segments, count, a, a_row, b, b_row, b_step, c, ldc, c_step,
                                      accumulate);
            else
                CORR_NAME(dot_one)(segments, count, a, a_row, b, b_row, b_step, c, ldc, c_step,
                                   accumulate);
            j += across;
        }
        i += some;
    }
}
