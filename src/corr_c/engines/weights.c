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

/* The phases of a strided input gradient share every weight's neighbourhood: it is read once and
 * turned once for all of them, where their panels and its taps allow. */
enum { MAX_SPAN = CORR_SPREAD_VECTORS * 16, MAX_CUTS = 128 };
typedef struct spread_job {
    corr_part *parts;
    int64_t span, panels, cuts;
    const char *w;               /* the lowest tap of the first weight */
    int64_t cut[MAX_CUTS + 1];   /* input channels at which some part's block begins */
    int8_t part[MAX_SPAN];       /* whose tap lies there, or -1 */
    int16_t tap[MAX_SPAN];       /* and which */
    corr_atomic odd;
} spread_job;

static void spread_item(void *context, int64_t item, int worker, corr_run_state *run) {
    spread_job *job = context;
    const corr_part *first = &job->parts[0];
    const corr_problem *s = first->s;
    const corr_kernels *k = first->choice->kernels;
    const int64_t panel = item % job->panels, cut = item / job->panels % job->cuts;
    const int64_t g = item / job->panels / job->cuts, c0 = job->cut[cut], *ws = s->w_stride;
    const int64_t o = panel * corr_panel_channels(first->choice);
    const int64_t rows = corr_min(corr_panel_channels(first->choice), s->oc - o);
    const int64_t width = corr_packed_width(first->choice, rows);
    void *to[MAX_SPAN];
    (void)worker;
    (void)run;
    for (int64_t at = 0; at < job->span; at++) {
        to[at] = NULL;
        if (job->part[at] < 0)
            continue;
        const corr_part *p = &job->parts[job->part[at]];
        const int64_t cb = p->choice->cb, begin = c0 / cb * cb, taps = p->s->h.kernel * p->s->w.kernel;
        const int64_t place = o * corr_terms(p->s) + begin * taps * width +
                              job->tap[at] * corr_min(cb, s->ic - begin) * width + (c0 - begin) * width;
        to[at] = (char *)p->packed + g * corr_packed_group_bytes(p->s, p->choice) + place * k->bytes;
    }
    if (!k->pack_spread(job->w + (g * ws[0] + o * ws[1] + c0 * ws[2]) * k->bytes, rows, width,
                        job->cut[cut + 1] - c0, job->span, ws[1], ws[2], to))
        corr_set(&job->odd, 1);
}

static int find_span(spread_job *job, int count) {
    const int64_t bytes = job->parts[0].choice->kernels->bytes;
    const int64_t most = CORR_SPREAD_VECTORS * job->parts[0].choice->kernels->lanes;
    uintptr_t low = UINTPTR_MAX, high = 0;
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < count; i++) {
            const corr_problem *s = job->parts[i].s;
            for (int64_t t = 0; t < s->h.kernel * s->w.kernel; t++) {
                const int64_t at = t / s->w.kernel * s->w_stride[3] + t % s->w.kernel * s->w_stride[4];
                const uintptr_t place = (uintptr_t)job->parts[i].w + (uintptr_t)(at * bytes);
                if (pass) {
                    const int64_t position = (int64_t)(place - low) / bytes;
                    if (job->part[position] >= 0)
                        return 0;
                    job->part[position] = (int8_t)i;
                    job->tap[position] = (int16_t)t;
                } else {
                    low = place < low ? place : low;
                    high = place > high ? place : high;
                    if ((int64_t)(high - low) >= most * bytes)
                        return 0;
                }
            }
        }
    job->w = (const char *)low;
    job->span = (int64_t)(high - low) / bytes + 1;
    return 1;
}

static int make_spread(spread_job *job, corr_part *parts, int count) {
    if (count < 2)
        return 0;
    const corr_problem *s = parts[0].s;
    const int64_t taps_apart = corr_magnitude(s->w_stride[2]);
    job->parts = parts;
    job->panels = corr_ceil_div(s->oc, corr_panel_channels(parts[0].choice));
    job->cuts = 0;
    corr_set(&job->odd, 0);
    for (int at = 0; at < MAX_SPAN; at++)
        job->part[at] = -1;
    for (int i = 0; i < count; i++) {
        const corr_choice *c = parts[i].choice;
        const int64_t *ws = parts[i].s->w_stride;
        if (c->channel_lanes != parts[0].choice->channel_lanes || c->cb < 1 ||
            corr_panel_channels(c) != corr_panel_channels(parts[0].choice) ||
            ws[0] != s->w_stride[0] || ws[1] != s->w_stride[1] || ws[2] != s->w_stride[2])
            return 0;
    }
    if (!find_span(job, count) || taps_apart < job->span)
        return 0; /* taps that lie apart, as HWIO's, are packed well as they are */
    for (int64_t c = 0; c < s->ic;) {
        int64_t next = s->ic;
        if (job->cuts == MAX_CUTS)
            return 0;
        job->cut[job->cuts++] = c;
        for (int i = 0; i < count; i++)
            next = corr_min(next, (c / parts[i].choice->cb + 1) * parts[i].choice->cb);
        c = next;
    }
    job->cut[job->cuts] = s->ic;
    return 1;
}

int corr_weights_together(corr_part *parts, int count) {
    spread_job job;
    return make_spread(&job, parts, count);
}

corr_status corr_pack_parts(corr_part *parts, int count, const corr_call *call) {
    pack_job jobs[CORR_MAX_PARTS];
    spread_job spread;
    const int together = !parts[0].choice->packs_late && make_spread(&spread, parts, count);
    int64_t items = 0, weights = 0;
    for (int i = 0; i < count; i++) {
        const corr_problem *s = parts[i].s;
        const int64_t *ws = s->w_stride;
        pack_job job = {.part = &parts[i],
                        .panels = corr_ceil_div(s->oc, corr_panel_channels(parts[i].choice)),
                        .blocks = corr_ceil_div(s->ic, parts[i].choice->cb)};
        /* An input gradient's output channels lie closer together than its input channels:
         * its weights are read once, from the first to the last. */
        job.blocks_first = corr_magnitude(ws[1]) < corr_magnitude(ws[2]);
        job.items = parts[i].choice->packs_late ? 0 : s->groups * job.panels * job.blocks;
        items += job.items;
        weights += job.items ? s->groups * s->oc * corr_terms(s) : 0;
        jobs[i] = job;
    }
    /* Threads pay from some 10,000 weights on: they are about to be woken anyway. */
    corr_call few = *call;
    if (weights < 10000)
        few.threads = 1;
    corr_status status = CORR_OK;
    if (together)
        status = corr_parallel(spread_item, &spread,
                               parts[0].s->groups * spread.cuts * spread.panels, &few);
    else if (items)
        status = corr_parallel(pack_item, jobs, items, &few);
    for (int i = 0; i < count; i++)
        parts[i].finite = !corr_load(together ? &spread.odd : &jobs[i].odd);
    return status;
}

corr_status corr_pack(const corr_problem *s, const corr_choice *c, const void *w, void *packed,
                      int *finite, const corr_call *call) {
    corr_part part = {.s = s, .choice = c, .w = w, .packed = packed};
    const corr_status status = corr_pack_parts(&part, 1, call);
    *finite = part.finite;
    return status;
}
