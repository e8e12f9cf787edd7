/* im2col without its repetitions: some rows of the input for some channels, copied once for
 * each column of taps, so that every tap of a run of outputs is a run of the slab:
 *
 *   slab[c][copy][phase][row][column]
 *
 * A row of the kernel only shifts the run by whole rows; under a stride, rows that are a
 * stride apart follow one another, in a phase of their own. With a copy a column of taps
 * (start q * dw - pw) rows are as long as the output's, so that runs of outputs go on across
 * their ends. By rows, a copy a phase of the stride is enough: a column of taps is a shift.
 *
 * Channels-last images, whose tiles broadcast pixels, only gain their padding:
 * slab[row][column][c], and are always taken by rows, of which only the ends are copied that see
 * it (corr_find_middle). Where vectors run over pixels all the same, they are turned to planes.
 */
#include "../plan/plan.h"

#include <string.h>

/* Residues that taps 0 .. kernel - 1 take modulo the stride; tap p has the p % n-th. */
static int64_t phases(const corr_axis *a) {
    int64_t n = 1;
    while (n < a->kernel && n * a->dilation % a->stride != 0)
        n++;
    return n;
}

/* Of n phases, f's rows or columns beyond as many as there are outputs: its taps lie a whole
 * number of strides apart. */
static int64_t beyond(const corr_axis *a, int64_t n, int64_t f) {
    return (a->kernel - 1 - f) / n * (n * a->dilation / a->stride);
}

/* Input rows or columns that so many outputs in a row see. */
static int64_t extent(const corr_axis *a, int64_t outputs) {
    return (outputs - 1) * a->stride + (a->kernel - 1) * a->dilation + 1;
}

static corr_slab make_pixels(const corr_problem *s, int64_t rows, int64_t columns) {
    corr_slab b = {.by_rows = 1, .channels_last = 1, .copies = 1, .phases = 1, .channel = 1};
    b.halo = corr_ceil_div((s->h.kernel - 1) * s->h.dilation, s->h.stride);
    b.column = s->w.stride * s->ic;
    b.pitch = extent(&s->w, columns) * s->ic;
    b.row = s->h.stride * b.pitch;
    b.elements = extent(&s->h, rows) * b.pitch;
    return b;
}

int corr_keeps_planes(const corr_problem *s, const corr_choice *c) {
    return c->channel_lanes && c->by_rows && !corr_channels_last(s) && s->w.stride > 1 &&
           phases(&s->h) == s->h.stride && phases(&s->w) == s->w.stride;
}

static corr_slab make_planes(const corr_problem *s, int64_t rows, int64_t columns) {
    corr_slab b = {.by_rows = 1, .copies = 1, .phases = 1, .column = s->w.stride};
    b.halo = corr_ceil_div((s->h.kernel - 1) * s->h.dilation, s->h.stride);
    b.pitch = extent(&s->w, columns);
    b.shift = b.pitch - columns;
    b.row = s->h.stride * b.pitch;
    b.channel = extent(&s->h, rows) * b.pitch;
    return b;
}

/* Rows of so many columns, a multiple of `unit` apart. */
static corr_slab make_runs(const corr_problem *s, int by_rows, int64_t unit, int64_t rows,
                           int64_t columns) {
    corr_slab b = {.by_rows = by_rows, .column = 1};
    b.copies = by_rows ? phases(&s->w) : s->w.kernel;
    b.phases = phases(&s->h);
    b.halo = beyond(&s->h, b.phases, 0);
    b.shift = by_rows ? beyond(&s->w, b.copies, 0) : 0;
    b.pitch = by_rows ? corr_round_up(columns, unit) + corr_round_up(b.shift, unit) : s->w.out;
    b.phase = (rows + b.halo) * b.pitch + (unit > 1 ? unit : 0);
    b.copy = b.phases * b.phase;
    b.channel = b.copies * b.copy;
    b.row = b.pitch;
    return b;
}

corr_slab corr_make_slab(const corr_problem *s, const corr_choice *c, int64_t rows,
                         int64_t columns) {
    const int64_t lanes = c->kernels->lanes;
    if (c->channel_lanes && corr_channels_last(s))
        return make_pixels(s, rows, columns);
    corr_slab b = corr_keeps_planes(s, c) ? make_planes(s, rows, columns)
                                          : make_runs(s, c->by_rows, lanes, rows, columns);
    /* Channels a multiple of a page apart would meet in the same sets of L1. */
    if (b.channel * c->kernels->bytes % 4096 < 64)
        b.channel += lanes;
    b.elements = b.channel * corr_min(c->cb, s->ic) + 2 * lanes;
    return b;
}

corr_slab corr_make_lanes_slab(const corr_problem *s, int64_t rows, int64_t columns) {
    corr_slab b = make_runs(s, 1, 1, rows, columns);
    b.elements = b.channel;
    return b;
}

