/* The heuristics of groups of few channels. */
#include "plan.h"

/* What the rows of a block may take of L1, beside weights and outputs. */
static const int64_t block_bytes = 20 << 10;

/* Multiply-adds of an item: some 2 microseconds. */
static const int64_t item_terms = 200000;

/* The largest tile that has no more channels than these. */
int64_t corr_group_rows(const corr_kernels *k, int64_t channels) {
    int64_t rows = corr_min(channels, CORR_GROUP_ROWS);
    while (!k->group[0][rows - 1][0])
        rows--;
    return rows;
}

/* A slab and flat tiles waste no lane at the ends of rows, but cost a third more at 4 channels;
 * where rows fill three quarters of their vectors, reading them in place is faster. */
static int in_planes(const corr_problem *s, const corr_kernels *k) {
    return s->w.stride <= 2 && s->x_stride[4] == 1 && s->y_stride[4] == 1 &&
           4 * s->w.out >= 3 * corr_round_up(s->w.out, k->lanes);
}

/* The micro-kernel's lanes are channels of one group: no less, where there is room for two. */
static int in_lanes(const corr_problem *s, const corr_kernels *k) {
    return s->x_stride[1] == s->ic && s->y_stride[1] == s->oc && s->x_stride[2] == 1 &&
           s->y_stride[2] == 1 && s->x_stride[4] != 1 && corr_group_bundle(s, k) > 1;
}

/* Multiply-adds of a pixel of one group in planes, from where the micro-kernel, which packs, is faster. ms
 * so and there, AVX-512 and AVX2:
 *
 *     16 -> 16  3x3 28x28    0.60 0.62   0.79 0.61      s2 32x48   0.415 0.321   0.47 0.36
 *               5x5 24x24    1.37 1.09   1.25 1.01
 *     10 -> 10  3x3 40x40    0.240 0.185 0.247 0.224
 *     8 -> 8    3x3 24x24    0.136 0.147 0.135 0.114
 *     4 -> 4    3x3 28x28    0.094 0.112 0.124 0.145 */
static const int64_t most_terms = 900, most_terms_32 = 300;

static int takes(const corr_problem *s, const corr_kernels *k) {
    const int64_t bytes = k->lanes * k->bytes, most = bytes > 32 ? most_terms : bytes == 32 ? most_terms_32 : INT64_MAX;
    return s->groups > 1 && s->ic > 0 && s->ic <= CORR_GROUP_CHANNELS && s->w.kernel <= CORR_GROUP_TAPS &&
           (s->x_stride[4] != 1 || s->oc * corr_terms(s) < most);
}

int corr_choose_groups(const corr_problem *s, corr_choice *choice) {
    const int64_t panels = corr_ceil_div(s->oc, CORR_GROUP_ROWS);
    const int lanes = in_lanes(s, choice->kernels);
    if (!takes(s, choice->kernels) || !(lanes || in_planes(s, choice->kernels)))
        return 0;
    choice->engine = &corr_groups_engine;
    choice->channel_lanes = lanes;
    choice->rows = lanes ? CORR_GROUP_LANES_ROWS
                         : (int)corr_group_rows(choice->kernels, corr_ceil_div(s->oc, panels));
    choice->cb = s->ic;
    choice->kc = corr_terms(s); /* one chain */
    return 1;
}

int corr_fits_groups(const corr_problem *s, const corr_choice *choice) {
    return choice->channel_lanes ? in_lanes(s, choice->kernels) : in_planes(s, choice->kernels);
}

/* Channels-last, images that no cache holds: an item is a tile's rows of all groups, whose weights L2
 * keeps. 3x3 on 8 of 128x56x56 in 32 groups takes 11.0 ms bundle by bundle and 5.2 so, on 6 of 256x28x28
 * 3.8 and 2.6, but on 4 1.50 and 1.59. */
static const int64_t along_bytes = 9 << 20, kept_weight_bytes = 256 << 10;

static int goes_along(const corr_problem *s, const corr_kernels *k) {
    const int64_t image = s->groups * (s->ic * s->h.in * s->w.in + s->oc * corr_pixels(s));
    const int64_t weights = s->groups * corr_terms(s) * k->lanes * k->bytes / corr_group_bundle(s, k);
    return s->n * image * k->bytes > along_bytes && weights <= kept_weight_bytes;
}

void corr_split_groups(const corr_problem *s, int threads, corr_choice *choice) {
    const int64_t together = choice->channel_lanes ? corr_group_bundle(s, choice->kernels) : 1;
    const int64_t row = corr_max(s->ic * s->h.stride * s->w.in, 1) * choice->kernels->bytes;
    const int64_t halo = (s->h.kernel - 1) * s->h.dilation / s->h.stride;
    const int64_t all = s->n * corr_ceil_div(s->groups, together), few = 4 * (int64_t)threads;
    int64_t rows = s->h.out;
    if (threads > 1 && all < few)
        rows = corr_min(rows, corr_max(corr_ceil_div(s->h.out * all, few), 8));
    const int64_t terms = corr_max(together * rows * s->w.out * s->oc * corr_terms(s), 1);
    choice->item_rows = rows;
    choice->pixel_panels = choice->channel_lanes ? 0 : corr_max(block_bytes / row - halo, 8);
    choice->channel_panels = corr_max(1, corr_min(item_terms / terms, all / few));
    if (choice->channel_lanes && goes_along(s, choice->kernels)) {
        choice->item_rows = CORR_GROUP_LANES_ROWS * s->h.dilation;
        choice->pixel_panels = 1; /* columns at a time, of all of these */
        choice->channel_panels = s->groups;
    }
}
