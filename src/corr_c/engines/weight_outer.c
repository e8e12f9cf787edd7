/* The weight gradient as outer products, a pixel each (kernels/outer.h): lanes run over
 * output channels, and the input is read as it lies, a broadcast at a time.
 *
 *   item: split, group g, some panels of output channels, some input channels
 *     for chunk of pixels:              x's is in L2; copied only if its planes alias in L1
 *       for panel of output channels:   gy[pixel][panel], packed or as it lies
 *         for c: MR input channels
 *           for tap: its pixels in the image -> micro-kernel -> sums[panel][c][tap]
 *         or for row of taps: MR of its elements (of one channel or of all)
 *           columns with the whole row -> micro-kernel -> sums[panel][c][tap] or [panel][tap][c]
 *           for column at the edge: the taps it has, down the column -> the same
 *     sums transposed -> gw
 *
 * A tap's pixels in the padding are not visited: nothing is multiplied by zero there.
 */
#include "weight.h"

#include <string.h>

static int64_t panel_width(const corr_weight_choice *choice) {
    return (int64_t)choice->vectors * choice->kernels->lanes;
}

/* Input channels in a tile's rows, if those run along a row of taps. */
static int64_t channels_along(const corr_problem *s, const corr_weight_choice *choice) {
    return choice->along / s->w.kernel;
}

/* Columns of outputs that have all taps of a row, and of those beside them the e-th. */
typedef struct columns {
    int64_t from, to, edges;
} columns;

static columns find_columns(const corr_problem *s) {
    columns whole;
    corr_find_inside(&s->w, &whole.from, &whole.to);
    whole.edges = whole.from + s->w.out - whole.to;
    return whole;
}

static int64_t edge_column(const columns *whole, int64_t e) {
    return e < whole->from ? e : whole->to + e - whole->from;
}

/* Lists of runs of pixels: of each tap; along rows of taps of each row, its whole columns and those at the edge,
 * which run down. */
static int64_t lists(const corr_problem *s, const corr_weight_choice *choice) {
    return s->h.kernel * (choice->along ? 1 + find_columns(s).edges : s->w.kernel);
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
    const int64_t terms = channels_along(s, choice) > 1 ? channels * taps : 0; /* put in order there, in the end */
    p.slab = p.panel + corr_round_up(corr_max(choice->images * choice->chunk, terms) * panel_width(choice) * bytes, 64);
    p.segments = p.slab;
    if (choice->slab)
        p.segments += corr_round_up(corr_slab_elements(s, choice, channels) * bytes, 64);
    p.counts = p.segments + corr_round_up(lists(s, choice) * corr_most_segments(s, choice) *
                                              (int64_t)sizeof(corr_segment), 64);
    p.all = p.counts + corr_round_up(lists(s, choice) * (int64_t)sizeof(int64_t), 64);
    return p;
}

int64_t corr_outer_scratch(const corr_problem *s, const corr_weight_choice *choice) {
    return lay_out(s, choice).all;
}

/* A call costs more than so few bytes. */
enum { copied_bytes = 32, few_bytes = 128 };

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
    const int64_t all = channels * bytes;
    if (channel == 1 && all <= few_bytes && all % copied_bytes == 0) {
        for (; pixels > 0; pixels--, to += width * bytes, gy += step * bytes)
            for (int64_t i = 0; i < all; i += copied_bytes)
                memcpy(to + i, gy + i, copied_bytes);
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
    int64_t channel; /* from one to the next, in elements */
    corr_image_view view, gradients;
    columns whole;
    corr_segment *segments;
    int64_t *counts; /* of each list's segments */
    int64_t most;    /* of them */
} inputs;

static void find_pixels(const corr_problem *s, const corr_weight_choice *choice, const corr_chunk *chunk, inputs *in) {
    const int64_t each = choice->along ? 1 : s->w.kernel;
    corr_segment *to = in->segments;
    int64_t *counts = in->counts, first, end;
    for (int64_t p = 0; p < s->h.kernel; p++) {
        for (int64_t q = 0; q < each; q++, to += in->most) {
            corr_tap_columns(s, q, &first, &end);
            if (choice->along) {
                first = in->whole.from;
                end = in->whole.to;
            }
            *counts++ = corr_make_segments(s, chunk, &in->view, &in->gradients, p * s->w.kernel + q, first, end, to);
        }
        for (int64_t e = 0; choice->along && e < in->whole.edges; e++, to += in->most)
            *counts++ = corr_make_column(s, chunk, &in->view, &in->gradients, p, edge_column(&in->whole, e), to);
    }
}

