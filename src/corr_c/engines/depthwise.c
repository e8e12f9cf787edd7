/* One input channel a group: depthwise layers and filters for pictures. Neither pixels are
 * packed nor planes padded: kernels/stencil*.h read them where they lie.
 *
 *   item: some planes (image n, groups g), some rows of their outputs
 *     for strip: some vectors of columns; planes -> the rows, from the top
 *
 * Two orders of memory: planes (a lane a column) and channels-last (a lane a channel). All else
 * takes the first. Where the ISA has bands, channels-last images and wide planes go in those
 * (depthwise_bands.c); what has neither band nor march goes in blocks (depthwise_blocks.c). Planes that
 * fill few lanes of their rows' vectors become channels-last on the way (depthwise_turned.c).
 */
#include "depthwise.h"

#include <string.h>

typedef struct stencil_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *x, *w, *lanes_w, *bias; /* w: the packed weights; of a lane a channel */
    char *y, *slabs;
    int64_t row_items; /* of one run of planes */
    corr_stencil_kernel *const *marches;
    const corr_band *band; /* of planes, instead of a march */
    corr_block_scratch scratch; /* if there is neither */
    corr_stencil blocks;
    const int32_t *offsets;
} stencil_job;

static int accepts(const corr_problem *s) { return s->ic == 1; }

static int64_t taps(const corr_problem *s) { return s->h.kernel * s->w.kernel; }

/* [g][o][p][q], and, for a lane a channel, [p][q][g] in whole vectors: of all channels, or block by block
 * of a band's vectors, or of one. */
static int64_t plane_weights(const corr_problem *s, const corr_choice *c) {
    return corr_round_up(s->groups * s->oc * taps(s) * c->kernels->bytes, 64);
}

static int64_t lane_block(const corr_problem *s, const corr_choice *c) {
    const corr_band *band = corr_shape_band(s, c);
    const int64_t lanes = c->kernels->lanes, all = corr_round_up(s->groups, lanes);
    return band ? band->vectors * lanes : corr_weights_apart(s, c->kernels) ? lanes : all;
}

static int64_t packed_bytes(const corr_problem *s, const corr_choice *c) {
    const int64_t width = corr_round_up(s->groups, lane_block(s, c));
    return plane_weights(s, c) + (c->channel_lanes ? taps(s) * width * c->kernels->bytes : 0);
}

static corr_status pack(const corr_problem *s, const corr_choice *c, const void *w, void *packed,
                        int *finite, const corr_call *call) {
    const corr_kernels *k = c->kernels;
    const int64_t *ws = s->w_stride, kh = s->h.kernel, kw = s->w.kernel;
    const int64_t all = s->groups * s->oc * kh * kw;
    const int even = (kh == 1 || ws[3] == kw * ws[4]); /* are a kernel's taps evenly spaced? */
    char *to = packed;
    (void)call;
    for (int64_t g = 0; g < s->groups; g++)
        for (int64_t o = 0; o < s->oc; o++) {
            const char *from = (const char *)w + (g * ws[0] + o * ws[1]) * k->bytes;
            for (int64_t p = 0; p < (even ? 1 : kh); p++) {
                const int64_t n = even ? kh * kw : kw;
                k->copy(to, from + p * ws[3] * k->bytes, ws[4], n);
                to += n * k->bytes;
            }
        }
    *finite = k->pack_weights(packed, all, all, 1, 1, 1, 1, 0, 0, 0, packed);
    const corr_band *band = corr_shape_band(s, c);
    const int64_t block = lane_block(s, c);
    for (int64_t g = 0; c->channel_lanes && g < s->groups; g += block) {
        /* The last may overlap the block before it. */
        const int64_t first = band || c->turned ? corr_min(g, s->groups - block) : g;
        k->pack_weights((char *)packed + first * kh * kw * k->bytes, corr_min(block, s->groups - first),
                        block, 1, kh, kw, kh * kw, kh * kw, kw, 1,
                        (char *)packed + plane_weights(s, c) + g * kh * kw * k->bytes);
    }
    return CORR_OK;
}

