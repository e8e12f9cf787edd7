/* What the rooms below share: scratch memory, the pool, the CPU's kernel tables. */
#ifndef CORR_BASE_H
#define CORR_BASE_H

#include "../compiler.h"
#include "../corr.h"
#include "../kernels/kernels.h"

/* A task's view of its run. Tasks ask between steps of some milliseconds whether to give up;
 * on the calling thread that is also what looks for Ctrl-C. */
typedef struct corr_run_state corr_run_state;
int corr_should_stop(corr_run_state *run);

/* Calls task(context, item, worker, run) for 0 <= item < items, each once, on up to
 * call->threads threads; `worker` < threads tells scratch apart. */
typedef void corr_task(void *context, int64_t item, int worker, corr_run_state *run);
corr_status corr_parallel(corr_task *task, void *context, int64_t items, const corr_call *call);

/* The product of two sizes; non-zero if it does not fit or one of them is negative. */
CORR_INLINE int corr_multiply(int64_t a, int64_t b, int64_t *product) {
#if defined(__GNUC__)
    return a < 0 || b < 0 || __builtin_mul_overflow(a, b, product);
#else
    if (a < 0 || b < 0 || (b != 0 && a > INT64_MAX / b))
        return 1;
    *product = a * b;
    return 0;
#endif
}

CORR_INLINE int64_t corr_min(int64_t a, int64_t b) { return a < b ? a : b; }
CORR_INLINE int64_t corr_max(int64_t a, int64_t b) { return a > b ? a : b; }
CORR_INLINE int64_t corr_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
CORR_INLINE int64_t corr_magnitude(int64_t a) { return a < 0 ? -a : a; }
CORR_INLINE int64_t corr_round_up(int64_t a, int64_t b) { return corr_ceil_div(a, b) * b; }

#endif
