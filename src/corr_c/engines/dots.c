/* Few output channels of a channels-last image: vectors over them would be half empty, so that they
 * run over the input channels, which lie together in the image and in the weights, packed as
 * [o][p][q][c]. The image is read where it lies, and taps in the padding are left out.
 *
 *   item: image n, group g, some rows of outputs, some columns
 *     for row, for some output channels
 *       for chain of taps                     their weights are in L1
 *         for some pixels -> kernel: of every output a vector of partial sums
 *       add up the lanes -> y
 */
#include "../plan/plan.h"

typedef struct dots_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *x, *packed, *bias;
    char *y, *workspace;
    int64_t row_items, column_items;
    int64_t inside, inside_end;   /* columns of outputs that have all taps */
    int64_t rows_once, taps_once; /* rows of taps, and taps of a row, of a chain */
    int64_t pixels;               /* of a tile */
    int across;                   /* is it [pixel][channel], or [channel][pixel]? */
} dots_job;

/* Outputs [j0, j1) of a row, `channels` of them a pixel. */
typedef struct dots_row {
    const dots_job *job;
    int64_t j0, j1, channels;
    const char *x, *w, *bias;
    char *y, *sums;
    corr_segment *segments;
} dots_row;

typedef struct dots_taps {
    int64_t p0, p1, q0, q1;
} dots_taps;

static int accepts(const corr_problem *s) { return corr_channels_last(s); }

static int64_t packed_bytes(const corr_problem *s, const corr_choice *c) {
    return s->groups * s->oc * corr_terms(s) * c->kernels->bytes;
}

static corr_status pack(const corr_problem *s, const corr_choice *c, const void *w, void *packed,
                        int *finite, const corr_call *call) {
    const corr_kernels *k = c->kernels;
    const int64_t *ws = s->w_stride, taps = s->h.kernel * s->w.kernel, bytes = k->bytes;
    const corr_store plain = {0};
    char *to = packed;
    (void)call;
    *finite = 1; /* absent taps are never touched here */
    for (int64_t i = 0; i < s->groups * s->oc; i++) {
        const char *from = (const char *)w + (i / s->oc * ws[0] + i % s->oc * ws[1]) * bytes;
        if (ws[4] == 1 && ws[3] == s->w.kernel) {
            k->transpose(s->ic, taps, from, ws[2], to, s->ic, &plain);
            to += taps * s->ic * bytes;
            continue;
        }
        for (int64_t t = 0; t < taps; t++, to += s->ic * bytes)
            k->copy(to, from + (t / s->w.kernel * ws[3] + t % s->w.kernel * ws[4]) * bytes, ws[2], s->ic);
    }
    return CORR_OK;
}

static int64_t sums_bytes(const corr_choice *c) {
    const int64_t sums = c->pixel_panels * c->vectors * c->rows;
    return corr_round_up(sums * c->kernels->lanes * c->kernels->bytes, 64);
}

static int64_t worker_bytes(const corr_problem *s, const corr_choice *c) {
    const int64_t segments = s->h.kernel * s->w.kernel * (int64_t)sizeof(corr_segment);
    return sums_bytes(c) + corr_round_up(segments, 64);
}

static int64_t workspace_bytes(const corr_problem *s, const corr_choice *c, int threads) {
    return threads * worker_bytes(s, c);
}

/* Pixels of a tile from this column on: several that have all taps, or one. */
static int64_t tile_pixels(const dots_row *row, int64_t column) {
    const dots_job *job = row->job;
    if (column < job->inside || column >= job->inside_end)
        return 1;
    return corr_min(corr_min(row->j1, job->inside_end) - column, job->pixels);
}

static char *tile_sums(const dots_row *row, int64_t column) {
    const corr_kernels *k = row->job->choice->kernels;
    return row->sums + (column - row->j0) * row->channels * k->lanes * k->bytes;
}

/* Runs of channels: of a tap, or, where taps and pixels follow one another, of all those of a row. */
static int64_t make_segments(const dots_row *row, const dots_taps *t) {
    const corr_problem *s = row->job->s;
    const int64_t some = corr_max(t->q1 - t->q0, 0);
    const int whole = s->w.dilation == 1 && s->x_stride[4] == s->ic, across = row->job->across;
    corr_segment *to = row->segments;
    for (int64_t p = t->p0; p < t->p1; p++)
        for (int64_t q = t->q0; q < t->q1; q += whole ? some : 1, to++) {
            const int64_t w = (p * s->w.kernel + q) * s->ic;
            const int64_t x = p * s->h.dilation * s->x_stride[3] + q * s->w.dilation * s->x_stride[4];
            to->a = across ? x : w;
            to->b = across ? w : x;
            to->count = whole ? some * s->ic : s->ic;
        }
    return to - row->segments;
}

