/* AVX2 and FMA: 16 registers of 8 floats or 4 doubles; edges by vmaskmov, whose store takes some
 * twenty micro-operations on AMD's cores: a whole vector goes without, and first lanes in parts. */

#define CORR_TILES_avx2(X) CORR_ROWS_12(X, 1) CORR_ROWS_6(X, 2) CORR_ROWS_4(X, 3)
#define CORR_TILE_ROWS_avx2 {12, 6, 4, 0}
#define CORR_DOTS_avx2(X) CORR_ROWS_4(X, 1) CORR_ROWS_4(X, 2) CORR_ROWS_4(X, 3)
#define CORR_DOT_ROWS_avx2 3
#define CORR_DOT_COLUMNS_avx2 4
/* Stencils: X(kind, kernel, step, vectors); X(KH, KW if kept in registers, step, vectors). */
#define CORR_MARCHES_f32_avx2(X)                                                               \
    X(SHARED, 3, 1, 1) X(SHARED, 3, 1, 2) X(SHARED, 3, 1, 3) X(SHARED, 3, 1, 4)                \
    X(SHARED, 5, 1, 1) X(SHARED, 5, 1, 2) X(SHARED, 7, 1, 1) X(SHARED, 3, 2, 1)                \
    X(SHARED, 3, 2, 2) X(SHARED, 5, 2, 1) X(SHARED, 5, 2, 2) X(SHARED, 7, 2, 1)                \
    X(OWN, 3, 1, 2) X(OWN, 3, 2, 2)
/* Doubles are rarer than what more vectors gain is worth in bytes. */
#define CORR_MARCHES_f64_avx2(X)                                                               \
    X(SHARED, 3, 1, 1) X(SHARED, 3, 1, 2) X(SHARED, 5, 1, 1) X(SHARED, 5, 1, 2)                \
    X(SHARED, 7, 1, 1) X(SHARED, 3, 2, 1) X(SHARED, 5, 2, 1) X(SHARED, 7, 2, 1)                \
    X(OWN, 3, 1, 2) X(OWN, 3, 2, 2)
#define CORR_LANES_MARCHES_f32_avx2(X) X(3, 3, 1, 1) X(3, 3, 1, 3)
#define CORR_LANES_MARCHES_f64_avx2 CORR_LANES_MARCHES_f32_avx2
/* Blocks of taps of the weight gradient: X(rows, columns, step); of 3x3: X(step, vectors). */
#define CORR_WEIGHTS_avx2(X) \
    X(1, 1, 1) X(1, 3, 1) X(3, 3, 1) X(1, 1, 2) X(1, 3, 2) X(3, 3, 2)
#define CORR_WEIGHTS3_avx2(X) X(2, 1)
/* Of one channel a lane: X(rows, columns). */
#define CORR_WEIGHTS_LANES_avx2(X) \
    X(1, 1) X(3, 1) X(5, 1) X(1, 3) X(3, 3) X(1, 5) X(2, 5) X(1, 7)
#define CORR_UPS_avx2(X) X(3, 1) X(5, 1) X(7, 1)
#define CORR_UPS_LANES_avx2(X) X(3) X(5)
#define CORR_BLOCKS_avx2(X)                                                                    \
    X(1, 1) X(2, 1) X(4, 1) X(7, 1) X(1, 2) X(3, 2) X(7, 2) X(1, 3) X(2, 3) X(4, 3) X(1, 4) X(3, 4)
#define CORR_BLOCKS_IMAGE_avx2(X) X(1, 4) X(3, 4)
/* X(kh, step, rows, vectors). */
#define CORR_SLIDES_f32_avx2(X) X(3, 1, 1)
#define CORR_SLIDES_f64_avx2 CORR_SLIDES_f32_avx2
#define CORR_BANDS_avx2(X)                                                                     \
    X(3, 1, 4, 2) X(3, 2, 4, 2) X(5, 1, 4, 2) X(5, 2, 4, 2) X(7, 1, 4, 2) X(7, 2, 3, 2)
#define CORR_BANDS_PLANES_avx2(X) X(3, 1, 4, 1) X(5, 1, 4, 2) X(7, 1, 4, 1)
#define CORR_REUSES_avx2(X)                                                                    \
    X(1, 1) X(3, 1) X(7, 1) X(1, 2) X(3, 2) X(6, 2) X(1, 3) X(3, 3) X(4, 3)
