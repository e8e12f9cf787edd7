/* Weights as panels of a choice: [k][width] for the output channels of one panel after
 * another, k = (p, q, c) within each block of input channels. */
#include "../plan/plan.h"

int64_t corr_packed_group_bytes(const corr_problem *s, const corr_choice *c) {
    int64_t channels = c->channel_lanes ? corr_round_up(s->oc, c->kernels->lanes) : s->oc;
    return corr_round_up(channels * corr_terms(s) * c->kernels->bytes, 64);
}

int64_t corr_packed_bytes(const corr_problem *s, const corr_choice *c) {
    return s->groups * corr_packed_group_bytes(s, c);
}

typedef struct pack_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *w;
    char *packed;
    int64_t panels, blocks; /* of output and of input channels */
    int blocks_first;       /* do neighbouring items share input channels? */
    int *finite;
} pack_job;

int64_t corr_packed_width(const corr_choice *c, int64_t channels) {
    return c->channel_lanes ? corr_round_up(channels, c->kernels->lanes) : channels;
}

int corr_pack_panel(const corr_problem *s, const corr_choice *c, const void *w, int64_t g,
                    int64_t o, int64_t c0, void *to) {
    const int64_t *ws = s->w_stride;
    const int64_t channels = corr_min(corr_panel_channels(c), s->oc - o);
    const char *from =
        (const char *)w + (g * ws[0] + o * ws[1] + c0 * ws[2]) * c->kernels->bytes;
    return c->kernels->pack_weights(from, channels, corr_packed_width(c, channels),
                                    corr_min(c->cb, s->ic - c0), s->h.kernel, s->w.kernel, ws[1],
                                    ws[2], ws[3], ws[4], to);
}

static void pack_item(void *context, int64_t item, int worker, corr_run_state *run) {
    const pack_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t part = item % (job->panels * job->blocks), g = item / (job->panels * job->blocks);
    const int64_t panel = job->blocks_first ? part % job->panels : part / job->blocks;
    const int64_t c0 = (job->blocks_first ? part / job->panels : part % job->blocks) * c->cb;
    const int64_t o = panel * corr_panel_channels(c);
    const int64_t width = corr_packed_width(c, corr_min(corr_panel_channels(c), s->oc - o));
    const int64_t before = o * corr_terms(s) + c0 * s->h.kernel * s->w.kernel * width;
    char *to = job->packed + g * corr_packed_group_bytes(s, c) + before * c->kernels->bytes;
    (void)run;
    job->finite[worker] &= corr_pack_panel(s, c, job->w, g, o, c0, to);
}

corr_status corr_pack(const corr_problem *s, const corr_choice *c, const void *w, void *packed,
                        int *finite, const corr_call *call) {
    int all[256];
    corr_call few = *call;
    pack_job job = {.s = s, .choice = c, .w = w, .packed = packed, .finite = all,
                    .panels = corr_ceil_div(s->oc, corr_panel_channels(c)),
                    .blocks = corr_ceil_div(s->ic, c->cb)};
    /* An input gradient's output channels lie closer together than its input channels: its
     * weights are read once, from the first to the last. */
    job.blocks_first = (s->w_stride[1] < 0 ? -s->w_stride[1] : s->w_stride[1]) <
                       (s->w_stride[2] < 0 ? -s->w_stride[2] : s->w_stride[2]);
    /* Threads pay from some 100,000 weights on. */
    if (s->groups * s->oc * corr_terms(s) < 100000)
        few.threads = 1;
    few.threads = (int)corr_min(few.threads, 256);
    for (int i = 0; i < few.threads; i++)
        all[i] = 1;
    corr_status status = corr_parallel(pack_item, &job, s->groups * job.panels * job.blocks, &few);
    *finite = 1;
    for (int i = 0; i < few.threads; i++)
        *finite &= all[i];
    return status;
}

