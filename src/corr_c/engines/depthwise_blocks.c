/* One input channel a group and a kernel of any size, stride and dilation: blocks of outputs
 * whose sums stay in registers (kernels/stencil_block.h).
 *
 *   a slab of a plane (or of a vector of channels):
 *     its part of the input -> L1, padded, a phase of the stride after the other (slab.c)
 *     for kernel: for strip of columns: for rows, from the top: block
 *
 * Where a slab would only repeat the image, the image is read. So it is, channels-last, in the
 * middle of large images; slabs are then only for what sees padding.
 */
#include "depthwise.h"

typedef struct part {
    const corr_problem *s;
    const corr_stencil_blocks *b;
    int64_t bytes;
    int64_t row, end, column, columns; /* of outputs */
    const char *x;                     /* what the first tap of the first output reads */
    int64_t x_row;
} part;

corr_block_scratch corr_make_block_scratch(const corr_problem *s, const corr_choice *c) {
    corr_block_scratch b = {.blocks = corr_choose_blocks(s, c), .planes = *s};
    b.planes.ic = b.blocks.planes;
    b.planes.x_stride[2] = s->x_stride[1];
    b.slab = corr_make_block_slab(&b.planes, c->kernels, &b.blocks, b.blocks.rows, b.blocks.columns);
    b.offsets = corr_round_up(2 * s->h.kernel * s->w.kernel * (int64_t)sizeof(int32_t), 64);
    b.bytes = corr_round_up(b.slab.elements * b.blocks.unit * c->kernels->bytes, 64);
    return b;
}

void corr_fill_block_offsets(const corr_problem *s, const corr_block_scratch *b, int32_t *offsets) {
    const int64_t taps = s->h.kernel * s->w.kernel;
    corr_slab_offsets(s, &b->slab, 1, offsets);
    for (int64_t k = 0; k < taps; k++) {
        const int64_t p = k / s->w.kernel, q = k % s->w.kernel;
        offsets[k] *= (int32_t)b->blocks.unit;
        offsets[taps + k] = (int32_t)(p * s->h.dilation * s->x_stride[3] + q * s->w.dilation * s->x_stride[4]);
    }
}

/* Of an axis, do taps of outputs first .. first + count - 1 all lie in the image? */
static int holds(const corr_axis *a, int64_t first, int64_t count) {
    const int64_t at = first * a->stride - a->pad;
    return at >= 0 && at + (count - 1) * a->stride + (a->kernel - 1) * a->dilation < a->in;
}

/* Does the image hold all that the part's blocks read? */
static int reads_image(const part *p) {
    const corr_problem *s = p->s;
    return s->w.stride == 1 && s->x_stride[4] == 1 && p->columns >= p->b->strip &&
           holds(&s->w, p->column, p->columns) &&
           (p->b->reuse || (s->x_stride[3] * s->h.dilation * s->h.kernel < INT32_MAX &&
                            holds(&s->h, p->row, p->end - p->row)));
}

static void block(const part *p, corr_stencil *t, int64_t i, int64_t rows, int64_t j,
                  const char *w, char *y) {
    const corr_problem *s = p->s;
    const corr_stencil_blocks *b = p->b;
    if (b->reuse) {
        t->row_lo = s->h.pad - i;
        t->row_hi = s->h.in + s->h.pad - i;
    } else {
        corr_find_taps(&s->h, i, i + rows - 1, &t->row_lo, &t->row_hi);
    }
    b->kernels[rows - 1][b->vectors - 1](
        t, p->x + ((i - p->row) * p->x_row + (j - p->column) * b->unit) * p->bytes, w,
        y + (i * s->y_stride[3] + j * s->y_stride[4]) * p->bytes);
}

