/* The vector layer of `generic` for one CORR_TYPE. */
#if defined(__GNUC__)
typedef real vec __attribute__((vector_size(16)));
#define CORR_LANE(a, i) (a)[i]
#define CORR_EACH(r, expression) r = expression
#define CORR_ALL(a) (a)
#define CORR_WHERE(m, a, b) (vec)(((m) & (__typeof__(m))(a)) | (~(m) & (__typeof__(m))(b)))
#else
typedef struct {
    real lane[V_LANES];
} vec;
#define CORR_LANE(a, i) (a).lane[i]
/* The expression names vectors, by CORR_ALL, where it means a lane of each. */
#define CORR_EACH(r, expression)      \
    for (int i = 0; i < V_LANES; i++) \
    (r).lane[i] = expression
#define CORR_ALL(a) (a).lane[i]
#define CORR_WHERE(m, a, b) ((m) ? (a) : (b))
#endif

CORR_INLINE vec v_load(const real *p) {
    vec r;
    memcpy(&r, p, sizeof r);
    return r;
}
CORR_INLINE void v_store(real *p, vec a) { memcpy(p, &a, sizeof a); }
CORR_INLINE vec v_set1(real a) {
    vec r;
    CORR_UNROLL
    for (int i = 0; i < V_LANES; i++)
        CORR_LANE(r, i) = a;
    return r;
}
CORR_INLINE vec v_zero(void) { return v_set1(0); }
CORR_INLINE vec v_add(vec a, vec b) {
    vec r;
    CORR_EACH(r, CORR_ALL(a) + CORR_ALL(b));
    return r;
}
CORR_INLINE vec v_sub(vec a, vec b) {
    vec r;
    CORR_EACH(r, CORR_ALL(a) - CORR_ALL(b));
    return r;
}
CORR_INLINE vec v_mul(vec a, vec b) {
    vec r;
    CORR_EACH(r, CORR_ALL(a) * CORR_ALL(b));
    return r;
}
CORR_INLINE vec v_fma(vec a, vec b, vec c) {
    vec r;
    CORR_EACH(r, CORR_ALL(a) * CORR_ALL(b) + CORR_ALL(c));
    return r;
}
CORR_INLINE vec v_fnma(vec a, vec b, vec c) {
    vec r;
    CORR_EACH(r, CORR_ALL(c) - CORR_ALL(a) * CORR_ALL(b));
    return r;
}
CORR_INLINE real s_fma(real a, real b, real c) { return a * b + c; }
CORR_INLINE vec v_max(vec a, vec b) {
    vec r;
    CORR_EACH(r, CORR_WHERE(CORR_ALL(a) > CORR_ALL(b), CORR_ALL(a), CORR_ALL(b)));
    return r;
}
CORR_INLINE vec v_min(vec a, vec b) {
    vec r;
    CORR_EACH(r, CORR_WHERE(CORR_ALL(a) < CORR_ALL(b), CORR_ALL(a), CORR_ALL(b)));
    return r;
}
CORR_INLINE real v_sum(vec a) {
    real s = CORR_LANE(a, 0);
    CORR_UNROLL
    for (int i = 1; i < V_LANES; i++)
        s += CORR_LANE(a, i);
    return s;
}

