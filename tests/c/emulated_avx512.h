/* What simd/avx512.h asks of AVX-512, as two vectors of AVX2: tools/emulate_avx512.py builds its
 * kernels with these, to test them on machines without it. */
#include <immintrin.h>

typedef union {
    __m512 s;
    __m512d d;
    __m512i i;
    __m256 s2[2];
    __m256d d2[2];
    __m256i i2[2];
    float f[16];
    double e[8];
    int32_t n[16];
    int64_t m[8];
} emulated;

/* One instruction's name for each: emulated_NAME is _mm512_NAME. */
#define EMULATED static inline __attribute__((always_inline, unused))
#define TWO(type, field, pair, name, call)                                  \
    EMULATED type emulated_##name(type a, type b) {                         \
        emulated x = {.field = a}, y = {.field = b}, r;                     \
        for (int k = 0; k < 2; k++)                                         \
            r.pair[k] = call(x.pair[k], y.pair[k]);                         \
        return r.field;                                                     \
    }
#define TWO_OF_BOTH_TYPES(name)                                             \
    TWO(__m512, s, s2, name##_ps, _mm256_##name##_ps)                       \
    TWO(__m512d, d, d2, name##_pd, _mm256_##name##_pd)
TWO_OF_BOTH_TYPES(add) TWO_OF_BOTH_TYPES(sub) TWO_OF_BOTH_TYPES(mul)
TWO_OF_BOTH_TYPES(max) TWO_OF_BOTH_TYPES(min)
TWO_OF_BOTH_TYPES(unpacklo) TWO_OF_BOTH_TYPES(unpackhi)
TWO(__m512i, i, i2, add_epi32, _mm256_add_epi32)
TWO(__m512i, i, i2, add_epi64, _mm256_add_epi64)

#define THREE(type, field, pair, name, call)                                \
    EMULATED type emulated_##name(type a, type b, type c) {                 \
        emulated x = {.field = a}, y = {.field = b}, z = {.field = c}, r;   \
        for (int k = 0; k < 2; k++)                                         \
            r.pair[k] = call(x.pair[k], y.pair[k], z.pair[k]);              \
        return r.field;                                                     \
    }
THREE(__m512, s, s2, fmadd_ps, _mm256_fmadd_ps)
THREE(__m512d, d, d2, fmadd_pd, _mm256_fmadd_pd)
THREE(__m512, s, s2, fnmadd_ps, _mm256_fnmadd_ps)
THREE(__m512d, d, d2, fnmadd_pd, _mm256_fnmadd_pd)

/* Only the lanes of the mask are touched, as the instruction promises. */
EMULATED __m256i emulated_lanes32(unsigned m) {
    __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    return _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)m), bit), bit);
}
EMULATED __m256i emulated_lanes64(unsigned m) {
    __m256i bit = _mm256_setr_epi64x(1, 2, 4, 8);
    return _mm256_cmpeq_epi64(_mm256_and_si256(_mm256_set1_epi64x((long long)m), bit), bit);
}
#define MASKED(type, element, field, pair, suffix, mask, lanes, half, blend)                   \
    EMULATED type emulated_maskz_loadu_##suffix(mask m, const element *p) {                    \
        emulated r;                                                                            \
        for (int k = 0; k < 2; k++)                                                            \
            r.pair[k] = _mm256_maskload_##suffix(p + half * k, lanes((unsigned)m >> half * k)); \
        return r.field;                                                                        \
    }                                                                                          \
    EMULATED type emulated_mask_loadu_##suffix(type a, mask m, const element *p) {             \
        emulated x = {.field = a}, r = {.field = emulated_maskz_loadu_##suffix(m, p)};         \
        for (int k = 0; k < 2; k++)                                                            \
            r.pair[k] = _mm256_blendv_##suffix(                                                \
                x.pair[k], r.pair[k], blend(lanes((unsigned)m >> half * k)));                  \
        return r.field;                                                                        \
    }                                                                                          \
    EMULATED void emulated_mask_storeu_##suffix(element *p, mask m, type a) {                  \
        emulated x = {.field = a};                                                             \
        for (int k = 0; k < 2; k++)                                                            \
            _mm256_maskstore_##suffix(p + half * k, lanes((unsigned)m >> half * k), x.pair[k]); \
    }                                                                                          \
    EMULATED type emulated_mask_blend_##suffix(mask m, type a, type b) {                       \
        emulated x = {.field = a}, y = {.field = b}, r;                                        \
        for (int k = 0; k < 2; k++)                                                            \
            r.pair[k] = _mm256_blendv_##suffix(                                                \
                x.pair[k], y.pair[k], blend(lanes((unsigned)m >> half * k)));                  \
        return r.field;                                                                        \
    }
MASKED(__m512, float, s, s2, ps, __mmask16, emulated_lanes32, 8, _mm256_castsi256_ps)
MASKED(__m512d, double, d, d2, pd, __mmask8, emulated_lanes64, 4, _mm256_castsi256_pd)

