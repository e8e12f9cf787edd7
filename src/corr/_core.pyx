# cython: language_level=3, boundscheck=False
"""The compiled functions: arrays in, checked once, one call of the core, arrays out."""

from collections import namedtuple

cimport cython
cimport numpy as cnp
from cpython.pycapsule cimport PyCapsule_New
from libc.stdint cimport int64_t
from libc.string cimport memset

import numpy as np

from . import _config as config
from . import _functional as functional
from ._version import __version__

cnp.import_array()

# The axes of channels-last memory as NCHW, and back, by rank.
cdef dict TO_NCHW = {4: (0, 3, 1, 2), 3: (2, 0, 1)}
cdef dict TO_NHWC = {4: (0, 2, 3, 1), 3: (1, 2, 0)}

cdef extern from "Python.h":
    int PyErr_CheckSignals() noexcept

cdef extern from *:
    """
    #if defined(__clang__)
    #define CORR_COMPILER_NAME "clang " __clang_version__
    #elif defined(__GNUC__)
    #define CORR_COMPILER_NAME "gcc " __VERSION__
    #elif defined(_MSC_VER)
    #define CORR_COMPILER_NAME "msvc"
    #else
    #define CORR_COMPILER_NAME "unknown"
    #endif
    """
    const char *CORR_COMPILER_NAME

Gradients = namedtuple("Gradients", ("input", "weight", "bias"))
Gradients.__doc__ = "The gradients of one layer; what was not asked for is None."

# Above about 20 us of work the GIL is released; for less that costs more than it gives.
cdef double release_gil_from = 1e6
# Outputs from here on come from the cache of blocks: fresh pages cost 1.2 us each.
cdef Py_ssize_t cached_output_from = 65536
cdef int preferred_algorithm = 0


@cython.final
cdef class _Block:
    """Owner of a cached block under an output."""
    cdef void *data
    cdef size_t bytes

    def __dealloc__(self):
        corr_release(self.data, self.bytes)


cdef object _empty(list shape, int typenum, bint channels_last):
    """A new array; with channels_last (N, C, H, W) or (C, H, W) over channels-last memory."""
    cdef int rank = len(shape), i
    cdef cnp.npy_intp sizes[5]
    cdef cnp.npy_intp total = 4 if typenum == cnp.NPY_FLOAT32 else 8
    cdef int lead = rank - 3
    cdef _Block block
    for i in range(rank):
        sizes[i] = shape[i]
        if sizes[i] != 0 and total > (<cnp.npy_intp>1 << 62) // sizes[i]:
            raise ValueError(f"the sizes are too large: an array of shape {tuple(shape)}")
        total *= sizes[i]
    if channels_last:
        sizes[lead], sizes[lead + 1], sizes[lead + 2] = \
            sizes[lead + 1], sizes[lead + 2], sizes[lead]
    if total < cached_output_from:
        array = cnp.PyArray_SimpleNew(rank, sizes, typenum)
    else:
        block = _Block.__new__(_Block)
        block.data = corr_allocate(total)
        block.bytes = total
        if block.data == NULL:
            raise MemoryError(f"no memory for an array of shape {tuple(shape)}")
        array = cnp.PyArray_SimpleNewFromData(rank, sizes, typenum, block.data)
        cnp.set_array_base(array, block)
    if channels_last:
        return array.transpose(TO_NCHW[rank])
    return array


cdef int _poll(void *context) noexcept with gil:
    return PyErr_CheckSignals()


cdef int _raise(corr_status status) except -1:
    """The one place where a status of the core becomes an exception."""
    if status == CORR_OK:
        return 0
    if status == CORR_INTERRUPTED:
        return -1  # the signal handler's exception is set already
    if status == CORR_NO_MEMORY:
        raise MemoryError("corr: no memory for the working space")
    if status == CORR_OVERFLOW:
        raise ValueError("the sizes are too large: an offset does not fit in 63 bits")
    if status == CORR_UNSUPPORTED:
        raise ValueError(
            "algorithm cannot do this problem: 'direct' does every one"
        )
    raise ValueError("sizes that contradict one another")


cdef inline int64_t _stride(object array, int axis, int bytes) noexcept:
    return cnp.PyArray_STRIDE(<cnp.ndarray>array, axis) // bytes


