/* The only heuristics. None of them changes a bit of any result but `kc`, which depends
 * on the layer alone. */
#include "plan.h"

/* 384 steps of a 6-row panel are 9 KB of A in L1; shorter blocks meet the output more
 * often, longer ones round worse (error grows with the chain). */
static const int64_t longest_chain = 384;

/* What the packed pixels may take: 60% of a 512 KiB L2, the smallest of current cores. */
static const int64_t packed_block_bytes = 300 << 10;

/* And the sums [pixel][channel] beside them, where lanes run over channels. */
static const int64_t sum_block_bytes = 192 << 10;

/* Rows of the input copied at once for the engine `rows`. */
static const int64_t slab_block_bytes = 256 << 10;

/* Below this many multiply-adds an image, packing costs more than the product. */
static const int64_t plain_terms = 4096;

/* The weight gradient's chunk of pixels: long enough that summing lanes is small beside
 * the products (32 lanes' sums in some 200 instructions), short enough for L2. */
static const int64_t dot_chunk = 1024;
static const int64_t dot_block_bytes = 256 << 10;

/* About 30 microseconds of one core: waking a sleeping thread takes five to ten. */
static const double threads_from_terms = 1.5e6;

int corr_choose_threads(const corr_problem *s, int most) {
    double terms = (double)(s->n * s->groups * s->oc) * (double)corr_pixels(s) *
                   (double)corr_terms(s);
    return terms < threads_from_terms ? 1 : most;
}

int64_t corr_choose_kc(int64_t terms) {
    int64_t blocks = corr_ceil_div(corr_max(terms, 1), longest_chain);
    return corr_ceil_div(corr_max(terms, 1), blocks);
}

/* Cycles of one step of k over a tile: two FMA pipes, two load ports, four cycles from
 * an FMA to the next on the same accumulator; and its share of what a tile costs once. */
static double tile_cycles(int64_t rows, int64_t vectors, int64_t kc) {
    double fma = (double)(rows * vectors) / 2, load = (double)(rows + vectors) / 2;
    double most = fma > load ? fma : load;
    return (most > 4 ? most : 4) + (30 + (double)(rows * vectors)) / (double)kc;
}

static double band_cycles(int64_t rows, int64_t vectors, int64_t all_vectors, int64_t kc) {
    double cycles = (double)(all_vectors / vectors) * tile_cycles(rows, vectors, kc);
    if (all_vectors % vectors)
        cycles += tile_cycles(rows, all_vectors % vectors, kc);
    return cycles;
}

typedef struct tiling {
    int rows, vectors;
    double cycles; /* a step of k */
} tiling;

/* The best tile for a matrix of `along_rows` x `along_vectors` (in vectors). */
static tiling choose_tile(const corr_choice *choice, int64_t along_rows, int64_t along_vectors) {
    const corr_kernels *k = choice->kernels;
    tiling best = {1, 1, -1};
    for (int v = 1; v <= CORR_MAX_VECTORS; v++) {
        int64_t most = k->max_rows[v - 1];
        if (most == 0 || (v > 1 && v > along_vectors))
            continue;
        /* Panels of equal height: 64 rows in tiles of 14 are five of 13, not four and a rest. */
        int64_t rows = corr_ceil_div(along_rows, corr_ceil_div(along_rows, most));
        double cycles = (double)(along_rows / rows) * band_cycles(rows, v, along_vectors, choice->kc);
        if (along_rows % rows)
            cycles += band_cycles(along_rows % rows, v, along_vectors, choice->kc);
        if (best.cycles < 0 || cycles < best.cycles)
            best = (tiling){(int)rows, v, cycles};
    }
    return best;
}

/* What moving data costs, in cycles: a vector copied, every second element of two, and
 * elements gathered or scattered one by one; what a run of packed pixels costs once. */
static const double copy_cycles = 1.5, copy2_cycles = 4, element_cycles = 2, run_cycles = 25;

