/* The weight gradient of depthwise layers, a channel a lane: channels-last, and planes so narrow
 * that to turn them costs less than the lanes that their rows would leave empty.
 *
 *   item: some vectors of groups, one of their chunks of (image, band of rows of outputs)
 *     for band, for vector:       x and gradients where they lie, channels-last with all taps inside;
 *                                 else x -> [row][column][lane], zeros around, gradients likewise
 *       for output channel, for block of taps -> a vector of sums a tap, in registers
 *
 * Bands of an image that follow one another share their rows of x, if one vector is all of an item.
 * As in depthwise_weight.c chunks depend on the shape alone, and what is not finite is done again term
 * by term.
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
    int64_t i0, i1, j0, j1; /* outputs that have all taps */
    int accumulate;
} lanes_job;

/* Some outputs of a vector of groups. */
typedef struct lanes_block {
    const char *x, *gy; /* of the image */
    char *own;          /* the worker's scratch */
    int64_t channels;
    int64_t first, end; /* rows of outputs */
    int64_t column, columns;
} lanes_block;

static int64_t vector_bytes(const lanes_job *job) { return job->k->lanes * job->k->bytes; }

/* Rows and columns of x that so many outputs reach. */
static int64_t reach(const corr_axis *axis, int64_t outputs) {
    return (outputs - 1) * axis->stride + (axis->kernel - 1) * axis->dilation + 1;
}

/* Image row h, and the `rows` after it, to the scratch. */
static void turn_rows(const lanes_job *job, const lanes_block *b, int64_t h, int64_t rows, char *to) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->k;
    const int64_t *xs = s->x_stride, one = vector_bytes(job), all = reach(&s->w, b->columns), row = all * one;
    const int64_t pad = s->w.pad - b->column * s->w.stride;
    const int64_t lo = corr_max(0, -pad), from = corr_min(corr_max(0, pad), all);
    const int64_t columns = corr_max(0, corr_min(s->w.in - lo, all - from));
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
    const int64_t row = reach(&s->w, b->columns) * vector_bytes(job), h0 = b->first * s->h.stride - s->h.pad;
    const int64_t rows = reach(&s->h, b->end - b->first);
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
    const int64_t *ys = s->y_stride, rows = b->end - b->first, row = b->columns * vector_bytes(job);
    const char *gy = b->gy + (o * ys[2] + b->first * ys[3] + b->column * ys[4]) * k->bytes;
    char *to = b->own + job->gy_at;
    if (ys[1] == 1 && b->channels == k->lanes) {
        t->y_row = ys[3];
        t->y_step = ys[4];
        return gy;
    }
    const int64_t runs = ys[3] == b->columns * ys[4] ? 1 : rows;
    for (int64_t i = 0; i < runs; i++)
        k->lanes_in(gy + i * ys[3] * k->bytes, ys[4], ys[1], rows / runs * b->columns, b->channels,
                    to + i * row, k->lanes * ys[1]);
    t->y_row = b->columns * k->lanes;
    t->y_step = k->lanes;
    return to;
}

/* All taps of all output channels: x is where the first tap of the first output lies, in rows and
 * columns so many elements apart. */
static void sum_block(const lanes_job *job, const lanes_block *b, const char *x, int64_t row, int64_t column,
                      char *sums) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->k;
    const int64_t one = vector_bytes(job), d = s->h.dilation, step = s->h.stride;
    corr_weight_lanes t = {.columns = b->columns, .x_next = step * row, .x_row = d * row,
                           .x_step = s->w.stride * column, .x_tap = s->w.dilation * column,
                           .sum_row = s->w.kernel};
    for (int64_t o = 0; o < s->oc; o++, sums += s->h.kernel * s->w.kernel * one) {
        const char *gy = find_gradients(job, b, o, &t);
        for (int64_t q = 0, w; q < s->w.kernel; q += w) {
            w = corr_min(s->w.kernel - q, CORR_STENCIL_TAPS);
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
                t.rows = corr_max(0, end - first);
                k->weight_lanes[h - 1][w - 1](
                    &t, x + (((first - b->first) * step + p * d) * row + q * t.x_tap) * k->bytes,
                    gy + (first - b->first) * t.y_row * k->bytes, sums + (p * s->w.kernel + q) * one);
            }
        }
    }
}

/* By way of the scratch. */
static void sum_copied(const lanes_job *job, const lanes_block *b, int64_t kept, int64_t had, char *sums) {
    fill_rows(job, b, kept, had);
    sum_block(job, b, b->own, reach(&job->s->w, b->columns) * job->k->lanes, job->k->lanes, sums);
}

static void sum_part(const lanes_job *job, const lanes_block *band, int64_t first, int64_t end, int64_t column,
                     int64_t columns, int inside, char *sums) {
    const corr_problem *s = job->s;
    const int64_t *xs = s->x_stride;
    lanes_block b = *band;
    b.first = first;
    b.end = end;
    b.column = column;
    b.columns = columns;
    if (end <= first || columns <= 0)
        return;
    const int64_t h = first * s->h.stride - s->h.pad, v = column * s->w.stride - s->w.pad;
    if (inside)
        sum_block(job, &b, b.x + (h * xs[3] + v * xs[4]) * job->k->bytes, xs[3], xs[4], sums);
    else
        sum_copied(job, &b, 0, 0, sums);
}

