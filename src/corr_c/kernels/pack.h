/* Packing: im2col by runs of pixels, weights by panels of rows. */
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

/* A block of V_LANES output channels x V_LANES weights that follow one another in each. */
CORR_INLINE vec CORR_NAME(weight_block)(const real *w, int64_t w_o, int64_t rows, int64_t count,
                                        vec block[]) {
    CORR_UNROLL
    for (int i = 0; i < V_LANES; i++)
        block[i] = i < rows ? v_load_n(w + i * w_o, count) : v_zero();
    vec odd = v_zero();
    CORR_UNROLL
    for (int i = 0; i < V_LANES; i++)
        odd = v_fma(block[i], v_zero(), odd);
    v_transpose(block);
    return odd;
}

/* Taps that lie close together in every channel, in any order and with gaps: the input
 * gradient's, which are flipped and every stride-th. Up to V_LANES elements of V_LANES rows
 * at a time, turned; what lies between the taps is dropped. */
enum { CORR_NAME(CORR_TAP_SPAN) = CORR_SPREAD_VECTORS * V_LANES };

CORR_INLINE vec CORR_NAME(pack_taps)(const real *w, int64_t rows, int64_t room, int64_t ahead,
                                     int64_t span, int64_t w_o, void *const *to, int64_t place) {
    vec odd = v_zero();
    for (int64_t at = 0; at < span; at += V_LANES) {
        for (int i = 0; i < V_LANES; i++)
            CORR_PREFETCH(w + ahead + i * w_o + at);
        const int64_t count = span - at < V_LANES ? span - at : V_LANES;
        vec block[V_LANES];
        CORR_UNROLL
        for (int i = 0; i < V_LANES; i++)
            block[i] = i < rows ? v_load_n(w + i * w_o + at, count) : v_zero();
        v_transpose(block);
        for (int64_t r = 0; r < count; r++)
            if (to[at + r]) {
                odd = v_fma(block[r], v_zero(), odd);
                v_store_n((real *)to[at + r] + place, block[r], room);
            }
    }
    return odd;
}

/* What 3x3 taps of V_LANES neighbours go through: every third element of three vectors, twice. 3 has an
 * inverse modulo the lanes, by which the thirds of one remainder are those of another, rotated; so three
 * permutations, and rotations at the end, serve all of them. */
typedef struct CORR_NAME(thirds) {
    int32_t index[3][V_LANES], turn[3][V_LANES];
} CORR_NAME(thirds);

static void CORR_NAME(fill_thirds)(CORR_NAME(thirds) *t) {
    const int inverse = V_LANES % 3 == 1 ? (2 * V_LANES + 1) / 3 : (V_LANES + 1) / 3;
    for (int q = 0; q < 3; q++)
        for (int i = 0; i < V_LANES; i++) {
            t->index[q][i] = (3 * i + inverse * q) % V_LANES;
            t->turn[q][i] = (i + inverse * q) % V_LANES;
        }
}

/* out[q]: element 3 * i + q of the three in lane i + q / 3 modulo the lanes. */
CORR_INLINE void CORR_NAME(take_thirds)(const vec a, const vec b, const vec c, vindex at, vmask first, vmask last,
                                        vec out[3]) {
    const vec from[3] = {v_permute(a, at), v_permute(b, at), v_permute(c, at)};
    CORR_UNROLL
    for (int q = 0; q < 3; q++) {
        const int of = V_LANES % 3 == 1 ? q : 2 * q;
        out[q] = v_select(first, from[of % 3], v_select(last, from[(of + 2) % 3], from[(of + 1) % 3]));
    }
}

CORR_INLINE vec CORR_NAME(pack_nine)(const real *w, int64_t ahead, const CORR_NAME(thirds) *t, void *const *to,
                                     int64_t place) {
    const vmask first = v_mask(0, (V_LANES + 2) / 3), last = v_mask((2 * V_LANES + 2) / 3, V_LANES);
    vec odd[3] = {v_zero(), v_zero(), v_zero()}, some[3][3], tap[3];
    CORR_UNROLL
    for (int m = 0; m < 3; m++) {
        vec a[3];
        CORR_UNROLL
        for (int i = 0; i < 3; i++) {
            a[i] = v_load(w + (3 * m + i) * V_LANES);
            CORR_PREFETCH(w + ahead + (3 * m + i) * V_LANES);
        }
        CORR_NAME(take_thirds)(a[0], a[1], a[2], v_index(t->index[0]), first, last, some[m]);
    }
    CORR_UNROLL
    for (int q = 0; q < 3; q++) {
        CORR_NAME(take_thirds)(some[0][q], some[1][q], some[2][q], v_index(t->index[q]), first, last, tap);
        CORR_UNROLL
        for (int p = 0; p < 3; p++)
            if (to[3 * p + q]) {
                odd[p] = v_fma(tap[p], v_zero(), odd[p]);
                v_store((real *)to[3 * p + q] + place, p == 0 ? tap[p] : v_permute(tap[p], v_index(t->turn[p])));
            }
    }
    return v_add(v_add(odd[0], odd[1]), odd[2]);
}

