/* Depthwise layers and filters: a few taps of one channel, read where they lie.
 *
 * A march walks down the input rows. A row is loaded once, as vectors that follow one another;
 * what tap q wants of it is cut out of two neighbours (v_align) and serves all rows of taps:
 *
 *   input row r      | x[-1] | x[0] | x[1] | x[2] |      one load each
 *   tap q                    \  data[0] .. data[1]       shifted by q - kw / 2
 *                           /      |      \
 *   output rows     acc[r-2]    acc[r-1]   acc[r]        fma with w[2][q], w[1][q], w[0][q]
 *
 * The sum of row r - 2 is then complete and is stored, the others move on by a row of registers,
 * which costs nothing but room in the instruction stream, and row r + 1 begins. With a stride of
 * 2 two input rows make a turn, and the vectors come apart into even and odd columns.
 *
 * Narrow planes: several at a time, each a vector of its own (OWN), or two in one (PAIR), with
 * zeros between them.
 */
enum { CORR_NAME(MARCH_SIDE) = (3 + V_LANES - 1) / V_LANES }; /* vectors that 3 columns reach */
/* Of the vectors in a cache line one is fetched. */
enum { CORR_NAME(LINE_VECTORS) = CORR_CACHE_LINE / (V_LANES * (int)sizeof(real)) };

/* What a march keeps beside its sums. */
typedef struct CORR_NAME(march) {
    const corr_stencil *s;
    const vec *kept;  /* weights as vectors, [vector][q][p], or */
    const real *taps; /* as [q][p] */
    vmask loads[2 * (CORR_MAX_VECTORS + 2 * CORR_NAME(MARCH_SIDE))];
    const vmask *own_loads, *own_stores; /* the same in memory */
    vmask shifted[CORR_STENCIL_TAPS * CORR_MAX_VECTORS]; /* where taps are loads: [q][vector] */
    vmask pair_loads[2], stores[2]; /* the second plane's of a PAIR; the first one's, its */
    vmask trims[2];                 /* the lane of either that the other reaches if kw = 7 */
    vec bias[CORR_MAX_VECTORS]; /* of 3x3 at step 1; else there is no register for it, */
    const real *ends;           /* but room in memory: the activation's low and high, biases */
} CORR_NAME(march);

CORR_INLINE vec CORR_NAME(march_weight)(const int kind, const int kh, const int kw,
                                        const CORR_NAME(march) *m, int q, int p, int v) {
    if (kind != CORR_STENCIL_SHARED)
        return m->kept[(v * kw + q) * kh + p];
    return kh == 3 ? m->kept[q * kh + p] : v_set1(m->taps[q * kh + p]);
}

/* The vectors of one input row, `sides` more of them at either end, as one sequence for each
 * column modulo the step. */
CORR_INLINE void CORR_NAME(march_load)(const int kind, const int kw, const int step, const int vectors,
                                       const int sides, const CORR_NAME(march) *m,
                                       const real *x, vec row[2][CORR_MAX_VECTORS + 4]) {
    const corr_stencil *s = m->s;
    const vmask *loads = V_MASKED || step == 1 || kw == 3 || vectors == 1 ? m->loads : m->own_loads; /* for want of registers */
    CORR_UNROLL
    for (int v = -sides; v < vectors + sides; v++) {
        vec raw[2];
        CORR_UNROLL
        for (int h = 0; h < step; h++) {
            const int at = (v + sides) * step + h;
            if (kind == CORR_STENCIL_SHARED) {
                raw[h] = v_load_mask(x + (v * step + h) * V_LANES, loads[at]);
            } else if (v < 0 || v >= vectors) {
                raw[h] = v_zero();
            } else {
                const real *own = x + v * (kind == CORR_STENCIL_PAIR ? 2 : 1) * s->x_plane + h * V_LANES;
                raw[h] = v_load_mask(own, loads[h]);
                if (kind == CORR_STENCIL_PAIR)
                    raw[h] = v_load_merge(raw[h], own + s->x_plane - s->pair * step, m->pair_loads[h]);
            }
        }
        if (step == 2)
            v_split(raw[0], raw[1], &row[0][v + sides], &row[1][v + sides]);
        else
            row[0][v + sides] = raw[0];
    }
}

