/* Between an image, wherever its channels lie, and pixels of V_LANES channels each. */
static void CORR_NAME(corr_lanes_in)(const void *x_, int64_t pixel, int64_t channel,
                                     int64_t pixels, int64_t channels, void *dst_) {
    const real *x = x_;
    real *dst = dst_;
    if (channel == 1) {
        for (int64_t i = 0; i < pixels; i++, x += pixel, dst += V_LANES)
            v_store(dst, channels == V_LANES ? v_load(x) : v_load_n(x, channels));
        return;
    }
    for (; pixel == 1 && pixels > 0; pixels -= V_LANES, x += V_LANES, dst += V_LANES * V_LANES) {
        vec block[V_LANES];
        if (pixels >= V_LANES && channels == V_LANES) {
            CORR_UNROLL
            for (int c = 0; c < V_LANES; c++)
                block[c] = v_load(x + c * channel);
            v_transpose(block);
            CORR_UNROLL
            for (int i = 0; i < V_LANES; i++)
                v_store(dst + i * V_LANES, block[i]);
            continue;
        }
        const int64_t some = pixels < V_LANES ? pixels : V_LANES;
        CORR_UNROLL
        for (int c = 0; c < V_LANES; c++)
            block[c] = c < channels ? v_load_n(x + c * channel, some) : v_zero();
        v_transpose(block);
        for (int64_t i = 0; i < some; i++)
            v_store(dst + i * V_LANES, block[i]);
    }
    for (int64_t i = 0; i < pixels; i++, x += pixel, dst += V_LANES) {
        real lanes[V_LANES] = {0};
        for (int64_t c = 0; c < channels; c++)
            lanes[c] = x[c * channel];
        v_store(dst, v_load(lanes));
    }
}

static void CORR_NAME(corr_lanes_out)(const void *src_, int64_t pixels, int64_t channels,
                                      void *y_, int64_t pixel, int64_t channel) {
    const real *src = src_;
    real *y = y_;
    for (; pixel == 1 && pixels > 0; pixels -= V_LANES, y += V_LANES, src += V_LANES * V_LANES) {
        vec block[V_LANES];
        const int64_t some = pixels < V_LANES ? pixels : V_LANES;
        CORR_UNROLL
        for (int i = 0; i < V_LANES; i++)
            block[i] = v_load(src + (i < some ? i : 0) * V_LANES);
        v_transpose(block);
        if (some == V_LANES && channels == V_LANES) {
            CORR_UNROLL
            for (int c = 0; c < V_LANES; c++)
                v_store(y + c * channel, block[c]);
            continue;
        }
        for (int64_t c = 0; c < channels; c++)
            v_store_n(y + c * channel, block[c], some);
    }
    for (int64_t i = 0; i < pixels; i++, y += pixel, src += V_LANES)
        for (int64_t c = 0; c < channels; c++)
            y[c * channel] = src[c];
}
