/* Convolution as a matrix product whose second factor, im2col(x), exists only as packed
 * panels: W (OC x K) times X (K x pixels), k = (p, q, c).
 *
 *   item: image n, group g, some panels of pixels, some panels of output channels
 *     for pc: KC terms              pack X[pc, pixels] (L2)
 *       for o: panel of channels    of W, packed beforehand
 *         for j: panel of pixels -> micro-kernel -> y
 *
 * In a tile the vectors run over pixels and the rows over channels, or the other way
 * (choice->channel_lanes): for channels-last, and for maps too small to fill vectors. Then
 * planes are written by way of a buffer [pixel][channel] that is transposed at the end.
 */
#include "../plan/plan.h"

#include <string.h>

typedef struct gemm_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *x, *packed, *bias;
    char *y, *workspace;
    int64_t blocks, bands; /* items of one image: blocks of pixels x bands of channels */
    int64_t scratch_bytes, panel_bytes, sum_bytes;
    int flat; /* do an output plane's pixels lie at one distance? */
    corr_panels panels;
} gemm_job;

static int accepts(const corr_problem *s) {
    (void)s;
    return 1;
}

static int64_t packed_group_bytes(const corr_problem *s, const corr_choice *c) {
    int64_t channels = c->channel_lanes ? corr_round_up(s->oc, c->kernels->lanes) : s->oc;
    return corr_round_up(channels * corr_terms(s) * c->kernels->bytes, 64);
}

static int64_t packed_bytes(const corr_problem *s, const corr_choice *c) {
    return s->groups * packed_group_bytes(s, c);
}

typedef struct pack_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *w;
    char *packed;
    int64_t panels;
    int *finite;
} pack_job;

static int64_t panel_width(const corr_choice *c, int64_t channels) {
    return c->channel_lanes ? corr_round_up(channels, c->kernels->lanes) : channels;
}

static void pack_panel(void *context, int64_t item, int worker, corr_run_state *run) {
    const pack_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t *ws = s->w_stride, bytes = c->kernels->bytes;
    int64_t g = item / job->panels, o = item % job->panels * corr_panel_channels(c);
    int64_t channels = corr_min(corr_panel_channels(c), s->oc - o);
    (void)run;
    job->finite[worker] &= c->kernels->pack_weights(
        job->w + (g * ws[0] + o * ws[1]) * bytes, channels, panel_width(c, channels), s->ic,
        s->h.kernel, s->w.kernel, ws[1], ws[2], ws[3], ws[4],
        job->packed + g * packed_group_bytes(s, c) + o * corr_terms(s) * bytes);
}