/* Rows are inside: what is read of a channel, and what is written of a tap, lies together. */
static int CORR_NAME(corr_pack_spread)(const void *w_, int64_t rows, int64_t width,
                                       int64_t channels, int64_t span, int64_t w_o, int64_t w_c,
                                       void *const *to) {
    const real *w = w_;
    const int nine = V_LANES > 4 && span == 9 && w_o == 9; /* a few short rows are turned as fast */
    CORR_NAME(thirds) thirds;
    vec odd = v_zero();
    if (nine)
        CORR_NAME(fill_thirds)(&thirds);
    for (int64_t c = 0; c < channels; c++)
        for (int64_t i = 0; i < width; i += V_LANES) {
            const int64_t room = width - i < V_LANES ? width - i : V_LANES, place = c * width + i;
            const int64_t some = rows - i < 0 ? 0 : rows - i < V_LANES ? rows - i : V_LANES;
            const real *from = w + c * w_c + i * w_o;
            odd = v_add(odd, nine && some == V_LANES
                                 ? CORR_NAME(pack_nine)(from, 12 * w_c, &thirds, to, place)
                                 : CORR_NAME(pack_taps)(from, some, room, 12 * w_c, span, w_o, to, place));
        }
    return v_sum(odd) == 0;
}

/* Any taps, element by element. */
CORR_INLINE vec CORR_NAME(pack_elements)(const real *w, int64_t rows, int64_t width,
                                         int64_t channels, int64_t kh, int64_t kw, int64_t w_o,
                                         int64_t w_c, int64_t w_h, int64_t w_w, real *dst) {
    for (int64_t c = 0; c < channels; c++, w += w_c) {
        for (int64_t i = 0; i < rows; i++)
            CORR_PREFETCH(w + 12 * w_c + i * w_o);
        for (int64_t t = 0; t < kh * kw; t++) {
            const real *from = w + t / kw * w_h + t % kw * w_w;
            real *to = dst + (t * channels + c) * width;
            for (int64_t i = 0; i < rows; i++)
                to[i] = from[i * w_o];
            for (int64_t i = rows; i < width; i++)
                to[i] = 0;
        }
    }
    vec odd = v_zero();
    const int64_t all = kh * kw * channels * width;
    for (int64_t i = 0; i < all; i += V_LANES)
        odd = v_fma(all - i < V_LANES ? v_load_n(dst + i, all - i) : v_load(dst + i), v_zero(), odd);
    return odd;
}

/* Some output channels whose weights follow one another in each, from element `at` of them on. Are they finite? */
static CORR_NOINLINE int CORR_NAME(pack_rest)(const real *w, int64_t w_o, int64_t rows, int64_t room,
                                              int64_t width, int64_t channels, int64_t taps, int64_t at,
                                              real *dst) {
    const int64_t all = channels * taps;
    int64_t c = at / taps, tap = at % taps;
    vec odd = v_zero(), block[V_LANES];
    for (; at < all; at += V_LANES) {
        const int64_t count = all - at < V_LANES ? all - at : V_LANES;
        for (int r = 0; r < V_LANES; r++)
            CORR_PREFETCH(w + r * w_o + at + 12 * V_LANES);
        odd = v_add(odd, CORR_NAME(weight_block)(w + at, w_o, rows, count, block));
        for (int64_t r = 0; r < count; r++) {
            real *to = dst + (tap * channels + c) * width;
            if (!V_MASKED && width <= V_LANES && (channels - c) * width >= V_LANES)
                v_store(to, block[r]);
            else
                v_store_n(to, block[r], room);
            if (++tap == taps) {
                tap = 0;
                c++;
            }
        }
    }
    return v_sum(odd) == 0;
}

