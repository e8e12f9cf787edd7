/* The weight gradient as dot products along the pixels (kernels/dot.h), for few channels, which
 * would leave lanes that run over them empty.
 *
 *   item: split, group g, some output channels, some input channels
 *     for chunk of pixels:  x as a slab (slab.c), gy as it lies, or as planes where it is none
 *       for o: some output channels
 *         for k: some of the terms (c, q, p), runs of the slab -> micro-kernel -> sums[o][k]
 *     sums, a vector each, summed across their lanes -> gw
 *
 * Terms in this order share what they read: a slab has a copy for each column of taps. The slab has zeros where a tap lies in the padding; weight_gradient.c mends what they make
 * of a gradient that is not finite.
 */
#include "weight.h"

typedef struct parts {
    int64_t sums, rows, slab, offsets, segments, all;
    int64_t slab_rows, slab_columns;
    corr_slab layout; /* of one image */
} parts;

static parts lay_out(const corr_problem *s, const corr_weight_choice *choice) {
    const int64_t bytes = choice->kernels->bytes;
    const int64_t o = corr_min(choice->o_block, s->oc), c = corr_min(choice->c_block, s->ic);
    const int64_t terms = c * s->h.kernel * s->w.kernel;
    const corr_choice slab = {.kernels = choice->kernels, .by_rows = !choice->flat, .cb = c};
    parts p = {.sums = 0};
    p.rows = corr_round_up(o * terms * choice->kernels->lanes * bytes, 64);
    p.slab = p.rows;
    if (!corr_dot_reads_gradients(s, choice))
        p.slab += corr_round_up(o * choice->images * choice->chunk * bytes, 64);
    p.slab_rows = corr_min(s->h.out, (choice->chunk - 1) / s->w.out + 2);
    p.slab_columns = s->h.out == 1 ? choice->chunk : s->w.out;
    p.layout = corr_make_slab(s, &slab, p.slab_rows, p.slab_columns);
    p.offsets = p.slab + corr_round_up(choice->images * p.layout.elements * bytes, 64);
    p.segments = p.offsets + corr_round_up(2 * terms * (int64_t)sizeof(int32_t), 64);
    p.all = p.segments +
            corr_round_up(corr_most_segments(s, choice) * (int64_t)sizeof(corr_segment), 64);
    return p;
}

int64_t corr_dot_scratch(const corr_problem *s, const corr_weight_choice *choice) {
    return lay_out(s, choice).all;
}

int corr_dot_reads_gradients(const corr_problem *s, const corr_weight_choice *choice) {
    return s->y_stride[4] == 1 && (!choice->flat || s->h.out == 1 || s->y_stride[3] == s->w.out);
}

/* gy of a chunk as rows of pixels, a row a channel. */
static void copy_rows(const corr_weight_job *job, const corr_chunk *c, const corr_weight_item *item,
                      char *to) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t *ys = s->y_stride, bytes = k->bytes, channels = item->o1 - item->o0;
    const int64_t row = c->images * (c->end - c->first);
    const int whole = ys[3] == s->w.out * ys[4];
    static const corr_store plain;
    for (int64_t n = c->image; n < c->image + c->images; n++)
        for (int64_t pixel = c->first; pixel < c->end;) {
            const int64_t i = pixel / s->w.out, j = pixel % s->w.out;
            const int64_t some = whole ? c->end - pixel : corr_min(c->end - pixel, s->w.out - j);
            const char *gy = job->gy + (n * ys[0] + item->g * ys[1] + item->o0 * ys[2] +
                                        i * ys[3] + j * ys[4]) * bytes;
            if (ys[2] == 1)
                k->transpose(some, channels, gy, ys[4], to, row, &plain);
            else
                for (int64_t o = 0; o < channels; o++)
                    k->copy(to + o * row * bytes, gy + o * ys[2] * bytes, ys[4], some);
            to += some * bytes;
            pixel += some;
        }
}

/* Runs of pixels within the gradients' rows, or planes, or copies, and the slab's. */
static int64_t make_segments(const corr_problem *s, const corr_weight_choice *choice,
                             const corr_chunk *c, int copied, const corr_slab *slab,
                             corr_segment *segments) {
    const int64_t *ys = s->y_stride, first_row = c->first / s->w.out, first_column = s->h.out == 1 ? c->first : 0;
    int64_t made = 0;
    for (int64_t n = 0; n < c->images; n++)
        for (int64_t pixel = c->first; pixel < c->end;) {
            const int64_t i = pixel / s->w.out, j = pixel % s->w.out;
            corr_segment *to = &segments[made++];
            to->count = choice->flat ? c->end - pixel : corr_min(c->end - pixel, s->w.out - j);
            to->a = copied ? n * (c->end - c->first) + pixel - c->first
                           : n * ys[0] + i * ys[3] + j;
            to->b = n * slab->elements + (i - first_row) * slab->row + j - first_column;
            pixel += to->count;
        }
    return made;
}

