/* Planes whose rows leave many lanes of their vectors empty: a vector of channels is turned to pixels,
 * filtered a lane a channel, and turned back.
 *
 *   item: image n, a vector of groups
 *     planes -> in[row][column][lane] -> out[row][column][lane] -> planes
 */
#include "depthwise.h"

typedef struct turned_job {
    const corr_problem *s;
    corr_problem own; /* of a vector of channels */
    corr_choice choice;
    const char *x, *lanes_w, *bias;
    char *y, *workspace;
    int64_t worker_bytes;
} turned_job;

static void make_own(const corr_problem *s, const corr_choice *c, turned_job *job) {
    const int64_t lanes = c->kernels->lanes;
    corr_problem *t = &job->own;
    *t = *s;
    t->n = 1;
    t->groups = lanes;
    t->x_stride[1] = t->x_stride[2] = t->y_stride[1] = t->y_stride[2] = 1;
    t->x_stride[4] = t->y_stride[4] = lanes;
    t->x_stride[3] = s->w.in * lanes;
    t->y_stride[3] = s->w.out * lanes;
    t->x_stride[0] = s->h.in * t->x_stride[3];
    t->y_stride[0] = s->h.out * t->y_stride[3];
    job->choice = *c;
    job->choice.turned = 0; /* but its weights overlap as packed for that: no other image takes them */
    corr_split_stencil(t, 1, &job->choice);
    const int64_t pixels = t->x_stride[0] + t->y_stride[0];
    job->worker_bytes = corr_round_up(pixels * c->kernels->bytes +
                                          corr_depthwise_workspace(t, &job->choice, 1), 64);
}

int64_t corr_turned_workspace(const corr_problem *s, const corr_choice *c, int threads) {
    turned_job job;
    make_own(s, c, &job);
    return threads * job.worker_bytes;
}

static void filter_block(void *context, int64_t index, int worker, corr_run_state *run) {
    const turned_job *job = context;
    const corr_problem *s = job->s, *t = &job->own;
    const corr_kernels *k = job->choice.kernels;
    const int64_t lanes = k->lanes, bytes = k->bytes, *xs = s->x_stride, *ys = s->y_stride;
    const int64_t blocks = corr_ceil_div(s->groups, lanes), block = index % blocks, n = index / blocks;
    const int64_t g = corr_min(block * lanes, s->groups - lanes); /* overlaps the block before it */
    char *in = job->workspace + worker * job->worker_bytes, *out = in + t->x_stride[0] * bytes;
    const char *x = job->x + (n * xs[0] + g * xs[1]) * bytes;
    char *y = job->y + (n * ys[0] + g * ys[1]) * bytes;
    const char *w = job->lanes_w + block * lanes * s->h.kernel * s->w.kernel * bytes;
    const int64_t in_runs = xs[3] == s->w.in ? 1 : s->h.in, out_runs = ys[3] == s->w.out ? 1 : s->h.out;
    const corr_call one = {.threads = 1};
    (void)run;
    for (int64_t i = 0; i < in_runs; i++)
        k->lanes_in(x + i * xs[3] * bytes, 1, xs[1], s->h.in / in_runs * s->w.in, lanes,
                    in + i * t->x_stride[3] * bytes, lanes * xs[1]);
    corr_run_depthwise(t, &job->choice, in, NULL, w, job->bias ? job->bias + g * bytes : NULL, out,
                       out + t->y_stride[0] * bytes, &one);
    for (int64_t i = 0; i < out_runs; i++)
        k->lanes_out(out + i * t->y_stride[3] * bytes, s->h.out / out_runs * s->w.out, lanes,
                     y + i * ys[3] * bytes, 1, ys[1], lanes * ys[1]);
}

corr_status corr_filter_turned(const corr_problem *s, const corr_choice *c, const void *x, const void *lanes_w,
                               const void *bias, void *y, void *workspace, const corr_call *call) {
    turned_job job = {.s = s, .x = x, .lanes_w = lanes_w, .bias = bias, .y = y, .workspace = workspace};
    make_own(s, c, &job);
    return corr_parallel(filter_block, &job, s->n * corr_ceil_div(s->groups, c->kernels->lanes), call);
}
