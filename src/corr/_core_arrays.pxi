# Arrays and types: what comes in, what goes out.


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
