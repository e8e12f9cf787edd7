/* The only heuristics. None of them changes a bit of any result but `kc`, which depends
 * on the layer, its layout and the ISA alone. */
#include "plan.h"

/* 392 steps of a 14-row panel are 22 KB of A in L1; shorter chains meet the output more
 * often, longer ones round worse (error grows with the chain). 392 = 8 * 49 fits 7x7 taps. Tiles of
 * 4 to 6 rows of floats leave room for 512: 1x1 on 1024x14x14 takes 1.13 ms for 1.18. */
static int64_t longest_chain(const corr_kernels *k) {
    return k->lanes * k->bytes <= 32 && k->bytes == 4 ? 512 : 392;
}

/* What the slab may take: 60% of a 512 KiB L2, the smallest of current cores. */
static const int64_t packed_block_bytes = 300 << 10;

/* And the sums [pixel][channel] beside them, where lanes run over channels. */
static const int64_t sum_block_bytes = 192 << 10;

/* Up to this many multiply-adds an image, packing costs more than the product: 10 channels to 240 of one
 * pixel 4.7 us term by term and 2.4 so, with a plan 4.1 and 1.2; 8x3x3 -> 16 0.8 and 1.1. */
static const int64_t plain_terms = 1024;

/* About 30 microseconds of one core: waking a sleeping thread takes five to ten. An element that is read
 * or written counts as some multiply-adds: 3x3 s2 on 144 planes of 56x56 takes 41 us alone and 21 in two. */
static const double threads_from_terms = 1.5e6, terms_per_element = 6;

int corr_choose_threads(const corr_problem *s, int most) {
    const double planes = (double)s->n * (double)s->groups;
    const double in = planes * (double)s->ic * (double)s->h.in * (double)s->w.in;
    const double out = planes * (double)s->oc * (double)corr_pixels(s);
    const double terms = out * (double)corr_terms(s) + terms_per_element * (in + out);
    return terms < threads_from_terms ? 1 : most;
}

static int64_t even_part(int64_t all, int64_t most) {
    all = corr_max(all, 1);
    return corr_ceil_div(all, corr_ceil_div(all, most));
}

/* Planes are taken by blocks of channels, so that what the taps share is small; the channels
 * of a channels-last image lie together and are taken at once, unless it is turned to planes. */
void corr_choose_chains(const corr_problem *s, int at_once, corr_choice *choice) {
    const int64_t taps = s->h.kernel * s->w.kernel, longest = longest_chain(choice->kernels);
    choice->cb = at_once          ? corr_max(s->ic, 1)
                 : taps < longest ? even_part(s->ic, longest / taps)
                                  : 1;
    choice->kc = even_part(choice->cb * taps, longest);
}

/* What moving data costs, in cycles: a vector copied, every second element of two, of pixels
 * whose channels lie together, and elements gathered or scattered one by one; a row copied once
 * more; a vector transposed on its way out. */
static const double copy_cycles = 2, copy2_cycles = 4, copy4_cycles = 8, turn_cycles = 7, element_cycles = 2;
static const double row_cycles = 6, transpose_cycles = 8;

/* Turning rows apart for a stride costs more than what the tiles then gain by it, unless each pixel has
 * many taps: 8x8 s8 on 4x224x224 -> 32 takes 0.255 ms from a slab and 0.120 from the planes, 4x4 s4 on
 * 3x224x224 -> 96 0.33 and 0.32, 3x3 s2 on 64x128x128 2.95 and 2.83, 5x5 s2 on 48x96x96 3.13 and 3.16.
 * Vectors of 32 bytes have too few registers to wait for far planes: 2x2 s2 on 192x28x28 1.12 and 1.41. */
static const int64_t taps_per_pixel = 4, near_planes = 16;

int corr_reads_planes(const corr_problem *s, const corr_kernels *k) {
    return s->w.stride > 1 && s->h.kernel * s->w.kernel <= taps_per_pixel * s->h.stride * s->w.stride &&
           (k->lanes * k->bytes > 32 || s->ic <= near_planes);
}

/* A panel takes a few lines of each of many planes, which no prefetcher foresees: 1x1 on 64x388x388 -> 16
 * takes 8.3 ms and 6.3 so, -> 2 3.6 and 2.9, 8 of 64x56x56 -> 64 3.4 and 2.3, 4 of 96x56x56 -> 96 2.2 and
 * 2.3; but 144x56x56 -> 24, from a cache, 0.199 and 0.215. Of AVX2 a product of more outputs is slower by
 * as much as one of few gains. */
