/* The weight gradient of 3x3 at stride 1 by Winograd's F(3, 4), the transpose of F(4, 3): a tile of
 * 4x4 gradients meets its patch of 6x6 pixels in 36 products for 144.
 *
 *   item: group, some panels of input channels, some of output channels
 *     for chunk of tiles:
 *       V[panel][point][tile][c] = the pixels' transform      (L2 or L3)
 *       W[panel][point][tile][o] = the gradients'
 *       for panel of V, panel of W:
 *         for each point         M[point][c][o] = sum over tiles of V * W
 *         gw = inverse of M      (L2)
 *
 * The products are outer products, a tile each, by the kernel of the direct way (kernels/outer.h). Threads
 * share nothing they write: a core takes lines out of another's cache more slowly than it transforms
 * pixels once more. Kernels of other sizes, and dilations, go as in winograd.c. If a sum is not finite, all is
 * done again directly.
 */
#include "weight.h"
#include "winograd.h"

enum { SIDE = 4, POINTS = 36, TAPS = 3 }; /* of a tile of gradients, of its patch, of what comes of it */

/* One of the two factors. */
typedef struct factor {
    const int64_t *stride;
    corr_winograd_input_kernel *transform;
    int64_t phase[2];
    int pixels;              /* or gradients */
    int64_t channels, width; /* of a group, of a panel */
    int64_t panels, all;     /* of a group: of its channels, and for each block of the kernel */
    int64_t item, items;     /* panels of an item, and how many share them */
    int64_t panel;           /* floats of a transformed one */
} factor;

typedef struct gradient_job {
    const corr_problem *s;
    const corr_winograd_part *parts;
    int count;
    const corr_winograd_weight *choice;
    factor x, gy;
    const char *from[2]; /* x, gy */
    char *gw, *workspace;
    int64_t patch, v, w, point, scratch; /* floats: of a point of M, and of all that a thread has */
    int *odd;
} gradient_job;

/* Some tiles of one part. */
typedef struct chunk_of_tiles {
    const corr_winograd_part *part;
    int64_t first, end, across, down; /* of an image */
} chunk_of_tiles;

/* So that points do not meet in the same sets of L1. */
static int64_t odd_lines(int64_t floats) { return (corr_ceil_div(floats, 16) | 1) * 16; }

static int64_t patch_pitch(const corr_winograd_weight *c) { return (c->run * SIDE + 2) * c->kernels->lanes; }

/* Run by run, tiles that lie in one row of one image. */
static void transform_panel(const gradient_job *job, const factor *f, const chunk_of_tiles *chunk, const char *from,
                            int64_t panel, char *patch, char *to) {
    const corr_kernels *k = job->choice->kernels;
    const int64_t bytes = k->bytes, lanes = k->lanes, tiles = chunk->end - chunk->first;
    const int64_t at = panel % f->panels * f->width, block = panel / f->panels;
    const int64_t blocks_across = corr_winograd_blocks(&job->s->w), *stride = f->stride;
    const corr_problem *part = &chunk->part->s;
    const int64_t p = f->pixels ? block / blocks_across * TAPS - part->h.pad : 0;
    const int64_t q = f->pixels ? block % blocks_across * TAPS - part->w.pad : 0;
    const int64_t side = f->pixels ? SIDE + 2 : SIDE;
    int32_t offsets[POINTS];
    for (int e = 0; e < POINTS; e++)
        offsets[e] = (int32_t)(e * tiles * f->width);
    const int64_t channels = corr_min(f->width, f->channels - at);
    for (int64_t t = chunk->first, count; t < chunk->end; t += count) {
        const int64_t row = t / chunk->across, j = t % chunk->across, n = row / chunk->down, i = row % chunk->down;
        count = corr_min(corr_min(chunk->end - t, chunk->across - j), job->choice->run);
        corr_winograd_patch view = {
            .h = i * SIDE + p, .w = j * SIDE + q, .rows = side, .width = count * SIDE + side - SIDE,
            .h_in = f->pixels ? part->h.in : part->h.out, .w_in = f->pixels ? part->w.in : part->w.out,
            .pitch = patch_pitch(job->choice),
        };
        const char *image = from + (corr_winograd_image(chunk->part->rows, chunk->part->columns, n, stride, f->phase) +
                                    at * stride[2] + view.h * stride[3] + view.w * stride[4]) * bytes;
        for (int64_t c = 0; c < channels; c += lanes) {
            view.ahead = c + lanes < channels ? lanes * stride[2] : count * SIDE * stride[4] - c * stride[2];
            corr_winograd_stage(k, &view, image + c * stride[2] * bytes, stride, channels - c, c == 0, patch);
            f->transform(patch, view.pitch, lanes, count, to + ((t - chunk->first) * f->width + c) * bytes, f->width,
                         offsets);
        }
    }
}

