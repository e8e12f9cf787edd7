/* The input gradient of a strided layer on small planes, all phases of the stride at once: each is a
 * product whose lanes are input channels, and a pixel of those, stored at its own place among the other
 * phases', waits in L2 for the planes that are written in the end.
 *
 *   item: image, group, some rows, some panels of input channels
 *     gy, with the zeros around it that some phase sees       (L2)
 *     for phase, panel: tiles of a row's pixels -> [pixel][channel], every stride-th   (L2)
 *     turned to planes
 */
#include "../base/threads.h"
#include "../plan/plan.h"

/* Of a phase, in elements. */
typedef struct place {
    int64_t from; /* what its first output reads of the copy of gy */
    int64_t to;   /* its first pixel of gx */
    const int32_t *offsets, *last_offsets; /* of the terms of a block of channels */
} place;

typedef struct phases_job {
    const corr_problem *s; /* whose x is gx */
    const corr_part *parts;
    int count;
    place places[CORR_MAX_PARTS];
    int64_t top, left;    /* rows and columns before gy that some phase sees, */
    int64_t halo, pitch;  /* rows more than an item has of a phase's, and columns of them all */
    int64_t channel;      /* from one to the next in the copy of gy */
    int64_t parts_down, rows; /* of a phase's rows, each of so many */
    int64_t bands, width; /* of input channels, of an item */
    int64_t offsets, slab, scratch; /* bytes: of all offsets, of the copy, of a thread */
    const char *gy;
    char *gx, *workspace;
} phases_job;

typedef struct phases_item {
    const phases_job *job;
    char *slab, *sums;
    int64_t g, o0, o1; /* input channels */
    int64_t i0, i1;    /* rows of each phase, as far as it has them */
} phases_item;

static const corr_axis *axis_of(const corr_part *part, int down) { return down ? &part->s->h : &part->s->w; }

/* Rows or columns beyond a phase's outputs that the taps of all phases see, from -*pad on. */
static int64_t beyond(const corr_part *parts, int count, int down, int64_t *pad) {
    int64_t most = 0;
    *pad = axis_of(&parts[0], down)->pad;
    for (int i = 1; i < count; i++)
        *pad = corr_max(*pad, axis_of(&parts[i], down)->pad);
    for (int i = 0; i < count; i++) {
        const corr_axis *a = axis_of(&parts[i], down);
        most = corr_max(most, *pad - a->pad + (a->kernel - 1) * a->dilation);
    }
    return most;
}

static phases_job make_job(const corr_problem *s, const corr_part *parts, int count, int threads) {
    const corr_kernels *k = parts[0].choice->kernels;
    const int64_t panel = corr_panel_channels(parts[0].choice);
    phases_job job = {.s = s, .parts = parts, .count = count};
    corr_split_phases(s, panel, k->bytes, threads, &job.rows, &job.bands);
    job.halo = beyond(parts, count, 1, &job.top);
    job.pitch = corr_ceil_div(s->w.in, s->w.stride) + beyond(parts, count, 0, &job.left);
    job.channel = (job.rows + job.halo) * job.pitch;
    if (corr_share_sets(job.channel, k))
        job.channel += k->lanes;
    for (int i = 0; i < count; i++) {
        const corr_problem *p = parts[i].s;
        job.places[i].from = (job.top - p->h.pad) * job.pitch + job.left - p->w.pad;
        job.offsets += 2 * parts[i].choice->cb * p->h.kernel * p->w.kernel * (int64_t)sizeof(int32_t);
    }
    job.parts_down = corr_ceil_div(corr_ceil_div(s->h.in, s->h.stride), job.rows);
    job.width = corr_ceil_div(corr_ceil_div(s->ic, panel), job.bands) * panel;
    job.offsets = corr_round_up(job.offsets, 64);
    job.slab = corr_round_up((job.channel * s->oc + 2 * k->lanes) * k->bytes, 64);
    job.scratch = job.slab + corr_round_up(job.rows * s->h.stride * s->w.in * job.width * k->bytes, 64);
    return job;
}

int64_t corr_phases_workspace(const corr_problem *s, const corr_part *parts, int count, int threads) {
    const phases_job job = make_job(s, parts, count, threads);
    return job.offsets + threads * job.scratch;
}

/* A row of a phase's pixels, a panel of channels, a chain of its terms [pc, end), of a block of channels from
 * c0 on. */
static void multiply_row(const phases_item *item, int f, int64_t row, int64_t o, int64_t c0, int64_t pc, int64_t end) {
    const phases_job *job = item->job;
    const corr_part *part = &job->parts[f];
    const corr_problem *p = part->s;
    const corr_choice *c = part->choice;
    const corr_kernels *k = c->kernels;
    const place *at = &job->places[f];
    const int64_t channels = corr_min(c->cb, p->ic - c0), panel = corr_min(corr_panel_channels(c), item->o1 - o);
    const int64_t width = corr_packed_width(c, panel), taps = p->h.kernel * p->w.kernel, bytes = k->bytes;
    const int32_t *offsets = channels == c->cb ? at->offsets : at->last_offsets;
    const corr_store store = {.accumulate = c0 > 0 || pc > 0};
    int64_t p0, p1;
    corr_find_taps(&p->h, row, row, &p0, &p1);
    pc = corr_max(pc, p0 * p->w.kernel * channels);
    end = corr_max(pc, corr_min(end, p1 * p->w.kernel * channels));
    const char *w = (const char *)part->packed + item->g * corr_packed_group_bytes(p, c) +
                    (o * corr_terms(p) + (c0 * taps + pc) * width) * bytes;
    const char *x = item->slab + (c0 * job->channel + at->from + (row - item->i0) * job->pitch) * bytes;
    const int64_t pixel = at->to + (row - item->i0) * job->s->h.stride * job->s->w.in;
    char *to = item->sums + (pixel * job->width + o - item->o0) * bytes;
    const int64_t step = job->s->w.stride * job->width;
    for (int64_t j = 0; j < p->w.out; j += c->rows) {
        const int64_t pixels = corr_min(c->rows, p->w.out - j);
        k->gemm_points[width / k->lanes - 1][pixels - 1](end - pc, x + j * bytes, 1, offsets + pc, w, width,
                                                         to + j * step * bytes, step, panel, &store);
    }
}

