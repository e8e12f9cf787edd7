/* All templates and the table for one CORR_TYPE of one CORR_ISA; included twice by isa.h. */
#include "gemm.h"
#include "pack.h"
#include "pack_weights.h"
#include "transpose.h"
#include "dot.h"
#include "outer.h"
#include "plain.h"
#include "copy.h"
#include "fold.h"
#include "lanes.h"
#if CORR_PASTE2(CORR_IS_FLOAT32, CORR_TYPE)
#include "winograd.h"
#endif
#include "stencil_block.h"
#include "stencil.h"
#include "stencil_lanes.h"
#include "stencil_band.h"
#include "stencil_slide.h"
#include "stencil_up.h"
#include "stencil_up_lanes.h"
#include "stencil_weight.h"
#include "weight_lanes.h"
#include "groups.h"
#include "group_lanes.h"
#include "fft.h"

#define CORR_TEXT_(x) #x
#define CORR_TEXT(x) CORR_TEXT_(x)
#define CORR_GEMM_ENTRY(rows, vectors) \
    [(vectors) - 1][(rows) - 1] = CORR_NAME(corr_gemm_##rows##x##vectors),
#define CORR_TAPS_ENTRY(rows, vectors) \
    [(vectors) - 1][(rows) - 1] = CORR_NAME(corr_gemm_taps_##rows##x##vectors),
#define CORR_LINES_ENTRY(rows, vectors) \
    [(vectors) - 1][(rows) - 1] = CORR_NAME(corr_gemm_lines_##rows##x##vectors),
#define CORR_POINTS_ENTRY(rows, vectors) \
    [(vectors) - 1][(rows) - 1] = CORR_NAME(corr_gemm_points_##rows##x##vectors),
#define CORR_WINOGRAD_ENTRY(points)                                              \
    {(points), CORR_NAME(corr_winograd_input_##points), CORR_NAME(corr_winograd_output_##points), \
     CORR_NAME(corr_winograd_weights_##points)}
#define CORR_OUTER_ENTRY(rows, vectors) \
    [(vectors) - 1][(rows) - 1] = CORR_NAME(corr_outer_##rows##x##vectors),
#define CORR_DOT_ENTRY(columns, rows) \
    [(rows) - 1][(columns) - 1] = CORR_NAME(corr_dot_##rows##x##columns),
#define CORR_MARCH_ENTRY(kind, size, step, vectors)                      \
    [CORR_STENCIL_##kind][(size) / 2 - 1][(step) - 1][(vectors) - 1] = \
        CORR_NAME(corr_march_##kind##_##size##_##step##_##vectors),
#define CORR_LANES_ENTRY(kh, kept, step, vectors) \
    [(kh) / 2 - 1][(step) - 1][(vectors) - 1] = CORR_NAME(corr_lanes_##kh##_##step##_##vectors),
#define CORR_UP_ENTRY(size, vectors) \
    [(size) / 2 - 1][(vectors) - 1] = CORR_NAME(corr_up_##size##_##vectors),
#define CORR_WEIGHT_ENTRY(taps_h, taps_w, step) \
    [(taps_h) - 1][(taps_w) - 1][(step) - 1] = CORR_NAME(corr_weight_##taps_h##_##taps_w##_##step),
#define CORR_WEIGHT3_ENTRY(step, vectors) \
    [(step) - 1][(vectors) - 1] = CORR_NAME(corr_weight3_##step##_##vectors),
#define CORR_UP_LANES_ENTRY(kw) [(kw) / 2 - 1] = CORR_NAME(corr_up_lanes_##kw),
#define CORR_WEIGHT_LANES_ENTRY(taps_h, taps_w) \
    [(taps_h) - 1][(taps_w) - 1] = CORR_NAME(corr_weight_lanes_##taps_h##_##taps_w),
#define CORR_BLOCK_ENTRY(rows, vectors) \
    [(rows) - 1][(vectors) - 1] = CORR_NAME(corr_block_##rows##_##vectors),
#define CORR_BLOCK_LANES_ENTRY(rows, vectors) \
    [(rows) - 1][(vectors) - 1] = CORR_NAME(corr_block_lanes_##rows##_##vectors),
#define CORR_BLOCK_IMAGE_ENTRY(rows, vectors) \
    [(rows) - 1][(vectors) - 1] = CORR_NAME(corr_block_image_##rows##_##vectors),
#define CORR_SLIDE_ENTRY(size, step, rows) \
    [(size) / 2 - 1][(step) - 1] = {CORR_NAME(corr_slide_##size##_##step), rows, 1},
#define CORR_BAND_ENTRY(kh, step, rows, vectors) \
    [(kh) / 2 - 1][(step) - 1] = {CORR_NAME(corr_band_##kh##_##step), rows, vectors},
#define CORR_BAND_PLANES_ENTRY(kh, step, rows, vectors) \
    [(kh) / 2 - 1][(step) - 1] = {CORR_NAME(corr_band_planes_##kh##_##step), rows, vectors},
#define CORR_REUSE_ENTRY(rows, vectors) \
    [(rows) - 1][(vectors) - 1] = CORR_NAME(corr_reuse_##rows##_##vectors),
#define CORR_GROUP_ENTRY(step, rows, vectors) \
    [(step) - 1][(rows) - 1][(vectors) - 1] = CORR_NAME(corr_group_##step##_##rows##x##vectors),
#define CORR_GROUP_LANES_ENTRY(rows, vectors) \
    [(rows) - 1][(vectors) - 1] = CORR_NAME(corr_group_lanes_##rows##x##vectors),

const corr_kernels CORR_NAME(corr_kernels) = {
    .isa = CORR_TEXT(CORR_ISA),
    .dtype = CORR_PASTE2(CORR_DTYPE, CORR_TYPE),
    .bytes = sizeof(real),
    .lanes = V_LANES,
    .dot_rows = CORR_PASTE2(CORR_DOT_ROWS, CORR_ISA),
    .dot_columns = CORR_PASTE2(CORR_DOT_COLUMNS, CORR_ISA),
    .max_rows = CORR_PASTE2(CORR_TILE_ROWS, CORR_ISA),
    .gemm = {CORR_PASTE2(CORR_TILES, CORR_ISA)(CORR_GEMM_ENTRY)},
    .gemm_taps = {CORR_PASTE2(CORR_TILES, CORR_ISA)(CORR_TAPS_ENTRY)},
    .gemm_points = {CORR_PASTE2(CORR_TILES, CORR_ISA)(CORR_POINTS_ENTRY)},
    .outer = {CORR_PASTE2(CORR_TILES, CORR_ISA)(CORR_OUTER_ENTRY)},
    .transpose = CORR_NAME(corr_transpose),
    .pack_rows = CORR_NAME(corr_pack_rows),
    .gather = CORR_NAME(corr_gather),
    .pack_weights = CORR_NAME(corr_pack_weights),
    .pack_spread = CORR_NAME(corr_pack_spread),
    .dot = {CORR_PASTE2(CORR_DOTS, CORR_ISA)(CORR_DOT_ENTRY)},
    .sum_lanes = CORR_NAME(corr_sum_lanes),
    .store_dots = CORR_NAME(corr_store_dots),
    .march = {CORR_PASTE3(CORR_MARCHES, CORR_TYPE, CORR_ISA)(CORR_MARCH_ENTRY)},
    .march_lanes = {CORR_PASTE3(CORR_LANES_MARCHES, CORR_TYPE, CORR_ISA)(CORR_LANES_ENTRY)},
    .block = {CORR_PASTE2(CORR_BLOCKS, CORR_ISA)(CORR_BLOCK_ENTRY)},
    .block_lanes = {CORR_PASTE2(CORR_BLOCKS, CORR_ISA)(CORR_BLOCK_LANES_ENTRY)},
    .block_image = {CORR_PASTE2(CORR_BLOCKS_IMAGE, CORR_ISA)(CORR_BLOCK_IMAGE_ENTRY)},
    .slide = {CORR_PASTE3(CORR_SLIDES, CORR_TYPE, CORR_ISA)(CORR_SLIDE_ENTRY)},
    .band = {CORR_PASTE2(CORR_BANDS, CORR_ISA)(CORR_BAND_ENTRY)},
    .band_planes = {CORR_PASTE2(CORR_BANDS_PLANES, CORR_ISA)(CORR_BAND_PLANES_ENTRY)},
    .reuse = {CORR_PASTE2(CORR_REUSES, CORR_ISA)(CORR_REUSE_ENTRY)},
    .up = {CORR_PASTE2(CORR_UPS, CORR_ISA)(CORR_UP_ENTRY)},
    .weight = {CORR_PASTE2(CORR_WEIGHTS, CORR_ISA)(CORR_WEIGHT_ENTRY)},
    .weight3 = {CORR_PASTE2(CORR_WEIGHTS3, CORR_ISA)(CORR_WEIGHT3_ENTRY)},
    .up_lanes = {CORR_PASTE2(CORR_UPS_LANES, CORR_ISA)(CORR_UP_LANES_ENTRY)},
    .weight_lanes = {CORR_PASTE2(CORR_WEIGHTS_LANES, CORR_ISA)(CORR_WEIGHT_LANES_ENTRY)},
    .add_lanes = CORR_NAME(corr_add_lanes),
    .group = {CORR_PASTE3(CORR_GROUPS, CORR_TYPE, CORR_ISA)(CORR_GROUP_ENTRY)},
    .group_lanes = {CORR_PASTE3(CORR_GROUPS_LANES, CORR_TYPE, CORR_ISA)(CORR_GROUP_LANES_ENTRY)},
    .fft_forward = CORR_NAME(corr_fft_forward),
    .fft_inverse = CORR_NAME(corr_fft_inverse),
    .fft_turn = CORR_NAME(corr_fft_turn),
    .fft_multiply = CORR_NAME(corr_fft_multiply),
    .fft_load = CORR_NAME(corr_fft_load),
    .fft_store = CORR_NAME(corr_fft_store),
    .plain = CORR_NAME(corr_plain),
    .plain_weight = CORR_NAME(corr_plain_weight),
    .copy = CORR_NAME(corr_copy),
    .spread = CORR_NAME(corr_spread),
    .add = CORR_NAME(corr_add),
    .lace = CORR_NAME(corr_lace),
    .fold = CORR_NAME(corr_fold),
    .sum_rows = CORR_NAME(corr_sum_rows),
    .sum = CORR_NAME(corr_sum),
    .peak = CORR_NAME(corr_peak),
    .lanes_in = CORR_NAME(corr_lanes_in),
    .lanes_out = CORR_NAME(corr_lanes_out),
#if CORR_PASTE2(CORR_IS_FLOAT32, CORR_TYPE)
    .gemm_lines = {CORR_PASTE2(CORR_TILES, CORR_ISA)(CORR_LINES_ENTRY)},
    .winograd = {CORR_WINOGRAD_ENTRY(6), CORR_WINOGRAD_ENTRY(4)},
    .winograd_gradients = CORR_NAME(corr_winograd_gradients),
    .winograd_taps = CORR_NAME(corr_winograd_taps),
#endif
};
#undef CORR_GEMM_ENTRY
#undef CORR_LINES_ENTRY
#undef CORR_TAPS_ENTRY
#undef CORR_POINTS_ENTRY
#undef CORR_WINOGRAD_ENTRY
#undef CORR_OUTER_ENTRY
#undef CORR_DOT_ENTRY
#undef CORR_MARCH_ENTRY
#undef CORR_UP_ENTRY
#undef CORR_WEIGHT_ENTRY
#undef CORR_WEIGHT3_ENTRY
#undef CORR_WEIGHT_LANES_ENTRY
#undef CORR_LANES_ENTRY
#undef CORR_BLOCK_ENTRY
#undef CORR_BLOCK_LANES_ENTRY
#undef CORR_BLOCK_IMAGE_ENTRY
#undef CORR_SLIDE_ENTRY
#undef CORR_BAND_ENTRY
#undef CORR_BAND_PLANES_ENTRY
#undef CORR_REUSE_ENTRY
#undef CORR_GROUP_LANES_ENTRY
#undef CORR_GROUP_ENTRY
#undef CORR_TEXT
#undef CORR_TEXT_
