/* The weight gradient as outer products, a pixel each (kernels/outer.h): lanes run over
 * output channels, and the input is read as it lies, a broadcast at a time.
 *
 *   item: split, group g, a panel of output channels, some input channels
 *     for chunk of pixels:            pack gy[pixel][panel]; x only if its planes alias in L1
 *       for c: MR input channels
 *         for tap: its pixels in the image -> micro-kernel -> sums[c][tap][panel]
 *     sums transposed -> gw
 *
 * A tap's pixels in the padding are not visited: nothing is multiplied by zero there.
 */
#include "weight.h"

#include <string.h>

static int64_t panel_width(const corr_weight_choice *choice) {
    return (int64_t)choice->vectors * choice->kernels->lanes;
}

typedef struct parts {
    int64_t sums, panel, slab, segments, counts, all;
} parts;

static parts lay_out(const corr_problem *s, const corr_weight_choice *choice) {
    const int64_t taps = s->h.kernel * s->w.kernel, bytes = choice->kernels->bytes;
    const int64_t channels = corr_min(choice->c_block, s->ic);
    parts p;
    p.sums = 0;
    p.panel = corr_round_up(channels * taps * panel_width(choice) * bytes, 64);
    p.slab = p.panel + corr_round_up(choice->images * choice->chunk * panel_width(choice) * bytes, 64);
    p.segments = p.slab;
    if (choice->slab)
        p.segments += corr_round_up(corr_slab_elements(s, choice, channels) * bytes, 64);
    p.counts = p.segments + corr_round_up(taps * corr_most_segments(s, choice) *
                                              (int64_t)sizeof(corr_segment), 64);
    p.all = p.counts + corr_round_up(taps * (int64_t)sizeof(int64_t), 64);
    return p;
}

int64_t corr_outer_scratch(const corr_problem *s, const corr_weight_choice *choice) {
    return lay_out(s, choice).all;
}

/* Pixels follow one another in planes, or channels in pixels, or neither. */
static void pack_run(const corr_weight_job *job, const char *gy, int64_t pixels, int64_t channels,
                     int64_t width, char *to) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t step = s->y_stride[4], channel = s->y_stride[2], bytes = k->bytes;
    static const corr_store plain;
    if (step == 1) {
        k->transpose(channels, pixels, gy, channel, to, width, &plain);
        return;
    }
    for (int64_t j = 0; j < pixels; j++)
        k->copy(to + j * width * bytes, gy + j * step * bytes, channel, channels);
}

static void pack_panel(const corr_weight_job *job, const corr_chunk *c, int64_t g, int64_t o0,
                       int64_t o1, int64_t width, char *to) {
    const corr_problem *s = job->s;
    const int64_t *ys = s->y_stride, bytes = job->choice->kernels->bytes;
    const int flat = ys[3] == s->w.out * ys[4];
    if (o1 - o0 < width) /* what lies beside the last channel is multiplied, too */
        memset(to, 0, (size_t)(c->images * (c->end - c->first) * width * bytes));
    for (int64_t n = c->image; n < c->image + c->images; n++)
        for (int64_t pixel = c->first; pixel < c->end;) {
            const int64_t i = pixel / s->w.out, j = pixel % s->w.out;
            const int64_t some = flat ? c->end - pixel : corr_min(c->end - pixel, s->w.out - j);
            pack_run(job, job->gy + (n * ys[0] + g * ys[1] + o0 * ys[2] + i * ys[3] + j * ys[4]) * bytes,
                     some, o1 - o0, width, to);
            to += some * width * bytes;
            pixel += some;
        }
}

/* The next chunk's gradients lie in short pieces of many planes, which no prefetcher of the
 * CPU's follows; this one's products hide them. */
static void fetch_planes(const corr_weight_job *job, const corr_chunk *c, const corr_weight_item *item) {
    const corr_problem *s = job->s;
    const int64_t *ys = s->y_stride, bytes = job->choice->kernels->bytes;
    if (ys[4] != 1 || ys[3] != s->w.out)
        return;
    for (int64_t o = item->o0; o < item->o1; o++) {
        const char *gy = job->gy + (c->image * ys[0] + item->g * ys[1] + o * ys[2]) * bytes;
        for (int64_t at = c->first * bytes; at < c->end * bytes; at += 64)
            CORR_PREFETCH(gy + at);
    }
}

