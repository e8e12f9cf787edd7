# im2col and col2im.


cdef _Problem _columns_problem(const _Sizes *input, object kernel_size, _Types types, object stride,
                               object padding, object dilation, str name):
    cdef _Sizes kernels
    kernels.rank = 4
    kernels.n[0], kernels.n[1] = 1, input.n[input.rank - 3]
    _pair(kernel_size, "kernel_size", 1, &kernels.n[2], &kernels.n[3])
    return _describe(input, &kernels, types, stride, padding, dilation, 1,
                     "zeros", "NCHW", "auto", name)


cdef int64_t _product(str name, int64_t a, int64_t b, int64_t c) except -1:
    """A size of the matrix of columns."""
    whole = <object>a * <object>b * <object>c
    if whole > (1 << 62):
        raise ValueError(f"{name} is too large: a matrix of columns with a size of {whole}")
    return whole


def im2col(input, kernel_size, *, stride=1, padding=0, dilation=1):
    """The windows of images as columns of a matrix.

    Parameters
    ----------
    input : array_like, (N, IC, IH, IW) or (IC, IH, IW)
    kernel_size : int or pair
    stride, padding, dilation
        As in `conv2d`.

    Returns
    -------
    ndarray, (N, IC * KH * KW, OH * OW) or (IC * KH * KW, OH * OW)

    Raises
    ------
    ValueError, TypeError
        As `conv2d`.

    Notes
    -----
    ``torch.nn.functional.unfold``.

    Examples
    --------
    >>> import numpy as np, corr
    >>> corr.im2col(np.arange(6.0).reshape(1, 2, 3), (1, 2))
    array([[0., 1., 3., 4.],
           [1., 2., 4., 5.]])
    """
    cdef bint weak
    cdef corr_status status
    x = _array(input, "input", &weak)
    _check_rank(x, "input", "NCHW")
    cdef _Types types = _types(x, weak, "input", x, weak, "input")
    cdef _Sizes given, sizes
    _get_sizes(x, &given)
    cdef _Problem p = _columns_problem(&given, kernel_size, types, stride, padding, dilation, "input")
    cdef corr_problem *s = &p.s
    x = _native(x, types)
    sizes.rank = p.rank - 1
    sizes.n[0] = s.n
    sizes.n[p.rank - 3] = _product("kernel_size", s.ic, s.h.kernel, s.w.kernel)
    sizes.n[p.rank - 2] = _product("padding", 1, s.h.out, s.w.out)
    cols = _empty(&sizes, types.typenum, False)
    _set_input(s, x, s.x_stride, s.ic, types.bytes)
    cdef void *xp = cnp.PyArray_DATA(<cnp.ndarray>x)
    cdef void *cp = cnp.PyArray_DATA(<cnp.ndarray>cols)
    cdef corr_call call = _call(True)
    with nogil:
        status = corr_im2col(s, xp, cp, &call)
    _raise(status)
    return cols if types.compute is types.result else cols.astype(types.result)


def col2im(cols, output_size, kernel_size, *, stride=1, padding=0, dilation=1):
    """Columns summed back into images: the transpose of `im2col`.

    Parameters
    ----------
    cols : array_like, (N, IC * KH * KW, L) or (IC * KH * KW, L)
    output_size : int or pair
        Height and width of the images.
    kernel_size, stride, padding, dilation
        As in `im2col`.

    Returns
    -------
    ndarray, (N, IC, IH, IW) or (IC, IH, IW)

    Raises
    ------
    ValueError, TypeError
        As `conv2d`.

    Notes
    -----
    ``torch.nn.functional.fold``.

    Examples
    --------
    >>> import numpy as np, corr
    >>> corr.col2im(np.ones((2, 4)), (2, 3), (1, 2))
    array([[[1., 2., 1.],
            [1., 2., 1.]]])
    """
    cdef bint weak
    cdef corr_status status
    cdef int64_t h, w, kh, kw
    c = _array(cols, "cols", &weak)
    if c.ndim not in (2, 3):
        raise ValueError(f"cols must have shape (N, IC*KH*KW, L) or (IC*KH*KW, L), got {c.shape}")
    cdef _Types types = _types(c, weak, "cols", c, weak, "cols")
    _pair(output_size, "output_size", 0, &h, &w)
    _pair(kernel_size, "kernel_size", 1, &kh, &kw)
    cdef int64_t rows = c.shape[c.ndim - 2], taps = _product("kernel_size", 1, kh, kw)
    if rows % taps:
        raise ValueError(f"cols must have a multiple of {taps} rows for kernel_size "
                         f"({kh}, {kw}), got {c.shape}")
    cdef _Sizes sizes
    cdef int lead = c.ndim - 2
    sizes.rank = lead + 3
    sizes.n[0] = c.shape[0]
    sizes.n[lead], sizes.n[lead + 1], sizes.n[lead + 2] = rows // taps, h, w
    cdef _Problem p = _columns_problem(&sizes, (kh, kw), types, stride, padding, dilation, "output_size")
    cdef corr_problem *s = &p.s
    cdef int64_t columns = _product("padding", 1, s.h.out, s.w.out)
    if c.shape[c.ndim - 1] != columns:
        raise ValueError(f"cols must have {columns} columns for output_size ({h}, {w}), "
                         f"got {c.shape}")
    c = np.ascontiguousarray(_native(c, types))
    x = _empty(&sizes, types.typenum, False)
    _set_input(s, x, s.x_stride, s.ic, types.bytes)
    cdef void *cp = cnp.PyArray_DATA(<cnp.ndarray>c)
    cdef void *xp = cnp.PyArray_DATA(<cnp.ndarray>x)
    cdef corr_call call = _call(True)
    with nogil:
        status = corr_col2im(s, cp, xp, &call)
    _raise(status)
    return x if types.compute is types.result else x.astype(types.result)