void corr_limit_rows(corr_stencil *t, int64_t h, int64_t step, int64_t in, int64_t most) {
    t->row_lo = h >= 0 ? 0 : corr_min(corr_ceil_div(-h, step), most);
    t->row_hi = h >= in ? 0 : corr_min(corr_ceil_div(in - h, step), most);
}

static int in_planes(const corr_problem *s) {
    return s->x_stride[4] == 1 && s->y_stride[4] == 1;
}

/* What a march has of a kernel: an entry a number of vectors, or NULL. */
static corr_stencil_kernel *const *marches(const corr_problem *s, const corr_kernels *k, int kind) {
    if (!in_planes(s) || !corr_marches(s, k))
        return NULL;
    return k->march[kind][s->h.kernel / 2 - 1][s->h.stride - 1];
}

static const corr_band *plane_band(const corr_problem *s, const corr_kernels *k) {
    return in_planes(s) ? corr_find_plane_band(s, k) : NULL;
}

int64_t corr_depthwise_workspace(const corr_problem *s, const corr_choice *c, int threads) {
    if (corr_find_band(s, c))
        return 0;
    if (corr_in_lanes(s, c) ? corr_lane_marches(s, c->kernels) != NULL
                            : plane_band(s, c->kernels) || marches(s, c->kernels, CORR_STENCIL_SHARED))
        return 0;
    const corr_block_scratch b = corr_make_block_scratch(s, c);
    return b.offsets + threads * b.bytes;
}

static corr_stencil make_stencil(const corr_problem *s) {
    const int64_t d = s->h.dilation;
    corr_stencil t = {
        .kh = s->h.kernel, .kw = s->w.kernel, .step = s->w.stride, .dilation = s->w.dilation,
        .planes = 1, .columns = s->w.out, .w_row = s->w.kernel, .w_tap = 1,
        .w_plane = s->oc * taps(s), .bias_plane = s->oc, .x_plane = s->x_stride[1],
        .y_plane = s->y_stride[1], .x_row = d * s->x_stride[3], .y_row = d * s->y_stride[3],
        .x_tap = s->w.dilation * s->x_stride[4], .activation = s->activation,
    };
    if (s->groups == 1) { /* several kernels on one picture */
        t.w_plane = taps(s);
        t.bias_plane = 1;
        t.x_plane = 0;
        t.y_plane = s->y_stride[2];
    }
    return t;
}

/* Some planes, from output row `first` to `end`. */
typedef struct planes {
    const char *x, *w, *bias;
    char *y;
    int64_t count, first, end;
    int64_t after; /* rows that come next */
} planes;

static void skip_planes(const corr_stencil *t, int64_t count, int64_t bytes, planes *b) {
    b->x += count * t->x_plane * bytes;
    b->y += count * t->y_plane * bytes;
    b->w += count * t->w_plane * bytes;
    b->bias = b->bias ? b->bias + count * t->bias_plane * bytes : NULL;
    b->count -= count;
}

/* The march of columns from output j on, whose columns of x begin at `at`. */
static void march(const stencil_job *job, corr_stencil_kernel *kernel, corr_stencil *t, int64_t j,
                  int64_t at, const planes *b) {
    const corr_problem *s = job->s;
    const int64_t d = s->h.dilation, bytes = job->choice->kernels->bytes;
    t->column_lo = -at;
    t->column_hi = s->w.in - at;
    t->bias = b->bias;
    t->planes = b->count;
    t->x_far = b->after ? (b->end - b->first) * s->h.stride * s->x_stride[3] : 0;
    t->y_far = b->after ? (b->end - b->first) * s->y_stride[3] : 0;
    /* Rows a dilation apart have taps in common, the others nothing. */
    for (int64_t i = b->first; i < corr_min(b->first + d, b->end); i++) {
        const int64_t h = i * s->h.stride - s->h.pad;
        t->rows = corr_ceil_div(b->end - i, d);
        corr_limit_rows(t, h, d, s->h.in, (t->rows - 1) * s->h.stride + s->h.kernel);
        kernel(t, b->x + (h * s->x_stride[3] + at * s->x_stride[4]) * bytes, b->w,
               b->y + (i * s->y_stride[3] + j * s->y_stride[4]) * bytes);
    }
}

