/* Weights transformed and laid out as the product reads them: for one panel of output
 * channels after another [point][k][width], k the input channel. All before the products, or
 * each panel by the item that needs it, if a single one does. */
#include "winograd.h"

enum { AT_ONCE = 32 }; /* input channels: 9 taps of them for a panel of 32 take 36 KB */

int64_t corr_winograd_panel_width(const corr_problem *s, const corr_choice *c, int64_t panel) {
    const int64_t lanes = c->kernels->lanes, width = c->vectors * lanes;
    return corr_min(width, corr_round_up(s->oc - panel * width, lanes));
}

/* A line more than the weights of a point, so that points do not meet in the same sets. */
static int64_t point_floats(const corr_problem *s, int64_t width) {
    return (s->ic * width + 15) / 16 * 16 + 16;
}

int64_t corr_winograd_panel_offset(const corr_problem *s, const corr_choice *c, int64_t panel,
                                   int64_t point) {
    const int64_t points = c->points * c->points;
    return panel * points * point_floats(s, c->vectors * c->kernels->lanes) +
           point * point_floats(s, corr_winograd_panel_width(s, c, panel));
}

int64_t corr_winograd_group_floats(const corr_problem *s, const corr_choice *c) {
    const int64_t last = (s->oc - 1) / (c->vectors * c->kernels->lanes);
    return corr_winograd_panel_offset(s, c, last, c->points * c->points);
}

int64_t corr_winograd_packed_bytes(const corr_problem *s, const corr_choice *c) {
    return c->packs_late ? 0 : s->groups * corr_winograd_group_floats(s, c) * (int64_t)sizeof(float);
}

int64_t corr_winograd_taps_floats(const corr_choice *c) {
    return 9 * AT_ONCE * (int64_t)c->vectors * c->kernels->lanes;
}

void corr_winograd_pack_panel(const corr_problem *s, const corr_choice *c, const char *w,
                              int64_t panel, char *taps, char *u) {
    const corr_kernels *k = c->kernels;
    const int64_t *ws = s->w_stride, bytes = k->bytes;
    const int64_t width = corr_winograd_panel_width(s, c, panel), o = panel * c->vectors * k->lanes;
    for (int64_t ic = 0; ic < s->ic; ic += AT_ONCE) {
        const int64_t channels = corr_min(AT_ONCE, s->ic - ic), tap = channels * width;
        k->pack_weights(w + (o * ws[1] + ic * ws[2]) * bytes, corr_min(width, s->oc - o), width,
                        channels, 3, 3, ws[1], ws[2], ws[3], ws[4], taps);
        k->winograd[c->points == 4].weights(taps, tap, tap, u + ic * width * bytes,
                                            point_floats(s, width));
    }
}

typedef struct pack_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *w;
    char *packed, *taps;
    int64_t panels;
} pack_job;

static void pack_panel(void *context, int64_t item, int worker, corr_run_state *run) {
    const pack_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const int64_t bytes = c->kernels->bytes;
    const int64_t g = item / job->panels, panel = item % job->panels;
    (void)run;
    corr_winograd_pack_panel(s, c, job->w + g * s->w_stride[0] * bytes, panel,
                             job->taps + worker * corr_winograd_taps_floats(c) * bytes,
                             job->packed + (g * corr_winograd_group_floats(s, c) +
                                            corr_winograd_panel_offset(s, c, panel, 0)) * bytes);
}

corr_status corr_winograd_pack(const corr_problem *s, const corr_choice *c, const void *w,
                               void *packed, int *finite, const corr_call *call) {
    corr_call few = *call;
    *finite = 1; /* what is not makes its tiles so, and those are computed again */
    if (c->packs_late)
        return CORR_OK;
    pack_job job = {.s = s, .choice = c, .w = w, .packed = packed};
    job.panels = corr_ceil_div(s->oc, c->vectors * c->kernels->lanes);
    /* Threads pay from some 100,000 transformed weights on. */
    if (corr_winograd_packed_bytes(s, c) < 400000)
        few.threads = 1;
    few.threads = (int)corr_max(1, corr_min(few.threads, s->groups * job.panels));
    const size_t bytes = (size_t)(few.threads * corr_winograd_taps_floats(c)) * sizeof(float);
    if (!(job.taps = corr_allocate(bytes)))
        return CORR_NO_MEMORY;
    corr_status status = corr_parallel(pack_panel, &job, s->groups * job.panels, &few);
    corr_release(job.taps, bytes);
    return status;
}
