/* Winograd's transforms, V_LANES channels at a time: F(4, 3) on the points 0, +-sqrt(1/2),
 * +-sqrt(2) and infinity, F(2, 3) on 0, +-1 and infinity. In one dimension
 *
 *   y = A^T ((G g) . (B^T d)),   d: points, g: taps, y: outputs
 *
 * and in two along the columns and then along the rows. Of all points tried these round
 * least, and the products of the opposite ones share their even and odd halves. */

static const real CORR_NAME(root_half) = (real)0.70710678118654752440;

/* A pair of B^T's rows: the first and last, or those of two opposite points. */
CORR_INLINE void CORR_NAME(winograd_points)(const int points, const int pair, const vec d[6],
                                            vec v[2]) {
    if (points == 4) {
        v[0] = pair == 0 ? v_sub(d[0], d[2]) : v_add(d[1], d[2]);
        v[1] = pair == 0 ? v_sub(d[3], d[1]) : v_sub(d[2], d[1]);
        return;
    }
    if (pair == 0) {
        v[0] = v_fma(v_set1((real)-2.5), d[2], v_add(d[0], d[4]));
        v[1] = v_fma(v_set1((real)-2.5), d[3], v_add(d[1], d[5]));
        return;
    }
    /* (d4 - b^2 d2) +- a (d3 - b^2 d1), where a is the point and b the other one */
    const vec square = v_set1(pair == 1 ? -2 : (real)-0.5);
    const real a = pair == 1 ? CORR_NAME(root_half) : 2 * CORR_NAME(root_half);
    const vec even = v_fma(square, d[2], d[4]), odd = v_fma(square, d[1], d[3]);
    v[0] = v_fma(v_set1(a), odd, even);
    v[1] = v_fma(v_set1(-a), odd, even);
}

/* A pair of A's rows, likewise, for the tiles of gradients that F(3, 4) spreads. */
CORR_INLINE void CORR_NAME(winograd_spread)(const int pair, const vec g[4], vec v[2]) {
    if (pair == 0) {
        v[0] = g[0];
        v[1] = g[3];
        return;
    }
    const vec square = v_set1(pair == 1 ? (real)0.5 : 2);
    const real a = pair == 1 ? CORR_NAME(root_half) : 2 * CORR_NAME(root_half);
    const vec even = v_fma(square, g[2], g[0]), odd = v_fma(square, g[3], g[1]);
    v[0] = v_fma(v_set1(a), odd, even);
    v[1] = v_fma(v_set1(-a), odd, even);
}

/* G^T, F(3, 4)'s outputs. */
CORR_INLINE void CORR_NAME(winograd_gather)(const vec m[6], vec y[3]) {
    const real low = (real)(-1 / 1.5), high = (real)(1 / 6.0), root_half = CORR_NAME(root_half);
    const vec s1 = v_add(m[1], m[2]), s2 = v_add(m[3], m[4]);
    const vec d1 = v_sub(m[1], m[2]), d2 = v_sub(m[3], m[4]);
    y[0] = v_fma(v_set1(high), s2, v_fma(v_set1(low), s1, m[0]));
    y[1] = v_fma(v_set1(2 * high * root_half), d2, v_mul(v_set1(low * root_half), d1));
    y[2] = v_fma(v_set1(2 * high), s2, v_fma(v_set1(low / 2), s1, m[5]));
}

/* A pair of A^T's rows: 0 and 2 of the four, which are even, or 1 and 3; or the only two. */
CORR_INLINE void CORR_NAME(winograd_outputs)(const int points, const int pair, const vec m[6],
                                             vec y[2]) {
    if (points == 4) {
        y[0] = v_add(m[0], v_add(m[1], m[2]));
        y[1] = v_add(v_sub(m[1], m[2]), m[3]);
        return;
    }
    const vec root_half = v_set1(CORR_NAME(root_half));
    if (pair == 0) {
        const vec s1 = v_add(m[1], m[2]), s2 = v_add(m[3], m[4]);
        y[0] = v_add(v_add(m[0], s1), s2);
        y[1] = v_fma(v_set1(2), s2, v_mul(v_set1((real)0.5), s1));
    } else {
        const vec d1 = v_sub(m[1], m[2]), d2 = v_sub(m[3], m[4]);
        y[0] = v_mul(root_half, v_fma(v_set1(2), d2, d1));
        y[1] = v_fma(root_half, v_fma(v_set1(4), d2, v_mul(v_set1((real)0.5), d1)), m[5]);
    }
}

