/* AVX-512 F, DQ, BW, VL: 32 registers of 16 floats or 8 doubles, masks for every edge. */

#define CORR_TILES_avx512(X) \
    CORR_ROWS_14(X, 1) CORR_ROWS_14(X, 2) CORR_ROWS_8(X, 3) CORR_ROWS_6(X, 4)
#define CORR_TILE_ROWS_avx512 {14, 14, 8, 6}
#define CORR_DOTS_avx512(X) \
    CORR_ROWS_6(X, 1) CORR_ROWS_6(X, 2) CORR_ROWS_6(X, 3) CORR_ROWS_6(X, 4)
#define CORR_DOT_ROWS_avx512 4
#define CORR_DOT_COLUMNS_avx512 6
/* Stencils: X(kind, kernel, step, vectors); X(KH, KW if kept in registers, step, vectors). */
#define CORR_MARCHES_f32_avx512(X)                                                             \
    X(SHARED, 3, 1, 1) X(SHARED, 3, 1, 2) X(SHARED, 3, 1, 3) X(SHARED, 3, 1, 4)                \
    X(SHARED, 5, 1, 1) X(SHARED, 5, 1, 2) X(SHARED, 5, 1, 3) X(SHARED, 5, 1, 4)                \
    X(SHARED, 7, 1, 1) X(SHARED, 7, 1, 2) X(SHARED, 7, 1, 3) X(SHARED, 3, 2, 1)                \
    X(SHARED, 3, 2, 2) X(SHARED, 3, 2, 3) X(SHARED, 3, 2, 4) X(SHARED, 5, 2, 1)                \
    X(SHARED, 5, 2, 2) X(SHARED, 7, 2, 1) X(SHARED, 7, 2, 2)                                   \
    X(OWN, 3, 1, 2) X(OWN, 3, 2, 2) X(OWN, 5, 1, 2) X(OWN, 5, 2, 2)                            \
    X(PAIR, 3, 1, 2) X(PAIR, 3, 2, 2) X(PAIR, 5, 1, 2) X(PAIR, 5, 2, 2) X(PAIR, 7, 1, 1)
/* Doubles are rarer than what more vectors gain is worth in bytes. */
#define CORR_MARCHES_f64_avx512(X)                                                             \
    X(SHARED, 3, 1, 1) X(SHARED, 3, 1, 2) X(SHARED, 3, 1, 3) X(SHARED, 5, 1, 1)                \
    X(SHARED, 5, 1, 2) X(SHARED, 7, 1, 1) X(SHARED, 7, 1, 2) X(SHARED, 3, 2, 1)                \
    X(SHARED, 3, 2, 2) X(SHARED, 5, 2, 1) X(SHARED, 7, 2, 1) X(OWN, 3, 1, 2) X(OWN, 3, 2, 2)
/* Only of fewer channels than a vector has, and of kernels that are not square. */
#define CORR_LANES_MARCHES_f32_avx512(X)                                                       \
    X(3, 3, 1, 1) X(3, 3, 1, 4) X(5, 0, 1, 1) X(5, 0, 1, 4) X(3, 3, 2, 1) X(3, 3, 2, 4)        \
    X(5, 0, 2, 1) X(5, 0, 2, 4)
#define CORR_LANES_MARCHES_f64_avx512(X) X(3, 3, 1, 1) X(3, 3, 1, 4)
/* Blocks of taps of the weight gradient: X(rows, columns, step); of 3x3: X(step, vectors). */
#define CORR_WEIGHTS_avx512(X) \
    X(1, 1, 1) X(1, 3, 1) X(3, 3, 1) X(1, 5, 1) X(5, 5, 1) X(1, 7, 1) X(3, 7, 1) \
    X(1, 1, 2) X(1, 3, 2) X(3, 3, 2) X(1, 5, 2) X(5, 5, 2) X(1, 7, 2) X(3, 7, 2)
#define CORR_WEIGHTS3_avx512(X) X(1, 1) X(1, 2) X(1, 3) X(1, 4) X(2, 1) X(2, 2)
/* Of one channel a lane: X(rows, columns). */
#define CORR_WEIGHTS_LANES_avx512(X) \
    X(1, 1) X(3, 1) X(5, 1) X(1, 3) X(3, 3) X(1, 5) X(5, 5) X(1, 7) X(3, 7)
#define CORR_UPS_avx512(X) X(3, 1) X(3, 2) X(5, 1) X(7, 1)
#define CORR_UPS_LANES_avx512(X) X(3) X(5)
#define CORR_BLOCKS_avx512(X)                                                                  \
    X(1, 1) X(2, 1) X(4, 1) X(7, 1) X(1, 2) X(3, 2) X(7, 2) X(1, 4) X(2, 4) X(4, 4) X(7, 4)
