/* The weight gradient's heuristics: lanes over output channels or along the pixels, which
 * pixels are one chain, which sums one item. But for the cut into items by threads, all of it
 * depends on the problem alone. */
#include "plan.h"

/* The chunks, in pixels: see choose_chunks. */
static const int64_t outer_chunk = 1024;
static const int64_t dot_chunk = 1024;
static const int64_t narrow_panel_bytes = 28 << 10; /* in L1, beside the rows */

/* What moving data costs, in cycles: a vector copied, every second element of two, and an
 * element gathered; a vector transposed; a run of pixels begun and ended. */
static const double copy_cycles = 3, copy2_cycles = 5, element_cycles = 2;
static const double transpose_cycles = 5, run_cycles = 15;
static const double row_store_cycles = 2, turned_store_cycles = 8; /* a vector of weights */
/* A weight's lanes kept in L2, read again and added up: what few pixels do not hide. */
static const double lane_sum_cycles = 8;

/* Few rows a tile take more of a panel than L2 gives: 128 / rows bytes a cycle. */
static int64_t longest_chain(const corr_problem *s, const corr_weight_choice *choice) {
    const corr_kernels *k = choice->kernels;
    if (choice->rows >= 7 || s->h.kernel * s->w.kernel == 1)
        return outer_chunk;
    return corr_min(outer_chunk, narrow_panel_bytes / (choice->vectors * k->lanes * k->bytes));
}

/* Chunks of the pixels. A tile's sums meet those of the chunk before in L2, which some 1000
 * pixels hide; along the pixels a chain has a lane's share of them. */
static void choose_chunks(const corr_problem *s, corr_weight_choice *choice) {
    const int64_t pixels = corr_pixels(s);
    const int64_t most = choice->dot ? dot_chunk : longest_chain(s, choice);
    choice->images = 1;
    choice->pieces = corr_ceil_div(pixels, most);
    choice->chunk = corr_ceil_div(pixels, choice->pieces);
    if (choice->pieces == 1)
        choice->images = corr_ceil_div(s->n, corr_ceil_div(s->n, corr_max(most / pixels, 1)));
    else if (s->w.out <= most / 2) /* whole rows */
        choice->chunk = corr_round_up(choice->chunk, s->w.out);
    choice->pieces = corr_ceil_div(pixels, choice->chunk);
    choice->chunks = choice->pieces > 1 ? s->n * choice->pieces : corr_ceil_div(s->n, choice->images);
}

/* Both costs are in cycles a pixel, of one group. */
static double cost_of_outer(const corr_problem *s, const corr_kernels *k, double tile) {
    const double vectors = (double)corr_ceil_div(s->oc, k->lanes);
    const double pack = s->y_stride[2] == 1   ? copy_cycles
                        : s->y_stride[4] == 1 ? transpose_cycles
                                              : element_cycles * (double)k->lanes;
    const double store = s->w_stride[1] == 1 ? row_store_cycles : turned_store_cycles;
    return tile * (double)(s->h.kernel * s->w.kernel) + vectors * pack +
           store * vectors * (double)corr_terms(s) / (double)(s->n * corr_pixels(s));
}

/* A vector of the tiles of dot products: two FMA pipes, two load ports, runs of the slab that
 * cross lines more often than not. A channel that has no second tap comes from L2, which keeps the
 * pipes waiting for a tenth of the time. */
static double cost_of_tiles(const corr_problem *s, const corr_kernels *k) {
    const int64_t terms = corr_terms(s), row_tiles = corr_ceil_div(s->oc, k->dot_rows);
    const int64_t column_tiles = corr_ceil_div(terms, k->dot_columns);
    const double rows = (double)s->oc / (double)row_tiles, columns = (double)terms / (double)column_tiles;
    const double pipes = s->h.kernel * s->w.kernel == 1 ? 0.55 : 0.5;
    const double fma = pipes * rows * columns, load = (rows + 1.6 * columns) / 2;
    const double most = fma > load ? fma : load;
    return (double)(row_tiles * column_tiles) * (most > 4 ? most : 4);
}

