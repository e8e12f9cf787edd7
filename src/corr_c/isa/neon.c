#include "../compiler.h"

#if CORR_ARM64
#include <arm_neon.h>
#include "../kernels/kernels.h"
#define CORR_ISA neon
#include "../simd/neon.h"
#include "../kernels/instantiate.h"
#else
typedef int corr_no_neon; /* a translation unit may not be empty */
#endif
