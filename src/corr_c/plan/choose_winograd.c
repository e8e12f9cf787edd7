/* What Winograd costs, in cycles of one core: products, transforms, and bytes from the
 * caches beyond L2. Choices that touch bits or the packed weights depend on the problem
 * alone; the cut into items on the threads too. Constants: Zen 5, tools/check_choice.py. */
#include "../engines/winograd.h"

/* The transform of the pixels pays from 32 channels on, or from 16 if 64 outputs share it. */
static const int64_t least_channels = 32, few_channels = 16, outputs_of_few = 48;
static const int64_t least_outputs = 16;

/* Over few channels the errors of F(4, 3) do not average out: its bound was seen broken up to
 * 7 channels, and at 16 where one input in ten is not zero. */
static const int64_t least_channels_of_four = 32;

/* Nor where one or two columns meet padding on both sides: the points' roundings are those of a
 * whole tile, the sums a third of one; ReLU'd data came to 1.34 of the bound. */
static const int64_t least_side_of_four = 3;

/* As `longest_chain` of the direct sums, in lines of that length. */
static const int64_t longest_chain = CORR_LINE - 16;

/* Fitted to 1,415 times of 121 layers, each with the tiles and blocks that can be, which they
 * give with a deviation of 6%; the blocks that they choose are 0.8% slower than the best ones
 * on the geometric mean.
 *
 * A vector of channels of one tile, pixels to points and points to outputs; then a block of
 * lanes x lanes turned, a vector; a vector copied; what a run of tiles costs besides, and an
 * item. */
static const double input_cycles[2] = {137, 55}, output_cycles[2] = {87, 35};
static const double turn_cycles = 3.5, pick_cycles = 25, copy_cycles = 2, run_cycles = 170, item_start = 1500;

/* V beside streaming weights in L2, or with the weights themselves; or those made late; M. */
static const int64_t block_bytes = 440 << 10;
static const int64_t sum_bytes = 128 << 10;

/* Bytes a cycle from L3 and from memory, with the product running beside and fetching ahead;
 * of V, which is not fetched, from L3; how much of all that is not hidden; L3's share. */
static const double l3_rate = 27, memory_rate = 12, v_rate = 16, seen = 0.27;
static const int64_t l3_bytes = 24 << 20;

/* Weights transformed in the call: a vector of filters, and a vector of points stored, in L2 if late. Caches
 * emptied before the call cost no more, since the lines are fetched ahead; but what base/memory.c
 * does not keep for the next call lies on fresh pages. Of a Zen 4, in steps of its products: half its cycles. */
static const double filter_cycles = 45, cut_filter_cycles = 110;
static const double late_point_cycles = 1.7, point_cycles = 4.2, fresh_point_cycles = 16;
static const int64_t kept_bytes = 32 << 20;

typedef struct blocking {
    const corr_problem *s;
    const corr_choice *c;
    int64_t tiles, across, vectors; /* tiles of all images, and of a row; vectors of channels */
    int64_t terms; /* input channels, of all blocks of the kernel */
    double weight_bytes;
} blocking;

static blocking make_blocking(const corr_problem *s, const corr_choice *c) {
    const int64_t outputs = c->points - 2, lanes = c->kernels->lanes;
    blocking b = {.s = s, .c = c};
    b.across = corr_ceil_div(s->w.out, outputs);
    b.tiles = s->n * corr_ceil_div(s->h.out, outputs) * b.across;
    b.vectors = corr_ceil_div(s->oc, lanes);
    b.terms = corr_winograd_terms(s, c->kernels);
    b.weight_bytes = (double)(c->points * c->points * b.terms * b.vectors * lanes * c->kernels->bytes);
    return b;
}

/* A run of tiles in one row, a vector of channels: to or from pixels of lanes, and turned. */
static double transform_cycles(const blocking *b, int64_t tiles, int64_t channels_in,
                               int64_t channels_out) {
    const corr_problem *s = b->s;
    const int64_t outputs = b->c->points - 2, lanes = b->c->kernels->lanes;
    const int few = b->c->points == 4;
    const int64_t width = corr_min(tiles, b->across) * outputs;
    const double runs = (double)tiles / (double)corr_min(tiles, b->across), side = b->c->points;
    /* Of planes whose pixels lie apart, as those of a dilation's phase do, elements are picked. */
    const double turned_in = s->x_stride[4] == 1 ? (double)corr_round_up(width + 2, lanes) * turn_cycles
                                                 : (double)(width + 2) * pick_cycles;
    const double turned_out = s->y_stride[4] == 1 ? (double)corr_round_up(width, lanes) * turn_cycles
                                                  : (double)width * pick_cycles;
    double in = side * (s->x_stride[2] == 1 ? (double)(width + 2) * copy_cycles : turned_in);
    double out = s->y_stride[2] == 1 ? 0 : (side - 2) * turned_out;
    in = runs * (in + run_cycles) + (double)tiles * input_cycles[few];
    out = runs * (out + run_cycles) + (double)tiles * output_cycles[few];
    return in * (double)corr_ceil_div(channels_in, lanes) + out * (double)corr_ceil_div(channels_out, lanes);
}

