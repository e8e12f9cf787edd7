/* Rows of im2col and col2im, and the register-only loop that measures the FMA peak. */
static void CORR_NAME(corr_copy)(void *dst_, const void *src_, int64_t step, int64_t n) {
    real *dst = dst_;
    const real *src = src_;
    int64_t i = 0;
    if (step == 1) {
        for (; i + V_LANES <= n; i += V_LANES)
            v_store(dst + i, v_load(src + i));
        if (i < n)
            v_store_n(dst + i, v_load_n(src + i, n - i), n - i);
    } else if (step == 2) {
        for (; i < n; i += V_LANES) {
            int64_t m = n - i < V_LANES ? n - i : V_LANES;
            v_store_n(dst + i, v_load2_range(src + 2 * i, 0, m), m);
        }
    } else {
        for (; i < n; i++)
            dst[i] = src[i * step];
    }
}

static void CORR_NAME(corr_spread)(void *dst_, int64_t step, const void *src_, int64_t n) {
    real *dst = dst_;
    const real *src = src_;
    int64_t i = 0;
    for (; i + 4 <= n; i += 4, dst += 4 * step) {
        const real a = src[i], b = src[i + 1], c = src[i + 2], d = src[i + 3];
        dst[0] = a;
        dst[step] = b;
        dst[2 * step] = c;
        dst[3 * step] = d;
    }
    for (; i < n; i++, dst += step)
        *dst = src[i];
}

static void CORR_NAME(corr_add)(void *dst_, int64_t step, const void *src_, int64_t n) {
    real *dst = dst_;
    const real *src = src_;
    int64_t i = 0;
    if (step == 1) {
        for (; i + V_LANES <= n; i += V_LANES)
            v_store(dst + i, v_add(v_load(dst + i), v_load(src + i)));
        if (i < n)
            v_store_n(dst + i, v_add(v_load_n(dst + i, n - i), v_load_n(src + i, n - i)), n - i);
    } else {
        for (; i < n; i++)
            dst[i * step] += src[i];
    }
}

static double CORR_NAME(corr_sum)(const void *src_, int64_t step, int64_t n) {
    enum { CHAINS = 4, LONGEST = 64 };
    const real *src = src_;
    double total = 0;
    if (step != 1) {
        for (int64_t i = 0; i < n; i++)
            total += src[i * step];
        return total;
    }
    while (n >= CHAINS * V_LANES) {
        vec acc[CHAINS];
        int64_t vectors = n / (CHAINS * V_LANES);
        vectors = vectors < LONGEST ? vectors : LONGEST;
        CORR_UNROLL
        for (int i = 0; i < CHAINS; i++)
            acc[i] = v_zero();
        n -= vectors * CHAINS * V_LANES;
        for (; vectors > 0; vectors--, src += CHAINS * V_LANES) {
            CORR_UNROLL
            for (int i = 0; i < CHAINS; i++)
                acc[i] = v_add(acc[i], v_load(src + i * V_LANES));
        }
        total += v_sum(v_add(v_add(acc[0], acc[1]), v_add(acc[2], acc[3])));
    }
    vec rest = v_zero();
    for (; n > 0; n -= V_LANES, src += V_LANES)
        rest = v_add(rest, v_load_n(src, n < V_LANES ? n : V_LANES));
    return total + v_sum(rest);
}

static double CORR_NAME(corr_peak)(int64_t rounds) {
    enum { CHAINS = 12 };
    vec acc[CHAINS], a = v_set1((real)0.999), b = v_set1((real)0.001);
    CORR_UNROLL
    for (int i = 0; i < CHAINS; i++)
        acc[i] = v_set1((real)i);
    for (int64_t r = 0; r < rounds; r++) {
        CORR_UNROLL
        for (int i = 0; i < CHAINS; i++)
            acc[i] = v_fma(acc[i], a, b);
    }
    vec sum = v_zero();
    CORR_UNROLL
    for (int i = 0; i < CHAINS; i++)
        sum = v_add(sum, acc[i]);
    /* The sum is used, or the loop would be dropped. */
    return (double)CHAINS * V_LANES + (v_sum(sum) < 0);
}
