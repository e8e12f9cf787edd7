/* What the engines share around a tile. */
#include "../plan/plan.h"

#include <string.h>

static void copy_element(char *to, const char *from, int64_t bytes) {
    if (bytes == 4)
        memcpy(to, from, 4);
    else
        memcpy(to, from, 8);
}

void corr_exchange(const corr_problem *s, char *y, int64_t pixel, int64_t pixels,
                   int64_t channels, char *own, int64_t pixel_step, int64_t channel_step,
                   int64_t bytes, int out) {
    for (int64_t j = 0; j < pixels; j++) {
        int64_t i = (pixel + j) / s->w.out, v = (pixel + j) % s->w.out;
        char *in_y = y + (i * s->y_stride[3] + v * s->y_stride[4]) * bytes;
        char *in_own = own + j * pixel_step * bytes;
        for (int64_t o = 0; o < channels; o++) {
            if (out)
                copy_element(in_y, in_own, bytes);
            else
                copy_element(in_own, in_y, bytes);
            in_y += s->y_stride[2] * bytes;
            in_own += channel_step * bytes;
        }
    }
}

corr_store corr_make_store(const corr_problem *s, int accumulate, int last, const char *bias) {
    corr_store store = {.accumulate = accumulate};
    if (last) {
        store.activation = s->activation;
        store.bias = bias;
        store.epilogue = bias || s->activation != CORR_LINEAR;
    }
    return store;
}

void corr_multiply_tile(const corr_kernels *k, const corr_pixel_tile *t, void *y, int64_t ldc,
                        const corr_store *store) {
    const int64_t v = corr_ceil_div(t->pixels, k->lanes) - 1, r = t->channels - 1;
    if (t->offsets)
        k->gemm_taps[v][r](t->terms, t->w, t->x, t->offsets, y, ldc, t->pixels, store);
    else
        k->gemm[v][r](t->terms, t->w, t->x, t->ldb, y, ldc, t->pixels, store);
}

void corr_multiply_pixels(const corr_problem *s, const corr_kernels *k, const corr_pixel_tile *t,
                          char *y, int contiguous, const corr_store *store) {
    if (contiguous) {
        corr_multiply_tile(k, t, y + t->at * k->bytes, s->y_stride[2], store);
        return;
    }
    double sums[CORR_MAX_ROWS * CORR_MAX_TILE_COLUMNS];
    const int64_t width = corr_round_up(t->pixels, k->lanes);
    if (store->accumulate)
        corr_exchange(s, y, t->pixel, t->pixels, t->channels, (char *)sums, 1, width, k->bytes, 0);
    corr_multiply_tile(k, t, sums, width, store);
    corr_exchange(s, y, t->pixel, t->pixels, t->channels, (char *)sums, 1, width, k->bytes, 1);
}
