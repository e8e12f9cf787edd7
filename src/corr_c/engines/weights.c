/* Weights as panels of a choice: [k][width] for the output channels of one panel after
 * another, k = (p, q, c) within each block of input channels. */
#include "../base/threads.h"
#include "../plan/plan.h"

int64_t corr_packed_group_bytes(const corr_problem *s, const corr_choice *c) {
    int64_t channels = c->channel_lanes ? corr_round_up(s->oc, c->kernels->lanes) : s->oc;
    return corr_round_up(channels * corr_terms(s) * c->kernels->bytes, 64);
}

int64_t corr_packed_bytes(const corr_problem *s, const corr_choice *c) {
    return s->groups * corr_packed_group_bytes(s, c);
}

typedef struct pack_job {
    const corr_part *part;
    int64_t panels, blocks; /* of output and of input channels */
    int64_t items;
    int blocks_first; /* do neighbouring items share input channels? */
    corr_atomic odd;  /* is some weight not finite? */
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
    pack_job *job = context;
    while (item >= job->items)
        item -= job++->items;
    const corr_problem *s = job->part->s;
    const corr_choice *c = job->part->choice;
    const int64_t part = item % (job->panels * job->blocks), g = item / (job->panels * job->blocks);
    const int64_t panel = job->blocks_first ? part % job->panels : part / job->blocks;
    const int64_t c0 = (job->blocks_first ? part / job->panels : part % job->blocks) * c->cb;
    const int64_t o = panel * corr_panel_channels(c);
    const int64_t width = corr_packed_width(c, corr_min(corr_panel_channels(c), s->oc - o));
    const int64_t before = o * corr_terms(s) + c0 * s->h.kernel * s->w.kernel * width;
    char *to = (char *)job->part->packed + g * corr_packed_group_bytes(s, c) + before * c->kernels->bytes;
    (void)worker;
    (void)run;
    if (!corr_pack_panel(s, c, job->part->w, g, o, c0, to))
        corr_set(&job->odd, 1);
}

corr_status corr_pack_parts(corr_part *parts, int count, const corr_call *call) {
    pack_job jobs[CORR_MAX_PARTS];
    int64_t items = 0, weights = 0;
    for (int i = 0; i < count; i++) {
        const corr_problem *s = parts[i].s;
        const int64_t *ws = s->w_stride;
        pack_job job = {.part = &parts[i],
                        .panels = corr_ceil_div(s->oc, corr_panel_channels(parts[i].choice)),
                        .blocks = corr_ceil_div(s->ic, parts[i].choice->cb)};
        /* An input gradient's output channels lie closer together than its input channels:
         * its weights are read once, from the first to the last. */
        job.blocks_first = (ws[1] < 0 ? -ws[1] : ws[1]) < (ws[2] < 0 ? -ws[2] : ws[2]);
        job.items = parts[i].choice->packs_late ? 0 : s->groups * job.panels * job.blocks;
        items += job.items;
        weights += job.items ? s->groups * s->oc * corr_terms(s) : 0;
        jobs[i] = job;
    }
    /* Threads pay from some 10,000 weights on: they are about to be woken anyway. */
    corr_call few = *call;
    if (weights < 10000)
        few.threads = 1;
    corr_status status = items ? corr_parallel(pack_item, jobs, items, &few) : CORR_OK;
    for (int i = 0; i < count; i++)
        parts[i].finite = !corr_load(&jobs[i].odd);
    return status;
}

corr_status corr_pack(const corr_problem *s, const corr_choice *c, const void *w, void *packed,
                      int *finite, const corr_call *call) {
    corr_part part = {.s = s, .choice = c, .w = w, .packed = packed};
    const corr_status status = corr_pack_parts(&part, 1, call);
    *finite = part.finite;
    return status;
}