/* What tap q wants of the row, for vector v: columns that are d to the right. Beside a vector
 * that is all of its plane there is nothing. */
CORR_INLINE vec CORR_NAME(march_data)(const int kind, const int step, const int sides, const int d,
                                      const int v, vec row[2][CORR_MAX_VECTORS + 4]) {
    const int far = 8 * V_LANES * step + d; /* so that the division rounds down */
    const vec *of = row[far % step];
    const int lane = far / step, at = v + sides + lane / V_LANES - 8, n = lane % V_LANES;
    if (kind == CORR_STENCIL_SHARED)
        return n ? v_align(of[at], of[at + 1], n) : of[at];
    const vec before = at == v + sides ? of[at] : v_zero();
    const vec after = at == v + sides - 1 ? of[at + 1] : v_zero();
    return n ? v_align(before, after, n) : before;
}

/* Are the taps of a row loaded one by one, rather than cut out of its vectors? */
CORR_INLINE int CORR_NAME(march_reloads)(const int kind, const int kw, const int step) {
    return V_RELOADS && kind == CORR_STENCIL_SHARED && step == 1 && kw < 7;
}

/* The same 3 columns away, where two planes of a vector would meet. */
CORR_INLINE vec CORR_NAME(march_trimmed)(const int d, vmask trim, vec row) {
    row = v_select(trim, v_zero(), row);
    return d < 0 ? v_align(v_zero(), row, V_LANES + d) : v_align(row, v_zero(), d);
}

/* Where rows follow one another, what a whole vector leaves beyond its row is covered by those
 * that come; where there are too few of them, it is stored under a mask. */
CORR_INLINE void CORR_NAME(march_store)(const int kind, const int kh, const int step, const int vectors,
                                        const CORR_NAME(march) *m, const vec *acc, real *y,
                                        int64_t row) {
    const corr_stencil *s = m->s;
    const int64_t reach = (kind == CORR_STENCIL_SHARED ? vectors : 1) * V_LANES;
    const vmask *stores = V_MASKED || step == 1 ? m->stores : m->own_stores;
    const int masked = V_MASKED || s->y_row != s->columns || reach > (s->rows - row) * s->columns;
    CORR_UNROLL
    for (int v = 0; v < vectors; v++) {
        vec result = v_add(acc[v], kh == 3 && step == 1 ? m->bias[v] : v_load(m->ends + (2 + v) * V_LANES));
        if (s->activation != CORR_LINEAR)
            result = v_min(v_load(m->ends + V_LANES), v_max(v_load(m->ends), result));
        real *to = kind == CORR_STENCIL_SHARED ? y + v * V_LANES : y + v * s->y_plane;
        if (kind == CORR_STENCIL_PAIR) {
            to += v * s->y_plane;
            v_store_mask(to, result, stores[0]);
            v_store_mask(to + s->y_plane - s->pair, result, stores[1]);
        } else if (masked && (kind == CORR_STENCIL_OWN ||
                              (v == vectors - 1 && s->columns < vectors * V_LANES))) {
            v_store_mask(to, result, stores[0]);
        } else {
            v_store(to, result);
        }
        if (kind != CORR_STENCIL_SHARED || v % CORR_NAME(LINE_VECTORS) == 0)
            CORR_PREFETCH_WRITE(to + s->y_ahead);
    }
    if (kind == CORR_STENCIL_SHARED && s->y_far) {
        CORR_UNROLL
        for (int v = 0; v < vectors; v += CORR_NAME(LINE_VECTORS))
            CORR_PREFETCH_WRITE(y + v * V_LANES + s->y_far);
    }
}

