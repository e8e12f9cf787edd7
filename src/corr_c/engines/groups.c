/* Groups of few channels: nothing of the image is packed, since so few output channels would
 * not repay it; kernels/groups.h reads the planes where they lie.
 *
 *   item: image n, some groups, some rows of their outputs
 *     for group, for block of rows (whose input stays in L1)
 *       for panel of output channels, for vectors of columns -> kernel, down the rows
 *
 * Rows of outputs that one vector holds go several to a tile, but those at the upper and lower
 * edge, which have not all their taps. Channels-last: group_lanes.c.
 */
#include "groups.h"

typedef struct group_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *x, *packed, *bias;
    char *y;
    int64_t row_items, group_items; /* of one image */
} group_job;

/* Some rows of outputs of one group. */
typedef struct group_rows {
    const char *x, *w, *bias;
    char *y;
    int64_t first, end;
    int64_t whole, whole_end; /* rows that have all rows of taps in the image */
} group_rows;

static int accepts(const corr_problem *s) { return s->ic <= CORR_GROUP_CHANNELS; }

static int64_t packed_bytes(const corr_problem *s, const corr_choice *c) {
    return c->channel_lanes ? corr_group_lanes_bytes(s, c) : corr_packed_bytes(s, c);
}

static corr_status pack(const corr_problem *s, const corr_choice *c, const void *w, void *packed,
                        int *finite, const corr_call *call) {
    return c->channel_lanes ? corr_pack_group_lanes(s, c, w, packed, finite)
                            : corr_pack(s, c, w, packed, finite, call);
}

static int64_t no_workspace(const corr_problem *s, const corr_choice *choice, int threads) {
    (void)s;
    (void)choice;
    (void)threads;
    return 0;
}

static corr_group make_group(const corr_problem *s) {
    corr_group t = {
        .channels = s->ic, .kh = s->h.kernel, .kw = s->w.kernel, .x_channel = s->x_stride[2],
        .x_row = s->h.dilation * s->x_stride[3], .x_tap = s->w.dilation,
        .y_channel = s->y_stride[2], .row_tap = s->h.dilation, .row_end = s->h.in,
        .column_tap = s->w.dilation, .activation = s->activation,
    };
    return t;
}

/* `count` tiles from output row i, column j on, `rows` rows each. */
static void run_tiles(const group_job *job, const group_rows *b, corr_group_kernel *kernel,
                      corr_group *t, int64_t i, int64_t j, int64_t rows, int64_t count) {
    const corr_problem *s = job->s;
    const int64_t bytes = job->choice->kernels->bytes, at = j * s->w.stride - s->w.pad;
    const int64_t h = i * s->h.stride - s->h.pad;
    t->count = count;
    t->row = h;
    t->row_next = rows * s->h.stride;
    t->x_next = t->row_next * s->x_stride[3];
    t->y_next = rows * s->y_stride[3];
    t->columns = s->w.out - j;
    t->column_lo = -at;
    t->column_hi = s->w.in - at;
    kernel(t, b->x + (h * s->x_stride[3] + at) * bytes, b->w,
           b->y + (i * s->y_stride[3] + j) * bytes);
}

static int64_t widest(corr_group_kernel *const *kernels, int64_t most) {
    int64_t v = corr_min(most, CORR_MAX_VECTORS);
    while (!kernels[v - 1])
        v--;
    return v;
}

/* A vector a row, several rows a tile. */
static void run_down(const group_job *job, const group_rows *b, corr_group_kernel *const *kernels,
                     corr_group *t) {
    const corr_problem *s = job->s;
    t->x_vector = s->h.stride * s->x_stride[3];
    t->y_vector = s->y_stride[3];
    for (int64_t i = b->first, end; i < b->end; i = end) {
        const int inside = i >= b->whole && i < b->whole_end;
        end = corr_min(b->end, inside ? b->whole_end : i < b->whole ? b->whole : b->end);
        const int64_t v = inside ? widest(kernels, end - i) : 1, count = (end - i) / v;
        run_tiles(job, b, kernels[v - 1], t, i, 0, v, count);
        end = i + count * v;
    }
}