/* M of all points, for c channels of a panel of V and o of one of W. */
static void multiply_panels(const gradient_job *job, int64_t tiles, const char *v, const char *w, int64_t c,
                            int64_t o, char *m) {
    const corr_winograd_weight *choice = job->choice;
    const corr_kernels *k = choice->kernels;
    const int64_t bytes = k->bytes, step = (int64_t)choice->vectors * k->lanes, width = job->gy.width;
    const corr_segment all = {0, 0, tiles};
    for (int e = 0; e < POINTS; e++, m += job->point * bytes) {
        for (int64_t j = 0; j < o; j += step) {
            const int64_t vectors = corr_ceil_div(corr_min(step, o - j), k->lanes);
            for (int64_t i = 0; i < c; i += choice->rows)
                k->outer[vectors - 1][corr_min(choice->rows, c - i) - 1](
                    &all, 1, v + i * bytes, 1, job->x.width, w + j * bytes, width, m + (i * width + j) * bytes,
                    width, 0);
        }
        v += tiles * job->x.width * bytes;
        w += tiles * width * bytes;
    }
}

/* The taps of two panels. */
static void invert_panels(const gradient_job *job, int64_t group, int64_t x_panel, int64_t o_panel, int64_t c,
                          int64_t o, const char *m, char *sums, int accumulate, int worker) {
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t bytes = k->bytes, *ws = s->w_stride, width = job->gy.width, across = corr_winograd_blocks(&s->w);
    const int64_t block = x_panel / job->x.panels, p = block / across * TAPS, q = block % across * TAPS;
    const int64_t o0 = o_panel * width, c0 = x_panel % job->x.panels * job->x.width;
    for (int64_t i = 0; i < c; i++)
        if (!k->winograd_taps(m + i * width * bytes, job->point, corr_round_up(o, k->lanes),
                              sums + i * TAPS * TAPS * width * bytes, width))
            job->odd[worker] = 1;
    const corr_weight_sums from = {sums, width, o, c, TAPS, TAPS};
    corr_store_sums(k, &from, corr_min(TAPS, s->h.kernel - p), corr_min(TAPS, s->w.kernel - q),
                    job->gw + (group * ws[0] + o0 * ws[1] + c0 * ws[2] + p * ws[3] + q * ws[4]) * bytes, ws,
                    accumulate);
}

