/* gw[o, t] = sum over images and pixels of gy[o, pixel] * im2col(x)[t, pixel].
 *
 * Both factors lie along the pixels, so both are packed as rows of pixels and multiplied
 * as dot products. An item owns some columns t of one group and sums all images and
 * chunks of pixels for them in one fixed order: the bits do not depend on the threads.
 */
#include "../plan/plan.h"

#include <string.h>

enum { ROWS_AT_ONCE = 32 }; /* of gy: 128 KiB in chunks of 1024 floats */

typedef struct weight_job {
    const corr_problem *s;
    const corr_kernels *k;
    const char *x, *gy;
    char *gw, *workspace;
    int64_t chunk;   /* pixels, a multiple of the lanes */
    int64_t columns; /* of one item */
    int64_t blocks;  /* items of one group */
    int64_t scratch_bytes, run_bytes, sum_bytes, row_bytes;
    corr_plane x_plane, gy_plane;
} weight_job;

static void pack_columns(const weight_job *job, const char *x, int64_t t0, int64_t t1,
                         int64_t pixel, int64_t count, int64_t width, corr_run *runs,
                         char *dst) {
    const corr_problem *s = job->s;
    for (int64_t at = t0; at < t1;) {
        int64_t tap = at / s->ic, c = at % s->ic, channels = corr_min(s->ic - c, t1 - at);
        int64_t p = tap / s->w.kernel, q = tap % s->w.kernel;
        int64_t made = corr_make_runs(&job->x_plane, p * s->h.dilation - s->h.pad,
                                      q * s->w.dilation - s->w.pad, pixel, count, width,
                                      job->k->lanes, 0, runs);
        job->k->pack_pixels(runs, made, s->w.stride * s->x_stride[4],
                            x + c * s->x_stride[2] * job->k->bytes, s->x_stride[2], channels,
                            dst + (at - t0) * width * job->k->bytes, width);
        at += channels;
    }
}

static void store_columns(const weight_job *job, int64_t g, int64_t t0, int64_t t1,
                          const char *sums) {
    const corr_problem *s = job->s;
    const int64_t *ws = s->w_stride, bytes = job->k->bytes;
    for (int64_t o = 0; o < s->oc; o++)
        for (int64_t t = t0; t < t1; t++, sums += bytes) {
            int64_t tap = t / s->ic;
            int64_t to = g * ws[0] + o * ws[1] + t % s->ic * ws[2] +
                         tap / s->w.kernel * ws[3] + tap % s->w.kernel * ws[4];
            memcpy(job->gw + to * bytes, sums, (size_t)bytes);
        }
}

static void weight_columns(void *context, int64_t item, int worker, corr_run_state *run) {
    const weight_job *job = context;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->k;
    const int64_t bytes = k->bytes, pixels = corr_pixels(s);
    int64_t g = item / job->blocks, t0 = item % job->blocks * job->columns;
    int64_t t1 = corr_min(t0 + job->columns, corr_terms(s));
    char *scratch = job->workspace + worker * job->scratch_bytes;
    corr_run *runs = (corr_run *)(void *)scratch;
    char *sums = scratch + job->run_bytes, *rows = sums + job->sum_bytes;
    char *columns = rows + job->row_bytes;

    memset(sums, 0, (size_t)(s->oc * (t1 - t0) * bytes));
    for (int64_t n = 0; n < s->n; n++) {
        const char *x = job->x + (n * s->x_stride[0] + g * s->x_stride[1]) * bytes;
        const char *gy = job->gy + (n * s->y_stride[0] + g * s->y_stride[1]) * bytes;
        for (int64_t pixel = 0; pixel < pixels; pixel += job->chunk) {
            if (corr_should_stop(run))
                return;
            int64_t count = corr_min(job->chunk, pixels - pixel);
            int64_t width = corr_round_up(count, k->lanes);
            pack_columns(job, x, t0, t1, pixel, count, width, runs, columns);
            int64_t made = corr_make_runs(&job->gy_plane, 0, 0, pixel, count, width, k->lanes, 0, runs);
            for (int64_t o = 0; o < s->oc; o += ROWS_AT_ONCE) {
                int64_t some = corr_min(ROWS_AT_ONCE, s->oc - o);
                k->pack_pixels(runs, made, s->y_stride[4], gy + o * s->y_stride[2] * bytes,
                               s->y_stride[2], some, rows, width);
                k->dot(width, rows, width, columns, width, sums + o * (t1 - t0) * bytes, t1 - t0,
                       some, t1 - t0);
            }
        }
    }
    store_columns(job, g, t0, t1, sums);
}

