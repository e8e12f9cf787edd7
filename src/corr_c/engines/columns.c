/* im2col and col2im: a tap of a channel at a time, straight from or into the image. */
#include "../plan/plan.h"

#include <string.h>

typedef struct column_job {
    const corr_problem *s;
    const corr_kernels *k;
    char *x, *cols;
} column_job;

/* Outputs j in [lo, hi) whose tap q lies in the image. */
static void inside(const corr_axis *a, int64_t tap, int64_t *start, int64_t *lo, int64_t *hi) {
    int64_t first = tap * a->dilation - a->pad;
    *lo = first >= 0 ? 0 : corr_min(corr_ceil_div(-first, a->stride), a->out);
    *hi = first >= a->in ? *lo : corr_min(corr_ceil_div(a->in - first, a->stride), a->out);
    *hi = corr_max(*hi, *lo);
    *start = first;
}

/* One row of outputs, to its last element. */
static void exact_row(const corr_rows *r, const corr_kernels *k, int64_t i, const char *x, char *to) {
    const int64_t bytes = k->bytes;
    const int present = i >= r->first && i < r->end;
    const int64_t lo = present ? r->lo : r->width, hi = present ? r->hi : r->width;
    memset(to, 0, (size_t)(lo * bytes));
    k->copy(to + lo * bytes, x + (i * r->row + lo * r->step) * bytes, r->step, hi - lo);
    memset(to + hi * bytes, 0, (size_t)((r->width - hi) * bytes));
}

static void image_to_columns(void *context, int64_t item, int worker, corr_run_state *run) {
    const column_job *job = context;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->k;
    const int64_t bytes = k->bytes, taps = s->h.kernel * s->w.kernel, rows = s->h.out;
    const int64_t n = item / s->ic, c = item % s->ic, row = s->w.out * bytes;
    const char *x = job->x + (n * s->x_stride[0] + c * s->x_stride[2]) * bytes;
    char *to = job->cols + item * taps * corr_pixels(s) * bytes;
    /* pack_rows stores whole vectors: not so the rows that the item's end is near. */
    const int64_t near = corr_ceil_div(k->lanes, s->w.out);
    corr_rows r = {.width = s->w.out, .pitch = s->w.out, .row = s->h.stride * s->x_stride[3],
                   .step = s->w.stride * s->x_stride[4]};
    (void)worker;
    for (int64_t t = 0; t < taps && !corr_should_stop(run); t++, to += rows * row) {
        const int64_t exact = corr_min(corr_max(near - (taps - 1 - t) * rows, 0), rows);
        int64_t h0, w0, first, end;
        inside(&s->h, t / s->w.kernel, &h0, &first, &end);
        inside(&s->w, t % s->w.kernel, &w0, &r.lo, &r.hi);
        r.count = rows - exact;
        r.first = corr_min(first, r.count);
        r.end = corr_min(end, r.count);
        const char *from = x + (h0 * s->x_stride[3] + w0 * s->x_stride[4]) * bytes;
        k->pack_rows(&r, from, s->x_stride[2], 1, to, 0);
        r.first = first;
        r.end = end;
        for (int64_t i = r.count; i < rows; i++)
            exact_row(&r, k, i, from, to + i * row);
    }
}

static void columns_to_image(void *context, int64_t item, int worker, corr_run_state *run) {
    const column_job *job = context;
    const corr_problem *s = job->s;
    const int64_t bytes = job->k->bytes, taps = s->h.kernel * s->w.kernel;
    int64_t n = item / s->ic, c = item % s->ic, row = s->w.out * bytes;
    char *x = job->x + (n * s->x_stride[0] + c * s->x_stride[2]) * bytes;
    const char *from = job->cols + item * taps * corr_pixels(s) * bytes;
    (void)worker;
    const int64_t together = s->x_stride[4] == 1 ? s->w.in : 1;
    for (int64_t h = 0; h < s->h.in; h++)
        for (int64_t v = 0; v < s->w.in; v += together)
            memset(x + (h * s->x_stride[3] + v * s->x_stride[4]) * bytes, 0, (size_t)(together * bytes));
    for (int64_t t = 0; t < taps && !corr_should_stop(run); t++) {
        int64_t h0, w0, i0, i1, j0, j1;
        inside(&s->h, t / s->w.kernel, &h0, &i0, &i1);
        inside(&s->w, t % s->w.kernel, &w0, &j0, &j1);
        for (int64_t i = i0; i < i1 && j0 < j1; i++)
            job->k->add(x + ((h0 + i * s->h.stride) * s->x_stride[3] +
                             (w0 + j0 * s->w.stride) * s->x_stride[4]) * bytes,
                        s->w.stride * s->x_stride[4], from + i * row + j0 * bytes, j1 - j0);
        from += s->h.out * row;
    }
}

static corr_status each_channel(corr_task *task, const corr_problem *s, const void *x,
                                const void *cols, const corr_call *call) {
    corr_status status = corr_problem_check(s);
    corr_call some = *call;
    /* The image is written by one of the two passes and read by the other. */
    column_job job = {s, NULL, (char *)(uintptr_t)x, (char *)(uintptr_t)cols};
    if (status || s->n * s->ic == 0)
        return status;
    job.k = corr_kernel_table(s->dtype);
    if (s->n * corr_terms(s) * corr_pixels(s) < 100000)
        some.threads = 1;
    return corr_parallel(task, &job, s->n * s->ic, &some);
}

corr_status corr_im2col(const corr_problem *s, const void *x, void *cols, const corr_call *call) {
    return each_channel(image_to_columns, s, x, cols, call);
}

corr_status corr_col2im(const corr_problem *s, const void *cols, void *x, const corr_call *call) {
    return each_channel(columns_to_image, s, x, cols, call);
}
