/* The weight gradient of depthwise layers, a channel a lane: channels-last, and planes so narrow
 * that to turn them costs less than the lanes that their rows would leave empty.
 *
 *   item: a vector of groups, one of its chunks of (image, band of rows of outputs)
 *     for band: its rows of x -> [row][column][lane], zeros around; of gradients likewise
 *       for output channel, for block of taps -> a vector of sums a tap, in registers
 *
 * Bands of an image that follow one another share their rows of x. As in depthwise_weight.c
 * chunks depend on the shape alone, and what is not finite is done again term by term.
 */
#include "../plan/plan.h"

#include <string.h>

typedef struct lanes_job {
    const corr_problem *s;
    const corr_kernels *k;
    const char *x, *gy;
    char *gw, *partial; /* partial: [block][chunk][o][p][q][lane] */
    char *scratch;      /* of a worker: rows of x, of gradients, some rows as they were turned */
    int64_t scratch_bytes, gy_at, turned_at;
    corr_weight_bands bands;
    int64_t columns; /* of x, with what lies around them */
    int accumulate;
} lanes_job;

/* A vector of groups. */
typedef struct lanes_block {
    const char *x, *gy;
    char *own; /* the worker's scratch */
    int64_t channels;
    int64_t first, end; /* rows of outputs */
} lanes_block;

static int64_t vector_bytes(const lanes_job *job) { return job->k->lanes * job->k->bytes; }

/* Image row h, and the `rows` after it, to the scratch. */
static void turn_rows(const lanes_job *job, const lanes_block *b, int64_t h, int64_t rows, char *to) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->k;
    const int64_t *xs = s->x_stride, one = vector_bytes(job), pad = s->w.pad, row = job->columns * one;
    const int64_t lo = corr_max(0, -pad), from = corr_min(corr_max(0, pad), job->columns);
    const int64_t columns = corr_max(0, corr_min(s->w.in - lo, job->columns - from));
    const char *x = b->x + (h * xs[3] + lo * xs[4]) * k->bytes;
    const int64_t ahead = k->lanes * xs[1];
    /* Narrow rows that follow one another are turned as one. */
    const int whole = columns == s->w.in && xs[3] == s->w.in * xs[4] && 4 * columns <= 3 * k->lanes;
    char *turned = b->own + job->turned_at;
    if (whole)
        k->lanes_in(x, xs[4], xs[1], rows * columns, b->channels, turned, ahead);
    for (int64_t i = 0; i < rows; i++, to += row, turned += columns * one) {
        memset(to, 0, (size_t)(from * one));
        memset(to + (from + columns) * one, 0, (size_t)(row - (from + columns) * one));
        if (whole)
            memcpy(to + from * one, turned, (size_t)(columns * one));
        else
            k->lanes_in(x + i * xs[3] * k->bytes, xs[4], xs[1], columns, b->channels, to + from * one, ahead);
    }
}

/* The input rows of a band; the first `kept` of them are the last of the scratch's `had`. */
static void fill_rows(const lanes_job *job, const lanes_block *b, int64_t kept, int64_t had) {
    const corr_problem *s = job->s;
    const int64_t row = job->columns * vector_bytes(job), h0 = b->first * s->h.stride - s->h.pad;
    const int64_t rows = (b->end - b->first - 1) * s->h.stride + (s->h.kernel - 1) * s->h.dilation + 1;
    const int64_t lo = corr_min(corr_max(kept, -h0), rows), hi = corr_max(lo, corr_min(rows, s->h.in - h0));
    memmove(b->own, b->own + (had - kept) * row, (size_t)(kept * row));
    memset(b->own + kept * row, 0, (size_t)((lo - kept) * row));
    turn_rows(job, b, h0 + lo, hi - lo, b->own + lo * row);
    memset(b->own + hi * row, 0, (size_t)((rows - hi) * row));
}

