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
    } else if (step == -1) { /* a flipped kernel's taps */
        for (; i < n; i += V_LANES) {
            const int64_t m = n - i < V_LANES ? n - i : V_LANES;
            v_store_n(dst + i, v_reverse(v_load_range(src - i - (V_LANES - 1), V_LANES - m, V_LANES)), m);
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

static void CORR_NAME(corr_lace)(void *dst_, const void *even_, const void *odd_, int64_t n) {
    const real *even = even_, *odd = odd_;
    real *dst = dst_;
    vec low, high;
    for (; n >= 2 * V_LANES; n -= 2 * V_LANES, dst += 2 * V_LANES, even += V_LANES, odd += V_LANES) {
        v_lace(v_load(even), v_load(odd), &low, &high);
        v_store(dst, low);
        v_store(dst + V_LANES, high);
    }
    if (n == 0)
        return;
    v_lace(v_load_n(even, (n + 1) / 2), v_load_n(odd, n / 2), &low, &high);
    v_store_n(dst, low, n < V_LANES ? n : V_LANES);
    if (n > V_LANES)
        v_store_n(dst + V_LANES, high, n - V_LANES);
}

/* Columns [0, columns) of some vectors' width; whole ones in registers. */
CORR_INLINE void CORR_NAME(sum_block)(const int vectors, const real *src, int64_t step,
                                      int64_t rows, int64_t columns, real *dst) {
    vec acc[CORR_MAX_VECTORS];
    CORR_UNROLL
    for (int j = 0; j < vectors; j++)
        acc[j] = v_zero();
    for (; rows > 0; rows--, src += step) {
        CORR_UNROLL
        for (int j = 0; j < vectors; j++)
            acc[j] = v_add(acc[j], columns ? v_load_n(src, columns) : v_load(src + j * V_LANES));
    }
    CORR_UNROLL
    for (int j = 0; j < vectors; j++)
        if (columns)
            v_store_n(dst, acc[j], columns);
        else
            v_store(dst + j * V_LANES, acc[j]);
}

static void CORR_NAME(corr_sum_rows)(const void *src_, int64_t step, int64_t rows,
                                     int64_t columns, void *dst_) {
    const real *src = src_;
    real *dst = dst_;
    for (; columns >= 4 * V_LANES; columns -= 4 * V_LANES, src += 4 * V_LANES, dst += 4 * V_LANES)
        CORR_NAME(sum_block)(4, src, step, rows, 0, dst);
    for (; columns >= V_LANES; columns -= V_LANES, src += V_LANES, dst += V_LANES)
        CORR_NAME(sum_block)(1, src, step, rows, 0, dst);
    if (columns > 0)
        CORR_NAME(sum_block)(1, src, step, rows, columns, dst);
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
