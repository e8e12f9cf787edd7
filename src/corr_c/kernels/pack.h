/* Packing: im2col by runs of pixels, weights by panels of rows. */
CORR_INLINE vec CORR_NAME(gather_run)(const real *x, int64_t step, int64_t lo, int64_t hi) {
    real lanes[V_LANES] = {0};
    for (int64_t i = lo; i < hi; i++)
        lanes[i] = x[i * step];
    return v_load(lanes);
}

static void CORR_NAME(corr_pack_pixels)(const corr_run *runs, int64_t count, int64_t step,
                                        const void *x_, int64_t channel, int64_t channels,
                                        void *dst_, int64_t row) {
    const real *x = x_;
    real *dst = dst_;
    for (int64_t c = 0; c < channels; c++, x += channel, dst += row) {
        if (step == 1) {
            for (int64_t r = 0; r < count; r++)
                v_store(dst + runs[r].dst, v_load_range(x + runs[r].src, runs[r].lo, runs[r].hi));
        } else if (step == 2) {
            for (int64_t r = 0; r < count; r++)
                v_store(dst + runs[r].dst,
                        v_load2_range(x + runs[r].src, runs[r].lo, runs[r].hi));
        } else {
            for (int64_t r = 0; r < count; r++)
                v_store(dst + runs[r].dst,
                        CORR_NAME(gather_run)(x + runs[r].src, step, runs[r].lo, runs[r].hi));
        }
    }
}

static int CORR_NAME(corr_pack_weights)(const void *w_, int64_t rows, int64_t channels,
                                        int64_t kh, int64_t kw, int64_t w_o, int64_t w_c,
                                        int64_t w_h, int64_t w_w, void *dst_) {
    real *dst = dst_;
    real odd = 0; /* stays zero as long as all weights are finite */
    for (int64_t p = 0; p < kh; p++)
        for (int64_t q = 0; q < kw; q++) {
            const real *w = (const real *)w_ + p * w_h + q * w_w;
            for (int64_t c = 0; c < channels; c++, w += w_c)
                for (int64_t i = 0; i < rows; i++) {
                    real v = w[i * w_o];
                    odd += v * 0;
                    *dst++ = v;
                }
        }
    return odd == 0;
}