static const int64_t fetched_bytes = 8 << 20, few_fetched_outputs = 8;

static int from_memory(const corr_problem *s, const corr_kernels *k) {
    const int64_t in = s->ic * s->h.in * s->w.in, out = s->oc * corr_pixels(s);
    return s->n * s->groups * (in + out) * k->bytes > fetched_bytes;
}

int corr_fetches_pixels(const corr_problem *s, const corr_kernels *k) {
    return from_memory(s, k) &&
           (k->lanes * k->bytes > 32 || s->oc <= few_fetched_outputs);
}

/* Rows of outputs, and pixels of a row, whose slab fits. */
static void fit_slab(const corr_problem *s, corr_choice *choice, int64_t *rows, int64_t *columns) {
    const int64_t per_panel = corr_panel_pixels(choice), bytes = choice->kernels->bytes;
    *columns = s->w.out;
    corr_slab b = corr_make_slab(s, choice, 1, *columns);
    const int64_t row = b.elements * bytes / (1 + b.halo);
    *rows = corr_max(1, corr_min(s->h.out, packed_block_bytes / corr_max(row, 1) - b.halo));
    if (!choice->by_rows || b.elements * bytes <= 2 * packed_block_bytes)
        return;
    *columns = corr_max(*columns * 2 * packed_block_bytes / (b.elements * bytes) / per_panel, 1) * per_panel;
    *columns = corr_min(*columns, s->w.out);
}

/* Does one row of outputs fit, with whole rows of the input? */
static int fits_whole_rows(const corr_problem *s, const corr_choice *choice) {
    return corr_make_slab(s, choice, 2, s->w.out).elements * choice->kernels->bytes <=
           4 * packed_block_bytes;
}

/* Of planes every second pixel, read in place: lines of a channel that each panel of weights takes
 * from L2 again, and what one costs. 1x1 s2 on 512x28x28 -> 1024 takes 2.4 ms from a slab and 4.2
 * in place (AVX2; with vectors of 64 bytes it was not seen). */
static const double line_cycles = 8;

static double far_lines(const corr_problem *s, const corr_choice *c) {
    if (s->w.stride == 1 || s->x_stride[4] != 1 || c->kernels->lanes * c->kernels->bytes > 32)
        return 0;
    return (double)(s->h.out * corr_ceil_div(s->w.out * s->w.stride * c->kernels->bytes, CORR_CACHE_LINE));
}

/* Cycles of a step of k over the whole output, with the choice's tile chosen. */
static double cost(const corr_problem *s, corr_choice *c, int channel_lanes, int by_rows) {
    const int64_t lanes = c->kernels->lanes, length = by_rows ? s->w.out : corr_pixels(s);
    const int64_t step = s->w.stride * s->x_stride[4];
    const double terms = (double)corr_max(corr_terms(s), 1);
    const double outputs = (double)corr_pixels(s) * (double)s->oc;
    c->channel_lanes = channel_lanes;
    c->by_rows = by_rows;
    corr_choose_chains(s, channel_lanes && corr_channels_last(s), c);
    c->rows = c->vectors = 1;
    const double tile = channel_lanes ? corr_tile_channels(s, c, 0)
                                      : corr_best_tile(c->kernels, c->kc, CORR_MAX_ROWS, s->oc,
                                                       corr_ceil_div(length, lanes), &c->rows, &c->vectors);
    double cycles = tile * (double)(by_rows ? s->h.out : 1);
    if (corr_reads_image(s, c) && channel_lanes)
        cycles += (double)corr_ceil_div(s->oc, c->vectors * lanes) * far_lines(s, c) * line_cycles;
    if (!corr_reads_image(s, c)) {
        int64_t rows, columns;
        fit_slab(s, c, &rows, &columns);
        const corr_slab b = corr_make_slab(s, c, rows, columns);
        const int whole = corr_keeps_planes(s, c); /* rows and columns that the stride skips are copied, too */
        const double copy = step == 1 || (whole && s->x_stride[4] == 1) ? copy_cycles
                            : s->x_stride[2] == 1 ? turn_cycles * (double)lanes / (double)corr_min(c->cb, lanes)
                            : step == 2           ? copy2_cycles
                            : step == 3 || step == 4 ? copy4_cycles
                                                  : element_cycles * (double)lanes;
        const double row = row_cycles + copy * (double)corr_ceil_div(s->w.out + b.shift, lanes);
        const double again = (double)(rows + b.halo) / (double)rows;
        const corr_middle m = corr_find_middle(s, c);
        const double beside = (double)(s->w.out - (m.end - m.first)) / (double)corr_max(s->w.out, 1);
        cycles += again * (double)s->h.out / terms *
                  (b.channels_last ? copy_cycles * (double)b.row / (double)lanes * beside
                                   : row * (double)(s->ic * b.copies * b.phases * (whole ? s->h.stride : 1)) * beside);
    }
    if (channel_lanes ? s->y_stride[2] != 1 || s->y_stride[4] == 1 : corr_turns_sums(s, c))
        cycles += outputs / (double)lanes * transpose_cycles / terms;
    else if (!channel_lanes && s->y_stride[4] != 1)
        cycles += 2 * element_cycles * outputs / (double)c->kc;
    return cycles;
}

