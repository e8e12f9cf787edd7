# The descriptor of a call, checked once; its output and its bias.


cdef bint _two_ints(object value, int64_t low, int64_t *first, int64_t *second) noexcept:
    """Most calls' pairs; all others go by way of Python, which takes microseconds."""
    cdef int far = 0, too_far = 0
    if type(value) is not tuple or len(<tuple>value) != 2:
        return False
    a, b = (<tuple>value)[0], (<tuple>value)[1]
    if type(a) is not int or type(b) is not int:
        return False
    first[0] = PyLong_AsLongLongAndOverflow(a, &far)
    second[0] = PyLong_AsLongLongAndOverflow(b, &too_far)
    return (not far and not too_far and low <= first[0] <= (<int64_t>1 << 62)
            and low <= second[0] <= (<int64_t>1 << 62))


cdef int _pair(object value, str name, int64_t low, int64_t *h, int64_t *w) except -1:
    if type(value) is int:
        try:
            h[0] = value
        except OverflowError:
            raise ValueError(f"{name} is too large: {value!r}") from None
        w[0] = h[0]
        if h[0] < low or h[0] > (<int64_t>1 << 62):
            functional.check_low(value, name, low, value)
        return 0
    if _two_ints(value, low, h, w):
        return 0
    h[0], w[0] = functional.pair(value, name, low)
    return 0


cdef struct _Geometry:
    # What padding really is: before and after, per axis.
    int64_t top, bottom, left, right


cdef int _same(corr_axis *axis, bint lower, int64_t *before, int64_t *after) noexcept:
    """ONNX's SAME: output ceil(in / stride)."""
    cdef int64_t need = (axis.kernel - 1) * axis.dilation
    if axis.in_ > 0:
        need -= (axis.in_ - 1) % axis.stride
    if need < 0:
        need = 0
    before[0] = (need + 1) // 2 if lower else need // 2
    after[0] = need - before[0]
    return 0


cdef int _padding(object padding, corr_problem *s, _Geometry *g) except -1:
    g.top = g.bottom = g.left = g.right = 0
    if type(padding) is int:
        _pair(padding, "padding", 0, &g.top, &g.left)
        g.bottom = g.top
        g.right = g.left
        return 0
    if _two_ints(padding, 0, &g.top, &g.left):
        g.bottom = g.top
        g.right = g.left
        return 0
    if isinstance(padding, str):
        if padding == "valid":
            return 0
        if padding == "same" and (s.h.stride != 1 or s.w.stride != 1):
            raise ValueError(
                'padding="same" needs stride 1; "same_upper" and "same_lower" take any stride'
            )
        if padding not in ("same", "same_upper", "same_lower"):
            raise functional.bad_padding_word(padding)
        _same(&s.h, padding == "same_lower", &g.top, &g.bottom)
        _same(&s.w, padding == "same_lower", &g.left, &g.right)
        return 0
    (g.top, g.bottom), (g.left, g.right) = functional.explicit_padding(padding)
    return 0


cdef int _out_size(corr_axis *axis, int64_t before, int64_t after, str which,
                   const _Sizes *input, const _Sizes *weight, str input_name) except -1:
    cdef int64_t most = <int64_t>1 << 61
    cdef int64_t window
    if axis.kernel > most // axis.dilation or before > most or after > most or axis.in_ > most:
        raise ValueError(f"the sizes are too large: {input_name} {_tuple(input)}, weight "
                         f"{_tuple(weight)}, dilation {axis.dilation}, padding {before} + {after}")
    window = (axis.kernel - 1) * axis.dilation + 1
    if window > axis.in_ + before + after:
        raise ValueError(
            f"weight is larger than the padded {input_name} along its {which}: kernel "
            f"{axis.kernel} with dilation {axis.dilation} spans {window}, {input_name} "
            f"{axis.in_} + padding {before} + {after} (weight {_tuple(weight)}, "
            f"{input_name} {_tuple(input)})"
        )
    axis.out = (axis.in_ + before + after - window) // axis.stride + 1
    axis.pad = before
    return 0