/* sums[c][tap][width] -> gw[o][c][tap]. */
static void store_sums(const corr_weight_job *job, const corr_weight_item *item, const char *sums,
                       int64_t width) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t *ws = job->w_stride, bytes = k->bytes, taps = s->h.kernel * s->w.kernel;
    const corr_store store = {.accumulate = job->accumulate};
    char *gw = item->gw + (item->o0 * ws[1] + item->c0 * ws[2]) * bytes;
    if (ws[2] == taps && (ws[3] == s->w.kernel || s->h.kernel == 1) &&
        (ws[4] == 1 || s->w.kernel == 1)) {
        k->transpose((item->c1 - item->c0) * taps, item->o1 - item->o0, sums, width, gw, ws[1],
                     &store);
        return;
    }
    for (int64_t c = item->c0; c < item->c1; c++, gw += ws[2] * bytes)
        for (int64_t p = 0; p < s->h.kernel; p++)
            for (int64_t q = 0; q < s->w.kernel; q++, sums += width * bytes) {
                char *to = gw + (p * ws[3] + q * ws[4]) * bytes;
                if (ws[1] == 1 && !store.accumulate)
                    k->copy(to, sums, 1, item->o1 - item->o0);
                else
                    k->transpose(1, item->o1 - item->o0, sums, width, to, ws[1], &store);
            }
}

void corr_outer_item(const corr_weight_job *job, int64_t index, int worker, corr_run_state *run) {
    const corr_problem *s = job->s;
    const corr_weight_choice *choice = job->choice;
    const corr_kernels *k = choice->kernels;
    const int64_t *xs = s->x_stride, bytes = k->bytes, taps = s->h.kernel * s->w.kernel;
    const parts at = lay_out(s, choice);
    const corr_weight_item item = corr_make_weight_item(job, index);
    const int64_t vectors = corr_ceil_div(item.o1 - item.o0, k->lanes), width = vectors * k->lanes;
    const int64_t most = corr_most_segments(s, choice);
    char *scratch = job->workspace + worker * job->scratch_bytes;
    char *sums = scratch + at.sums, *panel = scratch + at.panel, *slab = scratch + at.slab;
    corr_segment *segments = (corr_segment *)(void *)(scratch + at.segments);
    int64_t *counts = (int64_t *)(void *)(scratch + at.counts);

    for (int64_t index_c = item.first_chunk; index_c < item.end_chunk; index_c++) {
        if (corr_should_stop(run))
            return;
        const corr_chunk chunk = corr_make_chunk(s, choice, index_c);
        pack_panel(job, &chunk, item.g, item.o0, item.o1, width, panel);
        if (index_c + 1 < item.end_chunk) {
            const corr_chunk next = corr_make_chunk(s, choice, index_c + 1);
            fetch_planes(job, &next, &item);
        }
        corr_image_view x_view = {xs[0], xs[3], xs[4]};
        const corr_image_view gy_view = {(chunk.end - chunk.first) * width, s->w.out * width, width};
        int64_t row = xs[2], origin = 0;
        const char *x = job->x + (chunk.image * xs[0] + item.g * xs[1] + item.c0 * xs[2]) * bytes;
        if (choice->slab) {
            x_view = corr_copy_chunk(job, &chunk, item.g, item.c0, item.c1, slab, &row, &origin);
            x = slab;
        }
        for (int64_t tap = 0; tap < taps; tap++) {
            counts[tap] = corr_make_segments(s, &chunk, &x_view, &gy_view, tap, segments + tap * most);
            for (int64_t i = 0; i < counts[tap]; i++) {
                segments[tap * most + i].a -= origin;
                segments[tap * most + i].b -= chunk.first * width;
            }
        }
        /* A tile's rows: channels, or taps of a row, whose pixels are the same. */
        const int64_t along = choice->along ? choice->rows : 1, across = choice->along ? 1 : choice->rows;
        const int64_t a_row = choice->along ? s->w.dilation * x_view.column : row;
        for (int64_t c = item.c0; c < item.c1; c += across) {
            char *to = sums + (c - item.c0) * taps * width * bytes;
            for (int64_t tap = 0, rows; tap < taps; tap += choice->along ? rows : 1) {
                rows = choice->along ? corr_min(along, s->w.kernel - tap % s->w.kernel)
                                     : corr_min(across, item.c1 - c);
                k->outer[vectors - 1][rows - 1](
                    segments + tap * most, counts[tap], x + (c - item.c0) * row * bytes, a_row,
                    s->w.stride * x_view.column, panel, width, to + tap * width * bytes,
                    choice->along ? width : taps * width, index_c > item.first_chunk);
            }
        }
    }
    store_sums(job, &item, sums, width);
}
