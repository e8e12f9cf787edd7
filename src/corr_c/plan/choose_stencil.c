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

/* Of a strip of all channels, in L2 beside what is written. */
static const int64_t strip_bytes = 256 << 10;

/* Of inputs, beside what is written, in L1. Of a lane a channel in L2, from where a block fills L1 as it
 * goes: 9x9 on 512x26x19 0.79 ms for 0.63, s2 on 4 of 40x28x28 0.160 for 0.100. */
static const int64_t slab_bytes = 16 << 10, lanes_slab_bytes = 128 << 10;

/* Sums that keep both FMA units busy, which take 4 cycles for one. */
static const int64_t most_sums = 12;

/* A march reads each vector of pixels once for all rows of taps, at nearly the full rate whatever the
 * number of output channels, but it keeps one of them at a time: several kernels on a picture do better as
 * the columns of a product where there is no march, or it wastes lanes at the ends of rows, or outputs go
 * channels last, which a march stores one by one. With 16 registers a march can not keep its pixels, so
 * that long rows do too. us of a stencil and of a product, AVX-512:
 *
 *     stride 2    7x7  224x224 -> 64, 8         1660  760    206 109
 *                 3x3  224x224 -> 32, 4          171  101     32  25
 *     no march    3x5  128x128 -> 16             162   94
 *                 4x4  64x64 -> 32, 8             85   57     23  16
 *     ends        5x5  8 of 24x24 -> 32, 6       106   74     21  18
 *                      8 of 28x28 -> 16, 6        63   56     25  29
 *                 3x3  8 of 28x28 -> 32           43   50
 *     whole rows  5x5  64x64 -> 64, 8            135  137     16  21
 *     to channels last
 *                 3x3  160x160 -> 40, 8, 4      1010  276    199 129    102 110
 *                 5x5  64 of 28x28 -> 16        1160  330
 *                 4x4  stride 4, 8 of 160x160 -> 24   680 150
 *
 * AVX2: 8 of 3x3 on 480x640 1.04 ms for 1.29, 4 of 7x7 1.6 for 2.6, 64 of 7x7 on 4 of 64x64 1.2 for 2.1,
 * but 6 of 5x5 on 28x28 6.8 us for 5.5; 16 of 5x5 on 64 of 28x28 486 for 376. */
static const int64_t fewest_kernels = 4, wide_row = 64, many_taps = 49, marched_taps = 25;
static const int64_t march_kernels = 8, narrow_kernels = 6, strided_products = 36;

static int is_march(const corr_problem *s) {
    const int64_t size = s->h.kernel;
    return (size == 3 || size == 5 || size == 7) && s->w.kernel == size && s->h.stride == 1 &&
           s->w.stride == 1 && s->w.dilation == 1;
}

static int takes_products(const corr_problem *s, const corr_kernels *k) {
    const int64_t taps = s->h.kernel * s->w.kernel, lanes = corr_round_up(s->w.out, k->lanes);
    const int few_registers = k->lanes * k->bytes <= 32;
    if (s->groups > 1)
        return 0;
    if (few_registers && s->oc >= fewest_kernels && (s->w.out >= wide_row || taps >= many_taps))
        return 1;
    if (s->y_stride[4] != 1 || !is_march(s))
        return s->oc >= march_kernels || (s->w.stride > 1 && s->oc * taps >= strided_products);
    if (taps < marched_taps)
        return 0;
    return few_registers || 10 * s->w.out < 9 * lanes
               ? s->oc >= (4 * s->w.out <= 3 * lanes ? narrow_kernels : march_kernels)
               : 0;
}

int corr_takes_stencil(const corr_problem *s, const corr_kernels *k) {
    return s->ic == 1 && (s->oc < 8 || 2 * s->w.out > k->lanes) && !takes_products(s, k);
}

int corr_in_lanes(const corr_problem *s, const corr_choice *choice) {
    return choice->channel_lanes && !choice->turned && s->x_stride[1] == 1 && s->y_stride[1] == 1 &&
           s->x_stride[4] != 1;
}

