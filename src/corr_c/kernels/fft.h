/* Fourier transforms of many lines at once: a lane a line, so that no butterfly shuffles.
 *
 * Points are [n][2][V_LANES], real and imaginary parts. Forward is radix 4, decimated in
 * frequency, in place, and leaves the points in a scrambled order; inverse is its mirror image
 * and takes them from there. Products do not care about the order, so nothing is ever sorted.
 * Twiddles, as they are met: for m = n, n / 4, ... >= 4 and j < m / 4, w^j, w^2j and w^3j with
 * w = exp(-2 pi i / m).
 */
typedef struct CORR_NAME(complex) {
    vec re, im;
} CORR_NAME(complex);

CORR_INLINE CORR_NAME(complex) CORR_NAME(c_load)(const real *p) {
    CORR_NAME(complex) a = {v_load(p), v_load(p + V_LANES)};
    return a;
}
CORR_INLINE void CORR_NAME(c_store)(real *p, CORR_NAME(complex) a) {
    v_store(p, a.re);
    v_store(p + V_LANES, a.im);
}
CORR_INLINE CORR_NAME(complex) CORR_NAME(c_add)(CORR_NAME(complex) a, CORR_NAME(complex) b) {
    CORR_NAME(complex) r = {v_add(a.re, b.re), v_add(a.im, b.im)};
    return r;
}
CORR_INLINE CORR_NAME(complex) CORR_NAME(c_sub)(CORR_NAME(complex) a, CORR_NAME(complex) b) {
    CORR_NAME(complex) r = {v_sub(a.re, b.re), v_sub(a.im, b.im)};
    return r;
}
CORR_INLINE CORR_NAME(complex) CORR_NAME(c_mul)(CORR_NAME(complex) a, CORR_NAME(complex) b) {
    CORR_NAME(complex) r = {v_fnma(a.im, b.im, v_mul(a.re, b.re)),
                            v_fma(a.im, b.re, v_mul(a.re, b.im))};
    return r;
}
/* a * conj(b) */
CORR_INLINE CORR_NAME(complex) CORR_NAME(c_mul_conj)(CORR_NAME(complex) a, CORR_NAME(complex) b) {
    CORR_NAME(complex) r = {v_fma(a.im, b.im, v_mul(a.re, b.re)),
                            v_fnma(a.re, b.im, v_mul(a.im, b.re))};
    return r;
}
/* a - i b and a + i b */
CORR_INLINE CORR_NAME(complex) CORR_NAME(c_sub_i)(CORR_NAME(complex) a, CORR_NAME(complex) b) {
    CORR_NAME(complex) r = {v_add(a.re, b.im), v_sub(a.im, b.re)};
    return r;
}
CORR_INLINE CORR_NAME(complex) CORR_NAME(c_add_i)(CORR_NAME(complex) a, CORR_NAME(complex) b) {
    CORR_NAME(complex) r = {v_sub(a.re, b.im), v_add(a.im, b.re)};
    return r;
}
CORR_INLINE CORR_NAME(complex) CORR_NAME(c_set1)(const real *p) {
    CORR_NAME(complex) r = {v_set1(p[0]), v_set1(p[1])};
    return r;
}

#define CX CORR_NAME(complex)
#define C(name) CORR_NAME(c_##name)

/* Four points q apart; plain: all twiddles are 1. */
CORR_INLINE void CORR_NAME(fft_down)(const int plain, real *p, int64_t q, CX w1, CX w2, CX w3) {
    const CX a = C(load)(p), c = C(load)(p + 2 * q), t0 = C(add)(a, c), t1 = C(sub)(a, c);
    const CX b = C(load)(p + q), d = C(load)(p + 3 * q), t2 = C(add)(b, d), t3 = C(sub)(b, d);
    /* In this order four points and three twiddles fit in 16 registers. */
    C(store)(p, C(add)(t0, t2));
    const CX y2 = C(sub)(t0, t2);
    C(store)(p + 2 * q, plain ? y2 : C(mul)(y2, w2));
    const CX y1 = C(sub_i)(t1, t3);
    C(store)(p + q, plain ? y1 : C(mul)(y1, w1));
    const CX y3 = C(add_i)(t1, t3);
    C(store)(p + 3 * q, plain ? y3 : C(mul)(y3, w3));
}

CORR_INLINE void CORR_NAME(fft_up)(const int plain, real *p, int64_t q, CX w1, CX w2, CX w3) {
    const CX y1 = C(load)(p + q), y2 = C(load)(p + 2 * q), y3 = C(load)(p + 3 * q);
    const CX z0 = C(load)(p), z1 = plain ? y1 : C(mul_conj)(y1, w1);
    const CX z2 = plain ? y2 : C(mul_conj)(y2, w2), z3 = plain ? y3 : C(mul_conj)(y3, w3);
    const CX t0 = C(add)(z0, z2), t2 = C(sub)(z0, z2), t1 = C(add)(z1, z3), t3 = C(sub)(z1, z3);
    C(store)(p, C(add)(t0, t1));
    C(store)(p + q, C(add_i)(t2, t3));
    C(store)(p + 2 * q, C(sub)(t0, t1));
    C(store)(p + 3 * q, C(sub_i)(t2, t3));
}