/* A slab for the least that an item computes which is far beyond the image: zeros, most of it. */
static const int64_t most_slab_bytes = 64 << 20;

static int slab_is_vast(const corr_problem *s, const corr_choice *c) {
    if (corr_reads_image(s, c))
        return 0;
    const int64_t columns = c->by_rows ? corr_min(corr_panel_pixels(c), s->w.out) : s->w.out;
    const int64_t elements = corr_make_slab(s, c, 1, columns).elements;
    return elements * c->kernels->bytes > most_slab_bytes && elements / 8 > s->ic * s->h.in * s->w.in;
}

/* Gives the cycles of one core. */
static double choose_gemm(const corr_problem *s, corr_choice *choice) {
    double least = -1;
    for (int by_rows = 0; by_rows < 2; by_rows++)
        for (int channel_lanes = 0; channel_lanes < 2; channel_lanes++) {
            corr_choice c = *choice;
            const double cycles = cost(s, &c, channel_lanes, by_rows);
            const int last = corr_channels_last(s) && channel_lanes;
            if (!by_rows && !corr_reads_image(s, &c) && (last || !fits_whole_rows(s, &c)))
                continue;
            if ((least < 0 || cycles < least) && !slab_is_vast(s, &c)) {
                least = cycles;
                *choice = c;
            }
        }
    choice->engine = least < 0 ? &corr_plain_engine : &corr_gemm_engine;
    /* Of the tile nothing else depends, and so no bit on the batch. */
    if (least >= 0 && choice->channel_lanes && from_memory(s, choice->kernels))
        corr_tile_channels(s, choice, 1);
    return least * (double)corr_terms(s) * (double)(s->n * s->groups);
}

/* Pixels of an item as many as L2 takes, before threads are thought of. */
static void fit_block(const corr_problem *s, corr_choice *c, int64_t *panels, int64_t *rows) {
    const int64_t per_panel = corr_panel_pixels(c), bytes = c->kernels->bytes;
    int64_t columns;
    *rows = 1;
    if (corr_reads_image(s, c))
        *panels = packed_block_bytes / (c->kc * bytes * per_panel);
    else {
        fit_slab(s, c, rows, &columns);
        *panels = c->by_rows ? corr_ceil_div(columns, per_panel)
                             : corr_max(*rows * s->w.out, per_panel) / per_panel;
    }
    *panels = corr_max(*panels, 1);
    if (corr_reads_image(s, c) && c->by_rows) {
        *rows = corr_max(1, *panels / corr_ceil_div(s->w.out, per_panel));
        *panels = corr_min(*panels, corr_ceil_div(s->w.out, per_panel));
    }
}

/* Blocks of pixels as large as L2 takes; then, for several threads, the cut into items of
 * blocks x bands that ends first. In units of one panel times one panel: copying a panel of
 * pixels costs some 0.2, fetching one of weights from L3 some 0.3 an item. By rows, the cut
 * is along the rows. */
