#include "plan.h"

/* In the order in which they are asked. */
const corr_engine *const corr_engines[] = {
    &corr_plain_engine, &corr_fft_engine, &corr_depthwise_engine, &corr_winograd_engine,
    &corr_groups_engine, &corr_connected_engine, &corr_dots_engine, &corr_gemm_engine, NULL,
};
