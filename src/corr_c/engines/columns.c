/* im2col and col2im, a channel of an image an item. im2col copies the rows of one tap after
 * another. col2im goes by rows of pixels, whose taps are summed in registers (kernels/fold.h),
 * by way of a buffer where a phase's pixels do not lie side by side. Windows that reach far
 * beyond the image go element by element, both ways. */
#include "../plan/plan.h"

#include <string.h>

typedef struct column_job {
    const corr_problem *s;
    const corr_kernels *k;
    char *x, *cols;
} column_job;

/* Outputs j in [lo, hi) whose tap q lies in the image. */
static void inside(const corr_axis *a, int64_t tap, int64_t *start, int64_t *lo, int64_t *hi) {
    int64_t first = tap * a->dilation - a->pad, before = corr_max(-first, 0), end = a->in - first;
    if (a->stride > 1) { /* on narrow images a division is as slow as a row */
        before = corr_ceil_div(before, a->stride);
        end = end > 0 ? corr_ceil_div(end, a->stride) : 0;
    }
    *lo = corr_min(before, a->out);
    *hi = corr_min(end, a->out);
    *hi = corr_max(*hi, *lo);
    *start = first;
}

/* Asking whether to stop takes as long as some rows: not for each tap of a small image. */
enum { BYTES_BETWEEN_POLLS = 1 << 14 };

/* One row of outputs, to its last element. */
static void exact_row(const corr_rows *r, const corr_kernels *k, int64_t i, const char *x,
                      char *to) {
    const int64_t bytes = k->bytes;
    const int present = i >= r->first && i < r->end;
    const int64_t lo = present ? r->lo : r->width, hi = present ? r->hi : r->width;
    memset(to, 0, (size_t)(lo * bytes));
    k->copy(to + lo * bytes, x + (i * r->row + lo * r->step) * bytes, r->step, hi - lo);
    memset(to + hi * bytes, 0, (size_t)((r->width - hi) * bytes));
}

/* An element of the columns and its pixel, where there is one. */
typedef void far_step(char *column, const char *pixel, const corr_kernels *k);

static void read_pixel(char *column, const char *pixel, const corr_kernels *k) {
    if (pixel)
        k->copy(column, pixel, 1, 1);
    else
        memset(column, 0, (size_t)k->bytes);
}

static void add_column(char *column, const char *pixel, const corr_kernels *k) {
    if (pixel)
        k->add((char *)(uintptr_t)pixel, 1, column, 1);
}

/* Of windows that reach far beyond the image (corr_is_far), one by one. */
static void each_element(const column_job *job, char *x, char *to, corr_run_state *run,
                         far_step *step) {
    const corr_problem *s = job->s;
    const int64_t bytes = job->k->bytes, taps = s->h.kernel * s->w.kernel;
    for (int64_t t = 0; t < taps; t++) {
        int64_t h = t / s->w.kernel * s->h.dilation - s->h.pad;
        for (int64_t i = 0; i < s->h.out && !corr_should_stop(run); i++, h += s->h.stride) {
            int64_t v = t % s->w.kernel * s->w.dilation - s->w.pad;
            const int row = h >= 0 && h < s->h.in;
            for (int64_t j = 0; j < s->w.out; j++, v += s->w.stride, to += bytes) {
                const char *pixel = NULL;
                if (row && v >= 0 && v < s->w.in)
                    pixel = x + (h * s->x_stride[3] + v * s->x_stride[4]) * bytes;
                step(to, pixel, job->k);
            }
        }
    }
}

