/* Depthwise layers from where the image lies, some rows of outputs at a time and along them; nothing is
 * copied. Channels-last, where taps in the padding are left out:
 *
 *   item: image n, some channels, some rows of outputs
 *     for as many rows as the kernel has, some columns -> kernel: all channels
 */
#include "depthwise.h"

typedef struct band_job {
    const corr_problem *s;
    const corr_choice *choice;
    const corr_band *band;
    const char *x, *w, *bias;
    char *y;
    int64_t row_items, channel_items;
    int64_t inside, inside_end; /* columns of outputs that have all taps */
    int64_t part;               /* columns of outputs that a slide has at a time */
    int slides, ahead;
} band_job;

/* A row of windows, from the first one's first tap on. */
static void slide_along(const band_job *job, corr_stencil *t, const char *x, const char *w, char *y) {
    const corr_problem *s = job->s;
    const int64_t bytes = job->choice->kernels->bytes, d = s->w.dilation, step = s->w.stride;
    const int64_t size = s->w.kernel, below = job->band->rows * step * t->x_row;
    for (int64_t first = 0; first < corr_min(d, s->w.out); first++) { /* those a dilation apart share taps */
        const int64_t all = corr_ceil_div(s->w.out - first, d);
        const int64_t part = corr_ceil_div(all, corr_ceil_div(all, job->part));
        for (int64_t j = 0; j < all; j += part) {
            const int64_t out = first + j * d, at = out * step, next = part * step * t->x_tap;
            t->strips = corr_min(part, all - j);
            t->column_lo = corr_ceil_div(corr_max(s->w.pad - at, 0), d);
            t->column_hi = corr_min(corr_ceil_div(corr_max(s->w.in + s->w.pad - at, 0), d),
                                    (t->strips - 1) * step + size);
            if (job->ahead)
                t->x_ahead = (size - step) * t->x_row +
                             (job->ahead == 2 ? below : j + part < all ? next : below - j / part * next);
            job->band->run(t, x + at * s->x_stride[4] * bytes, w, y + out * s->y_stride[4] * bytes);
        }
    }
}

static void go_along(const band_job *job, corr_stencil *t, const char *x, const char *w, char *y) {
    const corr_problem *s = job->s;
    const int64_t bytes = job->choice->kernels->bytes;
    for (int64_t j = 0; j < s->w.out; j += t->strips) {
        const int all = j >= job->inside && j < job->inside_end;
        t->strips = all ? job->inside_end - j : 1;
        corr_find_taps(&s->w, j, j, &t->column_lo, &t->column_hi);
        job->band->run(t, x + j * t->x_vector * bytes, w, y + j * t->y_vector * bytes);
    }
}

/* Output rows i and on, a dilation apart, of the channels from g on that t tells. */
static void filter_rows(const band_job *job, corr_stencil *t, int64_t n, int64_t g, int64_t i) {
    const corr_problem *s = job->s;
    const int64_t bytes = job->choice->kernels->bytes, h = i * s->h.stride - s->h.pad;
    const int64_t *xs = s->x_stride, *ys = s->y_stride;
    const char *x = job->x + (n * xs[0] + g + h * xs[3] - s->w.pad * xs[4]) * bytes;
    const char *w = job->w + g * s->h.kernel * s->w.kernel * bytes;
    char *y = job->y + (n * ys[0] + g + i * ys[3]) * bytes;
    t->row_lo = corr_ceil_div(corr_max(-h, 0), s->h.dilation);
    t->row_hi = corr_ceil_div(corr_max(s->h.in - h, 0), s->h.dilation);
    (job->slides ? slide_along : go_along)(job, t, x, w, y);
}

