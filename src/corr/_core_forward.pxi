# conv2d and corr2d.


def conv2d(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, *,
           padding_mode="zeros", layout="NCHW", activation=None, algorithm="auto", out=None):
    """2-D cross-correlation of a batch of images with a bank of kernels.

    ``y[n, o, i, j] = bias[o] + sum over c, p, q of
    weight[o, c, p, q] * input[n, c, i * stride + p * dilation - padding, ...]``

    Parameters
    ----------
    input : array_like, (N, IC, IH, IW) or (IC, IH, IW)
        The images; channels-last strides are taken as they are, and then the output's
        memory is channels-last too.
    weight : array_like, (OC, IC / groups, KH, KW)
        The kernels; they are not flipped.
    bias : array_like, (OC,), optional
        Added to each output channel.
    stride, dilation : int or pair, default 1
        Pixels between windows, and between taps.
    padding : int, pair, ((top, bottom), (left, right)) or str, default 0
        Pixels around the input; or "valid", "same" (stride 1), "same_upper", "same_lower"
        (output ceil(in / stride), the odd pixel after or before, as ONNX).
    groups : int, default 1
        Blocks of channels that do not see one another.
    padding_mode : {"zeros", "reflect", "replicate", "circular"}, default "zeros"
        What lies around the input.
    layout : {"NCHW", "NHWC"}, default "NCHW"
        The order of the axes of input and output; weights are always OIHW.
    activation : {None, "relu", "relu6"}, default None
        Applied to the output; NaN stays NaN.
    algorithm : {"auto", "direct", "winograd", "fft"}, default "auto"
        "direct": each output is one sum of products. The other two are for float32 and round
        as docs/accuracy.md says: "winograd" takes kernels of 2x2 to 9x9 at stride 1, dilated or
        not, with up to four times fewer products, "fft" one input channel a group at stride 1,
        for large kernels. "auto" picks.
    out : ndarray, optional
        Where to write the result.

    Returns
    -------
    ndarray, (N, OC, OH, OW) or (OC, OH, OW)
        float32 or float64 (``np.result_type(input, weight, np.float32)``), float16 where both
        are.

    Raises
    ------
    ValueError
        Shapes that do not fit, a kernel larger than the padded input, an unsuitable `out`.
    TypeError
        Complex, object, long double or masked arrays.

    Notes
    -----
    Names and argument order are those of ``torch.nn.functional.conv2d``.

    Examples
    --------
    >>> import numpy as np, corr
    >>> x = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    >>> corr.conv2d(x, np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2))
    array([[[[19., 25.],
             [37., 43.]]]], dtype=float32)
    """
    cdef bint weak_x, weak_w
    cdef corr_status status
    x, w = _array(input, "input", &weak_x), _array(weight, "weight", &weak_w)
    layout = _check_layout(layout)
    _check_rank(x, "input", layout)
    cdef _Types types = _types(x, weak_x, "input", w, weak_w, "weight")
    cdef int rank = cnp.PyArray_NDIM(<cnp.ndarray>x)
    cdef _Sizes given, kernels, made
    x = _nchw(x, layout, rank)
    _get_sizes(x, &given)
    _weight_sizes(w, &kernels)
    cdef _Problem p = _describe(&given, &kernels, types, stride, padding, dilation, groups,
                                padding_mode, layout, algorithm, "input")
    cdef corr_problem *s = &p.s
    if activation is not None:
        s.activation = <corr_activation><int>functional.look_up("activation", activation,
                                                           functional.ACTIVATIONS)
    b = _bias(bias, &kernels, types)
    made = _sizes(p, s.groups * s.oc, s.h.out, s.w.out)
    y = _output(p, out, &made, _is_channels_last(x), True, "input", x, "weight", w, b)
    x, w = _native(x, types), _native(w, types)
    x = _pad_input(p, x)
    _set_input(s, x, s.x_stride, s.ic, types.bytes)
    _set_weight(s, w, types.bytes)
    _set_input(s, y, s.y_stride, s.oc, types.bytes)
    cdef void *xp = cnp.PyArray_DATA(<cnp.ndarray>x)
    cdef void *wp = cnp.PyArray_DATA(<cnp.ndarray>w)
    cdef void *yp = cnp.PyArray_DATA(<cnp.ndarray>y)
    cdef void *bp = NULL if b is None else cnp.PyArray_DATA(<cnp.ndarray>b)
    cdef bint long_call = _work(s) >= release_gil_from
    cdef corr_call call = _call(long_call)
    if long_call:
        with nogil:
            status = corr_forward(s, xp, wp, bp, yp, &call)
    else:
        status = corr_forward(s, xp, wp, bp, yp, &call)
    _raise(status)
    return _give_back(p, y, out, True)


def _correlate_band(part, kernel, padding, out):
    conv2d(part[None], kernel[None, None], padding=padding, out=out[None])


cdef object _banded(object x, object w, object padding, _Types types, object out):
    """A picture of whole numbers, converted band by band; None where nothing comes out."""
    pads = functional.picture_pads(padding, _shape(w))
    shape = [n + before + after - k + 1
             for n, (before, after), k in zip(_shape(x), pads, _shape(w))]
    if min(shape) < 1:
        return None
    cdef _Sizes sizes
    if out is None:
        sizes.rank = 2
        sizes.n[0], sizes.n[1] = shape
        out = _empty(&sizes, types.typenum, False)
    else:
        functional.check_out(out, tuple(shape), types.result, (("input", x), ("kernel", w)))
    return functional.in_bands(_correlate_band, x, w, pads, out)


