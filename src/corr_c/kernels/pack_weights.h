/* Packing weights, by panels of output channels: in whatever order they lie, most are turned in registers. */

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
