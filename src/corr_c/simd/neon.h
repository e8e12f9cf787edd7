/* NEON of aarch64: 32 registers of 4 floats or 2 doubles; edges lane by lane. */

#define CORR_TILES_neon(X) CORR_ROWS_12(X, 1) CORR_ROWS_12(X, 2) CORR_ROWS_8(X, 3)
#define CORR_TILE_ROWS_neon {12, 12, 8, 0}
#define CORR_DOTS_neon(X) \
    CORR_ROWS_6(X, 1) CORR_ROWS_6(X, 2) CORR_ROWS_6(X, 3) CORR_ROWS_6(X, 4)
#define CORR_DOT_ROWS_neon 4
#define CORR_DOT_COLUMNS_neon 6
/* Stencils: X(kind, kernel, step, vectors); X(KH, KW if kept in registers, step, vectors). */
#define CORR_MARCHES_f32_neon(X)                                                                 \
    X(SHARED, 3, 1, 1) X(SHARED, 3, 1, 2) X(SHARED, 3, 1, 3) X(SHARED, 3, 1, 4)                \
    X(SHARED, 5, 1, 1) X(SHARED, 5, 1, 2) X(SHARED, 5, 1, 3) X(SHARED, 5, 1, 4)                \
    X(SHARED, 7, 1, 1) X(SHARED, 7, 1, 2) X(SHARED, 7, 1, 3) X(SHARED, 3, 2, 1)                \
    X(SHARED, 3, 2, 2) X(SHARED, 5, 2, 1) X(SHARED, 5, 2, 2) X(SHARED, 7, 2, 1)                \
    X(SHARED, 7, 2, 2) X(OWN, 3, 1, 2) X(OWN, 3, 2, 2) X(OWN, 5, 1, 2) X(OWN, 5, 2, 2)         \
    X(PAIR, 3, 1, 2) X(PAIR, 3, 2, 2) X(PAIR, 5, 1, 2) X(PAIR, 5, 2, 2) X(PAIR, 7, 1, 1)
#define CORR_MARCHES_f64_neon(X) CORR_MARCHES_f32_neon(X)
#define CORR_LANES_MARCHES_f32_neon(X)                                                           \
    X(3, 3, 1, 1) X(3, 3, 1, 4) X(5, 0, 1, 1) X(5, 0, 1, 4) X(7, 0, 1, 1) X(7, 0, 1, 3)        \
    X(3, 3, 2, 1) X(3, 3, 2, 4) X(5, 0, 2, 1) X(5, 0, 2, 4) X(7, 0, 2, 1) X(7, 0, 2, 4)
#define CORR_LANES_MARCHES_f64_neon CORR_LANES_MARCHES_f32_neon
/* Blocks of taps of the weight gradient: X(rows, columns, step); of 3x3: X(step, vectors). */
#define CORR_WEIGHTS_neon(X) \
    X(1, 1, 1) X(1, 3, 1) X(3, 3, 1) X(1, 5, 1) X(5, 5, 1) X(1, 7, 1) X(3, 7, 1) \
    X(1, 1, 2) X(1, 3, 2) X(3, 3, 2) X(1, 5, 2) X(5, 5, 2) X(1, 7, 2) X(3, 7, 2)
#define CORR_WEIGHTS3_neon(X) X(1, 1) X(1, 2) X(1, 3) X(1, 4) X(2, 1) X(2, 2)
/* Of one channel a lane: X(rows, columns). */
#define CORR_WEIGHTS_LANES_neon(X) \
    X(1, 1) X(3, 1) X(5, 1) X(1, 3) X(3, 3) X(1, 5) X(5, 5) X(1, 7) X(3, 7)
#define CORR_UPS_neon(X) X(3, 1) X(3, 2) X(5, 1) X(7, 1)
#define CORR_UPS_LANES_neon(X) X(3) X(5)
#define CORR_BLOCKS_neon(X)                                                                  \
    X(1, 1) X(2, 1) X(4, 1) X(7, 1) X(1, 2) X(3, 2) X(7, 2) X(1, 4) X(2, 4) X(4, 4) X(7, 4)
