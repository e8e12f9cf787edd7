/* A plan: weights copied and packed once; safe to run from many threads at a time. */
#include "../base/threads.h"
#include "plan.h"
#include "run.h"

#include <stdio.h>
#include <string.h>

/* Weights packed for images of one class of strides: planes, or channels last. */
typedef struct packing {
    corr_choice choice;
    int made, finite;
    void *weights;
    size_t bytes;
} packing;

struct corr_plan {
    corr_problem s; /* w_stride of the copy; n as it was made for */
    int first_class; /* packed when the plan is made, the other when first met */
    packing packings[2];
    corr_mutex guard; /* of the other packing */
    char *weights, *bias;
    size_t weights_bytes, bias_bytes;
};

static void copy_weights(const corr_problem *s, const void *w, char *to, int64_t bytes) {
    const int64_t *ws = s->w_stride;
    for (int64_t g = 0; g < s->groups; g++)
        for (int64_t o = 0; o < s->oc; o++)
            for (int64_t c = 0; c < s->ic; c++)
                for (int64_t p = 0; p < s->h.kernel; p++)
                    for (int64_t q = 0; q < s->w.kernel; q++, to += bytes) {
                        int64_t at = g * ws[0] + o * ws[1] + c * ws[2] + p * ws[3] + q * ws[4];
                        memcpy(to, (const char *)w + at * bytes, (size_t)bytes);
                    }
}

static void contiguous_weights(corr_problem *s) {
    s->w_stride[4] = 1;
    s->w_stride[3] = s->w.kernel;
    s->w_stride[2] = s->w_stride[3] * s->h.kernel;
    s->w_stride[1] = s->w_stride[2] * s->ic;
    s->w_stride[0] = s->w_stride[1] * s->oc;
}

/* A plane of its own lies both ways; then its outputs tell. */
static int class_of(const corr_problem *s) {
    const int one = s->groups * s->ic == 1;
    return corr_channels_last(s) || (one && s->y_stride[2] == 1 && s->y_stride[4] > 1);
}

static void set_strides(int64_t stride[5], int64_t groups, int64_t channels, int64_t h, int64_t w,
                        int channels_last) {
    stride[4] = channels_last ? groups * channels : 1;
    stride[3] = w * stride[4];
    stride[2] = channels_last ? 1 : h * w;
    stride[1] = channels * stride[2];
    stride[0] = groups * channels * h * w;
}

static corr_status make_packing(const corr_plan *plan, int class, const corr_call *call,
                                packing *made) {
    corr_problem s = plan->s;
    corr_call some = *call;
    some.threads = call->threads < 1 ? 1 : call->threads;
    set_strides(s.x_stride, s.groups, s.ic, s.h.in, s.w.in, class);
    set_strides(s.y_stride, s.groups, s.oc, s.h.out, s.w.out, class);
    corr_flatten(&s);
    corr_status status = corr_choose(&s, some.threads, 1, &made->choice);
    if (status)
        return status;
    const corr_engine *engine = made->choice.engine;
    const size_t bytes = (size_t)engine->packed_bytes(&s, &made->choice);
    void *weights = bytes ? corr_allocate(bytes) : NULL;
    if (bytes && !weights)
        return CORR_NO_MEMORY;
    status = engine->pack(&s, &made->choice, plan->weights, weights, &made->finite, &some);
    if (status) {
        corr_release(weights, bytes);
        return status;
    }
    made->weights = weights;
    made->bytes = bytes;
    made->made = 1;
    return CORR_OK;
}

static void drop_packing(packing *made) {
    corr_release(made->weights, made->bytes);
}

static corr_status fill(corr_plan *plan, const corr_problem *problem, const void *w,
                        const void *bias, const corr_call *call) {
    corr_problem *s = &plan->s;
    const int64_t bytes = corr_kernel_table(s->dtype)->bytes;
    plan->weights_bytes = (size_t)(s->groups * s->oc * corr_terms(s) * bytes);
    plan->bias_bytes = bias ? (size_t)(s->groups * s->oc * bytes) : 0;
    plan->weights = corr_allocate(plan->weights_bytes);
    plan->bias = bias ? corr_allocate(plan->bias_bytes) : NULL;
    if (!plan->weights || (bias && !plan->bias))
        return CORR_NO_MEMORY;
    copy_weights(problem, w, plan->weights, bytes);
    if (bias)
        memcpy(plan->bias, bias, plan->bias_bytes);
    contiguous_weights(s);
    return make_packing(plan, plan->first_class, call, &plan->packings[plan->first_class]);
}