/* Turn t: `step` input rows, and the row of sums that they complete. */
CORR_INLINE void CORR_NAME(march_turn)(const int kind, const int kh, const int kw, const int step,
                                       const int vectors, const CORR_NAME(march) *m, int64_t t,
                                       const real *x, real *y, vec *acc) {
    const corr_stencil *s = m->s;
    const int slots = (kh + step - 1) / step;
    vec *done = acc + (slots - 1) * vectors;
    const int sides = (kw / 2 / step + (step == 2) + V_LANES - 1) / V_LANES;
    CORR_UNROLL
    for (int a = 0; a < step; a++) {
        const int64_t r = t * step + a;
        if (r < s->row_lo || r >= s->row_hi)
            continue;
        const int apart = kind == CORR_STENCIL_SHARED ? CORR_NAME(LINE_VECTORS) : 1;
        vec row[2][CORR_MAX_VECTORS + 4];
        if (!CORR_NAME(march_reloads)(kind, kw, step))
            CORR_NAME(march_load)(kind, kw, step, vectors, sides, m, x + r * s->x_row, row);
        CORR_UNROLL
        for (int v = 0; v < vectors * step; v += apart)
            CORR_PREFETCH(x + r * s->x_row + s->x_ahead +
                          (kind == CORR_STENCIL_SHARED ? v * V_LANES : v * s->x_plane));
        if (kind == CORR_STENCIL_SHARED && s->x_far) {
            CORR_UNROLL
            for (int v = 0; v < vectors * step; v += CORR_NAME(LINE_VECTORS))
                CORR_PREFETCH(x + r * s->x_row + s->x_far + v * V_LANES);
        }
        CORR_UNROLL
        for (int q = 0; q < kw; q++) {
            vec data[CORR_MAX_VECTORS];
            if (kh > 3 && vectors == CORR_MAX_VECTORS) { /* all registers are taken: a sum keeps its own */
                CORR_UNROLL
                for (int i = 0; i < slots * vectors; i++)
                    CORR_IN_REGISTER(acc[i]);
            }
            CORR_UNROLL
            for (int v = 0; v < vectors; v++)
                data[v] = CORR_NAME(march_reloads)(kind, kw, step)
                              ? v_load_mask(x + r * s->x_row + v * V_LANES + q - kw / 2,
                                            m->shifted[q * vectors + v])
                          : kind == CORR_STENCIL_PAIR && kw == 7 && q % 6 == 0
                              ? CORR_NAME(march_trimmed)(q - kw / 2, m->trims[q != 0], row[0][v + sides])
                              : CORR_NAME(march_data)(kind, step, sides, q - kw / 2, v, row);
            CORR_UNROLL
            for (int p = a; p < kh; p += step) {
                vec *sums = acc + p / step * vectors;
                CORR_UNROLL
                for (int v = 0; v < vectors; v++)
                    sums[v] = v_fma(CORR_NAME(march_weight)(kind, kh, kw, m, q, p, v), data[v], sums[v]);
            }
        }
    }
    if (t >= slots - 1)
        CORR_NAME(march_store)(kind, kh, step, vectors, m, done, y + (t - slots + 1) * s->y_row, t - slots + 1);
    CORR_UNROLL
    for (int i = slots * vectors - 1; i >= vectors; i--)
        acc[i] = acc[i - vectors];
    CORR_UNROLL
    for (int v = 0; v < vectors; v++)
        acc[v] = v_zero();
}

/* The rows of one plane (or of as many as go together), from the top. */
CORR_INLINE void CORR_NAME(march_plane)(const int kind, const int kh, const int kw,
                                        const int step, const int vectors,
                                        const CORR_NAME(march) *m, const real *x, real *y) {
    const int slots = (kh + step - 1) / step;
    const int64_t turns = m->s->rows + slots - 1;
    vec acc[CORR_STENCIL_TAPS * CORR_MAX_VECTORS];
    CORR_UNROLL
    for (int i = 0; i < slots * vectors; i++)
        acc[i] = v_zero();
    for (int64_t t = 0; t < turns; t++)
        CORR_NAME(march_turn)(kind, kh, kw, step, vectors, m, t, x, y, acc);
}