/* Whole blocks in registers where it is fixed how many there are, which most panels have. */
CORR_INLINE int CORR_NAME(pack_panel)(const int fixed, const real *w, int64_t w_o, int64_t rows,
                                      int64_t room, int64_t width, int64_t channels, int64_t taps,
                                      real *dst) {
    const int64_t all = channels * taps;
    int64_t c = 0, tap = 0, at = 0;
    vec odd = v_zero(), block[V_LANES];
    for (; at + V_LANES <= all; at += V_LANES) {
        CORR_UNROLL
        for (int r = 0; r < V_LANES; r++)
            block[r] = r < fixed ? v_load(w + r * w_o + at) : v_zero();
        CORR_UNROLL
        for (int r = 0; r < fixed; r++) {
            CORR_PREFETCH(w + r * w_o + at + 12 * V_LANES);
            odd = v_fma(block[r], v_zero(), odd);
        }
        v_transpose(block);
        CORR_UNROLL
        for (int r = 0; r < V_LANES; r++) {
            real *to = dst + (tap * channels + c) * width;
            /* What spills over belongs to the next channels, which come later. */
            if (fixed == V_LANES || (channels - c) * width >= V_LANES)
                v_store(to, block[r]);
            else
                v_store_n(to, block[r], room);
            if (++tap == taps) {
                tap = 0;
                c++;
            }
        }
    }
    return (at == all || CORR_NAME(pack_rest)(w, w_o, rows, room, width, channels, taps, at, dst)) && v_sum(odd) == 0;
}

/* Output channels two to four elements apart: kernels of as many taps, read the other way round. */
CORR_INLINE vec CORR_NAME(pack_near)(const int step, const real *w, int64_t rows, int64_t width,
                                     int64_t channels, int64_t kh, int64_t kw, int64_t w_c, int64_t w_h,
                                     int64_t w_w, real *dst) {
    const int64_t line = CORR_CACHE_LINE / (int64_t)sizeof(real), tail = rows % V_LANES;
    int32_t thirds[V_LANES];
    const vindex at = CORR_NAME(index_thirds)(step, thirds);
    vec odd = v_zero(), part[4];
    vmask last[4];
    CORR_UNROLL
    for (int h = 0; h < step; h++)
        last[h] = v_mask(0, CORR_NAME(step_to)(step, h, tail, 0));
    for (int64_t c = 0; c < channels; c++, w += w_c, dst += width) {
        for (int64_t j = 0; j < rows * step; j += line)
            CORR_PREFETCH(w + 4 * w_c + j);
        real *to = dst;
        for (int64_t p = 0; p < kh; p++)
            for (int64_t q = 0; q < kw; q++, to += channels * width) {
                const real *from = w + p * w_h + q * w_w;
                int64_t i = 0;
                for (; i + V_LANES <= rows; i += V_LANES) {
                    const vec v = CORR_NAME(load_step)(from + i * step, step, 0, V_LANES, at);
                    odd = v_fma(v, v_zero(), odd);
                    v_store(to + i, v);
                }
                if (tail) {
                    CORR_UNROLL
                    for (int h = 0; h < step; h++)
                        part[h] = v_load_mask(from + i * step + h * V_LANES, last[h]);
                    const vec v = CORR_NAME(join_step)(step, part, at);
                    odd = v_fma(v, v_zero(), odd);
                    v_store_n(to + i, v, width - i < V_LANES ? width - i : V_LANES);
                    i += V_LANES;
                }
                for (; i < width; i += V_LANES)
                    v_store_n(to + i, v_zero(), width - i < V_LANES ? width - i : V_LANES);
            }
    }
    return odd;
}

/* Which tap lies at each of the elements from the lowest tap's on, or -1. Returns how many
 * there are, or 0 if they are too far apart or fall together; *low is the lowest's place. */
CORR_INLINE int64_t CORR_NAME(map_taps)(int64_t kh, int64_t kw, int64_t w_h, int64_t w_w,
                                        int16_t tap_at[], int64_t *low) {
    const int64_t h = (kh - 1) * w_h, w = (kw - 1) * w_w;
    const int64_t span = (h < 0 ? -h : h) + (w < 0 ? -w : w) + 1;
    *low = (h < 0 ? h : 0) + (w < 0 ? w : 0);
    if (span > CORR_NAME(CORR_TAP_SPAN))
        return 0;
    for (int64_t i = 0; i < span; i++)
        tap_at[i] = -1;
    for (int64_t t = 0; t < kh * kw; t++) {
        const int64_t at = t / kw * w_h + t % kw * w_w - *low;
        if (tap_at[at] >= 0)
            return 0;
        tap_at[at] = (int16_t)t;
    }
    return span;
}

/* Does turning blocks cost less than element by element, a cycle each? */
CORR_INLINE int CORR_NAME(turns)(int64_t elements, int64_t span, int64_t width) {
    const int64_t blocks = (span + V_LANES - 1) / V_LANES * ((width + V_LANES - 1) / V_LANES);
    return elements > 4 * V_LANES * blocks;
}

