/* Tiles of the micro-kernel: how many rows and vectors. */
#include "plan.h"

/* Cycles of one step of k over a tile: two FMA pipes, two load ports (a vector may cross a
 * line), four cycles from an FMA to the next on the same accumulator; and its share of what a
 * tile costs once. */
double corr_tile_cycles(int64_t rows, int64_t vectors, int64_t kc) {
    double fma = (double)(rows * vectors) / 2, load = (double)(rows + 2 * vectors) / 2;
    double most = fma > load ? fma : load;
    return (most > 4 ? most : 4) + (30 + (double)(rows * vectors)) / (double)kc;
}

static double band_cycles(int64_t rows, int64_t vectors, int64_t all_vectors, int64_t kc) {
    double cycles = (double)(all_vectors / vectors) * corr_tile_cycles(rows, vectors, kc);
    if (all_vectors % vectors)
        cycles += corr_tile_cycles(rows, all_vectors % vectors, kc);
    return cycles;
}

/* Tiles of v vectors, of equal height: 64 rows in tiles of 14 are five of 13, not four and a rest. */
static double cycles_of_vectors(int v, int64_t kc, int64_t most, int64_t along_rows, int64_t along_vectors,
                                int64_t *high) {
    *high = corr_ceil_div(along_rows, corr_ceil_div(along_rows, most));
    double cycles = (double)(along_rows / *high) * band_cycles(*high, v, along_vectors, kc);
    if (along_rows % *high)
        cycles += band_cycles(along_rows % *high, v, along_vectors, kc);
    return cycles;
}

double corr_best_tile(const corr_kernels *k, int64_t kc, int64_t most_rows, int64_t along_rows,
                      int64_t along_vectors, int *rows, int *vectors) {
    double best = -1;
    *rows = *vectors = 1;
    for (int v = 1; v <= CORR_MAX_VECTORS; v++) {
        const int64_t most = corr_min(k->max_rows[v - 1], most_rows);
        if (most == 0 || (v > 1 && v > along_vectors))
            continue;
        int64_t high;
        const double cycles = cycles_of_vectors(v, kc, most, along_rows, along_vectors, &high);
        if (best < 0 || cycles < best) {
            best = cycles;
            *rows = (int)high;
            *vectors = v;
        }
    }
    return best;
}

/* Rows a page apart share a set of L1, 8 ways or more: a tile takes no more of them. 3x3 weights of 64x64x64
 * -> 64 take 3.09 ms in tiles of 13 planes and 2.63 of 8; channels-last 1x1 on 1024x14x14 -> 256 1.21 in
 * tiles of 14 pixels and 0.90 of 8, 2048x7x7 -> 512 1.07 and 0.90. */
static const int64_t rows_of_a_set = 8;

int corr_share_sets(int64_t apart, const corr_kernels *k) {
    const int64_t all = apart < 0 ? -apart * k->bytes : apart * k->bytes, bytes = all & 4095;
    return all > 4096 - CORR_CACHE_LINE && (bytes < CORR_CACHE_LINE || bytes > 4096 - CORR_CACHE_LINE);
}

int64_t corr_rows_apart(int64_t apart, const corr_kernels *k) {
    return corr_share_sets(apart, k) ? rows_of_a_set : CORR_MAX_ROWS;
}

/* Pixels whose channels lie together are a stream each, of which the CPU's prefetchers follow so many from
 * memory: 8 of 256x56x56 -> 64 takes 10.0 ms, with 12 pixels 7.6; 144 -> 24 3.99, with 12 3.18, with 8
 * 2.33. Few channels are no stream: 16x112x112 -> 96 with two threads 2.23 and 2.46, 3x3 s2 on 3x224x224
 * -> 32 1.91 and 2.16. */
static const int64_t stream_rows = 12, stream_bytes = 128, long_rows = 8, long_bytes = 512;

/* Outputs of few terms are best written a pixel at once: channels-last 3x3 on 3x224x224 -> 64 takes 1.79 ms in tiles of
 * 6x64 and 1.96 of 14x32. */
static const double whole_pixel_cost = 1.05;

double corr_tile_channels(const corr_problem *s, corr_choice *c, int memory) {
    const int64_t pixel = s->ic * c->kernels->bytes;
    int64_t most = CORR_MAX_ROWS;
    if (corr_channels_last(s)) {
        most = corr_rows_apart(s->w.stride * s->x_stride[4], c->kernels);
        if (memory && pixel >= stream_bytes)
            most = corr_min(most, pixel < long_bytes ? stream_rows : long_rows);
    }
    const int64_t pixels = c->by_rows ? s->w.out : corr_pixels(s), vectors = corr_ceil_div(s->oc, c->kernels->lanes);
    const double best = corr_best_tile(c->kernels, c->kc, most, pixels, vectors, &c->rows, &c->vectors);
    const int few = memory && corr_channels_last(s) && pixel < stream_bytes && vectors <= CORR_MAX_VECTORS;
    const int64_t most_whole = few ? corr_min(most, c->kernels->max_rows[vectors - 1]) : 0;
    if (c->vectors == vectors || !most_whole)
        return best;
    int64_t high;
    const double whole = cycles_of_vectors((int)vectors, c->kc, most_whole, pixels, vectors, &high);
    if (whole > whole_pixel_cost * best)
        return best;
    c->rows = (int)high;
    c->vectors = (int)vectors;
    return whole;
}
