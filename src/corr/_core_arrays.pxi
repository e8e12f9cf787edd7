# Arrays and types: what comes in, what goes out.


@cython.final
cdef class _Block:
    """Owner of a cached block under an output."""
    cdef void *data
    cdef size_t bytes

    def __dealloc__(self):
        corr_release(self.data, self.bytes)


cdef struct _Sizes:
    # A shape, off Python's heap: a tuple of it is made for errors alone.
    int rank
    int64_t n[4]


cdef inline void _get_sizes(object array, _Sizes *sizes) noexcept:
    """Of an array of at most 4 axes."""
    cdef int i
    sizes.rank = cnp.PyArray_NDIM(<cnp.ndarray>array)
    for i in range(sizes.rank):
        sizes.n[i] = cnp.PyArray_DIM(<cnp.ndarray>array, i)


cdef object _tuple(const _Sizes *sizes):
    return tuple([sizes.n[i] for i in range(sizes.rank)])


cdef inline bint _has_sizes(object array, const _Sizes *sizes) noexcept:
    cdef int i
    if cnp.PyArray_NDIM(<cnp.ndarray>array) != sizes.rank:
        return False
    for i in range(sizes.rank):
        if cnp.PyArray_DIM(<cnp.ndarray>array, i) != sizes.n[i]:
            return False
    return True


cdef int _read_sizes(object value, str name, int fewest, int most, _Sizes *sizes) except -1:
    """Sizes out of a tuple such as input_size."""
    cdef int i
    if type(value) is not tuple or not fewest <= len(value) <= most:
        value = functional.shape_of(value, name, tuple(range(fewest, most + 1)))
    for item in <tuple>value:
        if type(item) is not int or not 0 <= item <= LARGEST:
            value = functional.shape_of(value, name, tuple(range(fewest, most + 1)))
            break
    sizes.rank = len(<tuple>value)
    for i in range(sizes.rank):
        sizes.n[i] = (<tuple>value)[i]
    return 0


cdef object _empty(const _Sizes *shape, int typenum, bint channels_last):
    """A new array; with channels_last (N, C, H, W) or (C, H, W) over channels-last memory."""
    cdef int rank = shape.rank, i
    cdef cnp.npy_intp sizes[4]
    cdef cnp.npy_intp total = 4 if typenum == cnp.NPY_FLOAT32 else 8
    cdef int lead = rank - 3
    cdef _Block block
    for i in range(rank):
        sizes[i] = shape.n[i]
        if sizes[i] != 0 and total > (<cnp.npy_intp>1 << 62) // sizes[i]:
            raise ValueError(f"the sizes are too large: an array of shape {_tuple(shape)}")
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
            raise MemoryError(f"no memory for an array of shape {_tuple(shape)}")
        array = cnp.PyArray_SimpleNewFromData(rank, sizes, typenum, block.data)
        cnp.set_array_base(array, block)
    if channels_last:
        return _turned(array, TO_NCHW, rank)
    return array


cdef int _poll(void *context) noexcept with gil:
    return PyErr_CheckSignals()


cdef int _raise(corr_status status) except -1:
    """The one place where a status of the core becomes an exception."""
    if status == CORR_OK:
        return 0
    if status == CORR_INTERRUPTED:
        if PyErr_Occurred() == NULL:
            raise RuntimeError("this process was forked within a call of corr: its other threads' "
                               "part of the result is lost")
        return -1  # the signal handler's exception
    if status == CORR_NO_MEMORY:
        raise MemoryError("corr: no memory for the working space")
    if status == CORR_OVERFLOW:
        raise ValueError("the sizes are too large: more than 2^48 elements, or offsets beyond 63 bits")
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


cdef _Types _mixed_types(tuple arrays, tuple weak, tuple names):
    """Of any arrays: NumPy's rules, and the TypeError of a kind that is not taken."""
    compute, result = functional.result_dtype(arrays, weak, names)
    if compute == result:
        return _float32 if compute == np.float32 else _float64
    return _make_types(compute, result)


cdef _Types _types(object a, bint weak_a, str name_a, object b, bint weak_b, str name_b):
    cdef int ta = cnp.PyArray_TYPE(<cnp.ndarray>a), tb = cnp.PyArray_TYPE(<cnp.ndarray>b)
    if ta == tb and not weak_a and not weak_b:
        if ta == cnp.NPY_FLOAT32:
            return _float32
        if ta == cnp.NPY_FLOAT64:
            return _float64
    return _mixed_types((a, b), (weak_a, weak_b), (name_a, name_b))


cdef _Types _types3(object a, bint weak_a, str name_a, object b, bint weak_b, str name_b,
                    object c, bint weak_c, str name_c):
    if (cnp.PyArray_TYPE(<cnp.ndarray>a) == cnp.PyArray_TYPE(<cnp.ndarray>b)
            == cnp.PyArray_TYPE(<cnp.ndarray>c) and not weak_a):
        return _types(a, False, name_a, b, weak_b and weak_c, name_b)
    return _mixed_types((a, b, c), (weak_a, weak_b, weak_c), (name_a, name_b, name_c))


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


cdef inline void _extent(object array, char **first, char **end) noexcept:
    """The bytes that the elements lie in."""
    cdef cnp.ndarray a = <cnp.ndarray>array
    cdef int i
    cdef Py_ssize_t reach
    first[0] = <char *>cnp.PyArray_DATA(a)
    end[0] = first[0] + cnp.PyArray_ITEMSIZE(a)
    for i in range(cnp.PyArray_NDIM(a)):
        reach = (cnp.PyArray_DIM(a, i) - 1) * cnp.PyArray_STRIDE(a, i)
        if reach < 0:
            first[0] += reach
        else:
            end[0] += reach


cdef bint _is_apart(object out, object array) noexcept:
    """Surely no byte in common? None has none."""
    cdef char *first
    cdef char *end
    cdef char *other
    cdef char *other_end
    if array is None:
        return True
    _extent(out, &first, &end)
    _extent(array, &other, &other_end)
    return end <= other or other_end <= first


cdef bint _is_plain_out(object out, const _Sizes *sizes, _Types types) noexcept:
    """An `out` like most: of the very type and shape, and in one piece. Others are looked at by
    functional.check_out."""
    return (type(out) is cnp.ndarray and types.compute is types.result
            and _has_sizes(out, sizes)
            and cnp.PyArray_TYPE(<cnp.ndarray>out) == types.typenum
            and cnp.PyArray_ISCARRAY(<cnp.ndarray>out))