#define CORR_BLOCKS_IMAGE_neon(X) X(1, 1)
#define CORR_SLIDES_f32_neon(X) X(3, 1, 1)
#define CORR_SLIDES_f64_neon CORR_SLIDES_f32_neon
#define CORR_BANDS_neon(X) X(3, 1, 1, 1)
#define CORR_BANDS_PLANES_neon(X) X(3, 1, 1, 1)
#define CORR_REUSES_neon(X)                                                                    \
    X(1, 1) X(3, 1) X(7, 1) X(1, 2) X(3, 2) X(7, 2) X(1, 4) X(3, 4) X(5, 4)
#define CORR_GROUPS_f32_neon(X)                                                                    \
    X(1, 1, 1) X(1, 1, 4) X(1, 2, 1) X(1, 2, 4) X(1, 3, 1) X(1, 3, 4) X(1, 4, 1) X(1, 4, 4)    \
    X(1, 6, 1) X(1, 6, 4) X(1, 8, 1) X(1, 8, 2) X(2, 1, 1) X(2, 1, 4) X(2, 2, 1) X(2, 2, 4)    \
    X(2, 3, 1) X(2, 3, 4) X(2, 4, 1) X(2, 4, 4) X(2, 6, 1) X(2, 6, 2) X(2, 8, 1) X(2, 8, 2)
#define CORR_GROUPS_f64_neon(X) CORR_GROUPS_f32_neon(X)
#define CORR_GROUPS_LANES_f32_neon(X) X(1, 1) X(1, 4) X(3, 1) X(3, 4)
#define CORR_GROUPS_LANES_f64_neon(X) X(1, 1) X(1, 4) X(3, 1) X(3, 4)

enum { V_LANES_f32_neon = 4, V_LANES_f64_neon = 2, V_MASKED_neon = 0, V_RELOADS_neon = 0 };
typedef float32x4_t vec_f32_neon;
typedef float64x2_t vec_f64_neon;

