/* The passes: forward, and the input gradient as forwards. */
#include "plan.h"
#include "run.h"

#include <string.h>

static corr_call with_threads(const corr_problem *s, const corr_call *call) {
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

static corr_status forward(const corr_problem *s, const void *x, const void *w,
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
    corr_status status = corr_problem_check(problem);
    if (status || corr_is_empty(problem))
        return status;
    corr_problem s = *problem;
    corr_call some = with_threads(&s, call);
    corr_flatten(&s);
    return forward(&s, x, w, bias, y, &some);
}

static void fill_zero(const corr_problem *s, void *y) {
    const size_t bytes = (size_t)corr_kernel_table(s->dtype)->bytes;
    const int64_t *ys = s->y_stride;
    for (int64_t n = 0; n < s->n; n++)
        for (int64_t g = 0; g < s->groups; g++)
            for (int64_t o = 0; o < s->oc; o++)
                for (int64_t i = 0; i < s->h.out; i++) {
                    char *row = (char *)y + (n * ys[0] + g * ys[1] + o * ys[2] + i * ys[3]) *
                                                (int64_t)bytes;
                    for (int64_t j = 0; j < s->w.out; j++)
                        memset(row + j * ys[4] * (int64_t)bytes, 0, bytes);
                }
}

corr_status corr_input_gradient(const corr_problem *problem, void *gx, const void *w,
                                const void *gy, const corr_call *call) {
    corr_status status = corr_problem_check(problem);
    const int64_t bytes = status ? 0 : corr_kernel_table(problem->dtype)->bytes;
    for (int64_t a = 0; a < problem->h.stride && a < problem->h.in && !status; a++)
        for (int64_t b = 0; b < problem->w.stride && b < problem->w.in && !status; b++) {
            corr_problem phase;
            int64_t w_offset, y_offset;
            int taps = corr_input_phase(problem, a, b, &phase, &w_offset, &y_offset);
            void *y = (char *)gx + y_offset * bytes;
            if (corr_is_empty(&phase))
                continue;
            if (!taps || corr_pixels(problem) == 0) {
                fill_zero(&phase, y);
                continue;
            }
            corr_call some = with_threads(&phase, call);
            corr_flatten(&phase);
            status = forward(&phase, gy, (const char *)w + w_offset * bytes, NULL, y, &some);
        }
    return status;
}
