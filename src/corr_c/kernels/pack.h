/* Packing pixels: im2col by runs of them. */
CORR_INLINE int64_t CORR_NAME(clamp)(int64_t a, int64_t lo, int64_t hi) {
    return a < lo ? lo : a > hi ? hi : a;
}

CORR_INLINE vec CORR_NAME(gather_run)(const real *x, int64_t step, int64_t lo, int64_t hi) {
    real lanes[V_LANES] = {0};
    for (int64_t i = lo; i < hi; i++)
        lanes[i] = x[i * step];
    return v_load(lanes);
}

CORR_INLINE vec CORR_NAME(load_run)(const real *x, int64_t step, int64_t lo, int64_t hi) {
    if (lo == hi)
        return v_zero();
    if (step == 1)
        return lo == 0 && hi == V_LANES ? v_load(x) : v_load_range(x, lo, hi);
    if (step == -1) /* a mirrored picture */
        return v_reverse(v_load_range(x - (V_LANES - 1), V_LANES - hi, V_LANES - lo));
    return step == 2 ? v_load2_range(x, lo, hi) : CORR_NAME(gather_run)(x, step, lo, hi);
}

CORR_INLINE void CORR_NAME(zero_rows)(const corr_rows *rows, int64_t from, int64_t to, real *dst) {
    for (int64_t r = from; r < to; r++)
        for (int64_t j = 0; j < rows->width; j += V_LANES)
            v_store(dst + r * rows->pitch + j, v_zero());
}

/* Of vectors that follow one another every step-th element, two to four; of thirds `at` are
 * 3 * i modulo the lanes. */
CORR_INLINE vec CORR_NAME(join_step)(const int step, const vec part[4], vindex at) {
    vec even[2], odd;
    if (step == 3) {
        const vec later = v_select(v_mask(0, (2 * V_LANES + 2) / 3), v_permute(part[1], at), v_permute(part[2], at));
        return v_select(v_mask(0, (V_LANES + 2) / 3), v_permute(part[0], at), later);
    }
    v_split(part[0], part[1], &even[0], &odd);
    if (step == 2)
        return even[0];
    v_split(part[2], part[3], &even[1], &odd);
    v_split(even[0], even[1], &even[0], &odd);
    return even[0];
}

CORR_INLINE vindex CORR_NAME(index_thirds)(const int step, int32_t thirds[V_LANES]) {
    for (int i = 0; i < V_LANES; i++)
        thirds[i] = step == 3 ? 3 * i % V_LANES : 0;
    return v_index(thirds);
}

/* Which lanes of part i lanes lo .. hi are of: nothing before the first nor after the last is read. */
CORR_INLINE int64_t CORR_NAME(step_from)(const int step, int i, int64_t lo) {
    return CORR_NAME(clamp)(step * lo - i * V_LANES, 0, V_LANES);
}
CORR_INLINE int64_t CORR_NAME(step_to)(const int step, int i, int64_t hi, int64_t from) {
    return CORR_NAME(clamp)(step * hi - (step - 1) - i * V_LANES, from, V_LANES);
}

CORR_INLINE vec CORR_NAME(load_step)(const real *x, const int step, int64_t lo, int64_t hi, vindex at) {
    if (step <= 2)
        return step == 1 ? v_load_range(x, lo, hi) : v_load2_range(x, lo, hi);
    vec part[4];
    CORR_UNROLL
    for (int i = 0; i < step; i++) {
        const int64_t from = CORR_NAME(step_from)(step, i, lo);
        part[i] = v_load_range(x + i * V_LANES, from, CORR_NAME(step_to)(step, i, hi, from));
    }
    return CORR_NAME(join_step)(step, part, at);
}

/* Rows that begin with one vector across the image's edge, go on with `whole` ones inside, and
 * end with one more: its lanes lo .. hi are constants of the loop. step: 1 to 4. */
CORR_INLINE void CORR_NAME(pack_edged)(const corr_rows *rows, const int step, int64_t head,
                                       int64_t whole, int64_t rest, const real *x, int64_t channel,
                                       real *dst) {
    const int64_t lo = rows->lo, first_hi = rows->hi < V_LANES ? rows->hi : V_LANES;
    const int64_t inside = head + whole * V_LANES, row = rows->row, pitch = rows->pitch;
    int32_t thirds[V_LANES];
    const vindex at = CORR_NAME(index_thirds)(step, thirds);
    const int64_t rest_lo = inside ? 0 : lo, rest_hi = rows->hi > inside ? rows->hi - inside : 0;
    for (int64_t r = rows->end - rows->first; r > 0; r--, x += row, dst += pitch) {
        if (head)
            v_store(dst, CORR_NAME(load_step)(x, step, lo, first_hi, at));
        for (int64_t j = 0; j < rows->width * step; j += 64 / (int64_t)sizeof(real))
            CORR_PREFETCH(x + channel + j);
        for (int64_t j = head; j < inside; j += V_LANES)
            v_store(dst + j, step == 1 ? v_load(x + j) : CORR_NAME(load_step)(x + step * j, step, 0, V_LANES, at));
        if (rest)
            v_store(dst + inside, CORR_NAME(load_step)(x + inside * step, step, rest_lo, rest_hi, at));
    }
}