static corr_status pack(const corr_problem *s, const corr_choice *c, const void *w, void *packed,
                        int *finite, const corr_call *call) {
    int all[256];
    corr_call few = *call;
    pack_job job = {s, c, w, packed, corr_ceil_div(s->oc, corr_panel_channels(c)), all};
    /* Threads pay from some 100,000 weights on. */
    if (s->groups * s->oc * corr_terms(s) < 100000)
        few.threads = 1;
    few.threads = (int)corr_min(few.threads, 256);
    for (int i = 0; i < few.threads; i++)
        all[i] = 1;
    corr_status status = corr_parallel(pack_panel, &job, s->groups * job.panels, &few);
    *finite = 1;
    for (int i = 0; i < few.threads; i++)
        *finite &= all[i];
    return status;
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

static int64_t band_channels(const corr_problem *s, const corr_choice *c) {
    return corr_min(c->channel_panels * corr_panel_channels(c), corr_round_up(s->oc, c->kernels->lanes));
}

static int64_t sum_bytes(const corr_problem *s, const corr_choice *c) {
    int64_t sums = c->channel_lanes ? block_pixels(s, c) * band_channels(s, c) : 0;
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

static void copy_element(char *to, const char *from, int64_t bytes) {
    if (bytes == 4)
        memcpy(to, from, 4);
    else
        memcpy(to, from, 8);
}

/* Between y and a tile or buffer that has its pixels and channels at other distances. */
static void exchange(const corr_problem *s, char *y, int64_t pixel, int64_t pixels,
                     int64_t channels, char *own, int64_t pixel_step, int64_t channel_step,
                     int64_t bytes, int out) {
    for (int64_t j = 0; j < pixels; j++) {
        int64_t i = (pixel + j) / s->w.out, v = (pixel + j) % s->w.out;
        char *in_y = y + (i * s->y_stride[3] + v * s->y_stride[4]) * bytes;
        char *in_own = own + j * pixel_step * bytes;
        for (int64_t o = 0; o < channels; o++) {
            if (out)
                copy_element(in_y, in_own, bytes);
            else
                copy_element(in_own, in_y, bytes);
            in_y += s->y_stride[2] * bytes;
            in_own += channel_step * bytes;
        }
    }
}

typedef struct tile { /* where a tile lies, and what it is made of */
    int64_t pixel, pixels, channels, terms;
    const char *w, *x;
    int64_t w_width, x_width;
} tile;

static void pixel_tile(const gemm_job *job, const tile *t, char *y, const corr_store *store) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    corr_gemm_kernel *kernel = k->gemm[t->x_width / k->lanes - 1][t->channels - 1];
    if (job->flat && s->y_stride[4] == 1) {
        kernel(t->terms, t->w, t->x, t->x_width, y + t->pixel * k->bytes, s->y_stride[2],
               t->pixels, store);
        return;
    }
    double sums[CORR_MAX_ROWS * CORR_MAX_TILE_COLUMNS];
    if (store->accumulate)
        exchange(s, y, t->pixel, t->pixels, t->channels, (char *)sums, 1, t->x_width, k->bytes, 0);
    kernel(t->terms, t->w, t->x, t->x_width, sums, t->x_width, t->pixels, store);
    exchange(s, y, t->pixel, t->pixels, t->channels, (char *)sums, 1, t->x_width, k->bytes, 1);
}

/* y: the output itself, channels-last, or the buffer. */
static void channel_tile(const gemm_job *job, const tile *t, char *y, int64_t y_pixel,
                         const corr_store *store) {
    const corr_kernels *k = job->choice->kernels;
    const int vectors = (int)(t->w_width / k->lanes);
    corr_gemm_kernel *kernel = job->panels.lines ? k->gemm_lines[vectors - 1][t->pixels - 1]
                                                 : k->gemm[vectors - 1][t->pixels - 1];
    kernel(t->terms, t->x, t->w, t->w_width, y, y_pixel, t->channels, store);
}

static void multiply_block(void *context, int64_t item, int worker, corr_run_state *run) {
    const gemm_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const corr_kernels *k = c->kernels;
    const int64_t bytes = k->bytes, terms = corr_terms(s), lanes = k->lanes;
    const int64_t per_panel = corr_panel_pixels(c), per_band = corr_panel_channels(c);
    const int64_t band = item % job->bands, block = item / job->bands % job->blocks;
    const int64_t image = item / job->bands / job->blocks;
    const int64_t g = image % s->groups, n = image / s->groups;
    const char *x = job->x + (n * s->x_stride[0] + g * s->x_stride[1]) * bytes;
    char *y = job->y + (n * s->y_stride[0] + g * s->y_stride[1]) * bytes;
    const char *w = job->packed + g * packed_group_bytes(s, c);
    const char *bias = job->bias ? job->bias + g * s->oc * bytes : NULL;
    char *panels = job->workspace + worker * job->scratch_bytes;
    char *sums = panels + job->panel_bytes;
    corr_run *runs = (corr_run *)(void *)(sums + job->sum_bytes);
    const int64_t first = block * c->pixel_panels * per_panel;
    const int64_t end = corr_min(first + c->pixel_panels * per_panel, corr_pixels(s));
    const int64_t o0 = band * c->channel_panels * per_band;
    const int64_t o1 = corr_min(o0 + c->channel_panels * per_band, s->oc);
    const int64_t depth = job->panels.lines ? CORR_LINE : 0; /* of a line; else it varies */
    const int channels_last = c->channel_lanes && job->flat && s->y_stride[2] == 1;
    const int planes = c->channel_lanes && !channels_last && job->flat && s->y_stride[4] == 1;
    const int64_t ld_sums = corr_round_up(o1 - o0, lanes);

    for (int64_t pc = 0; pc < terms && !corr_should_stop(run); pc += c->kc) {
        const int64_t kc = corr_min(c->kc, terms - pc);
        const int last = pc + kc == terms;
        int64_t k0, k1;
        corr_panel_terms(s, first, end - first, &k0, &k1);
        k0 = corr_max(k0, pc);
        k1 = corr_max(corr_min(k1, pc + kc), k0);
        const int64_t packed_terms = k1 - k0;
        corr_pack_panels(&job->panels, x, k0, k1, first, end, panels, runs);
        for (int64_t o = o0; o < o1; o += per_band) {
            const int64_t channels = corr_min(per_band, o1 - o), width = panel_width(c, channels);
            corr_store store = {pc > 0, 0, CORR_LINEAR, NULL, NULL};
            if (last && !planes) {
                store.activation = s->activation;
                store.epilogue = bias || s->activation != CORR_LINEAR;
                if (bias && c->channel_lanes)
                    store.column_bias = bias + o * bytes;
                else if (bias)
                    store.bias = bias + o * bytes;
            }
            const char *from = panels;
            for (int64_t j = first; j < end; j += per_panel) {
                tile t = {.pixel = j, .pixels = corr_min(per_panel, end - j),
                          .channels = channels, .x = from, .w = w, .w_width = width};
                int64_t own0, own1;
                corr_panel_terms(s, j, t.pixels, &own0, &own1);
                own0 = corr_max(own0, k0);
                own1 = corr_min(own1, k1);
                t.terms = corr_max(own1 - own0, 0);
                t.x_width = corr_panel_width(&job->panels, t.pixels);
                if (t.terms) {
                    t.w = w + (o * terms + own0 * width) * bytes;
                    t.x += (own0 - k0) * (depth ? 1 : t.x_width) * bytes;
                }
                if (!c->channel_lanes)
                    pixel_tile(job, &t, y + o * s->y_stride[2] * bytes, &store);
                else if (channels_last)
                    channel_tile(job, &t, y + (j * s->y_stride[4] + o) * bytes, s->y_stride[4],
                                 &store);
                else
                    channel_tile(job, &t, sums + ((j - first) * ld_sums + o - o0) * bytes,
                                 ld_sums, &store);
                from += (depth ? depth : packed_terms) * t.x_width * bytes;
            }
            if (!last || !c->channel_lanes || channels_last)
                continue;
            char *own = sums + (o - o0) * bytes;
            if (planes) {
                store.activation = s->activation;
                store.bias = bias ? bias + o * bytes : NULL;
                k->transpose(end - first, channels, own, ld_sums,
                             y + (o * s->y_stride[2] + first) * bytes, s->y_stride[2], &store);
            } else {
                exchange(s, y + o * s->y_stride[2] * bytes, first, end - first, channels, own,
                         ld_sums, 1, bytes, 1);
            }
        }
    }
}

static corr_status run(const corr_problem *s, const corr_choice *c, const void *x, const void *w,
                       const void *packed, const void *bias, void *y, void *workspace,
                       const corr_call *call) {
    (void)w;
    gemm_job job = {
        .s = s, .choice = c, .x = x, .packed = packed, .bias = bias, .y = y,
        .workspace = workspace,
        .blocks = corr_ceil_div(corr_ceil_div(corr_pixels(s), corr_panel_pixels(c)), c->pixel_panels),
        .bands = corr_ceil_div(corr_ceil_div(s->oc, corr_panel_channels(c)), c->channel_panels),
        .scratch_bytes = scratch_bytes(s, c), .panel_bytes = panel_bytes(s, c),
        .sum_bytes = sum_bytes(s, c),
        .flat = s->h.out == 1 || s->y_stride[3] == s->w.out * s->y_stride[4],
        .panels = corr_make_panels(s, c),
    };
    return corr_parallel(multiply_block, &job, s->n * s->groups * job.blocks * job.bands, call);
}

const corr_engine corr_gemm_engine = {
    "gemm", CORR_DIRECT, accepts, packed_bytes, pack, workspace_bytes, run,
};