/* A march down a strip of a channels-last image meets a few lines of each row, which no prefetcher
 * foresees, and a slab copies them; and both load a pixel for each row of outputs anew. ms of a march or
 * slab and of a slide (AVX-512), and of a march or slab and of a band (AVX2, another machine):
 *
 *     3x3         16 x 144x56x56   9.5   1.65      9.1   3.4
 *                 144x56x56        0.11  0.053     0.22  0.13
 *                 576x14x14        0.031 0.015     0.067 0.046
 *     stride 2    96x112x112       0.125 0.084     0.26  0.13
 *     5x5         240x28x28        0.071 0.061     0.22  0.15
 *     dilation 4  16 x 32x96x96    6.7   1.9       12.4  4.8
 *     7x7         96x56x56         0.20  0.155     0.63  0.44
 *
 * With 16 registers a slide has fewer rows: it is as fast as a band where an image lies in a cache, and
 * takes 1.2 to 1.4 times as long on large ones, at a stride of 2, and dilated. */
const corr_band *corr_shape_band(const corr_problem *s, const corr_choice *choice) {
    const corr_kernels *k = choice->kernels;
    const int64_t size = s->h.kernel, step = s->h.stride;
    if (!choice->channel_lanes || (size != 3 && size != 5 && size != 7) || step > 2 || s->w.stride != step ||
        (step > 1 && (s->h.dilation > 1 || s->w.dilation > 1)))
        return NULL;
    const corr_band *band = &k->slide[size / 2 - 1][step - 1];
    if (band->rows <= 1 || s->w.kernel != size)
        band = &k->band[size / 2 - 1][step - 1];
    const int enough = s->h.out / s->h.dilation >= band->rows && s->groups >= band->vectors * k->lanes;
    return band->rows > 1 && enough ? band : NULL;
}

const corr_band *corr_find_band(const corr_problem *s, const corr_choice *choice) {
    return corr_in_lanes(s, choice) ? corr_shape_band(s, choice) : NULL;
}

/* Of the inputs of a part of a row, once for each vector of channels: no more pages than the first
 * translation cache has entries, and all in L2. 256x112x112, dilated by 2, takes 1.9 ms without parts and
 * 1.1 so; of 128 KiB 7x7 on 96x56x56 0.168 for 0.149. */
static const int64_t slide_part_bytes = 256 << 10, fewest_columns = 16;

/* Of image and outputs, from memory: what comes next is fetched, 16 of 144x56x56 2.9 ms for 1.65. In L3
 * that gains nothing, 128x112x112 0.25 for 0.22. */
static const int64_t far_bytes = 16 << 20;

int corr_from_memory(int64_t images, const corr_problem *s, const corr_kernels *k) {
    const int64_t image = s->groups * (s->ic * s->h.in * s->w.in + s->oc * corr_pixels(s));
    return images * image * k->bytes > far_bytes;
}

/* The next rows of outputs' inputs are fetched if L2 holds them beside what is worked on, else the
 * next columns': 512x112x112 at stride 2 1.6 ms for 1.9, 16 of 144x56x56 2.0 for 1.65. */
static const int64_t ahead_bytes = 512 << 10;

int corr_part_slide(const corr_problem *s, const corr_choice *c, const corr_band *band, int64_t *columns,
                    int *ahead) {
    const int64_t bytes = c->kernels->bytes, rows = band->rows * s->h.stride;
    const int64_t inputs = rows + s->h.kernel - s->h.stride;
    const int64_t apart = s->w.in > 1 ? corr_magnitude(s->x_stride[4]) : 0; /* of one column it says nothing */
    const int64_t column = inputs * apart * s->w.stride * bytes;
    *columns = corr_max(slide_part_bytes / corr_max(column, 1), fewest_columns);
    *ahead = !corr_from_memory(s->n, s, c->kernels) ? 0
             : rows * s->w.in * c->channel_panels * c->kernels->lanes * bytes <= ahead_bytes ? 2 : 1;
    return band == &c->kernels->slide[s->h.kernel / 2 - 1][s->h.stride - 1];
}

/* Of planes that come in whole or nearly so, what is a dozen rows ahead: 3x3 at stride 2 on
 * 96x112x112 takes 0.090 ms if the next strip is fetched meanwhile, 0.083 if nothing is and 0.072
 * so; 144x56x56 0.064, 0.060 and 0.060. The rows of a picture are too long for that. */
int64_t corr_stencil_rows_ahead(const corr_problem *s) { return s->groups > 1 ? 12 : 0; }

int corr_next_plane_first(const corr_problem *s, const corr_choice *choice) {
    return (s->h.in * s->w.in + corr_pixels(s)) * choice->kernels->bytes <= small_plane_bytes;
}

