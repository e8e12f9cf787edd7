/* AVX-512 F, DQ, BW, VL: 32 registers of 16 floats or 8 doubles, masks for every edge. */

#define CORR_TILES_avx512(X) \
    CORR_ROWS_14(X, 1) CORR_ROWS_14(X, 2) CORR_ROWS_8(X, 3) CORR_ROWS_6(X, 4)
#define CORR_TILE_ROWS_avx512 {14, 14, 8, 6}
#define CORR_DOT_ROWS_avx512 4
#define CORR_DOT_COLUMNS_avx512 4

enum { V_LANES_f32_avx512 = 16, V_LANES_f64_avx512 = 8, V_MASKED_avx512 = 1 };
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
CORR_INLINE __m512 v_fma_f32_avx512(__m512 a, __m512 b, __m512 c) {
    return _mm512_fmadd_ps(a, b, c);
}
CORR_INLINE __m512 v_max_f32_avx512(__m512 a, __m512 b) { return _mm512_max_ps(a, b); }
CORR_INLINE __m512 v_min_f32_avx512(__m512 a, __m512 b) { return _mm512_min_ps(a, b); }
CORR_INLINE float v_sum_f32_avx512(__m512 a) { return _mm512_reduce_add_ps(a); }
CORR_INLINE float s_fma_f32_avx512(float a, float b, float c) {
    return _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c)));
}
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
CORR_INLINE __m512d v_widen_f64_avx512(const float *p) { return _mm512_cvtps_pd(_mm256_loadu_ps(p)); }
CORR_INLINE void v_narrow_f64_avx512(float *p, __m512d a) { _mm256_storeu_ps(p, _mm512_cvtpd_ps(a)); }
CORR_INLINE __m512d v_fma_f64_avx512(__m512d a, __m512d b, __m512d c) {
    return _mm512_fmadd_pd(a, b, c);
}
CORR_INLINE __m512d v_max_f64_avx512(__m512d a, __m512d b) { return _mm512_max_pd(a, b); }
CORR_INLINE __m512d v_min_f64_avx512(__m512d a, __m512d b) { return _mm512_min_pd(a, b); }
CORR_INLINE double v_sum_f64_avx512(__m512d a) { return _mm512_reduce_add_pd(a); }
CORR_INLINE double s_fma_f64_avx512(double a, double b, double c) {
    return _mm_cvtsd_f64(_mm_fmadd_sd(_mm_set_sd(a), _mm_set_sd(b), _mm_set_sd(c)));
}
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
