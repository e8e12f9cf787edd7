/* The heuristics of stencils; like those in choose.c they change no bit of a result. */
#include "plan.h"

/* What is worked on of a picture at a time: the rows that two such parts share are in L2 again,
 * and a strip and the next, which is fetched meanwhile, fit in L1. A 5x5 kernel on 1080p takes
 * 0.77 ms with 256 KiB, 0.55 with 512, no less with more. */
static const int64_t part_bytes = 512 << 10;

/* Two planes and their outputs in 48 KiB of L1. */
static const int64_t small_plane_bytes = 28 << 10;

/* Multiply-adds of an item: some 2 microseconds, 20 times what handing it out costs. */
static const int64_t item_terms = 200000;

/* A stencil reads each vector of pixels once for all rows of taps, at nearly the full rate
 * whatever the number of output channels. Only rows that fill less than half of a vector do
 * better as columns of a product, and that only with enough channels. */
int corr_takes_stencil(const corr_problem *s, const corr_kernels *k) {
    return s->ic == 1 && (s->oc < 8 || 2 * s->w.out > k->lanes);
}

int corr_in_lanes(const corr_problem *s, const corr_choice *choice) {
    return choice->channel_lanes && s->x_stride[1] == 1 && s->y_stride[1] == 1 &&
           s->x_stride[4] != 1;
}

/* Of planes that come in whole or nearly so, what is a dozen rows ahead: 3x3 at stride 2 on
 * 96x112x112 takes 0.090 ms if the next strip is fetched meanwhile, 0.083 if nothing is and 0.072
 * so; 144x56x56 0.064, 0.060 and 0.060. The rows of a picture are too long for that. */
int64_t corr_stencil_rows_ahead(const corr_problem *s) { return s->groups > 1 ? 12 : 0; }

int corr_next_plane_first(const corr_problem *s, const corr_choice *choice) {
    return (s->h.in * s->w.in + corr_pixels(s)) * choice->kernels->bytes <= small_plane_bytes;
}

void corr_choose_stencil(const corr_problem *s, corr_choice *choice) {
    const int64_t kh = s->h.kernel, kw = s->w.kernel, step = s->h.stride;
    const int march = (kh == 3 && kw == 3) || ((kh == 5 || kh == 7) && kw <= CORR_STENCIL_TAPS);
    choice->engine = &corr_depthwise_engine;
    choice->rows = (int)corr_min(kh, CORR_STENCIL_ROWS);
    choice->cb = 1;
    choice->kc = corr_terms(s); /* one chain */
    choice->channel_lanes = s->oc == 1 && s->groups > 1 && march && s->w.stride == step &&
                            step <= 2 && (step == 1 || s->h.dilation == 1) &&
                            s->x_stride[1] == 1 && s->y_stride[1] == 1 &&
                            choice->kernels->march_lanes[kh / 2 - 1][step - 1][0];
}

int64_t corr_stencil_rows(const corr_problem *s, const corr_choice *choice) {
    const int64_t row = s->w.in * s->h.stride + s->w.out * s->oc;
    const int64_t rows = part_bytes / (row * choice->kernels->bytes);
    /* At least as many as the kernel is high, or most of the input is read twice. */
    return corr_max(rows, corr_max((s->h.kernel - 1) * s->h.dilation, 16));
}

void corr_split_stencil(const corr_problem *s, int threads, corr_choice *choice) {
    const int64_t halo = (s->h.kernel - 1) * s->h.dilation;
    const int64_t lanes = corr_in_lanes(s, choice) ? choice->kernels->lanes : 1;
    const int64_t planes = s->n * corr_ceil_div(s->groups, lanes);
    int64_t rows = s->h.out;
    if (threads > 1 && planes < 4 * (int64_t)threads) {
        const int64_t blocks = corr_ceil_div(4 * (int64_t)threads, planes);
        rows = corr_min(rows, corr_max(corr_ceil_div(s->h.out, blocks), halo / 2 + 8));
    }
    const int64_t terms = lanes * rows * s->w.out * s->oc * corr_terms(s);
    choice->pixel_panels = corr_max(rows, 1);
    choice->channel_panels = corr_max(1, corr_min(item_terms / corr_max(terms, 1),
                                                  planes / (4 * (int64_t)threads)));
}

/* Transforms: cycles of one core for one image, whatever the batch, so that an image's bits do
 * not depend on those beside it. Of the FMA peak a march was seen to reach 0.75, a block 0.5;
 * a vector of points costs 2.5 a radix 2 step and 8 to be loaded, turned, multiplied and stored,
 * and 4 more where the tile and the spectrum do not stay in L2. A picture of 1080p takes 1.6 ms
 * by transforms for 9x9 and 3.0 for 31x31, and 2.5 and 19 without. */
static const double march_rate = 0.75, block_rate = 0.5;
static const double level_cycles = 2.5, point_cycles = 8, far_point_cycles = 4;
static const int64_t transform_bytes = 768 << 10;
static const int64_t fewest_taps = 64; /* smaller kernels round as direct sums do */
enum { LARGEST_TILE = 1024 };

static double direct_cycles(const corr_problem *s, const corr_choice *c) {
    const double columns = (double)corr_round_up(s->w.out, c->kernels->lanes);
    const double rate = s->h.kernel <= CORR_STENCIL_TAPS && s->h.kernel == s->w.kernel ? march_rate : block_rate;
    return (double)(s->groups * s->oc * s->h.out) * columns * (double)corr_terms(s) /
           (2 * rate * c->kernels->lanes);
}

