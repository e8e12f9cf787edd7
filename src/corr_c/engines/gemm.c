/* Convolution as a matrix product W (OC x K) times X (K x pixels), X = im2col(x), which is
 * never written: its rows are runs of x itself (1x1) or of a slab of it (slab.c), and so are
 * its columns where the image is channels-last.
 *
 *   item: image n, group g, some pixels, some panels of output channels
 *     for cb: block of input channels           fill the slab (L2)
 *       for pc: KC of its terms k = (p, q, c)
 *         for some panels of pixels               pack them (L2), or read them in place
 *           for o: panel of channels of W, packed beforehand, or here if few items need it
 *             for panel of pixels -> micro-kernel -> y
 *
 * In a tile the vectors run over pixels and the rows over channels, or the other way
 * (choice->channel_lanes): for channels-last, and for maps too small to fill vectors. Then
 * planes are written by way of a buffer [pixel][channel] that is transposed at the end; and
 * channels-last outputs of the former by one [channel][pixel].
 */
#include "gemm.h"

static int accepts(const corr_problem *s) {
    (void)s;
    return 1;
}

static int64_t workspace_bytes(const corr_problem *s, const corr_choice *c, int threads) {
    corr_scratch scratch = corr_make_scratch(s, c);
    return scratch.offsets + threads * scratch.bytes;
}

static gemm_item make_item(const gemm_job *job, int64_t index, int worker) {
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const corr_blocks *b = &job->blocks;
    const int64_t bytes = c->kernels->bytes;
    const int64_t pixels = c->pixel_panels * corr_panel_pixels(c);
    const int64_t channels = c->channel_panels * corr_panel_channels(c);
    const int64_t band = index % b->bands, column = index / b->bands % b->columns;
    const int64_t row = index / b->bands / b->columns % b->rows;
    const int64_t image = index / b->bands / b->columns / b->rows;
    const int64_t g = image % s->groups, n = image / s->groups;
    gemm_item item = {.job = job, .g = g};
    item.x = job->x + (n * s->x_stride[0] + g * s->x_stride[1]) * bytes;
    item.y = job->y + (n * s->y_stride[0] + g * s->y_stride[1]) * bytes;
    item.w = job->packed ? job->packed + g * corr_packed_group_bytes(s, c) : NULL;
    item.bias = job->bias ? job->bias + g * s->oc * bytes : NULL;
    item.slab = job->workspace + worker * job->scratch.bytes;
    item.sums = item.slab + job->scratch.slab;
    item.own_panel = item.sums + job->scratch.sums;
    item.pixels = item.own_panel + job->scratch.panel;
    item.panels = (corr_panel *)(void *)(item.pixels + job->scratch.pixels);
    item.start = column * pixels;
    item.length = corr_min(pixels, (c->by_rows ? s->w.out : corr_pixels(s)) - item.start);
    item.runs = 1;
    if (c->by_rows) {
        item.row = row * c->item_rows;
        item.runs = item.rows = corr_min(c->item_rows, s->h.out - item.row);
        item.start += item.row * s->w.out;
    } else {
        item.row = item.start / s->w.out;
        item.rows = (item.start + item.length - 1) / s->w.out + 1 - item.row;
    }
    item.o0 = band * channels;
    item.o1 = corr_min(item.o0 + channels, s->oc);
    item.ld_sums = c->channel_lanes ? corr_round_up(item.o1 - item.o0, c->kernels->lanes)
                                    : corr_sums_row(c, item.runs * item.length);
    corr_make_panels(&item);
    return item;
}

/* Of the block's terms those that the panel has in the image. */
static int64_t own_terms(const gemm_item *item, const corr_panel *t, int64_t *k0) {
    const int64_t row = item->job->s->w.kernel * item->channels;
    *k0 = corr_max(t->p0 * row, item->pc);
    return corr_max(corr_min(t->p1 * row, item->pc_end) - *k0, 0);
}

/* Panel o of the weights, from the block of channels on. */
static const char *weights(const gemm_item *item, int64_t o, int64_t width) {
    const corr_problem *s = item->job->s;
    if (item->job->choice->packs_late)
        return item->own_panel;
    const int64_t before = item->c0 * s->h.kernel * s->w.kernel;
    return item->w + (o * corr_terms(s) + before * width) * item->job->choice->kernels->bytes;
}