/* The gradients of output channel o, where they lie if they are vectors there. */
static const char *find_gradients(const lanes_job *job, const lanes_block *b, int64_t o,
                                  corr_weight_lanes *t) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->k;
    const int64_t *ys = s->y_stride, rows = b->end - b->first, row = s->w.out * vector_bytes(job);
    const char *gy = b->gy + (o * ys[2] + b->first * ys[3]) * k->bytes;
    char *to = b->own + job->gy_at;
    if (ys[1] == 1 && b->channels == k->lanes) {
        t->y_row = ys[3];
        t->y_step = ys[4];
        return gy;
    }
    const int64_t runs = ys[3] == s->w.out * ys[4] ? 1 : rows;
    for (int64_t i = 0; i < runs; i++)
        k->lanes_in(gy + i * ys[3] * k->bytes, ys[4], ys[1], rows / runs * s->w.out, b->channels,
                    to + i * row, k->lanes * ys[1]);
    t->y_row = s->w.out * k->lanes;
    t->y_step = k->lanes;
    return to;
}

/* All taps of one output channel. */
static void sum_band(const lanes_job *job, const lanes_block *b, corr_weight_lanes *t,
                     const char *gy, char *sums) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->k;
    const int64_t one = vector_bytes(job), d = s->h.dilation, step = s->h.stride;
    for (int64_t q = 0, w; q < s->w.kernel; q += w) {
        w = s->w.dilation > 1 ? 1 : corr_min(s->w.kernel - q, CORR_STENCIL_TAPS);
        while (!k->weight_lanes[0][w - 1])
            w--;
        for (int64_t p = 0, h; p < s->h.kernel; p += h) {
            h = corr_min(s->h.kernel - p, CORR_WEIGHT_ROWS);
            while (!k->weight_lanes[h - 1][w - 1])
                h--;
            /* Rows of outputs, some of whose taps lie in the image. */
            const int64_t top = s->h.pad - (p + h - 1) * d, bottom = s->h.in + s->h.pad - p * d;
            const int64_t first = corr_max(b->first, corr_ceil_div(corr_max(top, 0), step));
            const int64_t end = corr_min(b->end, corr_ceil_div(corr_max(bottom, 0), step));
            t->rows = corr_max(0, end - first);
            k->weight_lanes[h - 1][w - 1](
                t, b->own + (((first - b->first) * step + p * d) * job->columns + q * s->w.dilation) * one,
                gy + (first - b->first) * t->y_row * k->bytes, sums + (p * s->w.kernel + q) * one);
        }
    }
}

static void sum_chunk(void *context, int64_t index, int worker, corr_run_state *run) {
    const lanes_job *job = context;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->k;
    const corr_weight_bands *bands = &job->bands;
    const int64_t block = index / bands->chunks, chunk = index % bands->chunks;
    const int64_t units = s->n * bands->bands, g = block * k->lanes, bytes = k->bytes;
    const int64_t one = vector_bytes(job), row = job->columns * k->lanes, taps = s->h.kernel * s->w.kernel;
    char *sums = job->partial + index * s->oc * taps * one;
    corr_weight_lanes t = {.columns = s->w.out, .x_next = s->h.stride * row, .x_row = s->h.dilation * row,
                           .x_step = s->w.stride * k->lanes, .sum_row = s->w.kernel};
    lanes_block b = {.own = job->scratch + worker * job->scratch_bytes,
                     .channels = corr_min(k->lanes, s->groups - g)};
    int64_t had = 0; /* rows of x of the band before */
    memset(sums, 0, (size_t)(s->oc * taps * one));
    for (int64_t u = units * chunk / bands->chunks; u < units * (chunk + 1) / bands->chunks && !corr_should_stop(run); u++) {
        const int64_t n = u / bands->bands, band = u % bands->bands;
        const int64_t halo = (s->h.kernel - 1) * s->h.dilation + 1 - s->h.stride;
        b.x = job->x + (n * s->x_stride[0] + g * s->x_stride[1]) * bytes;
        b.gy = job->gy + (n * s->y_stride[0] + g * s->y_stride[1]) * bytes;
        b.first = band * bands->rows;
        b.end = corr_min(b.first + bands->rows, s->h.out);
        fill_rows(job, &b, band && had ? corr_max(0, halo) : 0, had);
        had = (b.end - b.first - 1) * s->h.stride + (s->h.kernel - 1) * s->h.dilation + 1;
        for (int64_t o = 0; o < s->oc; o++) {
            const char *gy = find_gradients(job, &b, o, &t);
            sum_band(job, &b, &t, gy, sums + o * taps * one);
        }
    }
}