/* What has all taps where it lies, and what is around it. */
static void sum_in_place(const lanes_job *job, const lanes_block *b, char *sums) {
    const int64_t top = corr_max(b->first, corr_min(job->i0, b->end));
    const int64_t bottom = corr_max(top, corr_min(job->i1, b->end)), all = job->s->w.out;
    sum_part(job, b, b->first, top, 0, all, 0, sums);
    sum_part(job, b, top, bottom, 0, job->j0, 0, sums);
    sum_part(job, b, top, bottom, job->j0, job->j1 - job->j0, 1, sums);
    sum_part(job, b, top, bottom, job->j1, all - job->j1, 0, sums);
    sum_part(job, b, bottom, b->end, 0, all, 0, sums);
}

static lanes_block find_band(const lanes_job *job, int64_t unit, int64_t g) {
    const corr_problem *s = job->s;
    const int64_t n = unit / job->bands.bands, first = unit % job->bands.bands * job->bands.rows;
    return (lanes_block){.x = job->x + (n * s->x_stride[0] + g * s->x_stride[1]) * job->k->bytes,
                         .gy = job->gy + (n * s->y_stride[0] + g * s->y_stride[1]) * job->k->bytes,
                         .channels = corr_min(job->k->lanes, s->groups - g),
                         .first = first, .end = corr_min(first + job->bands.rows, s->h.out),
                         .columns = s->w.out};
}

/* A part of some rows whose pixels hold the item's channels in some lines each. */
static void fetch_rows(const char *from, const int64_t *stride, int64_t width, int64_t rows, int64_t bytes,
                       int64_t channels, int64_t part, int64_t parts) {
    const int64_t first = part * rows * width / parts, end = (part + 1) * rows * width / parts;
    if (stride[3] == width * stride[4] && stride[1] == 1)
        corr_fetch_runs(from + first * stride[4] * bytes, stride[4] * bytes, end - first, channels * bytes);
}

/* Of a band, before its turn. */
static void fetch_band(const lanes_job *job, int64_t unit, int64_t g, int64_t channels, int64_t part,
                       int64_t parts) {
    const corr_problem *s = job->s;
    const int64_t bytes = job->k->bytes;
    const lanes_block b = find_band(job, unit, g);
    const int64_t rows = b.end - b.first, h = b.first * s->h.stride - s->h.pad;
    const int64_t h0 = corr_max(h, 0), h1 = corr_min(h + reach(&s->h, rows), s->h.in);
    fetch_rows(b.x + h0 * s->x_stride[3] * bytes, s->x_stride, s->w.in, h1 - h0, bytes, channels, part, parts);
    fetch_rows(b.gy + b.first * s->y_stride[3] * bytes, s->y_stride, s->w.out, rows, bytes, channels, part, parts);
}

static void sum_chunk(void *context, int64_t index, int worker, corr_run_state *run) {
    const lanes_job *job = context;
    const corr_problem *s = job->s;
    const corr_weight_bands *bands = &job->bands;
    const int64_t lanes = job->k->lanes, all = corr_ceil_div(s->groups, lanes), units = s->n * bands->bands;
    const int64_t block = index / bands->chunks * bands->blocks, chunk = index % bands->chunks;
    const int64_t blocks = corr_min(bands->blocks, all - block);
    const int64_t channels = corr_min(blocks * lanes, s->groups - block * lanes);
    const int64_t begin = units * chunk / bands->chunks, end = units * (chunk + 1) / bands->chunks;
    const int64_t halo = corr_max(0, reach(&s->h, 1) - s->h.stride);
    const int64_t bytes = s->oc * s->h.kernel * s->w.kernel * vector_bytes(job);
    int64_t had = 0; /* rows of x of the band before, of one vector of groups */
    for (int64_t u = begin; u < end && !corr_should_stop(run); u++)
        for (int64_t i = 0; i < blocks; i++) {
            char *sums = job->partial + ((block + i) * bands->chunks + chunk) * bytes;
            lanes_block b = find_band(job, u, (block + i) * lanes);
            b.own = job->scratch + worker * job->scratch_bytes;
            if (u == begin)
                memset(sums, 0, (size_t)bytes);
            if (bands->in_place && u + 1 < end)
                fetch_band(job, u + 1, block * lanes, channels, i, blocks);
            if (bands->in_place && b.channels == lanes) {
                sum_in_place(job, &b, sums);
                continue;
            }
            sum_copied(job, &b, b.first && had ? halo : 0, had, sums);
            if (blocks == 1)
                had = reach(&s->h, b.end - b.first);
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
    corr_find_inside(&s->h, &job.i0, &job.i1);
    corr_find_inside(&s->w, &job.j0, &job.j1);
    const int64_t one = vector_bytes(&job), blocks = corr_ceil_div(s->groups, job.k->lanes);
    const int64_t rows = reach(&s->h, job.bands.rows);
    const int64_t taps = s->h.kernel * s->w.kernel, sums = blocks * job.bands.chunks;
    const int64_t items = corr_ceil_div(blocks, job.bands.blocks) * job.bands.chunks;
    job.gy_at = rows * reach(&s->w, s->w.out) * one;
    job.turned_at = job.gy_at + job.bands.rows * s->w.out * one;
    job.scratch_bytes = corr_max(job.turned_at + rows * s->w.in * one, taps * one);
    const int64_t scratch = call->threads * job.scratch_bytes;
    const int64_t bytes = scratch + sums * s->oc * taps * one;
    if (!(job.scratch = corr_allocate((size_t)bytes)))
        return CORR_NO_MEMORY;
    job.partial = job.scratch + scratch;
    corr_status status = corr_parallel(sum_chunk, &job, items, call);
    if (status == CORR_OK)
        status = corr_parallel(store_block, &job, blocks, call);
    corr_release(job.scratch, (size_t)bytes);
    return status;
}