#define CORR_GROUPS_f32_avx2(X)                                                                \
    X(1, 1, 1) X(1, 1, 4) X(1, 2, 1) X(1, 2, 3) X(1, 3, 1) X(1, 3, 3) X(1, 4, 1) X(1, 4, 2)    \
    X(1, 6, 1) X(1, 8, 1) X(2, 1, 1) X(2, 1, 3) X(2, 2, 1) X(2, 2, 3) X(2, 3, 1)    \
    X(2, 3, 2) X(2, 4, 1) X(2, 4, 2) X(2, 6, 1) X(2, 8, 1)
#define CORR_GROUPS_f64_avx2(X)                                                                \
    X(1, 1, 1) X(1, 2, 1) X(1, 2, 3) X(1, 4, 1) X(1, 4, 2) X(1, 8, 1)                          \
    X(2, 1, 1) X(2, 2, 1) X(2, 2, 3) X(2, 4, 1) X(2, 4, 2) X(2, 8, 1)
#define CORR_GROUPS_LANES_f32_avx2(X) X(1, 1) X(1, 3) X(3, 1) X(3, 3)
#define CORR_GROUPS_LANES_f64_avx2(X) X(1, 1) X(1, 2) X(3, 1) X(3, 2)

enum { V_LANES_f32_avx2 = 8, V_LANES_f64_avx2 = 4, V_MASKED_avx2 = 0, V_RELOADS_avx2 = 1 };
typedef __m256 vec_f32_avx2;
typedef __m256d vec_f64_avx2;

/* Lanes lo <= i < hi, as the masks that vmaskmov wants. */
CORR_INLINE __m256i range32_avx2(int64_t lo, int64_t hi) {
    __m256i i = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    return _mm256_and_si256(_mm256_cmpgt_epi32(_mm256_set1_epi32((int)hi), i),
                            _mm256_cmpgt_epi32(i, _mm256_set1_epi32((int)lo - 1)));
}
CORR_INLINE __m256i range64_avx2(int64_t lo, int64_t hi) {
    __m256i i = _mm256_setr_epi64x(0, 1, 2, 3);
    return _mm256_and_si256(_mm256_cmpgt_epi64(_mm256_set1_epi64x(hi), i),
                            _mm256_cmpgt_epi64(i, _mm256_set1_epi64x(lo - 1)));
}