static void image_to_columns(void *context, int64_t item, int worker, corr_run_state *run) {
    const column_job *job = context;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->k;
    const int64_t bytes = k->bytes, taps = s->h.kernel * s->w.kernel, rows = s->h.out;
    const int64_t n = item / s->ic, c = item % s->ic, row = s->w.out * bytes;
    const char *x = job->x + (n * s->x_stride[0] + c * s->x_stride[2]) * bytes;
    char *to = job->cols + item * taps * corr_pixels(s) * bytes;
    /* pack_rows stores whole vectors: not so the rows that the item's end is near. */
    const int64_t near = corr_ceil_div(k->lanes, s->w.out);
    corr_rows r = {.width = s->w.out, .pitch = s->w.out, .row = s->h.stride * s->x_stride[3],
                   .step = s->w.stride * s->x_stride[4]};
    (void)worker;
    if (corr_is_far(s)) {
        each_element(job, (char *)(uintptr_t)x, to, run, read_pixel);
        return;
    }
    int64_t h0 = 0, w0, first = 0, end = 0, quiet = 0;
    for (int64_t t = 0; t < taps; t++, to += rows * row) {
        const int64_t exact = corr_min(corr_max(near - (taps - 1 - t) * rows, 0), rows);
        if (t % s->w.kernel == 0)
            inside(&s->h, t / s->w.kernel, &h0, &first, &end);
        inside(&s->w, t % s->w.kernel, &w0, &r.lo, &r.hi);
        r.count = rows - exact;
        r.first = corr_min(first, r.count);
        r.end = corr_min(end, r.count);
        const char *from = x + (h0 * s->x_stride[3] + w0 * s->x_stride[4]) * bytes;
        k->pack_rows(&r, from, s->x_stride[2], 1, to, 0);
        r.first = first;
        r.end = end;
        for (int64_t i = r.count; i < rows; i++)
            exact_row(&r, k, i, from, to + i * row);
        quiet += rows * row;
        if (quiet > BYTES_BETWEEN_POLLS) {
            quiet = 0;
            if (corr_should_stop(run))
                return;
        }
    }
}

/* The taps from `next` on, 0 or what was returned, whose outputs meet every stride-th column from
 * `phase` on; returns where to go on. */
static int64_t find_taps(const corr_problem *s, int64_t phase, int64_t next, corr_fold *f) {
    const corr_axis *a = &s->w;
    const int64_t pixels = corr_pixels(s), columns = corr_ceil_div(a->in - phase, a->stride);
    int64_t step;
    f->tap_count = 0;
    next = corr_max(next, corr_first_tap(a, phase, &step));
    for (; next < a->kernel && f->tap_count < CORR_FOLD_TAPS; next += step) {
        const int64_t j = (phase + a->pad - next * a->dilation) / a->stride;
        corr_fold_tap t = {next * pixels + j, corr_max(-j, 0), corr_min(a->out - j, columns)};
        if (t.lo < t.hi)
            f->taps[f->tap_count++] = t;
    }
    return corr_min(next, a->kernel);
}

/* The rows of columns that row h of the image is the sum of, from tap `next` on; `count` becomes
 * the number of rows, a stride apart, for which they are the same taps. */
static int64_t find_rows(const column_job *job, const char *cols, int64_t h, int64_t next,
                         corr_fold *f) {
    const corr_problem *s = job->s;
    const corr_axis *a = &s->h;
    const int64_t bytes = job->k->bytes, pixels = corr_pixels(s);
    int64_t step;
    f->row_count = 0;
    next = corr_max(next, corr_first_tap(a, h, &step));
    for (; next < a->kernel && f->row_count < CORR_FOLD_ROWS; next += step) {
        const int64_t i = (h + a->pad - next * a->dilation) / a->stride;
        if (i >= 0 && i < a->out)
            f->rows[f->row_count++] = cols + (next * s->w.kernel * pixels + i * s->w.out) * bytes;
        if (i < a->out)
            f->count = corr_min(f->count, i < 0 ? -i : a->out - i);
    }
    if (next < a->kernel)
        f->count = 1;
    return corr_min(next, a->kernel);
}

/* Columns [from, from + n) of a phase of f->count rows from h on; f has the first rows and taps. */
static void fold_rows(const column_job *job, const char *cols, int64_t h, int64_t phase,
                      const corr_fold *first, int64_t next_row, int64_t next_tap, int64_t from,
                      int64_t n, void *dst) {
    const corr_problem *s = job->s;
    job->k->fold(dst, from, n, first, 0);
    if (next_row == s->h.kernel && next_tap == s->w.kernel)
        return;
    corr_fold more = *first;
    for (;;) {
        for (int64_t tap = next_tap; tap < s->w.kernel;) {
            tap = find_taps(s, phase, tap, &more);
            job->k->fold(dst, from, n, &more, 1);
        }
        if (next_row == s->h.kernel)
            return;
        next_row = find_rows(job, cols, h, next_row, &more);
        next_tap = 0;
    }
}

