/* The input gradient: a forward for each phase of the stride (problem/rewrite.c). */
#include "run.h"

#include <string.h>

typedef struct plane_job {
    const corr_problem *s; /* its x is gx, [h.in][w.in] a plane */
    char *gx;
    const char *from; /* dense planes; NULL: gx becomes zero */
    const char *odd;  /* those of every other column, or NULL; `from` then has the even ones */
    int add;          /* to gx, or written there? */
} plane_job;

static void finish_plane(void *context, int64_t item, int worker, corr_run_state *run) {
    const plane_job *job = context;
    const corr_problem *s = job->s;
    const corr_kernels *k = corr_kernel_table(s->dtype);
    const int64_t *xs = s->x_stride, bytes = k->bytes, columns = s->w.in;
    const int64_t c = item % s->ic, g = item / s->ic % s->groups, n = item / s->ic / s->groups;
    char *gx = job->gx + (n * xs[0] + g * xs[1] + c * xs[2]) * bytes;
    (void)worker;
    (void)run;
    for (int64_t i = 0; i < s->h.in; i++, gx += xs[3] * bytes) {
        if (job->odd) {
            const int64_t row = item * s->h.in + i;
            k->lace(gx, job->from + row * ((columns + 1) / 2) * bytes,
                    job->odd + row * (columns / 2) * bytes, columns);
        } else if (job->from)
            (job->add ? k->add : k->spread)(gx, xs[4], job->from + (item * s->h.in + i) * columns * bytes, columns);
        else if (xs[4] == 1)
            memset(gx, 0, (size_t)(columns * bytes));
        else
            for (int64_t j = 0; j < columns; j++)
                memset(gx + j * xs[4] * bytes, 0, (size_t)bytes);
    }
}

static corr_status each_plane(plane_job *job, const corr_call *call) {
    return corr_parallel(finish_plane, job, job->s->n * job->s->groups * job->s->ic, call);
}

static corr_status fill_zero(const corr_problem *s, void *gx, const corr_call *call) {
    corr_problem turned = *s;
    if (s->x_stride[2] == 1 && s->x_stride[4] != 1) { /* channels-last: they are the columns */
        turned.x_stride[2] = s->x_stride[4];
        turned.x_stride[4] = 1;
        turned.ic = s->w.in;
        turned.w.in = s->ic;
    }
    plane_job job = {.s = &turned, .gx = gx};
    return each_plane(&job, call);
}

/* Planes of their own; how many bytes they take. */
static size_t make_dense(int64_t stride[5], const corr_problem *s, int64_t channels, int64_t h,
                         int64_t w) {
    stride[4] = 1;
    stride[3] = w;
    stride[2] = h * w;
    stride[1] = channels * stride[2];
    stride[0] = s->groups * stride[1];
    return (size_t)(s->n * stride[0] * corr_kernel_table(s->dtype)->bytes);
}

/* A phase that has every stride-th pixel of a row: computed dense, where the engines store
 * vectors, then spread. */
static corr_status run_spread(const corr_problem *phase, const void *gy, const char *w, char *y,
                              const corr_call *call) {
    corr_problem dense = *phase, planes = *phase; /* whose x is the phase's y */
    const size_t bytes = make_dense(dense.y_stride, phase, phase->oc, phase->h.out, phase->w.out);
    memcpy(planes.x_stride, phase->y_stride, sizeof planes.x_stride);
    planes.ic = phase->oc;
    planes.h.in = phase->h.out;
    planes.w.in = phase->w.out;
    char *block = corr_allocate(bytes);
    if (!block)
        return CORR_NO_MEMORY;
    corr_flatten(&dense);
    corr_status status = corr_run_forward(&dense, gy, w, NULL, block, call);
    plane_job job = {.s = &planes, .gx = y, .from = block};
    if (status == CORR_OK)
        status = each_plane(&job, call);
    corr_release(block, bytes);
    return status;
}

