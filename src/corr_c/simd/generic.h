/* Plain C: arrays of four floats or two doubles, for any machine, without fused rounding. */

#define CORR_TILES_generic(X) CORR_ROWS_4(X, 1) CORR_ROWS_4(X, 2)
#define CORR_TILE_ROWS_generic {4, 4, 0, 0}
#define CORR_DOT_ROWS_generic 2
#define CORR_DOT_COLUMNS_generic 4
#define CORR_MARCHES_generic(X)                                                                \
    X(SHARED, 3, 1, 1) X(SHARED, 5, 1, 1) X(SHARED, 7, 1, 1) X(SHARED, 3, 2, 1)                \
    X(SHARED, 5, 2, 1) X(SHARED, 7, 2, 1) X(OWN, 3, 1, 2) X(PAIR, 3, 1, 2) X(PAIR, 3, 2, 2)
#define CORR_LANES_MARCHES_generic(X) \
    X(3, 3, 1, 1) X(5, 0, 1, 1) X(7, 0, 1, 1) X(3, 3, 2, 1) X(5, 0, 2, 1) X(7, 0, 2, 1)
/* Blocks of taps of the weight gradient: X(rows, columns, step); of 3x3: X(step, vectors). */
#define CORR_WEIGHTS_generic(X) \
    X(1, 1, 1) X(1, 3, 1) X(3, 3, 1) \
    X(1, 1, 2) X(1, 3, 2) X(3, 3, 2)
#define CORR_WEIGHTS3_generic(X) X(1, 1) X(2, 1)
#define CORR_UPS_generic(X) X(3, 1) X(5, 1) X(7, 1)
#define CORR_BLOCKS_generic(X) X(1, 1) X(2, 1) X(3, 1) X(4, 1)

enum { V_LANES_f32_generic = 4, V_LANES_f64_generic = 2, V_MASKED_generic = 0 };
typedef struct {
    float lane[V_LANES_f32_generic];
} vec_f32_generic;
typedef struct {
    double lane[V_LANES_f64_generic];
} vec_f64_generic;

