/* The input gradient of channels-last depthwise layers of stride 2: every row of it at once, from the
 * gradients where they lie (kernels/stencil_up_lanes.h). Phase by phase they would be read four times.
 *
 *   item: image n, some rows
 *     for row, for vector of channels -> kernel
 *
 * The last vector overlaps the one before it and stores the same bits again. */
#include "../plan/plan.h"

typedef struct up_lanes_job {
    const corr_problem *s;
    const corr_kernels *k;
    char *gx;
    const char *gy, *w; /* w: [vector][p][q][lane] */
    int64_t rows, items, vectors;
    int fetches; /* the next row, from memory? */
} up_lanes_job;

static int64_t first_channel(const up_lanes_job *job, int64_t vector) {
    return corr_min(vector * job->k->lanes, job->s->groups - job->k->lanes);
}

/* A part of a row of gx, and of the gradients that it is the first to meet. */
static void fetch_part(const up_lanes_job *job, int64_t n, int64_t r, int64_t part) {
    const corr_problem *s = job->s;
    const int64_t *xs = s->x_stride, *ys = s->y_stride, bytes = job->k->bytes, parts = job->vectors;
    const int64_t i = (r + s->h.pad) / 2, v = part * s->w.in / parts, j = part * s->w.out / parts;
    corr_fetch_to_write(job->gx + (n * xs[0] + r * xs[3] + v * xs[4]) * bytes, xs[4] * bytes,
                        (part + 1) * s->w.in / parts - v, s->groups * bytes);
    if ((r + s->h.pad) % 2 == 0 && i < s->h.out)
        corr_fetch_runs(job->gy + (n * ys[0] + i * ys[3] + j * ys[4]) * bytes, ys[4] * bytes,
                        (part + 1) * s->w.out / parts - j, s->groups * bytes);
}

static void run_item(void *context, int64_t index, int worker, corr_run_state *run) {
    const up_lanes_job *job = context;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->k;
    const int64_t *xs = s->x_stride, *ys = s->y_stride, bytes = k->bytes, n = index / job->items;
    const int64_t first = index % job->items * job->rows, last = corr_min(first + job->rows, s->h.in);
    corr_up_lanes t = {
        .first = s->w.pad / 2, .end = (s->w.in - 1 + s->w.pad) / 2 + 1, .columns = s->w.out, .width = s->w.in,
        .pad = s->w.pad, .x_step = xs[4], .y_step = ys[4],
    };
    (void)worker;
    for (int64_t r = first; r < last && !corr_should_stop(run); r++)
        for (int64_t v = 0; v < job->vectors; v++) {
            const int64_t g = first_channel(job, v), u = r + s->h.pad;
            if (job->fetches && r + 1 < last)
                fetch_part(job, n, r + 1, v);
            t.rows = 0;
            for (int64_t p = u % 2; p < s->h.kernel; p += 2) {
                const int64_t i = (u - p) / 2;
                if (p > u || i >= s->h.out)
                    continue;
                t.gy[t.rows] = job->gy + (n * ys[0] + g * ys[1] + i * ys[3]) * bytes;
                t.w[t.rows++] = job->w + (v * s->h.kernel + p) * s->w.kernel * k->lanes * bytes;
            }
            k->up_lanes[s->w.kernel / 2 - 1](&t, job->gx + (n * xs[0] + g * xs[1] + r * xs[3]) * bytes);
        }
}

/* Returns non-zero if all are finite: a zero beside the gradients meets weights that are not. */
static int pack_weights(const up_lanes_job *job, const char *w, char *to) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->k;
    const int64_t *ws = s->w_stride, all = job->vectors * s->h.kernel * s->w.kernel * k->lanes;
    char *at = to;
    for (int64_t v = 0; v < job->vectors; v++)
        for (int64_t p = 0; p < s->h.kernel; p++, at += s->w.kernel * k->lanes * k->bytes)
            k->lanes_in(w + (first_channel(job, v) * ws[0] + p * ws[3]) * k->bytes, ws[4], ws[0], s->w.kernel,
                        k->lanes, at, 0);
    return k->pack_weights(to, all, all, 1, 1, 1, 1, 0, 0, 0, to);
}

int corr_takes_up_lanes(const corr_problem *s) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    const corr_axis *h = &s->h, *w = &s->w;
    return s->ic == 1 && s->oc == 1 && s->groups >= k->lanes && s->x_stride[1] == 1 && s->y_stride[1] == 1 &&
           s->x_stride[4] != 1 && h->stride == 2 && w->stride == 2 && h->dilation == 1 && w->dilation == 1 &&
           h->kernel >= 2 && h->kernel <= 2 * CORR_UP_ROWS &&
           w->kernel % 2 == 1 && w->kernel > 1 && w->kernel <= CORR_UP_TAPS && k->up_lanes[w->kernel / 2 - 1] &&
           h->pad >= 0 && w->pad >= 0 &&
           corr_pixels(s) > 0 && (w->in - 1 + w->pad) / 2 - w->pad / 2 >= 3;
}

corr_status corr_depthwise_up_lanes(const corr_problem *s, void *gx, const void *w, const void *gy,
                                    const corr_call *call, int *finite) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    up_lanes_job job = {.s = s, .k = k, .gx = gx, .gy = gy, .vectors = corr_ceil_div(s->groups, k->lanes)};
    const int64_t bytes = job.vectors * s->h.kernel * s->w.kernel * k->lanes * k->bytes;
    char *weights = corr_allocate((size_t)bytes);
    corr_status status = CORR_OK;
    if (!weights)
        return CORR_NO_MEMORY;
    job.w = weights;
    job.fetches = corr_from_memory(s->n, s, k);
    job.rows = corr_max(4, s->n * s->h.in / (4 * (int64_t)call->threads));
    job.rows = corr_min(job.rows, s->h.in);
    job.items = corr_ceil_div(s->h.in, job.rows);
    *finite = pack_weights(&job, w, weights);
    if (*finite)
        status = corr_parallel(run_item, &job, s->n * job.items, call);
    corr_release(weights, (size_t)bytes);
    return status;
}