static int CORR_NAME(corr_pack_weights)(const void *w_, int64_t rows, int64_t width,
                                        int64_t channels, int64_t kh, int64_t kw, int64_t w_o,
                                        int64_t w_c, int64_t w_h, int64_t w_w, void *dst_) {
    const real *w = w_;
    real *dst = dst_;
    const int64_t taps = kh * kw;
    int16_t tap_at[CORR_NAME(CORR_TAP_SPAN)];
    int64_t low, span;
    int finite = 1;
    vec odd = v_zero(); /* stays zero as long as all weights are finite */
    if (w_c == taps && (w_h == kw || kh == 1) && (w_w == 1 || kw == 1)) {
        for (int64_t i = 0; i < width; i += V_LANES) {
            const int64_t room = width - i < V_LANES ? width - i : V_LANES;
            const int64_t some = rows - i < 0 ? 0 : rows - i < V_LANES ? rows - i : V_LANES;
            int sound;
            if (some == V_LANES)
                sound = CORR_NAME(pack_panel)(V_LANES, w + i * w_o, w_o, some, room, width, channels, taps, dst + i);
            else if (!V_MASKED && V_LANES > 6 && some == 6 && width == 6)
                sound = CORR_NAME(pack_panel)(6, w, w_o, 6, 6, 6, channels, taps, dst);
            else if (!V_MASKED && V_LANES > 4 && some == 4 && width == 4)
                sound = CORR_NAME(pack_panel)(4, w, w_o, 4, 4, 4, channels, taps, dst);
            else
                sound = CORR_NAME(pack_rest)(w + i * w_o, w_o, some, room, width, channels, taps, 0, dst + i);
            finite = finite && sound;
        }
    } else if (w_o == 1) {
        for (int64_t p = 0; p < kh; p++)
            for (int64_t q = 0; q < kw; q++) {
                const real *from = w + p * w_h + q * w_w;
                for (int64_t c = 0; c < channels; c++, from += w_c, dst += width) {
                    int64_t i = 0;
                    for (; i + V_LANES <= rows; i += V_LANES) {
                        CORR_PREFETCH(from + 8 * w_c + i);
                        const vec v = v_load(from + i);
                        odd = v_fma(v, v_zero(), odd);
                        v_store(dst + i, v);
                    }
                    for (; i < width; i += V_LANES) {
                        CORR_PREFETCH(from + 32 * w_c + i);
                        const vec v = v_load_range(from + i, 0, rows - i < 0         ? 0
                                                          : rows - i < V_LANES ? rows - i
                                                                               : V_LANES);
                        odd = v_fma(v, v_zero(), odd);
                        v_store_n(dst + i, v, width - i < V_LANES ? width - i : V_LANES);
                    }
                }
            }
    } else if (w_c == 1) { /* HWIO weights read the other way round */
        for (int64_t t = 0; t < taps; t++)
            for (int64_t i = 0; i < width; i += V_LANES) {
                const int64_t room = width - i < V_LANES ? width - i : V_LANES;
                const int64_t some = rows - i < 0 ? 0 : rows - i < V_LANES ? rows - i : V_LANES;
                const int sound = CORR_NAME(pack_rest)(w + i * w_o + t / kw * w_h + t % kw * w_w, w_o, some, room,
                                                       width, channels, 1, 0, dst + t * channels * width + i);
                finite = finite && sound;
            }
    } else if ((span = CORR_NAME(map_taps)(kh, kw, w_h, w_w, tap_at, &low)) > 0 &&
               CORR_NAME(turns)(taps * width, span, width)) {
        void *to[CORR_NAME(CORR_TAP_SPAN)];
        for (int64_t at = 0; at < span; at++)
            to[at] = tap_at[at] < 0 ? NULL : dst + tap_at[at] * channels * width;
        return CORR_NAME(corr_pack_spread)(w + low, rows, width, channels, span, w_o, w_c, to);
    } else if (V_LANES > 2 && w_o == 2) {
        odd = CORR_NAME(pack_near)(2, w, rows, width, channels, kh, kw, w_c, w_h, w_w, dst);
    } else if (V_LANES > 2 && w_o == 3) {
        odd = CORR_NAME(pack_near)(3, w, rows, width, channels, kh, kw, w_c, w_h, w_w, dst);
    } else if (V_LANES > 2 && w_o == 4) {
        odd = CORR_NAME(pack_near)(4, w, rows, width, channels, kh, kw, w_c, w_h, w_w, dst);
    } else {
        odd = CORR_NAME(pack_elements)(w, rows, width, channels, kh, kw, w_o, w_c, w_h, w_w, dst);
    }
    return finite && v_sum(odd) == 0;
}