/* A row of pixels that no vector loads, one by one into their place. */
CORR_INLINE void CORR_NAME(pack_apart)(const corr_rows *rows, const real *x, real *dst) {
    const int64_t lo = rows->lo, hi = rows->hi, step = rows->step;
    const int64_t end = (rows->width + V_LANES - 1) / V_LANES * V_LANES;
    int64_t j = 0;
    for (; j < lo; j++)
        dst[j] = 0;
    for (x += j * step; j + 4 <= hi; j += 4, x += 4 * step) {
        const real a = x[0], b = x[step], c = x[2 * step], d = x[3 * step];
        dst[j] = a;
        dst[j + 1] = b;
        dst[j + 2] = c;
        dst[j + 3] = d;
    }
    for (; j < hi; j++, x += step)
        dst[j] = *x;
    for (; j < end; j++)
        dst[j] = 0;
}

static void CORR_NAME(pack_any)(const corr_rows *rows, const real *x, int64_t channel,
                                real *dst) {
    const int64_t line = CORR_CACHE_LINE / (int64_t)sizeof(real);
    /* Not where a line holds one pixel: as many fetches would take longer than they save. */
    const int64_t fetched = rows->step <= line ? rows->width * rows->step : 0;
    const int apart = rows->step != 1 && rows->step != 2 && rows->step != -1;
    for (int64_t r = rows->first; r < rows->end; r++, x += rows->row, dst += rows->pitch) {
        if (apart) {
            for (int64_t j = 0; j < fetched; j += line)
                CORR_PREFETCH(x + channel + j);
            CORR_NAME(pack_apart)(rows, x, dst);
            continue;
        }
        for (int64_t j = 0; j < rows->width; j += V_LANES) {
            const int64_t lo = rows->lo > j ? rows->lo - j : 0;
            const int64_t hi = rows->hi - j < V_LANES ? rows->hi - j : V_LANES;
            v_store(dst + j, lo < hi ? CORR_NAME(load_run)(x + j * rows->step, rows->step, lo, hi)
                                     : v_zero());
        }
    }
}

static void CORR_NAME(corr_pack_rows)(const corr_rows *rows, const void *x_, int64_t channel,
                                      int64_t channels, void *dst_, int64_t dst_channel) {
    const int64_t head = rows->lo > 0 && rows->width > V_LANES ? V_LANES : 0;
    const int64_t whole = rows->hi > head ? (rows->hi - head) / V_LANES : 0;
    const int64_t rest = rows->width - head - whole * V_LANES;
    const int simple = (head ? rows->lo <= V_LANES : rows->lo == 0 || whole == 0) && rest <= V_LANES;
    const real *x = x_;
    real *dst = dst_;
    for (int64_t c = 0; c < channels; c++, x += channel, dst += dst_channel) {
        const real *from = x + rows->first * rows->row;
        real *to = dst + rows->first * rows->pitch;
        CORR_NAME(zero_rows)(rows, 0, rows->first, dst);
        if (simple && rows->step == 1)
            CORR_NAME(pack_edged)(rows, 1, head, whole, rest, from, channel, to);
        else if (simple && rows->step == 2)
            CORR_NAME(pack_edged)(rows, 2, head, whole, rest, from, channel, to);
        else if (simple && rows->step == 3)
            CORR_NAME(pack_edged)(rows, 3, head, whole, rest, from, channel, to);
        else if (simple && rows->step == 4)
            CORR_NAME(pack_edged)(rows, 4, head, whole, rest, from, channel, to);
        else
            CORR_NAME(pack_any)(rows, from, channel, to);
        CORR_NAME(zero_rows)(rows, rows->end, rows->count, dst);
    }
}

CORR_INLINE void CORR_NAME(gather_rows)(const int64_t whole, int64_t k, int64_t n, const real *x,
                                        const int32_t *offsets, real *dst, int64_t pitch) {
    const vmask rest = v_mask(0, n - whole * V_LANES);
    for (; k > 0; k--, dst += pitch) {
        const real *from = x + *offsets++;
        CORR_UNROLL
        for (int64_t j = 0; j < whole; j++)
            v_store(dst + j * V_LANES, v_load(from + j * V_LANES));
        if (n > whole * V_LANES)
            v_store(dst + whole * V_LANES, v_load_mask(from + whole * V_LANES, rest));
    }
}

static void CORR_NAME(corr_gather)(int64_t k, int64_t n, const void *x_, const int32_t *offsets,
                                   void *dst_, int64_t pitch) {
    int64_t done = n / (4 * V_LANES) * (4 * V_LANES);
    const real *x = x_;
    real *dst = dst_;
    /* The last columns first: their whole vector may end in the next row. */
    switch ((n - done) / V_LANES) {
    case 3: CORR_NAME(gather_rows)(3, k, n - done, x + done, offsets, dst + done, pitch); break;
    case 2: CORR_NAME(gather_rows)(2, k, n - done, x + done, offsets, dst + done, pitch); break;
    case 1: CORR_NAME(gather_rows)(1, k, n - done, x + done, offsets, dst + done, pitch); break;
    default: CORR_NAME(gather_rows)(0, k, n - done, x + done, offsets, dst + done, pitch); break;
    }
    while ((done -= 4 * V_LANES) >= 0)
        CORR_NAME(gather_rows)(4, k, 4 * V_LANES, x + done, offsets, dst + done, pitch);
}