#define CORR_BLOCKS_IMAGE_avx512(X) X(1, 1)
#define CORR_SLIDES_f32_avx512(X) X(3, 1, 4) X(3, 2, 4) X(5, 1, 4) X(5, 2, 4) X(7, 1, 3) X(7, 2, 3)
#define CORR_SLIDES_f64_avx512(X) X(3, 1, 4) X(3, 2, 4) X(5, 1, 4) X(7, 1, 3)
#define CORR_BANDS_avx512(X) X(3, 1, 1, 1)
#define CORR_BANDS_PLANES_avx512(X) X(3, 1, 6, 2) X(5, 1, 6, 2) X(7, 1, 5, 2)
#define CORR_REUSES_avx512(X)                                                                  \
    X(1, 1) X(3, 1) X(7, 1) X(1, 2) X(3, 2) X(7, 2) X(1, 4) X(3, 4) X(4, 4)
#define CORR_GROUPS_f32_avx512(X)                                                              \
    X(1, 1, 1) X(1, 1, 4) X(1, 2, 1) X(1, 2, 4) X(1, 3, 1) X(1, 3, 4) X(1, 4, 1) X(1, 4, 2)    \
    X(1, 4, 4) X(1, 6, 1) X(1, 6, 2) X(1, 8, 1) X(1, 8, 2) X(2, 1, 1) X(2, 1, 4) X(2, 2, 1)    \
    X(2, 2, 4) X(2, 3, 1) X(2, 3, 4) X(2, 4, 1) X(2, 4, 2) X(2, 4, 4) X(2, 6, 1) X(2, 6, 2)    \
    X(2, 8, 1) X(2, 8, 2)
#define CORR_GROUPS_f64_avx512(X)                                                              \
    X(1, 1, 1) X(1, 2, 1) X(1, 2, 4) X(1, 4, 1) X(1, 4, 2) X(1, 4, 4) X(1, 8, 1) X(1, 8, 2)    \
    X(2, 1, 1) X(2, 2, 1) X(2, 2, 4) X(2, 4, 1) X(2, 4, 2) X(2, 4, 4) X(2, 8, 1) X(2, 8, 2)
#define CORR_GROUPS_LANES_f32_avx512(X) X(1, 1) X(1, 4) X(3, 1) X(3, 4)
#define CORR_GROUPS_LANES_f64_avx512(X) X(1, 1) X(1, 4) X(3, 1) X(3, 4)

enum { V_LANES_f32_avx512 = 16, V_LANES_f64_avx512 = 8, V_MASKED_avx512 = 1, V_RELOADS_avx512 = 0 };
typedef __m512 vec_f32_avx512;
typedef __m512d vec_f64_avx512;

CORR_INLINE uint32_t low_bits_avx512(int64_t n) { return (uint32_t)((UINT64_C(1) << n) - 1); }