static void fill_slabs(const corr_weight_job *job, const corr_chunk *chunk,
                       const corr_weight_item *item, const corr_slab *slab, char *to) {
    const corr_problem *s = job->s;
    const int64_t *xs = s->x_stride, bytes = job->choice->kernels->bytes;
    const int64_t first = chunk->first / s->w.out, rows = (chunk->end - 1) / s->w.out + 1 - first;
    const int64_t column = s->h.out == 1 ? chunk->first : 0;
    const int64_t columns = s->h.out == 1 ? chunk->end - chunk->first : s->w.out;
    const char *x = job->x + (chunk->image * xs[0] + item->g * xs[1] + item->c0 * xs[2]) * bytes;
    for (int64_t n = 0; n < chunk->images; n++)
        corr_fill_slab(s, job->choice->kernels, slab, x + n * xs[0] * bytes, item->c1 - item->c0,
                       first, rows, column, columns, to + n * slab->elements * bytes);
}

/* sums[o][k] of a chunk: tiles of much the same size. */
static void multiply(const corr_weight_job *job, const corr_weight_item *item, const char *gy,
                     int64_t gy_row, const char *slab, const int32_t *offsets,
                     const corr_segment *segments, int64_t count, char *sums, int accumulate) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t terms = (item->c1 - item->c0) * s->h.kernel * s->w.kernel, bytes = k->bytes;
    const int64_t row_tiles = corr_ceil_div(item->o1 - item->o0, k->dot_rows);
    const int64_t column_tiles = corr_ceil_div(terms, k->dot_columns);
    for (int64_t i = 0; i < row_tiles; i++) {
        const int64_t o = i * (item->o1 - item->o0) / row_tiles;
        const int64_t rows = (i + 1) * (item->o1 - item->o0) / row_tiles - o;
        for (int64_t j = 0; j < column_tiles; j++) {
            const int64_t t = j * terms / column_tiles, columns = (j + 1) * terms / column_tiles - t;
            k->dot[rows - 1][columns - 1](segments, count, gy + o * gy_row * bytes, gy_row, slab,
                                          offsets + t,
                                          sums + (o * terms + t) * k->lanes * bytes, terms,
                                          accumulate);
        }
    }
}

/* Returns whether all are finite. */
static int store_sums(const corr_weight_job *job, const corr_weight_item *item, char *sums) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t *ws = job->w_stride, bytes = k->bytes, taps = s->h.kernel * s->w.kernel;
    int finite = 1;
    k->sum_lanes(sums, (item->o1 - item->o0) * (item->c1 - item->c0) * taps, sums);
    for (int64_t o = item->o0; o < item->o1; o++)
        for (int64_t c = item->c0; c < item->c1; c++)
            for (int64_t q = 0; q < s->w.kernel; q++)
                for (int64_t p = 0; p < s->h.kernel; p++, sums += bytes)
                    finite &= corr_put_weight(
                        s, item->gw + (o * ws[1] + c * ws[2] + p * ws[3] + q * ws[4]) * bytes, sums,
                        job->accumulate);
    return finite;
}

/* Of the terms as (c, q, p); room for twice as many. */
static void make_offsets(const corr_problem *s, const corr_slab *slab, int64_t channels,
                         int32_t *offsets) {
    const int64_t kh = s->h.kernel, kw = s->w.kernel;
    int32_t *as_pqc = offsets + channels * kh * kw;
    corr_slab_offsets(s, slab, channels, as_pqc);
    for (int64_t c = 0; c < channels; c++)
        for (int64_t q = 0; q < kw; q++)
            for (int64_t p = 0; p < kh; p++)
                *offsets++ = as_pqc[(p * kw + q) * channels + c];
}

void corr_dot_item(const corr_weight_job *job, int64_t index, int worker, corr_run_state *run) {
    const corr_problem *s = job->s;
    const corr_weight_choice *choice = job->choice;
    const int64_t *ys = s->y_stride, bytes = choice->kernels->bytes;
    const int copied = !corr_dot_reads_gradients(s, choice);
    const parts at = lay_out(s, choice);
    const corr_weight_item item = corr_make_weight_item(job, index);
    char *scratch = job->workspace + worker * job->scratch_bytes;
    int32_t *offsets = (int32_t *)(void *)(scratch + at.offsets);
    corr_segment *segments = (corr_segment *)(void *)(scratch + at.segments);
    make_offsets(s, &at.layout, item.c1 - item.c0, offsets);

    for (int64_t index_c = item.first_chunk; index_c < item.end_chunk; index_c++) {
        if (corr_should_stop(run))
            return;
        const corr_chunk chunk = corr_make_chunk(s, choice, index_c);
        const char *gy = job->gy + (chunk.image * ys[0] + item.g * ys[1] + item.o0 * ys[2]) * bytes;
        int64_t gy_row = ys[2];
        if (copied) {
            copy_rows(job, &chunk, &item, scratch + at.rows);
            gy = scratch + at.rows;
            gy_row = chunk.images * (chunk.end - chunk.first);
        }
        fill_slabs(job, &chunk, &item, &at.layout, scratch + at.slab);
        const int64_t made = make_segments(s, choice, &chunk, copied, &at.layout, segments);
        multiply(job, &item, gy, gy_row, scratch + at.slab, offsets, segments, made,
                 scratch + at.sums, index_c > item.first_chunk);
    }
    job->odd[worker] |= !store_sums(job, &item, scratch + at.sums);
}