/* Each pixel is the sum of its taps, written once. */
static void columns_to_image(void *context, int64_t item, int worker, corr_run_state *run) {
    enum { BUFFER = 1024 };
    const column_job *job = context;
    const corr_problem *s = job->s;
    const int64_t bytes = job->k->bytes, step = s->x_stride[4], stride = s->w.stride;
    const int64_t n = item / s->ic, c = item % s->ic, taps = s->h.kernel * s->w.kernel;
    char *x = job->x + (n * s->x_stride[0] + c * s->x_stride[2]) * bytes;
    const char *cols = job->cols + item * taps * corr_pixels(s) * bytes;
    const int in_place = stride == 1 && step == 1, laces = stride == 2 && step == 1;
    double buffer[2][BUFFER];
    corr_fold f = {.row_step = s->w.out};
    (void)worker;
    if (corr_is_far(s)) {
        for (int64_t h = 0; h < s->h.in; h++)
            for (int64_t v = 0; v < s->w.in; v++)
                memset(x + (h * s->x_stride[3] + v * step) * bytes, 0, (size_t)bytes);
        each_element(job, x, (char *)(uintptr_t)cols, run, add_column);
        return;
    }
    const int64_t below = s->h.stride * s->x_stride[3];
    int64_t quiet = 0;
    for (int64_t r = 0; r < corr_min(s->h.stride, s->h.in); r++)
        for (int64_t h = r; h < s->h.in; h += f.count * s->h.stride) {
            f.count = in_place ? 64 : 16;
            f.count = corr_min(f.count, corr_ceil_div(s->h.in - h, s->h.stride));
            const int64_t next_row = find_rows(job, cols, h, 0, &f);
            char *to = x + h * s->x_stride[3] * bytes;
            quiet += f.count * taps * s->w.out * bytes;
            if (quiet > BYTES_BETWEEN_POLLS) {
                quiet = 0;
                if (corr_should_stop(run))
                    return;
            }
            if (in_place) {
                f.dst_step = below;
                fold_rows(job, cols, h, 0, &f, next_row, find_taps(s, 0, 0, &f), 0, s->w.in, to);
                continue;
            }
            f.dst_step = BUFFER / f.count;
            for (int64_t phase = 0; phase < corr_min(stride, s->w.in); phase += 1 + laces) {
                const int64_t columns = corr_ceil_div(s->w.in - phase, stride);
                for (int64_t at = 0; at < columns; at += f.dst_step) {
                    const int64_t some = corr_min(columns - at, f.dst_step);
                    for (int odd = 0; odd <= laces; odd++) {
                        const int64_t next_tap = find_taps(s, phase + odd, 0, &f);
                        fold_rows(job, cols, h, phase + odd, &f, next_row, next_tap, at, some,
                                  buffer[odd]);
                    }
                    for (int64_t i = 0; i < f.count; i++) {
                        const void *even = (char *)buffer[0] + i * f.dst_step * bytes;
                        const void *odd = (char *)buffer[1] + i * f.dst_step * bytes;
                        char *row = to + (i * below + (at * stride + phase) * step) * bytes;
                        if (laces)
                            job->k->lace(row, even, odd, corr_min(s->w.in - 2 * at, 2 * some));
                        else
                            job->k->spread(row, stride * step, even, some);
                    }
                }
            }
        }
}

static corr_status each_channel(corr_task *task, const corr_problem *problem, const void *x,
                                const void *cols, const corr_call *call) {
    corr_problem taken;
    const corr_problem *s = &taken;
    corr_status status = corr_problem_take(problem, &taken);
    corr_call some = *call;
    /* The image is written by one of the two passes and read by the other. */
    column_job job = {s, NULL, (char *)(uintptr_t)x, (char *)(uintptr_t)cols};
    if (status || s->n * s->ic == 0)
        return status;
    job.k = corr_kernel_table(s->dtype);
    if (s->n * corr_terms(s) * corr_pixels(s) < 100000)
        some.threads = 1;
    return corr_parallel(task, &job, s->n * s->ic, &some);
}

corr_status corr_im2col(const corr_problem *s, const void *x, void *cols, const corr_call *call) {
    return each_channel(image_to_columns, s, x, cols, call);
}

corr_status corr_col2im(const corr_problem *s, const void *cols, void *x, const corr_call *call) {
    return each_channel(columns_to_image, s, x, cols, call);
}
