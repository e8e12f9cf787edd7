/* 3x3 at stride 1 by Winograd's F(4, 3) or F(2, 3), fused: what a block of tiles becomes at
 * each step stays in L2, and no transformed image is ever written. A dilated one is several that
 * are not (winograd_parts.c); one of another size is a sum of blocks of 3x3, whose terms follow one
 * another as those of more input channels would.
 *
 *   item: some tiles of all images, some panels of output channels
 *     for c: V_LANES input channels   V[point][tile][c] = the tiles' transform (L2)
 *     for o: some panels of channels
 *       for each point                M[point][tile][o] = V[point] times U[point], the
 *                                     transformed weights (from L2 or L3, as they are stored)
 *       y = inverse of M, with bias and activation
 *
 * The vectors always run over channels: no map is too small to fill them. V is made of
 * lines as the micro-kernel `gemm_lines` reads them; where there are few channels, a line
 * holds several points. Images of planes are turned into pixels of V_LANES channels, a row
 * of tiles at a time, and back.
 *
 * A tile with an output that is not finite is computed again, term by term.
 */
#include "../plan/plan.h"
#include "winograd.h"

#include <string.h>

/* Of one row, staged together: patches of 25 KB in L1, and outputs that are whole lines. */
enum { MAX_ROW_TILES = 16, ROW_TILES_STEP = 4 };

typedef struct winograd_job {
    const corr_problem *s;
    const corr_choice *choice;
    const corr_winograd_kernels *kernels;
    const char *x, *w, *packed, *bias;
    char *y, *workspace;
    corr_winograd_sizes sizes;
    int64_t across, down; /* tiles of an image */
    int64_t blocks, bands;
    int64_t threads;
    corr_line_steps x_steps, y_steps;
    int64_t terms, channels, blocks_across; /* of the kernel's blocks */
    int64_t phase_rows, phase_columns; /* phases of a dilation in an image, */
    int64_t x_phase[2], y_phase[2];    /* and from a row or column of them to the next */
} winograd_job;

/* What the products of an item fetch meanwhile. */
typedef struct winograd_ahead {
    corr_line_list x, y;
    int64_t products; /* still to come */
} winograd_ahead;

typedef struct winograd_item {
    const winograd_job *job;
    const char *x, *w, *packed, *bias; /* of the group */
    char *y;
    char *v, *m, *patch, *pixels, *panel, *taps;
    int64_t first, end; /* tiles */
    int64_t height;     /* of them in one product */
    winograd_ahead *ahead;
} winograd_item;

/* Tiles that lie in one row of one image. */
typedef struct tile_run {
    int64_t n, i, j, count; /* tile (i, j) and those after it */
    int64_t at;             /* of the first in the item */
} tile_run;

static int64_t outputs_of(const corr_choice *c) { return c->points - 2; }

static int64_t tiles_of(const corr_problem *s, const corr_choice *c) {
    return s->n * corr_ceil_div(s->h.out, outputs_of(c)) * corr_ceil_div(s->w.out, outputs_of(c));
}

enum { MOST_TAPS = 9 }; /* a side of a kernel */

static int accepts(const corr_problem *s) {
    return s->dtype == CORR_F32 && s->h.kernel >= 2 && s->h.kernel <= MOST_TAPS && s->w.kernel >= 2 &&
           s->w.kernel <= MOST_TAPS && s->h.stride == 1 && s->w.stride == 1 && corr_winograd_fits_phases(s) && s->ic > 0;
}

/* An odd number of cache lines, so that the points of a tile spread over the sets of L1. */
static int64_t odd_lines(int64_t floats) { return (corr_ceil_div(floats, 16) | 1) * 16; }