/* Several narrow planes at a time, as many as come out even. */
static void march_narrow(const stencil_job *job, corr_stencil *t, planes *b) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t lanes = k->lanes, step = s->w.stride, reach = s->w.kernel / 2;
    const int64_t at = reach - s->w.pad, lo = -at, hi = s->w.in - at;
    if (lo < 0 || hi > step * lanes || s->w.out > lanes)
        return;
    t->pair = lanes - s->w.out;
    const int slack = s->w.kernel == 7 && lo == 0 && hi == s->w.out; /* a lane less will do */
    /* Neither meets the other's pixels, and no output lies between them: their biases differ. */
    const int pair = t->pair >= s->w.out && step * t->pair + lo + slack > step * (s->w.out - 1) + reach &&
                     step * t->pair - reach + slack >= hi && hi <= step * s->w.out;
    for (int kind = pair ? CORR_STENCIL_PAIR : CORR_STENCIL_OWN; kind >= CORR_STENCIL_OWN; kind--)
        for (int v = CORR_MAX_VECTORS; v >= 1; v--) {
            corr_stencil_kernel *kernel = marches(s, k, kind)[v - 1];
            const int together = kind == CORR_STENCIL_PAIR ? 2 * v : v;
            if (!kernel || b->count < together)
                continue;
            planes some = *b;
            some.count -= b->count % together;
            t->x_ahead = together * t->x_plane;
            t->y_ahead = together * t->y_plane;
            march(job, kernel, t, 0, at, &some);
            skip_planes(t, some.count, k->bytes, b);
        }
}

static void march_strips(const stencil_job *job, corr_stencil *t, planes *b) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t lanes = k->lanes, all = corr_ceil_div(s->w.out, lanes);
    corr_stencil_kernel *const *kernels = marches(s, k, CORR_STENCIL_SHARED);
    int64_t most = CORR_MAX_VECTORS;
    march_narrow(job, t, b);
    if (b->count == 0)
        return;
    while (!kernels[most - 1])
        most--;
    const int64_t vectors = corr_ceil_div(all, corr_ceil_div(all, most)), step = s->w.stride;
    /* Strips of several kernels share their pixels in L1; those of one plane come together. */
    const int64_t together = vectors == all || t->x_plane == 0 ? b->count : 1;
    const int64_t rows_ahead = corr_stencil_rows_ahead(s);
    while (b->count) {
        planes some = *b;
        some.count = together;
        for (int64_t j = 0, width; j < s->w.out; j += width) {
            width = corr_min(vectors * lanes, s->w.out - j);
            const int last = j + width == s->w.out;
            t->columns = width;
            t->x_ahead = rows_ahead ? rows_ahead * t->x_row : last ? t->x_plane - j * step : width * step;
            t->y_ahead = rows_ahead ? rows_ahead * t->y_row : last ? t->y_plane - j : width;
            march(job, kernels[corr_ceil_div(width, lanes) - 1], t, j,
                  j * step - s->w.pad + s->w.kernel / 2, &some);
        }
        skip_planes(t, together, k->bytes, b);
    }
}

/* Of image n, `count` groups from g on. */
static void filter(const stencil_job *job, int64_t n, int64_t g, int64_t count, int64_t first,
                   int64_t end, int64_t after) {
    const corr_problem *s = job->s;
    const int64_t bytes = job->choice->kernels->bytes;
    for (int64_t o = 0; o < (s->groups == 1 ? 1 : s->oc); o++) {
        corr_stencil t = make_stencil(s);
        planes b = {
            .x = job->x + (n * s->x_stride[0] + g * s->x_stride[1]) * bytes,
            .y = job->y + (n * s->y_stride[0] + g * s->y_stride[1] + o * s->y_stride[2]) * bytes,
            .w = job->w + (g * s->oc + o) * taps(s) * bytes,
            .bias = job->bias ? job->bias + (g * s->oc + o) * bytes : NULL,
            .count = s->groups == 1 ? s->oc : count, .first = first, .end = end,
            .after = after,
        };
        if (!job->band)
            march_strips(job, &t, &b);
        for (; job->band && b.count; skip_planes(&t, 1, bytes, &b))
            corr_filter_plane(s, job->choice->kernels, job->band, b.x, b.w, b.bias, b.y, first, end);
    }
}

