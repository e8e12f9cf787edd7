/* Channels-last, along the rows, some rows of outputs at a time, a lane a channel.
 * Where there are 32 registers: a vector of channels at a time. A column of inputs is loaded once and
 * adds to the sums of all outputs that have a tap there:
 *
 *   column c, row r      acc[q][i] += w[p][q] * x[r][c]     of output row i, r = i * step + p,
 *                                                           and output column (c - q) / step
 *
 * The last slot of a turn is complete then, is stored, and the others move up by one.
 */
CORR_INLINE void CORR_NAME(slide_column)(const int size, const int step, const int a, const int rows,
                                        const int some, const corr_stencil *s, const real *x,
                                        const real *w, const vec *kept, vec *acc) {
    const int64_t x_row = s->x_row;
    const int inputs = (rows - 1) * step + size;
    if (!some && size > 3) {
        /* A tap is loaded once for all rows, whose inputs there are registers for: of 7x7 in three rows
         * 58 loads for 147 products, and 156 if each row brings its taps along. */
        vec data[CORR_SLIDE_INPUTS];
        CORR_UNROLL
        for (int r = 0; r < inputs; r++) {
            data[r] = v_load(x + r * x_row);
            CORR_IN_REGISTER(data[r]);
        }
        CORR_FORGET(w); /* too many to be kept from one column to the next */
        CORR_UNROLL
        for (int q = a; q < size; q += step)
            CORR_UNROLL
            for (int p = 0; p < size; p++) {
                vec tap = v_load(w + (p * size + q) * V_LANES);
                CORR_IN_REGISTER(tap);
                CORR_UNROLL
                for (int i = 0; i < rows; i++)
                    acc[q / step * rows + i] = v_fma(tap, data[i * step + p], acc[q / step * rows + i]);
            }
        return;
    }
    const uint64_t present = s->row_hi > s->row_lo ? (uint64_t)(s->row_hi - s->row_lo) : 0;
    CORR_UNROLL
    for (int r = 0; r < inputs; r++, x += x_row) {
        if (some && (uint64_t)(r - s->row_lo) >= present)
            continue;
        const vec data = v_load(x);
        CORR_FORGET(w);
        CORR_UNROLL
        for (int q = a; q < size; q += step)
            CORR_UNROLL
            for (int i = 0; i < rows; i++) {
                const int p = r - i * step, at = q / step * rows + i;
                if (p >= 0 && p < size)
                    acc[at] = v_fma(size == 3 ? kept[p * 3 + q] : v_load(w + (p * size + q) * V_LANES),
                                    data, acc[at]);
            }
    }
}

CORR_INLINE void CORR_NAME(slide_channels)(const int size, const int step, const int rows, const int some,
                                          const corr_stencil *s, const real *x, const real *w,
                                          const real *bias, real *y) {
    const int slots = (size + step - 1) / step, inputs = (rows - 1) * step + size;
    const int64_t lo = s->column_lo, hi = s->column_hi, turns = s->strips + slots - 1;
    const int64_t x_tap = s->x_tap, first = lo / step < slots ? lo / step : slots - 1;
    vec acc[CORR_BAND_SUMS], kept[9];
    vec *done = acc + (slots - 1) * rows;
    if (size == 3) {
        CORR_UNROLL
        for (int k = 0; k < 9; k++)
            kept[k] = v_load(w + k * V_LANES);
    }
    CORR_UNROLL
    for (int i = 0; i < slots * rows; i++)
        acc[i] = v_zero();
    x += first * step * x_tap;
    y += (first - slots + 1) * s->y_vector;
    for (int64_t t = first; t < turns; t++, x += step * x_tap, y += s->y_vector) {
        CORR_UNROLL
        for (int a = 0; a < step; a++)
            if (t * step + a < hi && t * step + a >= lo)
                CORR_NAME(slide_column)(size, step, a, rows, some, s, x + a * x_tap, w, kept, acc);
        if (t >= slots - 1) {
            if (s->epilogue) {
                const vec low = v_set1(s->activation == CORR_LINEAR ? -(real)INFINITY : 0);
                const vec high = v_set1(s->activation == CORR_RELU6 ? 6 : (real)INFINITY);
                const vec b = bias ? v_load(bias) : v_zero();
                CORR_UNROLL
                for (int i = 0; i < rows; i++)
                    done[i] = v_min(high, v_max(low, v_add(done[i], b)));
            }
            CORR_UNROLL
            for (int i = 0; i < rows; i++)
                v_store(y + i * s->y_row, done[i]);
        }
        if (s->x_ahead) {
            CORR_UNROLL
            for (int a = 0; a < step; a++)
                CORR_UNROLL
                for (int r = size - step; r < inputs; r++)
                    CORR_PREFETCH_L2(x + a * x_tap + r * s->x_row + s->x_ahead);
        }
        CORR_UNROLL
        for (int i = slots * rows - 1; i >= rows; i--)
            acc[i] = acc[i - rows];
        CORR_UNROLL
        for (int i = 0; i < rows; i++)
            acc[i] = v_zero();
    }
}

CORR_INLINE void CORR_NAME(slide_pixels)(const int size, const int step, const int rows, const int some,
                                        const corr_stencil *s, const real *x, const real *w, real *y) {
    const int64_t last = s->columns - V_LANES;
    const real *bias = s->bias;
    for (int64_t c = 0; c < s->columns; c += V_LANES, w += size * size * V_LANES) {
        c = c < last ? c : last; /* overlaps the channels before it */
        CORR_NAME(slide_channels)(size, step, rows, some, s, x + c, w, bias ? bias + c : NULL, y + c);
    }
}

#define CORR_SLIDE(size, step, rows)                                                           \
    static void CORR_NAME(corr_slide_##size##_##step)(const corr_stencil *s, const void *x,    \
                                                      const void *w, void *y) {                \
        if (s->row_lo > 0 || s->row_hi < (rows - 1) * step + size)                             \
            CORR_NAME(slide_pixels)(size, step, rows, 1, s, x, w, y);                          \
        else                                                                                   \
            CORR_NAME(slide_pixels)(size, step, rows, 0, s, x, w, y);                          \
    }
CORR_PASTE3(CORR_SLIDES, CORR_TYPE, CORR_ISA)(CORR_SLIDE)
#undef CORR_SLIDE