static corr_winograd_sizes make_sizes(const corr_problem *s, const corr_choice *c) {
    const int64_t lanes = c->kernels->lanes, points = c->points * c->points;
    corr_winograd_sizes z = {.panel = 0};
    const int64_t kc = corr_round_up(c->depth, lanes);
    z.tiles = corr_min(c->tiles, tiles_of(s, c));
    const int64_t in_row = corr_min(z.tiles, corr_ceil_div(s->w.out, outputs_of(c)));
    const int64_t runs = corr_ceil_div(in_row, MAX_ROW_TILES);
    z.row_tiles = corr_min(in_row, corr_round_up(corr_ceil_div(in_row, runs), ROW_TILES_STEP));
    z.points_a_line = corr_max(1, (CORR_LINE - 16) / kc);
    z.line = odd_lines(z.tiles * CORR_LINE);
    z.blocks_of_terms = corr_ceil_div(corr_winograd_terms(s, c->kernels), c->depth);
    z.v = z.line * corr_ceil_div(points * z.blocks_of_terms, z.points_a_line);
    z.m_tile = corr_min(c->inverse_panels * c->vectors * lanes, corr_round_up(s->oc, lanes));
    z.m_point = odd_lines(z.tiles * z.m_tile);
    z.m = z.m_point * points;
    z.patch_row = (z.row_tiles * outputs_of(c) + 2) * lanes;
    z.patch = corr_round_up(z.patch_row * c->points, 16);
    z.pixels = corr_round_up(outputs_of(c) * outputs_of(c) * z.row_tiles * lanes, 16);
    if (c->packs_late) {
        z.panel = points * corr_winograd_point_floats(c->depth, c->vectors * lanes);
        z.taps = corr_winograd_taps_floats(c);
    }
    return z;
}

static int64_t scratch_floats(const corr_winograd_sizes *z) {
    return z->v + z->m + z->patch + z->pixels + z->panel + z->taps;
}

/* Parts of a dilation are cut into items each on its own. */
static corr_choice choose_part(const corr_problem *s, const corr_winograd_part *p, const corr_choice *c,
                               int threads) {
    corr_choice own = *c;
    if (s->h.dilation > 1 || s->w.dilation > 1)
        corr_choose_winograd_split(&p->s, threads, &own);
    return own;
}

static int64_t workspace_bytes(const corr_problem *s, const corr_choice *c, int threads) {
    corr_winograd_part parts[CORR_WINOGRAD_PARTS];
    const int count = corr_winograd_parts(s, parts);
    int64_t most = 0;
    for (int i = 0; i < count; i++) {
        const corr_choice own = choose_part(s, &parts[i], c, threads);
        const corr_winograd_sizes z = make_sizes(&parts[i].s, &own);
        most = corr_max(most, scratch_floats(&z));
    }
    return threads * most * (int64_t)sizeof(float);
}

/* The run of tiles that begins with the block's tile `at`. */
static tile_run make_run(const winograd_item *item, int64_t at) {
    const winograd_job *job = item->job;
    const int64_t tile = item->first + at, row = tile / job->across;
    tile_run r = {row / job->down, row % job->down, tile % job->across, 0, at};
    r.count = corr_min(job->across - r.j, corr_min(job->sizes.row_tiles, item->end - tile));
    return r;
}

static int64_t image_at(const winograd_job *job, int64_t n, const int64_t *stride, const int64_t phase[2]) {
    return corr_winograd_image(job->phase_rows, job->phase_columns, n, stride, phase);
}

/* Where in x the patch of a run begins, and in y its outputs. */
static int64_t patch_at(const winograd_item *item, const tile_run *r, int64_t c) {
    const corr_problem *s = item->job->s;
    const int64_t *xs = s->x_stride, outputs = outputs_of(item->job->choice);
    return image_at(item->job, r->n, xs, item->job->x_phase) + c * xs[2] + (r->i * outputs - s->h.pad) * xs[3] +
           (r->j * outputs - s->w.pad) * xs[4];
}

static int64_t outputs_at(const winograd_item *item, const tile_run *r, int64_t o) {
    const int64_t *ys = item->job->s->y_stride, outputs = outputs_of(item->job->choice);
    return image_at(item->job, r->n, ys, item->job->y_phase) + o * ys[2] + r->i * outputs * ys[3] + r->j * outputs * ys[4];
}

void corr_winograd_stage(const corr_kernels *k, const corr_winograd_patch *p, const char *x, const int64_t *stride,
                         int64_t channels, int clear, char *patch) {
    const int64_t r0 = corr_max(0, -p->h), r1 = corr_min(p->rows, p->h_in - p->h);
    const int64_t lo = corr_max(0, -p->w), hi = corr_min(p->width, p->w_in - p->w);
    if (clear && (r0 > 0 || r1 < p->rows || lo > 0 || hi < p->width))
        memset(patch, 0, (size_t)(p->pitch * p->rows * k->bytes));
    if (lo >= hi || channels <= 0)
        return;
    for (int64_t i = r0; i < r1; i++)
        k->lanes_in(x + (i * stride[3] + lo * stride[4]) * k->bytes, stride[4], stride[2], hi - lo,
                    corr_min(k->lanes, channels), patch + (i * p->pitch + lo * k->lanes) * k->bytes, p->ahead);
}