static double tiles_of_dots(const corr_problem *s, const corr_kernels *k) {
    return (double)(corr_ceil_div(s->oc, k->dot_rows) * corr_ceil_div(corr_terms(s), k->dot_columns));
}

static double cost_of_dots(const corr_problem *s, const corr_kernels *k, int flat) {
    const corr_choice slab = {.kernels = k, .by_rows = !flat, .cb = s->ic};
    const corr_slab b = corr_make_slab(s, &slab, s->h.out, s->w.out);
    const int64_t step = s->w.stride * s->x_stride[4];
    const double lanes = (double)k->lanes, pixels = (double)corr_pixels(s);
    const double vectors = flat ? pixels / lanes : (double)(s->h.out * corr_ceil_div(s->w.out, k->lanes));
    const double copy = step == 1 ? copy_cycles : step == 2 ? copy2_cycles : element_cycles * lanes;
    const double read = (double)(b.copies * b.phases * (s->h.out + b.halo) *
                                 corr_ceil_div(s->w.out + b.shift, k->lanes) * s->ic);
    const double runs = flat ? 1 : (double)s->h.out;
    double cycles = vectors * cost_of_tiles(s, k) + read * copy + runs * run_cycles * tiles_of_dots(s, k);
    if (s->y_stride[4] != 1)
        cycles += (s->y_stride[2] == 1 ? transpose_cycles / lanes : element_cycles) * pixels * (double)s->oc;
    return (cycles + lane_sum_cycles * (double)(s->oc * corr_terms(s)) / (double)s->n) / pixels;
}

/* What an item's sums may take of L2, and how many items a worker should find. */
static const int64_t weight_sum_bytes = 384 << 10;
static const int64_t items_per_thread = 2;

/* As many splits of the batch as give `few_items`, where there are few weights; each of at
 * least two chunks. */
static const int64_t few_items = 16, few_dot_items = 8;

/* Rows so long are not copied whole. */
static const int64_t longest_row = 1 << 16;

/* Where channels are few, tiles are longer along a row of taps: those of all channels, in pixels that lie
 * together, or of one, in planes if all taps meet the same pixels. Channels-last 3x3 on 128 of 3x32x32 -> 16 takes 1.06 ms so
 * and 1.7 in tiles of 3 rows, a patch of 16x16 on 8 of 3x224x224 29 and 50. Planes made pixels for it would take no
 * less than dots do. */
static int64_t elements_along(const corr_problem *s) {
    const corr_axis *w = &s->w;
    if (s->x_stride[2] == 1 && s->x_stride[4] == s->ic && w->dilation == 1)
        return w->kernel * s->ic;
    const int same = w->pad <= 0 && (w->out - 1) * w->stride + (w->kernel - 1) * w->dilation - w->pad < w->in;
    return same || s->ic == 1 || s->x_stride[2] == 1 ? w->kernel : 0;
}

/* A tile's cycles over all channels of a tap; the tile's rows are over so many of what they may be. */
static double choose_rows(const corr_problem *s, int64_t most_rows, int64_t all, corr_weight_choice *choice) {
    const corr_kernels *k = choice->kernels;
    const int64_t vectors = corr_ceil_div(s->oc, k->lanes), pixels = s->n * corr_pixels(s);
    corr_best_tile(k, corr_min(pixels, outer_chunk), most_rows, all, vectors, &choice->rows, &choice->vectors);
    const int64_t chain = corr_min(pixels, longest_chain(s, choice));
    return corr_best_tile(k, chain, most_rows, all, vectors, &choice->rows, &choice->vectors) * (double)s->ic /
           (double)all;
}

static const double least_gain = 0.99; /* as good a tile over channels has fewer runs */

static double choose_tile(const corr_problem *s, corr_weight_choice *choice) {
    const int64_t most_rows = s->x_stride[2] == 1 ? CORR_MAX_ROWS : corr_rows_apart(s->x_stride[2], choice->kernels);
    corr_weight_choice row = {.kernels = choice->kernels, .along = elements_along(s)};
    const double over = choose_rows(s, most_rows, s->ic, choice);
    if (row.along <= s->ic)
        return over;
    const double along = choose_rows(s, CORR_MAX_ROWS, row.along, &row);
    if (along > least_gain * over)
        return over;
    *choice = row;
    return along;
}

