/* The heuristics of Fourier transforms. */
#include "plan.h"

/* Transforms: cycles of one core for one image, whatever the batch, so that an image's bits do
 * not depend on those beside it. A vector of points costs 2.5 a radix 2 step and 8 to be loaded,
 * turned, multiplied and stored, 4 more where the tile and the spectrum do not stay in L2, and 30 where
 * pixels lie apart, 45 where a line of other kernels' outputs lies between them. A picture of 1080p takes
 * 1.6 ms by transforms for 9x9 and 3.0 for 31x31, and 2.5 and 19 without; channels last, 9x9 on 4 of
 * 16x112x112 2.3 and 1.6, on 1x256x256 -> 64 8.6 and 6.9. */
static const double level_cycles = 2.5, point_cycles = 8, far_point_cycles = 4;
static const double apart_point_cycles = 30, between_point_cycles = 45;
static const int64_t transform_bytes = 768 << 10;
static const int64_t fewest_taps = 64; /* smaller kernels round as direct sums do */
enum { LARGEST_TILE = 1024 };

/* A pair of tiles, there, and back for each of oc kernels. */
static double pair_cycles(const corr_choice *c, int apart, int64_t oc) {
    const int64_t bytes = 4 * c->tile_h * c->tile_w * c->kernels->bytes;
    double cycles = point_cycles + (bytes > transform_bytes ? far_point_cycles : 0);
    cycles += apart ? oc >= c->kernels->lanes ? between_point_cycles : apart_point_cycles : 0;
    for (int64_t n = 2; n <= c->tile_h; n *= 2)
        cycles += level_cycles;
    for (int64_t n = 2; n <= c->tile_w; n *= 2)
        cycles += level_cycles;
    return cycles * (double)(c->tile_h * c->tile_w * (1 + oc)) / c->kernels->lanes;
}

static double transform_cycles(const corr_problem *s, const corr_choice *c) {
    const int64_t tiles = corr_ceil_div(s->h.out, c->tile_h - s->h.kernel + 1) *
                          corr_ceil_div(s->w.out, c->tile_w - s->w.kernel + 1);
    const int apart = s->x_stride[4] != 1 || s->y_stride[4] != 1;
    return (double)(s->groups * s->oc) * pair_cycles(c, 0, 0) +
           (double)(s->groups * corr_ceil_div(tiles, 2)) * pair_cycles(c, apart, s->oc);
}

int corr_choose_fft(const corr_problem *s, corr_choice *choice) {
    corr_choice c = *choice;
    double best = s->algorithm == CORR_FFT ? -1 : corr_direct_cycles(s, choice);
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