/* A pair of tiles, there, and back for each of oc kernels. */
static double pair_cycles(const corr_choice *c, int64_t oc) {
    const int64_t bytes = 4 * c->tile_h * c->tile_w * c->kernels->bytes;
    double cycles = point_cycles + (bytes > transform_bytes ? far_point_cycles : 0);
    for (int64_t n = 2; n <= c->tile_h; n *= 2)
        cycles += level_cycles;
    for (int64_t n = 2; n <= c->tile_w; n *= 2)
        cycles += level_cycles;
    return cycles * (double)(c->tile_h * c->tile_w * (1 + oc)) / c->kernels->lanes;
}

static double transform_cycles(const corr_problem *s, const corr_choice *c) {
    const int64_t tiles = corr_ceil_div(s->h.out, c->tile_h - s->h.kernel + 1) *
                          corr_ceil_div(s->w.out, c->tile_w - s->w.kernel + 1);
    return (double)(s->groups * s->oc) * pair_cycles(c, 0) +
           (double)(s->groups * corr_ceil_div(tiles, 2)) * pair_cycles(c, s->oc);
}

int corr_choose_fft(const corr_problem *s, corr_choice *choice) {
    corr_choice c = *choice;
    double best = s->algorithm == CORR_FFT ? -1 : direct_cycles(s, choice);
    int found = 0;
    if (!corr_fft_engine.accepts(s) || (s->algorithm != CORR_FFT && corr_terms(s) < fewest_taps))
        return 0;
    c.engine = &corr_fft_engine;
    c.cb = 1;
    c.kc = corr_terms(s);
    for (c.tile_h = c.kernels->lanes; c.tile_h <= LARGEST_TILE; c.tile_h *= 2)
        for (c.tile_w = c.kernels->lanes; c.tile_w <= LARGEST_TILE; c.tile_w *= 2) {
            if (c.tile_h < s->h.kernel || c.tile_w < s->w.kernel)
                continue;
            const double cycles = transform_cycles(s, &c);
            if (best < 0 || cycles < best) {
                best = cycles;
                found = 1;
                *choice = c;
            }
        }
    return found;
}

/* Depends on the shape alone: it decides the order of the sums. At most some 64 rows go into one
 * part, and a group is cut into so many chunks that there are 32 in all. */
void corr_split_weight_march(const corr_problem *s, int64_t *rows, int64_t *chunks) {
    const int64_t parts = corr_ceil_div(s->h.out, 64);
    *rows = corr_ceil_div(s->h.out, parts);
    *chunks = corr_min(s->n * corr_ceil_div(s->h.out, *rows), corr_ceil_div(32, s->groups));
}

/* Both ways to a weight gradient in cycles of one plane and output channel, of AVX-512 in float32
 * at 7x7 to 112x112. A march pays for each sum's lanes, which are added up, for rows, and for
 * vectors of them; a channel a lane for turning the pixels of both, and for lanes that no group
 * fills. 3x3 on 960x7x7 takes 78 us one way and 18 the other, 144x56x56 72 and 109; 7x7 on
 * 96x56x56 324 and 200. */
static double march_weight_cycles(const corr_problem *s, const corr_kernels *k) {
    const double taps = (double)(s->h.kernel * s->w.kernel);
    const double vectors = (double)corr_ceil_div(s->w.out, k->lanes);
    const int whole = s->h.kernel == 3 && s->w.kernel == 3 && k->weight3[0][0];
    const double tap = s->w.stride > 1 ? 1.3 : whole ? 0.55 : 0.9;
    return 100 + 23 * taps + (double)(s->n * s->h.out) * (12 + tap * taps * vectors);
}

static double lanes_weight_cycles(const corr_problem *s, const corr_kernels *k) {
    const double taps = (double)(s->h.kernel * s->w.kernel);
    const double filled = (double)s->groups / (double)corr_ceil_div(s->groups, k->lanes);
    const double turned = 5 + 5 * (double)(s->h.stride * s->w.stride) / (double)s->oc;
    return ((double)(s->n * corr_pixels(s)) * (0.7 * taps + turned) + 16 * (60 + taps)) / filled;
}

int corr_takes_weight_lanes(const corr_problem *s) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    if (s->ic != 1 || 4 * s->groups < k->lanes)
        return 0;
    return !corr_takes_weight_march(s) || lanes_weight_cycles(s, k) < march_weight_cycles(s, k);
}

/* Rows of x and of gradients that stay in L2 until all taps have met them. */
static const int64_t band_bytes = 256 << 10;

/* By the shape alone, as above. */
void corr_split_weight_lanes(const corr_problem *s, corr_weight_bands *b) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    const int64_t row = (s->w.in * s->h.stride + s->w.out) * k->lanes * k->bytes;
    b->bands = corr_ceil_div(s->h.out, corr_max(band_bytes / row, s->h.kernel));
    b->rows = corr_ceil_div(s->h.out, b->bands);
    b->bands = corr_ceil_div(s->h.out, b->rows);
    b->chunks = corr_min(s->n * b->bands, corr_ceil_div(32, corr_ceil_div(s->groups, k->lanes)));
}
