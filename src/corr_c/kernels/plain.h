/* Term by term: for problems too small to pack, and for outputs at an edge when a
 * weight is infinite and must not meet a packed zero. Same sums, same order, same bits. */
CORR_INLINE int64_t CORR_NAME(first_tap)(const corr_axis *axis, int64_t start) {
    return start >= 0 ? 0 : (-start + axis->dilation - 1) / axis->dilation;
}

CORR_INLINE int64_t CORR_NAME(end_tap)(const corr_axis *axis, int64_t start) {
    if (start >= axis->in)
        return 0;
    int64_t end = (axis->in - 1 - start) / axis->dilation + 1;
    return end < axis->kernel ? end : axis->kernel;
}

typedef struct CORR_NAME(window) {
    int64_t h, w, p0, p1, q0, q1;
} CORR_NAME(window);

/* The windows of `lanes` neighbouring outputs, a lane each; just one if lanes is 1. */
CORR_INLINE vec CORR_NAME(window_sum)(const corr_problem *s, int64_t cb, int64_t kc,
                                      const CORR_NAME(window) *at, const real *x, const real *w,
                                      int64_t lanes) {
    const int64_t *xs = s->x_stride, *ws = s->w_stride;
    vec total = v_zero();
    for (int64_t c0 = 0; c0 < s->ic; c0 += cb, x += cb * xs[2], w += cb * ws[2]) {
        const int64_t channels = s->ic - c0 < cb ? s->ic - c0 : cb;
        vec acc = v_zero();
        int64_t cut = kc; /* where the running chain of the sum ends */
        for (int64_t p = at->p0; p < at->p1; p++) {
            const real *x_row = x + (at->h + p * s->h.dilation) * xs[3];
            const real *w_row = w + p * ws[3];
            for (int64_t q = at->q0; q < at->q1; q++) {
                const real *xq = x_row + (at->w + q * s->w.dilation) * xs[4], *wq = w_row + q * ws[4];
                int64_t k = (p * s->w.kernel + q) * channels;
                for (int64_t c = 0; c < channels;) {
                    while (k + c >= cut) {
                        total = v_add(total, acc);
                        acc = v_zero();
                        cut += kc;
                    }
                    int64_t end = cut - k < channels ? cut - k : channels;
                    for (; c < end; c++)
                        acc = v_fma(v_set1(wq[c * ws[2]]), v_load_n(xq + c * xs[2], lanes), acc);
                }
            }
        }
        total = v_add(total, acc);
    }
    return total;
}

CORR_INLINE void CORR_NAME(plain_outputs)(const corr_problem *s, int64_t cb, int64_t kc,
                                          const CORR_NAME(window) *at, const real *x,
                                          const real *w, const real *bias, real *to,
                                          int64_t lanes) {
    for (int64_t o = 0; o < s->oc; o++, to += s->y_stride[2], w += s->w_stride[1]) {
        vec sum = CORR_NAME(window_sum)(s, cb, kc, at, x, w, lanes);
        if (bias)
            sum = v_add(sum, v_set1(bias[o]));
        v_store_n(to, CORR_NAME(activate)(sum, s->activation), lanes);
    }
}

static void CORR_NAME(corr_plain)(const corr_problem *s, int64_t cb, int64_t kc, const void *x_,
                                  const void *w_, const void *bias, void *y_, int edges_only) {
    const real *x = x_, *w = w_;
    real *y = y_;
    const int rows_of_vectors = s->w.stride * s->x_stride[4] == 1 && s->y_stride[4] == 1;
    /* Outputs j0 <= j < j1 see no edge to the left or right. */
    const int64_t span = (s->w.kernel - 1) * s->w.dilation, room = s->w.in + s->w.pad - span;
    int64_t j0 = s->w.pad <= 0 ? 0 : (s->w.pad + s->w.stride - 1) / s->w.stride;
    int64_t j1 = room <= 0 ? 0 : (room + s->w.stride - 1) / s->w.stride;
    j0 = j0 < s->w.out ? j0 : s->w.out;
    j1 = j1 < j0 ? j0 : j1 < s->w.out ? j1 : s->w.out;
    for (int64_t i = 0; i < s->h.out; i++) {
        CORR_NAME(window) at;
        at.h = i * s->h.stride - s->h.pad;
        at.p0 = CORR_NAME(first_tap)(&s->h, at.h);
        at.p1 = CORR_NAME(end_tap)(&s->h, at.h);
        const int row_inside = at.p0 == 0 && at.p1 == s->h.kernel;
        for (int64_t j = 0, lanes = 1; j < s->w.out; j += lanes) {
            real *to = y + i * s->y_stride[3] + j * s->y_stride[4];
            const int inside = j >= j0 && j < j1;
            at.w = j * s->w.stride - s->w.pad;
            lanes = !inside || !rows_of_vectors ? 1 : j1 - j < V_LANES ? j1 - j : V_LANES;
            if (inside && row_inside && edges_only)
                continue;
            at.q0 = inside ? 0 : CORR_NAME(first_tap)(&s->w, at.w);
            at.q1 = inside ? s->w.kernel : CORR_NAME(end_tap)(&s->w, at.w);
            CORR_NAME(plain_outputs)(s, cb, kc, &at, x, w, bias, to, lanes);
        }
    }
}

static void CORR_NAME(corr_plain_weight)(const corr_problem *s, const void *x_, void *gw_,
                                         const void *gy_) {
    const int64_t *xs = s->x_stride, *ws = s->w_stride, *ys = s->y_stride;
    for (int64_t o = 0; o < s->oc; o++)
        for (int64_t c = 0; c < s->ic; c++)
            for (int64_t p = 0; p < s->h.kernel; p++)
                for (int64_t q = 0; q < s->w.kernel; q++) {
                    real sum = 0;
                    for (int64_t i = 0; i < s->h.out; i++) {
                        int64_t h = i * s->h.stride + p * s->h.dilation - s->h.pad;
                        if (h < 0 || h >= s->h.in)
                            continue;
                        const real *x = (const real *)x_ + c * xs[2] + h * xs[3];
                        const real *gy = (const real *)gy_ + o * ys[2] + i * ys[3];
                        for (int64_t j = 0; j < s->w.out; j++) {
                            int64_t v = j * s->w.stride + q * s->w.dilation - s->w.pad;
                            if (v >= 0 && v < s->w.in)
                                sum = s_fma(x[v * xs[4]], gy[j * ys[4]], sum);
                        }
                    }
                    ((real *)gw_)[o * ws[1] + c * ws[2] + p * ws[3] + q * ws[4]] += sum;
                }
}
