/* Kernels as large as their images, a fully connected layer: images X (N x K) and weights W (OC x K), K = IC * KH
 * * KW, whose rows lie in one piece each, and so all of
 *
 *   Y = X W^T        dot products along K (kernels/dot.h), some rows of both at a time
 *   gX = gY W        the micro-kernel with its lanes along K: chains over output channels,
 *   gW = gY^T X      or over images
 *
 * Nothing is packed but a few rows of gY: weights that meet one pixel an image would take longer to turn than to
 * multiply. All images are pixels of one product. No bit depends on how many there are.
 */
#include "../base/threads.h"
#include "../plan/plan.h"

/* Chains: of K, 64 steps of a lane; of images; of output channels, whose rows of weights lie too far apart for a
 * CPU to follow many of them at once. */
enum { CHUNK = 1024, CHAIN = 64, FAR_CHAIN = 16 };

static int covers(const corr_axis *a) {
    return a->out == 1 && a->pad == 0 && a->kernel == a->in && (a->kernel == 1 || a->dilation == 1);
}

/* (c, h, w) one after another? */
static int in_one_piece(const corr_problem *s, const int64_t stride[5]) {
    return (s->w.in == 1 || stride[4] == 1) && (s->h.in == 1 || stride[3] == s->w.in) &&
           (s->ic == 1 || stride[2] == s->h.in * s->w.in);
}

int corr_is_connected(const corr_problem *s) {
    return covers(&s->h) && covers(&s->w) && in_one_piece(s, s->x_stride) && in_one_piece(s, s->w_stride);
}

typedef struct connected_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *x, *w, *gy, *bias;
    char *y, *gx, *gw, *workspace;
    int64_t scratch; /* bytes of a thread */
    int accumulate;
    int64_t rows, columns; /* of a gradient that an item makes */
} connected_job;

static int64_t sums_bytes(const corr_choice *c) {
    return corr_round_up(c->channel_panels * c->pixel_panels * c->kernels->lanes * c->kernels->bytes, 64);
}

static int64_t workspace_bytes(const corr_problem *s, const corr_choice *c, int threads) {
    (void)s;
    return threads * sums_bytes(c);
}

static void multiply(void *context, int64_t index, int worker, corr_run_state *run) {
    const connected_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const corr_kernels *k = c->kernels;
    const int64_t *xs = s->x_stride, *ws = s->w_stride, *ys = s->y_stride, bytes = k->bytes, all = corr_terms(s);
    const int64_t bands = corr_ceil_div(s->oc, c->channel_panels), parts = corr_ceil_div(s->n, c->pixel_panels);
    const int64_t g = index / bands / parts, o0 = index / parts % bands * c->channel_panels;
    const int64_t n0 = index % parts * c->pixel_panels;
    const int64_t outputs = corr_min(c->channel_panels, s->oc - o0), images = corr_min(c->pixel_panels, s->n - n0);
    const char *w = job->w + (g * ws[0] + o0 * ws[1]) * bytes, *x = job->x + (n0 * xs[0] + g * xs[1]) * bytes;
    char *sums = job->workspace + worker * job->scratch;
    int32_t offsets[CORR_DOT_MAX_COLUMNS];
    for (int j = 0; j < c->vectors; j++)
        offsets[j] = (int32_t)(j * xs[0]);
    for (int64_t at = 0; at < all && !corr_should_stop(run); at += CHUNK) {
        const corr_segment chain = {at, at, corr_min(CHUNK, all - at)};
        for (int64_t o = 0; o < outputs; o += c->rows)
            for (int64_t n = 0; n < images; n += c->vectors) {
                const int64_t rows = corr_min(c->rows, outputs - o), columns = corr_min(c->vectors, images - n);
                k->dot[rows - 1][columns - 1](&chain, 1, w + o * ws[1] * bytes, ws[1], x + n * xs[0] * bytes, offsets,
                                              sums + (o * images + n) * k->lanes * bytes, images, at > 0);
            }
    }
    const corr_store store = corr_make_store(s, 0, 1, job->bias ? job->bias + (g * s->oc + o0) * bytes : NULL);
    k->store_dots(outputs, images, sums, job->y + (n0 * ys[0] + g * ys[1] + o0 * ys[2]) * bytes, ys[2], ys[0], &store);
}

static int64_t no_bytes(const corr_problem *s, const corr_choice *c) {
    (void)s;
    (void)c;
    return 0;
}

static corr_status no_pack(const corr_problem *s, const corr_choice *c, const void *w, void *packed, int *finite,
                           const corr_call *call) {
    (void)s;
    (void)c;
    (void)w;
    (void)packed;
    (void)call;
    *finite = 1; /* there is no padding */
    return CORR_OK;
}

static corr_status run(const corr_problem *s, const corr_choice *c, const void *x, const void *w, const void *packed,
                       const void *bias, void *y, void *workspace, const corr_call *call) {
    connected_job job = {.s = s, .choice = c, .x = x, .w = w, .bias = bias, .y = y, .workspace = workspace,
                         .scratch = sums_bytes(c)};
    (void)packed;
    return corr_parallel(multiply, &job, s->groups * corr_ceil_div(s->oc, c->channel_panels) *
                                             corr_ceil_div(s->n, c->pixel_panels), call);
}

const corr_engine corr_connected_engine = {
    "connected", CORR_DIRECT, corr_is_connected, no_bytes, no_pack, workspace_bytes, run,
};

/* c[i, k] = (it if accumulate) + sum over t < terms of a[t * a_term + i * a_row] * b[t * ldb + k], for i < rows and
 * k < columns, chain by chain. b is not read beyond its columns. */
