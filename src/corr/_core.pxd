# The C API of the core (src/corr_c/corr.h).
include "include/corr_types.pxi"


cdef extern from "corr.h" nogil:
    corr_status corr_forward(const corr_problem *, const void *, const void *, const void *,
                             void *, const corr_call *)
    corr_status corr_input_gradient(const corr_problem *, void *, const void *, const void *,
                                    const corr_call *)
    corr_status corr_weight_gradient(const corr_problem *, const void *, void *, const void *,
                                     const corr_call *)
    corr_status corr_bias_gradient(const corr_problem *, const void *, void *,
                                   const corr_call *)
    corr_status corr_plan_create(const corr_problem *, const void *, const void *,
                                 const corr_call *, corr_plan **)
    corr_status corr_plan_run(const corr_plan *, int64_t, const void *, const int64_t *,
                              void *, const int64_t *, const corr_call *)
    void corr_plan_describe(const corr_plan *, corr_plan_info *)
    void corr_plan_destroy(corr_plan *)
    corr_status corr_im2col(const corr_problem *, const void *, void *, const corr_call *)
    corr_status corr_col2im(const corr_problem *, const void *, void *, const corr_call *)
    corr_status corr_pad(const corr_padding *, const void *, void *)
    corr_status corr_unpad(const corr_padding *, void *, const void *)
    void *corr_allocate(size_t)
    void corr_release(void *, size_t)
    void corr_trim()
    int corr_default_threads()
    void corr_set_num_threads(int)
    int corr_get_num_threads()
    int corr_swap_thread_override(int)
    void corr_initialize(const char *)
    const char *corr_isa()
    int corr_isa_names(const char **, int)
    const char *corr_isas_built()
    int corr_set_flush_denormal(int)
    double corr_fma_peak(corr_dtype, double)
    ctypedef struct corr_api:
        int version
    const corr_api *corr_get_api()