/* Where a tile goes: to sums[c][tap] or sums[tap][c], or to gw as it lies. */
typedef struct sums_view {
    char *to;
    int64_t c, tap;
    int accumulate;
} sums_view;

/* What a list's tiles cover: so many rows, from one to the next in x and in the sums, and pixels. */
typedef struct run_of_tiles {
    int64_t rows, a_row, c_row, a_step, b_step;
} run_of_tiles;

static void multiply_list(const corr_weight_choice *choice, const inputs *in, int64_t list, const run_of_tiles *of,
                          const char *x, const char *panel, int64_t vectors, char *to, int accumulate) {
    const corr_kernels *k = choice->kernels;
    for (int64_t i = 0, rows; i < of->rows; i += rows) {
        rows = corr_min(choice->rows, of->rows - i);
        k->outer[vectors - 1][rows - 1](in->segments + list * in->most, in->counts[list],
                                        x + i * of->a_row * k->bytes, of->a_row, of->a_step, panel, of->b_step,
                                        to + i * of->c_row * k->bytes, of->c_row, accumulate);
    }
}

/* All taps of some channels, of which a pixel at the edge has a part. */
static void multiply_along(const corr_weight_job *job, const inputs *in, const char *x, const char *panel,
                           int64_t vectors, const sums_view *sums, char *to) {
    const corr_problem *s = job->s;
    const corr_weight_choice *choice = job->choice;
    const int64_t bytes = choice->kernels->bytes, channels = channels_along(s, choice);
    const run_of_tiles row = {choice->along, channels > 1 ? in->channel : s->w.dilation * in->view.column,
                              channels > 1 ? sums->c : sums->tap, s->w.stride * in->view.column, in->gradients.column};
    int64_t list = 0, q0, q1;
    for (int64_t p = 0; p < s->h.kernel; p++, to += s->w.kernel * sums->tap * bytes) {
        multiply_list(choice, in, list++, &row, x, panel, vectors, to, sums->accumulate);
        for (int64_t e = 0; e < in->whole.edges; e++, list++) {
            const int64_t j = edge_column(&in->whole, e);
            corr_find_taps(&s->w, j, j, &q0, &q1);
            const run_of_tiles part = {(q1 - q0) * channels, row.a_row, row.c_row, s->h.stride * in->view.row,
                                       in->gradients.row};
            multiply_list(choice, in, list, &part, x, panel, vectors, to + q0 * sums->tap * bytes, 1);
        }
    }
}

static void multiply_panel(const corr_weight_job *job, const corr_weight_item *item, const inputs *in,
                           const char *panel, const gradients *of, const gradients *next,
                           const sums_view *sums) {
    const corr_problem *s = job->s;
    const corr_weight_choice *choice = job->choice;
    const int64_t bytes = choice->kernels->bytes, taps = s->h.kernel * s->w.kernel;
    const int64_t vectors = corr_ceil_div(of->o1 - of->o0, choice->kernels->lanes);
    const int64_t across = choice->along ? channels_along(s, choice) : choice->rows;
    const int64_t channels = item->c1 - item->c0, parts = corr_ceil_div(channels, across);
    for (int64_t part = 0; part < parts; part++) {
        const char *x = in->x + part * across * in->channel * bytes;
        char *to = sums->to + part * across * sums->c * bytes;
        if (next)
            fetch_part(job, item->g, next, part, parts);
        if (choice->along) {
            multiply_along(job, in, x, panel, vectors, sums, to);
            continue;
        }
        const run_of_tiles tile = {corr_min(across, channels - part * across), in->channel, sums->c,
                                   s->w.stride * in->view.column, in->gradients.column};
        for (int64_t tap = 0; tap < taps; tap++, to += sums->tap * bytes)
            multiply_list(choice, in, tap, &tile, x, panel, vectors, to, sums->accumulate);
    }
}

/* sums[tap][c] as [c][tap]. */
static void turn_sums(const corr_kernels *k, const char *sums, int64_t taps, int64_t channels, int64_t width,
                      char *to) {
    for (int64_t c = 0; c < channels; c++)
        for (int64_t tap = 0; tap < taps; tap++, to += width * k->bytes)
            memcpy(to, sums + (tap * channels + c) * width * k->bytes, (size_t)(width * k->bytes));
}

