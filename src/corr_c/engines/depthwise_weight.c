/* The weight gradient of depthwise layers and one-channel filters, in planes.
 *
 *   item: group g, one of its chunks of (image, rows of outputs)
 *     for block of taps, for rows, for vector of columns -> a vector of sums a tap, in registers
 *
 * Chunks depend on the shape alone and are added in order, so the bits do not depend on the
 * threads. A result that is not finite may have met a zero that stands for an absent tap: that
 * group is done again term by term.
 */
#include "depthwise.h"

#include <string.h>

typedef struct weight_job {
    const corr_problem *s;
    const corr_kernels *k;
    const char *x, *gy;
    char *sums, *partial, *gw; /* partial: [group][chunk][o][p][q] */
    int next_plane;              /* is it what comes next? */
    int64_t parts, chunks, rows; /* parts of rows, of one image; chunks of a group */
} weight_job;

int corr_takes_weight_march(const corr_problem *s) {
    const int64_t step = s->w.stride;
    return s->ic == 1 && corr_weight_march_pays(s) && s->h.stride == step && step <= 2 && s->x_stride[4] == 1 &&
           s->y_stride[4] == 1 && (step == 1 || (s->h.dilation == 1 && s->w.dilation == 1));
}

/* The widest block of taps, of which there is one for every height from 1 on. */
static int64_t block_width(const weight_job *job, int64_t left) {
    int64_t w = corr_min(left, CORR_STENCIL_TAPS);
    while (!job->k->weight[0][w - 1][job->s->h.stride - 1])
        w--;
    return w;
}

static int64_t block_height(const weight_job *job, int64_t left, int64_t w) {
    int64_t h = corr_min(left, CORR_WEIGHT_ROWS);
    while (!job->k->weight[h - 1][w - 1][job->s->h.stride - 1])
        h--;
    return h;
}

/* All of a 3x3 kernel at once: an entry a number of vectors, or NULL. */
static corr_weight_kernel *const *whole_kernels(const weight_job *job) {
    const corr_problem *s = job->s;
    corr_weight_kernel *const *found = job->k->weight3[s->h.stride - 1];
    return found[0] && s->h.kernel == 3 && s->w.kernel == 3 && s->w.dilation == 1 ? found : NULL;
}

/* Taps from (p, q) on, over rows [first, end). */
static void sum_block(const weight_job *job, corr_weight_kernel *narrow, int64_t p, int64_t q,
                      int64_t taps_h, const char *x, const char *gy, int64_t first, int64_t end,
                      char *sums) {
    const corr_problem *s = job->s;
    const int64_t d = s->h.dilation, bytes = job->k->bytes, lanes = job->k->lanes;
    corr_stencil t = {.kw = s->w.kernel - q, .step = s->w.stride, .dilation = s->w.dilation,
                      .x_row = d * s->x_stride[3], .x_tap = s->w.dilation,
                      .y_row = d * s->y_stride[3]};
    corr_weight_kernel *const *whole = whole_kernels(job);
    const int64_t all = corr_ceil_div(s->w.out, lanes);
    int64_t most = whole ? CORR_MAX_VECTORS : 1;
    while (whole && !whole[most - 1])
        most--;
    const int64_t vectors = corr_ceil_div(all, corr_ceil_div(all, most));
    for (int64_t j = 0; j < s->w.out; j += vectors * lanes) {
        const int64_t at = j * s->w.stride + q * s->w.dilation - s->w.pad + (whole ? 1 : 0);
        t.columns = corr_min(vectors * lanes, s->w.out - j);
        corr_weight_kernel *kernel = whole ? whole[corr_ceil_div(t.columns, lanes) - 1] : narrow;
        t.x_ahead = job->next_plane ? s->x_stride[1] : vectors * lanes * s->w.stride;
        t.y_ahead = job->next_plane ? s->y_stride[1] : vectors * lanes;
        t.x_far = job->next_plane ? 0 : (end - first) * s->h.stride * s->x_stride[3];
        t.y_far = job->next_plane ? 0 : (end - first) * s->y_stride[3];
        t.column_lo = -at;
        t.column_hi = s->w.in - at;
        for (int64_t i = first; i < corr_min(first + d, end); i++) {
            const int64_t h = i * s->h.stride + p * d - s->h.pad;
            t.rows = corr_ceil_div(end - i, d);
            corr_limit_rows(&t, h, d, s->h.in, (t.rows - 1) * s->h.stride + taps_h);
            kernel(&t, x + (h * s->x_stride[3] + at) * bytes,
                   gy + (i * s->y_stride[3] + j) * bytes, sums);
        }
    }
}

