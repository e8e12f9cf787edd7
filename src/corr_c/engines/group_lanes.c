/* Groups of few channels, channels-last: as many whole groups side by side as a vector holds.
 *
 *   item: image n, some such bundles of groups, some rows of their outputs
 *     for bundle, for some columns -> kernel, down the rows
 *
 * From memory an item is all bundles of a tile's rows, and goes along them: what is read and written lies
 * together, and the next columns' is fetched.
 *
 * Rows and columns that do not fill the last tile are covered by one that overlaps the tile
 * before it: it stores the same bits again.
 */
#include "groups.h"

#include <string.h>

int64_t corr_group_bundle(const corr_problem *s, const corr_kernels *k) {
    return k->lanes / corr_max(corr_max(s->ic, s->oc), 1);
}

static int64_t bundle_bytes(const corr_problem *s, const corr_choice *c) {
    return corr_terms(s) * c->kernels->lanes * c->kernels->bytes;
}

int64_t corr_group_lanes_bytes(const corr_problem *s, const corr_choice *c) {
    return corr_ceil_div(s->groups, corr_group_bundle(s, c->kernels)) * bundle_bytes(s, c);
}

/* [bundle][p][q][c][lane] */
corr_status corr_pack_group_lanes(const corr_problem *s, const corr_choice *c, const void *w,
                                  void *packed, int *finite) {
    const corr_kernels *k = c->kernels;
    const int64_t *ws = s->w_stride, bundle = corr_group_bundle(s, k), taps = s->h.kernel * s->w.kernel;
    const int64_t bytes = corr_group_lanes_bytes(s, c), all = bytes / k->bytes;
    memset(packed, 0, (size_t)bytes);
    for (int64_t g = 0; g < s->groups; g++) {
        char *to = (char *)packed + g / bundle * bundle_bytes(s, c) + g % bundle * s->oc * k->bytes;
        for (int64_t t = 0; t < taps; t++)
            for (int64_t i = 0; i < s->ic; i++, to += k->lanes * k->bytes) {
                const int64_t at = g * ws[0] + i * ws[2] + t / s->w.kernel * ws[3] + t % s->w.kernel * ws[4];
                k->copy(to, (const char *)w + at * k->bytes, ws[1], s->oc);
            }
    }
    *finite = k->pack_weights(packed, all, all, 1, 1, 1, 1, 0, 0, 0, packed); /* in place */
    return CORR_OK;
}

typedef struct lane_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *x, *packed, *bias;
    char *y;
    int64_t row_items, bundle_items, bundles; /* of one image */
    const int32_t *index;
} lane_job;

/* Which of a bundle's input channels an output channel multiplies. */
static void fill_index(const corr_problem *s, const corr_kernels *k, int32_t *index) {
    const int64_t lanes = corr_group_bundle(s, k) * s->oc;
    for (int64_t c = 0; c < s->ic; c++)
        for (int64_t l = 0; l < k->lanes; l++)
            *index++ = (int32_t)(l < lanes ? l / s->oc * s->ic + c : 0);
}

/* Output rows first, first + d, ... below `end`, at columns [j, j + vectors). */
static void run_down(const lane_job *job, corr_group *t, int64_t first, int64_t end, int64_t j,
                     int64_t vectors, const char *x, const char *w, char *y) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t d = s->h.dilation, left = corr_ceil_div(end - first, d);
    int64_t rows = corr_min(left, CORR_GROUP_LANES_ROWS);
    while (!k->group_lanes[rows - 1][vectors - 1])
        rows--;
    t->column_lo = s->w.pad - j * s->w.stride;
    t->column_hi = t->column_lo + s->w.in;
    t->row_next = rows * d * s->h.stride;
    t->x_next = t->row_next * s->x_stride[3];
    t->y_next = rows * d * s->y_stride[3];
    for (int64_t i = 0; i < left; i += t->count * rows) {
        t->count = corr_max((left - i) / rows, 1);
        i = corr_min(i, left - rows);
        t->row = (first + i * d) * s->h.stride - s->h.pad;
        k->group_lanes[rows - 1][vectors - 1](
            t, x + (t->row * s->x_stride[3] - t->column_lo * s->x_stride[4]) * k->bytes, w,
            y + ((first + i * d) * s->y_stride[3] + j * s->y_stride[4]) * k->bytes);
    }
}