/* G's rows; what the normalised Lagrange polynomials divide by lies here. */
CORR_INLINE void CORR_NAME(winograd_filters)(const int points, const vec g[3], vec u[6]) {
    u[0] = g[0];
    u[points - 1] = g[2];
    if (points == 4) {
        const vec half = v_set1((real)0.5), outer = v_add(g[0], g[2]);
        u[1] = v_mul(half, v_add(outer, g[1]));
        u[2] = v_mul(half, v_sub(outer, g[1]));
        return;
    }
    CORR_UNROLL
    for (int i = 1; i < 5; i += 2) { /* c (g0 + a^2 g2 +- a g1) */
        const double a = i == 1 ? 0.70710678118654752440 : 1.41421356237309504880, c = i == 1 ? -1 / 1.5 : 1 / 6.0;
        const vec even = v_fma(v_set1((real)(c * (i == 1 ? 0.5 : 2))), g[2], v_mul(v_set1((real)c), g[0]));
        u[i] = v_fma(v_set1((real)(c * a)), g[1], even);
        u[i + 1] = v_fma(v_set1((real)(-c * a)), g[1], even);
    }
}

CORR_INLINE void CORR_NAME(winograd_pair)(const int points, const int gradients, const int pair, const vec d[6],
                                          vec v[2]) {
    if (gradients)
        CORR_NAME(winograd_spread)(pair, d, v);
    else
        CORR_NAME(winograd_points)(points, pair, d, v);
}

/* Two rows of the points of a tile, from all columns' pixels or gradients to V, in registers. */
CORR_INLINE void CORR_NAME(winograd_point_rows)(const int points, const int gradients, const int pair, const real *x,
                                                int64_t row, int64_t column, real *v,
                                                const int32_t *offsets) {
    vec top[6], bottom[6], d[6], two[2];
    const int first = pair == 0 ? 0 : 2 * pair - 1, last = pair == 0 ? points - 1 : 2 * pair;
    const int side = gradients ? points - 2 : points;
    CORR_UNROLL
    for (int j = 0; j < side; j++) {
        CORR_UNROLL
        for (int i = 0; i < side; i++)
            d[i] = v_load(x + i * row + j * column);
        CORR_NAME(winograd_pair)(points, gradients, pair, d, two);
        top[j] = two[0];
        bottom[j] = two[1];
    }
    CORR_UNROLL
    for (int q = 0; q < points / 2; q++) {
        const int near = q == 0 ? 0 : 2 * q - 1, far = q == 0 ? points - 1 : 2 * q;
        CORR_NAME(winograd_pair)(points, gradients, q, top, two);
        v_store(v + offsets[first * points + near], two[0]);
        v_store(v + offsets[first * points + far], two[1]);
        CORR_NAME(winograd_pair)(points, gradients, q, bottom, two);
        v_store(v + offsets[last * points + near], two[0]);
        v_store(v + offsets[last * points + far], two[1]);
    }
}

CORR_INLINE void CORR_NAME(winograd_input)(const int points, const int gradients, const real *x, int64_t row,
                                           int64_t column, int64_t tiles, real *v, int64_t tile,
                                           const int32_t *offsets) {
    for (int64_t t = 0; t < tiles; t++, x += (points - 2) * column, v += tile) {
        CORR_NAME(winograd_point_rows)(points, gradients, 0, x, row, column, v, offsets);
        CORR_NAME(winograd_point_rows)(points, gradients, 1, x, row, column, v, offsets);
        if (points == 6)
            CORR_NAME(winograd_point_rows)(points, gradients, 2, x, row, column, v, offsets);
    }
}

