/* Plain C: vectors of 16 bytes for any machine, without fused rounding. gcc and clang have a type
 * for them, and make of it what every CPU of the target can do (SSE2 on x86-64). */

#define CORR_TILES_generic(X) CORR_ROWS_4(X, 1) CORR_ROWS_4(X, 2)
#define CORR_TILE_ROWS_generic {4, 4, 0, 0}
#define CORR_DOTS_generic(X) CORR_ROWS_4(X, 1) CORR_ROWS_4(X, 2)
#define CORR_DOT_ROWS_generic 2
#define CORR_DOT_COLUMNS_generic 4
/* Of 3x3 alone: these fallbacks may not take more room than the kernels of any machine. */
#define CORR_MARCHES_f32_generic(X) X(SHARED, 3, 1, 1) X(SHARED, 3, 2, 1)
#define CORR_MARCHES_f64_generic(X) CORR_MARCHES_f32_generic(X)
#define CORR_LANES_MARCHES_f32_generic(X) X(3, 3, 1, 1) X(3, 3, 2, 1)
#define CORR_LANES_MARCHES_f64_generic CORR_LANES_MARCHES_f32_generic
/* Blocks of taps of the weight gradient: X(rows, columns, step); of 3x3: X(step, vectors). */
#define CORR_WEIGHTS_generic(X) X(1, 1, 1) X(1, 3, 1) X(1, 1, 2) X(1, 3, 2)
#define CORR_WEIGHTS3_generic(X) X(1, 1) X(2, 1)
/* Of one channel a lane: X(rows, columns). */
#define CORR_WEIGHTS_LANES_generic(X) \
    X(1, 1) X(3, 1) X(1, 3) X(3, 3) X(1, 5)
#define CORR_UPS_generic(X) X(3, 1)
#define CORR_UPS_LANES_generic(X) X(3)
#define CORR_BLOCKS_generic(X) X(1, 1) X(4, 1)
#define CORR_BLOCKS_IMAGE_generic(X) X(1, 1)
#define CORR_SLIDES_f32_generic(X) X(3, 1, 1)
#define CORR_SLIDES_f64_generic CORR_SLIDES_f32_generic
#define CORR_BANDS_generic(X) X(3, 1, 1, 1)
#define CORR_BANDS_PLANES_generic(X) X(3, 1, 1, 1)
#define CORR_REUSES_generic(X) X(1, 1) X(3, 1)
#define CORR_GROUPS_f32_generic(X)                                                                 \
    X(1, 1, 1) X(1, 2, 1) X(1, 4, 1) X(2, 1, 1) X(2, 2, 1) X(2, 4, 1)
#define CORR_GROUPS_f64_generic(X) CORR_GROUPS_f32_generic(X)
#define CORR_GROUPS_LANES_f32_generic(X) X(1, 1)
#define CORR_GROUPS_LANES_f64_generic(X) X(1, 1)

enum { V_LANES_f32_generic = 4, V_LANES_f64_generic = 2, V_MASKED_generic = 0, V_RELOADS_generic = 0 };

#include "simd.h"
#define CORR_TYPE f32
#include "generic_lanes.h"
#undef CORR_TYPE
#define CORR_TYPE f64
#include "generic_lanes.h"
#undef CORR_TYPE
