/* Groups of few channels, in planes: their pixels are read where they lie, once a tap, for all
 * output channels of the tile.
 *
 *   tap (p, q), channel c:   data[v] = x[c][row + p][column v + q ..]
 *                            acc[i][v] += w[p][q][c][i] * data[v], for every channel i
 *
 * A vector loads under a mask what the image has of its columns, and zeros beside it. The
 * tile walks down the rows, since the masks stay what they are.
 */
enum { CORR_NAME(GROUP_SUMS) = CORR_GROUP_ROWS * CORR_MAX_VECTORS };
/* Sums of a tile whose epilogue is worth its code. */
enum { CORR_NAME(LARGE_GROUP_TILE) = V_MASKED && CORR_PASTE2(CORR_IS_FLOAT32, CORR_TYPE) ? 16 : 100 };

typedef struct CORR_NAME(group_masks) {
    vmask loads[CORR_GROUP_TAPS * CORR_MAX_VECTORS * 2]; /* [tap][vector][half of a step of 2] */
    vmask stores[CORR_MAX_VECTORS];
    int whole[CORR_MAX_VECTORS]; /* has every lane of a vector an output? */
    int inside;                  /* are all taps in the image? */
} CORR_NAME(group_masks);

static CORR_NOINLINE void CORR_NAME(group_mask)(int step, int vectors, const corr_group *s,
                                                CORR_NAME(group_masks) *m) {
    m->inside = 1;
    for (int64_t q = 0; q < s->kw; q++)
        for (int v = 0; v < vectors; v++)
            for (int h = 0; h < step; h++) {
                const int64_t at = q * s->column_tap + (v * s->column_vector) * step + h * V_LANES;
                const int64_t lo = CORR_NAME(clamp)(s->column_lo - at, 0, V_LANES);
                const int64_t hi = CORR_NAME(clamp)(s->column_hi - at, lo, V_LANES);
                m->loads[(q * vectors + v) * step + h] = v_mask(lo, hi);
                m->inside &= lo == 0 && hi == V_LANES;
            }
    for (int v = 0; v < vectors; v++) {
        const int64_t lanes = CORR_NAME(clamp)(s->columns - v * s->column_vector, 0, V_LANES);
        m->stores[v] = v_mask(0, lanes);
        m->whole[v] = lanes == V_LANES;
    }
}

CORR_INLINE vec CORR_NAME(group_load)(const int step, const int masked, const real *x,
                                      const vmask *masks) {
    const vec first = masked ? v_load_mask(x, masks[0]) : v_load(x);
    vec even, odd;
    if (step == 1)
        return first;
    v_split(first, masked ? v_load_mask(x + V_LANES, masks[1]) : v_load(x + V_LANES), &even, &odd);
    return even;
}

/* One channel at one tap. */
CORR_INLINE void CORR_NAME(group_channel)(const int step, const int rows, const int vectors,
                                          const int masked, const real *x, int64_t x_vector,
                                          const vmask *masks, const real *w, vec *acc) {
    vec data[CORR_MAX_VECTORS];
    CORR_UNROLL
    for (int v = 0; v < vectors; v++)
        data[v] = CORR_NAME(group_load)(step, masked, x + v * x_vector, masks + v * step);
    CORR_UNROLL
    for (int i = 0; i < rows; i++) {
        const vec wi = v_set1(w[i]);
        CORR_UNROLL
        for (int v = 0; v < vectors; v++)
            acc[i * vectors + v] = v_fma(wi, data[v], acc[i * vectors + v]);
    }
}

/* The sums of one tile; `row` is where its first taps lie. */
CORR_INLINE void CORR_NAME(group_sums)(const int step, const int rows, const int vectors,
                                       const int masked, const corr_group *s,
                                       const vmask *masks, const real *x, const real *w,
                                       int64_t row, vec *acc) {
    const int64_t channels = s->channels, kw = s->kw, width = s->w_width;
    const int64_t x_channel = s->x_channel, x_vector = s->x_vector;
    const int four = rows == 4 && vectors > 2; /* a group of 4 goes round no loop of its own */
    CORR_UNROLL
    for (int i = 0; i < rows * vectors; i++)
        acc[i] = v_zero();
    for (int64_t p = 0; p < s->kh; p++, x += s->x_row, row += s->row_tap) {
        const real *xq = x, *wk = w + p * kw * channels * width;
        if (row < 0 || row >= s->row_end)
            continue;
        for (int64_t q = 0; q < kw; q++, xq += s->x_tap) {
            const real *xc = xq;
            const vmask *at = masks + q * vectors * step;
            vmask own[CORR_MAX_VECTORS * 2];
            if (V_MASKED) { /* there are registers for them */
                CORR_UNROLL
                for (int h = 0; h < vectors * step; h++)
                    own[h] = at[h];
                at = own;
            }
            int64_t c = 0;
            for (; four && c + 4 <= channels; c += 4) {
                CORR_UNROLL
                for (int u = 0; u < 4; u++, xc += x_channel, wk += width) {
                    CORR_FORGET(xc); /* else each load has an address of its own, on the stack */
                    CORR_FORGET(wk);
                    CORR_NAME(group_channel)(step, rows, vectors, masked, xc, x_vector, at, wk, acc);
                }
            }
            for (; c < channels; c++, xc += x_channel, wk += width)
                CORR_NAME(group_channel)(step, rows, vectors, masked, xc, x_vector, at, wk, acc);
        }
    }
}

