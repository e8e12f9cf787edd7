/* Included by isa/<isa>.c once CORR_ISA is set: every template for every type. */
#include "../simd/simd.h"
#include "kernels.h"

#define CORR_DTYPE_f32 CORR_F32
#define CORR_DTYPE_f64 CORR_F64
#define CORR_IS_FLOAT32_f32 1
#define CORR_IS_FLOAT32_f64 0

#define CORR_TYPE f32
#include "templates.h"
#undef CORR_TYPE
#define CORR_TYPE f64
#include "templates.h"
#undef CORR_TYPE
