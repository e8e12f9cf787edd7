# conv2d_input, conv2d_weight, conv2d_backward.


def _lifted(out):
    return out[None] if isinstance(out, np.ndarray) and out.ndim == 2 else out


cdef bint _adds_in_core(_Problem p, object target) except -1:
    """May the core itself add to `target`? Otherwise a new array is added to it here."""
    return (target is not None and p.types.compute is p.types.result
            and functional.takes_result_directly(target))


cdef object _input_gradient(_Problem p, object w, object gy, object out, object given_w,
                            object given_gy, bint accumulate=False):
    """gx of a checked problem; w and gy are the native forms of those given, gy (N, OC, OH, OW)."""
    if accumulate and (p.padded or not _adds_in_core(p, out)):
        out += _input_gradient(p, w, gy, None, None, None)
        return out
    cdef corr_problem *s = &p.s
    cdef corr_status status
    cdef int64_t h = p.pad.h.in_ if p.padded else s.h.in_
    cdef int64_t v = p.pad.w.in_ if p.padded else s.w.in_
    cdef bint last = _is_channels_last(gy)
    cdef _Sizes sizes = _sizes(p, s.groups * s.ic, h, v)
    gx = _output(p, out, &sizes, last, True, "weight", given_w, "grad_output", given_gy)
    whole = _padded_array(p, gy) if p.padded else gx
    _set_input(s, whole, s.x_stride, s.ic, p.types.bytes)
    _set_weight(s, w, p.types.bytes)
    _set_input(s, gy, s.y_stride, s.oc, p.types.bytes)
    cdef void *xp = cnp.PyArray_DATA(<cnp.ndarray>whole)
    cdef void *wp = cnp.PyArray_DATA(<cnp.ndarray>w)
    cdef void *yp = cnp.PyArray_DATA(<cnp.ndarray>gy)
    cdef bint long_call = _work(s) >= release_gil_from
    cdef corr_call call = _call(long_call)
    call.accumulate = accumulate
    if long_call:
        with nogil:
            status = corr_input_gradient(s, xp, wp, yp, &call)
    else:
        status = corr_input_gradient(s, xp, wp, yp, &call)
    _raise(status)
    cdef void *gp = cnp.PyArray_DATA(<cnp.ndarray>gx)
    if p.padded:
        gx.fill(0)
        _plane_strides(gx, p.pad.src_stride, p.types.bytes)
        _plane_strides(whole, p.pad.dst_stride, p.types.bytes)
        if gx.size:
            with nogil:
                status = corr_unpad(&p.pad, gp, xp)
            _raise(status)
    return _give_back(p, gx, out, True)


cdef object _weight_gradient(_Problem p, object x, object gy, object out, object given_x,
                             object given_gy, bint accumulate=False):
    if accumulate and not _adds_in_core(p, out):
        out += _weight_gradient(p, x, gy, None, None, None)
        return out
    cdef corr_problem *s = &p.s
    cdef corr_status status
    cdef _Sizes sizes
    sizes.rank = 4
    sizes.n[0], sizes.n[1], sizes.n[2], sizes.n[3] = s.groups * s.oc, s.ic, s.h.kernel, s.w.kernel
    gw = _output(p, out, &sizes, False, False, "input", given_x, "grad_output", given_gy)
    x = _pad_input(p, x)
    _set_input(s, x, s.x_stride, s.ic, p.types.bytes)
    _set_weight(s, gw, p.types.bytes)
    _set_input(s, gy, s.y_stride, s.oc, p.types.bytes)
    cdef void *xp = cnp.PyArray_DATA(<cnp.ndarray>x)
    cdef void *wp = cnp.PyArray_DATA(<cnp.ndarray>gw)
    cdef void *yp = cnp.PyArray_DATA(<cnp.ndarray>gy)
    cdef bint long_call = _work(s) >= release_gil_from
    cdef corr_call call = _call(long_call)
    call.accumulate = accumulate
    if long_call:
        with nogil:
            status = corr_weight_gradient(s, xp, wp, yp, &call)
    else:
        status = corr_weight_gradient(s, xp, wp, yp, &call)
    _raise(status)
    return _give_back(p, gw, out, False)


cdef int _check_grad_output(_Problem p, object gy) except -1:
    cdef _Sizes sizes = _sizes(p, p.s.groups * p.s.oc, p.s.h.out, p.s.w.out)
    if _has_sizes(gy, &sizes):
        return 0
    shown, got = _tuple(&sizes), _shape(gy)
    if p.layout == "NHWC":
        shown = shown[:-3] + (shown[-2], shown[-1], shown[-3])
        got = got[:-3] + (got[-2], got[-1], got[-3])
    raise ValueError(f"grad_output must have shape {shown}, the output's, got {got}")


cdef int _input_sizes(object input_size, str name, str layout, _Sizes *sizes) except -1:
    """The sizes of images, given in `layout`, as NCHW."""
    cdef int lead
    _read_sizes(input_size, name, 3, 4, sizes)
    if layout == "NHWC":
        lead = sizes.rank - 3
        sizes.n[lead], sizes.n[lead + 1], sizes.n[lead + 2] = \
            sizes.n[lead + 2], sizes.n[lead], sizes.n[lead + 1]
    return 0


