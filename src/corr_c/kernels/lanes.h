/* Between an image, wherever its channels lie, and pixels of V_LANES channels each. Planes are
 * turned in blocks of V_LANES x V_LANES; the last of a row may lie over the one before. */
CORR_INLINE void CORR_NAME(fetch_block)(const real *plane, int64_t channel) {
    CORR_UNROLL
    for (int c = 0; c < V_LANES; c++)
        CORR_PREFETCH_L2(plane + c * channel);
}

/* A block of fewer pixels or channels. */
static CORR_NOINLINE void CORR_NAME(lanes_in_part)(const real *x, int64_t channel,
                                                   int64_t pixels, int64_t channels, real *dst) {
    vec block[V_LANES];
    CORR_UNROLL
    for (int c = 0; c < V_LANES; c++)
        block[c] = c < channels ? v_load_n(x + c * channel, pixels) : v_zero();
    v_transpose(block);
    for (int64_t i = 0; i < pixels; i++)
        v_store(dst + i * V_LANES, block[i]);
}

/* Blocks of pixels a few elements apart: every second to fourth of a plane. */
CORR_INLINE void CORR_NAME(lanes_in_apart)(const int step, const real *x, int64_t channel, int64_t pixels,
                                           int64_t channels, real *dst) {
    int32_t thirds[V_LANES];
    const vindex at = CORR_NAME(index_thirds)(step, thirds);
    for (; pixels > 0; pixels -= V_LANES, x += step * V_LANES, dst += V_LANES * V_LANES) {
        const int64_t some = pixels < V_LANES ? pixels : V_LANES;
        vec block[V_LANES];
        CORR_UNROLL
        for (int c = 0; c < V_LANES; c++)
            block[c] = c < channels ? CORR_NAME(load_step)(x + c * channel, step, 0, some, at) : v_zero();
        v_transpose(block);
        for (int64_t i = 0; i < some; i++)
            v_store(dst + i * V_LANES, block[i]);
    }
}

static void CORR_NAME(corr_lanes_in)(const void *x_, int64_t pixel, int64_t channel,
                                     int64_t pixels, int64_t channels, void *dst_,
                                     int64_t ahead) {
    const real *x = x_;
    real *dst = dst_;
    if (channel == 1) {
        for (int64_t i = 0; i < pixels; i++, x += pixel, dst += V_LANES)
            v_store(dst, channels == V_LANES ? v_load(x) : v_load_n(x, channels));
        return;
    }
    if (pixel == 1 && channels == V_LANES && pixels >= V_LANES) {
        for (int64_t at = 0; at < pixels; at += V_LANES) {
            const int64_t i = at + V_LANES <= pixels ? at : pixels - V_LANES;
            if (ahead)
                CORR_NAME(fetch_block)(x + i + ahead, channel);
            CORR_NAME(turn_block)(x + i, channel, dst + i * V_LANES, V_LANES);
        }
        return;
    }
    for (; pixel == 1 && pixels > 0; pixels -= V_LANES, x += V_LANES, dst += V_LANES * V_LANES)
        CORR_NAME(lanes_in_part)(x, channel, pixels < V_LANES ? pixels : V_LANES, channels, dst);
    const int fills = 4 * pixels >= 3 * V_LANES; /* what is turned */
    if (fills && pixel == 2) {
        CORR_NAME(lanes_in_apart)(2, x, channel, pixels, channels, dst);
        return;
    }
    if (fills && pixel == 3) {
        CORR_NAME(lanes_in_apart)(3, x, channel, pixels, channels, dst);
        return;
    }
    if (fills && pixel == 4) {
        CORR_NAME(lanes_in_apart)(4, x, channel, pixels, channels, dst);
        return;
    }
    for (int64_t i = 0; i < pixels; i++, x += pixel, dst += V_LANES) {
        real lanes[V_LANES] = {0};
        for (int64_t c = 0; c < channels; c++)
            lanes[c] = x[c * channel];
        v_store(dst, v_load(lanes));
    }
}

static CORR_NOINLINE void CORR_NAME(lanes_out_part)(const real *src, int64_t pixels,
                                                    int64_t channels, real *y, int64_t channel) {
    vec block[V_LANES];
    CORR_UNROLL
    for (int i = 0; i < V_LANES; i++)
        block[i] = v_load(src + (i < pixels ? i : 0) * V_LANES);
    v_transpose(block);
    for (int64_t c = 0; c < channels; c++)
        v_store_n(y + c * channel, block[c], pixels);
}

/* Planes a multiple of 4096 bytes apart meet in the same set of L1: stores of a pixel to all
 * of them drive one another out, so some pixels of a plane are stored, and then the next. */
static CORR_NOINLINE void CORR_NAME(lanes_out_apart)(const real *src, int64_t pixels, real *y,
                                                     int64_t channel) {
    vec turned[V_LANES * CORR_LANES_APART];
    for (int64_t at = 0; at < pixels; at += V_LANES * CORR_LANES_APART) {
        const int64_t rest = pixels - at;
        const int64_t some = rest < V_LANES * CORR_LANES_APART ? rest : V_LANES * CORR_LANES_APART;
        for (int64_t i = 0; i < some; i += V_LANES) {
            vec block[V_LANES];
            CORR_UNROLL
            for (int p = 0; p < V_LANES; p++)
                block[p] = v_load(src + (at + (i + p < some ? i + p : 0)) * V_LANES);
            v_transpose(block);
            CORR_UNROLL
            for (int c = 0; c < V_LANES; c++)
                turned[c * CORR_LANES_APART + i / V_LANES] = block[c];
        }
        for (int c = 0; c < V_LANES; c++)
            for (int64_t i = 0; i < some; i += V_LANES) {
                const vec out = turned[c * CORR_LANES_APART + i / V_LANES];
                if (some - i >= V_LANES)
                    v_store(y + c * channel + at + i, out);
                else
                    v_store_n(y + c * channel + at + i, out, some - i);
            }
    }
}

static void CORR_NAME(corr_lanes_out)(const void *src_, int64_t pixels, int64_t channels,
                                      void *y_, int64_t pixel, int64_t channel, int64_t ahead) {
    const real *src = src_;
    real *y = y_;
    if (pixel == 1 && channels == V_LANES && pixels >= V_LANES) {
        for (int64_t i = 0; ahead && i < pixels; i += V_LANES)
            CORR_NAME(fetch_block)(y + i + ahead, channel);
        if (channel * (int64_t)sizeof(real) % 4096 == 0) {
            CORR_NAME(lanes_out_apart)(src, pixels, y, channel);
            return;
        }
        for (int64_t at = 0; at < pixels; at += V_LANES) {
            const int64_t i = at + V_LANES <= pixels ? at : pixels - V_LANES;
            CORR_NAME(turn_block)(src + i * V_LANES, V_LANES, y + i, channel);
        }
        return;
    }
    for (; pixel == 1 && pixels > 0; pixels -= V_LANES, y += V_LANES, src += V_LANES * V_LANES)
        CORR_NAME(lanes_out_part)(src, pixels < V_LANES ? pixels : V_LANES, channels, y, channel);
    for (int64_t i = 0; i < pixels; i++, y += pixel, src += V_LANES)
        for (int64_t c = 0; c < channels; c++)
            y[c * channel] = src[c];
}
