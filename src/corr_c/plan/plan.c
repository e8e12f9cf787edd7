/* A plan: weights copied and packed once; safe to run from many threads at a time. */
#include "plan.h"
#include "run.h"

#include <stdio.h>
#include <string.h>

struct corr_plan {
    corr_problem s; /* w_stride of the copy; n as it was made for */
    corr_choice choice;
    int finite;
    char *weights, *bias, *packed;
    size_t weights_bytes, bias_bytes, packed_bytes;
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

static corr_status fill(corr_plan *plan, const corr_problem *problem, const void *w,
                        const void *bias, const corr_call *call) {
    corr_problem *s = &plan->s;
    corr_status status = corr_choose(s, call->threads, &plan->choice);
    if (status)
        return status;
    const int64_t bytes = plan->choice.kernels->bytes;
    plan->weights_bytes = (size_t)(s->groups * s->oc * corr_terms(s) * bytes);
    plan->bias_bytes = bias ? (size_t)(s->groups * s->oc * bytes) : 0;
    plan->packed_bytes = (size_t)plan->choice.engine->packed_bytes(s, &plan->choice);
    plan->weights = corr_allocate(plan->weights_bytes);
    plan->packed = corr_allocate(plan->packed_bytes);
    plan->bias = bias ? corr_allocate(plan->bias_bytes) : NULL;
    if (!plan->weights || !plan->packed || (bias && !plan->bias))
        return CORR_NO_MEMORY;
    copy_weights(problem, w, plan->weights, bytes);
    if (bias)
        memcpy(plan->bias, bias, plan->bias_bytes);
    contiguous_weights(s);
    return plan->choice.engine->pack(s, &plan->choice, plan->weights, plan->packed,
                                     &plan->finite, call);
}

corr_status corr_plan_create(const corr_problem *problem, const void *w, const void *bias,
                             const corr_call *call, corr_plan **out) {
    *out = NULL;
    corr_status status = corr_problem_check(problem);
    if (status)
        return status;
    corr_plan *plan = corr_allocate(sizeof *plan);
    if (!plan)
        return CORR_NO_MEMORY;
    memset(plan, 0, sizeof *plan);
    plan->s = *problem;
    status = fill(plan, problem, w, bias, call);
    if (status)
        corr_plan_destroy(plan);
    else
        *out = plan;
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
    corr_call some = *call;
    corr_choice choice = plan->choice;
    some.threads = corr_choose_threads(&s, call->threads < 1 ? 1 : call->threads);
    corr_flatten(&s);
    corr_choose_split(&s, some.threads, &choice);
    return corr_run_packed(&s, &choice, x, plan->weights, plan->packed, plan->finite, plan->bias,
                           y, &some);
}

void corr_plan_describe(const corr_plan *plan, corr_plan_info *info) {
    const corr_problem *s = &plan->s;
    const corr_choice *c = &plan->choice;
    info->algorithm = "direct";
    if (c->engine != &corr_plain_engine)
        snprintf(info->kernel, sizeof info->kernel, "%s_%s_%s_%dx%d", c->engine->name,
                 s->dtype == CORR_F32 ? "f32" : "f64", c->kernels->isa, c->rows,
                 c->vectors * c->kernels->lanes);
    else
        snprintf(info->kernel, sizeof info->kernel, "%s_%s_%s", c->engine->name,
                 s->dtype == CORR_F32 ? "f32" : "f64", c->kernels->isa);
    info->workspace_bytes = c->engine->workspace_bytes(s, c, 1);
    info->flops = 2.0 * (double)(s->n * s->groups * s->oc) * (double)corr_pixels(s) *
                  (double)corr_terms(s);
}

void corr_plan_destroy(corr_plan *plan) {
    if (!plan)
        return;
    corr_release(plan->weights, plan->weights_bytes);
    corr_release(plan->packed, plan->packed_bytes);
    corr_release(plan->bias, plan->bias_bytes);
    corr_release(plan, sizeof *plan);
}