void corr_pixel_offsets(const corr_problem *s, int64_t row, int64_t column, int64_t channel,
                        int64_t channels, int32_t *offsets) {
    for (int64_t p = 0; p < s->h.kernel; p++)
        for (int64_t q = 0; q < s->w.kernel; q++)
            for (int64_t c = 0; c < channels; c++)
                *offsets++ = (int32_t)(p * s->h.dilation * row + q * s->w.dilation * column + c * channel);
}

void corr_slab_offsets(const corr_problem *s, const corr_slab *b, int64_t channels,
                       int32_t *offsets) {
    if (b->channels_last || b->column > 1) {
        const int64_t column = b->channels_last ? s->ic : 1;
        corr_pixel_offsets(s, b->pitch, column, b->channels_last ? 1 : b->channel, channels, offsets);
        return;
    }
    const int64_t h_step = b->phases * s->h.dilation / s->h.stride;
    const int64_t w_step = b->copies * s->w.dilation / s->w.stride;
    for (int64_t p = 0; p < s->h.kernel; p++) {
        const int64_t row = p / b->phases * h_step;
        for (int64_t q = 0; q < s->w.kernel; q++) {
            int64_t at = p % b->phases * b->phase + row * b->pitch + q % b->copies * b->copy;
            if (b->by_rows)
                at += q / b->copies * w_step;
            for (int64_t c = 0; c < channels; c++, at += b->channel)
                *offsets++ = (int32_t)at;
        }
    }
}

/* Positions start + i * stride of 0 <= i < count that lie in the image. */
static void inside(const corr_axis *a, int64_t start, int64_t count, int64_t *lo, int64_t *hi) {
    *lo = start >= 0 ? 0 : corr_min(corr_ceil_div(-start, a->stride), count);
    *hi = start >= a->in ? 0 : corr_min(corr_ceil_div(a->in - start, a->stride), count);
    *hi = corr_max(*hi, *lo);
}

static corr_rows plane_rows(const corr_problem *s, const corr_slab *b, int64_t first_row, int64_t rows,
                            int64_t first_column, int64_t columns, int64_t *at) {
    const int64_t *xs = s->x_stride;
    const int64_t h = first_row * s->h.stride - s->h.pad, v = first_column * s->w.stride - s->w.pad;
    const corr_axis down = {.stride = 1, .in = s->h.in}, across = {.stride = 1, .in = s->w.in};
    corr_rows r = {.count = extent(&s->h, rows), .pitch = b->pitch, .width = extent(&s->w, columns), .row = xs[3],
                   .step = xs[4]};
    inside(&down, h, r.count, &r.first, &r.end);
    inside(&across, v, r.width, &r.lo, &r.hi);
    *at = h * xs[3] + v * xs[4];
    return r;
}

/* Phase p of the copy q: its input rows and columns, those in the image, and where they begin. */
static corr_rows phase_rows(const corr_problem *s, const corr_slab *b, int64_t p, int64_t q,
                            int64_t first_row, int64_t rows, int64_t first_column, int64_t columns,
                            int64_t *at) {
    const int64_t *xs = s->x_stride;
    const int64_t h = first_row * s->h.stride + p * s->h.dilation - s->h.pad;
    const int64_t v = first_column * s->w.stride + q * s->w.dilation - s->w.pad;
    corr_rows r = {.count = rows + beyond(&s->h, b->phases, p), .pitch = b->pitch,
                   .width = columns + (b->by_rows ? beyond(&s->w, b->copies, q) : 0),
                   .row = s->h.stride * xs[3], .step = s->w.stride * xs[4]};
    inside(&s->h, h, r.count, &r.first, &r.end);
    inside(&s->w, v, r.width, &r.lo, &r.hi);
    *at = h * xs[3] + v * xs[4];
    return r;
}

void corr_fill_lanes_slab(const corr_problem *s, const corr_kernels *k, const corr_slab *b,
                          const char *x, int64_t channels, int64_t first_row, int64_t rows,
                          int64_t first_column, int64_t columns, char *dst) {
    const int64_t pixel = k->lanes * k->bytes;
    for (int64_t q = 0; q < b->copies; q++)
        for (int64_t p = 0; p < b->phases; p++) {
            int64_t at;
            const corr_rows r = phase_rows(s, b, p, q, first_row, rows, first_column, columns, &at);
            char *to = dst + (q * b->copy + p * b->phase) * pixel;
            for (int64_t i = 0; i < r.count; i++, to += b->pitch * pixel) {
                const int64_t lo = i < r.first || i >= r.end ? r.width : r.lo, hi = corr_max(lo, r.hi);
                memset(to, 0, (size_t)(lo * pixel));
                k->lanes_in(x + (at + i * r.row + lo * r.step) * k->bytes, r.step, 1, hi - lo, channels,
                            to + lo * pixel, 0);
                memset(to + hi * pixel, 0, (size_t)((r.width - hi) * pixel));
            }
        }
}

