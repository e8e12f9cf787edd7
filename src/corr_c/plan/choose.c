/* The only heuristics. None of them changes a bit of any result but `kc`, which depends
 * on the layer alone. */
#include "plan.h"

/* 384 steps of a 6-row panel are 9 KB of A in L1; shorter blocks meet the output more
 * often, longer ones round worse (error grows with the chain). */
static const int64_t longest_chain = 384;

/* What the packed pixels may take: 60% of a 512 KiB L2, the smallest of current cores. */
static const int64_t packed_block_bytes = 300 << 10;

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

static double band_cycles(int64_t rows, int64_t vectors, int64_t pixel_vectors) {
    double cycles = (double)(pixel_vectors / vectors) * tile_cycles(rows, vectors);
    if (pixel_vectors % vectors)
        cycles += tile_cycles(rows, pixel_vectors % vectors);
    return cycles;
}

static void choose_tile(const corr_problem *s, corr_choice *choice) {
    const corr_kernels *k = choice->kernels;
    const int64_t pixel_vectors = corr_ceil_div(corr_pixels(s), k->lanes);
    double best = -1;
    for (int v = 1; v <= CORR_MAX_VECTORS; v++) {
        int64_t most = k->max_rows[v - 1];
        if (most == 0 || (v > 1 && v > pixel_vectors))
            continue;
        /* Panels of equal height: 64 rows in tiles of 14 are five of 13, not four and a rest. */
        int64_t rows = corr_ceil_div(s->oc, corr_ceil_div(s->oc, most));
        double cycles = (double)(s->oc / rows) * band_cycles(rows, v, pixel_vectors);
        if (s->oc % rows)
            cycles += band_cycles(s->oc % rows, v, pixel_vectors);
        if (best < 0 || cycles < best) {
            best = cycles;
            choice->rows = (int)rows;
            choice->vectors = v;
        }
    }
}

/* Pixel blocks first, since they share no packing; rows only if those do not suffice. */
void corr_choose_split(const corr_problem *s, int threads, corr_choice *choice) {
    if (choice->engine != &corr_gemm_engine)
        return;
    const int64_t nr = (int64_t)choice->vectors * choice->kernels->lanes;
    const int64_t all = corr_ceil_div(corr_pixels(s), nr);
    int64_t at_once = corr_max(packed_block_bytes / (choice->kc * choice->kernels->bytes * nr), 1);
    int64_t blocks = corr_ceil_div(all, at_once), images = s->n * s->groups;
    int64_t row_panels = corr_ceil_div(s->oc, choice->rows);
    choice->panels = row_panels;
    if (threads > 1 && images * blocks < 4 * (int64_t)threads) {
        int64_t want = corr_ceil_div(corr_round_up(images * blocks, threads), images);
        blocks = corr_min(corr_max(blocks, want), all);
        if (images * blocks < threads)
            choice->panels = corr_ceil_div(row_panels, corr_ceil_div(threads, images * blocks));
    }
    choice->pixels = corr_ceil_div(all, blocks) * nr;
}

corr_status corr_choose(const corr_problem *s, int threads, corr_choice *choice) {
    choice->kernels = corr_kernel_table(s->dtype);
    choice->kc = corr_choose_kc(corr_terms(s));
    choice->rows = choice->vectors = 1;
    choice->pixels = choice->panels = 0;
    if (s->algorithm == CORR_WINOGRAD || s->algorithm == CORR_FFT)
        return CORR_UNSUPPORTED;
    int64_t terms;
    int small = !corr_multiply(s->groups * s->oc * corr_pixels(s), corr_terms(s), &terms) &&
                terms <= plain_terms;
    choice->engine = small ? &corr_plain_engine : &corr_gemm_engine;
    if (choice->engine == &corr_gemm_engine)
        choose_tile(s, choice);
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
