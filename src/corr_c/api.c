#include "compiler.h"
#include "corr.h"

/* The table of the capsule. Fields are only ever added at its end. */
const corr_api *corr_get_api(void) {
    static const corr_api api = {
        CORR_API_VERSION,     sizeof(corr_api),     corr_forward,
        corr_input_gradient,  corr_weight_gradient, corr_plan_create,
        corr_plan_run,        corr_plan_destroy,    corr_allocate,
        corr_release,         corr_set_allocator,   corr_kernel_table_at,
        corr_fma_peak,        corr_set_thread_limit_for_tests,
        corr_problem_check,   corr_plan_describe,   corr_im2col,
        corr_col2im,          corr_pad,             corr_unpad,
        corr_get_num_threads, corr_set_num_threads,
    };
    return &api;
}

/* The process's number of threads as symbols of the module's own: threadpoolctl finds a
 * pool by its library's. What the calling thread has by corr_swap_thread_override is no part
 * of it. */
CORR_EXPORT int corr_pool_get_num_threads(void);
CORR_EXPORT void corr_pool_set_num_threads(int n);

int corr_pool_get_num_threads(void) {
    int own = corr_swap_thread_override(0);
    int n = corr_get_num_threads();
    corr_swap_thread_override(own);
    return n;
}

void corr_pool_set_num_threads(int n) { corr_set_num_threads(n); }