cdef inline int64_t _size(object array, int axis) noexcept:
    return cnp.PyArray_DIM(<cnp.ndarray>array, axis)


cdef inline object _shape(object array):
    return (<object>array).shape


cdef object _array(object value, str name, bint *weak):
    weak[0] = False
    if type(value) is cnp.ndarray:
        return value
    array, is_weak = functional.as_array(value, name)
    weak[0] = is_weak
    return array


@cython.final
cdef class _Types:
    """The dtype computed in and the dtype given back."""
    cdef object compute, result
    cdef int typenum, bytes
    cdef corr_dtype dtype


cdef _Types _make_types(compute, result):
    cdef _Types types = _Types.__new__(_Types)
    types.compute = compute
    types.result = result
    types.typenum = cnp.NPY_FLOAT32 if compute == np.float32 else cnp.NPY_FLOAT64
    types.bytes = 4 if types.typenum == cnp.NPY_FLOAT32 else 8
    types.dtype = CORR_F32 if types.typenum == cnp.NPY_FLOAT32 else CORR_F64
    return types


cdef _Types _float32 = _make_types(np.dtype(np.float32), np.dtype(np.float32))
cdef _Types _float64 = _make_types(np.dtype(np.float64), np.dtype(np.float64))


cdef _Types _types(object a, bint weak_a, str name_a, object b, bint weak_b, str name_b):
    cdef int ta = cnp.PyArray_TYPE(<cnp.ndarray>a), tb = cnp.PyArray_TYPE(<cnp.ndarray>b)
    if ta == tb and not weak_a and not weak_b:
        if ta == cnp.NPY_FLOAT32:
            return _float32
        if ta == cnp.NPY_FLOAT64:
            return _float64
    compute, result = functional.result_dtype((a, b), (weak_a, weak_b), (name_a, name_b))
    if compute == result:
        return _float32 if compute == np.float32 else _float64
    return _make_types(compute, result)


cdef object _native(object array, _Types types):
    cdef cnp.ndarray a = <cnp.ndarray>array
    cdef int i
    if cnp.PyArray_TYPE(a) == types.typenum and cnp.PyArray_ISBEHAVED_RO(a):
        for i in range(cnp.PyArray_NDIM(a)):
            if cnp.PyArray_STRIDE(a, i) % types.bytes:
                break
        else:
            return array
    return functional.as_native(array, types.compute)


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
                   object input_shape, object weight_shape, str input_name) except -1:
    cdef int64_t most = <int64_t>1 << 61
    cdef int64_t window
    if axis.kernel > most // axis.dilation or before > most or after > most or axis.in_ > most:
        raise ValueError(f"the sizes are too large: {input_name} {input_shape}, weight "
                         f"{weight_shape}, dilation {axis.dilation}, padding {before} + {after}")
    window = (axis.kernel - 1) * axis.dilation + 1
    if window > axis.in_ + before + after:
        raise ValueError(
            f"weight is larger than the padded {input_name} along its {which}: kernel "
            f"{axis.kernel} with dilation {axis.dilation} spans {window}, {input_name} "
            f"{axis.in_} + padding {before} + {after} (weight {weight_shape}, "
            f"{input_name} {input_shape})"
        )
    axis.out = (axis.in_ + before + after - window) // axis.stride + 1
    axis.pad = before
    return 0


cdef int _check_mode(int mode, str word, corr_problem *s, _Geometry *g, object shape) except -1:
    cdef int64_t h = max(g.top, g.bottom), w = max(g.left, g.right)
    cdef int64_t slack = 0 if mode == CORR_PAD_CIRCULAR else 1
    if mode == CORR_PAD_REPLICATE:
        if (h and s.h.in_ == 0) or (w and s.w.in_ == 0):
            raise ValueError(f"padding_mode {word!r} needs pixels to repeat, input is {shape}")
        return 0
    if (h and h + slack > s.h.in_) or (w and w + slack > s.w.in_):
        least = "at most" if mode == CORR_PAD_CIRCULAR else "less than"
        raise ValueError(
            f"padding must be {least} the size of input with padding_mode {word!r}: "
            f"padding ({h}, {w}), input {shape}"
        )
    return 0