/* Both phases of a column stride of 2, and every stride-th row: whole vectors are stored. */
static corr_status run_laced(const corr_problem *s, int64_t a, char *gx, const char *w,
                             const void *gy, const corr_call *call) {
    const int64_t bytes = corr_kernel_table(s->dtype)->bytes;
    corr_problem planes = *s;
    char *block[2] = {NULL, NULL};
    size_t size[2];
    corr_status status = CORR_OK;
    for (int64_t b = 0; b < 2 && !status; b++) {
        corr_problem phase;
        int64_t w_offset, y_offset;
        corr_input_phase(s, a, b, &phase, &w_offset, &y_offset);
        planes.h.in = phase.h.out;
        size[b] = make_dense(phase.y_stride, &phase, phase.oc, phase.h.out, phase.w.out);
        block[b] = corr_allocate(size[b]);
        const corr_call few = corr_with_threads(&phase, call);
        corr_flatten(&phase);
        status = block[b] ? corr_run_forward(&phase, gy, w + w_offset * bytes, NULL, block[b], &few)
                          : CORR_NO_MEMORY;
    }
    planes.x_stride[3] *= s->h.stride;
    plane_job job = {.s = &planes, .gx = gx + a * s->x_stride[3] * bytes, .from = block[0], .odd = block[1]};
    const corr_call some = corr_with_threads(s, call);
    if (status == CORR_OK)
        status = each_plane(&job, &some);
    for (int b = 0; b < 2; b++)
        if (block[b])
            corr_release(block[b], size[b]);
    return status;
}

/* Does some phase of the stride have no tap? */
static int skips_pixels(const corr_axis *axis) {
    for (int64_t a = 1; a <= axis->stride && axis->stride > 1; a++)
        if (axis->kernel < axis->stride || (a > 1 && axis->stride % a == 0 && axis->dilation % a == 0))
            return 1;
    return 0;
}

static corr_status run_phases(const corr_problem *s, char *gx, const char *w, const void *gy,
                              const corr_call *call) {
    const int64_t bytes = corr_kernel_table(s->dtype)->bytes;
    const corr_call some = corr_with_threads(s, call);
    corr_status status = CORR_OK;
    /* Pixels that no tap reaches: all are zeroed before, in rows. */
    const int sparse = skips_pixels(&s->h) || skips_pixels(&s->w) || s->oc == 0 || corr_pixels(s) == 0;
    if (sparse)
        status = fill_zero(s, gx, &some);
    if (!status && corr_takes_up(s)) {
        int finite;
        status = corr_depthwise_up(s, gx, w, gy, &some, &finite);
        if (status || finite)
            return status;
    }
    const int laced = !sparse && s->w.stride == 2 && s->x_stride[4] == 1 && s->w.in > 1;
    for (int64_t a = 0; a < s->h.stride && a < s->h.in && !status; a++) {
        if (laced) {
            status = run_laced(s, a, gx, w, gy, call);
            continue;
        }
        for (int64_t b = 0; b < s->w.stride && b < s->w.in && !status; b++) {
            corr_problem phase;
            int64_t w_offset, y_offset;
            const int taps = corr_input_phase(s, a, b, &phase, &w_offset, &y_offset);
            if (!taps || corr_is_empty(&phase) || corr_pixels(s) == 0)
                continue;
            char *y = gx + y_offset * bytes;
            const corr_call few = corr_with_threads(&phase, call);
            if (phase.y_stride[4] != 1 && s->x_stride[4] == 1) {
                status = run_spread(&phase, gy, w + w_offset * bytes, y, &few);
            } else {
                corr_flatten(&phase);
                status = corr_run_forward(&phase, gy, w + w_offset * bytes, NULL, y, &few);
            }
        }
    }
    return status;
}

/* Into a block of its own, then added: rare, and no engine has to know of it. */
static corr_status add_phases(const corr_problem *s, char *gx, const char *w, const void *gy,
                              const corr_call *call) {
    const corr_call some = corr_with_threads(s, call);
    corr_problem own = *s;
    const size_t bytes = make_dense(own.x_stride, s, s->ic, s->h.in, s->w.in);
    char *block = corr_allocate(bytes);
    if (!block)
        return CORR_NO_MEMORY;
    plane_job job = {.s = s, .gx = gx, .from = block, .add = 1};
    corr_status status = run_phases(&own, block, w, gy, call);
    if (status == CORR_OK)
        status = each_plane(&job, &some);
    corr_release(block, bytes);
    return status;
}

corr_status corr_input_gradient(const corr_problem *s, void *gx, const void *w, const void *gy,
                                const corr_call *call) {
    corr_status status = corr_problem_check(s);
    if (status || s->n == 0 || s->groups == 0 || s->ic == 0 || s->h.in == 0 || s->w.in == 0)
        return status;
    return call->accumulate ? add_phases(s, gx, w, gy, call) : run_phases(s, gx, w, gy, call);
}