/* Weights that come after those of panel o, of the tile's share of it: a network's layer finds its own
 * in memory, and a panel's tiles leave that idle. */
static const char *weights_ahead(const gemm_item *item, int64_t o, int64_t width, int64_t j) {
    const corr_choice *c = item->job->choice;
    const int64_t bytes = c->kernels->bytes, next = o + corr_panel_channels(c);
    const int64_t terms = item->pc_end - item->pc, lines = (j - item->j0) * terms * CORR_CACHE_LINE;
    if (c->packs_late || lines >= terms * width * bytes)
        return NULL;
    if (next < item->o1)
        return weights(item, next, width) + item->pc * width * bytes + lines;
    return weights(item, item->o0, corr_panel_channels(c)) + item->pc_end * width * bytes + lines;
}

static char *packed_pixels(const gemm_item *item, int64_t j) {
    return item->pixels + (j - item->j0) * item->job->scratch.pixel_panel;
}

/* Terms that are copied at a time, for all panels: panels that share cache lines take them from
 * L1, and a plane's row of pixels is read from end to end. */
enum { PACKED_TERMS = 32 };

static void pack_terms(const gemm_item *item, int64_t j, int64_t from, int64_t end) {
    const gemm_job *job = item->job;
    const corr_choice *c = job->choice;
    const corr_kernels *k = c->kernels;
    const corr_panel *p = &item->panels[j];
    const int64_t pitch = corr_round_up(p->pixels, c->channel_lanes ? 1 : k->lanes);
    const int64_t before = item->c0 * job->s->x_stride[2];
    const char *x = job->direct ? item->x + (p->x + before) * k->bytes : item->slab + p->x * k->bytes;
    int64_t k0;
    const int64_t k1 = own_terms(item, p, &k0) + k0, first = corr_max(k0, from);
    k->gather(corr_min(k1, end) - first, p->pixels, x, item->offsets + first,
              packed_pixels(item, j) + (first - k0) * pitch * k->bytes, pitch);
}

static void pack_pixels(const gemm_item *item) {
    for (int64_t k = item->pc; k < item->pc_end; k += PACKED_TERMS)
        for (int64_t j = item->j0; j < item->j1; j++)
            pack_terms(item, j, k, corr_min(k + PACKED_TERMS, item->pc_end));
}

/* All channels of all the item's pixels. */
static void store_pixels(const gemm_item *item) {
    const gemm_job *job = item->job;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const corr_store plain = {0};
    for (int64_t r = 0; r < item->runs; r++) {
        const int64_t pixel = item->start + r * s->w.out, *ys = s->y_stride;
        const int64_t at = pixel / s->w.out * ys[3] + pixel % s->w.out * ys[4];
        k->transpose(item->o1 - item->o0, item->length, item->sums + r * item->length * k->bytes,
                     item->ld_sums, item->y + (at + item->o0) * k->bytes, ys[4], &plain);
    }
}

static void fetch_pixels(const gemm_item *item, const corr_panel *p) {
    const corr_problem *s = item->job->s;
    const int64_t bytes = item->job->choice->kernels->bytes, row = s->x_stride[2] * bytes;
    corr_fetch_runs(item->x + p->x * bytes + item->c0 * row, row, item->channels, p->pixels * bytes);
}

static void multiply_pixels(const gemm_item *item, int64_t o, int64_t channels) {
    const gemm_job *job = item->job;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t bytes = k->bytes;
    corr_store store =
        corr_make_store(s, !item->first, item->last, item->bias ? item->bias + o * bytes : NULL);
    char *y = item->y + o * s->y_stride[2] * bytes;
    const char *w = weights(item, o, channels);
    if (job->turned)
        y = item->sums + (o - item->o0) * item->ld_sums * bytes;
    for (int64_t j = item->j0; j < item->j1; j++) {
        const corr_panel *p = &item->panels[j];
        corr_pixel_tile t = {.pixel = p->pixel, .at = p->at, .pixels = p->pixels,
                             .channels = channels};
        int64_t k0;
        t.terms = own_terms(item, p, &k0);
        t.w = w + k0 * channels * bytes;
        store.ahead = weights_ahead(item, o, channels, j);
        if (job->fetches && o == item->o0 && item->pc == 0 && j + 1 < item->count)
            fetch_pixels(item, p + 1);
        if (job->choice->packed_panels) {
            t.ldb = corr_round_up(p->pixels, k->lanes);
            t.x = packed_pixels(item, j);
        } else if (job->direct && p->pixels % k->lanes == 0) {
            t.ldb = s->x_stride[2];
            t.x = item->x + (p->x + (item->c0 + k0) * t.ldb) * bytes;
        } else if (job->direct) { /* whose vectors would reach past the plane: copied */
            t.ldb = corr_round_up(p->pixels, k->lanes);
            t.x = item->slab + k0 * t.ldb * bytes;
        } else {
            t.offsets = item->offsets + k0;
            t.x = item->slab + p->x * bytes;
        }
        if (job->turned)
            corr_multiply_tile(k, &t, y + p->before * bytes, item->ld_sums, &store);
        else
            corr_multiply_pixels(s, k, &t, y, job->contiguous, &store);
    }
    if (job->turned && item->last && item->j1 == item->count && o + channels == item->o1)
        store_pixels(item);
}