CORR_INLINE void CORR_NAME(fft_pairs)(int64_t n, real *points) {
    for (real *p = points; p < points + n * 2 * V_LANES; p += 4 * V_LANES) {
        const CX a = C(load)(p), b = C(load)(p + 2 * V_LANES);
        C(store)(p, C(add)(a, b));
        C(store)(p + 2 * V_LANES, C(sub)(a, b));
    }
}

/* All butterflies of one size m. */
CORR_INLINE void CORR_NAME(fft_stage)(const int up, int64_t n, int64_t m, real *points,
                                      const real *w) {
    const int64_t point = 2 * V_LANES, q = m / 4 * point;
    real *const end = points + n * point;
    for (real *p = points; p < end; p += m * point) {
        const CX none = {v_zero(), v_zero()};
        (up ? CORR_NAME(fft_up) : CORR_NAME(fft_down))(1, p, q, none, none, none);
    }
    for (int64_t j = 1; j < m / 4; j++) {
        const CX w1 = C(set1)(w + 6 * j), w2 = C(set1)(w + 6 * j + 2), w3 = C(set1)(w + 6 * j + 4);
        for (real *p = points + j * point; p < end; p += m * point)
            (up ? CORR_NAME(fft_up) : CORR_NAME(fft_down))(0, p, q, w1, w2, w3);
    }
}

static void CORR_NAME(corr_fft_forward)(int64_t n, void *points, const void *twiddles) {
    const real *w = twiddles;
    int64_t m = n;
    for (; m >= 4; w += 6 * (m / 4), m /= 4)
        CORR_NAME(fft_stage)(0, n, m, points, w);
    if (m == 2)
        CORR_NAME(fft_pairs)(n, points);
}

static void CORR_NAME(corr_fft_inverse)(int64_t n, void *points, const void *twiddles) {
    const real *w = twiddles;
    int64_t m = n, last = 1;
    for (; m >= 4; m /= 4) {
        w += 6 * (m / 4);
        last = m;
    }
    if (m == 2)
        CORR_NAME(fft_pairs)(n, points);
    for (m = last; m >= 4 && m <= n; m *= 4) {
        w -= 6 * (m / 4);
        CORR_NAME(fft_stage)(1, n, m, points, w);
    }
}

static void CORR_NAME(corr_fft_turn)(int64_t blocks, const void *src_, int64_t src_step,
                                     void *dst_, int64_t dst_step) {
    const real *src = src_;
    real *dst = dst_;
    for (int64_t k = 0; k < blocks; k++, src += src_step, dst += dst_step)
        for (int h = 0; h < 2; h++) {
            vec r[V_LANES];
            CORR_UNROLL
            for (int i = 0; i < V_LANES; i++)
                r[i] = v_load(src + (2 * i + h) * V_LANES);
            v_transpose(r);
            CORR_UNROLL
            for (int i = 0; i < V_LANES; i++)
                v_store(dst + (2 * i + h) * V_LANES, r[i]);
        }
}

static void CORR_NAME(corr_fft_multiply)(int64_t n, const void *a_, const void *b_, void *to_) {
    const real *a = a_, *b = b_;
    real *to = to_;
    for (int64_t i = 0; i < n * 2 * V_LANES; i += 2 * V_LANES)
        C(store)(to + i, C(mul)(C(load)(a + i), C(load)(b + i)));
}

static void CORR_NAME(corr_fft_load)(int64_t rows, int64_t lo, int64_t hi, const void *x_,
                                     int64_t x_row, int64_t step, void *points_) {
    const real *x = x_;
    real *points = points_;
    if (step == 1 && lo == 0 && hi == V_LANES) {
        for (int64_t i = 0; i < rows; i++)
            v_store(points + 2 * i * V_LANES, v_load(x + i * x_row));
    } else {
        for (int64_t i = 0; i < rows; i++)
            v_store(points + 2 * i * V_LANES, CORR_NAME(load_run)(x + i * x_row, step, lo, hi));
    }
}

static int CORR_NAME(corr_fft_store)(int64_t rows, int64_t columns, const void *points_, void *y_,
                                     int64_t y_row, int64_t step, const corr_store *store) {
    const real *points = points_, *bias = store->bias;
    const vec b = bias ? v_set1(*bias) : v_zero();
    real *y = y_;
    vec odd = v_zero();
    for (int64_t i = 0; i < rows; i++, y += y_row) {
        const vec sum = v_load(points + 2 * i * V_LANES);
        const vec out = CORR_NAME(activate)(v_add(sum, b), store->activation);
        odd = v_fma(sum, v_zero(), odd);
        if (step == 1 && columns == V_LANES) {
            v_store(y, out);
        } else if (step == 1) {
            v_store_n(y, out, columns);
        } else {
            real lanes[V_LANES];
            v_store(lanes, out);
            for (int64_t l = columns == V_LANES ? V_LANES : 0; l < columns; l++)
                y[l * step] = lanes[l];
            CORR_UNROLL
            for (int l = 0; l < V_LANES && columns == V_LANES; l++)
                y[l * step] = lanes[l];
        }
    }
    return v_sum(odd) == 0;
}
#undef CX
#undef C
