/* Term by term, for problems too small to pack, or whose windows reach too far. */
#include "../plan/plan.h"

static const char *at(const void *p, int64_t elements, const corr_kernels *k) {
    return (const char *)p + elements * k->bytes;
}

typedef struct plain_job {
    const corr_problem *s;
    const corr_choice *choice;
    const void *x, *w, *bias;
    void *y;
    int edges_only;
    int64_t images; /* (image, group) pairs of one item */
    int64_t rows;   /* of outputs at once */
} plain_job;

static void some_images(void *context, int64_t item, int worker, corr_run_state *run) {
    const plain_job *job = context;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    int64_t end = corr_min((item + 1) * job->images, s->n * s->groups);
    corr_problem some = *s;
    (void)worker;
    /* An image too small to pack is done at once; others, and edges, by rows of a channel. */
    some.oc = job->rows < s->h.out || job->edges_only ? 1 : s->oc;
    for (int64_t i = item * job->images; i < end; i++)
        for (int64_t o = 0; o < s->oc; o += some.oc)
            for (int64_t row = 0; row < s->h.out && !corr_should_stop(run); row += job->rows) {
                const int64_t n = i / s->groups, g = i % s->groups, *ys = s->y_stride;
                some.h.out = corr_min(job->rows, s->h.out - row);
                some.h.pad = s->h.pad - row * s->h.stride;
                k->plain(&some, job->choice->cb, job->choice->kc,
                         at(job->x, n * s->x_stride[0] + g * s->x_stride[1], k),
                         at(job->w, g * s->w_stride[0] + o * s->w_stride[1], k),
                         job->bias ? at(job->bias, g * s->oc + o, k) : NULL,
                         (char *)job->y + (n * ys[0] + g * ys[1] + o * ys[2] + row * ys[3]) * k->bytes,
                         job->edges_only);
            }
}

static corr_status each_image(const corr_problem *s, const corr_choice *choice, const void *x,
                              const void *w, const void *bias, void *y, int edges_only,
                              const corr_call *call) {
    plain_job job = {s, choice, x, w, bias, y, edges_only, 1, s->h.out};
    const int64_t all = s->n * s->groups;
    const double row = (double)(s->oc * s->w.out) * (double)corr_terms(s), image = row * (double)s->h.out;
    /* Items of some ten microseconds; at most some hundred between two looks at the clock. */
    if (image < 8192)
        job.images = (int64_t)(16384 / corr_max(1, (int64_t)image));
    else if (image > 65536)
        job.rows = (int64_t)(65536 / row) + 1;
    return corr_parallel(some_images, &job, corr_ceil_div(all, job.images), call);
}

corr_status corr_redo_edges(const corr_problem *s, const corr_choice *choice, const void *x,
                            const void *w, const void *bias, void *y, const corr_call *call) {
    return each_image(s, choice, x, w, bias, y, 1, call);
}

static int accepts(const corr_problem *s) {
    (void)s;
    return 1;
}

static int64_t no_bytes(const corr_problem *s, const corr_choice *choice) {
    (void)s;
    (void)choice;
    return 0;
}

static int64_t no_workspace(const corr_problem *s, const corr_choice *choice, int threads) {
    (void)s;
    (void)choice;
    (void)threads;
    return 0;
}

static corr_status no_pack(const corr_problem *s, const corr_choice *choice, const void *w,
                           void *packed, int *finite, const corr_call *call) {
    (void)s;
    (void)choice;
    (void)w;
    (void)packed;
    (void)call;
    *finite = 1; /* absent taps are never touched here */
    return CORR_OK;
}

static corr_status run(const corr_problem *s, const corr_choice *choice, const void *x,
                       const void *w, const void *packed, const void *bias, void *y,
                       void *workspace, const corr_call *call) {
    (void)packed;
    (void)workspace;
    return each_image(s, choice, x, w, bias, y, 0, call);
}

const corr_engine corr_plain_engine = {
    "plain", CORR_DIRECT, accepts, no_bytes, no_pack, no_workspace, run,
};