CORR_INLINE __m512 v_zero_f32_avx512(void) { return _mm512_setzero_ps(); }
CORR_INLINE __m512 v_set1_f32_avx512(float a) { return _mm512_set1_ps(a); }
CORR_INLINE __m512 v_load_f32_avx512(const float *p) { return _mm512_loadu_ps(p); }
CORR_INLINE void v_store_f32_avx512(float *p, __m512 a) { _mm512_storeu_ps(p, a); }
CORR_INLINE __m512 v_load_n_f32_avx512(const float *p, int64_t n) {
    return _mm512_maskz_loadu_ps((__mmask16)low_bits_avx512(n), p);
}
CORR_INLINE void v_store_n_f32_avx512(float *p, __m512 a, int64_t n) {
    _mm512_mask_storeu_ps(p, (__mmask16)low_bits_avx512(n), a);
}
CORR_INLINE __m512 v_load_range_f32_avx512(const float *p, int64_t lo, int64_t hi) {
    return _mm512_maskz_loadu_ps((__mmask16)(low_bits_avx512(hi) & ~low_bits_avx512(lo)), p);
}
CORR_INLINE __m512 v_load2_range_f32_avx512(const float *p, int64_t lo, int64_t hi) {
    uint32_t m = low_bits_avx512(2 * hi) & ~low_bits_avx512(2 * lo) & 0x55555555u;
    __m512i even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    __m512 a = _mm512_maskz_loadu_ps((__mmask16)m, p);
    __m512 b = _mm512_maskz_loadu_ps((__mmask16)(m >> 16), p + 16);
    return _mm512_permutex2var_ps(a, even, b);
}
CORR_INLINE __m512 v_add_f32_avx512(__m512 a, __m512 b) { return _mm512_add_ps(a, b); }
CORR_INLINE __m512 v_sub_f32_avx512(__m512 a, __m512 b) { return _mm512_sub_ps(a, b); }
CORR_INLINE __m512 v_mul_f32_avx512(__m512 a, __m512 b) { return _mm512_mul_ps(a, b); }
CORR_INLINE __m512 v_fnma_f32_avx512(__m512 a, __m512 b, __m512 c) {
    return _mm512_fnmadd_ps(a, b, c);
}
CORR_INLINE __m512 v_fma_f32_avx512(__m512 a, __m512 b, __m512 c) {
    return _mm512_fmadd_ps(a, b, c);
}
CORR_INLINE __m512 v_max_f32_avx512(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
CORR_INLINE __m512 v_min_f32_avx512(__m512 a, __m512 b) { return _mm512_min_ps(a, b); }
CORR_INLINE float v_sum_f32_avx512(__m512 a) { return _mm512_reduce_add_ps(a); }
CORR_INLINE float s_fma_f32_avx512(float a, float b, float c) {
    return _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c)));
}
typedef __mmask16 vmask_f32_avx512;
CORR_INLINE __mmask16 v_mask_f32_avx512(int64_t lo, int64_t hi) {
    return (__mmask16)(low_bits_avx512(hi) & ~low_bits_avx512(lo));
}
CORR_INLINE __m512 v_load_mask_f32_avx512(const float *p, __mmask16 m) {
    return _mm512_maskz_loadu_ps(m, p);
}
CORR_INLINE __m512 v_load_merge_f32_avx512(__m512 a, const float *p, __mmask16 m) {
    return _mm512_mask_loadu_ps(a, m, p);
}
CORR_INLINE void v_store_mask_f32_avx512(float *p, __m512 a, __mmask16 m) { _mm512_mask_storeu_ps(p, m, a); }
CORR_INLINE void v_split_f32_avx512(__m512 a, __m512 b, __m512 *even, __m512 *odd) {
    __m512i i = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    *even = _mm512_permutex2var_ps(a, i, b);
    *odd = _mm512_permutex2var_ps(a, _mm512_add_epi32(i, _mm512_set1_epi32(1)), b);
}
CORR_INLINE void v_lace_f32_avx512(__m512 even, __m512 odd, __m512 *low, __m512 *high) {
    __m512i i = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    *low = _mm512_permutex2var_ps(even, i, odd);
    *high = _mm512_permutex2var_ps(even, _mm512_add_epi32(i, _mm512_set1_epi32(8)), odd);
}
CORR_INLINE __m512 v_reverse_f32_avx512(__m512 a) {
    return _mm512_permutexvar_ps(
        _mm512_setr_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0), a);
}
CORR_INLINE __m512 v_select_f32_avx512(__mmask16 m, __m512 a, __m512 b) { return _mm512_mask_blend_ps(m, b, a); }
CORR_INLINE __m512 v_align_f32_avx512(__m512 a, __m512 b, int n) {
    switch (n) {
    case 1: return _mm512_castsi512_ps(_mm512_alignr_epi32(_mm512_castps_si512(b), _mm512_castps_si512(a), 1));
    case 2: return _mm512_castsi512_ps(_mm512_alignr_epi32(_mm512_castps_si512(b), _mm512_castps_si512(a), 2));
    case 3: return _mm512_castsi512_ps(_mm512_alignr_epi32(_mm512_castps_si512(b), _mm512_castps_si512(a), 3));
    case 13: return _mm512_castsi512_ps(_mm512_alignr_epi32(_mm512_castps_si512(b), _mm512_castps_si512(a), 13));
    case 14: return _mm512_castsi512_ps(_mm512_alignr_epi32(_mm512_castps_si512(b), _mm512_castps_si512(a), 14));
    case 15: return _mm512_castsi512_ps(_mm512_alignr_epi32(_mm512_castps_si512(b), _mm512_castps_si512(a), 15));
    default: return a;
    }
}
typedef __m512i vindex_f32_avx512, vindex_f64_avx512;
CORR_INLINE __m512i v_index_f32_avx512(const int32_t *p) { return _mm512_loadu_si512(p); }
CORR_INLINE __m512 v_permute_f32_avx512(__m512 a, __m512i i) { return _mm512_permutexvar_ps(i, a); }
CORR_INLINE void v_transpose_f32_avx512(__m512 r[16]) {
    __m512d p[16];
    __m512 q[16];
    CORR_UNROLL
    for (int i = 0; i < 16; i += 2) { /* pairs of rows */
        p[i] = _mm512_castps_pd(_mm512_unpacklo_ps(r[i], r[i + 1]));
        p[i + 1] = _mm512_castps_pd(_mm512_unpackhi_ps(r[i], r[i + 1]));
    }
    CORR_UNROLL
    for (int i = 0; i < 16; i += 4) { /* fours: a 4 x 4 block a 128-bit lane */
        q[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(p[i], p[i + 2]));
        q[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(p[i], p[i + 2]));
        q[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(p[i + 1], p[i + 3]));
        q[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(p[i + 1], p[i + 3]));
    }
    CORR_UNROLL
    for (int i = 0; i < 4; i++) { /* the 4 x 4 matrix of 128-bit lanes */
        __m512 a = _mm512_shuffle_f32x4(q[i], q[i + 4], 0x88);
        __m512 b = _mm512_shuffle_f32x4(q[i], q[i + 4], 0xdd);
        __m512 c = _mm512_shuffle_f32x4(q[i + 8], q[i + 12], 0x88);
        __m512 d = _mm512_shuffle_f32x4(q[i + 8], q[i + 12], 0xdd);
        r[i] = _mm512_shuffle_f32x4(a, c, 0x88);
        r[i + 8] = _mm512_shuffle_f32x4(a, c, 0xdd);
        r[i + 4] = _mm512_shuffle_f32x4(b, d, 0x88);
        r[i + 12] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
}

CORR_INLINE __m512d v_zero_f64_avx512(void) { return _mm512_setzero_pd(); }
CORR_INLINE __m512d v_set1_f64_avx512(double a) { return _mm512_set1_pd(a); }
CORR_INLINE __m512d v_load_f64_avx512(const double *p) { return _mm512_loadu_pd(p); }
CORR_INLINE void v_store_f64_avx512(double *p, __m512d a) { _mm512_storeu_pd(p, a); }
CORR_INLINE __m512d v_load_n_f64_avx512(const double *p, int64_t n) {
    return _mm512_maskz_loadu_pd((__mmask8)low_bits_avx512(n), p);
}
CORR_INLINE void v_store_n_f64_avx512(double *p, __m512d a, int64_t n) {
    _mm512_mask_storeu_pd(p, (__mmask8)low_bits_avx512(n), a);
}
CORR_INLINE __m512d v_load_range_f64_avx512(const double *p, int64_t lo, int64_t hi) {
    return _mm512_maskz_loadu_pd((__mmask8)(low_bits_avx512(hi) & ~low_bits_avx512(lo)), p);
}
CORR_INLINE __m512d v_load2_range_f64_avx512(const double *p, int64_t lo, int64_t hi) {
    uint32_t m = low_bits_avx512(2 * hi) & ~low_bits_avx512(2 * lo) & 0x5555u;
    __m512i even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    __m512d a = _mm512_maskz_loadu_pd((__mmask8)m, p);
    __m512d b = _mm512_maskz_loadu_pd((__mmask8)(m >> 8), p + 8);
    return _mm512_permutex2var_pd(a, even, b);
}
CORR_INLINE __m512d v_add_f64_avx512(__m512d a, __m512d b) { return _mm512_add_pd(a, b); }
CORR_INLINE __m512d v_sub_f64_avx512(__m512d a, __m512d b) { return _mm512_sub_pd(a, b); }
CORR_INLINE __m512d v_mul_f64_avx512(__m512d a, __m512d b) { return _mm512_mul_pd(a, b); }
CORR_INLINE __m512d v_fnma_f64_avx512(__m512d a, __m512d b, __m512d c) {
    return _mm512_fnmadd_pd(a, b, c);
}
CORR_INLINE __m512d v_fma_f64_avx512(__m512d a, __m512d b, __m512d c) {
    return _mm512_fmadd_pd(a, b, c);
}
CORR_INLINE __m512d v_max_f64_avx512(__m512d a, __m512d b) { return _mm512_max_pd(a, b); }
CORR_INLINE __m512d v_min_f64_avx512(__m512d a, __m512d b) { return _mm512_min_pd(a, b); }
CORR_INLINE double v_sum_f64_avx512(__m512d a) { return _mm512_reduce_add_pd(a); }
CORR_INLINE double s_fma_f64_avx512(double a, double b, double c) {
    return _mm_cvtsd_f64(_mm_fmadd_sd(_mm_set_sd(a), _mm_set_sd(b), _mm_set_sd(c)));
}
typedef __mmask8 vmask_f64_avx512;
CORR_INLINE __mmask8 v_mask_f64_avx512(int64_t lo, int64_t hi) {
    return (__mmask8)(low_bits_avx512(hi) & ~low_bits_avx512(lo));
}
CORR_INLINE __m512d v_load_mask_f64_avx512(const double *p, __mmask8 m) {
    return _mm512_maskz_loadu_pd(m, p);
}
CORR_INLINE __m512d v_load_merge_f64_avx512(__m512d a, const double *p, __mmask8 m) {
    return _mm512_mask_loadu_pd(a, m, p);
}
CORR_INLINE void v_store_mask_f64_avx512(double *p, __m512d a, __mmask8 m) { _mm512_mask_storeu_pd(p, m, a); }
CORR_INLINE void v_split_f64_avx512(__m512d a, __m512d b, __m512d *even, __m512d *odd) {
    __m512i i = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    *even = _mm512_permutex2var_pd(a, i, b);
    *odd = _mm512_permutex2var_pd(a, _mm512_add_epi64(i, _mm512_set1_epi64(1)), b);
}
CORR_INLINE void v_lace_f64_avx512(__m512d even, __m512d odd, __m512d *low, __m512d *high) {
    __m512i i = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    *low = _mm512_permutex2var_pd(even, i, odd);
    *high = _mm512_permutex2var_pd(even, _mm512_add_epi64(i, _mm512_set1_epi64(4)), odd);
}
CORR_INLINE __m512d v_reverse_f64_avx512(__m512d a) {
    return _mm512_permutexvar_pd(_mm512_setr_epi64(7, 6, 5, 4, 3, 2, 1, 0), a);
}
CORR_INLINE __m512d v_select_f64_avx512(__mmask8 m, __m512d a, __m512d b) { return _mm512_mask_blend_pd(m, b, a); }
CORR_INLINE __m512d v_align_f64_avx512(__m512d a, __m512d b, int n) {
    switch (n) {
    case 1: return _mm512_castsi512_pd(_mm512_alignr_epi64(_mm512_castpd_si512(b), _mm512_castpd_si512(a), 1));
    case 2: return _mm512_castsi512_pd(_mm512_alignr_epi64(_mm512_castpd_si512(b), _mm512_castpd_si512(a), 2));
    case 3: return _mm512_castsi512_pd(_mm512_alignr_epi64(_mm512_castpd_si512(b), _mm512_castpd_si512(a), 3));
    case 5: return _mm512_castsi512_pd(_mm512_alignr_epi64(_mm512_castpd_si512(b), _mm512_castpd_si512(a), 5));
    case 6: return _mm512_castsi512_pd(_mm512_alignr_epi64(_mm512_castpd_si512(b), _mm512_castpd_si512(a), 6));
    case 7: return _mm512_castsi512_pd(_mm512_alignr_epi64(_mm512_castpd_si512(b), _mm512_castpd_si512(a), 7));
    default: return a;
    }
}
CORR_INLINE __m512i v_index_f64_avx512(const int32_t *p) {
    return _mm512_cvtepi32_epi64(_mm256_loadu_si256((const __m256i *)(const void *)p));
}
CORR_INLINE __m512d v_permute_f64_avx512(__m512d a, __m512i i) { return _mm512_permutexvar_pd(i, a); }
CORR_INLINE void v_transpose_f64_avx512(__m512d r[8]) {
    __m512d p[8];
    CORR_UNROLL
    for (int i = 0; i < 8; i += 2) {
        p[i] = _mm512_unpacklo_pd(r[i], r[i + 1]);
        p[i + 1] = _mm512_unpackhi_pd(r[i], r[i + 1]);
    }
    CORR_UNROLL
    for (int i = 0; i < 2; i++) {
        __m512d a = _mm512_shuffle_f64x2(p[i], p[i + 2], 0x88);
        __m512d b = _mm512_shuffle_f64x2(p[i], p[i + 2], 0xdd);
        __m512d c = _mm512_shuffle_f64x2(p[i + 4], p[i + 6], 0x88);
        __m512d d = _mm512_shuffle_f64x2(p[i + 4], p[i + 6], 0xdd);
        r[i] = _mm512_shuffle_f64x2(a, c, 0x88);
        r[i + 4] = _mm512_shuffle_f64x2(a, c, 0xdd);
        r[i + 2] = _mm512_shuffle_f64x2(b, d, 0x88);
        r[i + 6] = _mm512_shuffle_f64x2(b, d, 0xdd);
    }
}