/* Chunks together, and the sums of each group to where they belong. */
static void store_block(void *context, int64_t block, int worker, corr_run_state *run) {
    const lanes_job *job = context;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->k;
    const int64_t *ws = s->w_stride, kw = s->w.kernel, one = vector_bytes(job);
    const int64_t taps = s->h.kernel * kw, g = block * k->lanes, all = s->oc * taps * k->lanes;
    const int64_t channels = corr_min(k->lanes, s->groups - g);
    const int64_t runs = ws[3] == kw * ws[4] ? 1 : s->h.kernel; /* are the taps evenly spaced? */
    char *sums = job->partial + block * job->bands.chunks * all * k->bytes;
    char *old = job->scratch + worker * job->scratch_bytes;
    (void)run;
    for (int64_t c = 1; c < job->bands.chunks; c++)
        k->add(sums, 1, sums + c * all * k->bytes, all);
    if (!k->pack_weights(sums, all, all, 1, 1, 1, 1, 0, 0, 0, sums)) {
        for (int64_t i = g; i < g + channels; i++)
            corr_redo_weight_group(s, job->x, job->gw, job->gy, i, job->accumulate);
        return;
    }
    for (int64_t o = 0; o < s->oc; o++)
        for (int64_t p = 0; p < runs; p++, sums += taps / runs * one) {
            char *to = job->gw + (g * ws[0] + o * ws[1] + p * ws[3]) * k->bytes;
            if (job->accumulate) {
                k->lanes_in(to, ws[4], ws[0], taps / runs, channels, old, 0);
                k->add(sums, 1, old, taps / runs * k->lanes);
            }
            k->lanes_out(sums, taps / runs, channels, to, ws[4], ws[0], 0);
        }
}

corr_status corr_depthwise_weight_lanes(const corr_problem *s, const void *x, void *gw,
                                        const void *gy, const corr_call *call) {
    lanes_job job = {.s = s, .k = corr_kernel_table(s->dtype), .x = x, .gy = gy, .gw = gw,
                     .accumulate = call->accumulate};
    corr_split_weight_lanes(s, &job.bands);
    job.columns = (s->w.out - 1) * s->w.stride + (s->w.kernel - 1) * s->w.dilation + 1;
    const int64_t one = vector_bytes(&job), blocks = corr_ceil_div(s->groups, job.k->lanes);
    const int64_t rows = (job.bands.rows - 1) * s->h.stride + (s->h.kernel - 1) * s->h.dilation + 1;
    const int64_t taps = s->h.kernel * s->w.kernel, items = blocks * job.bands.chunks;
    job.gy_at = rows * job.columns * one;
    job.turned_at = job.gy_at + job.bands.rows * s->w.out * one;
    job.scratch_bytes = corr_max(job.turned_at + rows * s->w.in * one, taps * one);
    const int64_t scratch = call->threads * job.scratch_bytes;
    const int64_t bytes = scratch + items * s->oc * taps * one;
    if (!(job.scratch = corr_allocate((size_t)bytes)))
        return CORR_NO_MEMORY;
    job.partial = job.scratch + scratch;
    corr_status status = corr_parallel(sum_chunk, &job, items, call);
    if (status == CORR_OK)
        status = corr_parallel(store_block, &job, blocks, call);
    corr_release(job.scratch, (size_t)bytes);
    return status;
}