static void split_gemm(const corr_problem *s, int threads, corr_choice *choice) {
    if (choice->channel_lanes && corr_channels_last(s) && !corr_reads_image(s, choice))
        choice->by_rows = 1;
    const int64_t images = s->n * s->groups, bytes = choice->kernels->bytes;
    const int64_t pixels = corr_panel_pixels(choice);
    const int64_t all_channels = corr_ceil_div(s->oc, corr_panel_channels(choice));
    const int64_t row_panels =
        corr_ceil_div(choice->by_rows ? s->w.out : corr_pixels(s), pixels);
    int64_t panels, rows;
    fit_block(s, choice, &panels, &rows);
    choice->pixel_panels = even_part(row_panels, panels);
    choice->item_rows = even_part(s->h.out, rows);
    /* What is cut: rows of panels, or panels. */
    const int64_t all = choice->by_rows ? s->h.out : row_panels;
    const int64_t part = choice->by_rows ? choice->item_rows : choice->pixel_panels;
    const int64_t unit = choice->by_rows ? choice->pixel_panels : 1;
    const int64_t columns = choice->by_rows ? corr_ceil_div(row_panels, choice->pixel_panels) : 1;
    const int64_t blocks = corr_ceil_div(all, part);
    int64_t bands = 1;
    if (choice->channel_lanes || corr_turns_sums(s, choice)) {
        int64_t sums = part * unit * pixels * s->oc * bytes;
        bands = corr_min(corr_max(1, corr_ceil_div(sums, sum_block_bytes)), all_channels);
    }
    choice->channel_panels = corr_ceil_div(all_channels, bands);
    if (threads == 1 || images * columns * blocks * bands >= 8 * (int64_t)threads)
        return;
    const double halo = (double)(choice->by_rows ? (s->h.kernel - 1) * s->h.dilation / s->h.stride : 0);
    double best = -1;
    for (int64_t b = blocks; b <= corr_min(all, blocks + 8 * threads); b++)
        for (int64_t c = bands; c <= corr_min(all_channels, bands + 2 * threads); c++) {
            int64_t p = corr_ceil_div(all, b), o = corr_ceil_div(all_channels, c);
            int64_t items = images * columns * corr_ceil_div(all, p) * corr_ceil_div(all_channels, o);
            double item = (double)(p * unit * o) + 0.2 * ((double)p + halo) * (double)unit + 0.3 * (double)o;
            double time = (double)corr_ceil_div(items, threads) * item;
            if (best < 0 || time < best) {
                best = time;
                *(choice->by_rows ? &choice->item_rows : &choice->pixel_panels) = p;
                choice->channel_panels = o;
            }
        }
}

/* Vectors of 32 bytes and less: where rows of a panel lie apart, each shares its cache lines with
 * others, crosses them and has a page of its own, so that L1 holds less than one panel: 1x1 on
 * 1024x14x14 runs at 0.73 of the peak so, and at 0.85 from a copy. Of a slab that L1 holds there
 * is no need. AVX-512 was at 0.95 in place. The copy costs what some panels of weights gain by
 * it, and has its room in L2. */
static const int64_t packed_vector_bytes = 32, packed_uses = 4, packed_pixel_bytes = 160 << 10;
static const int64_t touched_bytes = 16 << 10;

/* What a panel touches of the slab where it lies. */
static int64_t panel_touches(const corr_problem *s, const corr_choice *c) {
    const corr_slab b = corr_make_slab(s, c, 1, s->w.out);
    const int64_t runs = corr_min(c->cb, s->ic) * s->h.kernel * b.copies;
    const int64_t run = (corr_panel_pixels(c) + b.shift) * c->kernels->bytes;
    return runs * (corr_round_up(run, CORR_CACHE_LINE) + CORR_CACHE_LINE);
}

static int64_t item_panels(const corr_choice *c) {
    return c->pixel_panels * (c->by_rows ? c->item_rows : 1);
}

static int64_t packed_panels(const corr_problem *s, const corr_choice *c) {
    const int64_t panel = c->kc * corr_panel_pixels(c) * c->kernels->bytes;
    if (c->kernels->lanes * c->kernels->bytes > packed_vector_bytes ||
        corr_min(c->channel_panels, corr_ceil_div(s->oc, corr_panel_channels(c))) < packed_uses ||
        !corr_reads_runs(s, c) || (!corr_reads_image(s, c) && panel_touches(s, c) <= touched_bytes))
        return 0;
    return corr_min(corr_max(packed_pixel_bytes / panel, 1), item_panels(c));
}

