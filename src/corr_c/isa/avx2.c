#include "../compiler.h"

#if CORR_X86
#include <immintrin.h>
#include "../kernels/kernels.h"
#define CORR_ISA avx2
CORR_TARGET_PUSH("avx2,fma")
#include "../simd/avx2.h"
#include "../kernels/instantiate.h"
CORR_TARGET_POP
#else
typedef int corr_no_avx2; /* a translation unit may not be empty */
#endif
