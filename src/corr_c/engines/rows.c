/* Without im2col: some rows of the input are copied once, padded and split into the phases
 * of the stride, and every tap of a row of outputs is then a row of that slab, at an offset.
 *
 *   item: image n, group g, some rows of outputs, some panels of output channels
 *     slab[c][row][phase][column] of all channels' input rows (L2)
 *     for pc: KC terms
 *       for o: panel of channels of W, packed beforehand (L1)
 *         for i: row, for j: NR of its pixels -> micro-kernel -> y
 *
 * For rows that fill vectors, where a panel of im2col would be used by few channels.
 */
#include "../plan/plan.h"

#include <string.h>

typedef struct slab {
    int64_t rows;                /* of input, a channel */
    int64_t row, phase, channel; /* elements from one to the next */
} slab;

typedef struct rows_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *x, *packed, *bias;
    char *y, *workspace;
    int64_t blocks, bands;
    int64_t scratch_bytes;
    const int32_t *offsets; /* of each term in the slab */
    slab slab;
    int contiguous; /* do a row's outputs follow one another? */
} rows_job;

static int accepts(const corr_problem *s) {
    (void)s;
    return 1;
}

static slab make_slab(const corr_problem *s, const corr_choice *c) {
    const int64_t lanes = c->kernels->lanes, out_rows = corr_min(c->pixel_panels, s->h.out);
    slab b;
    b.rows = (out_rows - 1) * s->h.stride + (s->h.kernel - 1) * s->h.dilation + 1;
    b.phase = corr_round_up(
        corr_round_up(s->w.out, lanes) + (s->w.kernel - 1) * s->w.dilation / s->w.stride, lanes);
    b.row = b.phase * s->w.stride;
    b.channel = b.rows * b.row;
    /* Channels a multiple of a page apart would meet in the same sets of L1. */
    if (b.channel * c->kernels->bytes % 4096 < 64)
        b.channel += lanes;
    return b;
}

static int64_t slab_bytes(const corr_problem *s, const corr_choice *c) {
    return corr_round_up(make_slab(s, c).channel * s->ic * c->kernels->bytes, 64);
}

static int64_t offset_bytes(const corr_problem *s) {
    return corr_round_up(corr_terms(s) * (int64_t)sizeof(int32_t), 64);
}

static int64_t workspace_bytes(const corr_problem *s, const corr_choice *c, int threads) {
    return threads * slab_bytes(s, c) + offset_bytes(s);
}

static void fill_offsets(const corr_problem *s, const slab *b, int32_t *offsets) {
    for (int64_t p = 0; p < s->h.kernel; p++)
        for (int64_t q = 0; q < s->w.kernel; q++) {
            const int64_t v = q * s->w.dilation;
            int64_t at = p * s->h.dilation * b->row + v % s->w.stride * b->phase + v / s->w.stride;
            for (int64_t c = 0; c < s->ic; c++, at += b->channel)
                *offsets++ = (int32_t)at;
        }
}

/* One phase of one input row, from the image's row x; NULL: a row of padding. */
static void fill_row(const rows_job *job, const char *x, int64_t phase, char *to) {
    const corr_problem *s = job->s;
    const int64_t bytes = job->choice->kernels->bytes, width = job->slab.phase;
    const int64_t start = phase - s->w.pad, stride = s->w.stride;
    int64_t lo = start >= 0 ? 0 : corr_min(corr_ceil_div(-start, stride), width);
    int64_t hi = x && start < s->w.in ? corr_min(corr_ceil_div(s->w.in - start, stride), width) : 0;
    if (hi <= lo)
        lo = hi = 0;
    memset(to, 0, (size_t)(lo * bytes));
    if (lo < hi)
        job->choice->kernels->copy(to + lo * bytes, x + (start + lo * stride) * s->x_stride[4] * bytes,
                                   stride * s->x_stride[4], hi - lo);
    memset(to + hi * bytes, 0, (size_t)((width - hi) * bytes));
}

static void fill_slab(const rows_job *job, const char *x, int64_t first, int64_t count, char *to) {
    const corr_problem *s = job->s;
    const slab *b = &job->slab;
    const int64_t bytes = job->choice->kernels->bytes;
    const int64_t rows = (count - 1) * s->h.stride + (s->h.kernel - 1) * s->h.dilation + 1;
    for (int64_t c = 0; c < s->ic; c++, x += s->x_stride[2] * bytes, to += b->channel * bytes)
        for (int64_t r = 0; r < rows; r++) {
            const int64_t h = first * s->h.stride - s->h.pad + r;
            const int inside = h >= 0 && h < s->h.in;
            for (int64_t f = 0; f < s->w.stride; f++)
                fill_row(job, inside ? x + h * s->x_stride[3] * bytes : NULL, f,
                         to + (r * b->row + f * b->phase) * bytes);
        }
}

