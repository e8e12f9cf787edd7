/* The heuristics of fully connected layers. None of them changes a bit. */
#include "plan.h"

/* Shorter sums would spend their time on adding up lanes: 48 channels to 1152 take 3.6 us with a plan from packed
 * weights and 7.1 so, 1152 to 48 3.7 and 3.3, 8 images of 480 to 120 20.6 and 11.9, without a plan 30 and 12. */
static const int64_t least_terms = 64;

/* Of an item: sums of so many outputs and images, a vector each, in L1 or close by; or columns, and tiles of
 * rows, of a gradient. */
static const int64_t most_outputs = 32, most_images = 24, most_columns = 1024, most_tiles = 8;
static const int64_t chain = 64, items_a_thread = 4;

int corr_takes_connected(const corr_problem *s) {
    return (s->algorithm == CORR_AUTO || s->algorithm == CORR_DIRECT) && corr_is_connected(s) &&
           corr_terms(s) >= least_terms && s->x_stride[0] >= 0 && s->x_stride[0] <= INT32_MAX / CORR_DOT_MAX_COLUMNS;
}

/* As even parts as can be, for at least so many items. */
static int64_t part(int64_t all, int64_t most, int64_t items, int64_t unit) {
    most = corr_max(1, corr_min(most, corr_ceil_div(all, corr_max(items, 1))));
    return corr_round_up(corr_ceil_div(all, corr_ceil_div(all, most)), unit);
}

static int64_t wanted_items(int threads) { return threads > 1 ? items_a_thread * (int64_t)threads : 1; }

void corr_split_connected(const corr_problem *s, int threads, corr_choice *c) {
    const int64_t images = corr_max(s->n, 1);
    c->rows = (int)corr_min(c->kernels->dot_rows, s->oc);
    c->vectors = (int)corr_min(c->kernels->dot_columns, images);
    c->pixel_panels = part(images, most_images, 1, c->vectors);
    const int64_t others = s->groups * corr_ceil_div(images, c->pixel_panels);
    c->channel_panels = part(s->oc, most_outputs, corr_ceil_div(wanted_items(threads), others), c->rows);
}

void corr_split_connected_gradient(const corr_problem *s, int64_t all_rows, int threads, corr_choice *c,
                                   int64_t *rows, int64_t *columns) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    *c = (corr_choice){.kernels = k};
    corr_best_tile(k, chain, CORR_MAX_ROWS, all_rows, corr_ceil_div(corr_terms(s), k->lanes), &c->rows, &c->vectors);
    *rows = part(all_rows, most_tiles * c->rows, 1, c->rows);
    const int64_t others = s->groups * corr_ceil_div(all_rows, *rows);
    *columns = part(corr_terms(s), most_columns, corr_ceil_div(wanted_items(threads), others), c->vectors * k->lanes);
}