static void store_planes(const gemm_item *item, int64_t o, int64_t channels) {
    const gemm_job *job = item->job;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t bytes = k->bytes, row = item->length * item->ld_sums * bytes;
    const corr_store store =
        corr_make_store(s, 0, 1, item->bias ? item->bias + o * bytes : NULL);
    char *sums = item->sums + (o - item->o0) * bytes, *y = item->y + o * s->y_stride[2] * bytes;
    for (int64_t r = 0; r < item->runs; r++, sums += row) {
        const int64_t pixel = item->start + r * s->w.out;
        const int64_t at = pixel / s->w.out * s->y_stride[3] + pixel % s->w.out * s->y_stride[4];
        if (job->contiguous)
            k->transpose(item->length, channels, sums, item->ld_sums, y + at * bytes,
                         s->y_stride[2], &store);
        else
            corr_exchange(s, y, pixel, item->length, channels, sums, item->ld_sums, 1, bytes, 1);
    }
}

static void multiply_channels(const gemm_item *item, int64_t o, int64_t channels) {
    const gemm_job *job = item->job;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t bytes = k->bytes;
    const int64_t width = corr_packed_width(job->choice, channels), v = width / k->lanes - 1;
    const int to_planes = !job->channels_last && job->contiguous;
    corr_store store = corr_make_store(s, !item->first, item->last && !to_planes, NULL);
    if (item->last && !to_planes && item->bias) {
        store.column_bias = item->bias + o * bytes;
        store.epilogue = 1;
    }
    const int64_t ldc = job->channels_last ? s->y_stride[4] : item->ld_sums;
    const char *image = item->x + item->c0 * s->x_stride[2] * bytes;
    const char *panel = weights(item, o, width);
    char *sums = item->sums + (o - item->o0) * bytes;
    for (int64_t j = item->j0; j < item->j1; j++) {
        const corr_panel *p = &item->panels[j];
        int64_t k0, terms = own_terms(item, p, &k0);
        const char *w = panel + k0 * width * bytes;
        store.ahead = weights_ahead(item, o, width, j);
        char *to = job->channels_last ? item->y + (p->at + o) * bytes
                                      : sums + p->before * item->ld_sums * bytes;
        if (job->choice->packed_panels) {
            k->gemm[v][p->pixels - 1](terms, packed_pixels(item, j), w, width, to, ldc, channels, &store);
            continue;
        }
        const int in_image = job->direct || p->inside;
        const char *x = (in_image ? image : item->slab) + p->x * bytes;
        const int64_t lda = in_image ? s->w.stride * s->x_stride[4] : job->slab.column;
        const int32_t *offsets = p->inside ? item->inside_offsets : item->offsets;
        k->gemm_points[v][p->pixels - 1](terms, x, lda, offsets + k0, w, width, to, ldc, channels, &store);
    }
    if (item->last && item->j1 == item->count && !job->channels_last)
        store_planes(item, o, channels);
}