cdef int _check_padded(corr_problem *s, _Geometry *g, const _Sizes *input, str input_name) except -1:
    """As the core counts (problem/shape.c), but with all of the padding."""
    cdef double padded = <double>(s.h.in_ + g.top + g.bottom) * <double>(s.w.in_ + g.left + g.right)
    cdef bint any = g.top or g.bottom or g.left or g.right
    if any and padded * max(s.n, 1) * s.groups * max(s.ic, 1) > <double>(<int64_t>1 << 48):
        raise ValueError(f"padding is too large: {input_name} {_tuple(input)} with padding "
                         f"(({g.top}, {g.bottom}), ({g.left}, {g.right})) would have more than "
                         "2^48 elements")
    return 0


cdef int _check_mode(int mode, str word, corr_problem *s, _Geometry *g,
                     const _Sizes *input) except -1:
    cdef int64_t h = max(g.top, g.bottom), w = max(g.left, g.right)
    cdef int64_t slack = 0 if mode == CORR_PAD_CIRCULAR else 1
    if mode == CORR_PAD_REPLICATE:
        if (h and s.h.in_ == 0) or (w and s.w.in_ == 0):
            raise ValueError(f"padding_mode {word!r} needs pixels to repeat, "
                             f"input is {_tuple(input)}")
        return 0
    if (h and h + slack > s.h.in_) or (w and w + slack > s.w.in_):
        least = "at most" if mode == CORR_PAD_CIRCULAR else "less than"
        raise ValueError(
            f"padding must be {least} the size of input with padding_mode {word!r}: "
            f"padding ({h}, {w}), input {_tuple(input)}"
        )
    return 0


cdef int _channels(corr_problem *s, object groups, const _Sizes *weight, const _Sizes *input,
                   str name) except -1:
    cdef int64_t count, h, channels = input.n[input.rank - 3]
    _pair(groups, "groups", 1, &count, &h) if type(groups) is int else None
    if type(groups) is not int:
        count = functional.integer(groups, "groups", 1)
    cdef int64_t oc = weight.n[0], ic = weight.n[1]
    if oc % count:
        raise ValueError(
            f"groups={count} must divide the {oc} output channels of weight {_tuple(weight)}"
        )
    if channels % count or channels // count != ic:
        raise ValueError(
            f"weight {_tuple(weight)} takes {ic} channels a group, so with groups={count} "
            f"{name} must have {ic * count} channels, got {channels} ({name} {_tuple(input)})"
        )
    s.groups = count
    s.ic = ic
    s.oc = oc // count
    return 0


cdef void _set_input(corr_problem *s, object x, int64_t *stride, int64_t channels,
                     int bytes) noexcept:
    """Strides n, g, c, h, w of a (N, C, H, W) or (C, H, W) array."""
    cdef int lead = cnp.PyArray_NDIM(<cnp.ndarray>x) - 3
    stride[0] = _stride(x, 0, bytes) if lead else 0
    stride[2] = _stride(x, lead, bytes)
    stride[1] = stride[2] * channels
    stride[3] = _stride(x, lead + 1, bytes)
    stride[4] = _stride(x, lead + 2, bytes)


cdef void _set_weight(corr_problem *s, object w, int bytes) noexcept:
    s.w_stride[1] = _stride(w, 0, bytes)
    s.w_stride[0] = s.w_stride[1] * s.oc
    s.w_stride[2] = _stride(w, 1, bytes)
    s.w_stride[3] = _stride(w, 2, bytes)
    s.w_stride[4] = _stride(w, 3, bytes)


cdef bint _is_channels_last(object x) noexcept:
    """Only where the strides say so: one channel or one pixel counts as NCHW."""
    cdef cnp.ndarray a = <cnp.ndarray>x
    cdef int lead = cnp.PyArray_NDIM(a) - 3
    cdef Py_ssize_t c = cnp.PyArray_DIM(a, lead), h = cnp.PyArray_DIM(a, lead + 1)
    cdef Py_ssize_t w = cnp.PyArray_DIM(a, lead + 2), item = cnp.PyArray_ITEMSIZE(a)
    if c <= 1 or h * w <= 1 or cnp.PyArray_STRIDE(a, lead) != item:
        return False
    return (w == 1 or cnp.PyArray_STRIDE(a, lead + 2) >= c * item) and (
        h == 1 or cnp.PyArray_STRIDE(a, lead + 1) >= w * c * item)