void corr_choose_stencil(const corr_problem *s, corr_choice *choice) {
    choice->engine = &corr_depthwise_engine;
    choice->rows = 1;
    choice->cb = 1;
    choice->kc = corr_terms(s); /* one chain */
    choice->turned = s->groups > 1 && corr_turns_planes(s, choice);
    choice->channel_lanes =
        choice->turned || (s->oc == 1 && s->groups > 1 && s->x_stride[1] == 1 && s->y_stride[1] == 1);
}

/* Vectors of a strip and rows of a block: as many sums as a block has, as few columns too many. */
static void choose_block(const corr_problem *s, const corr_choice *c, corr_stencil_blocks *b) {
    const int64_t vector = b->unit > 1 ? 1 : c->kernels->lanes, all = corr_ceil_div(s->w.out, vector);
    const int64_t rows = b->reuse ? corr_min(s->h.kernel, s->h.out) : s->h.out;
    double best = -1;
    for (int v = 1; v <= corr_min(all, CORR_MAX_VECTORS); v++) {
        int64_t most = corr_min(rows, CORR_BLOCK_ROWS);
        while (most > 1 && !b->kernels[most - 1][v - 1])
            most--;
        const double used = (double)(s->w.out * s->h.out) /
                            (double)(corr_ceil_div(all, v) * v * vector * corr_round_up(s->h.out, most));
        const double score = used * (double)corr_min(most * v, most_sums);
        if (b->kernels[0][v - 1] && score >= best) {
            best = score;
            b->vectors = v;
            b->most = most;
        }
    }
    b->strip = b->vectors * vector;
}

corr_stencil_kernel *const *corr_lane_marches(const corr_problem *s, const corr_kernels *k) {
    const int64_t size = s->h.kernel, step = s->h.stride;
    const int fits = size == 3 ? s->w.kernel == 3 : (size == 5 || size == 7) && s->w.kernel <= CORR_STENCIL_TAPS;
    if (!fits || step > 2 || s->w.stride != step || (step == 2 && s->h.dilation > 1) ||
        !k->march_lanes[size / 2 - 1][step - 1][0])
        return NULL;
    return k->march_lanes[size / 2 - 1][step - 1];
}

/* Sets of 64 lines that L1 has at least, and ways of each. */
enum { CACHE_SETS = 64, CACHE_WAYS = 8 };

/* Does L1 hold what a block reads of a channels-last image, a line of each pixel? Not where
 * pixels, or rows, lie a multiple of much of a page apart. */
static int keeps_pixels(const corr_problem *s, const corr_kernels *k, int64_t most, int64_t vectors) {
    const int64_t rows = (most - 1) * s->h.stride + (s->h.kernel - 1) * s->h.dilation + 1;
    const int64_t columns = (vectors - 1) * s->w.stride + (s->w.kernel - 1) * s->w.dilation + 1;
    const int64_t *xs = s->x_stride, row = corr_magnitude(xs[3]), column = corr_magnitude(xs[4]);
    int8_t lines[CACHE_SETS] = {0};
    if (rows * columns > CACHE_SETS * CACHE_WAYS || rows * row + columns * column > INT32_MAX)
        return 0;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            const uint64_t line = (uint64_t)((i * row + j * column) * k->bytes) / CORR_CACHE_LINE;
            if (++lines[line % CACHE_SETS] > CACHE_WAYS)
                return 0;
        }
    return 1;
}

/* What has neither band nor march, and few taps for its slab: 4x4 on 96x112x112 2.36 ms by way of slabs
 * and 1.14 from the image, 2x2, step 2, on 64x64x64 0.084 for 0.038 (AVX2). */
static const int64_t short_pixel = 400, few_taps = 16;
enum { IMAGE_ROWS = 3 };

static int has_block_image(const corr_kernels *k) {
    return k->block_image[IMAGE_ROWS - 1][CORR_MAX_VECTORS - 1] != NULL;
}

/* Taps a multiple of many lines apart meet in few sets of L1; but blocks of the image overlap, and so
 * do their vectors of channels. */
int corr_weights_apart(const corr_problem *s, const corr_kernels *k) {
    return !corr_lane_marches(s, k) && !has_block_image(k);
}

