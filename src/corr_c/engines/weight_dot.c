/* The weight gradient as dot products along the pixels (kernels/dot.h), for groups of few
 * channels, which would leave lanes that run over them empty.
 *
 *   item: split, group g, some output channels, some input channels
 *     for chunk of pixels:  x and gy as they lie, or as planes where they are none
 *       for tap: its pixels in the image -> micro-kernel -> gw
 */
#include "weight.h"

typedef struct parts {
    int64_t sums, rows, slab, segments, all;
} parts;

static parts lay_out(const corr_problem *s, const corr_weight_choice *choice) {
    const int64_t taps = s->h.kernel * s->w.kernel, bytes = choice->kernels->bytes;
    const int64_t o = corr_min(choice->o_block, s->oc), c = corr_min(choice->c_block, s->ic);
    parts p;
    p.sums = 0;
    p.rows = corr_round_up(o * c * taps * bytes, 64);
    p.slab = p.rows;
    if (s->y_stride[4] != 1)
        p.slab += corr_round_up(o * choice->images * choice->chunk * bytes, 64);
    p.segments = p.slab;
    if (choice->slab)
        p.segments += corr_round_up(corr_slab_elements(s, choice, c) * bytes, 64);
    p.all = p.segments +
            corr_round_up(corr_most_segments(s, choice) * (int64_t)sizeof(corr_segment), 64);
    return p;
}

int64_t corr_dot_scratch(const corr_problem *s, const corr_weight_choice *choice) {
    return lay_out(s, choice).all;
}

/* gy of a chunk as rows of pixels, a row a channel. */
static void copy_rows(const corr_weight_job *job, const corr_chunk *c, const corr_weight_item *item,
                      char *to) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t *ys = s->y_stride, bytes = k->bytes;
    for (int64_t o = item->o0; o < item->o1; o++)
        for (int64_t n = c->image; n < c->image + c->images; n++)
            for (int64_t pixel = c->first; pixel < c->end;) {
                const int64_t i = pixel / s->w.out, j = pixel % s->w.out;
                const int64_t some = corr_min(c->end - pixel, s->w.out - j);
                k->copy(to, job->gy + (n * ys[0] + item->g * ys[1] + o * ys[2] + i * ys[3] + j * ys[4]) * bytes,
                        ys[4], some);
                to += some * bytes;
                pixel += some;
            }
}

static void store_sums(const corr_weight_job *job, const corr_weight_item *item, const char *sums) {
    const corr_problem *s = job->s;
    const int64_t *ws = job->w_stride, bytes = job->choice->kernels->bytes;
    for (int64_t o = item->o0; o < item->o1; o++)
        for (int64_t c = item->c0; c < item->c1; c++)
            for (int64_t p = 0; p < s->h.kernel; p++)
                for (int64_t q = 0; q < s->w.kernel; q++, sums += bytes) {
                    char *to = item->gw + (o * ws[1] + c * ws[2] + p * ws[3] + q * ws[4]) * bytes;
                    if (job->accumulate)
                        job->choice->kernels->add(to, 1, sums, 1);
                    else
                        job->choice->kernels->copy(to, sums, 1, 1);
                }
}

void corr_dot_item(const corr_weight_job *job, int64_t index, int worker, corr_run_state *run) {
    const corr_problem *s = job->s;
    const corr_weight_choice *choice = job->choice;
    const int64_t *xs = s->x_stride, *ys = s->y_stride, bytes = choice->kernels->bytes;
    const int64_t taps = s->h.kernel * s->w.kernel;
    const parts at = lay_out(s, choice);
    const corr_weight_item item = corr_make_weight_item(job, index);
    char *scratch = job->workspace + worker * job->scratch_bytes;
    char *sums = scratch + at.sums;
    corr_segment *segments = (corr_segment *)(void *)(scratch + at.segments);

    for (int64_t index_c = item.first_chunk; index_c < item.end_chunk; index_c++) {
        if (corr_should_stop(run))
            return;
        const corr_chunk chunk = corr_make_chunk(s, choice, index_c);
        const int64_t count = chunk.end - chunk.first;
        corr_image_view x_view = {xs[0], xs[3], xs[4]}, gy_view = {ys[0], ys[3], ys[4]};
        const char *x = job->x + (chunk.image * xs[0] + item.g * xs[1] + item.c0 * xs[2]) * bytes;
        const char *gy = job->gy + (chunk.image * ys[0] + item.g * ys[1] + item.o0 * ys[2]) * bytes;
        int64_t x_row = xs[2], gy_row = ys[2], origin = 0, gy_origin = 0;
        if (ys[4] != 1) {
            copy_rows(job, &chunk, &item, scratch + at.rows);
            gy = scratch + at.rows;
            gy_row = chunk.images * count;
            gy_view = (corr_image_view){count, s->w.out, 1};
            gy_origin = chunk.first;
        }
        if (choice->slab) {
            x_view = corr_copy_chunk(job, &chunk, item.g, item.c0, item.c1, scratch + at.slab, &x_row,
                                    &origin);
            x = scratch + at.slab;
        }
        for (int64_t tap = 0; tap < taps; tap++) {
            int64_t made = corr_make_segments(s, &chunk, &x_view, &gy_view, tap, segments);
            for (int64_t i = 0; i < made; i++) {
                const int64_t from = segments[i].a - origin;
                segments[i].a = segments[i].b - gy_origin;
                segments[i].b = from;
            }
            choice->kernels->dot(segments, made, gy, gy_row, x, x_row,
                                 s->w.stride * x_view.column, sums + tap * bytes,
                                 (item.c1 - item.c0) * taps, taps, item.o1 - item.o0,
                                 item.c1 - item.c0, index_c > item.first_chunk);
        }
    }
    store_sums(job, &item, sums);
}
