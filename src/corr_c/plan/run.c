/* The forward pass. */
#include "plan.h"
#include "run.h"

corr_call corr_with_threads(const corr_problem *s, const corr_call *call) {
    corr_call some = *call;
    some.threads = corr_choose_threads(s, call->threads < 1 ? 1 : call->threads);
    return some;
}

corr_status corr_run_packed(const corr_problem *s, const corr_choice *choice, const void *x,
                            const void *w, const void *packed, int finite, const void *bias,
                            void *y, const corr_call *call) {
    int64_t bytes = choice->engine->workspace_bytes(s, choice, call->threads);
    void *workspace = NULL;
    if (bytes && !(workspace = corr_allocate((size_t)bytes)))
        return CORR_NO_MEMORY;
    corr_status status =
        choice->engine->run(s, choice, x, w, packed, bias, y, workspace, call);
    /* A packed zero times an infinite weight is NaN, but a tap in the padding is absent. */
    if (status == CORR_OK && !finite && corr_has_padding(s))
        status = corr_redo_edges(s, choice, x, w, bias, y, call);
    corr_release(workspace, (size_t)bytes);
    return status;
}

corr_status corr_run_forward(const corr_problem *s, const void *x, const void *w,
                           const void *bias, void *y, const corr_call *call) {
    corr_choice choice;
    corr_status status = corr_choose(s, call->threads, 0, &choice);
    if (status)
        return status;
    int64_t bytes = choice.engine->packed_bytes(s, &choice);
    void *packed = NULL;
    int finite = 1;
    if (bytes && !(packed = corr_allocate((size_t)bytes)))
        return CORR_NO_MEMORY;
    status = choice.engine->pack(s, &choice, w, packed, &finite, call);
    if (status == CORR_OK)
        status = corr_run_packed(s, &choice, x, w, packed, finite, bias, y, call);
    corr_release(packed, (size_t)bytes);
    return status;
}

corr_status corr_forward(const corr_problem *problem, const void *x, const void *w,
                         const void *bias, void *y, const corr_call *call) {
    corr_problem s;
    corr_status status = corr_problem_take(problem, &s);
    if (status || corr_is_empty(&s))
        return status;
    corr_call some = corr_with_threads(&s, call);
    corr_flatten(&s);
    return corr_run_forward(&s, x, w, bias, y, &some);
}