/* The pixels that a run of tiles sees, lanes of the channels from term on, zero where they are
 * padding: those are set once, for all channels of a block of the kernel. */
static void stage_patch(const winograd_item *item, const tile_run *r, int64_t term) {
    const corr_problem *s = item->job->s;
    const corr_choice *choice = item->job->choice;
    const int64_t all = item->job->channels, across = item->job->blocks_across;
    const int64_t block = term < all ? 0 : term / all, c = term - block * all;
    const int64_t p = block / across * 3, q = block % across * 3;
    const int64_t *xs = s->x_stride, outputs = outputs_of(choice);
    const int64_t from = patch_at(item, r, c) + p * xs[3] + q * xs[4];
    const corr_winograd_patch patch = {
        .h = r->i * outputs - s->h.pad + p, .w = r->j * outputs - s->w.pad + q, .rows = choice->points,
        .width = r->count * outputs + 2, .h_in = s->h.in, .w_in = s->w.in, .pitch = item->job->sizes.patch_row,
    };
    corr_winograd_stage(choice->kernels, &patch, item->x + from * choice->kernels->bytes, xs, s->ic - c, c == 0,
                        item->patch);
}

/* Where in V point e of block `block` of the terms begins. */
static int64_t point_offset(const winograd_job *job, int64_t block, int64_t e) {
    const corr_winograd_sizes *z = &job->sizes;
    const int64_t kc = corr_round_up(job->choice->depth, job->choice->kernels->lanes);
    const int64_t slot = block * job->choice->points * job->choice->points + e;
    return slot / z->points_a_line * z->line + slot % z->points_a_line * kc;
}

static void transform_tiles(const winograd_item *item) {
    const winograd_job *job = item->job;
    const corr_choice *c = job->choice;
    const int64_t lanes = c->kernels->lanes, bytes = c->kernels->bytes;
    int32_t offsets[36];
    tile_run r;
    for (int64_t t = 0; t < item->end - item->first; t += r.count) {
        r = make_run(item, t);
        for (int64_t ic = 0; ic < job->terms; ic += lanes) {
            for (int e = 0; ic % c->depth == 0 && e < c->points * c->points; e++)
                offsets[e] = (int32_t)point_offset(job, ic / c->depth, e);
            stage_patch(item, &r, ic);
            job->kernels->input(item->patch, job->sizes.patch_row, lanes, r.count,
                                item->v + (t * CORR_LINE + ic % c->depth) * bytes, CORR_LINE, offsets);
        }
    }
}

/* The lines that the next product fetches: outputs first; pixels last, to stay until then. */
static const void *take_lines(winograd_ahead *ahead, const int32_t **offsets) {
    static const int32_t none[CORR_LINE];
    corr_line_list *x = &ahead->x, *y = &ahead->y;
    const int64_t products = ahead->products--;
    corr_line_list *from = NULL;
    if (y->next < y->count)
        from = y;
    else if (x->next < x->count && x->count - x->next >= products)
        from = x;
    *offsets = from ? from->steps->offsets : none;
    return from ? from->at[from->next++] : none;
}

/* What a block of terms gives M of point e for one panel of channels, whose weights are u, at column
 * `to` of M. */
static void multiply_terms(const winograd_item *item, int64_t e, int64_t block, const char *u, int64_t width,
                           int64_t to) {
    const winograd_job *job = item->job;
    const corr_winograd_sizes *z = &job->sizes;
    const corr_choice *c = job->choice;
    const corr_kernels *k = c->kernels;
    const int64_t tiles = item->end - item->first, bytes = k->bytes, v = width / k->lanes - 1;
    const corr_store store = {.accumulate = block > 0};
    const char *a = item->v + point_offset(job, block, e) * bytes;
    for (int64_t t = 0; t < tiles; t += item->height) {
        const int64_t rows = corr_min(item->height, tiles - t);
        const int32_t *ahead_offsets;
        const void *ahead = take_lines(item->ahead, &ahead_offsets);
        k->gemm_lines[v][rows - 1](corr_min(c->depth, job->terms - block * c->depth),
                                   a + t * CORR_LINE * bytes, u, width,
                                   item->m + (e * z->m_point + t * z->m_tile + to) * bytes,
                                   z->m_tile, width, &store, ahead, ahead_offsets);
    }
}