/* im2col packed into panels of vectors. */
static double cost_over_pixels(const corr_problem *s, const corr_choice *choice, tiling *tile) {
    const double pixels = (double)corr_pixels(s), lanes = choice->kernels->lanes;
    const double runs = pixels / lanes + (double)s->h.out * (s->w.out % choice->kernels->lanes != 0);
    const int64_t step = s->w.stride * s->x_stride[4];
    const int direct = corr_terms(s) == s->ic && s->h.out == 1 && step == 1;
    *tile = choose_tile(choice, s->oc, corr_ceil_div(corr_pixels(s), choice->kernels->lanes));
    double cost = tile->cycles;
    if (!direct) {
        cost += runs * (step == 1 ? copy_cycles : step == 2 ? copy2_cycles : element_cycles * lanes);
        cost += runs * run_cycles / (double)s->ic;
    }
    if (s->y_stride[4] != 1)
        cost += 2 * element_cycles * pixels * (double)s->oc / (double)choice->kc;
    return cost;
}

/* Pixels broadcast: copied as lines where channels lie together, else packed. */
static double cost_over_channels(const corr_problem *s, const corr_choice *choice, tiling *tile) {
    const double pixels = (double)corr_pixels(s), lanes = choice->kernels->lanes;
    *tile = choose_tile(choice, corr_pixels(s), corr_ceil_div(s->oc, choice->kernels->lanes));
    const double panels = (double)corr_ceil_div(corr_pixels(s), tile->rows);
    const double runs = panels * (1 + (double)tile->rows / (double)s->w.out);
    double cost = tile->cycles;
    if (s->x_stride[2] == 1 && s->x_stride[4] != 1)
        cost += pixels * (copy_cycles / lanes + 10 / (double)(s->ic * s->w.kernel));
    else
        cost += runs * (2 * copy_cycles + run_cycles / (double)s->ic);
    if (s->y_stride[2] != 1 || s->y_stride[4] == 1)
        cost += pixels * (double)s->oc / (double)corr_terms(s);
    return cost;
}

/* Rows of outputs whose inputs fill the slab. */
static int64_t slab_rows(const corr_problem *s, const corr_choice *choice) {
    const int64_t columns = corr_round_up(s->w.out, choice->kernels->lanes) * s->w.stride;
    const int64_t row = s->ic * columns * choice->kernels->bytes;
    const int64_t halo = (s->h.kernel - 1) * s->h.dilation + 1 - s->h.stride;
    return corr_max(1, corr_min(s->h.out, (slab_block_bytes / row - halo) / s->h.stride));
}

static double cost_of_rows(const corr_problem *s, const corr_choice *choice, tiling *tile) {
    const int64_t lanes = choice->kernels->lanes, vectors = corr_ceil_div(s->w.out, lanes);
    const int64_t rows = slab_rows(s, choice);
    const double in_rows = (double)((rows - 1) * s->h.stride + (s->h.kernel - 1) * s->h.dilation + 1) *
                           (double)s->h.out / (double)rows;
    const int64_t step = s->w.stride * s->x_stride[4];
    *tile = choose_tile(choice, s->oc, vectors);
    double copy = step == 1 ? copy_cycles : step == 2 ? copy2_cycles : element_cycles * (double)lanes;
    double cost = tile->cycles * (double)s->h.out;
    cost += in_rows * (double)s->w.stride * ((double)vectors * copy + run_cycles) * (double)s->ic /
            (double)corr_terms(s);
    if (s->y_stride[4] != 1)
        cost += 2 * element_cycles * (double)(corr_pixels(s) * s->oc) / (double)choice->kc;
    return cost;
}

static void choose_gemm(const corr_problem *s, corr_choice *choice) {
    tiling over_pixels, over_channels, rows, *best = &over_pixels;
    double least = cost_over_pixels(s, choice, &over_pixels), cost;
    choice->engine = &corr_gemm_engine;
    if ((cost = cost_over_channels(s, choice, &over_channels)) < least) {
        least = cost;
        best = &over_channels;
    }
    choice->channel_lanes = best == &over_channels;
    if ((cost = cost_of_rows(s, choice, &rows)) < least) {
        best = &rows;
        choice->engine = &corr_rows_engine;
        choice->channel_lanes = 0;
    }
    choice->rows = best->rows;
    choice->vectors = best->vectors;
}