#define ANY(type, element, field, pair, array, index, lanes, half, suffix)                     \
    EMULATED type emulated_setzero_##suffix(void) {                                            \
        emulated r;                                                                            \
        r.pair[0] = r.pair[1] = _mm256_setzero_##suffix();                                     \
        return r.field;                                                                        \
    }                                                                                          \
    EMULATED type emulated_set1_##suffix(element a) {                                          \
        emulated r;                                                                            \
        r.pair[0] = r.pair[1] = _mm256_set1_##suffix(a);                                       \
        return r.field;                                                                        \
    }                                                                                          \
    EMULATED type emulated_loadu_##suffix(const element *p) {                                  \
        emulated r;                                                                            \
        r.pair[0] = _mm256_loadu_##suffix(p);                                                  \
        r.pair[1] = _mm256_loadu_##suffix(p + half);                                           \
        return r.field;                                                                        \
    }                                                                                          \
    EMULATED void emulated_storeu_##suffix(element *p, type a) {                               \
        emulated x = {.field = a};                                                             \
        _mm256_storeu_##suffix(p, x.pair[0]);                                                  \
        _mm256_storeu_##suffix(p + half, x.pair[1]);                                           \
    }                                                                                          \
    EMULATED type emulated_permutexvar_##suffix(__m512i at, type a) {                          \
        emulated x = {.field = a}, i = {.i = at}, r;                                           \
        for (int k = 0; k < lanes; k++)                                                        \
            r.array[k] = x.array[i.index[k] & (lanes - 1)];                                    \
        return r.field;                                                                        \
    }                                                                                          \
    EMULATED type emulated_permutex2var_##suffix(type a, __m512i at, type b) {                 \
        emulated x = {.field = a}, y = {.field = b}, i = {.i = at}, r;                         \
        for (int k = 0; k < lanes; k++)                                                        \
            r.array[k] = (i.index[k] & lanes ? y : x).array[i.index[k] & (lanes - 1)];         \
        return r.field;                                                                        \
    }                                                                                          \
    EMULATED element emulated_reduce_add_##suffix(type a) {                                    \
        emulated x = {.field = a};                                                             \
        for (int n = lanes / 2; n > 0; n /= 2)                                                 \
            for (int k = 0; k < n; k++)                                                        \
                x.array[k] += x.array[k + n];                                                  \
        return x.array[0];                                                                     \
    }
ANY(__m512, float, s, s2, f, n, 16, 8, ps)
ANY(__m512d, double, d, d2, e, m, 8, 4, pd)

EMULATED __m512i emulated_set1_epi32(int a) {
    emulated r;
    r.i2[0] = r.i2[1] = _mm256_set1_epi32(a);
    return r.i;
}
EMULATED __m512i emulated_set1_epi64(long long a) {
    emulated r;
    r.i2[0] = r.i2[1] = _mm256_set1_epi64x(a);
    return r.i;
}
EMULATED __m512i emulated_loadu_si512(const void *p) {
    emulated r;
    __builtin_memcpy(&r, p, 64);
    return r.i;
}
#define emulated_setr_epi32(...) ((emulated){.n = {__VA_ARGS__}}.i)
#define emulated_setr_epi64(...) ((emulated){.m = {__VA_ARGS__}}.i)
EMULATED __m512i emulated_alignr_epi32(__m512i high, __m512i low, int by) {
    emulated x = {.i = low}, y = {.i = high}, r;
    for (int k = 0; k < 16; k++)
        r.n[k] = k + by < 16 ? x.n[k + by] : y.n[k + by - 16];
    return r.i;
}
EMULATED __m512i emulated_alignr_epi64(__m512i high, __m512i low, int by) {
    emulated x = {.i = low}, y = {.i = high}, r;
    for (int k = 0; k < 8; k++)
        r.m[k] = k + by < 8 ? x.m[k + by] : y.m[k + by - 8];
    return r.i;
}
EMULATED __m512 emulated_shuffle_f32x4(__m512 a, __m512 b, int c) {
    emulated x = {.s = a}, y = {.s = b}, r;
    for (int k = 0; k < 16; k++)
        r.f[k] = (k < 8 ? x : y).f[4 * (c >> k / 4 * 2 & 3) + k % 4];
    return r.s;
}
EMULATED __m512d emulated_shuffle_f64x2(__m512d a, __m512d b, int c) {
    emulated x = {.d = a}, y = {.d = b}, r;
    for (int k = 0; k < 8; k++)
        r.e[k] = (k < 4 ? x : y).e[2 * (c >> k / 2 * 2 & 3) + k % 2];
    return r.d;
}
EMULATED __m512i emulated_cvtepi32_epi64(__m256i a) {
    emulated x = {.i2 = {a}}, r;
    for (int k = 0; k < 8; k++)
        r.m[k] = x.n[k];
    return r.i;
}
EMULATED __m256 emulated_cvtpd_ps(__m512d a) {
    emulated x = {.d = a};
    return _mm256_set_m128(_mm256_cvtpd_ps(x.d2[1]), _mm256_cvtpd_ps(x.d2[0]));
}
EMULATED __m512d emulated_cvtps_pd(__m256 a) {
    emulated r;
    r.d2[0] = _mm256_cvtps_pd(_mm256_castps256_ps128(a));
    r.d2[1] = _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1));
    return r.d;
}
#define CAST(name, to, from, out, in) \
    EMULATED to emulated_##name(from a) { return (emulated){.in = a}.out; }
CAST(castps_pd, __m512d, __m512, d, s) CAST(castpd_ps, __m512, __m512d, s, d)
CAST(castps_si512, __m512i, __m512, i, s) CAST(castsi512_ps, __m512, __m512i, s, i)
CAST(castpd_si512, __m512i, __m512d, i, d) CAST(castsi512_pd, __m512d, __m512i, d, i)