/* One step of k over a tile of the product: it fetches besides, a line and a row of weights. */
static double step_cycles(const blocking *b, int64_t rows, int64_t vectors) {
    const double loads = (double)(rows + 3 * vectors + 1) / 2;
    const double cycles = corr_tile_cycles(rows, vectors, b->c->depth);
    return cycles > loads ? cycles : loads;
}

/* One step of k over a block of tiles. */
static double product_cycles(const blocking *b, int64_t tiles, int64_t vectors) {
    const corr_choice *c = b->c;
    const int64_t panels = corr_ceil_div(tiles, c->kernels->max_rows[c->vectors - 1]);
    const int64_t rows = corr_ceil_div(tiles, panels), rest = tiles - (panels - 1) * rows;
    const int64_t v = corr_min(c->vectors, vectors), last = vectors % v;
    double cycles = (double)(panels - 1) * step_cycles(b, rows, v) + step_cycles(b, rest, v);
    cycles *= (double)(vectors / v);
    if (last)
        cycles += (double)(panels - 1) * step_cycles(b, rows, last) + step_cycles(b, rest, last);
    return cycles;
}

/* An item: some tiles and some vectors of output channels. */
static double item_cycles(const blocking *b, int64_t tiles, int64_t vectors) {
    const corr_choice *c = b->c;
    const double points = c->points * c->points, ic = (double)b->terms;
    const double product = product_cycles(b, tiles, vectors) * points * ic;
    const double weights = b->weight_bytes * (double)vectors / (double)b->vectors;
    const double v = points * (double)tiles * ic * (double)c->kernels->bytes;
    double far = c->packs_late                           ? 0
                 : b->weight_bytes > (double)l3_bytes    ? weights / memory_rate
                 : b->weight_bytes + v > (double)block_bytes
                     ? weights / l3_rate
                     : 0;
    if (v > (double)block_bytes)
        far += v * (double)corr_ceil_div(vectors, c->vectors) / v_rate;
    /* What streams is hidden behind the products, all but a part. */
    const double most = product > far ? product : far;
    return item_start + most + seen * far +
           transform_cycles(b, tiles, b->terms, vectors * c->kernels->lanes);
}

/* Beyond four panels V was slower from L3 than the weights that it saves. */
static const int64_t most_panels = 4;

/* The best number of tiles for one item, all output channels. */
static double best_tiles(const blocking *b, int64_t *tiles) {
    const int64_t most = b->c->kernels->max_rows[b->c->vectors - 1];
    double best = -1;
    for (int64_t panels = 1; panels <= most_panels; panels++) {
        const int64_t blocks = corr_ceil_div(b->tiles, most * panels);
        const int64_t at_once = corr_ceil_div(b->tiles, blocks);
        const double cycles = (double)blocks * item_cycles(b, at_once, b->vectors);
        if (best < 0 || cycles < best) {
            best = cycles;
            *tiles = at_once;
        }
        if (blocks == 1)
            break;
    }
    return best * (double)b->s->groups;
}

static double weights_cycles(const blocking *b) {
    const double filters = (double)(b->s->groups * b->terms * b->vectors);
    const double points = b->c->points * b->c->points;
    const int fresh = b->weight_bytes * (double)b->s->groups > (double)kept_bytes;
    const double stored = b->c->packs_late ? late_point_cycles : fresh ? fresh_point_cycles : point_cycles;
    const int64_t taps = b->s->h.kernel * b->s->w.kernel;
    const double cut = taps == 9 * corr_ceil_div(b->terms, b->s->ic) ? 0 : cut_filter_cycles;
    return filters * (filter_cycles + cut + points * stored);
}

/* Input channels of a chain, as even as can be; weights transformed late stay in L2. */
static int64_t choose_depth(const blocking *b) {
    const int64_t lanes = b->c->kernels->lanes;
    const int64_t line = b->c->points * b->c->points * b->c->vectors * lanes * b->c->kernels->bytes;
    const int64_t most = b->c->packs_late ? corr_min(longest_chain, block_bytes / line) : longest_chain;
    return corr_round_up(corr_ceil_div(b->terms, corr_ceil_div(b->terms, most)), lanes);
}