typedef struct product {
    int64_t rows, columns, terms, chain, a_row, a_term, ldb, ldc;
    const char *a, *b;
    char *c;
    int accumulate;
} product;

static int64_t product_bytes(const corr_choice *c) {
    return corr_round_up(CHAIN * (c->rows + c->vectors * c->kernels->lanes) * c->kernels->bytes, 64);
}

static void run_product(const corr_choice *c, const product *p, char *scratch, corr_run_state *run) {
    const corr_kernels *k = c->kernels;
    const int64_t bytes = k->bytes, width = c->vectors * k->lanes;
    char *last = scratch + CHAIN * c->rows * bytes;
    for (int64_t i = 0; i < p->rows; i += c->rows)
        for (int64_t t = 0; t < p->terms && !corr_should_stop(run); t += p->chain) {
            const int64_t rows = corr_min(c->rows, p->rows - i), terms = corr_min(p->chain, p->terms - t);
            const corr_store store = {.accumulate = p->accumulate || t > 0};
            for (int64_t u = 0; u < terms; u++)
                k->copy(scratch + u * rows * bytes, p->a + ((t + u) * p->a_term + i * p->a_row) * bytes, p->a_row,
                        rows);
            for (int64_t j = 0; j < p->columns; j += width) {
                const int64_t columns = corr_min(width, p->columns - j);
                const char *b = p->b + (t * p->ldb + j) * bytes;
                int64_t ldb = p->ldb;
                if (columns % k->lanes) {
                    for (int64_t u = 0; u < terms; u++)
                        k->copy(last + u * width * bytes, b + u * ldb * bytes, 1, columns);
                    b = last;
                    ldb = width;
                }
                k->gemm[corr_ceil_div(columns, k->lanes) - 1][rows - 1](
                    terms, scratch, b, ldb, p->c + (i * p->ldc + j) * bytes, p->ldc, columns, &store);
            }
        }
}

/* An item is a group and some columns; of gw also some rows. */
static void make_input(void *context, int64_t index, int worker, corr_run_state *run) {
    const connected_job *job = context;
    const corr_problem *s = job->s;
    const int64_t *xs = s->x_stride, *ws = s->w_stride, *ys = s->y_stride, bytes = job->choice->kernels->bytes;
    const int64_t parts = corr_ceil_div(corr_terms(s), job->columns), bands = corr_ceil_div(s->n, job->rows);
    const int64_t k0 = index % parts * job->columns, n0 = index / parts % bands * job->rows;
    const int64_t g = index / parts / bands;
    const product p = {
        .rows = corr_min(job->rows, s->n - n0), .columns = corr_min(job->columns, corr_terms(s) - k0), .terms = s->oc,
        .chain = FAR_CHAIN, .a_row = ys[0], .a_term = ys[2], .ldb = ws[1], .ldc = xs[0],
        .a = job->gy + (n0 * ys[0] + g * ys[1]) * bytes, .b = job->w + (g * ws[0] + k0) * bytes,
        .c = job->gx + (n0 * xs[0] + g * xs[1] + k0) * bytes,
    };
    run_product(job->choice, &p, job->workspace + worker * job->scratch, run);
}

static void make_weight(void *context, int64_t index, int worker, corr_run_state *run) {
    const connected_job *job = context;
    const corr_problem *s = job->s;
    const int64_t *xs = s->x_stride, *ws = s->w_stride, *ys = s->y_stride, bytes = job->choice->kernels->bytes;
    const int64_t parts = corr_ceil_div(corr_terms(s), job->columns), bands = corr_ceil_div(s->oc, job->rows);
    const int64_t k0 = index % parts * job->columns, o0 = index / parts % bands * job->rows;
    const int64_t g = index / parts / bands;
    const product p = {
        .rows = corr_min(job->rows, s->oc - o0), .columns = corr_min(job->columns, corr_terms(s) - k0), .terms = s->n,
        .chain = CHAIN, .a_row = ys[2], .a_term = ys[0], .ldb = xs[0], .ldc = ws[1],
        .a = job->gy + (g * ys[1] + o0 * ys[2]) * bytes, .b = job->x + (g * xs[1] + k0) * bytes,
        .c = job->gw + (g * ws[0] + o0 * ws[1] + k0) * bytes,
        .accumulate = job->accumulate,
    };
    run_product(job->choice, &p, job->workspace + worker * job->scratch, run);
}

static corr_status run_gradient(connected_job *job, corr_task *task, int64_t all_rows, const corr_call *call) {
    const corr_problem *s = job->s;
    corr_choice choice;
    corr_split_connected_gradient(s, all_rows, call->threads, &choice, &job->rows, &job->columns);
    job->choice = &choice;
    job->scratch = product_bytes(&choice);
    job->workspace = corr_allocate((size_t)(call->threads * job->scratch));
    if (!job->workspace)
        return CORR_NO_MEMORY;
    const int64_t items = s->groups * corr_ceil_div(all_rows, job->rows) * corr_ceil_div(corr_terms(s), job->columns);
    const corr_status status = corr_parallel(task, job, items, call);
    corr_release(job->workspace, (size_t)(call->threads * job->scratch));
    return status;
}

corr_status corr_connected_input(const corr_problem *s, void *gx, const void *w, const void *gy,
                                 const corr_call *call) {
    connected_job job = {.s = s, .w = w, .gy = gy, .gx = gx};
    return run_gradient(&job, make_input, s->n, call);
}

corr_status corr_connected_weight(const corr_problem *s, const void *x, void *gw, const void *gy,
                                  const corr_call *call) {
    connected_job job = {.s = s, .x = x, .gy = gy, .gw = gw, .accumulate = call->accumulate};
    return run_gradient(&job, make_weight, s->oc, call);
}