static void filter_band(void *context, int64_t index, int worker, corr_run_state *run) {
    const band_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t lanes = c->kernels->lanes, *xs = s->x_stride, *ys = s->y_stride;
    const int64_t d = s->h.dilation, rows = job->band->rows;
    const int64_t first = index % job->row_items * c->pixel_panels;
    const int64_t end = corr_min(first + c->pixel_panels, s->h.out);
    const int64_t g = index / job->row_items % job->channel_items * c->channel_panels * lanes;
    const int64_t n = index / job->row_items / job->channel_items;
    corr_stencil t = {
        .kw = s->w.kernel, .columns = corr_min(c->channel_panels * lanes, s->groups - g), .x_row = d * xs[3],
        .x_tap = s->w.dilation * xs[4], .x_vector = s->w.stride * xs[4], .y_row = d * ys[3],
        .y_vector = (job->slides ? s->w.dilation : 1) * ys[4], .activation = s->activation,
        .epilogue = job->bias || s->activation != CORR_LINEAR,
        .bias = job->bias ? job->bias + g * c->kernels->bytes : NULL,
    };
    (void)worker;
    for (int64_t a = first; a < first + d; a++) {
        const int64_t last = a + (corr_ceil_div(end - a, d) - rows) * d;
        for (int64_t i = a; i < end && !corr_should_stop(run); i += rows * d) {
            i = corr_min(i, last); /* whose rows overlap those before them */
            filter_rows(job, &t, n, g, i);
        }
    }
}

corr_status corr_filter_bands(const corr_problem *s, const corr_choice *c, const void *x, const void *w,
                              const void *bias, void *y, const corr_call *call) {
    band_job job = {
        .s = s, .choice = c, .band = corr_find_band(s, c), .x = x, .w = w, .bias = bias, .y = y,
        .row_items = corr_ceil_div(s->h.out, c->pixel_panels),
        .channel_items = corr_ceil_div(corr_ceil_div(s->groups, c->kernels->lanes), c->channel_panels),
    };
    corr_find_inside(&s->w, &job.inside, &job.inside_end);
    job.slides = corr_part_slide(s, c, job.band, &job.part, &job.ahead);
    return corr_parallel(filter_band, &job, s->n * job.channel_items * job.row_items, call);
}

/* One plane, output rows [first, end), of each phase of the dilation no fewer than a band has. */
void corr_filter_plane(const corr_problem *s, const corr_kernels *k, const corr_band *band, const char *x,
                       const char *w, const char *bias, char *y, int64_t first, int64_t end) {
    const int64_t bytes = k->bytes, width = band->vectors * k->lanes, step = s->w.stride, d = s->h.dilation;
    const int64_t rows = band->rows, reach = (s->w.kernel - 1) * s->w.dilation + 1;
    const int64_t x_row = s->h.in > 1 ? s->x_stride[3] : 0; /* of one row it says nothing */
    corr_stencil t = {
        .kw = s->w.kernel, .x_row = d * x_row, .x_tap = s->w.dilation, .y_row = d * s->y_stride[3],
        .columns = corr_min(width, s->w.out), .activation = s->activation,
        .x_ahead = (rows * step + s->h.kernel - step) * d * x_row,
        .epilogue = bias || s->activation != CORR_LINEAR, .bias = bias,
    };
    for (int64_t phase = 0; phase < d; phase++) {
        const int64_t begin = first + phase, all = corr_ceil_div(end - begin, d);
        for (int64_t r = 0; r < all; r += rows) {
            r = corr_min(r, all - rows);
            const int64_t i = begin + r * d, h = i * s->h.stride - s->h.pad;
            corr_limit_rows(&t, h, d, s->h.in, (rows - 1) * step + s->h.kernel);
            for (int64_t j = 0; j < s->w.out; j += t.strips * width) {
                j = corr_max(corr_min(j, s->w.out - width), 0);
                const int64_t at = j * step - s->w.pad;
                /* Those that load nothing but the image go together. */
                const int64_t inside = at < 0 ? 0 : (s->w.in - at - reach + 1) / (width * step);
                t.strips = corr_max(corr_min(inside, (s->w.out - j) / width), 1);
                t.column_lo = -at;
                t.column_hi = s->w.in - at;
                band->run(&t, x + (h * x_row + at) * bytes, w,
                          y + (i * s->y_stride[3] + j) * bytes);
            }
        }
    }
}