static int blocks_of_image(const corr_problem *s, const corr_kernels *k) {
    const int64_t *xs = s->x_stride;
    return has_block_image(k) && s->groups >= k->lanes &&
           s->w.out >= CORR_MAX_VECTORS && corr_magnitude(xs[4]) * k->bytes <= short_pixel &&
           s->h.kernel * s->w.kernel <= few_taps && !corr_lane_marches(s, k) &&
           keeps_pixels(s, k, IMAGE_ROWS, CORR_MAX_VECTORS);
}

/* Of kernels; those of fewer would hardly read a row again. */
static const int64_t fewest_rows_reused = 5;

int corr_reuses_rows(const corr_problem *s) {
    return s->h.stride == 1 && s->w.stride == 1 && s->h.dilation == 1 && s->h.kernel >= fewest_rows_reused;
}

corr_slab corr_make_block_slab(const corr_problem *s, const corr_kernels *k,
                               const corr_stencil_blocks *b, int64_t rows, int64_t columns) {
    const corr_choice by_rows = {.kernels = k, .by_rows = 1, .cb = s->ic};
    columns = corr_max(columns, b->strip);
    return b->unit > 1 ? corr_make_lanes_slab(s, rows, columns) : corr_make_slab(s, &by_rows, rows, columns);
}

corr_stencil_blocks corr_choose_blocks(const corr_problem *s, const corr_choice *choice) {
    const corr_kernels *k = choice->kernels;
    const int lanes = corr_in_lanes(s, choice);
    corr_stencil_blocks b = {.unit = lanes ? k->lanes : 1};
    b.reuse = !lanes && corr_reuses_rows(s);
    b.kernels = b.reuse ? k->reuse : lanes ? k->block_lanes : k->block;
    choose_block(s, choice, &b);
    if (lanes && blocks_of_image(s, k)) {
        b.image = k->block_image;
        b.vectors = CORR_MAX_VECTORS;
        b.strip = b.vectors;
        b.most = IMAGE_ROWS;
    }
    const int64_t most = (b.unit > 1 ? lanes_slab_bytes : slab_bytes) / (b.unit * k->bytes);
    const int64_t first = corr_min(s->h.out, b.most);
    b.rows = first;
    b.columns = s->w.out;
    while (b.columns > b.strip && corr_make_block_slab(s, k, &b, b.rows, b.columns).elements > most)
        b.columns = corr_round_up(b.columns / 2, b.strip);
    const corr_slab slab = corr_make_block_slab(s, k, &b, b.rows, b.columns);
    const int64_t some = slab.elements, row = slab.pitch * slab.phases * slab.copies;
    if (some + row <= most)
        b.rows = corr_min(s->h.out, b.rows + (most - some) / row);
    b.planes = 1;
    if (!lanes && s->groups > 1 && b.rows == s->h.out && b.columns == s->w.out)
        b.planes = corr_max(1, most / (some + (b.rows - first) * row));
    return b;
}

int64_t corr_stencil_rows(const corr_problem *s, const corr_choice *choice) {
    const int64_t row = s->w.in * s->h.stride + s->w.out * s->oc;
    const int64_t rows = part_bytes / (row * choice->kernels->bytes);
    /* At least as many as the kernel is high, or most of the input is read twice, and as bands take. */
    const int64_t bands = CORR_BAND_ROWS * corr_min(s->h.dilation, s->h.out);
    return corr_max(rows, corr_max((s->h.kernel - 1) * s->h.dilation, corr_max(bands, 16)));
}

/* All channels of some rows, so that a cache line that vectors share is read once, and the
 * strips of all of them stay in L2: 3x3 on 192x112x112, channels-last, takes 4.4 ms a vector of
 * channels at a time and 1.7 so. */
static void split_lanes(const corr_problem *s, int threads, corr_choice *choice) {
    const int64_t vectors = corr_ceil_div(s->groups, choice->kernels->lanes);
    const int64_t halo = (s->h.kernel - 1) * s->h.dilation;
    const int64_t row = (CORR_MAX_VECTORS * s->w.stride + (s->w.kernel - 1) * s->w.dilation) * s->groups;
    const int64_t most = strip_bytes / (row * choice->kernels->bytes) - halo;
    const int64_t rows = corr_min(corr_max(most / s->h.stride, corr_max(2 * halo / s->h.stride, 8)), s->h.out);
    const int64_t bands = corr_ceil_div(s->h.out, rows), items = threads > 1 ? 4 * (int64_t)threads : 1;
    choice->pixel_panels = corr_max(1, corr_ceil_div(s->h.out, bands));
    choice->channel_panels = corr_max(1, vectors / corr_ceil_div(items, corr_max(1, s->n * bands)));
}

