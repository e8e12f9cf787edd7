"""A valid cross-correlation of memoryviews, planned, by the core of the installed corr."""

from libc.string cimport memset

from corr cimport (CORR_F64, CORR_OK, corr_api, corr_call, corr_import, corr_plan,
                   corr_plan_info, corr_problem)

cdef const corr_api *core = corr_import()


def correlate(double[:, ::1] x, double[:, ::1] w, double[:, ::1] y):
    """Fills y; gives what the plan says of itself."""
    cdef corr_problem p
    cdef corr_call call = corr_call(core.get_num_threads(), NULL, NULL)
    cdef corr_plan *plan = NULL
    cdef corr_plan_info info
    memset(&p, 0, sizeof(p))
    p.dtype = CORR_F64
    p.n = p.groups = p.ic = p.oc = 1
    p.h.in_, p.h.kernel, p.h.out = x.shape[0], w.shape[0], y.shape[0]
    p.w.in_, p.w.kernel, p.w.out = x.shape[1], w.shape[1], y.shape[1]
    p.h.stride = p.w.stride = p.h.dilation = p.w.dilation = 1
    p.x_stride[3], p.w_stride[3], p.y_stride[3] = x.shape[1], w.shape[1], y.shape[1]
    p.x_stride[4] = p.w_stride[4] = p.y_stride[4] = 1
    with nogil:
        status = core.plan_create(&p, &w[0, 0], NULL, &call, &plan)
        if status == CORR_OK:
            core.plan_describe(plan, &info)
            status = core.plan_run(plan, 1, &x[0, 0], p.x_stride, &y[0, 0], p.y_stride, &call)
            core.plan_destroy(plan)
    if status != CORR_OK:
        raise RuntimeError(f"status {status}")
    return info.algorithm.decode(), info.flops