CORR_INLINE vec_f32_generic v_set1_f32_generic(float a) {
    vec_f32_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f32_generic; i++)
        r.lane[i] = a;
    return r;
}
CORR_INLINE vec_f32_generic v_zero_f32_generic(void) { return v_set1_f32_generic(0); }
CORR_INLINE vec_f32_generic v_load_f32_generic(const float *p) {
    vec_f32_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f32_generic; i++)
        r.lane[i] = p[i];
    return r;
}
CORR_INLINE void v_store_f32_generic(float *p, vec_f32_generic a) {
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f32_generic; i++)
        p[i] = a.lane[i];
}
CORR_INLINE vec_f32_generic v_load_range_f32_generic(const float *p, int64_t lo, int64_t hi) {
    vec_f32_generic r = v_zero_f32_generic();
    for (int64_t i = lo; i < hi; i++)
        r.lane[i] = p[i];
    return r;
}
CORR_INLINE vec_f32_generic v_load2_range_f32_generic(const float *p, int64_t lo, int64_t hi) {
    vec_f32_generic r = v_zero_f32_generic();
    for (int64_t i = lo; i < hi; i++)
        r.lane[i] = p[2 * i];
    return r;
}
CORR_INLINE vec_f32_generic v_load_n_f32_generic(const float *p, int64_t n) {
    return v_load_range_f32_generic(p, 0, n);
}
CORR_INLINE void v_store_n_f32_generic(float *p, vec_f32_generic a, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        p[i] = a.lane[i];
}
CORR_INLINE vec_f32_generic v_add_f32_generic(vec_f32_generic a, vec_f32_generic b) {
    vec_f32_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f32_generic; i++)
        r.lane[i] = a.lane[i] + b.lane[i];
    return r;
}
CORR_INLINE vec_f32_generic v_sub_f32_generic(vec_f32_generic a, vec_f32_generic b) {
    vec_f32_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f32_generic; i++)
        r.lane[i] = a.lane[i] - b.lane[i];
    return r;
}
CORR_INLINE vec_f32_generic v_mul_f32_generic(vec_f32_generic a, vec_f32_generic b) {
    vec_f32_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f32_generic; i++)
        r.lane[i] = a.lane[i] * b.lane[i];
    return r;
}
CORR_INLINE vec_f32_generic v_fnma_f32_generic(vec_f32_generic a, vec_f32_generic b, vec_f32_generic c) {
    vec_f32_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f32_generic; i++)
        r.lane[i] = c.lane[i] - a.lane[i] * b.lane[i];
    return r;
}
CORR_INLINE vec_f32_generic v_fma_f32_generic(vec_f32_generic a, vec_f32_generic b, vec_f32_generic c) {
    vec_f32_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f32_generic; i++)
        r.lane[i] = a.lane[i] * b.lane[i] + c.lane[i];
    return r;
}
CORR_INLINE vec_f32_generic v_max_f32_generic(vec_f32_generic a, vec_f32_generic b) {
    vec_f32_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f32_generic; i++)
        r.lane[i] = a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i];
    return r;
}
CORR_INLINE vec_f32_generic v_min_f32_generic(vec_f32_generic a, vec_f32_generic b) {
    vec_f32_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f32_generic; i++)
        r.lane[i] = a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i];
    return r;
}
CORR_INLINE float v_sum_f32_generic(vec_f32_generic a) {
    float s = a.lane[0];
    for (int i = 1; i < V_LANES_f32_generic; i++)
        s += a.lane[i];
    return s;
}
CORR_INLINE float s_fma_f32_generic(float a, float b, float c) { return a * b + c; }
typedef struct {
    int64_t lo, hi;
} vmask_f32_generic;
CORR_INLINE vmask_f32_generic v_mask_f32_generic(int64_t lo, int64_t hi) {
    vmask_f32_generic m = {lo, hi};
    return m;
}
CORR_INLINE vec_f32_generic v_load_mask_f32_generic(const float *p, vmask_f32_generic m) {
    return v_load_range_f32_generic(p, m.lo, m.hi);
}
CORR_INLINE vec_f32_generic v_load_merge_f32_generic(vec_f32_generic a, const float *p, vmask_f32_generic m) {
    float lanes[4];
    v_store_f32_generic(lanes, a);
    for (int64_t i = m.lo; i < m.hi; i++)
        lanes[i] = p[i];
    return v_load_f32_generic(lanes);
}
CORR_INLINE void v_store_mask_f32_generic(float *p, vec_f32_generic a, vmask_f32_generic m) {
    float lanes[4];
    v_store_f32_generic(lanes, a);
    for (int64_t i = m.lo; i < m.hi; i++)
        p[i] = lanes[i];
}
CORR_INLINE void v_split_f32_generic(vec_f32_generic a, vec_f32_generic b, vec_f32_generic *even, vec_f32_generic *odd) {
    float lanes[8];
    v_store_f32_generic(lanes, a);
    v_store_f32_generic(lanes + 4, b);
    CORR_UNROLL
    for (int i = 0; i < 4; i++) {
        even->lane[i] = lanes[2 * i];
        odd->lane[i] = lanes[2 * i + 1];
    }
}
CORR_INLINE void v_lace_f32_generic(vec_f32_generic even, vec_f32_generic odd, vec_f32_generic *low, vec_f32_generic *high) {
    float lanes[8];
    CORR_UNROLL
    for (int i = 0; i < 4; i++) {
        lanes[2 * i] = even.lane[i];
        lanes[2 * i + 1] = odd.lane[i];
    }
    *low = v_load_f32_generic(lanes);
    *high = v_load_f32_generic(lanes + 4);
}
CORR_INLINE vec_f32_generic v_reverse_f32_generic(vec_f32_generic a) {
    vec_f32_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f32_generic; i++)
        r.lane[i] = a.lane[V_LANES_f32_generic - 1 - i];
    return r;
}
CORR_INLINE vec_f32_generic v_select_f32_generic(vmask_f32_generic m, vec_f32_generic a, vec_f32_generic b) {
    float lanes[4];
    v_store_f32_generic(lanes, b);
    v_store_mask_f32_generic(lanes, a, m);
    return v_load_f32_generic(lanes);
}
CORR_INLINE vec_f32_generic v_align_f32_generic(vec_f32_generic a, vec_f32_generic b, int n) {
    vec_f32_generic r;
    CORR_UNROLL
    for (int i = 0; i < 4; i++)
        r.lane[i] = i + n < 4 ? a.lane[i + n] : b.lane[i + n - 4];
    return r;
}
CORR_INLINE void v_transpose_f32_generic(vec_f32_generic r[V_LANES_f32_generic]) {
    for (int i = 0; i < V_LANES_f32_generic; i++)
        for (int j = 0; j < i; j++) {
            float swap = r[i].lane[j];
            r[i].lane[j] = r[j].lane[i];
            r[j].lane[i] = swap;
        }
}