/* What of the image the tiles of a block of channels read. */
static void prepare_channels(const gemm_item *item) {
    const gemm_job *job = item->job;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const char *x = item->x + item->c0 * s->x_stride[2] * k->bytes;
    if (job->direct && (job->choice->channel_lanes || job->choice->packed_panels))
        return;
    if (!job->direct) {
        const corr_middle *m = &job->middle;
        const int64_t left = corr_first_column(item), right = corr_max(left, m->end);
        const int64_t end = left + (job->slab.by_rows ? item->length : s->w.out);
        if (left < m->first)
            corr_fill_slab(s, k, &job->slab, x, item->channels, item->row, item->rows, left,
                           corr_min(end, m->first) - left, item->slab);
        if (right < end)
            corr_fill_slab(s, k, &job->slab, x, item->channels, item->row, item->rows, right,
                           end - right, item->slab + corr_right_slab(job) * k->bytes);
        return;
    }
    const corr_panel *last = &item->panels[item->count - 1];
    const corr_rows rest = {.count = 1, .end = 1, .width = last->pixels, .hi = last->pixels,
                            .step = 1};
    if (last->pixels % k->lanes)
        k->pack_rows(&rest, x + last->x * k->bytes, s->x_stride[2], item->channels, item->slab,
                     corr_round_up(last->pixels, k->lanes));
}

static void multiply_panel(const gemm_item *item, int64_t o) {
    const corr_choice *c = item->job->choice;
    const int64_t channels = corr_min(corr_panel_channels(c), item->o1 - o);
    if (c->channel_lanes)
        multiply_channels(item, o, channels);
    else
        multiply_pixels(item, o, channels);
}

/* The next chain of the block's terms: from `pc` on. */
static void set_chain(gemm_item *item, int64_t pc, int64_t terms) {
    const corr_choice *c = item->job->choice;
    item->pc = pc;
    item->pc_end = corr_min(pc + c->kc, terms);
    item->first = item->c0 == 0 && pc == 0;
    item->last = item->c0 + c->cb >= item->job->s->ic && pc + c->kc >= terms;
}

/* Panel by panel, each while it is in the cache that it was packed into. */
static void pack_and_multiply(gemm_item *item, int64_t terms) {
    const gemm_job *job = item->job;
    const corr_choice *c = job->choice;
    item->j1 = item->count;
    set_chain(item, 0, terms);
    if (c->packed_panels)
        pack_pixels(item);
    for (int64_t o = item->o0; o < item->o1; o += corr_panel_channels(c)) {
        if (!corr_pack_panel(job->s, c, job->w, item->g, o, item->c0, item->own_panel))
            corr_set(job->odd, 1);
        for (int64_t pc = 0; pc < corr_max(terms, 1); pc += c->kc) {
            set_chain(item, pc, terms);
            multiply_panel(item, o);
        }
    }
}

static void multiply_item(void *context, int64_t index, int worker, corr_run_state *run) {
    const gemm_job *job = context;
    while (index >= job->items)
        index -= job++->items;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    gemm_item item = make_item(job, index, worker);
    /* Without input channels there is still a bias to be stored. */
    for (item.c0 = 0; item.c0 < corr_max(s->ic, 1) && !corr_should_stop(run); item.c0 += c->cb) {
        item.channels = corr_min(c->cb, s->ic - item.c0);
        item.offsets = item.channels == c->cb ? job->offsets : job->last_offsets;
        item.inside_offsets = item.channels == c->cb ? job->inside_offsets : job->last_inside_offsets;
        const int64_t terms = item.channels * s->h.kernel * s->w.kernel;
        if (terms)
            prepare_channels(&item);
        if (c->packs_late) {
            pack_and_multiply(&item, terms);
            continue;
        }
        for (int64_t pc = 0; pc < corr_max(terms, 1); pc += c->kc) {
            set_chain(&item, pc, terms);
            for (item.j0 = 0; item.j0 < item.count; item.j0 = item.j1) {
                item.j1 = c->packed_panels ? corr_min(item.j0 + c->packed_panels, item.count) : item.count;
                if (c->packed_panels)
                    pack_pixels(&item);
                for (int64_t o = item.o0; o < item.o1; o += corr_panel_channels(c))
                    multiply_panel(&item, o);
            }
        }
    }
}