/* Threads share the panels of weights made late: what two and four of them would lose by their number. */
static const double idle_share = 0.03;
static double panels_loss(const blocking *b) {
    const int64_t panels = corr_ceil_div(b->vectors, b->c->vectors);
    double loss = 0;
    for (int64_t threads = 2; threads <= 4; threads += 2)
        loss += idle_share * ((double)(threads * corr_ceil_div(panels, threads)) / (double)panels - 1);
    return loss;
}

static double choose_part(const corr_problem *s, int planned, corr_choice *choice) {
    if (s->algorithm == CORR_AUTO &&
        (s->oc < (s->ic < least_channels ? outputs_of_few : least_outputs) || s->ic < few_channels))
        return -1;
    const int four = s->ic >= least_channels_of_four &&
                     corr_min(s->h.in, s->w.in) >= least_side_of_four;
    double best = -1;
    corr_choice c = *choice;
    c.engine = &corr_winograd_engine;
    c.channel_lanes = 1;
    for (c.points = 4; c.points <= (four ? 6 : 4); c.points += 2)
        for (c.vectors = 1; c.vectors <= CORR_MAX_VECTORS; c.vectors++) {
            if (c.kernels->max_rows[c.vectors - 1] == 0)
                continue;
            c.rows = c.kernels->max_rows[c.vectors - 1];
            const blocking b = make_blocking(s, &c);
            /* Weights that one core transforms and others read take longer than each core's
             * own: 128x28x28 -> 128 on two 0.38 ms against 0.20. */
            c.packs_late = !planned && b.tiles <= most_panels * c.rows;
            c.depth = choose_depth(&b);
            c.tiles = b.tiles;
            double cycles = c.packs_late
                                ? (double)s->groups * item_cycles(&b, b.tiles, b.vectors)
                                : best_tiles(&b, &c.tiles);
            if (!planned)
                cycles += weights_cycles(&b);
            if (c.packs_late)
                cycles *= 1 + panels_loss(&b);
            if (best < 0 || cycles < best) {
                best = cycles;
                *choice = c;
            }
        }
    return best;
}

double corr_choose_winograd(const corr_problem *s, int planned, corr_choice *choice) {
    corr_winograd_part parts[CORR_WINOGRAD_PARTS];
    if (!corr_winograd_engine.accepts(s))
        return -1;
    const int count = corr_winograd_parts(s, parts);
    if (count == 0)
        return -1;
    double cycles = choose_part(&parts[0].s, planned, choice); /* the longest phases */
    const blocking first = make_blocking(&parts[0].s, choice);
    for (int i = 1; i < count && cycles >= 0; i++) {
        const blocking b = make_blocking(&parts[i].s, choice);
        int64_t tiles;
        cycles += best_tiles(&b, &tiles);
        choice->packs_late &= b.tiles <= first.tiles;
    }
    return cycles;
}

void corr_choose_winograd_split(const corr_problem *s, int threads, corr_choice *choice) {
    const blocking b = make_blocking(s, choice);
    const int64_t panels = corr_ceil_div(b.vectors, choice->vectors), outputs = choice->points - 2;
    int64_t tiles = b.tiles;
    if (!choice->packs_late)
        best_tiles(&b, &tiles);
    int64_t blocks = corr_ceil_div(b.tiles, tiles);
    choice->tiles = tiles;
    choice->channel_panels = panels;
    double best = -1;
    const int64_t most = choice->packs_late ? blocks : corr_min(b.tiles, blocks + 4 * threads);
    for (int64_t n = blocks; threads > 1 && n <= most; n++)
        for (int64_t bands = 1; bands <= corr_min(panels, 2 * threads); bands++) {
            const int64_t t = corr_ceil_div(b.tiles, n), p = corr_ceil_div(panels, bands);
            const int64_t items = s->groups * corr_ceil_div(b.tiles, t) * corr_ceil_div(panels, p);
            const double time = (double)corr_ceil_div(items, threads) *
                                item_cycles(&b, t, corr_min(p * choice->vectors, b.vectors));
            if (best < 0 || time < best) {
                best = time;
                choice->tiles = t;
                choice->channel_panels = p;
            }
        }
    const int64_t sums = (outputs + 2) * (outputs + 2) * choice->tiles * choice->vectors *
                         choice->kernels->lanes * choice->kernels->bytes;
    choice->inverse_panels = corr_max(1, corr_min(sum_bytes / sums, choice->channel_panels));
}
