/* gw[o, c, tap] = sum over images and pixels of gy[o, pixel] * x[c, pixel at the tap].
 *
 * The pixels of the batch are cut into chunks, a chain of sums each, and chunks into
 * splits; both depend on the problem alone, and are added in order. So the bits do not
 * depend on the threads. A split's sums lie apart and meet in the end.
 */
#include "weight.h"

#include <string.h>

int64_t corr_most_segments(const corr_problem *s, const corr_weight_choice *choice) {
    return choice->images * corr_min(s->h.out, (choice->chunk - 1) / s->w.out + 2);
}

static int64_t slab_channel(const corr_problem *s, const corr_weight_choice *choice) {
    const int64_t rows = corr_min(s->h.out, (choice->chunk - 1) / s->w.out + 2);
    const int64_t reach = (rows - 1) * s->h.stride + (s->h.kernel - 1) * s->h.dilation + 1;
    return choice->images * corr_min(s->h.in, reach) * s->w.in;
}

/* Two lines more, so that channels do not meet in the same sets of L1. */
static int64_t apart(const corr_weight_choice *choice, int64_t elements) {
    const int64_t line = 64 / choice->kernels->bytes, page = 64 * line;
    return (elements + page - 1) / page * page + 2 * line;
}

int64_t corr_slab_elements(const corr_problem *s, const corr_weight_choice *choice, int64_t channels) {
    return channels * apart(choice, slab_channel(s, choice));
}

corr_image_view corr_copy_chunk(const corr_weight_job *job, const corr_chunk *chunk, int64_t g,
                               int64_t c0, int64_t c1, char *slab, int64_t *channel) {
    const corr_problem *s = job->s;
    const int64_t *xs = s->x_stride, bytes = job->choice->kernels->bytes, width = s->w.in;
    int64_t h0, h1;
    corr_chunk_rows(s, chunk, &h0, &h1);
    *channel = apart(job->choice, slab_channel(s, job->choice));
    for (int64_t c = c0; c < c1; c++, slab += *channel * bytes) {
        char *to = slab;
        for (int64_t n = chunk->image; n < chunk->image + chunk->images; n++)
            for (int64_t h = h0; h < h1; h++, to += width * bytes)
                job->choice->kernels->copy(
                    to, job->x + (n * xs[0] + g * xs[1] + c * xs[2] + h * xs[3]) * bytes, xs[4], width);
    }
    return (corr_image_view){(h1 - h0) * width, width, 1, h0 * width};
}

static int64_t blocks(int64_t all, int64_t block) { return corr_ceil_div(all, block); }

corr_weight_item corr_make_weight_item(const corr_weight_job *job, int64_t index) {
    const corr_problem *s = job->s;
    const corr_weight_choice *choice = job->choice;
    const int64_t o_blocks = blocks(s->oc, choice->o_block), c_blocks = blocks(s->ic, choice->c_block);
    corr_weight_item item;
    item.c0 = index % c_blocks * choice->c_block;
    index /= c_blocks;
    item.o0 = index % o_blocks * choice->o_block;
    index /= o_blocks;
    item.g = index % s->groups;
    const int64_t split = index / s->groups;
    item.c1 = corr_min(item.c0 + choice->c_block, s->ic);
    item.o1 = corr_min(item.o0 + choice->o_block, s->oc);
    item.first_chunk = split * choice->chunks / choice->splits;
    item.end_chunk = (split + 1) * choice->chunks / choice->splits;
    item.gw = job->gw + split * job->split_bytes + item.g * job->w_stride[0] * choice->kernels->bytes;
    return item;
}

static void run_item(void *context, int64_t index, int worker, corr_run_state *run) {
    const corr_weight_job *job = context;
    if (job->choice->dot)
        corr_dot_item(job, index, worker, run);
    else
        corr_outer_item(job, index, worker, run);
}

typedef struct join_job {
    const corr_problem *s;
    const corr_weight_choice *choice;
    char *sums, *gw;
    int64_t elements, pieces;
    int accumulate;
} join_job;