static void sum_chunk(void *context, int64_t index, int worker, corr_run_state *run) {
    const weight_job *job = context;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->k;
    const int64_t bytes = k->bytes, kh = s->h.kernel, kw = s->w.kernel;
    const int64_t g = index / job->chunks, chunk = index % job->chunks, units = s->n * job->parts;
    const int64_t from = units * chunk / job->chunks, to = units * (chunk + 1) / job->chunks;
    char *sums = job->sums + worker * CORR_WEIGHT_TAPS * k->lanes * bytes;
    for (int64_t o = 0; o < s->oc; o++) {
        char *partial = job->partial + (index * s->oc + o) * kh * kw * bytes;
        for (int64_t q = 0, w; q < kw; q += w) {
            w = block_width(job, kw - q);
            for (int64_t p = 0, h; p < kh && !corr_should_stop(run); p += h) {
                h = block_height(job, kh - p, w);
                corr_weight_kernel *kernel = k->weight[h - 1][w - 1][s->h.stride - 1];
                for (int64_t u = from; u < to; u++) {
                    const int64_t n = u / job->parts, first = u % job->parts * job->rows;
                    const char *x = job->x + (n * s->x_stride[0] + g * s->x_stride[1]) * bytes;
                    const char *gy = job->gy + (n * s->y_stride[0] + g * s->y_stride[1] +
                                                o * s->y_stride[2]) * bytes;
                    sum_block(job, kernel, p, q, h, x, gy, first,
                              corr_min(first + job->rows, s->h.out), sums);
                }
                for (int64_t i = 0; i < h; i++)
                    k->add_lanes(w, sums + i * w * k->lanes * bytes,
                                 partial + ((p + i) * kw + q) * bytes, 1);
            }
        }
    }
}

/* Returns zero, and stores nothing, if a sum is not finite. */
static int store_group(const weight_job *job, int64_t g, int accumulate) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->k;
    const int64_t *ws = s->w_stride, taps = s->h.kernel * s->w.kernel, bytes = k->bytes;
    char *first = job->partial + g * job->chunks * s->oc * taps * bytes;
    for (int64_t c = 1; c < job->chunks; c++)
        k->add(first, 1, first + c * s->oc * taps * bytes, s->oc * taps);
    const int64_t all = s->oc * taps;
    if (!k->pack_weights(first, all, all, 1, 1, 1, 1, 0, 0, 0, first))
        return 0;
    for (int64_t o = 0; o < s->oc; o++)
        for (int64_t p = 0; p < s->h.kernel; p++, first += s->w.kernel * bytes) {
            char *to = job->gw + (g * ws[0] + o * ws[1] + p * ws[3]) * bytes;
            (accumulate ? k->add : k->spread)(to, ws[4], first, s->w.kernel);
        }
    return 1;
}

void corr_redo_weight_group(const corr_problem *s, const char *x, char *gw, const char *gy, int64_t g,
                            int accumulate) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    const int64_t *ws = s->w_stride, bytes = k->bytes;
    gw += g * ws[0] * bytes;
    const double zero = 0;
    for (int64_t i = 0; !accumulate && i < s->oc * s->h.kernel * s->w.kernel; i++) {
        const int64_t o = i / s->w.kernel / s->h.kernel, p = i / s->w.kernel % s->h.kernel;
        memcpy(gw + (o * ws[1] + p * ws[3] + i % s->w.kernel * ws[4]) * bytes, &zero, (size_t)bytes);
    }
    for (int64_t n = 0; n < s->n; n++)
        k->plain_weight(s, x + (n * s->x_stride[0] + g * s->x_stride[1]) * bytes, gw,
                        gy + (n * s->y_stride[0] + g * s->y_stride[1]) * bytes);
}

corr_status corr_depthwise_weight(const corr_problem *s, const void *x, void *gw, const void *gy,
                                  const corr_call *call) {
    weight_job job = {.s = s, .k = corr_kernel_table(s->dtype), .x = x, .gy = gy, .gw = gw};
    corr_split_weight_march(s, &job.rows, &job.chunks);
    const corr_choice choice = {.kernels = job.k};
    job.next_plane = s->groups > 1 && corr_next_plane_first(s, &choice);
    job.parts = corr_ceil_div(s->h.out, job.rows);
    const int64_t bytes = job.k->bytes, items = s->groups * job.chunks;
    const int64_t sums = call->threads * CORR_WEIGHT_TAPS * job.k->lanes * bytes;
    const int64_t partial = items * s->oc * s->h.kernel * s->w.kernel * bytes;
    if (!(job.sums = corr_allocate((size_t)(sums + partial))))
        return CORR_NO_MEMORY;
    job.partial = job.sums + sums;
    memset(job.sums, 0, (size_t)(sums + partial)); /* and a kernel's sums are zero again after it */
    corr_status status = corr_parallel(sum_chunk, &job, items, call);
    for (int64_t g = 0; g < s->groups && status == CORR_OK; g++)
        if (!store_group(&job, g, call->accumulate))
            corr_redo_weight_group(s, x, gw, gy, g, call->accumulate);
    corr_release(job.sums, (size_t)(sums + partial));
    return status;
}
