/* How one plane is filtered: by a march, in bands or blocks, or turned to pixels. No bit depends on the batch
 * or the threads. */
#include "plan.h"

/* In planes too, if they are wide: an edge costs more by masks than a march's. ms of a march and of a band,
 * AVX-512 in float32 and float64, AVX2 (another machine):
 *
 *     5x5  1080x1920           0.68  0.55     1.82  1.18     2.65  1.33
 *          4 of 3 x 480x640    1.63  1.04     3.2   2.05
 *          256x256             0.014 0.017    0.041 0.034
 *     3x3  1080x1920           0.38  0.30     1.20  0.65     1.37  0.89
 *          16x288x288          0.202 0.195    0.45  0.39
 *          16x224x224          0.103 0.126    0.225 0.213
 *          4 of 16 x 256x256   1.88  0.82     5.2   2.0
 *          144x56x56                                         0.21  0.24
 *
 * Several kernels on one picture share its rows in a march. The batch has no say: the two sum in another
 * order. */
static const int64_t band_vectors = 8, more_band_vectors = 18;

static const int64_t fewest_kernels_split = 4; /* on one picture */

/* A march meets each row of inputs with all rows of taps, which are wasted on outputs that there
 * are not; and turns even and odd columns apart anew for each kernel. */
static int prefers_blocks(const corr_problem *s) {
    const int64_t first = corr_max(-s->h.pad, 0);
    const int64_t last = corr_min((s->h.out - 1) * s->h.stride - s->h.pad + (s->h.kernel - 1) * s->h.dilation,
                                  s->h.in - 1);
    return (s->h.dilation == 1 && last - first + 1 > s->h.stride * s->h.out * 3 / 2) ||
           (s->groups == 1 && s->oc >= fewest_kernels_split && s->w.stride == 2);
}

int corr_marches(const corr_problem *s, const corr_kernels *k) {
    const int64_t size = s->h.kernel, step = s->h.stride;
    return (size == 3 || size == 5 || size == 7) && s->w.kernel == size && s->w.stride == step && step <= 2 &&
           s->w.dilation == 1 && (step == 1 || s->h.dilation == 1) && !prefers_blocks(s) &&
           k->march[CORR_STENCIL_SHARED][size / 2 - 1][step - 1][0];
}

/* What a plane costs, in multiply-adds of a vector: of a march they come at some rate of the peak, a band
 * adds a few a vector of outputs, and blocks what filling their slab takes, a vector of inputs by the
 * stride and a row. Fitted by hand to some 20 layers of 3x3 to 13x13 on 14x14 to 56x56, Zen 4. ms of blocks
 * and of bands:
 *
 *     dilation 2   3x3 128x56x56 0.224 0.149   5x5 0.417 0.288   3x3 512x14x14 0.072 0.117
 *     3x5          256x28x28     0.147 0.107 */
static const double march_rate = 0.8, band_rate = 0.85, reuse_rate = 0.8, block_rate = 0.55;
static const double band_vector = 8;
/* Of vectors of 32 bytes, whose masks are dear: 3x3 d2 on 384x28x28 0.170 and 0.244, 5x5 128x56x56 0.444 and
 * 0.347, which has two of them. */
static const double short_band_vector = 20, narrow_band_rate = 0.5;
static const double slab_vector[3] = {12, 11, 25}, slab_row = 8;

/* Of an output, those whose row is in the image, on the mean. */
static double mean_taps(const corr_problem *s) {
    const corr_axis *h = &s->h;
    const int64_t end = (h->out - 1) * h->stride + (h->kernel - 1) * h->dilation - h->pad;
    const double above = (double)corr_max(h->pad, 0), below = (double)corr_max(end - (h->in - 1), 0);
    const double stride = (double)h->stride;
    const double absent = (above * (above + stride) + below * (below + stride)) / (2 * stride * (double)h->dilation);
    const double rows = (double)h->kernel - absent / (double)corr_max(h->out, 1);
    return (rows > 1 ? rows : 1) * (double)s->w.kernel;
}

static double march_cost(const corr_problem *s, int64_t lanes) {
    const int64_t row = corr_round_up(s->w.out, 2 * s->w.out < lanes ? lanes / 2 : lanes);
    return (double)(s->h.out * row) / (double)lanes * mean_taps(s) / march_rate;
}

