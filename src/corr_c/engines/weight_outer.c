/* The weight gradient as outer products, a pixel each (kernels/outer.h): lanes run over
 * output channels, and the input is read as it lies, a broadcast at a time.
 *
 *   item: split, group g, some panels of output channels, some input channels
 *     for chunk of pixels:              x's is in L2; copied only if its planes alias in L1
 *       for panel of output channels:   pack gy[pixel][panel]
 *         for c: MR input channels
 *           for tap: its pixels in the image -> micro-kernel -> sums[panel][c][tap]
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
    p.panel = corr_round_up(corr_round_up(choice->o_block, panel_width(choice)) * channels * taps * bytes, 64);
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

/* Outputs [o0, o1) of a chunk. */
typedef struct gradients {
    const corr_chunk *chunk;
    int64_t o0, o1;
} gradients;

static void pack_panel(const corr_weight_job *job, int64_t g, const gradients *of, int64_t width, char *to) {
    const corr_problem *s = job->s;
    const corr_chunk *c = of->chunk;
    const int64_t *ys = s->y_stride, bytes = job->choice->kernels->bytes, channels = of->o1 - of->o0;
    const int flat = ys[3] == s->w.out * ys[4];
    if (channels < width) /* what lies beside the last channel is multiplied, too */
        memset(to, 0, (size_t)(c->images * (c->end - c->first) * width * bytes));
    for (int64_t n = c->image; n < c->image + c->images; n++)
        for (int64_t pixel = c->first; pixel < c->end;) {
            const int64_t i = pixel / s->w.out, j = pixel % s->w.out;
            const int64_t some = flat ? c->end - pixel : corr_min(c->end - pixel, s->w.out - j);
            pack_run(job, job->gy + (n * ys[0] + g * ys[1] + of->o0 * ys[2] + i * ys[3] + j * ys[4]) * bytes,
                     some, channels, width, to);
            to += some * width * bytes;
            pixel += some;
        }
}

/* The next panel lies in short pieces of many planes or pixels; this one's products hide them, each tile a
 * part. */
static void fetch_part(const corr_weight_job *job, int64_t g, const gradients *next, int64_t part,
                       int64_t parts) {
    const corr_problem *s = job->s;
    const corr_chunk *c = next->chunk;
    const int64_t *ys = s->y_stride, bytes = job->choice->kernels->bytes;
    const int64_t pixels = c->end - c->first, channels = next->o1 - next->o0;
    if ((s->h.out > 1 && ys[3] != s->w.out * ys[4]) || (ys[4] != 1 && ys[2] != 1))
        return;
    const int planes = ys[4] == 1;
    const int64_t count = planes ? channels : pixels, step = (planes ? ys[2] : ys[4]) * bytes;
    const int64_t i = part * count / parts;
    const char *gy = job->gy + (c->image * ys[0] + g * ys[1] + next->o0 * ys[2] + c->first * ys[4]) * bytes;
    corr_fetch_runs(gy + i * step, step, (part + 1) * count / parts - i, (planes ? pixels : channels) * bytes);
}

void corr_store_sums(const corr_kernels *k, const corr_weight_sums *from, int64_t rows, int64_t columns, char *gw,
                     const int64_t *stride, int accumulate) {
    const int64_t kh = from->kh, kw = from->kw, bytes = k->bytes, step = from->width * bytes;
    const corr_store store = {.accumulate = accumulate};
    const char *sums = from->at;
    const int64_t at_once = stride[4] == 1 && stride[1] != 1 ? columns : 1;
    if (rows == kh && columns == kw && stride[2] == kh * kw && (stride[3] == kw || kh == 1) &&
        (stride[4] == 1 || kw == 1)) {
        k->transpose(from->channels * kh * kw, from->outputs, sums, from->width, gw, stride[1], &store);
        return;
    }
    for (int64_t c = 0; c < from->channels; c++, gw += stride[2] * bytes, sums += kh * kw * step)
        for (int64_t p = 0; p < rows; p++)
            for (int64_t q = 0; q < columns; q += at_once) {
                char *to = gw + (p * stride[3] + q * stride[4]) * bytes;
                const char *sum = sums + (p * kw + q) * step;
                if (stride[1] == 1 && !store.accumulate)
                    k->copy(to, sum, 1, from->outputs);
                else
                    k->transpose(at_once, from->outputs, sum, from->width, to, stride[1], &store);
            }
}

/* A chunk's input and the pixels of its taps, which all panels share. */
typedef struct inputs {
    const char *x;
    int64_t channel, column; /* from one to the next, in elements */
    const corr_segment *segments;
    const int64_t *counts;
    int64_t most; /* segments of a tap */
} inputs;

/* Where a tile goes: to sums[c][tap], or to gw as it lies. */
typedef struct sums_view {
    char *to;
    int64_t c, tap;
    int accumulate;
} sums_view;