/* A phase of a channels-last image as planes; the next pixels are fetched meanwhile. */
static void turn_rows(const corr_kernels *k, const corr_rows *r, const char *x, int64_t channels,
                      char *dst, int64_t channel) {
    const corr_store plain = {0};
    const int64_t bytes = k->bytes;
    for (int64_t i = 0; i < r->count; i++, x += r->row * bytes, dst += r->pitch * bytes) {
        const int64_t lo = i < r->first || i >= r->end ? r->width : r->lo, hi = corr_max(lo, r->hi);
        for (int64_t c = 0; c < channels && hi - lo < r->width; c++) {
            memset(dst + c * channel * bytes, 0, (size_t)(lo * bytes));
            memset(dst + (c * channel + hi) * bytes, 0, (size_t)((r->width - hi) * bytes));
        }
        /* Line by line of the result, so that all channels of a few pixels are read at once. */
        const int64_t line = CORR_CACHE_LINE / bytes;
        for (int64_t j = lo; j < hi; j += line) {
            for (int64_t a = j + line; a < j + 2 * line; a++)
                for (int64_t c = 0; c < channels; c += line)
                    CORR_PREFETCH(x + (a * r->step + c) * bytes);
            k->transpose(corr_min(line, hi - j), channels, x + j * r->step * bytes, r->step,
                         dst + j * bytes, channel, &plain);
        }
    }
}

static void fill_pixels(const corr_problem *s, const corr_kernels *k, const corr_slab *b,
                        const char *x, int64_t first_row, int64_t rows, int64_t first_column,
                        int64_t columns, char *dst) {
    const int64_t *xs = s->x_stride, bytes = k->bytes, pixel = s->ic * bytes;
    const int64_t h0 = first_row * s->h.stride - s->h.pad;
    const int64_t v0 = first_column * s->w.stride - s->w.pad, width = extent(&s->w, columns);
    const int64_t lo = corr_min(corr_max(-v0, 0), width);
    const int64_t hi = corr_max(corr_min(s->w.in - v0, width), lo);
    for (int64_t r = 0; r < extent(&s->h, rows); r++, dst += b->pitch * bytes) {
        const int64_t h = h0 + r;
        if (h < 0 || h >= s->h.in || lo == hi) {
            memset(dst, 0, (size_t)(width * pixel));
            continue;
        }
        const char *from = x + (h * xs[3] + (v0 + lo) * xs[4]) * bytes;
        memset(dst, 0, (size_t)(lo * pixel));
        if (xs[4] == s->ic)
            k->copy(dst + lo * pixel, from, 1, (hi - lo) * s->ic);
        else
            for (int64_t j = lo; j < hi; j++, from += xs[4] * bytes)
                k->copy(dst + j * pixel, from, 1, s->ic);
        memset(dst + hi * pixel, 0, (size_t)((width - hi) * pixel));
    }
}

void corr_fill_slab(const corr_problem *s, const corr_kernels *k, const corr_slab *b, const char *x,
                    int64_t channels, int64_t first_row, int64_t rows, int64_t first_column,
                    int64_t columns, char *dst) {
    const int64_t *xs = s->x_stride;
    if (b->channels_last) {
        fill_pixels(s, k, b, x, first_row, rows, first_column, columns, dst);
        return;
    }
    /* Few channels at a time, so that their rows are in L1 for the next copy. */
    const int64_t bytes = (rows + b->halo) * s->h.stride * s->w.stride * corr_max(columns, 1) * k->bytes;
    const int64_t at_once = xs[2] == 1 ? channels : corr_max(1, (16 << 10) / bytes);
    for (int64_t c = 0; c < channels; c += at_once)
        for (int64_t q = 0; q < b->copies; q++)
            for (int64_t p = 0; p < b->phases; p++) {
                int64_t at;
                const corr_rows r = b->column > 1
                                        ? plane_rows(s, b, first_row, rows, first_column, columns, &at)
                                        : phase_rows(s, b, p, q, first_row, rows, first_column, columns, &at);
                const int64_t some = corr_min(at_once, channels - c);
                const char *from = x + (c * xs[2] + at) * k->bytes;
                char *to = dst + (c * b->channel + q * b->copy + p * b->phase) * k->bytes;
                /* Pixels close together are picked by vectors, a channel after another. */
                if (xs[2] == 1 && xs[4] != 1 && (channels > 4 || r.step > 4))
                    turn_rows(k, &r, from, some, to, b->channel);
                else
                    k->pack_rows(&r, from, xs[2], some, to, b->channel);
            }
}