/* All rows of one strip. */
static void strip(const part *p, corr_stencil *t, int64_t j, const char *w, char *y) {
    const corr_stencil_blocks *b = p->b;
    int64_t rows = corr_min(b->most, p->end - p->row);
    while (!b->kernels[rows - 1][b->vectors - 1])
        rows--;
    for (int64_t i = p->row; i < p->end; i += rows) {
        if (p->end - i < rows) { /* the last block overlaps the one before it */
            rows = p->end - i;
            while (!b->kernels[rows - 1][b->vectors - 1])
                rows++;
            i = p->end - rows;
        }
        block(p, t, i, rows, j, w, y);
    }
}

static void filter_part(const part *p, corr_stencil *t, const corr_planes *planes, int64_t at) {
    const corr_stencil_blocks *b = p->b;
    const char *w = planes->w + at * planes->w_plane, *bias = planes->bias;
    char *y = planes->y + at * planes->y_plane;
    for (int64_t o = 0; o < planes->kernels; o++, w += planes->w_kernel, y += planes->y_kernel) {
        t->bias = bias ? bias + (at * planes->kernels + o) * p->bytes : NULL;
        for (int64_t j = 0; j < p->columns; j += b->strip) {
            if (p->columns >= b->strip) /* again overlapping */
                j = corr_min(j, p->columns - b->strip);
            strip(p, t, p->column + j, w, y);
        }
    }
}

corr_stencil corr_make_block_stencil(const corr_problem *s, const corr_kernels *k,
                                     const corr_block_scratch *scratch, int bias) {
    const corr_stencil_blocks *b = &scratch->blocks;
    const int lanes = b->unit > 1;
    return (corr_stencil){
        .kh = s->h.kernel, .kw = s->w.kernel, .x_tap = s->w.dilation,
        .w_tap = corr_weights_apart(s, k) ? k->lanes : corr_round_up(s->groups, k->lanes),
        .y_row = s->y_stride[3], .y_vector = (lanes ? 1 : k->lanes) * s->y_stride[4],
        .y_step = lanes ? 1 : s->y_stride[4], .columns = corr_min(b->strip, s->w.out),
        .epilogue = bias || s->activation != CORR_LINEAR, .activation = s->activation,
    };
}

static void filter_planes(const corr_block_scratch *scratch, const corr_kernels *k, part *p,
                          corr_stencil *t, const corr_planes *planes) {
    const corr_slab *slab = &scratch->slab;
    int64_t next = slab->channel;
    if (reads_image(p)) {
        const corr_problem *s = p->s;
        const int64_t h = p->row * s->h.stride - s->h.pad, v = p->column - s->w.pad;
        p->x = planes->x + (h * s->x_stride[3] + v) * p->bytes;
        p->x_row = s->h.stride * s->x_stride[3];
        t->offsets = planes->offsets + s->h.kernel * s->w.kernel;
        next = s->x_stride[1];
    } else {
        corr_fill_slab(&scratch->planes, k, slab, planes->x, planes->count, p->row, p->end - p->row,
                       p->column, p->columns, planes->slab);
        p->x = planes->slab;
        p->x_row = slab->pitch;
        t->offsets = planes->offsets;
    }
    t->x_row = t->x_next = p->x_row;
    for (int64_t at = 0; at < planes->count; at++, p->x += next * p->bytes)
        filter_part(p, t, planes, at);
}

static void filter_lanes(const corr_block_scratch *scratch, const corr_kernels *k, part *p,
                         corr_stencil *t, const corr_planes *planes) {
    p->x = planes->slab;
    p->x_row = t->x_next = scratch->slab.pitch * k->lanes;
    t->offsets = planes->offsets;
    for (int64_t g = 0; g < planes->count; g += k->lanes) {
        t->columns = corr_min(k->lanes, planes->count - g);
        corr_fill_lanes_slab(p->s, k, &scratch->slab, planes->x + g * p->bytes, t->columns, p->row,
                             p->end - p->row, p->column, p->columns, planes->slab);
        filter_part(p, t, planes, g);
    }
}