/* A tile again, term by term, straight into y. */
static void redo_tile(const winograd_item *item, const tile_run *r, int64_t o, int64_t channels) {
    const corr_choice *c = item->job->choice;
    const int64_t outputs = outputs_of(c), bytes = c->kernels->bytes;
    corr_problem s = *item->job->s;
    s.oc = channels;
    s.h.pad -= r->i * outputs;
    s.w.pad -= r->j * outputs;
    s.h.out = corr_min(outputs, s.h.out - r->i * outputs);
    s.w.out = corr_min(outputs, s.w.out - r->j * outputs);
    const int64_t image = image_at(item->job, r->n, s.x_stride, item->job->x_phase);
    c->kernels->plain(&s, c->cb, c->kc, item->x + image * bytes,
                      item->w + o * s.w_stride[1] * bytes,
                      item->bias ? item->bias + o * bytes : NULL,
                      item->y + outputs_at(item, r, o) * bytes, 0);
}

/* V_LANES channels of a run of tiles, from M to y; zero if some output is not finite. */
static int invert_run(const winograd_item *item, const tile_run *r, const char *m, int64_t o,
                      int64_t channels) {
    const winograd_job *job = item->job;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t *ys = s->y_stride, outputs = outputs_of(job->choice), bytes = k->bytes;
    const int64_t rows = corr_min(outputs, s->h.out - r->i * outputs);
    const int64_t columns = corr_min(r->count * outputs, s->w.out - r->j * outputs);
    const corr_winograd_sizes *z = &job->sizes;
    const corr_store store = {.activation = s->activation,
                              .bias = item->bias ? item->bias + o * bytes : NULL};
    char *y = item->y + outputs_at(item, r, o) * bytes;
    m += r->at * z->m_tile * bytes;
    if (ys[2] == 1)
        return job->kernels->output(m, z->m_point, z->m_tile, r->count, y, ys[3], ys[4], rows,
                                    columns, channels, &store);
    const int64_t row = r->count * outputs * k->lanes;
    const int finite = job->kernels->output(m, z->m_point, z->m_tile, r->count, item->pixels, row,
                                            k->lanes, outputs, r->count * outputs, channels,
                                            &store);
    for (int64_t i = 0; i < rows; i++)
        k->lanes_out(item->pixels + i * row * bytes, columns, channels, y + i * ys[3] * bytes,
                     ys[4], ys[2], 0);
    return finite;
}

static void invert_tiles(const winograd_item *item, const char *m, int64_t o, int64_t channels) {
    tile_run r;
    for (int64_t t = 0; t < item->end - item->first; t += r.count) {
        r = make_run(item, t);
        if (invert_run(item, &r, m, o, channels))
            continue;
        for (int64_t i = 0; i < r.count; i++) {
            const tile_run one = {r.n, r.i, r.j + i, 1, r.at + i};
            if (!invert_run(item, &one, m, o, channels))
                redo_tile(item, &one, o, channels);
        }
    }
}

static winograd_item make_item(const winograd_job *job, int64_t index, int worker) {
    const corr_problem *s = job->s;
    const int64_t bytes = job->choice->kernels->bytes, g = index / job->bands / job->blocks;
    const corr_winograd_sizes *z = &job->sizes;
    winograd_item item = {.job = job};
    item.x = job->x + g * s->x_stride[1] * bytes;
    item.y = job->y + g * s->y_stride[1] * bytes;
    item.w = job->w + g * s->w_stride[0] * bytes;
    item.bias = job->bias ? job->bias + g * s->oc * bytes : NULL;
    item.packed = job->packed;
    if (item.packed)
        item.packed += g * corr_winograd_group_floats(s, job->choice) * bytes;
    item.v = job->workspace + worker * scratch_floats(z) * bytes;
    item.m = item.v + z->v * bytes;
    item.patch = item.m + z->m * bytes;
    item.pixels = item.patch + z->patch * bytes;
    item.panel = item.pixels + z->pixels * bytes;
    item.taps = item.panel + z->panel * bytes;
    item.first = index / job->bands % job->blocks * z->tiles;
    item.end = corr_min(item.first + z->tiles, tiles_of(s, job->choice));
    const int64_t tiles = item.end - item.first;
    item.height = corr_ceil_div(tiles, corr_ceil_div(tiles, job->choice->rows));
    return item;
}