/* Blocks of pixels as large as L2 takes; then, for several threads, the cut into items of
 * blocks x bands that ends first. In units of one panel times one panel: packing a panel of
 * pixels costs some 0.2, fetching one of weights from L3 some 0.3 an item. */
void corr_choose_split(const corr_problem *s, int threads, corr_choice *choice) {
    if (choice->engine == &corr_plain_engine)
        return;
    const int in_rows = choice->engine == &corr_rows_engine;
    const int64_t images = s->n * s->groups, bytes = choice->kernels->bytes;
    const int64_t pixels = corr_panel_pixels(choice), channels = corr_panel_channels(choice);
    const int64_t all_pixels = in_rows ? s->h.out : corr_ceil_div(corr_pixels(s), pixels);
    const int64_t all_channels = corr_ceil_div(s->oc, channels);
    const int64_t at_once = in_rows ? slab_rows(s, choice)
                                    : corr_max(packed_block_bytes / (choice->kc * bytes * pixels), 1);
    const int64_t halo = in_rows ? (s->h.kernel - 1) * s->h.dilation / s->h.stride : 0;
    const int64_t blocks = corr_ceil_div(all_pixels, at_once);
    int64_t bands = 1;
    if (choice->channel_lanes) {
        int64_t sums = corr_ceil_div(all_pixels, blocks) * pixels * s->oc * bytes;
        bands = corr_min(corr_max(1, corr_ceil_div(sums, sum_block_bytes)), all_channels);
    }
    choice->pixel_panels = corr_ceil_div(all_pixels, blocks);
    choice->channel_panels = corr_ceil_div(all_channels, bands);
    if (threads == 1 || images * blocks * bands >= 8 * (int64_t)threads)
        return;
    double best = -1;
    for (int64_t b = blocks; b <= corr_min(all_pixels, blocks + 8 * threads); b++)
        for (int64_t c = bands; c <= corr_min(all_channels, bands + 2 * threads); c++) {
            int64_t p = corr_ceil_div(all_pixels, b), o = corr_ceil_div(all_channels, c);
            int64_t items = images * corr_ceil_div(all_pixels, p) * corr_ceil_div(all_channels, o);
            double item = (double)(p * o) + 0.2 * (double)(p + halo) + 0.3 * (double)o;
            double time = (double)corr_ceil_div(items, threads) * item;
            if (best < 0 || time < best) {
                best = time;
                choice->pixel_panels = p;
                choice->channel_panels = o;
            }
        }
}

corr_status corr_choose(const corr_problem *s, int threads, corr_choice *choice) {
    choice->kernels = corr_kernel_table(s->dtype);
    choice->kc = corr_choose_kc(corr_terms(s));
    choice->channel_lanes = 0;
    choice->rows = choice->vectors = 1;
    choice->pixel_panels = choice->channel_panels = 0;
    if (s->algorithm == CORR_WINOGRAD || s->algorithm == CORR_FFT)
        return CORR_UNSUPPORTED;
    int64_t terms;
    int small = !corr_multiply(s->groups * s->oc * corr_pixels(s), corr_terms(s), &terms) &&
                terms <= plain_terms;
    if (small)
        choice->engine = &corr_plain_engine;
    else
        choose_gemm(s, choice);
    corr_choose_split(s, threads, choice);
    return CORR_OK;
}

/* Depends on the shape alone: it decides the order in which chunks are added. */
int64_t corr_choose_dot_pixels(const corr_problem *s) {
    const int lanes = corr_kernel_table(s->dtype)->lanes;
    int64_t chunks = corr_ceil_div(corr_pixels(s), dot_chunk);
    return corr_round_up(corr_ceil_div(corr_pixels(s), chunks), lanes);
}

int64_t corr_choose_dot_columns(const corr_problem *s, int threads) {
    const corr_kernels *k = corr_kernel_table(s->dtype);
    int64_t columns = dot_block_bytes / (corr_choose_dot_pixels(s) * k->bytes);
    columns = corr_min(columns, corr_ceil_div(corr_terms(s) * s->groups, 2 * (int64_t)threads));
    return corr_round_up(corr_max(columns, 1), k->dot_columns);
}