/* Cycles a pixel of a step of k, where a tile has so many outputs of so many pixels: of less than
 * 12 sums it is the loads and the chains that bound it. */
static const double dots_step_cycles = 5.5;

static double dots_cycles(int64_t outputs, int64_t pixels) {
    const double fma = (double)(outputs * pixels) / 2;
    return (fma > dots_step_cycles ? fma : dots_step_cycles) / (double)pixels;
}

/* The tile for so many outputs; gives the cycles of a pixel's step. */
static double choose_dots_tile(int64_t outputs, corr_choice *c) {
    const corr_kernels *k = c->kernels;
    double best = -1;
    for (int r = 1; r <= corr_min(outputs, corr_max(k->dot_rows, k->dot_columns)); r++) {
        const int pixels = r > k->dot_rows ? k->dot_rows : k->dot_columns;
        const double rest = outputs % r ? dots_cycles(outputs % r, pixels) : 0;
        const double cycles = (double)(outputs / r) * dots_cycles(r, pixels) + rest;
        if (best < 0 || cycles < best ||
            (cycles == best && corr_ceil_div(outputs, r) < corr_ceil_div(outputs, c->rows))) {
            best = cycles;
            c->rows = r;
            c->vectors = pixels;
        }
    }
    return best;
}

/* What a chain's weights may take of L1, and the rows of the image that all output channels
 * read of L2. */
static const int64_t dots_weight_bytes = 16 << 10, dots_image_bytes = 128 << 10;

/* Where the outputs are too few for a vector of them, vectors run along the input channels: then
 * all lanes have work, but are added up in the end. Cycles of that, for an output, and of the start of
 * a run of channels. 3x3 on 64x112x112 takes 1.51 ms for 1.82 to 8 outputs, 0.57 for 0.89 to 3,
 * 0.34 for 0.69 to one; 1x1 on 64x80x80 0.063 for 0.154 to one, but 0.24 for 0.12 to 8 (AVX2). */
static const double add_lanes_cycles = 12, run_cycles = 10;
static const int64_t dots_outputs = 12;

/* Of products with so few outputs cost() tells too little, and where tiles are one vector wide, whose
 * loads nothing hides, far too little. */
static const double few_outputs = 1.1, one_vector = 1.3;

/* Cycles of one core, or negative. */
static double choose_dots(const corr_problem *s, corr_choice *c) {
    const corr_kernels *k = c->kernels;
    if (!corr_channels_last(s) || s->oc > dots_outputs || corr_terms(s) > INT32_MAX / CORR_DOT_MAX_COLUMNS)
        return -1;
    c->engine = &corr_dots_engine;
    const double step = choose_dots_tile(s->oc, c);
    c->kc = dots_weight_bytes / (c->rows * k->bytes);
    const int64_t column = corr_max(s->h.kernel * s->w.stride * s->ic, 1) * k->bytes * c->vectors;
    c->pixel_panels = corr_max(corr_min(dots_image_bytes / column, corr_ceil_div(s->w.out, c->vectors)), 1);
    const int whole = s->w.dilation == 1 && s->x_stride[4] == s->ic;
    const int64_t runs = s->h.kernel * (whole ? 1 : s->w.kernel);
    const double steps = (double)(runs * corr_ceil_div(corr_terms(s) / runs, k->lanes));
    const double starts = (double)(runs * corr_ceil_div(s->oc, c->rows)) / c->vectors;
    const double pixel = step * steps + run_cycles * starts + add_lanes_cycles * (double)s->oc;
    return pixel * (double)corr_pixels(s) * (double)(s->n * s->groups);
}

static void split_dots(const corr_problem *s, int threads, corr_choice *c) {
    const int64_t columns = corr_ceil_div(s->w.out, c->pixel_panels * c->vectors);
    const int64_t images = s->n * s->groups * columns;
    c->item_rows = even_part(s->h.out, corr_max(s->h.out * images / (8 * (int64_t)threads), 1));
}

