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
 * an FMA to the next on the same accumulator. */
static double tile_cycles(int64_t rows, int64_t vectors) {
    double fma = (double)(rows * vectors) / 2, load = (double)(rows + vectors) / 2;
    double most = fma > load ? fma : load;
    return most > 4 ? most : 4;
}

static double band_cycles(int64_t rows, int64_t vectors, int64_t all_vectors) {
    double cycles = (double)(all_vectors / vectors) * tile_cycles(rows, vectors);
    if (all_vectors % vectors)
        cycles += tile_cycles(rows, all_vectors % vectors);
    return cycles;
}

/* The best tile for a matrix of `along_rows` x `along_vectors` (in vectors), in cycles. */
static double choose_tile(const corr_kernels *k, int64_t along_rows, int64_t along_vectors,
                          int *best_rows, int *best_vectors) {
    double best = -1;
    for (int v = 1; v <= CORR_MAX_VECTORS; v++) {
        int64_t most = k->max_rows[v - 1];
        if (most == 0 || (v > 1 && v > along_vectors))
            continue;
        /* Panels of equal height: 64 rows in tiles of 14 are five of 13, not four and a rest. */
        int64_t rows = corr_ceil_div(along_rows, corr_ceil_div(along_rows, most));
        double cycles = (double)(along_rows / rows) * band_cycles(rows, v, along_vectors);
        if (along_rows % rows)
            cycles += band_cycles(along_rows % rows, v, along_vectors);
        if (best < 0 || cycles < best) {
            best = cycles;
            *best_rows = (int)rows;
            *best_vectors = v;
        }
    }
    return best;
}

/* Which way the vectors run. Beside the tiles it is a matter of moving data: a vector
 * copied costs about 2 cycles, an element gathered or scattered 2, transposed 0.5. */
static void choose_orientation(const corr_problem *s, corr_choice *choice) {
    const corr_kernels *k = choice->kernels;
    const double pixels = (double)corr_pixels(s), terms = (double)corr_terms(s);
    const double outputs = pixels * (double)s->oc / terms; /* a step of k */
    const double blocks = (double)corr_ceil_div(corr_terms(s), choice->kc);
    const int x_last = s->x_stride[2] == 1 && s->x_stride[4] != 1;
    const int y_last = s->y_stride[2] == 1 && s->y_stride[4] != 1;
    int rows[2], vectors[2];
    double over_pixels = choose_tile(k, s->oc, corr_ceil_div(corr_pixels(s), k->lanes), &rows[0],
                                     &vectors[0]);
    double over_channels = choose_tile(k, corr_pixels(s), corr_ceil_div(s->oc, k->lanes), &rows[1],
                                       &vectors[1]);
    over_pixels += x_last ? 2 * pixels : 2 * pixels / k->lanes;
    over_pixels += s->y_stride[4] == 1 ? 0 : 4 * blocks * outputs;
    over_channels += x_last ? 2 * pixels / k->lanes : 3 * pixels / rows[1];
    over_channels += y_last ? 0 : outputs;
    choice->channel_lanes = over_channels < over_pixels;
    choice->rows = rows[choice->channel_lanes];
    choice->vectors = vectors[choice->channel_lanes];
}

/* Blocks of pixels as large as L2 takes; then, for several threads, the cut into items of
 * blocks x bands that ends first. In units of one panel times one panel: packing a panel of
 * pixels costs some 0.2, fetching one of weights from L3 some 0.3 an item. */
void corr_choose_split(const corr_problem *s, int threads, corr_choice *choice) {
    if (choice->engine != &corr_gemm_engine)
        return;
    const int64_t images = s->n * s->groups, bytes = choice->kernels->bytes;
    const int64_t pixels = corr_panel_pixels(choice), channels = corr_panel_channels(choice);
    const int64_t all_pixels = corr_ceil_div(corr_pixels(s), pixels);
    const int64_t all_channels = corr_ceil_div(s->oc, channels);
    const int64_t at_once = corr_max(packed_block_bytes / (choice->kc * bytes * pixels), 1);
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
            double item = (double)(p * o) + 0.2 * (double)p + 0.3 * (double)o;
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
    choice->engine = small ? &corr_plain_engine : &corr_gemm_engine;
    if (choice->engine == &corr_gemm_engine)
        choose_orientation(s, choice);
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