/* Where the outputs of a tile go, and how many of them. */
typedef struct CORR_NAME(winograd_to) {
    real *y;
    int64_t row, column, rows, columns, channels;
    vec bias;
    corr_activation activation;
} CORR_NAME(winograd_to);

CORR_INLINE void CORR_NAME(winograd_store)(const CORR_NAME(winograd_to) *to, const int whole,
                                           int i, int j, vec a) {
    real *y = to->y + i * to->row + j * to->column;
    a = CORR_NAME(activate)(v_add(a, to->bias), to->activation);
    if (whole)
        v_store(y, a);
    else if (i < to->rows && j < to->columns)
        v_store_n(y, a, to->channels);
}

/* Two rows of a tile's outputs, from all its points, in registers; adds them up. */
CORR_INLINE vec CORR_NAME(winograd_output_rows)(const int points, const int pair, const int whole,
                                                const real *m, int64_t point,
                                                const CORR_NAME(winograd_to) *to, vec sum) {
    const int pairs = points / 2 - 1, step = points == 4 ? 1 : 2;
    vec top[6], bottom[6], d[6], two[2];
    CORR_UNROLL
    for (int j = 0; j < points; j++) {
        CORR_UNROLL
        for (int i = 0; i < points; i++)
            d[i] = v_load(m + (i * points + j) * point);
        CORR_NAME(winograd_outputs)(points, pair, d, two);
        top[j] = two[0];
        bottom[j] = two[1];
    }
    CORR_UNROLL
    for (int q = 0; q < pairs; q++) {
        CORR_NAME(winograd_outputs)(points, q, top, two);
        sum = v_add(sum, v_add(two[0], two[1]));
        CORR_NAME(winograd_store)(to, whole, pair, q, two[0]);
        CORR_NAME(winograd_store)(to, whole, pair, q + step, two[1]);
        CORR_NAME(winograd_outputs)(points, q, bottom, two);
        sum = v_add(sum, v_add(two[0], two[1]));
        CORR_NAME(winograd_store)(to, whole, pair + step, q, two[0]);
        CORR_NAME(winograd_store)(to, whole, pair + step, q + step, two[1]);
    }
    return sum;
}

CORR_INLINE vec CORR_NAME(winograd_invert)(const int points, const int whole, const real *m,
                                           int64_t point, const CORR_NAME(winograd_to) *to) {
    vec sum = CORR_NAME(winograd_output_rows)(points, 0, whole, m, point, to, v_zero());
    if (points == 6)
        sum = CORR_NAME(winograd_output_rows)(points, 1, whole, m, point, to, sum);
    return sum;
}

CORR_INLINE int CORR_NAME(winograd_output)(const int points, const real *m, int64_t point,
                                           int64_t tile, int64_t tiles, real *y, int64_t row,
                                           int64_t column, int64_t rows, int64_t columns,
                                           int64_t channels, const corr_store *store) {
    const int outputs = points - 2;
    CORR_NAME(winograd_to) to = {y, row, column, rows, columns, channels, v_zero(),
                                 store->activation};
    if (store->bias)
        to.bias = v_load_n(store->bias, channels);
    vec odd = v_zero(); /* stays zero as long as all sums are finite */
    for (int64_t t = 0; t < tiles; t++, m += tile, to.y += outputs * column, to.columns -= outputs) {
        const int whole = rows >= outputs && to.columns >= outputs && channels == V_LANES;
        vec sum = whole ? CORR_NAME(winograd_invert)(points, 1, m, point, &to)
                        : CORR_NAME(winograd_invert)(points, 0, m, point, &to);
        odd = v_fma(sum, v_zero(), odd);
    }
    return v_sum(odd) == 0;
}

