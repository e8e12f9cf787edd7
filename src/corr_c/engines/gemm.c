/* Convolution as a matrix product whose second factor, im2col(x), exists only as packed
 * panels: W (OC x K) times X (K x pixels), k = (p, q, c).
 *
 *   item: image n, group g, some panels of pixels, some panels of output channels
 *     for pc: KC terms              pack X[pc, pixels] (L2); planes of a 1x1 are read as they lie
 *       for o: panel of channels    of W, packed beforehand
 *         for j: panel of pixels -> micro-kernel -> y
 *
 * In a tile the vectors run over pixels and the rows over channels, or the other way
 * (choice->channel_lanes): for channels-last, and for maps too small to fill vectors. Then
 * planes are written by way of a buffer [pixel][channel] that is transposed at the end.
 */
#include "../plan/plan.h"

typedef struct gemm_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *x, *packed, *bias;
    char *y, *workspace;
    int64_t blocks, bands; /* items of one image: blocks of pixels x bands of channels */
    int64_t scratch_bytes, panel_bytes, sum_bytes;
    int direct;        /* are x's planes rows of the product as they lie? */
    int contiguous;    /* is an output plane one row? */
    int channels_last; /* are the outputs of a tile with its lanes over channels? */
    corr_panels panels;
} gemm_job;

typedef struct gemm_item {
    const gemm_job *job;
    const char *x, *w, *bias;
    char *y, *panels, *sums;
    corr_run *runs;
    int64_t first, end;     /* pixels */
    int64_t o0, o1;         /* channels */
    int64_t pc, k0, k1;     /* the block of terms, and what of it is packed */
    int64_t ld_sums;
    int last;
} gemm_item;

static int accepts(const corr_problem *s) {
    (void)s;
    return 1;
}

/* Pixels of a whole item, and what they take packed; a vector of slack for the last run. */
static int64_t block_pixels(const corr_problem *s, const corr_choice *c) {
    int64_t pixels = corr_min(c->pixel_panels * corr_panel_pixels(c), corr_pixels(s));
    return c->channel_lanes ? pixels : corr_round_up(pixels, c->kernels->lanes);
}

static int64_t panel_bytes(const corr_problem *s, const corr_choice *c) {
    int64_t depth = c->channel_lanes ? CORR_LINE : c->kc;
    return corr_round_up((depth * block_pixels(s, c) + c->kernels->lanes) * c->kernels->bytes, 64);
}

static int64_t sum_bytes(const corr_problem *s, const corr_choice *c) {
    int64_t channels = corr_min(c->channel_panels * corr_panel_channels(c),
                                corr_round_up(s->oc, c->kernels->lanes));
    int64_t sums = c->channel_lanes ? block_pixels(s, c) * channels : 0;
    return corr_round_up(sums * c->kernels->bytes, 64);
}

static int64_t scratch_bytes(const corr_problem *s, const corr_choice *c) {
    int64_t runs = 2 * block_pixels(s, c) + c->kernels->lanes;
    return panel_bytes(s, c) + sum_bytes(s, c) +
           corr_round_up(runs * (int64_t)sizeof(corr_run), 64);
}

static int64_t workspace_bytes(const corr_problem *s, const corr_choice *c, int threads) {
    return threads * scratch_bytes(s, c);
}

