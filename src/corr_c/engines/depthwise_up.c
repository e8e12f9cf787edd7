/* The input gradient of a depthwise layer of stride 2: what phases would store every other
 * column of, in one pass (kernels/stencil_up.h). */
#include "../plan/plan.h"

typedef struct up_job {
    const corr_problem *s;
    const corr_kernels *k;
    corr_stencil_kernel *const *kernels;
    char *gx;
    const char *w, *gy;
    int64_t planes; /* of an item */
} up_job;

static corr_stencil_kernel *const *find_kernels(const corr_problem *s, const corr_kernels *k) {
    const int64_t size = s->h.kernel;
    if (s->ic != 1 || s->oc != 1 || (size != 3 && size != 5 && size != 7) || s->w.kernel != size ||
        s->h.stride != 2 || s->w.stride != 2 || s->h.dilation != 1 || s->w.dilation != 1 ||
        s->w.pad != size / 2 || s->h.pad < 0 || s->x_stride[4] != 1 || s->y_stride[4] != 1)
        return NULL;
    return k->up[size / 2 - 1][0] ? k->up[size / 2 - 1] : NULL;
}

int corr_takes_up(const corr_problem *s) {
    return corr_pixels(s) > 0 && find_kernels(s, corr_kernel_table(s->dtype));
}

static void some_planes(const up_job *job, int64_t n, int64_t g, int64_t count) {
    const corr_problem *s = job->s;
    const int64_t bytes = job->k->bytes, lanes = job->k->lanes;
    const int64_t taps = s->h.kernel * s->w.kernel;
    corr_stencil t = {
        .planes = count, .rows = s->h.in, .row_lo = s->h.pad, .row_hi = s->h.out,
        .x_plane = s->y_stride[1], .x_row = s->y_stride[3], .y_plane = s->x_stride[1],
        .y_row = s->x_stride[3], .w_plane = taps,
        .x_ahead = s->y_stride[1], .y_ahead = s->x_stride[1],
    };
    int64_t most = CORR_MAX_VECTORS;
    while (!job->kernels[most - 1])
        most--;
    for (int64_t j = 0; j < s->w.in; j += 2 * most * lanes) {
        t.columns = corr_min(2 * most * lanes, s->w.in - j);
        t.column_lo = -j / 2;
        t.column_hi = s->w.out - j / 2;
        int64_t vectors = corr_ceil_div(t.columns, 2 * lanes);
        job->kernels[vectors - 1](
            &t, job->gy + (n * s->y_stride[0] + g * s->y_stride[1] + j / 2) * bytes,
            job->w + g * taps * bytes,
            job->gx + (n * s->x_stride[0] + g * s->x_stride[1] + j) * bytes);
    }
}

static void up_planes(void *context, int64_t index, int worker, corr_run_state *run) {
    const up_job *job = context;
    const corr_problem *s = job->s;
    const int64_t last = corr_min((index + 1) * job->planes, s->n * s->groups);
    (void)worker;
    for (int64_t i = index * job->planes, count; i < last && !corr_should_stop(run); i += count) {
        count = corr_min(last - i, s->groups - i % s->groups);
        some_planes(job, i / s->groups, i % s->groups, count);
    }
}

/* [g][p][q]; returns non-zero if all are finite. */
static int copy_weights(const corr_problem *s, const corr_kernels *k, const char *w, char *to) {
    const int64_t *ws = s->w_stride, all = s->groups * s->h.kernel * s->w.kernel;
    char *at = to;
    for (int64_t g = 0; g < s->groups; g++)
        for (int64_t p = 0; p < s->h.kernel; p++, at += s->w.kernel * k->bytes)
            k->copy(at, w + (g * ws[0] + p * ws[3]) * k->bytes, ws[4], s->w.kernel);
    return k->pack_weights(to, all, all, 1, 1, 1, 1, 0, 0, 0, to);
}

corr_status corr_depthwise_up(const corr_problem *s, void *gx, const void *w, const void *gy,
                              const corr_call *call, int *finite) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    const size_t bytes = (size_t)(s->groups * s->h.kernel * s->w.kernel * k->bytes);
    char *weights = corr_allocate(bytes);
    up_job job = {.s = s, .k = k, .kernels = find_kernels(s, k), .gx = gx, .w = weights, .gy = gy};
    const int64_t planes = s->n * s->groups;
    corr_status status = CORR_OK;
    if (!weights)
        return CORR_NO_MEMORY;
    job.planes = corr_max(1, planes / (4 * (int64_t)call->threads));
    *finite = copy_weights(s, k, w, weights);
    if (*finite)
        status = corr_parallel(up_planes, &job, corr_ceil_div(planes, job.planes), call);
    corr_release(weights, bytes);
    return status;
}