/* Few terms do not pay for packing what lies as a panel would: whole vectors of a pixel, and near those of the
 * next; next to them where vectors are short, whose tiles read them more often. Channels-last 3x3 on 3x224x224 -> 64
 * takes 1.7 ms so and 2.3 packed, 1x1 on 8 of 24x28x28 -> 144 0.38 and 0.48. */
static const int64_t placed_terms = 512, placed_panels = 4, placed_vector_bytes = 64;

static int reads_in_panels(const corr_problem *s, const corr_weight_choice *choice) {
    const corr_kernels *k = choice->kernels;
    const int64_t panels = k->lanes * k->bytes >= placed_vector_bytes ? placed_panels : 1;
    return s->y_stride[2] == 1 && s->oc % k->lanes == 0 && corr_terms(s) <= placed_terms &&
           s->y_stride[4] <= panels * choice->vectors * k->lanes;
}

/* Planes whose rows share a set of L1 are copied where vectors of 32 bytes leave few registers to wait for
 * them. */
static const int64_t slab_vector_bytes = 32;

static int planes_share_sets(const corr_problem *s, const corr_kernels *k) {
    return s->x_stride[2] != 1 && corr_share_sets(s->x_stride[2], k);
}

/* Returns its cost. */
static double choose_way(const corr_problem *s, int careful, corr_weight_choice *choice) {
    const corr_kernels *k = choice->kernels;
    const double outer = cost_of_outer(s, k, choose_tile(s, choice));
    if (careful)
        return outer;
    const double rows = cost_of_dots(s, k, 0), flat = cost_of_dots(s, k, 1);
    choice->flat = flat < rows;
    const double dots = choice->flat ? flat : rows;
    choice->dot = dots < outer && (s->h.out == 1 || s->w.out <= longest_row);
    return choice->dot ? dots : outer;
}

double corr_weight_cycles(const corr_problem *s) {
    corr_weight_choice choice = {.kernels = corr_kernel_table(s->dtype)};
    return choose_way(s, 0, &choice) * (double)s->n * (double)corr_pixels(s);
}

/* Of one pixel's kernel the two factors are alike: the smaller one is best turned, and weights whose
 * lanes run over input channels lie as gw does. 512x7x7 -> 2048 takes 1.09 ms as it is and 0.94 so. */
static const double swapped_terms = 1 << 16; /* fewer are done before this is decided */

/* Of several taps, the factor with fewer channels is best broadcast: 3x3 on 32x224x224 -> 9 takes 2.9 ms so and 5.3
 * as it is, channels-last 2.4 and 5.3; 5x5 on 8 of 8x64x64 -> 6 0.86 and 1.41. */
static const double least_swap = 0.97;

static int can_swap(const corr_axis *a) {
    return a->kernel == 1 ? a->pad == 0 && (a->out - 1) * a->stride < a->in
                          : a->stride == 1 && a->pad >= 0 && a->pad <= (a->kernel - 1) * a->dilation;
}

int corr_swaps_factors(const corr_problem *s) {
    const int pixel = s->h.kernel == 1 && s->w.kernel == 1;
    const double terms = (double)s->n * (double)s->ic * (double)s->oc * (double)corr_pixels(s);
    if (terms < swapped_terms || !can_swap(&s->h) || !can_swap(&s->w) || (!pixel && s->groups > 1))
        return 0;
    const corr_kernels *k = corr_kernel_table(s->dtype);
    int64_t offset;
    const corr_problem swapped = corr_swap_factors(s, &offset);
    corr_weight_choice as_is = {.kernels = k}, turned = {.kernels = k};
    return choose_way(&swapped, 0, &turned) * (double)corr_pixels(&swapped) <
           (pixel ? 1 : least_swap) * choose_way(s, 0, &as_is) * (double)corr_pixels(s);
}

/* Groups of few channels fill few lanes, and dots turn them a few at a time; all channels of a pixel are
 * turned at the speed of whole vectors. 3x3 on 128x56x56 in 32 groups takes 0.95 ms as it is and 0.52 so, on
 * 8 of 256x28x28 6.7 and 5.1, but on 8 of 512x14x14 2.7 and 3.6. One group is turned where that saves much: 5x5
 * on 8 of 10x28x28 -> 20 takes 0.69 ms as it is and 0.49 so. */