CORR_INLINE void CORR_NAME(winograd_weights)(const int points, const real *w, int64_t tap, int64_t count, real *u,
                                             int64_t step, int64_t point) {
    for (int64_t at = 0; at < count; at += V_LANES, u += step) {
        vec half[18], g[3], all[6];
        CORR_UNROLL /* more lines than a core finds by itself */
        for (int e = 0; e < points * points; e++)
            CORR_PREFETCH_WRITE(u + e * point + 2 * step);
        CORR_UNROLL
        for (int j = 0; j < 3; j++) {
            CORR_UNROLL
            for (int i = 0; i < 3; i++)
                g[i] = v_load(w + (i * 3 + j) * tap + at);
            CORR_NAME(winograd_filters)(points, g, all);
            CORR_UNROLL
            for (int i = 0; i < points; i++)
                half[i * 3 + j] = all[i];
        }
        CORR_UNROLL
        for (int i = 0; i < points; i++) {
            CORR_NAME(winograd_filters)(points, half + i * 3, all);
            CORR_UNROLL
            for (int j = 0; j < points; j++)
                v_store(u + (i * points + j) * point, all[j]);
        }
    }
}

#define CORR_WINOGRAD_INSTANCE(points)                                                         \
    static void CORR_NAME(corr_winograd_input_##points)(                                       \
        const void *x, int64_t row, int64_t column, int64_t tiles, void *v, int64_t tile,      \
        const int32_t *offsets) {                                                              \
        CORR_NAME(winograd_input)(points, 0, x, row, column, tiles, v, tile, offsets);         \
    }                                                                                          \
    static int CORR_NAME(corr_winograd_output_##points)(                                       \
        const void *m, int64_t point, int64_t tile, int64_t tiles, void *y, int64_t row,       \
        int64_t column, int64_t rows, int64_t columns, int64_t channels,                       \
        const corr_store *store) {                                                             \
        return CORR_NAME(winograd_output)(points, m, point, tile, tiles, y, row, column, rows, \
                                          columns, channels, store);                           \
    }                                                                                          \
    static void CORR_NAME(corr_winograd_weights_##points)(                                     \
        const void *w, int64_t tap, int64_t count, void *u, int64_t step, int64_t point) {     \
        CORR_NAME(winograd_weights)(points, w, tap, count, u, step, point);                    \
    }
static void CORR_NAME(corr_winograd_gradients)(const void *gy, int64_t row, int64_t column, int64_t tiles, void *v,
                                               int64_t tile, const int32_t *offsets) {
    CORR_NAME(winograd_input)(6, 1, gy, row, column, tiles, v, tile, offsets);
}

static int CORR_NAME(corr_winograd_taps)(const void *points, int64_t point, int64_t count, void *taps, int64_t tap) {
    const real *m = points;
    real *to = taps;
    vec odd = v_zero(); /* stays zero as long as all sums are finite */
    for (int64_t at = 0; at < count; at += V_LANES) {
        vec half[18], d[6], y[3];
        CORR_UNROLL
        for (int j = 0; j < 6; j++) {
            CORR_UNROLL
            for (int i = 0; i < 6; i++)
                d[i] = v_load(m + (i * 6 + j) * point + at);
            CORR_NAME(winograd_gather)(d, y);
            CORR_UNROLL
            for (int i = 0; i < 3; i++)
                half[i * 6 + j] = y[i];
        }
        CORR_UNROLL
        for (int i = 0; i < 3; i++) {
            CORR_NAME(winograd_gather)(half + i * 6, y);
            CORR_UNROLL
            for (int j = 0; j < 3; j++)
                v_store(to + (3 * i + j) * tap + at, y[j]);
            odd = v_fma(v_add(y[0], v_add(y[1], y[2])), v_zero(), odd);
        }
    }
    return v_sum(odd) == 0;
}

CORR_WINOGRAD_INSTANCE(6)
CORR_WINOGRAD_INSTANCE(4)
#undef CORR_WINOGRAD_INSTANCE