CORR_INLINE vec_f64_generic v_set1_f64_generic(double a) {
    vec_f64_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f64_generic; i++)
        r.lane[i] = a;
    return r;
}
CORR_INLINE vec_f64_generic v_zero_f64_generic(void) { return v_set1_f64_generic(0); }
CORR_INLINE vec_f64_generic v_load_f64_generic(const double *p) {
    vec_f64_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f64_generic; i++)
        r.lane[i] = p[i];
    return r;
}
CORR_INLINE void v_store_f64_generic(double *p, vec_f64_generic a) {
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f64_generic; i++)
        p[i] = a.lane[i];
}
CORR_INLINE vec_f64_generic v_load_range_f64_generic(const double *p, int64_t lo, int64_t hi) {
    vec_f64_generic r = v_zero_f64_generic();
    for (int64_t i = lo; i < hi; i++)
        r.lane[i] = p[i];
    return r;
}
CORR_INLINE vec_f64_generic v_load2_range_f64_generic(const double *p, int64_t lo, int64_t hi) {
    vec_f64_generic r = v_zero_f64_generic();
    for (int64_t i = lo; i < hi; i++)
        r.lane[i] = p[2 * i];
    return r;
}
CORR_INLINE vec_f64_generic v_load_n_f64_generic(const double *p, int64_t n) {
    return v_load_range_f64_generic(p, 0, n);
}
CORR_INLINE void v_store_n_f64_generic(double *p, vec_f64_generic a, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        p[i] = a.lane[i];
}
CORR_INLINE vec_f64_generic v_add_f64_generic(vec_f64_generic a, vec_f64_generic b) {
    vec_f64_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f64_generic; i++)
        r.lane[i] = a.lane[i] + b.lane[i];
    return r;
}
CORR_INLINE vec_f64_generic v_sub_f64_generic(vec_f64_generic a, vec_f64_generic b) {
    vec_f64_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f64_generic; i++)
        r.lane[i] = a.lane[i] - b.lane[i];
    return r;
}
CORR_INLINE vec_f64_generic v_mul_f64_generic(vec_f64_generic a, vec_f64_generic b) {
    vec_f64_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f64_generic; i++)
        r.lane[i] = a.lane[i] * b.lane[i];
    return r;
}
CORR_INLINE vec_f64_generic v_widen_f64_generic(const float *p) {
    vec_f64_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f64_generic; i++)
        r.lane[i] = (double)p[i];
    return r;
}
CORR_INLINE void v_narrow_f64_generic(float *p, vec_f64_generic a) {
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f64_generic; i++)
        p[i] = (float)a.lane[i];
}
CORR_INLINE vec_f64_generic v_fnma_f64_generic(vec_f64_generic a, vec_f64_generic b, vec_f64_generic c) {
    vec_f64_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f64_generic; i++)
        r.lane[i] = c.lane[i] - a.lane[i] * b.lane[i];
    return r;
}
CORR_INLINE vec_f64_generic v_fma_f64_generic(vec_f64_generic a, vec_f64_generic b, vec_f64_generic c) {
    vec_f64_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f64_generic; i++)
        r.lane[i] = a.lane[i] * b.lane[i] + c.lane[i];
    return r;
}
CORR_INLINE vec_f64_generic v_max_f64_generic(vec_f64_generic a, vec_f64_generic b) {
    vec_f64_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f64_generic; i++)
        r.lane[i] = a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i];
    return r;
}
CORR_INLINE vec_f64_generic v_min_f64_generic(vec_f64_generic a, vec_f64_generic b) {
    vec_f64_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f64_generic; i++)
        r.lane[i] = a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i];
    return r;
}
CORR_INLINE double v_sum_f64_generic(vec_f64_generic a) {
    double s = a.lane[0];
    for (int i = 1; i < V_LANES_f64_generic; i++)
        s += a.lane[i];
    return s;
}
CORR_INLINE double s_fma_f64_generic(double a, double b, double c) { return a * b + c; }
typedef struct {
    int64_t lo, hi;
} vmask_f64_generic;
CORR_INLINE vmask_f64_generic v_mask_f64_generic(int64_t lo, int64_t hi) {
    vmask_f64_generic m = {lo, hi};
    return m;
}
CORR_INLINE vec_f64_generic v_load_mask_f64_generic(const double *p, vmask_f64_generic m) {
    return v_load_range_f64_generic(p, m.lo, m.hi);
}
CORR_INLINE vec_f64_generic v_load_merge_f64_generic(vec_f64_generic a, const double *p, vmask_f64_generic m) {
    double lanes[2];
    v_store_f64_generic(lanes, a);
    for (int64_t i = m.lo; i < m.hi; i++)
        lanes[i] = p[i];
    return v_load_f64_generic(lanes);
}
CORR_INLINE void v_store_mask_f64_generic(double *p, vec_f64_generic a, vmask_f64_generic m) {
    double lanes[2];
    v_store_f64_generic(lanes, a);
    for (int64_t i = m.lo; i < m.hi; i++)
        p[i] = lanes[i];
}
CORR_INLINE void v_split_f64_generic(vec_f64_generic a, vec_f64_generic b, vec_f64_generic *even, vec_f64_generic *odd) {
    double lanes[4];
    v_store_f64_generic(lanes, a);
    v_store_f64_generic(lanes + 2, b);
    CORR_UNROLL
    for (int i = 0; i < 2; i++) {
        even->lane[i] = lanes[2 * i];
        odd->lane[i] = lanes[2 * i + 1];
    }
}
CORR_INLINE void v_lace_f64_generic(vec_f64_generic even, vec_f64_generic odd, vec_f64_generic *low, vec_f64_generic *high) {
    double lanes[4];
    CORR_UNROLL
    for (int i = 0; i < 2; i++) {
        lanes[2 * i] = even.lane[i];
        lanes[2 * i + 1] = odd.lane[i];
    }
    *low = v_load_f64_generic(lanes);
    *high = v_load_f64_generic(lanes + 2);
}
CORR_INLINE vec_f64_generic v_reverse_f64_generic(vec_f64_generic a) {
    vec_f64_generic r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES_f64_generic; i++)
        r.lane[i] = a.lane[V_LANES_f64_generic - 1 - i];
    return r;
}
CORR_INLINE vec_f64_generic v_select_f64_generic(vmask_f64_generic m, vec_f64_generic a, vec_f64_generic b) {
    double lanes[2];
    v_store_f64_generic(lanes, b);
    v_store_mask_f64_generic(lanes, a, m);
    return v_load_f64_generic(lanes);
}
CORR_INLINE vec_f64_generic v_align_f64_generic(vec_f64_generic a, vec_f64_generic b, int n) {
    vec_f64_generic r;
    CORR_UNROLL
    for (int i = 0; i < 2; i++)
        r.lane[i] = i + n < 2 ? a.lane[i + n] : b.lane[i + n - 2];
    return r;
}
CORR_INLINE void v_transpose_f64_generic(vec_f64_generic r[V_LANES_f64_generic]) {
    for (int i = 0; i < V_LANES_f64_generic; i++)
        for (int j = 0; j < i; j++) {
            double swap = r[i].lane[j];
            r[i].lane[j] = r[j].lane[i];
            r[j].lane[i] = swap;
        }
}