static void fill_offsets(gemm_job *job, int32_t *to) {
    const corr_problem *s = job->s;
    const int64_t cb = job->choice->cb, last = s->ic - (corr_ceil_div(s->ic, cb) - 1) * cb;
    job->offsets = to;
    job->last_offsets = to + cb * s->h.kernel * s->w.kernel;
    if (job->direct)
        for (int64_t c = 0; c < cb + last; c++)
            to[c] = (int32_t)((c < cb ? c : c - cb) * s->x_stride[2]);
    else if (s->ic) {
        corr_slab_offsets(s, &job->slab, cb, to);
        corr_slab_offsets(s, &job->slab, last, to + cb * s->h.kernel * s->w.kernel);
    }
    if (job->middle.first < job->middle.end) {
        int32_t *inside = to + 2 * cb * s->h.kernel * s->w.kernel;
        const int64_t *xs = s->x_stride;
        job->inside_offsets = inside;
        job->last_inside_offsets = inside + cb * s->h.kernel * s->w.kernel;
        corr_pixel_offsets(s, xs[3], xs[4], xs[2], cb, inside);
        corr_pixel_offsets(s, xs[3], xs[4], xs[2], last, inside + cb * s->h.kernel * s->w.kernel);
    }
}

static gemm_job make_job(const corr_part *part, void *offsets, corr_atomic *odd) {
    const corr_problem *s = part->s;
    const corr_choice *c = part->choice;
    const int64_t *ys = s->y_stride;
    const int flat = c->by_rows || s->h.out == 1 || ys[3] == s->w.out * ys[4];
    gemm_job job = {
        .s = s, .choice = c, .x = part->x, .w = part->w, .packed = part->packed,
        .bias = part->bias, .y = part->y, .odd = odd,
        .blocks = corr_make_blocks(s, c), .scratch = corr_make_scratch(s, c),
        .direct = corr_reads_image(s, c),
        .contiguous = flat && ys[4] == 1, .channels_last = flat && ys[2] == 1,
        .fetches = corr_reads_image(s, c) && !c->packed_panels && corr_fetches_pixels(s, c->kernels),
        .turned = corr_turns_sums(s, c), .middle = corr_find_middle(s, c),
    };
    const corr_blocks *b = &job.blocks;
    job.items = s->n * s->groups * b->rows * b->columns * b->bands;
    job.slab = job.scratch.layout;
    fill_offsets(&job, offsets);
    return job;
}

int64_t corr_parts_workspace(const corr_part *parts, int count, int threads) {
    int64_t offsets = 0, most = 0;
    for (int i = 0; i < count; i++) {
        const corr_scratch scratch = corr_make_scratch(parts[i].s, parts[i].choice);
        offsets += scratch.offsets;
        most = corr_max(most, scratch.bytes);
    }
    return offsets + threads * most;
}

corr_status corr_run_parts(const corr_part *parts, int count, void *workspace,
                           const corr_call *call) {
    gemm_job jobs[CORR_MAX_PARTS];
    corr_atomic odd[CORR_MAX_PARTS];
    char *offsets = workspace;
    int64_t items = 0, most = 0;
    for (int i = 0; i < count; i++) {
        jobs[i] = make_job(&parts[i], offsets, &odd[i]);
        corr_set(&odd[i], !parts[i].finite);
        offsets += jobs[i].scratch.offsets;
        items += jobs[i].items;
        most = corr_max(most, jobs[i].scratch.bytes);
    }
    for (int i = 0; i < count; i++) {
        jobs[i].workspace = offsets;
        jobs[i].scratch.bytes = most;
    }
    corr_status status = corr_parallel(multiply_item, jobs, items, call);
    for (int i = 0; i < count && status == CORR_OK; i++) {
        const corr_part *p = &parts[i];
        if (corr_load(&odd[i]) && corr_has_padding(p->s))
            status = corr_redo_edges(p->s, p->choice, p->x, p->w, p->bias, p->y, call);
    }
    return status;
}

static corr_status run(const corr_problem *s, const corr_choice *c, const void *x, const void *w,
                       const void *packed, const void *bias, void *y, void *workspace,
                       const corr_call *call) {
    const corr_part part = {.s = s, .choice = c, .x = x, .w = w, .bias = bias,
                            .packed = (void *)(uintptr_t)packed, .y = y, .finite = 1};
    return corr_run_parts(&part, 1, workspace, call);
}

static int64_t packed_bytes(const corr_problem *s, const corr_choice *c) {
    return c->packs_late ? 0 : corr_packed_bytes(s, c);
}

static corr_status pack(const corr_problem *s, const corr_choice *c, const void *w, void *packed,
                        int *finite, const corr_call *call) {
    *finite = 1; /* so far */
    return c->packs_late ? CORR_OK : corr_pack(s, c, w, packed, finite, call);
}

const corr_engine corr_gemm_engine = {
    "gemm", CORR_DIRECT, accepts, packed_bytes, pack, workspace_bytes, run,
};