/* The size of as many parts as asked for, or fewer, none of which, nor the last, is less than `least`. */
static int64_t part_of(int64_t all, int64_t parts, int64_t least) {
    for (parts = corr_min(parts, all / least); parts > 1; parts--) {
        const int64_t part = corr_ceil_div(all, parts), last = all - (corr_ceil_div(all, part) - 1) * part;
        if (last >= least)
            return part;
    }
    return all;
}

/* Whole pixels if there are rows enough: parts of twice a band's rows read few of them twice. */
static void split_bands(const corr_problem *s, const corr_band *band, int threads, corr_choice *choice) {
    const int64_t blocks = corr_ceil_div(s->groups, band->vectors * choice->kernels->lanes);
    const int64_t items = threads > 1 ? corr_ceil_div(4 * (int64_t)threads, s->n) : 1;
    const int64_t least = band->rows * s->h.dilation; /* rows a dilation apart have taps in common */
    const int64_t by_rows = corr_min(items, corr_max(s->h.out / (2 * least), 1));
    choice->pixel_panels = part_of(s->h.out, by_rows, least);
    /* The last block may have a single channel. */
    choice->channel_panels = band->vectors * part_of(blocks, corr_ceil_div(items, by_rows), 2);
}

void corr_split_stencil(const corr_problem *s, int threads, corr_choice *choice) {
    const int64_t halo = (s->h.kernel - 1) * s->h.dilation;
    const int64_t planes = s->n * s->groups;
    int64_t rows = s->h.out;
    const corr_band *band = corr_find_band(s, choice);
    if (band) {
        split_bands(s, band, threads, choice);
        return;
    }
    if (corr_in_lanes(s, choice)) {
        split_lanes(s, threads, choice);
        return;
    }
    if (threads > 1 && planes < 4 * (int64_t)threads) {
        const int64_t blocks = corr_ceil_div(4 * (int64_t)threads, planes);
        rows = corr_min(rows, corr_max(corr_ceil_div(s->h.out, blocks), halo / 2 + 8));
        const corr_band *plane = corr_find_plane_band(s, choice->kernels);
        const int64_t least = plane ? plane->rows * s->h.dilation : CORR_BAND_ROWS; /* all phases' */
        if (s->h.out >= least)
            rows = part_of(s->h.out, corr_ceil_div(s->h.out, rows), least);
    }
    const int64_t terms = rows * s->w.out * s->oc * corr_terms(s);
    choice->pixel_panels = corr_max(rows, 1);
    choice->channel_panels = corr_max(1, corr_min(item_terms / corr_max(terms, 1),
                                                  planes / (4 * (int64_t)threads)));
}

/* Beside transforms: of the FMA peak a march was seen to reach 0.75, a block 0.5, one of a lane a channel 0.65, tiles of
 * several kernels' products 0.7 on
 * few terms. */
static const double any_march_rate = 0.75, any_block_rate = 0.5, any_lanes_rate = 0.65, any_tile_rate = 0.7;

double corr_direct_cycles(const corr_problem *s, const corr_choice *c) {
    const int64_t lanes = c->kernels->lanes, apart = s->groups > 1 && s->oc == 1 && s->x_stride[1] == 1;
    const int tiles = !corr_takes_stencil(s, c->kernels), over_channels = apart || (tiles && s->y_stride[2] == 1);
    const int64_t channels = apart ? corr_round_up(s->groups, lanes)
                                   : s->groups * (over_channels ? corr_round_up(s->oc, lanes) : s->oc);
    const double columns = (double)(over_channels ? s->w.out : corr_round_up(s->w.out, lanes));
    const double planes = (double)channels;
    const double rate = tiles ? any_tile_rate
                        : s->h.kernel <= CORR_STENCIL_TAPS && s->h.kernel == s->w.kernel ? any_march_rate
                        : apart ? any_lanes_rate : any_block_rate;
    return planes * (double)s->h.out * columns * (double)corr_terms(s) / (2 * rate * (double)lanes);
}