static void multiply_phase(const phases_item *item, int f) {
    const corr_problem *p = item->job->parts[f].s;
    const corr_choice *c = item->job->parts[f].choice;
    for (int64_t c0 = 0; c0 < p->ic; c0 += c->cb) {
        const int64_t terms = corr_min(c->cb, p->ic - c0) * p->h.kernel * p->w.kernel;
        for (int64_t pc = 0; pc < terms; pc += c->kc)
            for (int64_t o = item->o0; o < item->o1; o += corr_panel_channels(c))
                for (int64_t row = item->i0; row < corr_min(item->i1, p->h.out); row++)
                    multiply_row(item, f, row, o, c0, pc, corr_min(pc + c->kc, terms));
    }
}

/* The gradients that its rows see, and zeros where there are none. */
static void copy_gradients(const phases_item *item, const char *gy) {
    const phases_job *job = item->job;
    const corr_problem *s = job->s;
    const int64_t *ys = s->y_stride, h = item->i0 - job->top;
    corr_rows r = {.count = item->i1 - item->i0 + job->halo, .width = job->pitch, .pitch = job->pitch, .row = ys[3],
                   .step = ys[4]};
    r.first = corr_min(corr_max(-h, 0), r.count);
    r.end = corr_max(r.first, corr_min(s->h.out - h, r.count));
    r.lo = corr_min(corr_max(job->left, 0), r.width);
    r.hi = corr_max(r.lo, corr_min(s->w.out + job->left, r.width));
    const corr_kernels *k = job->parts[0].choice->kernels;
    k->pack_rows(&r, gy + (h * ys[3] - job->left * ys[4]) * k->bytes, ys[2], s->oc, item->slab, job->channel);
}

static void make_gradient(void *context, int64_t index, int worker, corr_run_state *run) {
    const phases_job *job = context;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->parts[0].choice->kernels;
    const int64_t *xs = s->x_stride, *ys = s->y_stride, bytes = k->bytes;
    const int64_t image = index / job->bands / job->parts_down, n = image / s->groups;
    const corr_store plain = {0};
    phases_item item = {.job = job, .g = image % s->groups};
    item.slab = job->workspace + job->offsets + worker * job->scratch;
    item.sums = item.slab + job->slab;
    item.o0 = index % job->bands * job->width;
    item.o1 = corr_min(item.o0 + job->width, s->ic);
    item.i0 = index / job->bands % job->parts_down * job->rows;
    item.i1 = corr_min(item.i0 + job->rows, corr_ceil_div(s->h.in, s->h.stride));
    copy_gradients(&item, job->gy + (n * ys[0] + item.g * ys[1]) * bytes);
    for (int f = 0; f < job->count && !corr_should_stop(run); f++)
        multiply_phase(&item, f);
    const int64_t first = item.i0 * s->h.stride, rows = corr_min(item.i1 * s->h.stride, s->h.in) - first;
    const int flat = xs[3] == s->w.in;
    char *gx = job->gx + (n * xs[0] + item.g * xs[1] + item.o0 * xs[2] + first * xs[3]) * bytes;
    for (int64_t i = 0; i < (flat ? 1 : rows); i++)
        k->transpose(flat ? rows * s->w.in : s->w.in, item.o1 - item.o0,
                     item.sums + i * s->w.in * job->width * bytes, job->width, gx + i * xs[3] * bytes, xs[2], &plain);
}

corr_status corr_run_phases(const corr_problem *s, const corr_part *parts, int count, char *gx, void *workspace,
                            const corr_call *call) {
    phases_job job = make_job(s, parts, count, call->threads);
    int32_t *offsets = workspace;
    job.gy = parts[0].x;
    job.gx = gx;
    job.workspace = workspace;
    for (int i = 0; i < count; i++) {
        const corr_problem *p = parts[i].s;
        const int64_t cb = parts[i].choice->cb, last = p->ic - (corr_ceil_div(p->ic, cb) - 1) * cb;
        const int64_t pixel = ((const char *)parts[i].y - gx) / parts[i].choice->kernels->bytes;
        job.places[i].to = pixel / s->x_stride[3] * s->w.in + pixel % s->x_stride[3];
        job.places[i].offsets = offsets;
        corr_pixel_offsets(p, job.pitch, 1, job.channel, cb, offsets);
        offsets += cb * p->h.kernel * p->w.kernel;
        job.places[i].last_offsets = offsets;
        corr_pixel_offsets(p, job.pitch, 1, job.channel, last, offsets);
        offsets += cb * p->h.kernel * p->w.kernel;
    }
    corr_status status = corr_parallel(make_gradient, &job, s->n * s->groups * job.parts_down * job.bands, call);
    for (int i = 0; i < count && status == CORR_OK; i++)
        if (!parts[i].finite && corr_has_padding(parts[i].s))
            status = corr_redo_edges(parts[i].s, parts[i].choice, parts[i].x, parts[i].w, NULL, parts[i].y, call);
    return status;
}