/* Row o of a group: its splits' sums added in order, then carried to gw. */
static void join_row(void *context, int64_t item, int worker, corr_run_state *run) {
    const join_job *job = context;
    const corr_problem *s = job->s;
    const corr_kernels *k = job->choice->kernels;
    const int64_t *ws = s->w_stride, terms = corr_terms(s), bytes = k->bytes;
    char *row = job->sums + item * terms * bytes;
    char *gw = job->gw + (item / s->oc * ws[0] + item % s->oc * ws[1]) * bytes;
    (void)worker;
    (void)run;
    for (int64_t split = 1; split < job->choice->splits; split++)
        k->add(row, 1, row + split * job->elements * bytes, terms);
    for (int64_t c = 0; c < s->ic; c++)
        for (int64_t p = 0; p < s->h.kernel; p++)
            for (int64_t q = 0; q < s->w.kernel; q++, row += bytes)
                corr_put_weight(s, gw + (c * ws[2] + p * ws[3] + q * ws[4]) * bytes, row,
                                job->accumulate);
}

/* No pixel, no sum: zero, unless there is something to add nothing to. */
static void fill_zero(const corr_problem *s, char *gw) {
    const int64_t *ws = s->w_stride, bytes = corr_kernel_table(s->dtype)->bytes;
    for (int64_t g = 0; g < s->groups; g++)
        for (int64_t o = 0; o < s->oc; o++)
            for (int64_t c = 0; c < s->ic; c++)
                for (int64_t p = 0; p < s->h.kernel; p++)
                    for (int64_t q = 0; q < s->w.kernel; q++)
                        memset(gw + (g * ws[0] + o * ws[1] + c * ws[2] + p * ws[3] + q * ws[4]) * bytes,
                               0, (size_t)bytes);
}

/* *odd: some sum is infinite or NaN, and sums that lie apart have stayed there. */
static corr_status run_splits(corr_weight_job *job, char *gw, const corr_call *call, int *odd) {
    const corr_problem *s = job->s;
    const corr_weight_choice *choice = job->choice;
    const int64_t taps = s->h.kernel * s->w.kernel;
    const int64_t elements = s->groups * s->oc * corr_terms(s);
    const int64_t items = choice->splits * s->groups * blocks(s->oc, choice->o_block) *
                          blocks(s->ic, choice->c_block);
    const int accumulate = job->accumulate, apart = job->split_bytes > 0;
    if (apart) {
        const int64_t dense[5] = {s->oc * corr_terms(s), corr_terms(s), taps, s->w.kernel, 1};
        memcpy(job->w_stride, dense, sizeof dense);
        job->gw = job->workspace + call->threads * job->scratch_bytes;
        job->accumulate = 0;
    }
    corr_status status = corr_parallel(run_item, job, items, call);
    for (int i = 0; i < call->threads; i++)
        *odd |= job->odd[i] && corr_has_padding(s);
    if (status == CORR_OK && apart && !*odd) {
        join_job join = {.s = s, .choice = choice, .sums = job->gw, .gw = gw, .elements = elements,
                         .accumulate = accumulate};
        status = corr_parallel(join_row, &join, s->groups * s->oc, call);
    }
    return status;
}

/* `careful`: with nothing multiplied by the padding's zeros; else *odd tells if that matters. */
static corr_status run_choice(const corr_problem *s, int careful, const void *x, void *gw,
                              const void *gy, const corr_call *call, int *odd) {
    int each[256] = {0};
    corr_weight_choice choice;
    corr_choose_weight(s, call->threads, careful, &choice);
    corr_weight_job job = {.s = s, .choice = &choice, .x = x, .gy = gy, .gw = gw, .odd = each,
                           .accumulate = call->accumulate};
    const int64_t sums = s->groups * s->oc * corr_terms(s) * choice.kernels->bytes;
    if (choice.splits > 1 || (choice.dot && call->accumulate && corr_has_padding(s)))
        job.split_bytes = sums;
    memcpy(job.w_stride, s->w_stride, sizeof job.w_stride);
    job.scratch_bytes = choice.dot ? corr_dot_scratch(s, &choice) : corr_outer_scratch(s, &choice);
    const int64_t bytes = call->threads * job.scratch_bytes + choice.splits * job.split_bytes;
    job.workspace = corr_allocate((size_t)bytes);
    if (!job.workspace)
        return CORR_NO_MEMORY;
    *odd = 0;
    corr_status status = run_splits(&job, gw, call, odd);
    corr_release(job.workspace, (size_t)bytes);
    return status;
}

