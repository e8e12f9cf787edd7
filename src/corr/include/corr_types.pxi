# The types of the core's C API (corr.h), for _core.pxd and corr.pxd.
from libc.stdint cimport int64_t


cdef extern from "corr.h" nogil:
    ctypedef enum corr_status:
        CORR_OK
        CORR_NO_MEMORY
        CORR_INTERRUPTED
        CORR_OVERFLOW
        CORR_BAD_PROBLEM
        CORR_UNSUPPORTED
    ctypedef enum corr_dtype:
        CORR_F32
        CORR_F64
    ctypedef enum corr_activation:
        CORR_LINEAR
        CORR_RELU
        CORR_RELU6
    ctypedef enum corr_algorithm:
        CORR_AUTO
        CORR_DIRECT
        CORR_WINOGRAD
        CORR_FFT
    ctypedef enum corr_pad_mode:
        CORR_PAD_ZEROS
        CORR_PAD_REFLECT
        CORR_PAD_REPLICATE
        CORR_PAD_CIRCULAR

    ctypedef struct corr_axis:
        int64_t in_ "in"
        int64_t out
        int64_t kernel
        int64_t stride
        int64_t dilation
        int64_t pad

    ctypedef struct corr_problem:
        corr_dtype dtype
        corr_activation activation
        corr_algorithm algorithm
        int64_t n
        int64_t groups
        int64_t ic
        int64_t oc
        corr_axis h
        corr_axis w
        int64_t x_stride[5]
        int64_t w_stride[5]
        int64_t y_stride[5]

    ctypedef struct corr_call:
        int threads
        int (*poll)(void *) noexcept
        void *poll_context
        int accumulate

    ctypedef struct corr_plan:
        pass

    ctypedef struct corr_plan_info:
        const char *algorithm
        char kernel[48]
        int64_t workspace_bytes
        double flops

    ctypedef struct corr_padding:
        corr_dtype dtype
        corr_pad_mode mode
        int64_t n
        int64_t c
        corr_axis h
        corr_axis w
        int64_t src_stride[4]
        int64_t dst_stride[4]

    ctypedef struct corr_allocator:
        void *(*allocate)(size_t, void *) noexcept
        void (*release)(void *, size_t, void *) noexcept
        void *context
