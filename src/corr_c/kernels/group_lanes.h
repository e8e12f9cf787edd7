/* Groups of few channels, channels-last: whole groups side by side in the lanes, which are
 * their output channels. What tap q, channel c wants of a pixel is turned into place once and
 * serves every row of the tile:
 *
 *   pixel, input channels    | a0 a1 b0 b1 |     turned for c = 1:  | a1 a1 b1 b1 |
 *   acc[i][v] += w[p][q][c] * turned[v],  p = r - i * step, for every output row i of the tile
 */
CORR_INLINE void CORR_NAME(group_lanes_row)(const int first, const int last, const int vectors,
                                            const corr_group *s, const vmask *masks,
                                            const real *x, const real *w, vec *acc) {
    const int64_t channels = s->channels, kw = s->kw, below = s->step * kw * channels * V_LANES;
    for (int64_t q = 0; q < kw; q++, x += s->x_tap) {
        const int32_t *index = s->index;
        vec data[CORR_MAX_VECTORS];
        CORR_UNROLL
        for (int v = 0; v < vectors; v++)
            data[v] = v_load_mask(x + v * s->x_vector, masks[q * vectors + v]);
        for (int64_t c = 0; c < channels; c++, w += V_LANES, index += V_LANES) {
            const vindex lanes = v_index(index);
            vec turned[CORR_MAX_VECTORS];
            CORR_UNROLL
            for (int v = 0; v < vectors; v++)
                turned[v] = v_permute(data[v], lanes);
            CORR_UNROLL
            for (int i = first; i <= last; i++) {
                const vec wi = v_load(w - i * below);
                CORR_UNROLL
                for (int v = 0; v < vectors; v++)
                    acc[i * vectors + v] = v_fma(wi, turned[v], acc[i * vectors + v]);
            }
        }
    }
}

/* Input row r of the tile, for the output rows that it has a tap in. */
CORR_INLINE void CORR_NAME(group_lanes_rows)(const int rows, const int vectors, int64_t r,
                                             const corr_group *s, const vmask *masks,
                                             const real *x, const real *w, vec *acc) {
    const int64_t before = r - s->kh + s->step;
    const int64_t first = before <= 0 ? 0 : before / s->step;
    const int64_t last = r / s->step < rows - 1 ? r / s->step : rows - 1;
#define CORR_GROUP_RANGE(a, b)                                                                 \
    if (b < rows && first == a && last == b)                                                   \
        CORR_NAME(group_lanes_row)(a, b, vectors, s, masks, x, w, acc);
    CORR_GROUP_RANGE(0, 2)
    CORR_GROUP_RANGE(0, 1)
    CORR_GROUP_RANGE(1, 2)
    CORR_GROUP_RANGE(0, 0)
    CORR_GROUP_RANGE(1, 1)
    CORR_GROUP_RANGE(2, 2)
#undef CORR_GROUP_RANGE
}

static CORR_NOINLINE void CORR_NAME(group_lanes_store)(int rows, int vectors, const corr_group *s,
                                                       const real *sums, real *y) {
    const vmask lanes = v_mask(0, s->columns);
    const vec bias = s->bias ? v_load_mask(s->bias, lanes) : v_zero();
    for (int i = 0; i < rows; i++, y += s->y_channel)
        for (int v = 0; v < vectors; v++, sums += V_LANES) {
            const vec sum = s->bias ? v_add(v_load(sums), bias) : v_load(sums);
            v_store_mask(y + v * s->y_vector, CORR_NAME(activate)(sum, s->activation), lanes);
        }
}

CORR_INLINE void CORR_NAME(group_lanes)(const int rows, const int vectors, const corr_group *s,
                                        const real *x, const real *w, real *y) {
    vmask masks[CORR_GROUP_TAPS * CORR_MAX_VECTORS];
    for (int64_t q = 0; q < s->kw; q++)
        for (int v = 0; v < vectors; v++) {
            const int64_t at = q * s->column_tap + v * s->column_vector;
            const int present = at >= s->column_lo && at < s->column_hi;
            masks[q * vectors + v] = v_mask(0, present ? s->x_lanes : 0);
        }
    for (int64_t t = 0; t < s->count; t++, x += s->x_next, y += s->y_next) {
        vec acc[CORR_GROUP_LANES_ROWS * CORR_MAX_VECTORS];
        CORR_UNROLL
        for (int i = 0; i < rows * vectors; i++)
            acc[i] = v_zero();
        for (int64_t r = 0; r < (rows - 1) * s->step + s->kh; r++) {
            const int64_t row = s->row + t * s->row_next + r * s->row_tap;
            if (row >= 0 && row < s->row_end)
                CORR_NAME(group_lanes_rows)(rows, vectors, r, s, masks, x + r * s->x_row,
                                            w + r * s->kw * s->channels * V_LANES, acc);
        }
        if (s->columns == V_LANES && !s->epilogue) {
            CORR_UNROLL
            for (int i = 0; i < rows; i++)
                CORR_UNROLL
                for (int v = 0; v < vectors; v++)
                    v_store(y + i * s->y_channel + v * s->y_vector, acc[i * vectors + v]);
        } else {
            real sums[CORR_GROUP_LANES_ROWS * CORR_MAX_VECTORS * V_LANES];
            CORR_UNROLL
            for (int i = 0; i < rows * vectors; i++)
                v_store(sums + i * V_LANES, acc[i]);
            CORR_NAME(group_lanes_store)(rows, vectors, s, sums, y);
        }
    }
}

#define CORR_GROUP_LANES(rows, vectors)                                                        \
    static void CORR_NAME(corr_group_lanes_##rows##x##vectors)(                                \
        const corr_group *s, const void *x, const void *w, void *y) {                          \
        CORR_NAME(group_lanes)(rows, vectors, s, x, w, y);                                     \
    }
CORR_PASTE3(CORR_GROUPS_LANES, CORR_TYPE, CORR_ISA)(CORR_GROUP_LANES)
#undef CORR_GROUP_LANES