static CORR_NOINLINE void CORR_NAME(group_epilogue)(int rows, int vectors, const corr_group *s,
                                                    const vmask *stores, const real *sums, real *y) {
    const real *bias = s->bias;
    for (int i = 0; i < rows; i++, y += s->y_channel)
        for (int v = 0; v < vectors; v++, sums += V_LANES) {
            const vec sum = bias ? v_add(v_load(sums), v_set1(bias[i])) : v_load(sums);
            v_store_mask(y + v * s->y_vector, CORR_NAME(activate)(sum, s->activation), stores[v]);
        }
}

CORR_INLINE void CORR_NAME(group_store)(const int rows, const int vectors, const corr_group *s,
                                        const CORR_NAME(group_masks) *m, const vec *acc, real *y) {
    const real *bias = s->bias;
    if (rows * vectors >= CORR_NAME(LARGE_GROUP_TILE) && bias) {
        const vec low = v_set1(s->activation == CORR_LINEAR ? -(real)INFINITY : 0);
        const vec high = v_set1(s->activation == CORR_RELU6 ? 6 : (real)INFINITY);
        CORR_UNROLL
        for (int i = 0; i < rows; i++) {
            const vec b = v_set1(bias[i]);
            CORR_UNROLL
            for (int v = 0; v < vectors; v++)
                v_store_mask(y + i * s->y_channel + v * s->y_vector,
                             v_min(high, v_max(low, v_add(acc[i * vectors + v], b))), m->stores[v]);
        }
        return;
    }
    if (s->epilogue) {
        real sums[CORR_NAME(GROUP_SUMS) * V_LANES];
        CORR_UNROLL
        for (int i = 0; i < rows * vectors; i++)
            v_store(sums + i * V_LANES, acc[i]);
        CORR_NAME(group_epilogue)(rows, vectors, s, m->stores, sums, y);
        return;
    }
    CORR_UNROLL
    for (int v = 0; v < vectors; v++) {
        real *to = y + v * s->y_vector;
        if (V_MASKED || !m->whole[v]) {
            CORR_UNROLL
            for (int i = 0; i < rows; i++)
                v_store_mask(to + i * s->y_channel, acc[i * vectors + v], m->stores[v]);
        } else {
            CORR_UNROLL
            for (int i = 0; i < rows; i++)
                v_store(to + i * s->y_channel, acc[i * vectors + v]);
        }
    }
}

CORR_INLINE void CORR_NAME(group_tiles)(const int step, const int rows, const int vectors,
                                        const corr_group *s, const real *x, const real *w, real *y) {
    CORR_NAME(group_masks) m;
    CORR_NAME(group_mask)(step, vectors, s, &m);
    for (int64_t t = 0; t < s->count; t++, x += s->x_next, y += s->y_next) {
        const int64_t row = s->row + t * s->row_next;
        vec acc[CORR_NAME(GROUP_SUMS)];
        if (V_MASKED || !m.inside)
            CORR_NAME(group_sums)(step, rows, vectors, 1, s, m.loads, x, w, row, acc);
        else
            CORR_NAME(group_sums)(step, rows, vectors, 0, s, m.loads, x, w, row, acc);
        CORR_NAME(group_store)(rows, vectors, s, &m, acc, y);
    }
}

#define CORR_GROUP(step, rows, vectors)                                                        \
    static void CORR_NAME(corr_group_##step##_##rows##x##vectors)(                             \
        const corr_group *s, const void *x, const void *w, void *y) {                          \
        CORR_NAME(group_tiles)(step, rows, vectors, s, x, w, y);                               \
    }
CORR_PASTE3(CORR_GROUPS, CORR_TYPE, CORR_ISA)(CORR_GROUP)
#undef CORR_GROUP
