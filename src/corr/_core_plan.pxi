# Decide once, run often.


@cython.final
cdef class Plan:
    """A convolution decided once: weights copied and packed, engine and blocks chosen.

    Made by `plan`. Calling it is safe from many threads at once.

    Attributes
    ----------
    algorithm : str
        What `"auto"` became.
    kernel : str
        The engine, type, ISA and tile.
    workspace_bytes : int
        Scratch of one thread of a call.
    flops : float
        2 * N * OC * OH * OW * (IC / groups) * KH * KW, with N = 1 if it is free.
    """
    cdef corr_plan *handle
    cdef _Problem p
    cdef object shape    # as given, None where N is free
    cdef _Sizes sizes    # the same as NCHW
    cdef bint any_batch
    cdef corr_plan_info info

    def __dealloc__(self):
        corr_plan_destroy(self.handle)

    @property
    def algorithm(self):
        return self.info.algorithm.decode()

    @property
    def kernel(self):
        return self.info.kernel.decode()

    @property
    def workspace_bytes(self):
        return self.info.workspace_bytes

    @property
    def flops(self):
        return self.info.flops

    def __repr__(self):
        return f"<corr.Plan {self.shape} {self.kernel}>"

    def __reduce__(self):
        raise TypeError("a plan cannot be pickled or copied: make it anew with corr.plan")

    def __call__(self, input, out=None):
        """The output for one input of the planned shape and dtype."""
        cdef bint weak
        cdef corr_status status
        cdef _Problem p = self.p, run
        cdef _Types types = p.types
        cdef int64_t xs[5]
        cdef int64_t ys[5]
        cdef _Sizes wanted = self.sizes, made
        x = _array(input, "input", &weak)
        if weak:
            x = x.astype(types.result)
        given = x
        if cnp.PyArray_NDIM(<cnp.ndarray>x) == p.rank:
            x = _nchw(x, p.layout, p.rank)
            if self.any_batch:
                wanted.n[0] = _size(x, 0)
        if not _has_sizes(x, &wanted):
            raise ValueError(f"input has shape {_shape(given)}, the plan was made for {self.shape}")
        if ((types.compute is not types.result
                or cnp.PyArray_TYPE(<cnp.ndarray>x) != types.typenum)
                and x.dtype.newbyteorder('=') != types.result):
            raise ValueError(f"input has dtype {x.dtype}, the plan was made for {types.result}")
        run = _Problem.__new__(_Problem)
        run.s, run.pad, run.g, run.types = p.s, p.pad, p.g, types
        run.layout, run.rank, run.mode, run.padded = p.layout, p.rank, p.mode, p.padded
        run.s.n = run.pad.n = _size(x, 0) if p.rank == 4 else 1
        made = _sizes(run, p.s.groups * p.s.oc, p.s.h.out, p.s.w.out)
        y = _output(run, out, &made, _is_channels_last(x), True, "input", x, "", None)
        x = _pad_input(run, _native(x, types))
        _set_input(&run.s, x, xs, p.s.ic, types.bytes)
        _set_input(&run.s, y, ys, p.s.oc, types.bytes)
        cdef void *xp = cnp.PyArray_DATA(<cnp.ndarray>x)
        cdef void *yp = cnp.PyArray_DATA(<cnp.ndarray>y)
        cdef int64_t n = run.s.n
        cdef bint long_call = _work(&run.s) >= release_gil_from
        cdef corr_call call = _call(long_call)
        if long_call:
            with nogil:
                status = corr_plan_run(self.handle, n, xp, xs, yp, ys, &call)
        else:
            status = corr_plan_run(self.handle, n, xp, xs, yp, ys, &call)
        _raise(status)
        return _give_back(run, y, out, True)


def plan(input_shape, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, *,
         dtype=None, layout="NCHW", padding_mode="zeros", activation=None, algorithm="auto"):
    """Decide a convolution once and run it often.

    Parameters
    ----------
    input_shape : tuple, (N, IC, IH, IW) or (IC, IH, IW)
        N may be None: then any batch size will do.
    weight, bias
        Copied and packed; later changes to them do not show.
    stride, padding, dilation, groups, layout, padding_mode, activation, algorithm
        As in `conv2d`.
    dtype : dtype, optional
        Of input and output; by default the weight's (at least float32, float16 if it is).

    Returns
    -------
    Plan
        Call it with an input of that shape, and `out` if one is to be written to.

    Raises
    ------
    ValueError, TypeError
        As `conv2d`.

    Examples
    --------
    >>> import numpy as np, corr
    >>> p = corr.plan((None, 1, 3, 3), np.ones((1, 1, 2, 2), dtype=np.float32))
    >>> p(np.ones((2, 1, 3, 3), dtype=np.float32)).shape, p.algorithm
    ((2, 1, 2, 2), 'direct')
    """
    cdef bint weak_w
    cdef corr_status status
    cdef corr_plan *handle = NULL
    layout = _check_layout(layout)
    w = _array(weight, "weight", &weak_w)
    functional.check_kind(w, "weight")
    if dtype is not None:
        like = np.empty(0, functional.real_dtype(dtype))
    else:
        like = np.empty(0, np.float32 if weak_w else w.dtype)
    cdef _Types types = _mixed_types((like,), (False,), ("dtype",))
    shape = functional.items(input_shape, "input_shape", "a tuple of ints")
    free = len(shape) == 4 and shape[0] is None
    cdef _Sizes sizes, kernels
    _input_sizes((1,) + shape[1:] if free else shape, "input_shape", layout, &sizes)
    _weight_sizes(w, &kernels)
    cdef _Problem p = _describe(&sizes, &kernels, types, stride, padding, dilation, groups,
                                padding_mode, layout, algorithm, "input")
    p.s.activation = <corr_activation><int>functional.look_up("activation", activation,
                                                         functional.ACTIVATIONS)
    b = _bias(bias, &kernels, types)
    w = _native(w, types)
    _set_weight(&p.s, w, types.bytes)
    if layout == "NHWC":  # the class of strides to make ready for
        p.s.x_stride[2], p.s.x_stride[4] = 1, p.s.groups * p.s.ic
        p.s.y_stride[2], p.s.y_stride[4] = 1, p.s.groups * p.s.oc
    cdef void *wp = cnp.PyArray_DATA(<cnp.ndarray>w)
    cdef void *bp = NULL if b is None else cnp.PyArray_DATA(<cnp.ndarray>b)
    cdef corr_call call = _call(True)
    with nogil:
        status = corr_plan_create(&p.s, wp, bp, &call, &handle)
    _raise(status)
    cdef Plan made = Plan.__new__(Plan)
    made.handle = handle
    made.p = p
    made.shape = tuple(shape)
    made.sizes = sizes
    made.any_batch = free
    corr_plan_describe(handle, &made.info)
    return made