/* A part of what the tile of columns from j on reads, and writes. */
static void fetch_tile(const lane_job *job, int64_t n, int64_t first, int64_t end, int64_t j, int64_t vectors,
                       int64_t part, int64_t parts) {
    const corr_problem *s = job->s;
    const int64_t bytes = job->choice->kernels->bytes, *xs = s->x_stride, *ys = s->y_stride;
    const int64_t h0 = first * s->h.stride - s->h.pad, v0 = j * s->w.stride - s->w.pad;
    const int64_t h1 = corr_min((end - 1) * s->h.stride - s->h.pad + (s->h.kernel - 1) * s->h.dilation + 1, s->h.in);
    const int64_t v1 = corr_min(v0 + (vectors - 1) * s->w.stride + (s->w.kernel - 1) * s->w.dilation + 1, s->w.in);
    const int64_t v = corr_max(v0, 0), columns = corr_min(j + vectors, s->w.out) - j;
    for (int64_t h = corr_max(h0, 0) + part; h < h1; h += parts)
        corr_fetch_runs(job->x + (n * xs[0] + h * xs[3] + v * xs[4]) * bytes, xs[4] * bytes, v1 - v,
                        s->groups * s->ic * bytes);
    for (int64_t i = first + part; i < end; i += parts)
        corr_fetch_to_write(job->y + (n * ys[0] + i * ys[3] + j * ys[4]) * bytes, ys[4] * bytes, columns,
                            s->groups * s->oc * bytes);
}

static void run_item(void *context, int64_t index, int worker, corr_run_state *run) {
    const lane_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t bytes = c->kernels->bytes, bundle = corr_group_bundle(s, c->kernels);
    const int64_t first = index % job->row_items * c->item_rows;
    const int64_t end = corr_min(first + c->item_rows, s->h.out);
    const int64_t n = index / job->row_items / job->bundle_items;
    const int64_t b0 = index / job->row_items % job->bundle_items * c->channel_panels;
    const int64_t b1 = corr_min(b0 + c->channel_panels, job->bundles);
    int64_t vectors = CORR_MAX_VECTORS;
    corr_group t = {
        .channels = s->ic, .kh = s->h.kernel, .kw = s->w.kernel, .step = s->h.stride,
        .x_row = s->h.dilation * s->x_stride[3], .x_tap = s->w.dilation * s->x_stride[4],
        .x_vector = s->w.stride * s->x_stride[4], .y_channel = s->h.dilation * s->y_stride[3],
        .y_vector = s->y_stride[4], .row_tap = s->h.dilation, .row_end = s->h.in,
        .column_tap = s->w.dilation, .column_vector = s->w.stride, .activation = s->activation,
        .epilogue = job->bias || s->activation != CORR_LINEAR, .index = job->index,
    };
    (void)worker;
    while (vectors > s->w.out || !c->kernels->group_lanes[0][vectors - 1])
        vectors--;
    const int64_t strip = c->pixel_panels ? vectors : corr_max(s->w.out, 1);
    for (int64_t from = 0; from < s->w.out; from += strip)
        for (int64_t b = b0; b < b1; b++) {
            if (corr_should_stop(run))
                return;
            const int64_t g = b * bundle, groups = corr_min(bundle, s->groups - g);
            const char *x = job->x + (n * s->x_stride[0] + g * s->ic) * bytes;
            char *y = job->y + (n * s->y_stride[0] + g * s->oc) * bytes;
            t.x_lanes = groups * s->ic;
            t.columns = groups * s->oc;
            t.bias = job->bias ? job->bias + g * s->oc * bytes : NULL;
            if (c->pixel_panels)
                fetch_tile(job, n, first, end, from + strip, strip, b - b0, b1 - b0);
            for (int64_t j = from; j < corr_min(from + strip, s->w.out); j += vectors) {
                j = corr_min(j, s->w.out - vectors);
                for (int64_t a = first; a < corr_min(first + s->h.dilation, end); a++)
                    run_down(job, &t, a, end, j, vectors, x, job->packed + b * bundle_bytes(s, c), y);
            }
        }
}

corr_status corr_run_group_lanes(const corr_problem *s, const corr_choice *c, const void *x,
                                 const void *packed, const void *bias, void *y,
                                 const corr_call *call) {
    int32_t index[CORR_GROUP_CHANNELS * CORR_MAX_LANES];
    fill_index(s, c->kernels, index);
    lane_job job = {
        .s = s, .choice = c, .x = x, .packed = packed, .bias = bias, .y = y, .index = index,
        .bundles = corr_ceil_div(s->groups, corr_group_bundle(s, c->kernels)),
        .row_items = corr_ceil_div(s->h.out, c->item_rows),
    };
    job.bundle_items = corr_ceil_div(job.bundles, c->channel_panels);
    return corr_parallel(run_item, &job, s->n * job.row_items * job.bundle_items, call);
}