cdef double _work(corr_problem *s) noexcept:
    return 2.0 * s.n * s.groups * s.oc * s.ic * s.h.out * s.w.out * s.h.kernel * s.w.kernel


cdef corr_call _call(bint with_poll) noexcept:
    cdef corr_call call
    call.threads = corr_get_num_threads()
    call.poll = NULL
    # Signals are for the main thread alone. The others never ask for the GIL within a call:
    # where the interpreter ends meanwhile, they would end there, and the pool with them.
    if with_poll and PyThread_get_thread_ident() == <unsigned long>threading.main_thread().ident:
        call.poll = _poll
    call.poll_context = NULL
    call.accumulate = 0
    return call


cdef object _turned(object array, const cnp.npy_intp *axes, int rank):
    cdef cnp.npy_intp[4] all_axes
    cdef cnp.PyArray_Dims order
    cdef int i
    all_axes[0] = 0
    for i in range(3):
        all_axes[rank - 3 + i] = axes[i] + rank - 3
    order.ptr, order.len = all_axes, rank
    return cnp.PyArray_Transpose(<cnp.ndarray>array, &order)


cdef object _nchw(object array, str layout, int rank):
    """The (N, C, H, W) view of an array in `layout`."""
    if layout == "NCHW":
        return array
    return _turned(array, TO_NCHW, rank)


cdef object _in_layout(object array, str layout, int rank):
    if layout == "NCHW":
        return array
    return _turned(array, TO_NHWC, rank)


cdef int _algorithm(object word, _Types types) except -1:
    cdef int algorithm
    if isinstance(word, str) and word == "auto":
        return preferred_algorithm if preferred_algorithm == CORR_DIRECT else CORR_AUTO
    algorithm = functional.look_up("algorithm", word, functional.ALGORITHMS)
    if algorithm in (CORR_WINOGRAD, CORR_FFT) and types.dtype == CORR_F64:
        raise ValueError(f"algorithm={word!r} cannot be used here: float64 is always computed "
                         "directly")
    return algorithm


cdef int _check_winograd(corr_problem *s, object word) except -1:
    """A demand that cannot be met is refused, a preference only taken where it can."""
    cdef bint fits = (s.dtype == CORR_F32 and 2 <= s.h.kernel <= 9 and 2 <= s.w.kernel <= 9
                      and s.h.stride == 1 and s.w.stride == 1
                      and s.h.pad % s.h.dilation == 0 and s.w.pad % s.w.dilation == 0)
    if s.algorithm == CORR_WINOGRAD and not fits:
        raise ValueError(
            "algorithm='winograd' cannot be used here: it takes kernels of 2x2 to 9x9 with stride 1 and "
            "padding on the top and left of whole steps of the dilation, got "
            f"{s.h.kernel}x{s.w.kernel} with stride ({s.h.stride}, {s.w.stride}), padding "
            f"({s.h.pad}, {s.w.pad}) and dilation ({s.h.dilation}, {s.w.dilation})"
        )
    if word == "auto" and preferred_algorithm == CORR_WINOGRAD and fits and s.ic and s.oc:
        s.algorithm = CORR_WINOGRAD
    return 0


cdef object _check_rank(object array, str name, str layout):
    cdef int rank = cnp.PyArray_NDIM(<cnp.ndarray>array)
    if rank != 3 and rank != 4:
        wanted = "(N, C, H, W) or (C, H, W)" if layout == "NCHW" else "(N, H, W, C) or (H, W, C)"
        raise ValueError(f"{name} must have shape {wanted}, got {_shape(array)}")


cdef int _weight_sizes(object w, _Sizes *sizes) except -1:
    if cnp.PyArray_NDIM(<cnp.ndarray>w) != 4:
        raise ValueError(f"weight must have shape (OC, IC/groups, KH, KW), got {_shape(w)}")
    _get_sizes(w, sizes)
    return 0