static gemm_item make_item(const gemm_job *job, int64_t index, int worker) {
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t bytes = c->kernels->bytes;
    const int64_t pixels = c->pixel_panels * corr_panel_pixels(c);
    const int64_t channels = c->channel_panels * corr_panel_channels(c);
    const int64_t band = index % job->bands, block = index / job->bands % job->blocks;
    const int64_t image = index / job->bands / job->blocks;
    const int64_t g = image % s->groups, n = image / s->groups;
    gemm_item item = {.job = job};
    item.x = job->x + (n * s->x_stride[0] + g * s->x_stride[1]) * bytes;
    item.y = job->y + (n * s->y_stride[0] + g * s->y_stride[1]) * bytes;
    item.w = job->packed + g * corr_packed_group_bytes(s, c);
    item.bias = job->bias ? job->bias + g * s->oc * bytes : NULL;
    item.panels = job->workspace + worker * job->scratch_bytes;
    item.sums = item.panels + job->panel_bytes;
    item.runs = (corr_run *)(void *)(item.sums + job->sum_bytes);
    item.first = block * pixels;
    item.end = corr_min(item.first + pixels, corr_pixels(s));
    item.o0 = band * channels;
    item.o1 = corr_min(item.o0 + channels, s->oc);
    item.ld_sums = corr_round_up(item.o1 - item.o0, c->kernels->lanes);
    return item;
}

/* Of the block's terms those that `count` pixels from `pixel` on have in the image. */
static int64_t own_terms(const gemm_item *item, int64_t pixel, int64_t count, int64_t *k0) {
    int64_t k1;
    corr_panel_terms(item->job->s, pixel, count, k0, &k1);
    *k0 = corr_max(*k0, item->k0);
    return corr_max(corr_min(k1, item->k1) - *k0, 0);
}

static void multiply_pixels(const gemm_item *item, int64_t o, int64_t channels) {
    const gemm_job *job = item->job;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t bytes = k->bytes, per_panel = corr_panel_pixels(job->choice);
    const corr_store store =
        corr_make_store(s, item->pc, item->last, item->bias ? item->bias + o * bytes : NULL);
    const char *panel = item->panels;
    for (int64_t j = item->first; j < item->end; j += per_panel) {
        corr_pixel_tile t = {.pixel = j, .at = j, .pixels = corr_min(per_panel, item->end - j),
                             .channels = channels, .x = panel};
        int64_t k0;
        t.terms = own_terms(item, j, t.pixels, &k0);
        t.w = item->w + (o * corr_terms(s) + k0 * channels) * bytes;
        t.ldb = corr_round_up(t.pixels, k->lanes);
        if (job->direct && t.pixels == t.ldb) {
            t.x = item->x + (j + k0 * s->x_stride[2]) * bytes;
            t.ldb = s->x_stride[2];
        } else {
            panel += (item->k1 - item->k0) * t.ldb * bytes;
            t.x += t.terms ? (k0 - item->k0) * t.ldb * bytes : 0;
        }
        corr_multiply_pixels(s, k, &t, item->y + o * s->y_stride[2] * bytes, job->contiguous, &store);
    }
}

static void multiply_channels(const gemm_item *item, int64_t o, int64_t channels) {
    const gemm_job *job = item->job;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t bytes = k->bytes, per_panel = corr_panel_pixels(job->choice);
    const int64_t width = corr_packed_width(job->choice, channels), v = width / k->lanes - 1;
    const int to_planes = !job->channels_last && job->contiguous;
    corr_store store = corr_make_store(s, item->pc, item->last && !to_planes, NULL);
    if (item->last && !to_planes && item->bias) {
        store.column_bias = item->bias + o * bytes;
        store.epilogue = 1;
    }
    char *sums = item->sums + (o - item->o0) * bytes;
    const char *panel = item->panels;
    for (int64_t j = item->first; j < item->end; j += per_panel) {
        const int64_t pixels = corr_min(per_panel, item->end - j);
        int64_t k0, terms = own_terms(item, j, pixels, &k0);
        const char *x = panel, *w = item->w;
        if (terms) {
            w += (o * corr_terms(s) + k0 * width) * bytes;
            x += (k0 - item->k0) * (job->panels.lines ? 1 : pixels) * bytes;
        }
        char *to = sums + (j - item->first) * item->ld_sums * bytes;
        int64_t ldc = item->ld_sums;
        if (job->channels_last) {
            to = item->y + (j * s->y_stride[4] + o) * bytes;
            ldc = s->y_stride[4];
        }
        (job->panels.lines ? k->gemm_lines : k->gemm)[v][pixels - 1](terms, x, w, width, to, ldc,
                                                                      channels, &store);
        panel += (job->panels.lines ? CORR_LINE : item->k1 - item->k0) * pixels * bytes;
    }
    if (!item->last || job->channels_last)
        return;
    char *y = item->y + o * s->y_stride[2] * bytes;
    if (to_planes) {
        store = corr_make_store(s, 0, 1, item->bias ? item->bias + o * bytes : NULL);
        k->transpose(item->end - item->first, channels, sums, item->ld_sums,
                     y + item->first * bytes, s->y_stride[2], &store);
    } else {
        corr_exchange(s, y, item->first, item->end - item->first, channels, sums, item->ld_sums, 1,
                      bytes, 1);
    }
}