static void multiply_row(const rows_job *job, const corr_pixel_tile *panel, int64_t i, int64_t pc,
                         int64_t pc_end, const char *x, char *y, const corr_store *store) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t per_panel = corr_panel_pixels(job->choice);
    int64_t k0, k1;
    corr_row_terms(s, i, i, &k0, &k1);
    k0 = corr_max(k0, pc);
    k1 = corr_min(k1, pc_end);
    corr_pixel_tile t = *panel;
    t.terms = corr_max(k1 - k0, 0);
    if (t.terms) {
        t.w += k0 * t.channels * k->bytes;
        t.offsets += k0;
    }
    for (int64_t j = 0; j < s->w.out; j += per_panel) {
        t.pixel = i * s->w.out + j;
        t.at = i * s->y_stride[3] + j;
        t.pixels = corr_min(per_panel, s->w.out - j);
        t.x = x + j * k->bytes;
        corr_multiply_pixels(s, k, &t, y, job->contiguous, store);
    }
}

static void multiply_rows(void *context, int64_t index, int worker, corr_run_state *run) {
    const rows_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t bytes = c->kernels->bytes, terms = corr_terms(s);
    const int64_t band = index % job->bands, block = index / job->bands % job->blocks;
    const int64_t image = index / job->bands / job->blocks;
    const int64_t g = image % s->groups, n = image / s->groups;
    const int64_t first = block * c->pixel_panels, end = corr_min(first + c->pixel_panels, s->h.out);
    const int64_t o0 = band * c->channel_panels * c->rows;
    const int64_t o1 = corr_min(o0 + c->channel_panels * c->rows, s->oc);
    const char *w = job->packed + g * corr_packed_group_bytes(s, c);
    const char *bias = job->bias ? job->bias + g * s->oc * bytes : NULL;
    char *y = job->y + (n * s->y_stride[0] + g * s->y_stride[1]) * bytes;
    char *x = job->workspace + worker * job->scratch_bytes;
    fill_slab(job, job->x + (n * s->x_stride[0] + g * s->x_stride[1]) * bytes, first, end - first, x);
    for (int64_t pc = 0; pc < terms && !corr_should_stop(run); pc += c->kc) {
        const int64_t pc_end = corr_min(pc + c->kc, terms);
        for (int64_t o = o0; o < o1; o += c->rows) {
            const corr_store store =
                corr_make_store(s, pc, pc_end == terms, bias ? bias + o * bytes : NULL);
            corr_pixel_tile panel = {.channels = corr_min(c->rows, o1 - o),
                                     .w = w + o * terms * bytes, .offsets = job->offsets};
            for (int64_t i = first; i < end; i++)
                multiply_row(job, &panel, i, pc, pc_end,
                             x + (i - first) * s->h.stride * job->slab.row * bytes,
                             y + o * s->y_stride[2] * bytes, &store);
        }
    }
}

static corr_status run(const corr_problem *s, const corr_choice *c, const void *x, const void *w,
                       const void *packed, const void *bias, void *y, void *workspace,
                       const corr_call *call) {
    (void)w;
    const slab b = make_slab(s, c);
    int32_t *offsets = (int32_t *)workspace;
    fill_offsets(s, &b, offsets);
    rows_job job = {
        .s = s, .choice = c, .x = x, .packed = packed, .bias = bias, .y = y,
        .workspace = (char *)workspace + offset_bytes(s),
        .blocks = corr_ceil_div(s->h.out, c->pixel_panels),
        .bands = corr_ceil_div(corr_ceil_div(s->oc, c->rows), c->channel_panels),
        .scratch_bytes = slab_bytes(s, c), .offsets = offsets, .slab = b,
        .contiguous = s->y_stride[4] == 1,
    };
    return corr_parallel(multiply_rows, &job, s->n * s->groups * job.blocks * job.bands, call);
}

const corr_engine corr_rows_engine = {
    "rows", CORR_DIRECT, accepts, corr_packed_bytes, corr_pack, workspace_bytes, run,
};
