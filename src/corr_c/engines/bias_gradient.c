/* gb[o] = sum over images and pixels of gy[o, pixel]: short sums in the type of gy, added in
 * double, in an order that the shape and the strides decide. */
#include "../base/base.h"
#include "../problem/problem.h"

enum { TOGETHER = 64, ROWS = 128 }; /* channels that lie together, and pixels of a short sum */

typedef struct bias_job {
    const corr_problem *s;
    const corr_kernels *k;
    const char *gy;
    char *gb;
    int accumulate, flat;
    int64_t blocks; /* items of one group */
} bias_job;

static void store(const bias_job *job, int64_t o, double sum) {
    if (job->s->dtype == CORR_F32) {
        float *to = (float *)(void *)job->gb + o;
        *to = job->accumulate ? (float)(*to + sum) : (float)sum;
    } else {
        double *to = (double *)(void *)job->gb + o;
        *to = job->accumulate ? *to + sum : sum;
    }
}

/* One channel, plane after plane. */
static double sum_channel(const bias_job *job, const char *gy, corr_run_state *run) {
    const corr_problem *s = job->s;
    const int64_t *ys = s->y_stride, bytes = job->k->bytes;
    double sum = 0;
    for (int64_t n = 0; n < s->n && !corr_should_stop(run); n++, gy += ys[0] * bytes) {
        if (job->flat) {
            sum += job->k->sum(gy, ys[4], corr_pixels(s));
            continue;
        }
        for (int64_t i = 0; i < s->h.out; i++)
            sum += job->k->sum(gy + i * ys[3] * bytes, ys[4], s->w.out);
    }
    return sum;
}

/* Channels that follow one another in every pixel. */
static void sum_together(const bias_job *job, const char *gy, int64_t channels, double *sums,
                         corr_run_state *run) {
    const corr_problem *s = job->s;
    const int64_t *ys = s->y_stride, bytes = job->k->bytes;
    const int64_t length = corr_max(job->flat ? corr_pixels(s) : s->w.out, 1);
    double part[TOGETHER]; /* of either type */
    for (int64_t c = 0; c < channels; c++)
        sums[c] = 0;
    for (int64_t n = 0; n < s->n && !corr_should_stop(run); n++, gy += ys[0] * bytes)
        for (int64_t i = 0; i < corr_pixels(s); i += corr_min(ROWS, length - i % length)) {
            const int64_t rows = corr_min(ROWS, length - i % length);
            job->k->sum_rows(gy + (i / length * ys[3] + i % length * ys[4]) * bytes, ys[4], rows,
                             channels, part);
            for (int64_t c = 0; c < channels; c++)
                sums[c] += s->dtype == CORR_F32 ? (double)((const float *)(void *)part)[c] : part[c];
        }
}

static void sum_block(void *context, int64_t item, int worker, corr_run_state *run) {
    const bias_job *job = context;
    const corr_problem *s = job->s;
    const int64_t *ys = s->y_stride, bytes = job->k->bytes;
    const int64_t g = item / job->blocks, o = item % job->blocks * TOGETHER;
    const int64_t channels = corr_min(TOGETHER, s->oc - o);
    const char *gy = job->gy + (g * ys[1] + o * ys[2]) * bytes;
    double sums[TOGETHER];
    (void)worker;
    if (ys[2] == 1 && ys[4] != 1)
        sum_together(job, gy, channels, sums, run);
    else
        for (int64_t c = 0; c < channels; c++)
            sums[c] = sum_channel(job, gy + c * ys[2] * bytes, run);
    for (int64_t c = 0; c < channels; c++)
        store(job, g * s->oc + o + c, sums[c]);
}

corr_status corr_bias_gradient(const corr_problem *s, const void *gy, void *gb,
                               const corr_call *call) {
    corr_status status = corr_problem_check(s);
    if (status || s->groups == 0 || s->oc == 0)
        return status;
    bias_job job = {.s = s, .k = corr_kernel_table(s->dtype), .gy = gy, .gb = gb,
                    .accumulate = call->accumulate,
                    .flat = s->y_stride[3] == s->w.out * s->y_stride[4],
                    .blocks = corr_ceil_div(s->oc, TOGETHER)};
    corr_call some = *call;
    /* Memory's speed: threads pay from some 100 KiB an item on. */
    if (s->n * corr_pixels(s) * corr_min(s->oc, TOGETHER) < 32768)
        some.threads = 1;
    return corr_parallel(sum_block, &job, s->groups * job.blocks, &some);
}
