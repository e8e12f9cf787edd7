/* Weights transformed and laid out as the product reads them: for one panel of output
 * channels after another [point][k][width], k the input channel. */
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
    return s->groups * corr_winograd_group_floats(s, c) * (int64_t)sizeof(float);
}

typedef struct pack_job {
    const corr_problem *s;
    const corr_choice *choice;
    const char *w;
    char *packed, *taps;
    int64_t panels, taps_floats;
} pack_job;

static void pack_panel(void *context, int64_t item, int worker, corr_run_state *run) {
    const pack_job *job = context;
    const corr_problem *s = job->s;
    const corr_choice *c = job->choice;
    const corr_kernels *k = c->kernels;
    const int64_t *ws = s->w_stride, bytes = k->bytes;
    const int64_t g = item / job->panels, panel = item % job->panels;
    const int64_t width = corr_winograd_panel_width(s, c, panel), o = panel * c->vectors * k->lanes;
    const char *w = job->w + (g * ws[0] + o * ws[1]) * bytes;
    char *taps = job->taps + worker * job->taps_floats * bytes;
    char *u = job->packed + (g * corr_winograd_group_floats(s, c) +
                             corr_winograd_panel_offset(s, c, panel, 0)) * bytes;
    for (int64_t ic = 0; ic < s->ic && !corr_should_stop(run); ic += AT_ONCE) {
        const int64_t channels = corr_min(AT_ONCE, s->ic - ic), tap = channels * width;
        k->pack_weights(w + ic * ws[2] * bytes, corr_min(width, s->oc - o), width, channels, 3, 3,
                        ws[1], ws[2], ws[3], ws[4], taps);
        k->winograd[c->points == 4].weights(taps, tap, tap, u + ic * width * bytes,
                                            point_floats(s, width));
    }
}

corr_status corr_winograd_pack(const corr_problem *s, const corr_choice *c, const void *w,
                               void *packed, int *finite, const corr_call *call) {
    corr_call few = *call;
    pack_job job = {.s = s, .choice = c, .w = w, .packed = packed};
    job.panels = corr_ceil_div(s->oc, c->vectors * c->kernels->lanes);
    job.taps_floats = 9 * AT_ONCE * c->vectors * c->kernels->lanes;
    /* Threads pay from some 100,000 transformed weights on. */
    if (corr_winograd_packed_bytes(s, c) < 400000)
        few.threads = 1;
    few.threads = (int)corr_max(1, corr_min(few.threads, s->groups * job.panels));
    const size_t bytes = (size_t)(few.threads * job.taps_floats) * sizeof(float);
    *finite = 1; /* what is not makes its tiles so, and those are computed again */
    if (!(job.taps = corr_allocate(bytes)))
        return CORR_NO_MEMORY;
    corr_status status = corr_parallel(pack_panel, &job, s->groups * job.panels, &few);
    corr_release(job.taps, bytes);
    return status;
}