/* The pixels of an item, as far as they are in the image. */
static void list_pixels(const winograd_item *item, corr_line_list *list) {
    const winograd_job *job = item->job;
    const corr_problem *s = job->s;
    const int64_t *xs = s->x_stride, outputs = outputs_of(job->choice);
    const int64_t bytes = job->choice->kernels->bytes, points = outputs + 2;
    tile_run r;
    for (int64_t t = 0; t < item->end - item->first; t += r.count) {
        r = make_run(item, t);
        const int64_t h = r.i * outputs - s->h.pad, w = r.j * outputs - s->w.pad;
        const int64_t h0 = corr_max(0, h), w0 = corr_max(0, w);
        const int64_t rows = corr_min(h + points, s->h.in) - h0;
        const int64_t columns = corr_min(w + r.count * outputs + 2, s->w.in) - w0;
        const int64_t image = image_at(job, r.n, xs, job->x_phase);
        const char *x = item->x + (image + h0 * xs[3] + w0 * xs[4]) * bytes;
        for (int64_t c = 0; columns > 0 && c < s->ic; c += xs[2] == 1 ? s->ic : job->choice->depth)
            corr_list_lines(list, x + c * xs[2] * bytes, rows, xs[3] * bytes,
                            columns * xs[4] * bytes);
    }
}

static void list_outputs(const winograd_item *item, int64_t o, int64_t channels,
                         corr_line_list *list) {
    const winograd_job *job = item->job;
    const corr_problem *s = job->s;
    const int64_t *ys = s->y_stride, outputs = outputs_of(job->choice);
    const int64_t bytes = job->choice->kernels->bytes;
    list->count = list->next = 0;
    tile_run r;
    for (int64_t t = 0; t < item->end - item->first; t += r.count) {
        r = make_run(item, t);
        const int64_t rows = corr_min(outputs, s->h.out - r.i * outputs);
        const int64_t columns = corr_min(r.count * outputs, s->w.out - r.j * outputs);
        for (int64_t c = 0; c < channels; c += ys[2] == 1 ? channels : job->choice->depth)
            corr_list_lines(list, item->y + outputs_at(item, &r, o + c) * bytes, rows,
                            ys[3] * bytes, columns * ys[4] * bytes);
    }
}

/* Before the products of the item of this index, whose panels are [p0, p1). */
static void look_ahead(const winograd_item *item, int64_t index, int64_t panels) {
    const winograd_job *job = item->job;
    const corr_choice *c = job->choice;
    const int64_t tiles = item->end - item->first;
    winograd_ahead *ahead = item->ahead;
    ahead->x = (corr_line_list){.steps = &job->x_steps};
    ahead->y = (corr_line_list){.steps = &job->y_steps};
    ahead->products = panels * c->points * c->points * corr_ceil_div(tiles, item->height) *
                      job->sizes.blocks_of_terms;
    /* Threads take item by item. */
    if (index + job->threads < job->s->groups * job->blocks * job->bands) {
        const winograd_item next = make_item(job, index + job->threads, 0);
        list_pixels(&next, &ahead->x);
    }
}

/* M for a panel at column `to`, whose weights are packed now. */
static void pack_and_multiply(const winograd_item *item, int64_t panel, int64_t to) {
    const winograd_job *job = item->job;
    const corr_choice *c = job->choice;
    const int64_t width = corr_winograd_panel_width(job->s, c, panel);
    for (int64_t block = 0; block < job->sizes.blocks_of_terms; block++) {
        const int64_t first = block * c->depth, terms = corr_min(c->depth, job->terms - first);
        corr_winograd_pack_panel(job->s, c, item->w, panel, first, terms, item->taps, item->panel);
        for (int64_t e = 0; e < c->points * c->points; e++)
            multiply_terms(item, e, block,
                           item->panel + e * corr_winograd_point_floats(terms, width) * c->kernels->bytes, width, to);
    }
}

/* M for the panels [p, end). */
static void multiply_panels(const winograd_item *item, int64_t p, int64_t end) {
    const winograd_job *job = item->job;
    const corr_choice *c = job->choice;
    const int64_t panel_width = c->vectors * c->kernels->lanes, bytes = c->kernels->bytes;
    for (int64_t q = p; c->packs_late && q < end; q++)
        pack_and_multiply(item, q, (q - p) * panel_width);
    for (int64_t e = 0; !c->packs_late && e < c->points * c->points; e++)
        for (int64_t q = p; q < end; q++) {
            const int64_t width = corr_winograd_panel_width(job->s, c, q);
            const char *u = item->packed + corr_winograd_panel_offset(job->s, c, q, e) * bytes;
            for (int64_t block = 0; block < job->sizes.blocks_of_terms; block++)
                multiply_terms(item, e, block, u + block * c->depth * width * bytes, width, (q - p) * panel_width);
        }
}