static void multiply_block(void *context, int64_t index, int worker, corr_run_state *run) {
    const gemm_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t terms = corr_terms(s), per_band = corr_panel_channels(c);
    gemm_item item = make_item(job, index, worker);
    /* Planes are read as they lie but for a last panel whose vectors would reach past them. */
    int64_t packed_from = item.first;
    if (job->direct && (item.end - item.first) % c->kernels->lanes == 0)
        packed_from = item.end;
    else if (job->direct)
        packed_from = item.end - (item.end - item.first) % corr_panel_pixels(c);
    int64_t first_term, end_term;
    corr_panel_terms(s, item.first, item.end - item.first, &first_term, &end_term);
    for (item.pc = 0; item.pc < terms && !corr_should_stop(run); item.pc += c->kc) {
        item.last = item.pc + c->kc >= terms;
        item.k0 = corr_max(first_term, item.pc);
        item.k1 = corr_max(corr_min(end_term, item.pc + c->kc), item.k0);
        if (packed_from < item.end && item.k0 < item.k1)
            corr_pack_panels(&job->panels, item.x, item.k0, item.k1, packed_from, item.end,
                             item.panels, item.runs);
        for (int64_t o = item.o0; o < item.o1; o += per_band) {
            const int64_t channels = corr_min(per_band, item.o1 - o);
            if (c->channel_lanes)
                multiply_channels(&item, o, channels);
            else
                multiply_pixels(&item, o, channels);
        }
    }
}

static corr_status run(const corr_problem *s, const corr_choice *c, const void *x, const void *w,
                       const void *packed, const void *bias, void *y, void *workspace,
                       const corr_call *call) {
    (void)w;
    const int64_t *xs = s->x_stride, *ys = s->y_stride;
    const int flat = s->h.out == 1 || ys[3] == s->w.out * ys[4];
    gemm_job job = {
        .s = s, .choice = c, .x = x, .packed = packed, .bias = bias, .y = y,
        .workspace = workspace,
        .blocks = corr_ceil_div(corr_ceil_div(corr_pixels(s), corr_panel_pixels(c)), c->pixel_panels),
        .bands = corr_ceil_div(corr_ceil_div(s->oc, corr_panel_channels(c)), c->channel_panels),
        .scratch_bytes = scratch_bytes(s, c), .panel_bytes = panel_bytes(s, c),
        .sum_bytes = sum_bytes(s, c),
        .direct = !c->channel_lanes && corr_terms(s) == s->ic && s->h.out == 1 && s->h.in == 1 &&
                  s->h.pad == 0 && s->w.pad == 0 && s->w.stride == 1 && xs[4] == 1,
        .contiguous = flat && ys[4] == 1,
        .channels_last = flat && ys[2] == 1,
        .panels = corr_make_panels(s, c),
    };
    return corr_parallel(multiply_block, &job, s->n * s->groups * job.blocks * job.bands, call);
}

const corr_engine corr_gemm_engine = {
    "gemm", CORR_DIRECT, accepts, corr_packed_bytes, corr_pack, workspace_bytes, run,
};