cdef int _channels(corr_problem *s, object groups, int64_t channels, object weight_shape,
                   object shape, str name) except -1:
    cdef int64_t count, h
    _pair(groups, "groups", 1, &count, &h) if type(groups) is int else None
    if type(groups) is not int:
        count = functional.integer(groups, "groups", 1)
    cdef int64_t oc = weight_shape[0], ic = weight_shape[1]
    if oc % count:
        raise ValueError(
            f"groups={count} must divide the {oc} output channels of weight {weight_shape}"
        )
    if channels % count or channels // count != ic:
        raise ValueError(
            f"weight {weight_shape} takes {ic} channels a group, so with groups={count} "
            f"{name} must have {ic * count} channels, got {channels} ({name} {shape})"
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
    if with_poll:
        call.poll = _poll
    call.poll_context = NULL
    call.accumulate = 0
    return call


cdef object _nchw(object array, str layout, int rank):
    """The (N, C, H, W) view of an array in `layout`."""
    if layout == "NCHW":
        return array
    return array.transpose(TO_NCHW[rank])


cdef object _in_layout(object array, str layout, int rank):
    if layout == "NCHW":
        return array
    return array.transpose(TO_NHWC[rank])


cdef int _algorithm(object word, _Types types) except -1:
    cdef int algorithm
    if word == "auto":
        return preferred_algorithm if preferred_algorithm == CORR_DIRECT else CORR_AUTO
    algorithm = functional.look_up("algorithm", word, functional.ALGORITHMS)
    if algorithm in (CORR_WINOGRAD, CORR_FFT) and types.dtype == CORR_F64:
        raise ValueError(f"algorithm={word!r} cannot be used here: float64 is always computed "
                         "directly")
    return algorithm


cdef int _check_winograd(corr_problem *s, object word) except -1:
    """A demand that cannot be met is refused, a preference only taken where it can."""
    cdef bint fits = (s.dtype == CORR_F32 and s.h.kernel == 3 and s.w.kernel == 3
                      and s.h.stride == 1 and s.w.stride == 1
                      and s.h.dilation == 1 and s.w.dilation == 1)
    if s.algorithm == CORR_WINOGRAD and not fits:
        raise ValueError(
            "algorithm='winograd' cannot be used here: it takes 3x3 kernels with stride 1 and "
            f"dilation 1, got {s.h.kernel}x{s.w.kernel} with stride ({s.h.stride}, {s.w.stride}) "
            f"and dilation ({s.h.dilation}, {s.w.dilation})"
        )
    if word == "auto" and preferred_algorithm == CORR_WINOGRAD and fits and s.ic and s.oc:
        s.algorithm = CORR_WINOGRAD
    return 0


cdef object _check_rank(object array, str name, str layout):
    cdef int rank = cnp.PyArray_NDIM(<cnp.ndarray>array)
    if rank != 3 and rank != 4:
        wanted = "(N, C, H, W) or (C, H, W)" if layout == "NCHW" else "(N, H, W, C) or (H, W, C)"
        raise ValueError(f"{name} must have shape {wanted}, got {_shape(array)}")


cdef object _check_layout(object layout):
    if layout not in functional.LAYOUTS:
        functional.look_up("layout", layout, dict.fromkeys(functional.LAYOUTS))
    return layout


@cython.final
cdef class _Problem:
    """One checked call: the descriptor, and what Python needs around it."""
    cdef corr_problem s       # of the forward, on the padded input where one is made
    cdef corr_padding pad
    cdef _Geometry g
    cdef _Types types
    cdef str layout
    cdef int rank, mode
    cdef bint padded          # a padding mode other than zeros, and there is padding


cdef _Problem _describe(object input_shape, object weight_shape, _Types types, object stride,
                        object padding, object dilation, object groups, object padding_mode,
                        str layout, object algorithm, str input_name):
    """Checks everything about the sizes; input_shape is (N, C, H, W) or (C, H, W)."""
    cdef _Problem p = _Problem.__new__(_Problem)
    cdef corr_problem *s = &p.s
    cdef int lead = len(input_shape) - 3
    memset(s, 0, sizeof(corr_problem))
    p.types = types
    p.layout = layout
    p.rank = lead + 3
    if len(weight_shape) != 4:
        raise ValueError(f"weight must have shape (OC, IC/groups, KH, KW), got {weight_shape}")
    s.dtype = types.dtype
    s.algorithm = <corr_algorithm>_algorithm(algorithm, types)
    s.n = input_shape[0] if lead else 1
    _channels(s, groups, input_shape[lead], weight_shape, input_shape, input_name)
    s.h.in_ = input_shape[lead + 1]
    s.w.in_ = input_shape[lead + 2]
    s.h.kernel = weight_shape[2]
    s.w.kernel = weight_shape[3]
    if s.h.kernel < 1 or s.w.kernel < 1:
        raise ValueError(f"weight must have a kernel of at least 1x1, got {weight_shape}")
    _pair(stride, "stride", 1, &s.h.stride, &s.w.stride)
    _pair(dilation, "dilation", 1, &s.h.dilation, &s.w.dilation)
    if s.h.kernel > (<int64_t>1 << 61) // s.h.dilation or \
            s.w.kernel > (<int64_t>1 << 61) // s.w.dilation:
        raise ValueError(f"dilation is too large: {dilation!r} with weight {weight_shape}")
    _check_winograd(s, algorithm)
    _padding(padding, s, &p.g)
    p.mode = CORR_PAD_ZEROS
    if padding_mode != "zeros":
        p.mode = functional.look_up("padding_mode", padding_mode, functional.PADDING_MODES)
    _out_size(&s.h, p.g.top, p.g.bottom, "height", input_shape, weight_shape, input_name)
    _out_size(&s.w, p.g.left, p.g.right, "width", input_shape, weight_shape, input_name)
    p.padded = p.mode != CORR_PAD_ZEROS and (p.g.top or p.g.bottom or p.g.left or p.g.right)
    if p.padded:
        _check_mode(p.mode, padding_mode, s, &p.g, input_shape)
        _use_padded_input(p)
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


cdef list _sizes(_Problem p, int64_t channels, int64_t h, int64_t w):
    return [p.s.n, channels, h, w] if p.rank == 4 else [channels, h, w]


cdef object _padded_array(_Problem p, object like):
    return _empty(_sizes(p, p.pad.c, p.pad.h.out, p.pad.w.out), p.types.typenum,
                  _is_channels_last(like))


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


cdef object _output(_Problem p, object out, list sizes, bint channels_last, object read, bint images):
    """(array to compute into, array to give back or None): `out`, or a new one."""
    cdef str layout = p.layout if images else "NCHW"
    if out is None:
        return _empty(sizes, p.types.typenum, channels_last or (images and layout == "NHWC")), None
    shape = tuple(sizes)
    if layout == "NHWC":
        shape = shape[:-3] + (shape[-2], shape[-1], shape[-3])
    functional.check_out(out, shape, p.types.result, read)
    view = _nchw(out, layout, p.rank)
    if p.types.compute is p.types.result and functional.takes_result_directly(out):
        return view, out
    return _empty(sizes, p.types.typenum, channels_last), out


cdef object _give_back(_Problem p, object y, object out, bint images):
    cdef str layout = p.layout if images else "NCHW"
    if out is None:
        if p.types.compute is not p.types.result:
            y = y.astype(p.types.result)
        return _in_layout(y, layout, p.rank) if layout != "NCHW" else y
    view = _nchw(out, layout, p.rank)
    if y is not out and y.ctypes.data != view.ctypes.data:
        np.copyto(view, y, casting="same_kind")
    return out


cdef object _bias(object bias, object weight_shape, _Types types):
    if bias is None:
        return None
    cdef bint weak
    array = _array(bias, "bias", &weak)
    functional.check_kind(array, "bias")
    if array.shape != (weight_shape[0],):
        raise ValueError(
            f"bias must have shape ({weight_shape[0]},) for weight {weight_shape}, "
            f"got {array.shape}"
        )
    return np.ascontiguousarray(_native(array, types))


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
    algorithm : {"auto", "direct", "winograd"}, default "auto"
        "direct": each output is one sum of products. "winograd": for 3x3 at stride 1 in
        float32, up to four times fewer products, rounded as docs/accuracy.md says.
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
    x = _nchw(x, layout, rank)
    cdef _Problem p = _describe(_shape(x), _shape(w), types, stride, padding, dilation, groups,
                                padding_mode, layout, algorithm, "input")
    cdef corr_problem *s = &p.s
    if activation is not None:
        s.activation = <corr_activation><int>functional.look_up("activation", activation,
                                                           functional.ACTIVATIONS)
    b = _bias(bias, _shape(w), types)
    y, target = _output(p, out, _sizes(p, s.groups * s.oc, s.h.out, s.w.out),
                        _is_channels_last(x), (("input", x), ("weight", w), ("bias", b)), True)
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
    return _give_back(p, y, target, True)


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
    cdef bint plain = padding_mode == "zeros" and types.compute is types.result
    cdef cnp.npy_intp sizes[2]
    if not plain or out is not None or type(padding) is not int:
        y = conv2d(x[None], w[None, None], padding=padding, padding_mode=padding_mode,
                   out=None if out is None else _lifted(out)) if not (weak_x or weak_w) else \
            conv2d(x[None].astype(types.compute), w[None, None].astype(types.compute),
                   padding=padding, padding_mode=padding_mode,
                   out=None if out is None else _lifted(out))
        return y[0] if out is None else out
    x, w = _native(x, types), _native(w, types)
    memset(s, 0, sizeof(problem))
    s.dtype = types.dtype
    s.algorithm = <corr_algorithm>preferred_algorithm if preferred_algorithm == CORR_DIRECT else CORR_AUTO
    s.n = s.groups = s.ic = s.oc = 1
    s.h.in_, s.w.in_ = _size(x, 0), _size(x, 1)
    s.h.kernel, s.w.kernel = _size(w, 0), _size(w, 1)
    if s.h.kernel < 1 or s.w.kernel < 1:
        raise ValueError(f"kernel must be at least 1x1, got {_shape(w)}")
    s.h.stride = s.w.stride = s.h.dilation = s.w.dilation = 1
    _pair(padding, "padding", 0, &g.top, &g.left)
    _out_size(&s.h, g.top, g.top, "height", _shape(x), _shape(w), "input")
    _out_size(&s.w, g.left, g.left, "width", _shape(x), _shape(w), "input")
    if s.h.out * s.w.out * types.bytes < cached_output_from:
        sizes[0], sizes[1] = s.h.out, s.w.out
        y = cnp.PyArray_SimpleNew(2, sizes, types.typenum)
    else:
        y = _empty([s.h.out, s.w.out], types.typenum, False)
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


def _lifted(out):
    return out[None] if isinstance(out, np.ndarray) and out.ndim == 2 else out


cdef bint _adds_in_core(_Problem p, object target) except -1:
    """May the core itself add to `target`? Otherwise a new array is added to it here."""
    return (target is not None and p.types.compute is p.types.result
            and functional.takes_result_directly(target))


cdef object _input_gradient(_Problem p, object w, object gy, object out, object read,
                            bint accumulate=False):
    """gx of a checked problem; w and gy are native, gy (N, OC, OH, OW)."""
    if accumulate and (p.padded or not _adds_in_core(p, out)):
        out += _input_gradient(p, w, gy, None, ())
        return out
    cdef corr_problem *s = &p.s
    cdef corr_status status
    cdef int64_t h = p.pad.h.in_ if p.padded else s.h.in_
    cdef int64_t v = p.pad.w.in_ if p.padded else s.w.in_
    cdef bint last = _is_channels_last(gy)
    gx, target = _output(p, out, _sizes(p, s.groups * s.ic, h, v), last, read, True)
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
    return _give_back(p, gx, target, True)


cdef object _weight_gradient(_Problem p, object x, object gy, object out, object read,
                             bint accumulate=False):
    if accumulate and not _adds_in_core(p, out):
        out += _weight_gradient(p, x, gy, None, ())
        return out
    cdef corr_problem *s = &p.s
    cdef corr_status status
    gw, target = _output(p, out, [s.groups * s.oc, s.ic, s.h.kernel, s.w.kernel], False, read, False)
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
    return _give_back(p, gw, target, False)


cdef object _check_grad_output(_Problem p, object gy):
    wanted = tuple(_sizes(p, p.s.groups * p.s.oc, p.s.h.out, p.s.w.out))
    if _shape(gy) != wanted:
        shown, got = wanted, _shape(gy)
        if p.layout == "NHWC":
            shown = shown[:-3] + (shown[-2], shown[-1], shown[-3])
            got = got[:-3] + (got[-2], got[-1], got[-3])
        raise ValueError(f"grad_output must have shape {shown}, the output's, got {got}")


cdef object _input_shape(object input_size, str layout):
    sizes = functional.shape_of(input_size, "input_size", (3, 4))
    if layout == "NHWC":
        sizes = sizes[:-3] + (sizes[-1], sizes[-3], sizes[-2])
    return sizes


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
    shape = _input_shape(input_size, layout)
    w, gy = _array(weight, "weight", &weak_w), _array(grad_output, "grad_output", &weak_g)
    _check_rank(gy, "grad_output", layout)
    cdef _Types types = _types(w, weak_w, "weight", gy, weak_g, "grad_output")
    gy = _nchw(gy, layout, cnp.PyArray_NDIM(<cnp.ndarray>gy))
    cdef _Problem p = _describe(shape, _shape(w), types, stride, padding, dilation, groups,
                                padding_mode, layout, algorithm, "input_size")
    _check_grad_output(p, gy)
    return _input_gradient(p, _native(w, types), _native(gy, types), out,
                           (("weight", w), ("grad_output", gy)))


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
    Argument order of ``torch.nn.grad.conv2d_weight``. Always computed directly.

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
    shape = functional.shape_of(weight_size, "weight_size", (4,))
    cdef _Types types = _types(x, weak_x, "input", gy, weak_g, "grad_output")
    x = _nchw(x, layout, cnp.PyArray_NDIM(<cnp.ndarray>x))
    gy = _nchw(gy, layout, cnp.PyArray_NDIM(<cnp.ndarray>gy))
    cdef _Problem p = _describe(_shape(x), shape, types, stride, padding, dilation, groups,
                                padding_mode, layout, algorithm, "input")
    if algorithm == "winograd":
        raise ValueError("algorithm='winograd' cannot be used here: the weight's gradient is "
                         "always computed directly")
    _check_grad_output(p, gy)
    return _weight_gradient(p, _native(x, types), _native(gy, types), out,
                            (("input", x), ("grad_output", gy)))


cdef object _bias_gradient(_Problem p, object gy, object out):
    """Added to `out` if there is one."""
    cdef corr_problem *s = &p.s
    cdef corr_status status
    cdef bint direct = _adds_in_core(p, out) and out.flags.c_contiguous
    gb = out if direct else _empty([s.groups * s.oc], p.types.typenum, False)
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
    An activation is not part of it: mask `grad_output` first. `algorithm` is the input
    gradient's; the weight's is always computed directly.

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
    wanted = {needs} if isinstance(needs, str) else set(needs)
    if not wanted <= set(Gradients._fields):
        raise ValueError(f"needs must name some of 'input', 'weight', 'bias', got {needs!r}")
    compute, result = functional.result_dtype(
        (gy, x, w), (weak_g, weak_x, weak_w), ("grad_output", "input", "weight"))
    cdef _Types types = _make_types(compute, result if compute != result else compute)
    input_shape = _shape(x)
    x = _nchw(x, layout, cnp.PyArray_NDIM(<cnp.ndarray>x))
    gy = _nchw(gy, layout, cnp.PyArray_NDIM(<cnp.ndarray>gy))
    cdef _Problem p = _describe(_shape(x), _shape(w), types, stride, padding, dilation, groups,
                                padding_mode, layout, algorithm, "input")
    _check_grad_output(p, gy)
    into = (None, None, None) if accumulate_into is None else tuple(accumulate_into)
    if len(into) != 3:
        raise ValueError(f"accumulate_into must be (input, weight, bias), got {len(into)} items")
    shapes = {"input": input_shape, "weight": _shape(w), "bias": (_shape(w)[0],)}
    read = (("grad_output", gy), ("input", x), ("weight", w))
    _check_accumulators(into, wanted, shapes, types.result, read)
    x, w, gy = _native(x, types), _native(w, types), _native(gy, types)
    made = [None, None, None]
    if "input" in wanted:
        made[0] = _input_gradient(p, w, gy, into[0], read, into[0] is not None)
    if "weight" in wanted:
        made[1] = _weight_gradient(p, x, gy, into[1], read, into[1] is not None)
    if "bias" in wanted:
        made[2] = _bias_gradient(p, gy, into[2])
    return Gradients(*made)


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
    cdef object shape  # as given, None where N is free
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
        x = _array(input, "input", &weak)
        if weak:
            x = x.astype(types.result)
        given = _shape(x)
        if given != self.shape and (len(given) != len(self.shape) or self.shape[0] is not None
                                    or given[1:] != self.shape[1:]):
            raise ValueError(f"input has shape {given}, the plan was made for {self.shape}")
        if x.dtype != types.result and x.dtype.newbyteorder('=') != types.result:
            raise ValueError(f"input has dtype {x.dtype}, the plan was made for {types.result}")
        run = _Problem.__new__(_Problem)
        run.s, run.pad, run.g, run.types = p.s, p.pad, p.g, types
        run.layout, run.rank, run.mode, run.padded = p.layout, p.rank, p.mode, p.padded
        x = _nchw(x, p.layout, p.rank)
        run.s.n = run.pad.n = _size(x, 0) if p.rank == 4 else 1
        y, target = _output(run, out, _sizes(run, p.s.groups * p.s.oc, p.s.h.out, p.s.w.out),
                            _is_channels_last(x), (("input", x),), True)
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
        return _give_back(run, y, target, True)


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
    like = np.empty(0, np.float32 if dtype is None else dtype)
    if dtype is None and not weak_w:
        like = np.empty(0, w.dtype)
    functional.check_kind(like, "dtype")
    functional.check_kind(w, "weight")
    compute, result = functional.result_dtype((like,), (False,), ("dtype",))
    cdef _Types types = _make_types(compute, result if compute != result else compute)
    shape = tuple(input_shape)
    free = len(shape) == 4 and shape[0] is None
    sizes = functional.shape_of((1,) + shape[1:] if free else shape, "input_shape", (3, 4))
    if layout == "NHWC":
        sizes = sizes[:-3] + (sizes[-1], sizes[-3], sizes[-2])
    cdef _Problem p = _describe(sizes, _shape(w), types, stride, padding, dilation, groups,
                                padding_mode, layout, algorithm, "input")
    p.s.activation = <corr_activation><int>functional.look_up("activation", activation,
                                                         functional.ACTIVATIONS)
    b = _bias(bias, _shape(w), types)
    w = _native(w, types)
    _set_weight(&p.s, w, types.bytes)
    if layout == "NHWC":  # the class of strides to make ready for
        p.s.x_stride[2], p.s.x_stride[4] = 1, p.s.groups * p.s.ic
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
    corr_plan_describe(handle, &made.info)
    return made


cdef _Problem _columns_problem(object shape, object kernel_size, _Types types, object stride,
                               object padding, object dilation, str name):
    cdef int64_t kh, kw
    _pair(kernel_size, "kernel_size", 1, &kh, &kw)
    lead = len(shape) - 3
    return _describe(shape, (1, shape[lead], kh, kw), types, stride, padding, dilation, 1,
                     "zeros", "NCHW", "auto", name)


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
    cdef _Problem p = _columns_problem(_shape(x), kernel_size, types, stride, padding, dilation, "input")
    cdef corr_problem *s = &p.s
    x = _native(x, types)
    sizes = [s.ic * s.h.kernel * s.w.kernel, s.h.out * s.w.out]
    cols = _empty([s.n] + sizes if p.rank == 4 else sizes, types.typenum, False)
    _set_input(s, x, s.x_stride, s.ic, types.bytes)
    cdef void *xp = cnp.PyArray_DATA(<cnp.ndarray>x)
    cdef void *cp = cnp.PyArray_DATA(<cnp.ndarray>cols)
    cdef corr_call call = _call(False)
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
    rows = c.shape[c.ndim - 2]
    if rows % (kh * kw):
        raise ValueError(f"cols must have a multiple of {kh * kw} rows for kernel_size "
                         f"({kh}, {kw}), got {c.shape}")
    shape = (rows // (kh * kw), h, w)
    if c.ndim == 3:
        shape = (c.shape[0],) + shape
    cdef _Problem p = _columns_problem(shape, (kh, kw), types, stride, padding, dilation, "output_size")
    cdef corr_problem *s = &p.s
    if c.shape[c.ndim - 1] != s.h.out * s.w.out:
        raise ValueError(f"cols must have {s.h.out * s.w.out} columns for output_size "
                         f"({h}, {w}), got {c.shape}")
    c = np.ascontiguousarray(_native(c, types))
    x = _empty(list(shape), types.typenum, False)
    _set_input(s, x, s.x_stride, s.ic, types.bytes)
    cdef void *cp = cnp.PyArray_DATA(<cnp.ndarray>c)
    cdef void *xp = cnp.PyArray_DATA(<cnp.ndarray>x)
    cdef corr_call call = _call(False)
    with nogil:
        status = corr_col2im(s, cp, xp, &call)
    _raise(status)
    return x if types.compute is types.result else x.astype(types.result)


def set_num_threads(n):
    """Use at most `n` threads in this process (from 1 to 256).

    Examples
    --------
    >>> import corr
    >>> before = corr.get_num_threads()
    >>> corr.set_num_threads(1); corr.get_num_threads()
    1
    >>> corr.set_num_threads(before)
    """
    n = functional.integer(n, "n", 1)
    if n > 256:
        raise ValueError(f"n must be at most 256, got {n}")
    corr_set_num_threads(n)


def get_num_threads():
    """The number of threads that a call from this thread may use.

    Examples
    --------
    >>> import corr
    >>> corr.get_num_threads() >= 1
    True
    """
    return corr_get_num_threads()


class num_threads:
    """Within the block, calls from this thread use at most `n` threads.

    Examples
    --------
    >>> import corr
    >>> with corr.num_threads(1):
    ...     corr.get_num_threads()
    1
    """

    def __init__(self, n):
        self._n = functional.integer(n, "n", 1)
        if self._n > 256:
            raise ValueError(f"n must be at most 256, got {n}")
        self._before = []

    def __enter__(self):
        self._before.append(corr_swap_thread_override(self._n))
        return self

    def __exit__(self, *exception):
        corr_swap_thread_override(self._before.pop())


def set_flush_denormal(flag):
    """Let the calling thread's arithmetic, and so corr's for it, flush subnormals to zero.

    Returns False where the CPU cannot (``torch.set_flush_denormal``).

    Examples
    --------
    >>> import corr
    >>> corr.set_flush_denormal(False) in (True, False)
    True
    """
    return bool(corr_set_flush_denormal(1 if flag else 0))


def trim():
    """Give the blocks kept for outputs and scratch back to the system.

    Examples
    --------
    >>> import corr
    >>> corr.trim()
    """
    corr_trim()


def _fma_peak(dtype="float32", seconds=0.05):
    """GFLOP/s of one core, FMAs in registers."""
    cdef corr_dtype d = CORR_F32 if np.dtype(dtype) == np.float32 else CORR_F64
    cdef double t = seconds, peak
    with nogil:
        peak = corr_fma_peak(d, t)
    return peak


def _config():
    cdef const char *names[8]
    cdef int n = corr_isa_names(names, 8), i
    return {
        "version": __version__,
        "numpy": np.__version__,
        "compiler": CORR_COMPILER_NAME.decode(),
        "isa": corr_isa().decode(),
        "isas": [names[i].decode() for i in range(n)],
        "isas_built": corr_isas_built().decode().split(),
        "num_threads": corr_get_num_threads(),
        "algorithm": _algorithm_name(),
    }


def _algorithm_name():
    return list(functional.ALGORITHMS)[preferred_algorithm]


def _initialize():
    global preferred_algorithm
    isa, threads, algorithm = config.from_environment()
    name = (isa or "").encode()
    corr_initialize(name)
    if threads:
        corr_set_num_threads(threads)
    preferred_algorithm = functional.ALGORITHMS[algorithm]


_initialize()
_C_API = PyCapsule_New(<void *>corr_get_api(), "corr._core._C_API", NULL)