corr_status corr_plan_create(const corr_problem *problem, const void *w, const void *bias,
                             const corr_call *call, corr_plan **out) {
    *out = NULL;
    corr_problem taken;
    corr_status status = corr_problem_take(problem, &taken);
    if (status)
        return status;
    corr_plan *plan = corr_allocate(sizeof *plan);
    if (!plan)
        return CORR_NO_MEMORY;
    memset(plan, 0, sizeof *plan);
    plan->s = taken;
    plan->s.n = corr_max(problem->n, 1); /* of no image, it may be run on some */
    plan->guard = (corr_mutex)CORR_MUTEX_INIT;
    plan->first_class = class_of(problem);
    status = fill(plan, problem, w, bias, call);
    if (status)
        corr_plan_destroy(plan);
    else
        *out = plan;
    return status;
}

/* Whoever finds the other packing being made, by a thread that may not even exist in this
 * process after a fork, makes one for its own call. */
static corr_status find_packing(corr_plan *plan, int class, const corr_call *call,
                                packing *own, const packing **found) {
    packing *kept = &plan->packings[class];
    corr_status status = CORR_OK;
    *found = kept;
    if (class == plan->first_class)
        return CORR_OK;
    if (!corr_try_lock(&plan->guard)) {
        *found = own;
        return make_packing(plan, class, call, own);
    }
    if (!kept->made)
        status = make_packing(plan, class, call, kept);
    corr_unlock(&plan->guard);
    return status;
}

corr_status corr_plan_run(const corr_plan *plan, int64_t n, const void *x,
                          const int64_t x_stride[5], void *y, const int64_t y_stride[5],
                          const corr_call *call) {
    corr_problem s = plan->s;
    s.n = n;
    memcpy(s.x_stride, x_stride, sizeof s.x_stride);
    memcpy(s.y_stride, y_stride, sizeof s.y_stride);
    corr_status status = corr_problem_check(&s);
    if (status || corr_is_empty(&s))
        return status;
    packing own = {.made = 0};
    const packing *use;
    /* Only the packing is written, under its lock: plans are shared between threads. */
    status = find_packing((corr_plan *)(uintptr_t)plan, class_of(&s), call, &own, &use);
    if (status)
        return status;
    corr_call some = *call;
    corr_choice choice = use->choice;
    some.threads = corr_choose_threads(&s, call->threads < 1 ? 1 : call->threads);
    corr_flatten(&s);
    corr_choose_split(&s, some.threads, &choice);
    if ((choice.engine == &corr_groups_engine && !corr_fits_groups(&s, &choice)) ||
        (choice.engine == &corr_connected_engine && !corr_takes_connected(&s)))
        status = corr_run_forward(&s, x, plan->weights, plan->bias, y, &some); /* odd strides */
    else
        status = corr_run_packed(&s, &choice, x, plan->weights, use->weights, use->finite,
                                 plan->bias, y, &some);
    drop_packing(&own);
    return status;
}

void corr_plan_describe(const corr_plan *plan, corr_plan_info *info) {
    const corr_problem *s = &plan->s;
    const corr_choice *c = &plan->packings[plan->first_class].choice;
    info->algorithm = c->engine->algorithm == CORR_WINOGRAD ? "winograd"
                      : c->engine->algorithm == CORR_FFT    ? "fft"
                                                            : "direct";
    const char *type = s->dtype == CORR_F32 ? "f32" : "f64";
    if (c->engine == &corr_plain_engine)
        snprintf(info->kernel, sizeof info->kernel, "%s_%s_%s", c->engine->name, type,
                 c->kernels->isa);
    else if (c->engine == &corr_winograd_engine)
        snprintf(info->kernel, sizeof info->kernel, "%s%d_%s_%s_%dx%d", c->engine->name,
                 c->points - 2, type, c->kernels->isa, c->rows, c->vectors * c->kernels->lanes);
    else if (c->engine == &corr_fft_engine)
        snprintf(info->kernel, sizeof info->kernel, "%s_%s_%s_%dx%d", c->engine->name, type,
                 c->kernels->isa, (int)c->tile_h, (int)c->tile_w);
    else
        snprintf(info->kernel, sizeof info->kernel, "%s_%s_%s_%dx%d", c->engine->name, type,
                 c->kernels->isa, c->rows, c->vectors * c->kernels->lanes);
    info->workspace_bytes = c->engine->workspace_bytes(s, c, 1);
    info->flops = 2.0 * (double)(s->n * s->groups * s->oc) * (double)corr_pixels(s) *
                  (double)corr_terms(s);
}

void corr_plan_destroy(corr_plan *plan) {
    if (!plan)
        return;
    corr_release(plan->weights, plan->weights_bytes);
    drop_packing(&plan->packings[0]);
    drop_packing(&plan->packings[1]);
    corr_release(plan->bias, plan->bias_bytes);
    corr_release(plan, sizeof *plan);
}