CORR_INLINE float32x4_t v_set1_f32_neon(float a) { return vdupq_n_f32(a); }
CORR_INLINE float32x4_t v_zero_f32_neon(void) { return vdupq_n_f32(0); }
CORR_INLINE float32x4_t v_load_f32_neon(const float *p) { return vld1q_f32(p); }
CORR_INLINE void v_store_f32_neon(float *p, float32x4_t a) { vst1q_f32(p, a); }
typedef struct {
    int64_t lo, hi;
} vmask_f32_neon;
CORR_INLINE vmask_f32_neon v_mask_f32_neon(int64_t lo, int64_t hi) {
    vmask_f32_neon m = {lo, hi};
    return m;
}
/* Lane by lane: through memory, the loops of the stencils would touch the stack. */
CORR_INLINE float32x4_t v_load_merge_f32_neon(float32x4_t a, const float *p, vmask_f32_neon m) {
    if (m.lo == 0 && m.hi == 4)
        return vld1q_f32(p);
    if (m.lo <= 0 && m.hi > 0)
        a = vld1q_lane_f32(p, a, 0);
    if (m.lo <= 1 && m.hi > 1)
        a = vld1q_lane_f32(p + 1, a, 1);
    if (m.lo <= 2 && m.hi > 2)
        a = vld1q_lane_f32(p + 2, a, 2);
    if (m.lo <= 3 && m.hi > 3)
        a = vld1q_lane_f32(p + 3, a, 3);
    return a;
}
CORR_INLINE float32x4_t v_load_mask_f32_neon(const float *p, vmask_f32_neon m) {
    return v_load_merge_f32_neon(vdupq_n_f32(0), p, m);
}
CORR_INLINE float32x4_t v_load_range_f32_neon(const float *p, int64_t lo, int64_t hi) {
    return v_load_mask_f32_neon(p, v_mask_f32_neon(lo, hi));
}
CORR_INLINE float32x4_t v_load2_range_f32_neon(const float *p, int64_t lo, int64_t hi) {
    float32x4_t a = vdupq_n_f32(0);
    if (lo <= 0 && hi > 0)
        a = vld1q_lane_f32(p, a, 0);
    if (lo <= 1 && hi > 1)
        a = vld1q_lane_f32(p + 2, a, 1);
    if (lo <= 2 && hi > 2)
        a = vld1q_lane_f32(p + 4, a, 2);
    if (lo <= 3 && hi > 3)
        a = vld1q_lane_f32(p + 6, a, 3);
    return a;
}
CORR_INLINE float32x4_t v_load_n_f32_neon(const float *p, int64_t n) {
    return v_load_range_f32_neon(p, 0, n);
}
CORR_INLINE void v_store_mask_f32_neon(float *p, float32x4_t a, vmask_f32_neon m) {
    if (m.lo == 0 && m.hi == 4) {
        vst1q_f32(p, a);
        return;
    }
    if (m.lo <= 0 && m.hi > 0)
        vst1q_lane_f32(p, a, 0);
    if (m.lo <= 1 && m.hi > 1)
        vst1q_lane_f32(p + 1, a, 1);
    if (m.lo <= 2 && m.hi > 2)
        vst1q_lane_f32(p + 2, a, 2);
    if (m.lo <= 3 && m.hi > 3)
        vst1q_lane_f32(p + 3, a, 3);
}
CORR_INLINE void v_store_n_f32_neon(float *p, float32x4_t a, int64_t n) {
    v_store_mask_f32_neon(p, a, v_mask_f32_neon(0, n));
}
CORR_INLINE float32x4_t v_add_f32_neon(float32x4_t a, float32x4_t b) { return vaddq_f32(a, b); }
CORR_INLINE float32x4_t v_sub_f32_neon(float32x4_t a, float32x4_t b) { return vsubq_f32(a, b); }
CORR_INLINE float32x4_t v_mul_f32_neon(float32x4_t a, float32x4_t b) { return vmulq_f32(a, b); }
CORR_INLINE float32x4_t v_fnma_f32_neon(float32x4_t a, float32x4_t b, float32x4_t c) { return vfmsq_f32(c, a, b); }
CORR_INLINE float32x4_t v_fma_f32_neon(float32x4_t a, float32x4_t b, float32x4_t c) { return vfmaq_f32(c, a, b); }
CORR_INLINE float32x4_t v_max_f32_neon(float32x4_t a, float32x4_t b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
CORR_INLINE float32x4_t v_min_f32_neon(float32x4_t a, float32x4_t b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
CORR_INLINE float v_sum_f32_neon(float32x4_t a) { return vaddvq_f32(a); }
CORR_INLINE float s_fma_f32_neon(float a, float b, float c) {
    return vgetq_lane_f32(vfmaq_f32(vdupq_n_f32(c), vdupq_n_f32(a), vdupq_n_f32(b)), 0);
}
CORR_INLINE void v_split_f32_neon(float32x4_t a, float32x4_t b, float32x4_t *even, float32x4_t *odd) {
    *even = vuzp1q_f32(a, b);
    *odd = vuzp2q_f32(a, b);
}
CORR_INLINE void v_lace_f32_neon(float32x4_t even, float32x4_t odd, float32x4_t *low, float32x4_t *high) {
    *low = vzip1q_f32(even, odd);
    *high = vzip2q_f32(even, odd);
}
CORR_INLINE float32x4_t v_reverse_f32_neon(float32x4_t a) {
    a = vrev64q_f32(a);
    return vextq_f32(a, a, 2);
}
CORR_INLINE float32x4_t v_select_f32_neon(vmask_f32_neon m, float32x4_t a, float32x4_t b) {
    float lanes[4];
    v_store_f32_neon(lanes, b);
    v_store_mask_f32_neon(lanes, a, m);
    return v_load_f32_neon(lanes);
}
CORR_INLINE float32x4_t v_align_f32_neon(float32x4_t a, float32x4_t b, int n) {
    switch (n) {
    case 1: return vextq_f32(a, b, 1);
    case 2: return vextq_f32(a, b, 2);
    case 3: return vextq_f32(a, b, 3);
    default: return a;
    }
}
typedef uint8x16_t vindex_f32_neon, vindex_f64_neon; /* of bytes */
CORR_INLINE uint8x16_t v_index_f32_neon(const int32_t *p) {
    const uint32x4_t bytes = vdupq_n_u32(0x03020100u);
    return vreinterpretq_u8_u32(vmlaq_n_u32(bytes, vreinterpretq_u32_s32(vld1q_s32(p)), 0x04040404u));
}
CORR_INLINE float32x4_t v_permute_f32_neon(float32x4_t a, uint8x16_t i) {
    return vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(a), i));
}
CORR_INLINE void v_transpose_f32_neon(float32x4_t r[4]) {
    float32x4_t a = vzip1q_f32(r[0], r[2]), b = vzip2q_f32(r[0], r[2]);
    float32x4_t c = vzip1q_f32(r[1], r[3]), d = vzip2q_f32(r[1], r[3]);
    r[0] = vzip1q_f32(a, c);
    r[1] = vzip2q_f32(a, c);
    r[2] = vzip1q_f32(b, d);
    r[3] = vzip2q_f32(b, d);
}

