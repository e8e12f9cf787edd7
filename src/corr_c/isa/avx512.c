#include "../compiler.h"

#if CORR_X86 && !defined(CORR_NO_AVX512)
#include <immintrin.h>
#include "../kernels/kernels.h"
#define CORR_ISA avx512
CORR_TARGET_PUSH("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")
#include "../simd/avx512.h"
#include "../kernels/instantiate.h"
CORR_TARGET_POP
#else
typedef int corr_no_avx512; /* a translation unit may not be empty */
#endif
