/* The weight gradient's tile with its lanes over channels: at every pixel the outer product
 * of some channels of one factor, read as they lie and broadcast, with vectors of the
 * other's, packed.
 *
 *   a: row i at a + i * a_row, a pixel on every a_step;  b: [pixel][vectors]
 *
 * Where a pixel's channels lie together, the next tile's are fetched: no prefetcher of the CPU's knows
 * of them. Rows are reached from every third one, so that 14 of them need five pointers and not 14. */
CORR_INLINE void CORR_NAME(outer_tile)(const int rows, const int vectors,
                                       const corr_segment *segment, int64_t segments,
                                       const real *a, int64_t a_row, int64_t a_step,
                                       const real *b, int64_t b_step, real *c, int64_t ldc,
                                       int accumulate) {
    vec acc[CORR_MAX_ROWS * CORR_MAX_VECTORS];
    CORR_UNROLL
    for (int i = 0; i < rows * vectors; i++)
        acc[i] = v_zero();
    for (; segments > 0; segments--, segment++) {
        const real *bk = b + segment->b, *ak[(CORR_MAX_ROWS + 2) / 3];
        CORR_UNROLL
        for (int i = 0; i < (rows + 2) / 3; i++)
            ak[i] = a + segment->a + 3 * i * a_row;
        for (int64_t k = segment->count; k > 0; k--) {
            vec bv[CORR_MAX_VECTORS];
            CORR_PREFETCH_L2(ak[0] + 2 * rows - 1);
            CORR_UNROLL
            for (int j = 0; j < vectors; j++)
                bv[j] = v_load(bk + j * V_LANES);
            bk += b_step; /* before bv is used, or it would be loaded again for every row */
            CORR_UNROLL
            for (int i = 0; i < rows; i++) {
                const vec ai = v_set1(ak[i / 3][i % 3 * a_row]);
                CORR_UNROLL
                for (int j = 0; j < vectors; j++)
                    acc[i * vectors + j] = v_fma(ai, bv[j], acc[i * vectors + j]);
            }
            CORR_UNROLL
            for (int i = 0; i < (rows + 2) / 3; i++)
                ak[i] += a_step;
        }
    }
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
}

#define CORR_OUTER_INSTANCE(rows, vectors)                                                    \
    static void CORR_NAME(corr_outer_##rows##x##vectors)(                                     \
        const corr_segment *segment, int64_t segments, const void *a, int64_t a_row,          \
        int64_t a_step, const void *b, int64_t b_step, void *c, int64_t ldc,                  \
        int accumulate) {                                                                     \
        CORR_NAME(outer_tile)(rows, vectors, segment, segments, a, a_row, a_step, b, b_step,  \
                              c, ldc, accumulate);                                            \
    }
CORR_PASTE2(CORR_TILES, CORR_ISA)(CORR_OUTER_INSTANCE)
#undef CORR_OUTER_INSTANCE
