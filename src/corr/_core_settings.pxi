# Threads, memory, and what show_config tells.


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
