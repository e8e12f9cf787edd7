/* Convolution as a matrix product whose second factor, im2col(x), exists only as packed
 * blocks: W (OC x K) times X (K x pixels), k = (p, q, c). Vectors run over pixels.
 *
 *   item: image n, group g, NC pixels, some panels of output channels
 *     for pc: KC terms          pack X[pc, NC] into panels of NR pixels (L2)
 *       for ir: panel of MR rows of W, packed beforehand (L1)
 *         for jr: panel of NR pixels -> micro-kernel -> y
 */
#include "../plan/plan.h"

#include <string.h>

enum { MAX_RUNS = 2 * CORR_MAX_TILE_COLUMNS };

typedef struct gemm_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *x, *packed, *bias;
    char *y, *workspace;
    int64_t blocks, bands; /* items of one image: pixel blocks x bands of rows */
    int64_t scratch_bytes; /* of one thread */
    int contiguous;        /* do a plane's output pixels follow one another? */
    corr_plane plane;
} gemm_job;

static int accepts(const corr_problem *s) {
    (void)s;
    return 1;
}

static int64_t packed_group_bytes(const corr_problem *s, const corr_choice *c) {
    return corr_round_up(s->oc * corr_terms(s) * c->kernels->bytes, 64);
}

static int64_t packed_bytes(const corr_problem *s, const corr_choice *c) {
    return s->groups * packed_group_bytes(s, c);
}

typedef struct pack_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *w;
    char *packed;
    int64_t panels;
    int *finite;
} pack_job;

static void pack_panel(void *context, int64_t item, int worker, corr_run_state *run) {
    const pack_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t *ws = s->w_stride;
    int64_t g = item / job->panels, o = item % job->panels * c->rows;
    (void)run;
    job->finite[worker] &= c->kernels->pack_weights(
        job->w + (g * ws[0] + o * ws[1]) * c->kernels->bytes, corr_min(c->rows, s->oc - o),
        s->ic, s->h.kernel, s->w.kernel, ws[1], ws[2], ws[3], ws[4],
        job->packed + g * packed_group_bytes(s, c) + o * corr_terms(s) * c->kernels->bytes);
}

static corr_status pack(const corr_problem *s, const corr_choice *c, const void *w, void *packed,
                        int *finite, const corr_call *call) {
    int all[256];
    corr_call few = *call;
    pack_job job = {s, c, w, packed, corr_ceil_div(s->oc, c->rows), all};
    /* Threads pay from some 100,000 weights on. */
    if (s->groups * s->oc * corr_terms(s) < 100000)
        few.threads = 1;
    few.threads = (int)corr_min(few.threads, 256);
    for (int i = 0; i < 256; i++)
        all[i] = 1;
    corr_status status = corr_parallel(pack_panel, &job, s->groups * job.panels, &few);
    *finite = 1;
    for (int i = 0; i < 256; i++)
        *finite &= all[i];
    return status;
}

/* One vector of slack: the last run of a block is stored whole. */
static int64_t scratch_bytes(const corr_problem *s, const corr_choice *c) {
    int64_t width = corr_min(c->pixels, corr_round_up(corr_pixels(s), c->kernels->lanes));
    return corr_round_up((c->kc * width + c->kernels->lanes) * c->kernels->bytes, 64);
}

static int64_t workspace_bytes(const corr_problem *s, const corr_choice *c, int threads) {
    return threads * scratch_bytes(s, c);
}

/* Terms [k0, k0 + kc) of pixels [pixel, pixel + count), `width` a row. */
static void pack_pixels(const gemm_job *job, const char *x, int64_t k0, int64_t kc,
                        int64_t pixel, int64_t count, int64_t width, char *dst) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    corr_run runs[MAX_RUNS];
    for (int64_t at = k0; at < k0 + kc;) {
        int64_t tap = at / s->ic, c = at % s->ic;
        int64_t channels = corr_min(s->ic - c, k0 + kc - at);
        int64_t p = tap / s->w.kernel, q = tap % s->w.kernel;
        int64_t made = corr_make_runs(&job->plane, p * s->h.dilation - s->h.pad,
                                      q * s->w.dilation - s->w.pad, pixel, count, width,
                                      k->lanes, runs);
        k->pack_pixels(runs, made, s->w.stride * s->x_stride[4],
                       x + c * s->x_stride[2] * k->bytes, s->x_stride[2], channels,
                       dst + (at - k0) * width * k->bytes, width);
        at += channels;
    }
}