static int all_finite(const corr_problem *s, const void *gw) {
    const int64_t *ws = s->w_stride;
    for (int64_t g = 0; g < s->groups; g++)
        for (int64_t o = 0; o < s->oc; o++)
            for (int64_t c = 0; c < s->ic; c++)
                for (int64_t p = 0; p < s->h.kernel; p++)
                    for (int64_t q = 0; q < s->w.kernel; q++) {
                        int64_t at = g * ws[0] + o * ws[1] + c * ws[2] + p * ws[3] + q * ws[4];
                        double v = s->dtype == CORR_F32 ? (double)((const float *)gw)[at]
                                                        : ((const double *)gw)[at];
                        if (v * 0 != 0)
                            return 0;
                    }
    return 1;
}

/* An infinite gradient met a packed zero, or may have: again, absent taps left out. */
static void redo(const corr_problem *s, const corr_kernels *k, const char *x, char *gw,
                 const char *gy) {
    const double zero = 0;
    for (int64_t g = 0; g < s->groups; g++) {
        char *to = gw + g * s->w_stride[0] * k->bytes;
        for (int64_t o = 0; o < s->oc; o++)
            for (int64_t t = 0; t < corr_terms(s); t++) {
                int64_t tap = t / s->ic;
                memcpy(to + (o * s->w_stride[1] + t % s->ic * s->w_stride[2] +
                             tap / s->w.kernel * s->w_stride[3] +
                             tap % s->w.kernel * s->w_stride[4]) * k->bytes,
                       &zero, (size_t)k->bytes);
            }
        for (int64_t n = 0; n < s->n; n++)
            k->plain_weight(s, x + (n * s->x_stride[0] + g * s->x_stride[1]) * k->bytes, to,
                            gy + (n * s->y_stride[0] + g * s->y_stride[1]) * k->bytes);
    }
}

corr_status corr_weight_gradient(const corr_problem *problem, const void *x, void *gw,
                                 const void *gy, const corr_call *call) {
    corr_status status = corr_problem_check(problem);
    const corr_problem *s = problem;
    if (status || s->groups == 0 || s->oc == 0 || corr_terms(s) == 0)
        return status;
    const corr_kernels *k = corr_kernel_table(s->dtype);
    if (s->n == 0 || corr_pixels(s) == 0) {
        redo(s, k, x, gw, gy);
        return CORR_OK;
    }
    corr_problem flat = *s;
    corr_flatten(&flat);
    s = &flat;
    corr_call some = *call;
    some.threads = corr_choose_threads(s, call->threads < 1 ? 1 : call->threads);
    weight_job job = {
        .s = s, .k = k, .x = x, .gy = gy, .gw = gw,
        .chunk = corr_choose_dot_pixels(s),
        .x_plane = {s->h.in, s->w.in, s->x_stride[3], s->x_stride[4], s->h.stride, s->w.stride,
                    s->w.out},
        .gy_plane = {s->h.out, s->w.out, s->y_stride[3], s->y_stride[4], 1, 1, s->w.out},
    };
    job.columns = corr_min(corr_choose_dot_columns(s, some.threads), corr_terms(s));
    job.blocks = corr_ceil_div(corr_terms(s), job.columns);
    job.run_bytes = corr_round_up((job.chunk + k->lanes) * (int64_t)sizeof(corr_run), 64);
    job.sum_bytes = corr_round_up(s->oc * job.columns * k->bytes, 64);
    job.row_bytes = corr_round_up((corr_min(ROWS_AT_ONCE, s->oc) * job.chunk + k->lanes) * k->bytes, 64);
    job.scratch_bytes = job.run_bytes + job.sum_bytes + job.row_bytes +
                        corr_round_up((job.columns * job.chunk + k->lanes) * k->bytes, 64);
    const int64_t bytes = some.threads * job.scratch_bytes;
    job.workspace = corr_allocate((size_t)bytes);
    if (!job.workspace)
        return CORR_NO_MEMORY;
    status = corr_parallel(weight_columns, &job, s->groups * job.blocks, &some);
    corr_release(job.workspace, (size_t)bytes);
    if (status == CORR_OK && corr_has_padding(s) && !all_finite(s, gw))
        redo(s, k, x, gw, gy);
    return status;
}