/* Lanes lo <= i < hi of elements that begin `at` before the first. */
CORR_INLINE vmask CORR_NAME(march_mask)(int64_t lo, int64_t hi, int64_t at) {
    const int64_t first = CORR_NAME(clamp)(lo - at, 0, V_LANES);
    return v_mask(first, CORR_NAME(clamp)(hi - at, first, V_LANES));
}

static CORR_NOINLINE void CORR_NAME(march_masks)(int kind, int step, int vectors, int sides,
                                                 const corr_stencil *s, CORR_NAME(march) *m) {
    const int64_t lo = s->column_lo, hi = s->column_hi, columns = s->columns;
    if (kind == CORR_STENCIL_SHARED) {
        for (int i = 0; i < step * (vectors + 2 * sides); i++)
            m->loads[i] = CORR_NAME(march_mask)(lo, hi, (i - step * sides) * V_LANES);
        m->stores[0] = v_mask(0, columns - (vectors - 1) * V_LANES);
        return;
    }
    for (int h = 0; h < step; h++) {
        m->loads[h] = CORR_NAME(march_mask)(lo, hi, h * V_LANES);
        m->pair_loads[h] = CORR_NAME(march_mask)(lo + s->pair * step, hi + s->pair * step, h * V_LANES);
    }
    m->trims[0] = v_mask(columns - 1, columns);
    m->trims[1] = v_mask(s->pair, kind == CORR_STENCIL_PAIR ? s->pair + 1 : s->pair);
    m->stores[0] = v_mask(0, columns);
    m->stores[1] = v_mask(s->pair, kind == CORR_STENCIL_PAIR ? s->pair + columns : s->pair);
}

static CORR_NOINLINE void CORR_NAME(march_shifts)(int kw, int vectors, const corr_stencil *s,
                                                  CORR_NAME(march) *m) {
    for (int q = 0; q < kw; q++)
        for (int v = 0; v < vectors; v++)
            m->shifted[q * vectors + v] =
                CORR_NAME(march_mask)(s->column_lo, s->column_hi, v * V_LANES + q - kw / 2);
}

/* What a function out of line made lies in memory; a copy can live in registers. */
CORR_INLINE void CORR_NAME(march_copy)(const int kind, const int kw, const int step,
                                       const int vectors, const int sides,
                                       const CORR_NAME(march) *made, CORR_NAME(march) *m) {
    const int loads = kind == CORR_STENCIL_SHARED ? step * (vectors + 2 * sides) : step;
    CORR_UNROLL
    for (int i = 0; i < loads; i++)
        m->loads[i] = made->loads[i];
    CORR_UNROLL
    for (int i = 0; i < 2; i++) {
        m->stores[i] = made->stores[i];
        m->trims[i] = made->trims[i];
        m->pair_loads[i] = made->pair_loads[i];
    }
    if (CORR_NAME(march_reloads)(kind, kw, step)) {
        CORR_UNROLL
        for (int i = 0; i < kw * vectors; i++)
            m->shifted[i] = made->shifted[i];
    }
}