static double band_cost(const corr_problem *s, const corr_kernels *k, const corr_band *band) {
    const int64_t lanes = k->lanes, d = s->h.dilation, longer = s->h.out % d; /* phases of a row more */
    const int64_t rows = (d - longer) * corr_round_up(s->h.out / d, band->rows) +
                         longer * corr_round_up(s->h.out / d + 1, band->rows);
    const int64_t vectors = corr_round_up(corr_ceil_div(s->w.out, lanes), band->vectors);
    const double rate = band->vectors > 1 ? band_rate : narrow_band_rate;
    return (double)(rows * vectors) *
           (mean_taps(s) / rate + (lanes * k->bytes > 32 ? band_vector : short_band_vector));
}

static double block_cost(const corr_problem *s, int64_t lanes) {
    const double rate = corr_reuses_rows(s) ? reuse_rate : block_rate;
    const double vector = slab_vector[corr_min(s->w.stride, 3) - 1] * (double)corr_ceil_div(s->w.in, lanes);
    return (double)(s->h.out * corr_ceil_div(s->w.out, lanes)) * mean_taps(s) / rate +
           (double)s->h.in * (vector + slab_row * (double)s->w.stride);
}

const corr_band *corr_find_plane_band(const corr_problem *s, const corr_kernels *k) {
    const int64_t size = s->h.kernel, step = s->h.stride;
    if ((size != 3 && size != 5 && size != 7) || step > 2 || s->w.stride != step || (s->groups == 1 && s->oc > 1))
        return NULL;
    const corr_band *band = &k->band_planes[size / 2 - 1][step - 1];
    if (band->rows <= 1 || s->h.out / s->h.dilation < band->rows)
        return NULL;
    if (!corr_marches(s, k))
        return band_cost(s, k, band) < block_cost(s, k->lanes) ? band : NULL;
    const int64_t vectors = k->lanes * k->bytes > 32 && !corr_from_memory(1, s, k) ? more_band_vectors : band_vectors;
    return s->h.dilation == 1 && s->w.out >= vectors * k->lanes ? band : NULL;
}

static double plane_cost(const corr_problem *s, const corr_kernels *k) {
    const corr_band *band = corr_find_plane_band(s, k);
    return band                 ? band_cost(s, k, band)
           : corr_marches(s, k) ? march_cost(s, k->lanes)
                                : block_cost(s, k->lanes);
}

/* Where a row fills few lanes of its last vector, or has no march, a vector of planes is turned to pixels,
 * filtered a lane a channel, and turned back. A slide was seen to reach 0.9 of the FMA peak, a block of a
 * lane a channel 0.65, which has more to gain than what is uncertain in that. AVX-512, ms:
 *
 *     7x7     8 of 384x8x8   0.44 0.24      192x20x20 0.125 0.084      192x28x28 (not) 0.175 0.166
 *     7x7     4 of 192x14x18 0.35 0.22      384x12x12 0.077 0.058      384x14x14 (not) 0.089 0.086
 *     5x5     192x20x20    0.067 0.051
 *     9x9     512x26x19      0.78 0.59      4 of 320x8x8 0.28 0.23
 *     s3      5x5 512x14x14 0.234 0.059
 *     d2      3x3 384x28x28 0.155 0.114     d3  7x7 384x14x14 0.165 0.087
 *
 * Two planes narrower than half a vector share one. */
static const double lanes_rate = 0.65, slide_rate = 0.85, least_gain = 0.92;
static const double turn_vector = 7, lanes_slab_pixel = 7;
static const int64_t turned_bytes = 256 << 10; /* of planes and outputs in L2, beside a slab */

int corr_turns_planes(const corr_problem *s, const corr_choice *c) {
    const corr_kernels *k = c->kernels;
    const int64_t lanes = k->lanes, pixels = s->h.in * s->w.in, outputs = corr_pixels(s);
    corr_choice own = *c;
    own.channel_lanes = 1;
    const corr_band *band = corr_shape_band(s, &own);
    if (s->groups < lanes || s->oc != 1 || s->x_stride[4] != 1 || s->y_stride[4] != 1 || lanes * k->bytes < 64 ||
        (pixels + outputs) * lanes * k->bytes > turned_bytes ||
        (band ? band->vectors > 1 : !corr_weights_apart(s, k)))
        return 0;
    const double padded = (double)(s->h.in + (s->h.kernel - 1) * s->h.dilation) *
                          (double)(s->w.in + (s->w.kernel - 1) * s->w.dilation);
    const double filtered = (double)outputs * mean_taps(s) / (band ? slide_rate : lanes_rate) +
                            (band ? 0 : lanes_slab_pixel * padded);
    const double turned = filtered + turn_vector * (double)(pixels + outputs);
    return (double)corr_ceil_div(s->groups, lanes) * turned < least_gain * (double)s->groups * plane_cost(s, k);
}