static void run_along(const group_job *job, const group_rows *b, corr_group_kernel *const *kernels,
                      corr_group *t) {
    const corr_problem *s = job->s;
    const int64_t lanes = job->choice->kernels->lanes;
    t->x_vector = s->w.stride * lanes;
    t->y_vector = t->column_vector = lanes;
    for (int64_t j = 0, v; j < s->w.out; j += v * lanes) {
        v = widest(kernels, corr_ceil_div(s->w.out - j, lanes));
        run_tiles(job, b, kernels[v - 1], t, b->first, j, 1, b->end - b->first);
    }
}

/* The panels of a block of rows; the last is cut into those that there are kernels for. */
static void run_panels(const group_job *job, group_rows *b) {
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t bytes = c->kernels->bytes;
    const group_rows first = *b;
    corr_group t = make_group(s);
    t.epilogue = b->bias || s->activation != CORR_LINEAR;
    for (int64_t o = 0, rows; o < s->oc; o += rows) {
        const int64_t panel = o / c->rows * c->rows;
        t.w_width = corr_min(c->rows, s->oc - panel);
        rows = corr_group_rows(c->kernels, panel + t.w_width - o);
        t.bias = first.bias ? first.bias + o * bytes : NULL;
        b->w = first.w + (panel * corr_terms(s) + o - panel) * bytes;
        b->y = first.y + o * s->y_stride[2] * bytes;
        corr_group_kernel *const *kernels = c->kernels->group[s->w.stride - 1][rows - 1];
        (s->w.out <= c->kernels->lanes ? run_down : run_along)(job, b, kernels, &t);
    }
    *b = first;
}

static void run_item(void *context, int64_t index, int worker, corr_run_state *run) {
    const group_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t bytes = c->kernels->bytes, end_tap = (s->h.kernel - 1) * s->h.dilation;
    const int64_t first = index % job->row_items * c->item_rows;
    const int64_t end = corr_min(first + c->item_rows, s->h.out);
    const int64_t n = index / job->row_items / job->group_items;
    const int64_t g0 = index / job->row_items % job->group_items * c->channel_panels;
    const int64_t g1 = corr_min(g0 + c->channel_panels, s->groups);
    const int64_t whole = corr_ceil_div(corr_max(s->h.pad, 0), s->h.stride);
    const int64_t room = s->h.in + s->h.pad - end_tap;
    (void)worker;
    for (int64_t g = g0; g < g1 && !corr_should_stop(run); g++) {
        group_rows b = {
            .x = job->x + (n * s->x_stride[0] + g * s->x_stride[1]) * bytes,
            .y = job->y + (n * s->y_stride[0] + g * s->y_stride[1]) * bytes,
            .w = job->packed + g * corr_packed_group_bytes(s, c),
            .bias = job->bias ? job->bias + g * s->oc * bytes : NULL,
            .whole = whole, .whole_end = room > 0 ? corr_ceil_div(room, s->h.stride) : 0,
        };
        for (b.first = first; b.first < end; b.first = b.end) {
            b.end = corr_min(b.first + c->pixel_panels, end);
            run_panels(job, &b);
        }
    }
}

static corr_status run(const corr_problem *s, const corr_choice *c, const void *x, const void *w,
                       const void *packed, const void *bias, void *y, void *workspace,
                       const corr_call *call) {
    (void)w;
    (void)workspace;
    if (c->channel_lanes)
        return corr_run_group_lanes(s, c, x, packed, bias, y, call);
    group_job job = {
        .s = s, .choice = c, .x = x, .packed = packed, .bias = bias, .y = y,
        .row_items = corr_ceil_div(s->h.out, c->item_rows),
        .group_items = corr_ceil_div(s->groups, c->channel_panels),
    };
    return corr_parallel(run_item, &job, s->n * job.row_items * job.group_items, call);
}

const corr_engine corr_groups_engine = {
    "groups", CORR_DIRECT, accepts, packed_bytes, pack, no_workspace, run,
};