CORR_INLINE void CORR_NAME(march_weights)(const int kind, const int kh, const int kw,
                                          const int vectors, const corr_stencil *s, const real *w,
                                          const real *bias, CORR_NAME(march) *m, vec *kept,
                                          real *taps, real *ends) {
    const int sets = kind == CORR_STENCIL_SHARED ? 1 : vectors;
    const int64_t w_plane = s->w_plane, b_plane = s->bias_plane;
    const vmask first = v_mask(0, kind == CORR_STENCIL_PAIR ? s->pair : V_LANES);
    if (kind == CORR_STENCIL_SHARED && kh > 3) {
        for (int p = 0; p < kh; p++)
            for (int q = 0; q < kw; q++)
                taps[q * kh + p] = w[p * kw + q];
    } else {
        CORR_UNROLL
        for (int v = 0; v < sets; v++)
            CORR_UNROLL
            for (int q = 0; q < kw; q++)
                CORR_UNROLL
                for (int p = 0; p < kh; p++) {
                    const real *at = w + p * kw + q;
                    kept[(v * kw + q) * kh + p] =
                        kind == CORR_STENCIL_PAIR
                            ? v_select(first, v_set1(at[2 * v * w_plane]), v_set1(at[(2 * v + 1) * w_plane]))
                            : v_set1(at[v * w_plane]);
                }
    }
    CORR_UNROLL
    for (int v = 0; v < vectors; v++)
        m->bias[v] = !bias ? v_zero()
                     : kind == CORR_STENCIL_PAIR
                         ? v_select(first, v_set1(bias[2 * v * b_plane]), v_set1(bias[(2 * v + 1) * b_plane]))
                         : v_set1(bias[kind == CORR_STENCIL_OWN ? v * b_plane : 0]);
    CORR_UNROLL
    for (int v = 0; v < vectors; v++)
        v_store(ends + (2 + v) * V_LANES, m->bias[v]);
}

CORR_INLINE void CORR_NAME(stencil_march)(const int kind, const int kh, const int kw,
                                          const int step, const int vectors,
                                          const corr_stencil *s, const real *x, const real *w,
                                          real *y) {
    const int sides = (kw / 2 / step + (step == 2) + V_LANES - 1) / V_LANES;
    const int together = kind == CORR_STENCIL_SHARED ? 1
                         : kind == CORR_STENCIL_OWN  ? vectors
                                                     : 2 * vectors;
    const real *bias = s->bias;
    vec kept[CORR_STENCIL_KEPT];
    real taps[CORR_STENCIL_TAPS * CORR_STENCIL_TAPS], ends[(2 + CORR_MAX_VECTORS) * V_LANES];
    const real *own_taps = taps, *own_ends = ends;
    CORR_NAME(march) m, made;
    const vmask *own_loads = made.loads, *own_stores = made.stores;
    CORR_NAME(march_masks)(kind, step, vectors, sides, s, &made);
    if (CORR_NAME(march_reloads)(kind, kw, step))
        CORR_NAME(march_shifts)(kw, vectors, s, &made);
    CORR_NAME(march_copy)(kind, kw, step, vectors, sides, &made, &m);
    CORR_FORGET(own_taps); /* or each would have a place of its own on the stack */
    CORR_FORGET(own_ends);
    CORR_FORGET(own_loads);
    CORR_FORGET(own_stores);
    m.s = s;
    m.kept = kept;
    m.taps = own_taps;
    m.ends = own_ends;
    m.own_loads = own_loads;
    m.own_stores = own_stores;
    if (!V_MASKED && step == 2) /* with 16 registers */
        CORR_FORGET(m.kept);
    v_store(ends, v_set1(s->activation == CORR_LINEAR ? -(real)INFINITY : 0));
    v_store(ends + V_LANES, v_set1(s->activation == CORR_RELU6 ? 6 : (real)INFINITY));
    for (int64_t i = 0; i < s->planes; i += together) {
        CORR_NAME(march_weights)(kind, kh, kw, vectors, s, w, bias, &m, kept, taps, ends);
        CORR_NAME(march_plane)(kind, kh, kw, step, vectors, &m, x, y);
        x += together * s->x_plane;
        y += together * s->y_plane;
        w += together * s->w_plane;
        bias = bias ? bias + together * s->bias_plane : NULL;
    }
}

#define CORR_MARCH(kind, size, step, vectors)                                                  \
    static void CORR_NAME(corr_march_##kind##_##size##_##step##_##vectors)(                    \
        const corr_stencil *s, const void *x, const void *w, void *y) {                        \
        CORR_NAME(stencil_march)(CORR_STENCIL_##kind, size, size, step, vectors, s, x, w, y);  \
    }
CORR_PASTE3(CORR_MARCHES, CORR_TYPE, CORR_ISA)(CORR_MARCH)
#undef CORR_MARCH