static void multiply_block(void *context, int64_t index, int worker, corr_run_state *run) {
    const winograd_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t lanes = c->kernels->lanes, panel_width = c->vectors * lanes;
    winograd_ahead ahead;
    winograd_item item = make_item(job, index, worker);
    const int64_t panels = corr_ceil_div(s->oc, panel_width);
    const int64_t p0 = index % job->bands * c->channel_panels;
    const int64_t p1 = corr_min(p0 + c->channel_panels, panels);
    item.ahead = &ahead;
    transform_tiles(&item);
    look_ahead(&item, index, p1 - p0);
    for (int64_t p = p0; p < p1 && !corr_should_stop(run); p += c->inverse_panels) {
        const int64_t end = corr_min(p + c->inverse_panels, p1), o = p * panel_width;
        list_outputs(&item, o, corr_min(end * panel_width, s->oc) - o, &ahead.y);
        multiply_panels(&item, p, end);
        /* Tiles done again take long. */
        for (int64_t i = o; i < corr_min(end * panel_width, s->oc) && !corr_should_stop(run); i += lanes)
            invert_tiles(&item, item.m + (i - o) * c->kernels->bytes, i, corr_min(lanes, s->oc - i));
    }
}

static corr_status run_part(const corr_problem *whole, const corr_winograd_part *p, const corr_choice *c,
                            const char *x, const void *w, const void *packed, const void *bias, char *y,
                            void *workspace, const corr_call *call) {
    const corr_problem *s = &p->s;
    const int64_t bytes = c->kernels->bytes, *xs = whole->x_stride, *ys = whole->y_stride;
    winograd_job job = {
        .s = s, .choice = c, .x = x + p->x * bytes, .w = w, .packed = packed, .bias = bias,
        .y = y + p->y * bytes, .kernels = &c->kernels->winograd[c->points == 4],
        .workspace = workspace, .sizes = make_sizes(s, c),
        .across = corr_ceil_div(s->w.out, outputs_of(c)),
        .down = corr_ceil_div(s->h.out, outputs_of(c)),
        .threads = call->threads, .terms = corr_winograd_terms(s, c->kernels),
        .channels = corr_winograd_channels(s, c->kernels), .blocks_across = corr_winograd_blocks(&s->w),
        .phase_rows = p->rows, .phase_columns = p->columns,
        .x_phase = {xs[3], xs[4]}, .y_phase = {ys[3], ys[4]},
    };
    const int64_t at_once = c->inverse_panels * c->vectors * c->kernels->lanes;
    job.x_steps = corr_make_line_steps(c->depth, corr_min(s->ic, c->depth), s->x_stride[2], s->x_stride[4]);
    job.y_steps = corr_make_line_steps(c->depth, corr_min(s->oc, at_once), s->y_stride[2],
                                       s->y_stride[4]);
    job.blocks = corr_ceil_div(tiles_of(s, c), job.sizes.tiles);
    job.bands = corr_ceil_div(corr_ceil_div(s->oc, c->vectors * c->kernels->lanes),
                              c->channel_panels);
    return corr_parallel(multiply_block, &job, s->groups * job.blocks * job.bands, call);
}

static corr_status run(const corr_problem *s, const corr_choice *c, const void *x, const void *w,
                       const void *packed, const void *bias, void *y, void *workspace,
                       const corr_call *call) {
    corr_winograd_part parts[CORR_WINOGRAD_PARTS];
    const int count = corr_winograd_parts(s, parts);
    corr_status status = CORR_OK;
    for (int i = 0; i < count && status == CORR_OK; i++) {
        const corr_choice own = choose_part(s, &parts[i], c, call->threads);
        status = run_part(s, &parts[i], &own, x, w, packed, bias, y, workspace, call);
    }
    return status;
}

const corr_engine corr_winograd_engine = {
    "winograd", CORR_WINOGRAD, accepts, corr_winograd_packed_bytes, corr_winograd_pack,
    workspace_bytes, run,
};