static void multiply_panel(const corr_weight_job *job, const corr_weight_item *item, const inputs *in,
                           const char *panel, const gradients *of, const gradients *next,
                           const sums_view *sums) {
    const corr_problem *s = job->s;
    const corr_weight_choice *choice = job->choice;
    const corr_kernels *k = choice->kernels;
    const int64_t bytes = k->bytes, taps = s->h.kernel * s->w.kernel, width = panel_width(choice);
    const int64_t vectors = corr_ceil_div(of->o1 - of->o0, k->lanes);
    /* A tile's rows: channels, or taps of a row, whose pixels are the same. */
    const int along = choice->along;
    const int64_t across = along ? 1 : choice->rows, parts = corr_ceil_div(item->c1 - item->c0, across);
    const int64_t a_row = along ? s->w.dilation * in->column : in->channel;
    for (int64_t part = 0; part < parts; part++) {
        const int64_t c = part * across;
        if (next)
            fetch_part(job, item->g, next, part, parts);
        for (int64_t tap = 0, rows; tap < taps; tap += along ? rows : 1) {
            rows = along ? corr_min(choice->rows, s->w.kernel - tap % s->w.kernel)
                         : corr_min(across, item->c1 - item->c0 - c);
            k->outer[vectors - 1][rows - 1](in->segments + tap * in->most, in->counts[tap],
                                            in->x + c * in->channel * bytes, a_row,
                                            s->w.stride * in->column, panel, width,
                                            sums->to + (c * sums->c + tap * sums->tap) * bytes,
                                            along ? sums->tap : sums->c, sums->accumulate);
        }
    }
}

void corr_outer_item(const corr_weight_job *job, int64_t index, int worker, corr_run_state *run) {
    const corr_problem *s = job->s;
    const corr_weight_choice *choice = job->choice;
    const int64_t *xs = s->x_stride, *ws = job->w_stride, bytes = choice->kernels->bytes;
    const int64_t taps = s->h.kernel * s->w.kernel;
    const parts at = lay_out(s, choice);
    const corr_weight_item item = corr_make_weight_item(job, index);
    const int64_t width = panel_width(choice), most = corr_most_segments(s, choice);
    const int64_t panel_sums = (item.c1 - item.c0) * taps * width * bytes;
    /* A chain alone, its vectors whole, may go where it belongs. */
    const int in_place = item.end_chunk - item.first_chunk == 1 && ws[1] == 1 &&
                         (ws[3] == s->w.kernel * ws[4] || s->h.kernel == 1) &&
                         (item.o1 - item.o0) % choice->kernels->lanes == 0;
    char *scratch = job->workspace + worker * job->scratch_bytes;
    char *panel = scratch + at.panel, *slab = scratch + at.slab;
    corr_segment *segments = (corr_segment *)(void *)(scratch + at.segments);
    int64_t *counts = (int64_t *)(void *)(scratch + at.counts);

    for (int64_t index_c = item.first_chunk; index_c < item.end_chunk; index_c++) {
        const corr_chunk chunk = corr_make_chunk(s, choice, index_c);
        const corr_chunk after = corr_make_chunk(s, choice, corr_min(index_c + 1, item.end_chunk - 1));
        corr_image_view x_view = {xs[0], xs[3], xs[4]};
        const corr_image_view gy_view = {(chunk.end - chunk.first) * width, s->w.out * width, width};
        int64_t channel = xs[2], origin = 0;
        const char *x = job->x + (chunk.image * xs[0] + item.g * xs[1] + item.c0 * xs[2]) * bytes;
        if (choice->slab) {
            x_view = corr_copy_chunk(job, &chunk, item.g, item.c0, item.c1, slab, &channel, &origin);
            x = slab;
        }
        for (int64_t tap = 0; tap < taps; tap++) {
            counts[tap] = corr_make_segments(s, &chunk, &x_view, &gy_view, tap, segments + tap * most);
            for (int64_t i = 0; i < counts[tap]; i++) {
                segments[tap * most + i].a -= origin;
                segments[tap * most + i].b -= chunk.first * width;
            }
        }
        const inputs in = {x, channel, x_view.column, segments, counts, most};
        sums_view sums = {scratch + at.sums, taps * width, width, index_c > item.first_chunk};
        if (in_place)
            sums = (sums_view){item.gw + (item.o0 + item.c0 * ws[2]) * bytes, ws[2], ws[4], job->accumulate};
        for (int64_t o = item.o0; o < item.o1; o += width, sums.to += in_place ? width * bytes : panel_sums) {
            if (corr_should_stop(run))
                return;
            const gradients of = {&chunk, o, corr_min(o + width, item.o1)};
            const int last = o + width >= item.o1;
            const gradients next = {last ? &after : &chunk, last ? item.o0 : o + width,
                                    corr_min((last ? item.o0 : o + width) + width, item.o1)};
            pack_panel(job, item.g, &of, width, panel);
            multiply_panel(job, &item, &in, panel, &of,
                           last && index_c + 1 == item.end_chunk ? NULL : &next, &sums);
        }
    }
    char *sums = scratch + at.sums;
    for (int64_t o = item.o0; o < item.o1 && !in_place; o += width, sums += panel_sums) {
        const corr_weight_sums from = {sums, width, corr_min(width, item.o1 - o), item.c1 - item.c0,
                                       s->h.kernel, s->w.kernel};
        corr_store_sums(choice->kernels, &from, s->h.kernel, s->w.kernel,
                        item.gw + (o * ws[1] + item.c0 * ws[2]) * bytes, ws, job->accumulate);
    }
}