static void filter_blocks(const stencil_job *job, corr_stencil *t, int64_t n, int64_t g, int64_t count,
                          int64_t first, int64_t end, int worker) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int lanes = job->scratch.blocks.unit > 1;
    const int64_t w_plane = lanes && !corr_weights_apart(s, k) ? 1 : s->oc * taps(s);
    const corr_planes planes = {
        .x = job->x + (n * s->x_stride[0] + g * s->x_stride[1]) * k->bytes,
        .y = job->y + (n * s->y_stride[0] + g * s->y_stride[1]) * k->bytes,
        .w = (lanes ? job->lanes_w : job->w) + g * w_plane * k->bytes,
        .bias = job->bias ? job->bias + g * s->oc * k->bytes : NULL,
        .slab = job->slabs + worker * job->scratch.bytes, .offsets = job->offsets,
        .count = count, .kernels = s->oc, .w_plane = w_plane * k->bytes,
        .w_kernel = taps(s) * k->bytes, .y_plane = s->y_stride[1] * k->bytes,
        .y_kernel = s->y_stride[2] * k->bytes,
    };
    corr_filter_blocks(s, k, &job->scratch, t, &planes, first, end);
}

static void filter_planes(void *context, int64_t index, int worker, corr_run_state *run) {
    const stencil_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t first = index % job->row_items * c->pixel_panels;
    const int64_t end = corr_min(first + c->pixel_panels, s->h.out);
    const int64_t plane = index / job->row_items * c->channel_panels;
    const int64_t last = corr_min(plane + c->channel_panels, s->n * s->groups);
    const int64_t rows = corr_min(corr_stencil_rows(s, c), c->pixel_panels);
    corr_stencil t = job->blocks;
    for (int64_t i = plane, count; i < last && !corr_should_stop(run); i += count) {
        const int64_t n = i / s->groups, g = i % s->groups;
        count = corr_min(last - i, s->groups - g);
        if (!job->marches && !job->band) {
            count = corr_min(count, job->scratch.blocks.planes);
            filter_blocks(job, &t, n, g, count, first, end, worker);
            continue;
        }
        for (int64_t a = first; a < end && !corr_should_stop(run); a += rows)
            filter(job, n, g, count, a, corr_min(a + rows, end), end - corr_min(a + rows, end));
    }
}

/* Channels-last: an item is some vectors of channels of one image. */
static void filter_lanes(void *context, int64_t index, int worker, corr_run_state *run) {
    const stencil_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const corr_kernels *k = c->kernels;
    const int64_t bytes = k->bytes, per_image = corr_ceil_div(s->groups, k->lanes);
    const int64_t first = index % job->row_items * c->pixel_panels;
    const int64_t end = corr_min(first + c->pixel_panels, s->h.out);
    const int64_t plane = index / job->row_items * c->channel_panels;
    const int64_t last = corr_min(plane + c->channel_panels, s->n * per_image);
    int64_t most = CORR_MAX_VECTORS;
    corr_stencil t = make_stencil(s);
    (void)worker;
    while (!job->marches[most - 1])
        most--;
    most = s->w.out < most ? 1 : most;
    t.w_tap = corr_round_up(s->groups, k->lanes);
    t.w_row = s->w.kernel * t.w_tap;
    t.x_vector = s->w.stride * s->x_stride[4];
    t.y_vector = s->y_stride[4];
    for (int64_t j = 0; j < s->w.out; j += most) {
        j = corr_min(j, s->w.out - most); /* the last strip overlaps the one before it */
        for (int64_t i = plane; i < last && !corr_should_stop(run); i++) {
            const int64_t n = i / per_image, g = i % per_image * k->lanes;
            const planes b = {
                .x = job->x + (n * s->x_stride[0] + g) * bytes,
                .y = job->y + (n * s->y_stride[0] + g) * bytes,
                .w = job->lanes_w + g * bytes,
                .bias = job->bias ? job->bias + g * bytes : NULL,
                .count = 1, .first = first, .end = end,
            };
            t.columns = corr_min(k->lanes, s->groups - g);
            march(job, job->marches[most - 1], &t, j, j * s->w.stride - s->w.pad, &b);
        }
    }
}