void corr_outer_item(const corr_weight_job *job, int64_t index, int worker, corr_run_state *run) {
    const corr_problem *s = job->s;
    const corr_weight_choice *choice = job->choice;
    const int64_t *xs = s->x_stride, *ys = s->y_stride, *ws = job->w_stride, bytes = choice->kernels->bytes;
    const int64_t taps = s->h.kernel * s->w.kernel;
    const parts at = lay_out(s, choice);
    const corr_weight_item item = corr_make_weight_item(job, index);
    const int64_t width = panel_width(choice);
    const int64_t channels = item.c1 - item.c0, panel_sums = channels * taps * width * bytes;
    const int by_taps = channels_along(s, choice) > 1, placed = choice->placed;
    /* A chain alone, its vectors whole, may go where it belongs. */
    const int in_place = !by_taps && item.end_chunk - item.first_chunk == 1 && ws[1] == 1 &&
                         (ws[3] == s->w.kernel * ws[4] || s->h.kernel == 1) &&
                         (item.o1 - item.o0) % choice->kernels->lanes == 0;
    char *scratch = job->workspace + worker * job->scratch_bytes;
    char *panel = scratch + at.panel, *slab = scratch + at.slab;
    inputs in = {.whole = find_columns(s), .segments = (corr_segment *)(void *)(scratch + at.segments),
                 .counts = (int64_t *)(void *)(scratch + at.counts), .most = corr_most_segments(s, choice)};

    for (int64_t index_c = item.first_chunk; index_c < item.end_chunk; index_c++) {
        const corr_chunk chunk = corr_make_chunk(s, choice, index_c);
        const corr_chunk after = corr_make_chunk(s, choice, corr_min(index_c + 1, item.end_chunk - 1));
        const int64_t first = chunk.first * width;
        in.gradients = (corr_image_view){chunk.end * width - first, s->w.out * width, width, first};
        if (placed)
            in.gradients = (corr_image_view){ys[0], ys[3], ys[4], 0};
        in.view = (corr_image_view){xs[0], xs[3], xs[4], 0};
        in.channel = xs[2];
        in.x = job->x + (chunk.image * xs[0] + item.g * xs[1] + item.c0 * xs[2]) * bytes;
        if (choice->slab) {
            in.view = corr_copy_chunk(job, &chunk, item.g, item.c0, item.c1, slab, &in.channel);
            in.x = slab;
        }
        find_pixels(s, choice, &chunk, &in);
        sums_view sums = {scratch + at.sums, by_taps ? width : taps * width, by_taps ? channels * width : width,
                          index_c > item.first_chunk};
        if (in_place)
            sums = (sums_view){item.gw + (item.o0 + item.c0 * ws[2]) * bytes, ws[2], ws[4], job->accumulate};
        for (int64_t o = item.o0; o < item.o1; o += width, sums.to += in_place ? width * bytes : panel_sums) {
            if (corr_should_stop(run))
                return;
            const gradients of = {&chunk, o, corr_min(o + width, item.o1)};
            const int last = o + width >= item.o1;
            const gradients next = {last ? &after : &chunk, last ? item.o0 : o + width,
                                    corr_min((last ? item.o0 : o + width) + width, item.o1)};
            const char *gy = panel;
            if (placed)
                gy = job->gy + (chunk.image * ys[0] + item.g * ys[1] + o * ys[2]) * bytes;
            else
                pack_panel(job, item.g, &of, width, panel);
            multiply_panel(job, &item, &in, gy, &of,
                           placed || (last && index_c + 1 == item.end_chunk) ? NULL : &next, &sums);
        }
    }
    char *sums = scratch + at.sums;
    for (int64_t o = item.o0; o < item.o1 && !in_place; o += width, sums += panel_sums) {
        if (by_taps)
            turn_sums(choice->kernels, sums, taps, channels, width, panel);
        const corr_weight_sums from = {by_taps ? panel : sums, width, corr_min(width, item.o1 - o), channels,
                                       s->h.kernel, s->w.kernel};
        corr_store_sums(choice->kernels, &from, s->h.kernel, s->w.kernel,
                        item.gw + (o * ws[1] + item.c0 * ws[2]) * bytes, ws, job->accumulate);
    }
}