static const double least_turn = 0.8;

int corr_turns_for_weight(const corr_problem *s) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    corr_weight_choice as_is = {.kernels = k}, turned = {.kernels = k};
    corr_problem planes = *s;
    if (s->x_stride[4] == 1 || s->x_stride[2] != 1 || s->y_stride[2] != 1 ||
        (s->groups > 1 && (s->x_stride[1] != s->ic || s->y_stride[1] != s->oc)))
        return 0;
    corr_lay_planes(planes.x_stride, s->groups, s->ic, s->h.in, s->w.in);
    corr_lay_planes(planes.y_stride, s->groups, s->oc, s->h.out, s->w.out);
    const double inputs = (double)(s->h.in * s->w.in) / (double)corr_pixels(s); /* of an output */
    const double turning = transpose_cycles * ((double)s->oc + (double)s->ic * inputs) / (double)k->lanes;
    return choose_way(&planes, 0, &turned) + turning < (s->groups == 1 ? least_turn : 1) * choose_way(s, 0, &as_is);
}

/* Of dots: channels of both whose sums, and slabs of one, L2 holds. A slab is made for each block of
 * output channels, gradients are read for each of input channels: few outputs go together. */
static const int64_t dot_slab_bytes = 320 << 10;

static int64_t choose_dot_blocks(const corr_problem *s, const corr_weight_choice *choice, int64_t *o_block) {
    const corr_kernels *k = choice->kernels;
    const corr_choice one = {.kernels = k, .by_rows = !choice->flat, .cb = 1};
    const int64_t rows = corr_min(s->h.out, (choice->chunk - 1) / s->w.out + 2);
    const corr_slab b = corr_make_slab(s, &one, rows, s->h.out == 1 ? choice->chunk : s->w.out);
    const int64_t pair = s->h.kernel * s->w.kernel * k->lanes * k->bytes;
    const int64_t slabs = corr_max(dot_slab_bytes / (choice->images * b.elements * k->bytes), 1);
    const double read = s->y_stride[4] == 1 ? 1 : transpose_cycles;
    const double copy = copy_cycles * (double)(b.copies * b.phases);
    double best = -1;
    int64_t c_block = 1;
    for (int64_t o = k->dot_rows; o < s->oc + k->dot_rows; o += k->dot_rows) {
        const int64_t c = corr_max(corr_min(corr_min(s->ic, slabs), weight_sum_bytes / (o * pair)), 1);
        const double cost = (double)(corr_ceil_div(s->oc, o) * s->ic) * copy +
                            (double)(corr_ceil_div(s->ic, c) * s->oc) * read;
        if (best < 0 || cost < best) {
            best = cost;
            *o_block = o;
            c_block = c;
        }
    }
    return c_block;
}

/* Of outer products: channels of items whose sums L2 holds, so that the busiest thread has least to do and
 * little is read, each factor once for every block of the other. Bytes a cycle come from memory, or from
 * L3, for all threads together. 8 of 96x56x56 -> 384 of one pixel's kernel take 9.0 ms with two threads
 * and 10.5 in items of one panel. */
static const double memory_bytes = 6, cache_bytes = 16, few_items_cost = 1.03;
static const int64_t cached_bytes = 8 << 20;