def conv2d_input(input_size, weight, grad_output, stride=1, padding=0, dilation=1, groups=1, *,
                 padding_mode="zeros", layout="NCHW", algorithm="auto", out=None):
    """Gradient of `conv2d` with respect to its input.

    Parameters
    ----------
    input_size : tuple of int, (N, IC, IH, IW) or (IC, IH, IW)
        In the order that `layout` says.
    weight : array_like, (OC, IC / groups, KH, KW)
    grad_output : array_like, (N, OC, OH, OW) or (OC, OH, OW)
    stride, padding, dilation, groups, padding_mode, layout, algorithm, out
        As in `conv2d`.

    Returns
    -------
    ndarray of shape input_size

    Raises
    ------
    ValueError, TypeError
        As `conv2d`.

    Notes
    -----
    Argument order of ``torch.nn.grad.conv2d_input``.

    Examples
    --------
    >>> import numpy as np, corr
    >>> w = np.array([[[[1, -1]]]], dtype=np.float32)
    >>> corr.conv2d_input((1, 1, 1, 3), w, np.ones((1, 1, 1, 2), dtype=np.float32))
    array([[[[ 1.,  0., -1.]]]], dtype=float32)
    """
    cdef bint weak_w, weak_g
    layout = _check_layout(layout)
    cdef _Sizes given, kernels
    _input_sizes(input_size, "input_size", layout, &given)
    w, gy = _array(weight, "weight", &weak_w), _array(grad_output, "grad_output", &weak_g)
    _check_rank(gy, "grad_output", layout)
    cdef _Types types = _types(w, weak_w, "weight", gy, weak_g, "grad_output")
    gy = _nchw(gy, layout, cnp.PyArray_NDIM(<cnp.ndarray>gy))
    _weight_sizes(w, &kernels)
    cdef _Problem p = _describe(&given, &kernels, types, stride, padding, dilation, groups,
                                padding_mode, layout, algorithm, "input_size")
    _check_grad_output(p, gy)
    return _input_gradient(p, _native(w, types), _native(gy, types), out, w, gy)


def conv2d_weight(input, weight_size, grad_output, stride=1, padding=0, dilation=1, groups=1, *,
                  padding_mode="zeros", layout="NCHW", algorithm="auto", out=None):
    """Gradient of `conv2d` with respect to its weight.

    Parameters
    ----------
    input : array_like, (N, IC, IH, IW) or (IC, IH, IW)
    weight_size : tuple of int, (OC, IC / groups, KH, KW)
    grad_output : array_like, (N, OC, OH, OW) or (OC, OH, OW)
    stride, padding, dilation, groups, padding_mode, layout, algorithm, out
        As in `conv2d`.

    Returns
    -------
    ndarray of shape weight_size

    Raises
    ------
    ValueError, TypeError
        As `conv2d`.

    Notes
    -----
    Argument order of ``torch.nn.grad.conv2d_weight``. In float32 at stride 1 it may be computed by Winograd's
    F(3x3, 4x4), the transpose of the forward's F(4x4, 3x3) (Lavin and Gray, 2016, section 4); its rounding:
    docs/accuracy.md. `algorithm` may not be "fft".

    Examples
    --------
    >>> import numpy as np, corr
    >>> x = np.array([[[[1, 2, 4]]]], dtype=np.float32)
    >>> corr.conv2d_weight(x, (1, 1, 1, 2), np.ones((1, 1, 1, 2), dtype=np.float32))
    array([[[[3., 6.]]]], dtype=float32)
    """
    cdef bint weak_x, weak_g
    layout = _check_layout(layout)
    x, gy = _array(input, "input", &weak_x), _array(grad_output, "grad_output", &weak_g)
    _check_rank(x, "input", layout)
    _check_rank(gy, "grad_output", layout)
    cdef _Sizes given, kernels
    _read_sizes(weight_size, "weight_size", 4, 4, &kernels)
    cdef _Types types = _types(x, weak_x, "input", gy, weak_g, "grad_output")
    x = _nchw(x, layout, cnp.PyArray_NDIM(<cnp.ndarray>x))
    gy = _nchw(gy, layout, cnp.PyArray_NDIM(<cnp.ndarray>gy))
    _get_sizes(x, &given)
    cdef _Problem p = _describe(&given, &kernels, types, stride, padding, dilation, groups,
                                padding_mode, layout, algorithm, "input")
    if algorithm == "fft":
        raise ValueError("algorithm='fft' cannot be used here: the weight's gradient is never computed so")
    _check_grad_output(p, gy)
    return _weight_gradient(p, _native(x, types), _native(gy, types), out, x, gy)


