/* Weights transformed and laid out as the product reads them: for one panel of output
 * channels after another [point][k][width], k the input channel. All before the products, or
 * each panel by the item that needs it, if a single one does. */
#include "winograd.h"

#include <string.h>

enum { AT_ONCE = 32 }; /* input channels: 9 taps of them and of a vector's outputs stay in L1 */

int64_t corr_winograd_panel_width(const corr_problem *s, const corr_choice *c, int64_t panel) {
    const int64_t lanes = c->kernels->lanes, width = c->vectors * lanes;
    return corr_min(width, corr_round_up(s->oc - panel * width, lanes));
}

/* A line more than the weights of a point, so that points do not meet in the same sets. */
int64_t corr_winograd_point_floats(int64_t terms, int64_t width) { return corr_round_up(terms * width, 16) + 16; }

int64_t corr_winograd_panel_offset(const corr_problem *s, const corr_choice *c, int64_t panel,
                                   int64_t point) {
    const int64_t points = c->points * c->points, terms = corr_winograd_terms(s, c->kernels);
    return panel * points * corr_winograd_point_floats(terms, c->vectors * c->kernels->lanes) +
           point * corr_winograd_point_floats(terms, corr_winograd_panel_width(s, c, panel));
}

int64_t corr_winograd_group_floats(const corr_problem *s, const corr_choice *c) {
    const int64_t last = (s->oc - 1) / (c->vectors * c->kernels->lanes);
    return corr_winograd_panel_offset(s, c, last, c->points * c->points);
}

int64_t corr_winograd_packed_bytes(const corr_problem *s, const corr_choice *c) {
    return c->packs_late ? 0 : s->groups * corr_winograd_group_floats(s, c) * (int64_t)sizeof(float);
}

int64_t corr_winograd_taps_floats(const corr_choice *c) {
    return 9 * AT_ONCE * c->kernels->lanes;
}

/* Some channels of a block of the kernel, as [p][q][channel][width], zeros beside what it has. */
static void pack_block(const corr_problem *s, const corr_kernels *k, const char *w, int64_t outputs,
                       int64_t width, int64_t p0, int64_t q0, int64_t channels, int64_t room, char *taps) {
    const int64_t *ws = s->w_stride, bytes = k->bytes;
    const int64_t rows = corr_min(s->h.kernel - p0, 3), columns = corr_min(s->w.kernel - q0, 3);
    w += (p0 * ws[3] + q0 * ws[4]) * bytes;
    if (rows == 3 && columns == 3 && channels == room) {
        k->pack_weights(w, outputs, width, channels, 3, 3, ws[1], ws[2], ws[3], ws[4], taps);
        return;
    }
    memset(taps, 0, (size_t)(9 * room * width * bytes));
    const int64_t at_once = channels == room ? columns : 1; /* taps that follow one another */
    for (int64_t p = 0; p < rows; p++)
        for (int64_t q = 0; q < columns; q += at_once)
            k->pack_weights(w + (p * ws[3] + q * ws[4]) * bytes, outputs, width, channels, 1, at_once, ws[1],
                            ws[2], ws[3], ws[4], taps + (p * 3 + q) * room * width * bytes);
}

void corr_winograd_pack_panel(const corr_problem *s, const corr_choice *c, const char *w, int64_t panel,
                              int64_t first, int64_t terms, char *taps, char *u) {
    const corr_kernels *k = c->kernels;
    const int64_t *ws = s->w_stride, bytes = k->bytes, lanes = k->lanes;
    const int64_t width = corr_winograd_panel_width(s, c, panel), from = panel * c->vectors * lanes;
    const int64_t all = corr_winograd_channels(s, k), across = corr_winograd_blocks(&s->w);
    const int64_t point = corr_winograd_point_floats(terms, width);
    for (int64_t i = 0; i < width; i += lanes)
        for (int64_t at = 0, room; at < terms; at += room) {
            const int64_t ic = (first + at) % all, block = (first + at) / all, o = from + i;
            room = corr_min(corr_min(AT_ONCE, all - ic), terms - at);
            pack_block(s, k, w + (o * ws[1] + ic * ws[2]) * bytes, corr_min(lanes, s->oc - o), lanes,
                       block / across * 3, block % across * 3, corr_min(room, s->ic - ic), room, taps);
            k->winograd[c->points == 4].weights(taps, room * lanes, room * lanes, u + (at * width + i) * bytes,
                                                width, point);
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
    corr_winograd_pack_panel(s, c, job->w + g * s->w_stride[0] * bytes, panel, 0,
                             corr_winograd_terms(s, c->kernels), job->taps + worker * corr_winograd_taps_floats(c) * bytes,
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