static void split_outer(const corr_problem *s, int threads, int64_t rows, corr_weight_choice *choice) {
    const int64_t bytes = choice->kernels->bytes, taps = s->h.kernel * s->w.kernel;
    const int64_t width = (int64_t)choice->vectors * choice->kernels->lanes;
    const int64_t o_panels = corr_ceil_div(s->oc, width), c_panels = corr_ceil_div(s->ic, rows);
    const int64_t most = corr_max(weight_sum_bytes / (rows * taps * width * bytes), 1); /* panels of both */
    const int64_t each = choice->splits * s->groups;
    const double pixels = (double)s->n * (double)corr_pixels(s);
    const double x = (double)(s->n * s->h.in) * (double)(s->w.in * s->groups * s->ic * bytes);
    const double gy = pixels * (double)(s->groups * s->oc * bytes);
    const double rate = x + gy > (double)cached_bytes ? memory_bytes : cache_bytes;
    const double tile = pixels / (double)choice->splits * (double)(taps * rows * choice->vectors) / 2;
    const int64_t c_least = corr_ceil_div(c_panels, most), tried = threads > 1 ? corr_min(2 * threads, 16) : 0;
    double best = -1;
    for (int64_t c = c_least; c <= corr_min(c_panels, c_least + tried); c++) {
        const int64_t high = corr_ceil_div(c_panels, c), o_least = corr_ceil_div(o_panels, most / high);
        for (int64_t o = o_least; o <= corr_min(o_panels, o_least + tried); o++) {
            const int64_t wide = corr_ceil_div(o_panels, o);
            const int64_t items = each * corr_ceil_div(o_panels, wide) * corr_ceil_div(c_panels, high);
            const double read = x * (double)corr_ceil_div(o_panels, wide) + gy * (double)corr_ceil_div(c_panels, high);
            double time = (double)(corr_ceil_div(items, threads) * wide * high) * tile + read / rate;
            if (threads > 1 && items < items_per_thread * threads)
                time *= few_items_cost; /* nothing evens out what one loses */
            if (best < 0 || time < best) {
                best = time;
                choice->o_block = wide * width;
                choice->c_block = high * rows;
            }
        }
    }
}

static void split_dot(const corr_problem *s, int threads, corr_weight_choice *choice) {
    int64_t c_blocks = corr_ceil_div(s->ic, choose_dot_blocks(s, choice, &choice->o_block));
    const int64_t o_blocks = corr_ceil_div(s->oc, choice->o_block);
    if (threads > 1)
        c_blocks = corr_max(c_blocks, corr_ceil_div(items_per_thread * threads,
                                                    choice->splits * s->groups * o_blocks));
    choice->c_block = corr_ceil_div(s->ic, corr_min(corr_max(c_blocks, 1), s->ic));
}

void corr_choose_weight(const corr_problem *s, int threads, int careful, corr_weight_choice *choice) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    *choice = (corr_weight_choice){.kernels = k};
    choose_way(s, careful, choice);
    choose_chunks(s, choice);
    if (choice->dot && s->h.out == 1 && choice->pieces > 1)
        choice->flat = 0; /* the slab has a chunk's columns */
    int64_t rows = 1, width = k->dot_rows;
    if (!choice->dot) {
        choice->slab = k->lanes * k->bytes <= slab_vector_bytes && s->ic > 4 && planes_share_sets(s, k);
        rows = choice->along ? choice->along / s->w.kernel : choice->rows;
        choice->placed = reads_in_panels(s, choice);
        width = (int64_t)choice->vectors * k->lanes;
    } else {
        choose_dot_blocks(s, choice, &width);
    }
    const int64_t finest = s->groups * corr_ceil_div(s->oc, width) * corr_ceil_div(s->ic, rows);
    const int64_t few = choice->dot ? few_dot_items : few_items;
    choice->splits = corr_max(1, corr_min(corr_ceil_div(few, finest), choice->chunks / 2));
    if (finest >= few / 2)
        choice->splits = 1;
    if (choice->dot)
        split_dot(s, threads, choice);
    else
        split_outer(s, threads, rows, choice);
}

/* One input channel a group: a march down its rows, a channel a lane, or tiles of products. */

/* Depends on the shape alone: it decides the order of the sums. At most some 64 rows go into one
 * part, and a group is cut into so many chunks that there are 32 in all. */
void corr_split_weight_march(const corr_problem *s, int64_t *rows, int64_t *chunks) {
    const int64_t parts = corr_ceil_div(s->h.out, 64);
    *rows = corr_ceil_div(s->h.out, parts);
    *chunks = corr_min(s->n * corr_ceil_div(s->h.out, *rows), corr_ceil_div(32, s->groups));
}