cdef object _bias_gradient(_Problem p, object gy, object out):
    """Added to `out` if there is one."""
    cdef corr_problem *s = &p.s
    cdef corr_status status
    cdef bint direct = _adds_in_core(p, out) and out.flags.c_contiguous
    cdef _Sizes sizes
    sizes.rank = 1
    sizes.n[0] = s.groups * s.oc
    gb = out if direct else _empty(&sizes, p.types.typenum, False)
    _set_input(s, gy, s.y_stride, s.oc, p.types.bytes)
    cdef void *yp = cnp.PyArray_DATA(<cnp.ndarray>gy)
    cdef void *bp = cnp.PyArray_DATA(<cnp.ndarray>gb)
    cdef bint long_call = 1.0 * s.n * s.groups * s.oc * s.h.out * s.w.out >= release_gil_from
    cdef corr_call call = _call(long_call)
    call.accumulate = direct
    if long_call:
        with nogil:
            status = corr_bias_gradient(s, yp, bp, &call)
    else:
        status = corr_bias_gradient(s, yp, bp, &call)
    _raise(status)
    if out is None:
        return gb if p.types.compute is p.types.result else gb.astype(p.types.result)
    if not direct:
        out += gb
    return out


cdef object _check_accumulators(object into, set wanted, dict shapes, object dtype, object read):
    for name, target in zip(Gradients._fields, into, strict=True):
        if target is not None and name in wanted:
            try:
                functional.check_out(target, shapes[name], dtype, read)
            except (TypeError, ValueError) as error:
                message = str(error).replace("out", f"accumulate_into.{name}", 1)
                raise type(error)(message) from None


def conv2d_backward(grad_output, input, weight, stride=1, padding=0, dilation=1, groups=1, *,
                    needs=("input", "weight", "bias"), accumulate_into=None,
                    padding_mode="zeros", layout="NCHW", algorithm="auto"):
    """The gradients of `conv2d`, all or those needed.

    Parameters
    ----------
    grad_output : array_like, (N, OC, OH, OW) or (OC, OH, OW)
    input : array_like, (N, IC, IH, IW) or (IC, IH, IW)
    weight : array_like, (OC, IC / groups, KH, KW)
    stride, padding, dilation, groups, padding_mode, layout, algorithm
        As in `conv2d`.
    needs : iterable of {"input", "weight", "bias"}, default all
        What is not named is None in the result and costs nothing.
    accumulate_into : Gradients or triple, optional
        Arrays to add the gradients to, and to give back; None where a new one is wanted.

    Returns
    -------
    Gradients
        Named tuple (input, weight, bias).

    Raises
    ------
    ValueError, TypeError
        As `conv2d`.

    Notes
    -----
    An activation is not part of it: mask `grad_output` first. `algorithm` is the input's and the
    weight's gradients'; under "fft" the weight's is computed directly.

    Examples
    --------
    >>> import numpy as np, corr
    >>> x, w = np.ones((1, 1, 2, 2)), np.full((1, 1, 1, 1), 3.0)
    >>> g = corr.conv2d_backward(np.ones((1, 1, 2, 2)), x, w)
    >>> float(g.input.sum()), float(g.weight.sum()), g.bias.tolist()
    (12.0, 4.0, [4.0])
    """
    cdef bint weak_x, weak_w, weak_g
    layout = _check_layout(layout)
    gy = _array(grad_output, "grad_output", &weak_g)
    x, w = _array(input, "input", &weak_x), _array(weight, "weight", &weak_w)
    _check_rank(x, "input", layout)
    _check_rank(gy, "grad_output", layout)
    wanted = set(functional.names(needs, "needs"))
    if not wanted <= set(Gradients._fields):
        raise ValueError(f"needs must name some of 'input', 'weight', 'bias', got {functional.brief(needs)}")
    cdef _Sizes given, kernels
    _weight_sizes(w, &kernels)
    cdef _Types types = _types3(gy, weak_g, "grad_output", x, weak_x, "input", w, weak_w, "weight")
    input_shape = _shape(x)
    x = _nchw(x, layout, cnp.PyArray_NDIM(<cnp.ndarray>x))
    gy = _nchw(gy, layout, cnp.PyArray_NDIM(<cnp.ndarray>gy))
    _get_sizes(x, &given)
    cdef _Problem p = _describe(&given, &kernels, types, stride, padding, dilation, groups,
                                padding_mode, layout, algorithm, "input")
    _check_grad_output(p, gy)
    into = functional.triple(accumulate_into, "accumulate_into")
    if accumulate_into is not None:
        shapes = {"input": input_shape, "weight": _shape(w), "bias": (kernels.n[0],)}
        _check_accumulators(into, wanted, shapes, types.result,
                            (("grad_output", gy), ("input", x), ("weight", w)))
    given_x, given_w, given_gy = x, w, gy
    x, w, gy = _native(x, types), _native(w, types), _native(gy, types)
    made = [None, None, None]
    if "input" in wanted:
        made[0] = _input_gradient(p, w, gy, into[0], given_w, given_gy, into[0] is not None)
    if "weight" in wanted:
        made[1] = _weight_gradient(p, x, gy, into[1], given_x, given_gy, into[1] is not None)
    if "bias" in wanted:
        made[2] = _bias_gradient(p, gy, into[2])
    return Gradients(*made)
