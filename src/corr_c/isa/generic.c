#include "../compiler.h"
#include "../kernels/kernels.h"
#define CORR_ISA generic
#include "../simd/generic.h"
#include "../kernels/instantiate.h"
