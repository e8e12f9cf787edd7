/* The pixels that a tap of the weight gradient meets, as runs within rows. */
#include "weight.h"

/* Outputs first <= i < end whose tap at `start` + i * stride lies in the axis. */
static void inside(const corr_axis *axis, int64_t start, int64_t *first, int64_t *end) {
    *first = start >= 0 ? 0 : corr_ceil_div(-start, axis->stride);
    *end = start >= axis->in ? 0 : corr_min(axis->out, corr_ceil_div(axis->in - start, axis->stride));
}

void corr_tap_columns(const corr_problem *s, int64_t q, int64_t *first, int64_t *end) {
    inside(&s->w, q * s->w.dilation - s->w.pad, first, end);
}

int64_t corr_make_segments(const corr_problem *s, const corr_chunk *c, const corr_image_view *x,
                           const corr_image_view *gy, int64_t tap, int64_t first_j, int64_t end_j,
                           corr_segment *segments) {
    const int64_t start_h = tap / s->w.kernel * s->h.dilation - s->h.pad;
    const int64_t start_v = tap % s->w.kernel * s->w.dilation - s->w.pad;
    int64_t first_i, end_i, made = 0;
    inside(&s->h, start_h, &first_i, &end_i);
    const int64_t i0 = corr_max(first_i, c->first / s->w.out);
    const int64_t i1 = corr_min(end_i, (c->end - 1) / s->w.out + 1);
    for (int64_t n = 0; n < c->images; n++)
        for (int64_t i = i0; i < i1; i++) {
            const int64_t j0 = corr_max(first_j, c->first - i * s->w.out);
            const int64_t j1 = corr_min(end_j, c->end - i * s->w.out);
            if (j0 >= j1)
                continue;
            segments[made].a = n * x->image + (start_h + i * s->h.stride) * x->row +
                               (start_v + j0 * s->w.stride) * x->column - x->first;
            segments[made].b = n * gy->image + i * gy->row + j0 * gy->column - gy->first;
            segments[made++].count = j1 - j0;
        }
    return made;
}

int64_t corr_make_column(const corr_problem *s, const corr_chunk *c, const corr_image_view *x,
                         const corr_image_view *gy, int64_t p, int64_t j, corr_segment *segments) {
    const int64_t start_h = p * s->h.dilation - s->h.pad, start_v = j * s->w.stride - s->w.pad;
    int64_t first, end, q0, q1, made = 0;
    inside(&s->h, start_h, &first, &end);
    corr_find_taps(&s->w, j, j, &q0, &q1);
    const int64_t i0 = corr_max(first, corr_ceil_div(corr_max(c->first - j, 0), s->w.out));
    const int64_t i1 = corr_min(end, corr_ceil_div(corr_max(c->end - j, 0), s->w.out));
    for (int64_t n = 0; n < c->images && i0 < i1 && q0 < q1; n++) {
        segments[made].a = n * x->image + (start_h + i0 * s->h.stride) * x->row +
                           (start_v + q0 * s->w.dilation) * x->column - x->first;
        segments[made].b = n * gy->image + i0 * gy->row + j * gy->column - gy->first;
        segments[made++].count = i1 - i0;
    }
    return made;
}

corr_chunk corr_make_chunk(const corr_problem *s, const corr_weight_choice *choice, int64_t index) {
    corr_chunk c = {0, 1, 0, corr_pixels(s)};
    if (choice->pieces > 1) {
        const int64_t piece = index % choice->pieces;
        c.image = index / choice->pieces;
        c.first = piece * choice->chunk;
        c.end = corr_min(c.first + choice->chunk, corr_pixels(s));
    } else {
        c.image = index * choice->images;
        c.images = corr_min(choice->images, s->n - c.image);
    }
    return c;
}

void corr_chunk_rows(const corr_problem *s, const corr_chunk *c, int64_t *h0, int64_t *h1) {
    const corr_axis *h = &s->h;
    const int64_t last = (c->end - 1) / s->w.out * h->stride - h->pad + (h->kernel - 1) * h->dilation;
    *h0 = corr_min(corr_max(c->first / s->w.out * h->stride - h->pad, 0), h->in);
    *h1 = corr_max(corr_min(last + 1, h->in), *h0);
}