static void copy_tile(const corr_problem *s, char *y, char *tile, int64_t rows, int64_t pixel,
                      int64_t columns, int64_t width, int64_t bytes, int out) {
    for (int64_t j = 0; j < columns; j++) {
        int64_t i = (pixel + j) / s->w.out, v = (pixel + j) % s->w.out;
        char *to = y + (i * s->y_stride[3] + v * s->y_stride[4]) * bytes;
        for (int64_t r = 0; r < rows; r++) {
            char *in_y = to + r * s->y_stride[2] * bytes;
            char *in_tile = tile + (r * width + j) * bytes;
            if (bytes == 4)
                memcpy(out ? in_y : in_tile, out ? in_tile : in_y, 4);
            else
                memcpy(out ? in_y : in_tile, out ? in_tile : in_y, 8);
        }
    }
}

static void multiply_tile(const gemm_job *job, int64_t rows, int64_t kc, const char *a,
                          const char *b, int64_t pixel, int64_t columns, char *y,
                          const corr_store *store) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t vectors = corr_ceil_div(columns, k->lanes), width = vectors * k->lanes;
    corr_gemm_kernel *kernel = k->gemm[vectors - 1][rows - 1];
    if (job->contiguous) {
        kernel(kc, a, b, width, y + pixel * s->y_stride[4] * k->bytes, s->y_stride[2], columns,
               store);
        return;
    }
    double tile[CORR_MAX_ROWS * CORR_MAX_TILE_COLUMNS];
    if (store->accumulate)
        copy_tile(s, y, (char *)tile, rows, pixel, columns, width, k->bytes, 0);
    kernel(kc, a, b, width, tile, width, columns, store);
    copy_tile(s, y, (char *)tile, rows, pixel, columns, width, k->bytes, 1);
}

static void multiply_block(void *context, int64_t item, int worker, corr_run_state *run) {
    const gemm_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t bytes = c->kernels->bytes, terms = corr_terms(s);
    const int64_t nr = (int64_t)c->vectors * c->kernels->lanes;
    int64_t band = item % job->bands, block = item / job->bands % job->blocks;
    int64_t image = item / job->bands / job->blocks;
    int64_t g = image % s->groups, n = image / s->groups;
    const char *x = job->x + (n * s->x_stride[0] + g * s->x_stride[1]) * bytes;
    char *y = job->y + (n * s->y_stride[0] + g * s->y_stride[1]) * bytes;
    const char *w = job->packed + g * packed_group_bytes(s, c);
    char *b = job->workspace + worker * job->scratch_bytes;
    const int64_t first = block * c->pixels;
    const int64_t end = corr_min(first + c->pixels, corr_pixels(s));
    const int64_t o0 = band * c->panels * c->rows;
    const int64_t o1 = corr_min(o0 + c->panels * c->rows, s->oc);

    for (int64_t pc = 0; pc < terms && !corr_should_stop(run); pc += c->kc) {
        const int64_t kc = corr_min(c->kc, terms - pc);
        char *panel = b;
        for (int64_t jr = first; jr < end; jr += nr) {
            int64_t count = corr_min(nr, end - jr);
            int64_t width = corr_round_up(count, c->kernels->lanes);
            pack_pixels(job, x, pc, kc, jr, count, width, panel);
            panel += kc * width * bytes;
        }
        const int last = pc + kc == terms;
        for (int64_t ir = o0; ir < o1; ir += c->rows) {
            const int64_t rows = corr_min(c->rows, s->oc - ir);
            const char *a = w + (ir * terms + pc * rows) * bytes;
            const corr_store store = {
                pc > 0, last ? s->activation : CORR_LINEAR,
                last && job->bias ? job->bias + (g * s->oc + ir) * bytes : NULL};
            panel = b;
            for (int64_t jr = first; jr < end; jr += nr) {
                int64_t count = corr_min(nr, end - jr);
                multiply_tile(job, rows, kc, a, panel, jr, count,
                              y + ir * s->y_stride[2] * bytes, &store);
                panel += kc * corr_round_up(count, c->kernels->lanes) * bytes;
            }
        }
    }
}

static corr_status run(const corr_problem *s, const corr_choice *c, const void *x, const void *w,
                       const void *packed, const void *bias, void *y, void *workspace,
                       const corr_call *call) {
    (void)w;
    gemm_job job = {
        .s = s, .choice = c, .x = x, .packed = packed, .bias = bias, .y = y,
        .workspace = workspace, .blocks = corr_ceil_div(corr_pixels(s), c->pixels),
        .bands = corr_ceil_div(corr_ceil_div(s->oc, c->rows), c->panels),
        .scratch_bytes = scratch_bytes(s, c),
        .contiguous = s->y_stride[4] == 1 && (s->h.out == 1 || s->y_stride[3] == s->w.out),
        .plane = {s->h.in, s->w.in, s->x_stride[3], s->x_stride[4], s->h.stride, s->w.stride,
                  s->w.out},
    };
    return corr_parallel(multiply_block, &job, s->n * s->groups * job.blocks * job.bands, call);
}

const corr_engine corr_gemm_engine = {
    "gemm", CORR_DIRECT, accepts, packed_bytes, pack, workspace_bytes, run,
};
