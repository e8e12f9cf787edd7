#include "problem.h"

/* More than any machine holds: what the rooms below make of sizes then fits in 63 bits. A
 * size of zero counts as one, for they multiply some sizes without the others. */
static const int64_t most_elements = (int64_t)1 << 48;

/* Has a view of these sizes too many elements, or an offset too large, in bytes? */
static int view_overflows(const int64_t size[5], const int64_t stride[5], int64_t bytes) {
    int64_t reach = bytes, elements = 1;
    for (int i = 0; i < 5; i++) {
        int64_t step, span;
        if (corr_multiply(elements, corr_max(size[i], 1), &elements) || elements > most_elements)
            return 1;
        if (stride[i] == INT64_MIN)
            return 1;
        step = stride[i] < 0 ? -stride[i] : stride[i];
        if (size[i] > 0 && (corr_multiply(step, size[i] - 1, &span) ||
                            corr_multiply(span, bytes, &span) || span > INT64_MAX - reach))
            return 1;
        if (size[i] > 0)
            reach += span;
    }
    return 0;
}

static int axis_overflows(const corr_axis *a) {
    int64_t window, last;
    const int64_t most = most_elements;
    return corr_multiply(a->kernel, a->dilation, &window) ||
           corr_multiply(a->out, a->stride, &last) || window > most || last > most ||
           a->in > most || a->pad > most || a->pad < -most;
}

/* From the first pixel of the first window to the last one of the last. */
static int64_t reach(const corr_axis *a) {
    return corr_max(a->out - 1, 0) * a->stride + (a->kernel - 1) * a->dilation + 1;
}

/* With the padding that the windows meet. */
static int64_t padded_size(const corr_axis *a) {
    return corr_max(a->in, reach(a) - a->pad) + corr_max(a->pad, 0);
}

static int padded_overflows(const corr_problem *s) {
    int64_t elements = corr_max(s->n, 1);
    const int64_t sizes[4] = {s->groups, s->ic, padded_size(&s->h), padded_size(&s->w)};
    for (int i = 0; i < 4; i++)
        if (corr_multiply(elements, corr_max(sizes[i], 1), &elements) || elements > most_elements)
            return 1;
    return 0;
}

static int axis_is_bad(const corr_axis *a) {
    return a->in < 0 || a->out < 0 || a->kernel < 1 || a->stride < 1 || a->dilation < 1;
}

/* Steps that nothing takes may be said to be of any size. */
static void shorten(corr_axis *a) {
    if (a->out <= 1)
        a->stride = corr_min(a->stride, corr_max(a->in, 1));
    if (a->kernel == 1)
        a->dilation = 1;
}

corr_status corr_problem_take(const corr_problem *given, corr_problem *s) {
    *s = *given;
    if (s->n < 0 || s->groups < 1 || s->ic < 0 || s->oc < 0 || axis_is_bad(&s->h) ||
        axis_is_bad(&s->w) || (unsigned)s->dtype >= CORR_DTYPES)
        return CORR_BAD_PROBLEM;
    shorten(&s->h);
    shorten(&s->w);
    const int64_t bytes = corr_kernel_table(s->dtype)->bytes;
    const int64_t x[5] = {s->n, s->groups, s->ic, s->h.in, s->w.in};
    const int64_t w[5] = {s->groups, s->oc, s->ic, s->h.kernel, s->w.kernel};
    const int64_t y[5] = {s->n, s->groups, s->oc, s->h.out, s->w.out};
    if (axis_overflows(&s->h) || axis_overflows(&s->w) ||
        view_overflows(x, s->x_stride, bytes) || view_overflows(w, s->w_stride, bytes) ||
        view_overflows(y, s->y_stride, bytes) || padded_overflows(s))
        return CORR_OVERFLOW;
    return CORR_OK;
}

corr_status corr_problem_check(const corr_problem *problem) {
    corr_problem taken;
    return corr_problem_take(problem, &taken);
}

static int axis_is_far(const corr_axis *a) {
    const int64_t near = 2 * (a->in + a->out + a->kernel) + 256;
    return reach(a) > near || a->pad > near || -a->pad > near;
}

int corr_is_far(const corr_problem *s) { return axis_is_far(&s->h) || axis_is_far(&s->w); }

void corr_find_inside(const corr_axis *a, int64_t *first, int64_t *end) {
    const int64_t room = a->in + a->pad - (a->kernel - 1) * a->dilation;
    *first = corr_min(corr_ceil_div(corr_max(a->pad, 0), a->stride), a->out);
    *end = corr_max(corr_min(corr_ceil_div(corr_max(room, 0), a->stride), a->out), *first);
}

void corr_find_taps(const corr_axis *a, int64_t first, int64_t last, int64_t *tap0, int64_t *tap1) {
    const int64_t low = last * a->stride - a->pad, high = first * a->stride - a->pad;
    *tap0 = low >= 0 ? 0 : corr_min(corr_ceil_div(-low, a->dilation), a->kernel);
    *tap1 = high >= a->in ? 0
            : high + (a->kernel - 1) * a->dilation < a->in ? a->kernel
            : corr_min((a->in - 1 - high) / a->dilation + 1, a->kernel);
    *tap1 = corr_max(*tap1, *tap0);
}

static int axis_has_padding(const corr_axis *a) {
    int64_t last = (a->out - 1) * a->stride - a->pad + (a->kernel - 1) * a->dilation;
    return a->pad > 0 || last >= a->in || -a->pad >= a->in;
}

int corr_has_padding(const corr_problem *s) {
    return axis_has_padding(&s->h) || axis_has_padding(&s->w);
}

int64_t corr_lay_planes(int64_t stride[5], int64_t groups, int64_t channels, int64_t h, int64_t w) {
    stride[4] = 1;
    stride[3] = w;
    stride[2] = h * w;
    stride[1] = channels * stride[2];
    stride[0] = groups * stride[1];
    return stride[0];
}