void corr_choose_split(const corr_problem *s, int threads, corr_choice *choice) {
    const corr_engine *e = choice->engine;
    if (e == &corr_winograd_engine)
        corr_choose_winograd_split(s, threads, choice);
    else if (e == &corr_depthwise_engine)
        corr_split_stencil(s, threads, choice);
    else if (e == &corr_groups_engine)
        corr_split_groups(s, threads, choice);
    else if (e == &corr_dots_engine)
        split_dots(s, threads, choice);
    else if (e == &corr_connected_engine)
        corr_split_connected(s, threads, choice);
    else if (e == &corr_gemm_engine) {
        split_gemm(s, threads, choice);
        choice->packed_panels = packed_panels(s, choice);
    }
}

/* Float32 may go through transforms or Winograd unless the direct sum is asked for; float64 never does. */
static corr_status choose_algorithm(const corr_problem *s, int planned, corr_choice *choice) {
    if (s->algorithm == CORR_FFT || s->algorithm == CORR_AUTO) {
        if (corr_choose_fft(s, choice))
            return CORR_OK;
        if (s->algorithm == CORR_FFT)
            return CORR_UNSUPPORTED;
    }
    corr_choice winograd = *choice;
    const double cycles =
        s->algorithm == CORR_DIRECT ? -1 : corr_choose_winograd(s, planned, &winograd);
    if (s->algorithm == CORR_WINOGRAD && cycles < 0)
        return CORR_UNSUPPORTED;
    if (s->algorithm != CORR_WINOGRAD && corr_takes_stencil(s, choice->kernels)) {
        corr_choose_stencil(s, choice);
        return CORR_OK;
    }
    if (s->algorithm != CORR_WINOGRAD && corr_choose_groups(s, choice))
        return CORR_OK;
    if (s->algorithm != CORR_WINOGRAD) {
        corr_choice dots = *choice;
        const double across = choose_dots(s, &dots);
        double direct = choose_gemm(s, choice);
        const int one = choice->channel_lanes && choice->vectors == 1;
        if (across >= 0 && across < direct * few_outputs * (one ? one_vector : 1)) {
            *choice = dots;
            direct = across;
        }
        if (cycles < 0 || direct <= cycles)
            return CORR_OK;
    }
    *choice = winograd;
    return CORR_OK;
}

/* Weights that an item a thread needs, and few of those, are packed by each, panel by panel:
 * written to memory and fetched again they cost more than the turning, some half a cycle each. A
 * panel and the item's slab share L2. */
static const int64_t late_items = 2, late_panel_bytes = 640 << 10;

static int packs_late(const corr_problem *s, int threads, const corr_choice *c) {
    const corr_blocks b = corr_make_blocks(s, c);
    const int64_t panel = c->cb * s->h.kernel * s->w.kernel * corr_panel_channels(c);
    return s->n * b.rows * b.columns <= corr_min(late_items, threads) && panel * c->kernels->bytes <= late_panel_bytes;
}

/* Then weights come panel by panel, and pixels are packed for all of them, if one chain is all
 * that the item sums of them at a time. */
static int64_t late_panels(const corr_problem *s, const corr_choice *c) {
    const int one = c->cb * s->h.kernel * s->w.kernel <= c->kc;
    return one && c->packed_panels ? item_panels(c) : 0;
}

corr_status corr_choose(const corr_problem *s, int threads, int planned, corr_choice *choice) {
    *choice = (corr_choice){.kernels = corr_kernel_table(s->dtype), .rows = 1, .vectors = 1};
    corr_choose_chains(s, corr_channels_last(s), choice);
    if (corr_is_far(s)) {
        choice->engine = &corr_plain_engine;
        return s->algorithm == CORR_WINOGRAD || s->algorithm == CORR_FFT ? CORR_UNSUPPORTED : CORR_OK;
    }
    int64_t terms;
    int small = !corr_multiply(s->groups * s->oc * corr_pixels(s), corr_terms(s), &terms) &&
                terms <= plain_terms;
    if (small && (s->algorithm == CORR_AUTO || s->algorithm == CORR_DIRECT)) {
        choice->engine = &corr_plain_engine;
        return CORR_OK;
    }
    corr_status status = CORR_OK;
    if (corr_takes_connected(s))
        choice->engine = &corr_connected_engine;
    else
        status = choose_algorithm(s, planned, choice);
    if (status == CORR_OK)
        corr_choose_split(s, threads, choice);
    if (status == CORR_OK && !planned && choice->engine == &corr_gemm_engine)
        choice->packs_late = packs_late(s, threads, choice);
    if (choice->packs_late)
        choice->packed_panels = late_panels(s, choice);
    return status;
}