cdef object _check_layout(object layout):
    if not isinstance(layout, str) or (layout != "NCHW" and layout not in functional.LAYOUTS):
        functional.look_up("layout", layout, dict.fromkeys(functional.LAYOUTS))
    return layout


@cython.final
@cython.freelist(8)
cdef class _Problem:
    """One checked call: the descriptor, and what Python needs around it."""
    cdef corr_problem s       # of the forward, on the padded input where one is made
    cdef corr_padding pad
    cdef _Geometry g
    cdef _Types types
    cdef str layout
    cdef int rank, mode
    cdef bint padded          # a padding mode other than zeros, and there is padding


cdef _Problem _describe(const _Sizes *input, const _Sizes *weight, _Types types, object stride,
                        object padding, object dilation, object groups, object padding_mode,
                        str layout, object algorithm, str input_name):
    """Checks everything about the sizes; input is (N, C, H, W) or (C, H, W)."""
    cdef _Problem p = _Problem.__new__(_Problem)
    cdef corr_problem *s = &p.s
    cdef int lead = input.rank - 3
    memset(s, 0, sizeof(corr_problem))
    p.types = types
    p.layout = layout
    p.rank = lead + 3
    s.dtype = types.dtype
    s.algorithm = <corr_algorithm>_algorithm(algorithm, types)
    s.n = input.n[0] if lead else 1
    _channels(s, groups, weight, input, input_name)
    s.h.in_ = input.n[lead + 1]
    s.w.in_ = input.n[lead + 2]
    s.h.kernel = weight.n[2]
    s.w.kernel = weight.n[3]
    if s.h.kernel < 1 or s.w.kernel < 1:
        raise ValueError(f"weight must have a kernel of at least 1x1, got {_tuple(weight)}")
    _pair(stride, "stride", 1, &s.h.stride, &s.w.stride)
    _pair(dilation, "dilation", 1, &s.h.dilation, &s.w.dilation)
    if s.h.kernel > (<int64_t>1 << 61) // s.h.dilation or \
            s.w.kernel > (<int64_t>1 << 61) // s.w.dilation:
        raise ValueError(f"dilation is too large: {dilation!r} with weight {_tuple(weight)}")
    _padding(padding, s, &p.g)
    p.mode = CORR_PAD_ZEROS
    if not isinstance(padding_mode, str) or padding_mode != "zeros":
        p.mode = functional.look_up("padding_mode", padding_mode, functional.PADDING_MODES)
    _out_size(&s.h, p.g.top, p.g.bottom, "height", input, weight, input_name)
    _out_size(&s.w, p.g.left, p.g.right, "width", input, weight, input_name)
    _check_padded(s, &p.g, input, input_name)
    p.padded = p.mode != CORR_PAD_ZEROS and (p.g.top or p.g.bottom or p.g.left or p.g.right)
    if p.padded:
        _check_mode(p.mode, padding_mode, s, &p.g, input)
        _use_padded_input(p)
    _check_winograd(s, algorithm)
    return p


cdef int _use_padded_input(_Problem p) except -1:
    cdef corr_problem *s = &p.s
    p.pad.dtype = s.dtype
    p.pad.mode = <corr_pad_mode>p.mode
    p.pad.n = s.n
    p.pad.c = s.groups * s.ic
    p.pad.h.in_ = s.h.in_
    p.pad.w.in_ = s.w.in_
    p.pad.h.pad = p.g.top
    p.pad.w.pad = p.g.left
    p.pad.h.out = s.h.in_ = s.h.in_ + p.g.top + p.g.bottom
    p.pad.w.out = s.w.in_ = s.w.in_ + p.g.left + p.g.right
    s.h.pad = s.w.pad = 0
    return 0


cdef void _plane_strides(object x, int64_t *stride, int bytes) noexcept:
    cdef int lead = cnp.PyArray_NDIM(<cnp.ndarray>x) - 3, i
    stride[0] = _stride(x, 0, bytes) if lead else 0
    for i in range(3):
        stride[1 + i] = _stride(x, lead + i, bytes)


