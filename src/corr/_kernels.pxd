# What _kernels.pyx uses of the core: its C API (corr.h) and the kernels' table.
from libc.stdint cimport int32_t, int64_t


cdef extern from "corr.h" nogil:
    ctypedef enum corr_dtype:
        CORR_F32
        CORR_F64
    ctypedef enum corr_activation:
        pass
    ctypedef struct corr_axis:
        int64_t in_ "in"
        int64_t out, kernel, stride, dilation, pad
    ctypedef struct corr_problem:
        corr_activation activation
        int64_t ic, oc
        corr_axis h, w
        int64_t x_stride[5]
        int64_t w_stride[5]
        int64_t y_stride[5]
    ctypedef struct corr_allocator:
        void *(*allocate)(size_t, void *) noexcept
        void (*release)(void *, size_t, void *) noexcept
        void *context
    ctypedef struct corr_api:
        int version
        const corr_kernels *(*kernel_table_at)(int, corr_dtype)
        void (*set_allocator)(const corr_allocator *)
        void (*set_thread_limit_for_tests)(int)


cdef extern from "kernels/kernels.h" nogil:
    enum:
        CORR_MAX_ROWS
        CORR_MAX_VECTORS
        CORR_LINE
    ctypedef struct corr_store:
        int accumulate
        int epilogue
        corr_activation activation
        const void *bias
        const void *column_bias
    ctypedef void (*gemm_lines_function "corr_gemm_lines_kernel *")(int64_t, const void *, const void *, int64_t, void *, int64_t,
                                       int64_t, const corr_store *, const void *, const int32_t *) noexcept
    ctypedef void (*gemm_function "corr_gemm_kernel *")(int64_t, const void *, const void *, int64_t, void *, int64_t,
                                  int64_t, const corr_store *) noexcept
    ctypedef struct corr_rows:
        int64_t count, first, end
        int64_t width, lo, hi
        int64_t pitch
        int64_t row, step
    ctypedef void (*gemm_taps_function "corr_gemm_taps_kernel *")(int64_t, const void *, const void *, const int32_t *, void *,
                                       int64_t, int64_t, const corr_store *) noexcept
    ctypedef void (*gemm_points_function "corr_gemm_points_kernel *")(int64_t, const void *, int64_t, const int32_t *, const void *,
                                         int64_t, void *, int64_t, int64_t, const corr_store *) noexcept
    ctypedef void (*gather_function "corr_gather_kernel *")(int64_t, int64_t, const void *, const int32_t *, void *,
                                                            int64_t)
    ctypedef void (*pack_rows_function "corr_pack_rows_kernel *")(const corr_rows *, const void *, int64_t, int64_t, void *,
                                       int64_t) noexcept
    ctypedef int (*pack_spread_function "corr_pack_spread_kernel *")(
        const void *, int64_t, int64_t, int64_t, int64_t, int64_t, int64_t, void *const *) noexcept
    ctypedef int (*pack_weights_function "corr_pack_weights_kernel *")(const void *, int64_t, int64_t, int64_t, int64_t, int64_t,
                                         int64_t, int64_t, int64_t, int64_t, void *) noexcept
    ctypedef void (*transpose_function "corr_transpose_kernel *")(int64_t, int64_t, const void *, int64_t, void *, int64_t,
                                       const corr_store *) noexcept
    ctypedef struct corr_segment:
        int64_t a
        int64_t b
        int64_t count
    ctypedef void (*dot_function "corr_dot_kernel *")(const corr_segment *, int64_t, const void *, int64_t, const void *,
                                 const int32_t *, void *, int64_t, int) noexcept
    ctypedef struct corr_fold_tap:
        int64_t at, lo, hi
    ctypedef struct corr_fold:
        int64_t count, dst_step, row_step, row_count, tap_count
        const void *rows[32]
        corr_fold_tap taps[8]
    ctypedef void (*fold_function "corr_fold_kernel *")(
        void *, int64_t, int64_t, const corr_fold *, int) noexcept
    ctypedef void (*lace_function "corr_lace_kernel *")(void *, const void *, const void *, int64_t) noexcept
    ctypedef void (*sum_rows_function "corr_sum_rows_kernel *")(const void *, int64_t, int64_t, int64_t, void *) noexcept
    ctypedef void (*store_dots_function "corr_store_dots_kernel *")(int64_t, int64_t, const void *, void *, int64_t, int64_t, const corr_store *) noexcept
    ctypedef void (*sum_lanes_function "corr_sum_lanes_kernel *")(const void *, int64_t, void *) noexcept
    ctypedef void (*outer_function "corr_outer_kernel *")(const corr_segment *, int64_t, const void *, int64_t, int64_t,
                                   const void *, int64_t, void *, int64_t, int) noexcept
    ctypedef struct corr_stencil:
        int64_t kh
        int64_t kw
        int64_t step
        int64_t dilation
        int64_t planes
        int64_t rows
        int64_t columns
        int64_t pair
        int64_t row_lo
        int64_t row_hi
        int64_t column_lo
        int64_t column_hi
        int64_t x_plane
        int64_t strips
        int64_t x_row
        int64_t x_tap
        int64_t x_vector
        int64_t x_next
        const int32_t *offsets
        int64_t w_plane
        int64_t w_row
        int64_t w_tap
        int64_t y_plane
        int64_t y_row
        int64_t y_vector
        int64_t y_step
        int64_t x_ahead
        int64_t y_ahead
        int64_t x_far
        int64_t y_far
        int64_t bias_plane
        int epilogue
        corr_activation activation
        const void *bias
    ctypedef void (*stencil_function "corr_stencil_kernel *")(const corr_stencil *, const void *, const void *, void *) noexcept
    ctypedef void (*weight_function "corr_weight_kernel *")(const corr_stencil *, const void *, const void *, void *) noexcept
    ctypedef struct corr_weight_lanes:
        int64_t rows, columns, x_next, x_row, x_step, x_tap, y_row, y_step, sum_row
    ctypedef void (*weight_lanes_function "corr_weight_lanes_kernel *")(const corr_weight_lanes *, const void *, const void *, void *) noexcept
    ctypedef struct corr_up_lanes:
        int64_t rows, first, end, columns, width, pad, x_step, y_step
        const void *gy[4]
        const void *w[4]
    ctypedef void (*up_lanes_function "corr_up_lanes_kernel *")(const corr_up_lanes *, void *) noexcept
    ctypedef void (*lanes_function "corr_add_lanes_kernel *")(int64_t, void *, void *, int64_t) noexcept
    ctypedef void (*fft_function "corr_fft_kernel *")(int64_t, void *, const void *) noexcept
    ctypedef void (*turn_function "corr_fft_turn_kernel *")(int64_t, const void *, int64_t, void *, int64_t) noexcept
    ctypedef void (*product_function "corr_fft_multiply_kernel *")(int64_t, const void *, const void *, void *) noexcept
    ctypedef void (*fft_load_function "corr_fft_load_kernel *")(int64_t, int64_t, int64_t, const void *, int64_t, int64_t, void *) noexcept
    ctypedef int (*fft_store_function "corr_fft_store_kernel *")(int64_t, int64_t, const void *, void *, int64_t, int64_t, const corr_store *) noexcept
    ctypedef struct corr_group:
        int64_t channels, kh, kw
        int64_t x_channel, x_row, x_tap, x_vector, x_next
        int64_t y_channel, y_vector, y_next
        int64_t w_width, count
        int64_t row, row_next, row_tap, row_end
        int64_t columns, column_tap, column_vector, column_lo, column_hi
        int epilogue
        corr_activation activation
        const void *bias
        int64_t step, x_lanes
        const int32_t *index
    ctypedef void (*group_function "corr_group_kernel *")(const corr_group *, const void *, const void *, void *) noexcept
    ctypedef void (*plain_function "corr_plain_kernel *")(const corr_problem *, int64_t, int64_t, const void *, const void *, const void *, void *, int) noexcept
    ctypedef void (*plain_weight_function "corr_plain_weight_kernel *")(const corr_problem *, const void *, void *, const void *) noexcept
    ctypedef void (*copy_function "corr_copy_kernel *")(void *, const void *, int64_t, int64_t) noexcept
    ctypedef void (*add_function "corr_add_kernel *")(void *, int64_t, const void *, int64_t) noexcept
    ctypedef void (*lanes_in_function "corr_lanes_in_kernel *")(const void *, int64_t, int64_t, int64_t, int64_t, void *, int64_t) noexcept
    ctypedef void (*lanes_out_function "corr_lanes_out_kernel *")(const void *, int64_t, int64_t, void *, int64_t, int64_t, int64_t) noexcept
    ctypedef void (*winograd_input_function "corr_winograd_input_kernel *")(const void *, int64_t, int64_t, int64_t, void *, int64_t, const int32_t *) noexcept
    ctypedef int (*winograd_output_function "corr_winograd_output_kernel *")(const void *, int64_t, int64_t, int64_t, void *, int64_t, int64_t, int64_t, int64_t, int64_t, const corr_store *) noexcept
    ctypedef void (*winograd_weights_function "corr_winograd_weights_kernel *")(const void *, int64_t, int64_t, void *, int64_t, int64_t) noexcept
    ctypedef int (*winograd_taps_function "corr_winograd_taps_kernel *")(const void *, int64_t, int64_t, void *, int64_t) noexcept
    ctypedef struct corr_winograd_kernels:
        int points
        winograd_input_function input
        winograd_output_function output
        winograd_weights_function weights
    ctypedef double (*sum_function "corr_sum_kernel *")(const void *, int64_t, int64_t) noexcept
    ctypedef struct corr_band:
        stencil_function run
        int rows
        int vectors
    ctypedef struct corr_kernels:
        const char *isa
        int bytes
        int lanes
        int max_rows[4]
        gemm_function gemm[4][14]
        gemm_lines_function gemm_lines[4][14]
        gemm_taps_function gemm_taps[4][14]
        gemm_points_function gemm_points[4][14]
        pack_rows_function pack_rows
        gather_function gather
        outer_function outer[4][14]
        transpose_function transpose
        pack_weights_function pack_weights
        pack_spread_function pack_spread
        int dot_rows, dot_columns
        dot_function dot[4][6]
        sum_lanes_function sum_lanes
        store_dots_function store_dots
        lace_function lace
        fold_function fold
        sum_rows_function sum_rows
        stencil_function march[3][3][2][4]
        stencil_function march_lanes[3][2][4]
        stencil_function block[7][4]
        stencil_function block_lanes[7][4]
        stencil_function block_image[7][4]
        corr_band slide[3][2]
        corr_band band[3][2]
        corr_band band_planes[3][2]
        stencil_function reuse[7][4]
        stencil_function up[3][4]
        weight_function weight[5][7][2]
        weight_function weight3[2][4]
        weight_lanes_function weight_lanes[5][7]
        up_lanes_function up_lanes[2]
        lanes_function add_lanes
        fft_function fft_forward
        fft_function fft_inverse
        turn_function fft_turn
        product_function fft_multiply
        fft_load_function fft_load
        fft_store_function fft_store
        group_function group[2][8][4]
        group_function group_lanes[3][4]
        plain_function plain
        plain_weight_function plain_weight
        copy_function copy
        add_function spread
        add_function add
        lanes_in_function lanes_in
        lanes_out_function lanes_out
        corr_winograd_kernels winograd[2]
        winograd_input_function winograd_gradients
        winograd_taps_function winograd_taps
        sum_function sum
