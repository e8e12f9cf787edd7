#include "corr.h"

/* The table of the capsule. Fields are only ever added at its end. */
const corr_api *corr_get_api(void) {
    static const corr_api api = {
        CORR_API_VERSION,     sizeof(corr_api),     corr_forward,
        corr_input_gradient,  corr_weight_gradient, corr_plan_create,
        corr_plan_run,        corr_plan_destroy,    corr_allocate,
        corr_release,         corr_set_allocator,   corr_kernel_table_at,
        corr_fma_peak,        corr_set_thread_limit_for_tests,
    };
    return &api;
}