static void multiply_chain(const dots_row *row, const dots_taps *chain, int accumulate) {
    const dots_job *job = row->job;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t step = s->w.stride * s->x_stride[4], terms = corr_terms(s), c = row->channels;
    int32_t offsets[CORR_DOT_MAX_COLUMNS];
    for (int64_t j = 0; j < (job->across ? c : job->pixels); j++)
        offsets[j] = (int32_t)(j * (job->across ? terms : step));
    dots_taps taps = {.q0 = -1};
    int64_t count = 0;
    for (int64_t j = row->j0, pixels; j < row->j1; j += pixels) {
        const char *x = row->x + j * step * k->bytes;
        int64_t q0, q1;
        corr_find_taps(&s->w, j, j, &q0, &q1);
        q0 = corr_max(q0, chain->q0);
        q1 = corr_min(q1, chain->q1);
        if (q0 != taps.q0 || q1 != taps.q1) {
            taps = (dots_taps){chain->p0, chain->p1, q0, q1};
            count = make_segments(row, &taps);
        }
        pixels = tile_pixels(row, j);
        if (job->across)
            k->dot[pixels - 1][c - 1](row->segments, count, x, step, row->w, offsets, tile_sums(row, j), c,
                                      accumulate);
        else
            k->dot[c - 1][pixels - 1](row->segments, count, row->w, terms, x, offsets, tile_sums(row, j),
                                      pixels, accumulate);
    }
}

static void store_row(const dots_row *row) {
    const dots_job *job = row->job;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t pixel = s->y_stride[4], channel = s->y_stride[2];
    corr_store store = corr_make_store(s, 0, 1, row->bias);
    if (job->across) {
        store.column_bias = store.bias;
        store.bias = NULL;
    }
    for (int64_t j = row->j0, pixels; j < row->j1; j += pixels) {
        char *y = row->y + j * pixel * k->bytes;
        pixels = tile_pixels(row, j);
        if (job->across)
            k->store_dots(pixels, row->channels, tile_sums(row, j), y, pixel, channel, &store);
        else
            k->store_dots(row->channels, pixels, tile_sums(row, j), y, channel, pixel, &store);
    }
}

/* Row i of outputs; `row` tells where its first is, and taps are counted from. */
static void run_row(const dots_row *row, int64_t i) {
    const dots_job *job = row->job;
    const corr_problem *s = job->s;
    int64_t p0, p1;
    int accumulate = 0;
    corr_find_taps(&s->h, i, i, &p0, &p1);
    for (int64_t p = 0; p < s->h.kernel; p += job->rows_once)
        for (int64_t q = 0; q < s->w.kernel; q += job->taps_once, accumulate = 1) {
            const dots_taps chain = {corr_max(p, p0), corr_min(p + job->rows_once, p1), q,
                                     corr_min(q + job->taps_once, s->w.kernel)};
            multiply_chain(row, &chain, accumulate);
        }
    store_row(row);
}

static void run_item(void *context, int64_t index, int worker, corr_run_state *run) {
    const dots_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t bytes = c->kernels->bytes, columns = c->pixel_panels * c->vectors;
    const int64_t *xs = s->x_stride, *ys = s->y_stride;
    const int64_t i0 = index / job->column_items % job->row_items * c->item_rows;
    const int64_t image = index / job->column_items / job->row_items;
    const int64_t n = image / s->groups, g = image % s->groups;
    dots_row row = {.job = job, .j0 = index % job->column_items * columns};
    row.j1 = corr_min(row.j0 + columns, s->w.out);
    row.sums = job->workspace + worker * worker_bytes(s, c);
    row.segments = (corr_segment *)(void *)(row.sums + sums_bytes(c));
    for (int64_t i = i0; i < corr_min(i0 + c->item_rows, s->h.out) && !corr_should_stop(run); i++) {
        row.x = job->x + (n * xs[0] + g * xs[1] + (i * s->h.stride - s->h.pad) * xs[3] - s->w.pad * xs[4]) * bytes;
        for (int64_t o = 0; o < s->oc; o += c->rows) {
            row.channels = corr_min(c->rows, s->oc - o);
            row.w = job->packed + (g * s->oc + o) * corr_terms(s) * bytes;
            row.bias = job->bias ? job->bias + (g * s->oc + o) * bytes : NULL;
            row.y = job->y + (n * ys[0] + g * ys[1] + o * ys[2] + i * ys[3]) * bytes;
            run_row(&row, i);
        }
    }
}

static corr_status run(const corr_problem *s, const corr_choice *c, const void *x, const void *w,
                       const void *packed, const void *bias, void *y, void *workspace,
                       const corr_call *call) {
    const int64_t taps = s->w.kernel * s->ic;
    const int near = s->w.stride * s->x_stride[4] <= INT32_MAX / CORR_DOT_MAX_COLUMNS;
    dots_job job = {
        .s = s, .choice = c, .x = x, .packed = packed, .bias = bias, .y = y, .workspace = workspace,
        .row_items = corr_ceil_div(s->h.out, c->item_rows),
        .column_items = corr_ceil_div(s->w.out, c->pixel_panels * c->vectors),
        .rows_once = corr_max(c->kc / taps, 1),
        .taps_once = taps <= c->kc ? s->w.kernel : corr_max(c->kc / s->ic, 1),
        .pixels = near ? c->vectors : 1, .across = c->rows > c->kernels->dot_rows,
    };
    (void)w;
    corr_find_inside(&s->w, &job.inside, &job.inside_end);
    return corr_parallel(run_item, &job, s->n * s->groups * job.row_items * job.column_items, call);
}

const corr_engine corr_dots_engine = {
    "dots", CORR_DIRECT, accepts, packed_bytes, pack, workspace_bytes, run,
};