static void run_item(void *context, int64_t index, int worker, corr_run_state *run) {
    const gradient_job *job = context;
    const factor *x = &job->x, *gy = &job->gy;
    const int64_t bytes = job->choice->kernels->bytes, group = index / gy->items / x->items;
    const int64_t c0 = index / gy->items % x->items * x->item, c1 = corr_min(c0 + x->item, x->all);
    const int64_t o0 = index % gy->items * gy->item, o1 = corr_min(o0 + gy->item, gy->all);
    char *patch = job->workspace + worker * job->scratch * bytes, *v = patch + job->patch * bytes;
    char *w = v + job->v * bytes, *m = w + job->w * bytes, *sums = m + POINTS * job->point * bytes;
    int accumulate = 0;
    for (int i = 0; i < job->count; i++) {
        const corr_winograd_part *part = &job->parts[i];
        const int64_t down = corr_ceil_div(part->s.h.out, SIDE), across = corr_ceil_div(part->s.w.out, SIDE);
        const int64_t tiles = part->s.n * down * across;
        const int64_t step = corr_ceil_div(tiles, corr_ceil_div(tiles, job->choice->tiles));
        const char *pixels = job->from[0] + (group * x->stride[1] + part->x) * bytes;
        const char *gradients = job->from[1] + (group * gy->stride[1] + part->y) * bytes;
        for (int64_t first = 0; first < tiles; first += step, accumulate = 1) {
            const chunk_of_tiles chunk = {part, first, corr_min(first + step, tiles), across, down};
            for (int64_t c = c0; c < c1 && !corr_should_stop(run); c++)
                transform_panel(job, x, &chunk, pixels, c, patch, v + (c - c0) * x->panel * bytes);
            for (int64_t o = o0; o < o1 && !corr_should_stop(run); o++)
                transform_panel(job, gy, &chunk, gradients, o, patch, w + (o - o0) * gy->panel * bytes);
            for (int64_t c = c0; c < c1; c++)
                for (int64_t o = o0; o < o1; o++) {
                    const int64_t in = corr_min(x->width, x->channels - c % x->panels * x->width);
                    const int64_t out = corr_min(gy->width, gy->channels - o * gy->width);
                    if (corr_should_stop(run))
                        return;
                    multiply_panels(job, chunk.end - first, v + (c - c0) * x->panel * bytes,
                                    w + (o - o0) * gy->panel * bytes, in, out, m);
                    invert_panels(job, group, c, o, in, out, m, sums, accumulate, worker);
                }
        }
    }
}

static void set_panels(factor *f, int64_t channels, int64_t width, int64_t blocks, int64_t item, int64_t tiles) {
    f->channels = channels;
    f->width = width;
    f->panels = corr_ceil_div(channels, width);
    f->all = blocks * f->panels;
    f->item = item;
    f->items = corr_ceil_div(f->all, item);
    f->panel = odd_lines(POINTS * tiles * width);
}

corr_status corr_winograd_gradient(const corr_problem *s, const corr_winograd_weight *choice, const void *x, void *gw,
                                   const void *gy, const corr_call *call, int *odd) {
    const corr_kernels *k = choice->kernels;
    const int64_t blocks = corr_winograd_blocks(&s->h) * corr_winograd_blocks(&s->w);
    corr_winograd_part parts[CORR_WINOGRAD_PARTS];
    int each[256] = {0};
    gradient_job job = {.s = s, .parts = parts, .count = corr_winograd_parts(s, parts), .choice = choice,
                        .from = {x, gy}, .gw = gw, .odd = each};
    job.x = (factor){.stride = parts[0].s.x_stride, .phase = {s->x_stride[3], s->x_stride[4]}, .pixels = 1,
                     .transform = k->winograd[0].input};
    job.gy = (factor){.stride = parts[0].s.y_stride, .phase = {s->y_stride[3], s->y_stride[4]},
                      .transform = k->winograd_gradients};
    set_panels(&job.x, s->ic, choice->c_block, blocks, choice->c_panels, choice->tiles);
    set_panels(&job.gy, s->oc, choice->o_block, 1, choice->o_panels, choice->tiles);
    job.patch = odd_lines((SIDE + 2) * patch_pitch(choice));
    job.v = job.x.item * job.x.panel;
    job.w = job.gy.item * job.gy.panel;
    job.point = odd_lines(choice->c_block * choice->o_block);
    job.scratch = job.patch + job.v + job.w + POINTS * job.point + TAPS * TAPS * choice->c_block * choice->o_block;
    const size_t bytes = (size_t)(call->threads * job.scratch * k->bytes);
    if (!(job.workspace = corr_allocate(bytes)))
        return CORR_NO_MEMORY;
    const corr_status status = corr_parallel(run_item, &job, s->groups * job.x.items * job.gy.items, call);
    corr_release(job.workspace, bytes);
    *odd = 0;
    for (int i = 0; i < call->threads; i++)
        *odd |= each[i];
    return status;
}
