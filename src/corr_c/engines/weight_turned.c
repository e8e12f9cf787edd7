/* The weight gradient of channels-last images with too few channels for lanes: pixels are turned to
 * planes, some images at a time, and those are summed.
 *
 *   for some images:      x and gradients, an item some rows of an image -> [image][channel][row][column]
 *                         their weight gradient, added to that of the images before
 */
#include "weight.h"

/* Planes that stay in L3 between being turned and being summed. */
static const int64_t planes_bytes = 8 << 20, item_pixels = 512;

typedef struct turn_job {
    const corr_kernels *k;
    const char *from;
    char *to;
    const int64_t *stride; /* of `from` */
    int64_t h, w, channels, rows, items;
} turn_job;

static void turn_rows(void *context, int64_t index, int worker, corr_run_state *run) {
    const turn_job *job = context;
    const int64_t n = index / job->items, first = index % job->items * job->rows, bytes = job->k->bytes;
    const int64_t rows = corr_min(job->rows, job->h - first), plane = job->h * job->w;
    const int64_t runs = job->stride[3] == job->w * job->stride[4] ? 1 : rows;
    static const corr_store plain;
    (void)worker;
    (void)run;
    for (int64_t i = 0; i < runs; i++)
        job->k->transpose(rows / runs * job->w, job->channels,
                          job->from + (n * job->stride[0] + (first + i) * job->stride[3]) * bytes,
                          job->stride[4], job->to + (n * job->channels * plane + (first + i) * job->w) * bytes,
                          plane, &plain);
}

static corr_status turn(turn_job job, int64_t n, const corr_call *call) {
    job.rows = corr_max(1, corr_min(job.h, item_pixels / corr_max(job.w, 1)));
    job.items = corr_ceil_div(job.h, job.rows);
    return corr_parallel(turn_rows, &job, n * job.items, call);
}

corr_status corr_weight_by_planes(const corr_problem *s, const void *x_, void *gw, const void *gy_,
                                  const corr_call *call) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    const int64_t bytes = k->bytes;
    corr_problem planes = *s;
    const int64_t in = corr_lay_planes(planes.x_stride, s->groups, s->ic, s->h.in, s->w.in);
    const int64_t out = corr_lay_planes(planes.y_stride, s->groups, s->oc, s->h.out, s->w.out);
    const int64_t some = corr_max(1, corr_min(s->n, planes_bytes / ((in + out) * bytes)));
    const int64_t gy_at = corr_round_up(some * in * bytes, 64), all = gy_at + some * out * bytes;
    const char *x = x_, *gy = gy_;
    char *to = corr_allocate((size_t)all);
    if (!to)
        return CORR_NO_MEMORY;
    corr_status status = CORR_OK;
    corr_call part = *call;
    for (int64_t n = 0; n < s->n && status == CORR_OK; n += some) {
        planes.n = corr_min(some, s->n - n);
        status = turn((turn_job){.k = k, .from = x + n * s->x_stride[0] * bytes, .to = to, .stride = s->x_stride,
                                 .h = s->h.in, .w = s->w.in, .channels = s->groups * s->ic}, planes.n, call);
        if (status == CORR_OK)
            status = turn((turn_job){.k = k, .from = gy + n * s->y_stride[0] * bytes, .to = to + gy_at,
                                     .stride = s->y_stride, .h = s->h.out, .w = s->w.out,
                                     .channels = s->groups * s->oc}, planes.n, call);
        if (status == CORR_OK)
            status = corr_weight_gradient(&planes, to, gw, to + gy_at, &part);
        part.accumulate = 1;
    }
    corr_release(to, (size_t)all);
    return status;
}