/* By Winograd; what is to be added to waits until all sums are known to be finite. */
static corr_status run_winograd(const corr_problem *s, const corr_winograd_weight *way, const void *x, void *gw,
                                const void *gy, const corr_call *call, int *odd) {
    if (!call->accumulate)
        return corr_winograd_gradient(s, way, x, gw, gy, call, odd);
    const int64_t taps = s->h.kernel * s->w.kernel;
    const int64_t dense[5] = {s->oc * corr_terms(s), corr_terms(s), taps, s->w.kernel, 1};
    const size_t bytes = (size_t)(s->groups * dense[0] * way->kernels->bytes);
    corr_problem apart = *s;
    memcpy(apart.w_stride, dense, sizeof dense);
    char *sums = corr_allocate(bytes);
    if (!sums)
        return CORR_NO_MEMORY;
    corr_status status = corr_winograd_gradient(&apart, way, x, sums, gy, call, odd);
    if (status == CORR_OK && !*odd) {
        const corr_weight_choice one = {.kernels = way->kernels, .splits = 1};
        join_job join = {.s = s, .choice = &one, .sums = sums, .gw = gw, .accumulate = 1};
        status = corr_parallel(join_row, &join, s->groups * s->oc, call);
    }
    corr_release(sums, bytes);
    return status;
}

static void swap_factors(corr_problem *s, const void **x, void **gw, const void **gy) {
    const void *const was = *x;
    int64_t offset;
    *s = corr_swap_factors(s, &offset);
    *x = *gy;
    *gy = was;
    *gw = (char *)*gw + offset * corr_kernel_table(s->dtype)->bytes;
}

corr_status corr_weight_gradient(const corr_problem *problem, const void *x, void *gw,
                                 const void *gy, const corr_call *call) {
    corr_problem flat;
    const corr_problem *s = &flat;
    corr_status status = corr_problem_take(problem, &flat);
    if (status || s->groups == 0 || s->oc == 0 || corr_terms(s) == 0)
        return status;
    if (s->n == 0 || corr_pixels(s) == 0) {
        if (!call->accumulate)
            fill_zero(s, gw);
        return CORR_OK;
    }
    corr_call some = *call;
    some.threads = (int)corr_min(corr_choose_threads(s, call->threads < 1 ? 1 : call->threads), 256);
    if (corr_takes_connected(s))
        return corr_connected_weight(s, x, gw, gy, &some);
    corr_flatten(&flat);
    const int pixel = s->h.kernel == 1 && s->w.kernel == 1;
    if (pixel && corr_swaps_factors(s))
        swap_factors(&flat, &x, &gw, &gy);
    const int far = corr_is_far(s);
    int odd = 0;
    corr_winograd_weight way;
    if (!far && corr_takes_winograd_weight(s, some.threads, &way)) {
        status = run_winograd(s, &way, x, gw, gy, &some, &odd);
        if (status != CORR_OK || !odd)
            return status;
    }
    if (!far && corr_takes_weight_lanes(s))
        return corr_depthwise_weight_lanes(s, x, gw, gy, &some);
    if (!far && corr_takes_weight_march(s))
        return corr_depthwise_weight(s, x, gw, gy, &some);
    if (!far && !pixel && corr_swaps_factors(s))
        swap_factors(&flat, &x, &gw, &gy);
    if (!far && corr_turns_for_weight(s))
        return corr_weight_by_planes(s, x, gw, gy, &some);
    status = run_choice(s, far, x, gw, gy, &some, &odd);
    /* A zero of the padding times an infinite gradient is NaN, but a tap in it is absent. */
    if (status == CORR_OK && odd && !far)
        status = run_choice(s, 1, x, gw, gy, &some, &odd);
    return status;
}