cdef object _general_corr2d(object x, bint weak_x, object w, bint weak_w, _Types types,
                            object padding, object padding_mode, object out):
    if weak_x or weak_w:
        x, w = x.astype(types.compute), w.astype(types.compute)
    y = conv2d(x[None], w[None, None], padding=padding, padding_mode=padding_mode,
               out=None if out is None else _lifted(out))
    return y[0] if out is None else out


def corr2d(input, kernel, *, padding=0, padding_mode="zeros", out=None):
    """2-D cross-correlation of one picture with one kernel.

    Parameters
    ----------
    input : array_like, (H, W)
    kernel : array_like, (h, w)
        Not flipped.
    padding : int, pair, ((top, bottom), (left, right)) or str, default 0
    padding_mode : {"zeros", "reflect", "replicate", "circular"}, default "zeros"
    out : ndarray, optional

    Returns
    -------
    ndarray, (H - h + 1, W - w + 1) without padding

    Raises
    ------
    ValueError, TypeError
        As `conv2d`.

    Notes
    -----
    The function of *Dive into Deep Learning*, section 7.2.1.

    Examples
    --------
    >>> import numpy as np, corr
    >>> corr.corr2d(np.arange(9.0).reshape(3, 3), [[0, 1], [2, 3]])
    array([[19., 25.],
           [37., 43.]])
    """
    cdef bint weak_x, weak_w
    cdef corr_status status
    x, w = _array(input, "input", &weak_x), _array(kernel, "kernel", &weak_w)
    if cnp.PyArray_NDIM(<cnp.ndarray>x) != 2:
        raise ValueError(f"input must have shape (H, W), got {_shape(x)}")
    if cnp.PyArray_NDIM(<cnp.ndarray>w) != 2:
        raise ValueError(f"kernel must have shape (h, w), got {_shape(w)}")
    cdef _Types types = _types(x, weak_x, "input", w, weak_w, "kernel")
    cdef corr_problem problem
    cdef corr_problem *s = &problem
    cdef _Geometry g
    cdef _Sizes given, kernels, made
    cdef bint plain = (isinstance(padding_mode, str) and padding_mode == "zeros"
                       and types.compute is types.result)
    if (plain and cnp.PyArray_TYPE(<cnp.ndarray>x) != types.typenum and functional.takes_bands(x)
            and _size(w, 0) > 0 and _size(w, 1) > 0):
        y = _banded(x, w.astype(types.compute), padding, types, out)
        if y is not None:
            return y
    if not plain or type(padding) is not int:
        return _general_corr2d(x, weak_x, w, weak_w, types, padding, padding_mode, out)
    _get_sizes(x, &given)
    _get_sizes(w, &kernels)
    memset(s, 0, sizeof(problem))
    s.dtype = types.dtype
    s.algorithm = <corr_algorithm>preferred_algorithm if preferred_algorithm == CORR_DIRECT else CORR_AUTO
    s.n = s.groups = s.ic = s.oc = 1
    s.h.in_, s.w.in_ = given.n[0], given.n[1]
    s.h.kernel, s.w.kernel = kernels.n[0], kernels.n[1]
    if s.h.kernel < 1 or s.w.kernel < 1:
        raise ValueError(f"kernel must be at least 1x1, got {_shape(w)}")
    s.h.stride = s.w.stride = s.h.dilation = s.w.dilation = 1
    _pair(padding, "padding", 0, &g.top, &g.left)
    _out_size(&s.h, g.top, g.top, "height", &given, &kernels, "input")
    _out_size(&s.w, g.left, g.left, "width", &given, &kernels, "input")
    g.bottom, g.right = g.top, g.left
    _check_padded(s, &g, &given, "input")
    made.rank = 2
    made.n[0], made.n[1] = s.h.out, s.w.out
    if out is None:
        y = _empty(&made, types.typenum, False)
    elif _is_plain_out(out, &made, types) and _is_apart(out, x) and _is_apart(out, w):
        y = out
    else:
        return _general_corr2d(x, weak_x, w, weak_w, types, padding, padding_mode, out)
    x, w = _native(x, types), _native(w, types)
    s.x_stride[3], s.x_stride[4] = _stride(x, 0, types.bytes), _stride(x, 1, types.bytes)
    s.w_stride[3], s.w_stride[4] = _stride(w, 0, types.bytes), _stride(w, 1, types.bytes)
    s.y_stride[3], s.y_stride[4] = s.w.out, 1
    cdef void *xp = cnp.PyArray_DATA(<cnp.ndarray>x)
    cdef void *wp = cnp.PyArray_DATA(<cnp.ndarray>w)
    cdef void *yp = cnp.PyArray_DATA(<cnp.ndarray>y)
    cdef bint long_call = _work(s) >= release_gil_from
    cdef corr_call call = _call(long_call)
    if long_call:
        with nogil:
            status = corr_forward(s, xp, wp, NULL, yp, &call)
    else:
        status = corr_forward(s, xp, wp, NULL, yp, &call)
    _raise(status)
    return y