static void filter_lanes_blocks(void *context, int64_t index, int worker, corr_run_state *run) {
    const stencil_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t lanes = c->kernels->lanes, per_image = corr_ceil_div(s->groups, lanes);
    const int64_t first = index % job->row_items * c->pixel_panels;
    const int64_t end = corr_min(first + c->pixel_panels, s->h.out);
    const int64_t plane = index / job->row_items * c->channel_panels;
    const int64_t last = corr_min(plane + c->channel_panels, s->n * per_image);
    const int64_t rows = corr_max(job->scratch.blocks.rows, job->scratch.blocks.image ? 24 : 1);
    corr_stencil t = job->blocks;
    for (int64_t a = first; a < end; a += rows)
        for (int64_t i = plane, count; i < last && !corr_should_stop(run); i += count) {
            const int64_t g = i % per_image * lanes;
            count = corr_min(last - i, per_image - i % per_image);
            filter_blocks(job, &t, i / per_image, g, corr_min(count * lanes, s->groups - g), a,
                          corr_min(a + rows, end), worker);
        }
}

corr_status corr_run_depthwise(const corr_problem *s, const corr_choice *c, const void *x, const void *w,
                               const void *lanes_w, const void *bias, void *y, void *workspace,
                               const corr_call *call) {
    const int lanes = corr_in_lanes(s, c);
    if (corr_find_band(s, c))
        return corr_filter_bands(s, c, x, lanes_w, bias, y, call);
    stencil_job job = {
        .s = s, .choice = c, .x = x, .w = w, .lanes_w = lanes_w, .bias = bias, .y = y,
        .row_items = corr_ceil_div(s->h.out, c->pixel_panels),
        .marches = lanes ? corr_lane_marches(s, c->kernels) : marches(s, c->kernels, CORR_STENCIL_SHARED),
    };
    job.band = lanes ? NULL : plane_band(s, c->kernels);
    if (!job.marches && !job.band) {
        job.scratch = corr_make_block_scratch(s, c);
        corr_fill_block_offsets(s, &job.scratch, workspace);
        job.offsets = workspace;
        job.blocks = corr_make_block_stencil(s, c->kernels, &job.scratch, bias != NULL);
        job.slabs = (char *)workspace + job.scratch.offsets;
        if (s->w.out < job.scratch.blocks.strip) /* lanes beyond the last column */
            memset(job.slabs, 0, (size_t)(call->threads * job.scratch.bytes));
    }
    const int64_t planes = s->n * (lanes ? corr_ceil_div(s->groups, c->kernels->lanes) : s->groups);
    return corr_parallel(!lanes ? filter_planes : job.marches ? filter_lanes : filter_lanes_blocks, &job,
                         corr_ceil_div(planes, c->channel_panels) * job.row_items, call);
}

static int turns(const corr_problem *s, const corr_choice *c) { return c->turned && in_planes(s); }

static int64_t workspace_bytes(const corr_problem *s, const corr_choice *c, int threads) {
    return (turns(s, c) ? corr_turned_workspace : corr_depthwise_workspace)(s, c, threads);
}

static corr_status run(const corr_problem *s, const corr_choice *c, const void *x, const void *w,
                       const void *packed, const void *bias, void *y, void *workspace,
                       const corr_call *call) {
    const char *lanes_w = (const char *)packed + plane_weights(s, c);
    (void)w;
    if (turns(s, c))
        return corr_filter_turned(s, c, x, lanes_w, bias, y, workspace, call);
    return corr_run_depthwise(s, c, x, packed, lanes_w, bias, y, workspace, call);
}

const corr_engine corr_depthwise_engine = {
    "depthwise", CORR_DIRECT, accepts, packed_bytes, pack, workspace_bytes, run,
};