CORR_INLINE float64x2_t v_set1_f64_neon(double a) { return vdupq_n_f64(a); }
CORR_INLINE float64x2_t v_zero_f64_neon(void) { return vdupq_n_f64(0); }
CORR_INLINE float64x2_t v_load_f64_neon(const double *p) { return vld1q_f64(p); }
CORR_INLINE void v_store_f64_neon(double *p, float64x2_t a) { vst1q_f64(p, a); }
typedef struct {
    int64_t lo, hi;
} vmask_f64_neon;
CORR_INLINE vmask_f64_neon v_mask_f64_neon(int64_t lo, int64_t hi) {
    vmask_f64_neon m = {lo, hi};
    return m;
}
CORR_INLINE float64x2_t v_load_merge_f64_neon(float64x2_t a, const double *p, vmask_f64_neon m) {
    if (m.lo == 0 && m.hi == 2)
        return vld1q_f64(p);
    if (m.lo <= 0 && m.hi > 0)
        a = vld1q_lane_f64(p, a, 0);
    if (m.lo <= 1 && m.hi > 1)
        a = vld1q_lane_f64(p + 1, a, 1);
    return a;
}
CORR_INLINE float64x2_t v_load_mask_f64_neon(const double *p, vmask_f64_neon m) {
    return v_load_merge_f64_neon(vdupq_n_f64(0), p, m);
}
CORR_INLINE float64x2_t v_load_range_f64_neon(const double *p, int64_t lo, int64_t hi) {
    return v_load_mask_f64_neon(p, v_mask_f64_neon(lo, hi));
}
CORR_INLINE float64x2_t v_load2_range_f64_neon(const double *p, int64_t lo, int64_t hi) {
    float64x2_t a = vdupq_n_f64(0);
    if (lo <= 0 && hi > 0)
        a = vld1q_lane_f64(p, a, 0);
    if (lo <= 1 && hi > 1)
        a = vld1q_lane_f64(p + 2, a, 1);
    return a;
}
CORR_INLINE float64x2_t v_load_n_f64_neon(const double *p, int64_t n) {
    return v_load_range_f64_neon(p, 0, n);
}
CORR_INLINE void v_store_mask_f64_neon(double *p, float64x2_t a, vmask_f64_neon m) {
    if (m.lo == 0 && m.hi == 2) {
        vst1q_f64(p, a);
        return;
    }
    if (m.lo <= 0 && m.hi > 0)
        vst1q_lane_f64(p, a, 0);
    if (m.lo <= 1 && m.hi > 1)
        vst1q_lane_f64(p + 1, a, 1);
}
CORR_INLINE void v_store_n_f64_neon(double *p, float64x2_t a, int64_t n) {
    v_store_mask_f64_neon(p, a, v_mask_f64_neon(0, n));
}
CORR_INLINE float64x2_t v_add_f64_neon(float64x2_t a, float64x2_t b) { return vaddq_f64(a, b); }
CORR_INLINE float64x2_t v_sub_f64_neon(float64x2_t a, float64x2_t b) { return vsubq_f64(a, b); }
CORR_INLINE float64x2_t v_mul_f64_neon(float64x2_t a, float64x2_t b) { return vmulq_f64(a, b); }
CORR_INLINE float64x2_t v_fnma_f64_neon(float64x2_t a, float64x2_t b, float64x2_t c) { return vfmsq_f64(c, a, b); }
CORR_INLINE float64x2_t v_fma_f64_neon(float64x2_t a, float64x2_t b, float64x2_t c) { return vfmaq_f64(c, a, b); }
CORR_INLINE float64x2_t v_max_f64_neon(float64x2_t a, float64x2_t b) { return vbslq_f64(vcgtq_f64(a, b), a, b); }
CORR_INLINE float64x2_t v_min_f64_neon(float64x2_t a, float64x2_t b) { return vbslq_f64(vcltq_f64(a, b), a, b); }
CORR_INLINE double v_sum_f64_neon(float64x2_t a) { return vaddvq_f64(a); }
CORR_INLINE double s_fma_f64_neon(double a, double b, double c) {
    return vgetq_lane_f64(vfmaq_f64(vdupq_n_f64(c), vdupq_n_f64(a), vdupq_n_f64(b)), 0);
}
CORR_INLINE void v_split_f64_neon(float64x2_t a, float64x2_t b, float64x2_t *even, float64x2_t *odd) {
    *even = vuzp1q_f64(a, b);
    *odd = vuzp2q_f64(a, b);
}
CORR_INLINE void v_lace_f64_neon(float64x2_t even, float64x2_t odd, float64x2_t *low, float64x2_t *high) {
    *low = vzip1q_f64(even, odd);
    *high = vzip2q_f64(even, odd);
}
CORR_INLINE float64x2_t v_reverse_f64_neon(float64x2_t a) {
    return vextq_f64(a, a, 1);
}
CORR_INLINE float64x2_t v_select_f64_neon(vmask_f64_neon m, float64x2_t a, float64x2_t b) {
    double lanes[2];
    v_store_f64_neon(lanes, b);
    v_store_mask_f64_neon(lanes, a, m);
    return v_load_f64_neon(lanes);
}
CORR_INLINE float64x2_t v_align_f64_neon(float64x2_t a, float64x2_t b, int n) {
    switch (n) {
    case 1: return vextq_f64(a, b, 1);
    default: return a;
    }
}
CORR_INLINE uint8x16_t v_index_f64_neon(const int32_t *p) {
    const uint64_t low = UINT64_C(0x0706050403020100), eights = UINT64_C(0x0808080808080808);
    const uint64x2_t i = {low + eights * (uint64_t)p[0], low + eights * (uint64_t)p[1]};
    return vreinterpretq_u8_u64(i);
}
CORR_INLINE float64x2_t v_permute_f64_neon(float64x2_t a, uint8x16_t i) {
    return vreinterpretq_f64_u8(vqtbl1q_u8(vreinterpretq_u8_f64(a), i));
}
CORR_INLINE void v_transpose_f64_neon(float64x2_t r[2]) {
    float64x2_t a = vzip1q_f64(r[0], r[1]), b = vzip2q_f64(r[0], r[1]);
    r[0] = a;
    r[1] = b;
}