/* A march has one output channel and a block of taps in registers; where those are not one block,
 * only ISAs of 32 registers have blocks that are worth it. Tiles of several channels and taps
 * take 0.23 ms for 1.64 on 64 of 28x28 -> 6, 5x5 (AVX2), 1.6 for 5.5 on 3x480x640, 5x5. */
int corr_weight_march_pays(const corr_problem *s) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    const int wide = k->weight[4][4][0] != NULL;
    const int one = s->h.kernel <= CORR_WEIGHT_ROWS && s->w.kernel <= CORR_STENCIL_TAPS && s->h.stride <= 2 &&
                    k->weight[s->h.kernel - 1][s->w.kernel - 1][s->h.stride - 1];
    return (one || wide) && (s->groups > 1 || s->oc < (wide ? 4 : 2));
}

/* Cycles of tiles of products, of one plane and output channel: a pixel that is copied alone costs
 * more than its share of a row. */
static double product_weight_cycles(const corr_problem *s, const corr_kernels *k) {
    const double taps = (double)(s->h.kernel * s->w.kernel), copy = s->w.stride > 1 ? 3 : 0.5;
    const double tiles = (double)corr_ceil_div(s->h.kernel * s->w.kernel, k->dot_columns);
    const double vectors = (double)corr_ceil_div(s->w.out, k->lanes);
    return (double)s->n * ((double)s->h.out * (2 * taps * vectors + 15 * tiles) +
                           copy * (double)(s->h.in * s->w.in) / (double)s->oc);
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
    if (s->x_stride[4] != 1 || s->y_stride[4] != 1)
        return 1;
    return lanes_weight_cycles(s, k) < (corr_takes_weight_march(s) ? march_weight_cycles(s, k)
                                                                   : product_weight_cycles(s, k));
}

/* Rows of x and of gradients that stay in L2 until all taps have met them, of one vector of groups copied
 * or of all of them where they lie. */
static const int64_t band_bytes = 256 << 10, whole_band_bytes = 512 << 10;

/* Channels-last images are read where they lie if to copy the pixels is much beside so few taps, and if
 * they come from memory, line by line, unless most outputs are at an edge, where they are copied still:
 * 3x3 s2 on 96x112x112 takes 0.18 ms so and 0.25 with a copy, 8 of them 3.7 and 8.7, 3x3 on 16 of
 * 144x56x56 7.3 and 12.8; but 5x5 s2 on 8 of them 1.8 and 1.6, 3x3 on 8 of 384x14x14 0.33 and 0.25. */
static const int64_t taps_per_copy = 4, fetched_taps = 9;
static const double inside_in_cache = 0.8, inside_in_memory = 0.5;

static int reads_in_place(const corr_problem *s, const corr_kernels *k) {
    const int64_t taps = s->h.kernel * s->w.kernel, copies = s->h.stride * s->w.stride;
    const int memory = taps <= fetched_taps && corr_from_memory(s->n, s, k);
    int64_t i0, i1, j0, j1;
    if (s->x_stride[1] != 1 || s->x_stride[4] == 1 || (taps > taps_per_copy * copies && !memory))
        return 0;
    corr_find_inside(&s->h, &i0, &i1);
    corr_find_inside(&s->w, &j0, &j1);
    return (double)(i1 - i0) * (double)(j1 - j0) >=
           (memory ? inside_in_memory : inside_in_cache) * (double)corr_pixels(s);
}

/* By the shape alone, as above. */
void corr_split_weight_lanes(const corr_problem *s, corr_weight_bands *b) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    const int64_t row = (s->w.in * s->h.stride + s->w.out) * k->lanes * k->bytes;
    const int64_t blocks = corr_ceil_div(s->groups, k->lanes);
    b->in_place = reads_in_place(s, k);
    b->blocks = b->in_place ? blocks : 1;
    const int64_t rows = b->in_place ? whole_band_bytes / (row * blocks) : band_bytes / row;
    b->bands = corr_ceil_div(s->h.out, corr_max(rows, s->h.kernel));
    b->rows = corr_ceil_div(s->h.out, b->bands);
    b->bands = corr_ceil_div(s->h.out, b->rows);
    b->chunks = corr_min(s->n * b->bands, corr_ceil_div(32, blocks));
}