typedef struct {
    int64_t lo, hi;
} vmask;
CORR_INLINE vmask v_mask(int64_t lo, int64_t hi) {
    const vmask m = {lo, hi};
    return m;
}
/* Some lanes are rare: what copies them is no part of its callers. */
static CORR_NOINLINE void CORR_NAME(copy_lanes)(real *to, const real *from, vmask m) {
    for (int64_t i = m.lo; i < m.hi; i++)
        to[i] = from[i];
}
CORR_INLINE vec v_load_merge(vec a, const real *p, vmask m) {
    real lanes[V_LANES];
    if (m.lo == 0 && m.hi == V_LANES)
        return v_load(p);
    v_store(lanes, a);
    CORR_NAME(copy_lanes)(lanes, p, m);
    return v_load(lanes);
}
CORR_INLINE vec v_load_mask(const real *p, vmask m) { return v_load_merge(v_zero(), p, m); }
CORR_INLINE void v_store_mask(real *p, vec a, vmask m) {
    real lanes[V_LANES];
    if (m.lo == 0 && m.hi == V_LANES) {
        v_store(p, a);
        return;
    }
    v_store(lanes, a);
    CORR_NAME(copy_lanes)(p, lanes, m);
}
CORR_INLINE vec v_select(vmask m, vec a, vec b) {
    real lanes[V_LANES];
    v_store(lanes, a);
    return v_load_merge(b, lanes, m);
}
CORR_INLINE vec v_load_range(const real *p, int64_t lo, int64_t hi) {
    return v_load_mask(p, v_mask(lo, hi));
}
CORR_INLINE vec v_load2_range(const real *p, int64_t lo, int64_t hi) {
    real lanes[V_LANES] = {0};
    for (int64_t i = lo; i < hi; i++)
        lanes[i] = p[2 * i];
    return v_load(lanes);
}
CORR_INLINE vec v_load_n(const real *p, int64_t n) { return v_load_mask(p, v_mask(0, n)); }
CORR_INLINE void v_store_n(real *p, vec a, int64_t n) { v_store_mask(p, a, v_mask(0, n)); }

/* Lanes change places in memory. */
CORR_INLINE void v_split(vec a, vec b, vec *even, vec *odd) {
    real from[2 * V_LANES], to[2 * V_LANES];
    v_store(from, a);
    v_store(from + V_LANES, b);
    CORR_UNROLL
    for (int i = 0; i < 2 * V_LANES; i++)
        to[i % 2 * V_LANES + i / 2] = from[i];
    *even = v_load(to);
    *odd = v_load(to + V_LANES);
}
CORR_INLINE void v_lace(vec even, vec odd, vec *low, vec *high) {
    real from[2 * V_LANES], to[2 * V_LANES];
    v_store(from, even);
    v_store(from + V_LANES, odd);
    CORR_UNROLL
    for (int i = 0; i < 2 * V_LANES; i++)
        to[i] = from[i % 2 * V_LANES + i / 2];
    *low = v_load(to);
    *high = v_load(to + V_LANES);
}
CORR_INLINE vec v_align(vec a, vec b, int n) {
    real lanes[2 * V_LANES];
    v_store(lanes, a);
    v_store(lanes + V_LANES, b);
    return v_load(lanes + n);
}
typedef const int32_t *vindex;
CORR_INLINE vindex v_index(const int32_t *p) { return p; }
CORR_INLINE vec v_permute(vec a, vindex at) {
    real from[V_LANES], to[V_LANES];
    v_store(from, a);
    CORR_UNROLL
    for (int i = 0; i < V_LANES; i++)
        to[i] = from[at[i]];
    return v_load(to);
}
CORR_INLINE vec v_reverse(vec a) {
    real from[V_LANES], to[V_LANES];
    v_store(from, a);
    CORR_UNROLL
    for (int i = 0; i < V_LANES; i++)
        to[V_LANES - 1 - i] = from[i];
    return v_load(to);
}
CORR_INLINE void v_transpose(vec r[V_LANES]) {
    real from[V_LANES * V_LANES], to[V_LANES * V_LANES];
    CORR_UNROLL
    for (int i = 0; i < V_LANES; i++)
        v_store(from + i * V_LANES, r[i]);
    CORR_UNROLL
    for (int i = 0; i < V_LANES * V_LANES; i++)
        to[i % V_LANES * V_LANES + i / V_LANES] = from[i];
    CORR_UNROLL
    for (int i = 0; i < V_LANES; i++)
        r[i] = v_load(to + i * V_LANES);
}
#undef CORR_LANE
#undef CORR_EACH
#undef CORR_ALL
#undef CORR_WHERE