/* By way of slabs. */
static void filter_slabs(const corr_block_scratch *scratch, const corr_kernels *k, const part *all,
                         corr_stencil *t, const corr_planes *planes) {
    const corr_stencil_blocks *b = all->b;
    const int64_t last = all->column + all->columns;
    part p = *all;
    for (p.row = all->row; p.row < all->end; p.row = p.end)
        for (p.column = all->column; p.column < last; p.column += p.columns) {
            p.end = corr_min(p.row + b->rows, all->end);
            p.columns = corr_min(b->columns, all->columns);
            p.column = corr_min(p.column, last - p.columns);
            (b->unit > 1 ? filter_lanes : filter_planes)(scratch, k, &p, t, planes);
        }
}

/* Bytes of a row of pixels that all their channels are taken of before the next. */
enum { TOGETHER = 1024 };

/* Channels-last, from the image itself: the last strip, and vector of channels, overlaps the one
 * before it. */
static void filter_image(const corr_kernels *k, const part *p, corr_stencil *t, const corr_planes *planes) {
    const corr_problem *s = p->s;
    const corr_stencil_blocks *b = p->b;
    const int64_t *xs = s->x_stride, *ys = s->y_stride, end = p->column + p->columns;
    const int64_t strips = corr_max(1, TOGETHER / (b->strip * planes->count * k->bytes));
    t->x_next = s->h.stride * xs[3];
    t->x_vector = s->w.stride * xs[4];
    t->offsets = planes->offsets + s->h.kernel * s->w.kernel;
    t->columns = k->lanes;
    t->row_lo = 0;
    t->row_hi = s->h.kernel;
    for (int64_t i = p->row, rows; i < p->end; i += rows) {
        rows = corr_min(b->most, p->end - i);
        while (!b->image[rows - 1][b->vectors - 1])
            rows--;
        for (int64_t j = p->column; j < end; j += t->strips * b->strip) {
            j = corr_min(j, end - b->strip);
            t->strips = corr_min(strips, (end - j) / b->strip);
            const int64_t x = (i * s->h.stride - s->h.pad) * xs[3] + (j * s->w.stride - s->w.pad) * xs[4];
            for (int64_t g = 0; g < planes->count; g += k->lanes) {
                g = corr_min(g, planes->count - k->lanes);
                t->bias = planes->bias ? planes->bias + g * k->bytes : NULL;
                b->image[rows - 1][b->vectors - 1](
                    t, planes->x + (x + g) * k->bytes, planes->w + g * planes->w_plane,
                    planes->y + (i * ys[3] + j * ys[4]) * k->bytes + g * planes->y_plane);
            }
        }
    }
}

void corr_filter_blocks(const corr_problem *s, const corr_kernels *k, const corr_block_scratch *scratch,
                        corr_stencil *t, const corr_planes *planes, int64_t first, int64_t end) {
    const corr_stencil_blocks *b = &scratch->blocks;
    const part all = {.s = s, .b = b, .bytes = k->bytes, .row = first, .end = end, .columns = s->w.out};
    part middle = all, edge = all;
    int64_t left, right;
    corr_find_inside(&s->h, &middle.row, &middle.end);
    corr_find_inside(&s->w, &left, &right);
    middle.row = corr_max(middle.row, first);
    middle.end = corr_min(middle.end, end);
    middle.column = left;
    middle.columns = right - left;
    if (!b->image || planes->count < k->lanes || middle.row >= middle.end || middle.columns < b->strip) {
        filter_slabs(scratch, k, &all, t, planes);
        return;
    }
    filter_image(k, &middle, t, planes);
    edge.end = middle.row;
    filter_slabs(scratch, k, &edge, t, planes);
    edge.row = middle.end;
    edge.end = end;
    filter_slabs(scratch, k, &edge, t, planes);
    edge.row = middle.row;
    edge.end = middle.end;
    edge.columns = corr_max(left, b->strip); /* no fewer columns than a strip has */
    if (left > 0)
        filter_slabs(scratch, k, &edge, t, planes);
    edge.columns = corr_max(s->w.out - right, b->strip);
    edge.column = s->w.out - edge.columns;
    if (right < s->w.out)
        filter_slabs(scratch, k, &edge, t, planes);
}