cdef inline _Sizes _sizes(_Problem p, int64_t channels, int64_t h, int64_t w) noexcept:
    cdef _Sizes sizes
    cdef int lead = p.rank - 3
    sizes.rank = p.rank
    sizes.n[0] = p.s.n
    sizes.n[lead], sizes.n[lead + 1], sizes.n[lead + 2] = channels, h, w
    return sizes


cdef object _padded_array(_Problem p, object like):
    cdef _Sizes sizes = _sizes(p, p.pad.c, p.pad.h.out, p.pad.w.out)
    return _empty(&sizes, p.types.typenum, _is_channels_last(like))


cdef object _pad_input(_Problem p, object x):
    """The padded copy of an input, for padding modes other than zeros."""
    cdef corr_status status
    if not p.padded:
        return x
    padded = _padded_array(p, x)
    _plane_strides(x, p.pad.src_stride, p.types.bytes)
    _plane_strides(padded, p.pad.dst_stride, p.types.bytes)
    cdef void *src = cnp.PyArray_DATA(<cnp.ndarray>x)
    cdef void *dst = cnp.PyArray_DATA(<cnp.ndarray>padded)
    if p.s.n > 0 and p.pad.c > 0 and p.pad.h.out > 0 and p.pad.w.out > 0:
        with nogil:
            status = corr_pad(&p.pad, src, dst)
        _raise(status)
    return padded


cdef object _output(_Problem p, object out, const _Sizes *sizes, bint channels_last, bint images,
                    str name_a, object a, str name_b, object b, object c=None):
    """The array to compute into: `out` or, where there is none or the core cannot write it, a new
    one. No byte of `out` may be of a, b, c (a bias), which are read."""
    cdef str layout = p.layout if images else "NCHW"
    if out is None:
        return _empty(sizes, p.types.typenum, channels_last or (images and layout == "NHWC"))
    cdef _Sizes shown = sizes[0]
    if layout == "NHWC":
        shown.n[p.rank - 3], shown.n[p.rank - 2], shown.n[p.rank - 1] = (
            sizes.n[p.rank - 2], sizes.n[p.rank - 1], sizes.n[p.rank - 3])
    if (_is_plain_out(out, &shown, p.types) and _is_apart(out, a) and _is_apart(out, b)
            and _is_apart(out, c)):
        return _nchw(out, layout, p.rank)
    functional.check_out(out, _tuple(&shown), p.types.result, ((name_a, a), (name_b, b), ("bias", c)))
    if p.types.compute is p.types.result and functional.takes_result_directly(out):
        return _nchw(out, layout, p.rank)
    return _empty(sizes, p.types.typenum, channels_last)


cdef object _give_back(_Problem p, object y, object out, bint images):
    cdef str layout = p.layout if images else "NCHW"
    if out is None:
        if p.types.compute is not p.types.result:
            y = y.astype(p.types.result)
        return _in_layout(y, layout, p.rank) if layout != "NCHW" else y
    if y is out:
        return out
    if cnp.PyArray_DATA(<cnp.ndarray>y) != cnp.PyArray_DATA(<cnp.ndarray>out):
        np.copyto(_nchw(out, layout, p.rank), y, casting="same_kind")
    return out


cdef object _bias(object bias, const _Sizes *weight, _Types types):
    if bias is None:
        return None
    cdef bint weak
    array = _array(bias, "bias", &weak)
    if cnp.PyArray_TYPE(<cnp.ndarray>array) != types.typenum:
        functional.check_kind(array, "bias")
    if (cnp.PyArray_NDIM(<cnp.ndarray>array) != 1
            or cnp.PyArray_DIM(<cnp.ndarray>array, 0) != weight.n[0]):
        raise ValueError(
            f"bias must have shape ({weight.n[0]},) for weight {_tuple(weight)}, "
            f"got {array.shape}"
        )
    array = _native(array, types)
    return array if cnp.PyArray_IS_C_CONTIGUOUS(<cnp.ndarray>array) else np.ascontiguousarray(array)
