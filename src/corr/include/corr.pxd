# The core for other Cython modules: `from corr cimport corr_import`, with corr.get_include()
# among both the include_path of cythonize and the include_dirs of the extension.
include "corr_types.pxi"


cdef extern from "corr.h" nogil:
    ctypedef struct corr_api:
        int version
        size_t bytes
        corr_status (*forward)(const corr_problem *, const void *, const void *, const void *,
                               void *, const corr_call *) noexcept nogil
        corr_status (*input_gradient)(const corr_problem *, void *, const void *, const void *,
                                      const corr_call *) noexcept nogil
        corr_status (*weight_gradient)(const corr_problem *, const void *, void *,
                                       const void *, const corr_call *) noexcept nogil
        corr_status (*plan_create)(const corr_problem *, const void *, const void *,
                                   const corr_call *, corr_plan **) noexcept nogil
        corr_status (*plan_run)(const corr_plan *, int64_t, const void *, const int64_t *,
                                void *, const int64_t *, const corr_call *) noexcept nogil
        void (*plan_destroy)(corr_plan *) noexcept nogil
        void *(*allocate)(size_t) noexcept nogil
        void (*release)(void *, size_t) noexcept nogil
        corr_status (*problem_check)(const corr_problem *) noexcept nogil
        void (*plan_describe)(const corr_plan *, corr_plan_info *) noexcept nogil
        corr_status (*im2col)(const corr_problem *, const void *, void *,
                              const corr_call *) noexcept nogil
        corr_status (*col2im)(const corr_problem *, const void *, void *,
                              const corr_call *) noexcept nogil
        corr_status (*pad)(const corr_padding *, const void *, void *) noexcept nogil
        corr_status (*unpad)(const corr_padding *, void *, const void *) noexcept nogil
        int (*get_num_threads)() noexcept nogil
        void (*set_num_threads)(int) noexcept nogil

cdef extern from "corr_import.h":
    # Once, before the first call: imports corr and gives its table, or raises.
    const corr_api *corr_import() except NULL