CORR_INLINE __m256 v_zero_f32_avx2(void) { return _mm256_setzero_ps(); }
CORR_INLINE __m256 v_set1_f32_avx2(float a) { return _mm256_set1_ps(a); }
CORR_INLINE __m256 v_load_f32_avx2(const float *p) { return _mm256_loadu_ps(p); }
CORR_INLINE void v_store_f32_avx2(float *p, __m256 a) { _mm256_storeu_ps(p, a); }
CORR_INLINE __m256 v_load_n_f32_avx2(const float *p, int64_t n) {
    return _mm256_maskload_ps(p, range32_avx2(0, n));
}
CORR_INLINE void v_store_n_f32_avx2(float *p, __m256 a, int64_t n) {
    if (n >= 8) {
        _mm256_storeu_ps(p, a);
        return;
    }
    __m128 rest = _mm256_castps256_ps128(a);
    if (n & 4) {
        _mm_storeu_ps(p, rest);
        rest = _mm256_extractf128_ps(a, 1);
        p += 4;
    }
    if (n & 2) {
        _mm_storel_pi((__m64 *)(void *)p, rest);
        rest = _mm_movehl_ps(rest, rest);
        p += 2;
    }
    if (n & 1)
        _mm_store_ss(p, rest);
}
CORR_INLINE __m256 v_load_range_f32_avx2(const float *p, int64_t lo, int64_t hi) {
    return _mm256_maskload_ps(p, range32_avx2(lo, hi));
}
CORR_INLINE __m256 v_load2_range_f32_avx2(const float *p, int64_t lo, int64_t hi) {
    __m256i even = _mm256_setr_epi32(-1, 0, -1, 0, -1, 0, -1, 0);
    __m256 a = _mm256_maskload_ps(p, _mm256_and_si256(even, range32_avx2(2 * lo, 2 * hi)));
    __m256 b = _mm256_maskload_ps(
        p + 8, _mm256_and_si256(even, range32_avx2(2 * lo - 8, 2 * hi - 8)));
    __m256d mixed = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88));
    return _mm256_castpd_ps(_mm256_permute4x64_pd(mixed, 0xd8));
}
CORR_INLINE __m256 v_add_f32_avx2(__m256 a, __m256 b) { return _mm256_add_ps(a, b); }
CORR_INLINE __m256 v_sub_f32_avx2(__m256 a, __m256 b) { return _mm256_sub_ps(a, b); }
CORR_INLINE __m256 v_mul_f32_avx2(__m256 a, __m256 b) { return _mm256_mul_ps(a, b); }
CORR_INLINE __m256 v_fnma_f32_avx2(__m256 a, __m256 b, __m256 c) {
    return _mm256_fnmadd_ps(a, b, c);
}
CORR_INLINE __m256 v_fma_f32_avx2(__m256 a, __m256 b, __m256 c) {
    return _mm256_fmadd_ps(a, b, c);
}
CORR_INLINE __m256 v_max_f32_avx2(__m256 a, __m256 b) { return _mm256_max_ps(a, b); }
CORR_INLINE __m256 v_min_f32_avx2(__m256 a, __m256 b) { return _mm256_min_ps(a, b); }
CORR_INLINE float v_sum_f32_avx2(__m256 a) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
CORR_INLINE float s_fma_f32_avx2(float a, float b, float c) {
    return _mm_cvtss_f32(_mm_fmadd_ss(_mm_set_ss(a), _mm_set_ss(b), _mm_set_ss(c)));
}
typedef __m256i vmask_f32_avx2;
CORR_INLINE __m256i v_mask_f32_avx2(int64_t lo, int64_t hi) { return range32_avx2(lo, hi); }
CORR_INLINE __m256 v_load_mask_f32_avx2(const float *p, __m256i m) {
    return _mm256_maskload_ps(p, m);
}
CORR_INLINE __m256 v_load_merge_f32_avx2(__m256 a, const float *p, __m256i m) {
    return _mm256_blendv_ps(a, _mm256_maskload_ps(p, m), _mm256_castsi256_ps(m));
}
CORR_INLINE void v_store_mask_f32_avx2(float *p, __m256 a, __m256i m) {
    if (_mm256_movemask_ps(_mm256_castsi256_ps(m)) == 0xff)
        _mm256_storeu_ps(p, a);
    else
        _mm256_maskstore_ps(p, m, a);
}
CORR_INLINE void v_split_f32_avx2(__m256 a, __m256 b, __m256 *even, __m256 *odd) {
    __m256d e = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0x88));
    __m256d o = _mm256_castps_pd(_mm256_shuffle_ps(a, b, 0xdd));
    *even = _mm256_castpd_ps(_mm256_permute4x64_pd(e, 0xd8));
    *odd = _mm256_castpd_ps(_mm256_permute4x64_pd(o, 0xd8));
}
CORR_INLINE void v_lace_f32_avx2(__m256 even, __m256 odd, __m256 *low, __m256 *high) {
    __m256 a = _mm256_unpacklo_ps(even, odd), b = _mm256_unpackhi_ps(even, odd);
    *low = _mm256_permute2f128_ps(a, b, 0x20);
    *high = _mm256_permute2f128_ps(a, b, 0x31);
}
CORR_INLINE __m256 v_reverse_f32_avx2(__m256 a) {
    return _mm256_permutevar8x32_ps(a, _mm256_setr_epi32(7, 6, 5, 4, 3, 2, 1, 0));
}
CORR_INLINE __m256 v_select_f32_avx2(__m256i m, __m256 a, __m256 b) {
    return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(m));
}
CORR_INLINE __m256 v_align_f32_avx2(__m256 a, __m256 b, int n) {
    const __m256i x = _mm256_castps_si256(a), z = _mm256_castps_si256(b);
    const __m256i y = _mm256_permute2x128_si256(x, z, 0x21); /* the middle of both */
    switch (n) {
    case 1: return _mm256_castsi256_ps(_mm256_alignr_epi8(y, x, 4));
    case 2: return _mm256_castsi256_ps(_mm256_alignr_epi8(y, x, 8));
    case 3: return _mm256_castsi256_ps(_mm256_alignr_epi8(y, x, 12));
    case 4: return _mm256_castsi256_ps(y);
    case 5: return _mm256_castsi256_ps(_mm256_alignr_epi8(z, y, 4));
    case 6: return _mm256_castsi256_ps(_mm256_alignr_epi8(z, y, 8));
    case 7: return _mm256_castsi256_ps(_mm256_alignr_epi8(z, y, 12));
    default: return a;
    }
}
typedef __m256i vindex_f32_avx2, vindex_f64_avx2; /* of 32-bit lanes */
CORR_INLINE __m256i v_index_f32_avx2(const int32_t *p) {
    return _mm256_loadu_si256((const __m256i *)(const void *)p);
}
CORR_INLINE __m256 v_permute_f32_avx2(__m256 a, __m256i i) { return _mm256_permutevar8x32_ps(a, i); }
CORR_INLINE void v_transpose_f32_avx2(__m256 r[8]) {
    __m256 p[8], q[8];
    CORR_UNROLL
    for (int i = 0; i < 8; i += 2) {
        p[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
        p[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
    }
    CORR_UNROLL
    for (int i = 0; i < 8; i += 4) {
        q[i] = _mm256_shuffle_ps(p[i], p[i + 2], 0x44);
        q[i + 1] = _mm256_shuffle_ps(p[i], p[i + 2], 0xee);
        q[i + 2] = _mm256_shuffle_ps(p[i + 1], p[i + 3], 0x44);
        q[i + 3] = _mm256_shuffle_ps(p[i + 1], p[i + 3], 0xee);
    }
    CORR_UNROLL
    for (int i = 0; i < 4; i++) {
        r[i] = _mm256_permute2f128_ps(q[i], q[i + 4], 0x20);
        r[i + 4] = _mm256_permute2f128_ps(q[i], q[i + 4], 0x31);
    }
}

CORR_INLINE __m256d v_zero_f64_avx2(void) { return _mm256_setzero_pd(); }
CORR_INLINE __m256d v_set1_f64_avx2(double a) { return _mm256_set1_pd(a); }
CORR_INLINE __m256d v_load_f64_avx2(const double *p) { return _mm256_loadu_pd(p); }
CORR_INLINE void v_store_f64_avx2(double *p, __m256d a) { _mm256_storeu_pd(p, a); }
CORR_INLINE __m256d v_load_n_f64_avx2(const double *p, int64_t n) {
    return _mm256_maskload_pd(p, range64_avx2(0, n));
}
CORR_INLINE void v_store_n_f64_avx2(double *p, __m256d a, int64_t n) {
    if (n >= 4) {
        _mm256_storeu_pd(p, a);
        return;
    }
    __m128d rest = _mm256_castpd256_pd128(a);
    if (n & 2) {
        _mm_storeu_pd(p, rest);
        rest = _mm256_extractf128_pd(a, 1);
        p += 2;
    }
    if (n & 1)
        _mm_store_sd(p, rest);
}
CORR_INLINE __m256d v_load_range_f64_avx2(const double *p, int64_t lo, int64_t hi) {
    return _mm256_maskload_pd(p, range64_avx2(lo, hi));
}
CORR_INLINE __m256d v_load2_range_f64_avx2(const double *p, int64_t lo, int64_t hi) {
    __m256i even = _mm256_setr_epi64x(-1, 0, -1, 0);
    __m256d a = _mm256_maskload_pd(p, _mm256_and_si256(even, range64_avx2(2 * lo, 2 * hi)));
    __m256d b = _mm256_maskload_pd(
        p + 4, _mm256_and_si256(even, range64_avx2(2 * lo - 4, 2 * hi - 4)));
    return _mm256_permute4x64_pd(_mm256_unpacklo_pd(a, b), 0xd8);
}
CORR_INLINE __m256d v_add_f64_avx2(__m256d a, __m256d b) { return _mm256_add_pd(a, b); }
CORR_INLINE __m256d v_sub_f64_avx2(__m256d a, __m256d b) { return _mm256_sub_pd(a, b); }
CORR_INLINE __m256d v_mul_f64_avx2(__m256d a, __m256d b) { return _mm256_mul_pd(a, b); }
CORR_INLINE __m256d v_fnma_f64_avx2(__m256d a, __m256d b, __m256d c) {
    return _mm256_fnmadd_pd(a, b, c);
}
CORR_INLINE __m256d v_fma_f64_avx2(__m256d a, __m256d b, __m256d c) {
    return _mm256_fmadd_pd(a, b, c);
}
CORR_INLINE __m256d v_max_f64_avx2(__m256d a, __m256d b) { return _mm256_max_pd(a, b); }
CORR_INLINE __m256d v_min_f64_avx2(__m256d a, __m256d b) { return _mm256_min_pd(a, b); }
CORR_INLINE double v_sum_f64_avx2(__m256d a) {
    __m128d s = _mm_add_pd(_mm256_castpd256_pd128(a), _mm256_extractf128_pd(a, 1));
    return _mm_cvtsd_f64(_mm_add_sd(s, _mm_unpackhi_pd(s, s)));
}
CORR_INLINE double s_fma_f64_avx2(double a, double b, double c) {
    return _mm_cvtsd_f64(_mm_fmadd_sd(_mm_set_sd(a), _mm_set_sd(b), _mm_set_sd(c)));
}
typedef __m256i vmask_f64_avx2;
CORR_INLINE __m256i v_mask_f64_avx2(int64_t lo, int64_t hi) { return range64_avx2(lo, hi); }
CORR_INLINE __m256d v_load_mask_f64_avx2(const double *p, __m256i m) {
    return _mm256_maskload_pd(p, m);
}
CORR_INLINE __m256d v_load_merge_f64_avx2(__m256d a, const double *p, __m256i m) {
    return _mm256_blendv_pd(a, _mm256_maskload_pd(p, m), _mm256_castsi256_pd(m));
}
CORR_INLINE void v_store_mask_f64_avx2(double *p, __m256d a, __m256i m) {
    if (_mm256_movemask_pd(_mm256_castsi256_pd(m)) == 0xf)
        _mm256_storeu_pd(p, a);
    else
        _mm256_maskstore_pd(p, m, a);
}
CORR_INLINE void v_split_f64_avx2(__m256d a, __m256d b, __m256d *even, __m256d *odd) {
    *even = _mm256_permute4x64_pd(_mm256_unpacklo_pd(a, b), 0xd8);
    *odd = _mm256_permute4x64_pd(_mm256_unpackhi_pd(a, b), 0xd8);
}
CORR_INLINE void v_lace_f64_avx2(__m256d even, __m256d odd, __m256d *low, __m256d *high) {
    __m256d a = _mm256_unpacklo_pd(even, odd), b = _mm256_unpackhi_pd(even, odd);
    *low = _mm256_permute2f128_pd(a, b, 0x20);
    *high = _mm256_permute2f128_pd(a, b, 0x31);
}
CORR_INLINE __m256d v_reverse_f64_avx2(__m256d a) {
    return _mm256_permute4x64_pd(a, 0x1b);
}
CORR_INLINE __m256d v_select_f64_avx2(__m256i m, __m256d a, __m256d b) {
    return _mm256_blendv_pd(b, a, _mm256_castsi256_pd(m));
}
CORR_INLINE __m256d v_align_f64_avx2(__m256d a, __m256d b, int n) {
    const __m256d middle = _mm256_permute2f128_pd(a, b, 0x21);
    switch (n) {
    case 1: return _mm256_shuffle_pd(a, middle, 0x5);
    case 2: return middle;
    case 3: return _mm256_shuffle_pd(middle, b, 0x5);
    default: return a;
    }
}
CORR_INLINE __m256i v_index_f64_avx2(const int32_t *p) {
    const __m256i i = _mm256_cvtepi32_epi64(_mm_loadu_si128((const __m128i *)(const void *)p));
    const __m256i low = _mm256_add_epi64(i, i);
    const __m256i high = _mm256_slli_epi64(_mm256_add_epi64(low, _mm256_set1_epi64x(1)), 32);
    return _mm256_or_si256(low, high);
}
CORR_INLINE __m256d v_permute_f64_avx2(__m256d a, __m256i i) {
    return _mm256_castps_pd(_mm256_permutevar8x32_ps(_mm256_castpd_ps(a), i));
}
CORR_INLINE void v_transpose_f64_avx2(__m256d r[4]) {
    __m256d a = _mm256_unpacklo_pd(r[0], r[1]), b = _mm256_unpackhi_pd(r[0], r[1]);
    __m256d c = _mm256_unpacklo_pd(r[2], r[3]), d = _mm256_unpackhi_pd(r[2], r[3]);
    r[0] = _mm256_permute2f128_pd(a, c, 0x20);
    r[1] = _mm256_permute2f128_pd(b, d, 0x20);
    r[2] = _mm256_permute2f128_pd(a, c, 0x31);
    r[3] = _mm256_permute2f128_pd(b, d, 0x31);
}
