# cython: language_level=3, boundscheck=False
"""The compiled functions: arrays in, checked once, one call of the core, arrays out.

One module, in parts that are included below in the order of a call.
"""

import threading
from collections import namedtuple

cimport cython
cimport numpy as cnp
from cpython.long cimport PyLong_AsLongLongAndOverflow
from cpython.pycapsule cimport PyCapsule_New
from libc.stdint cimport int64_t
from libc.string cimport memset

import numpy as np

from . import _config as config
from . import _functional as functional
from ._version import __version__

cnp.import_array()

# The axes of channels-last memory as NCHW, and back, by rank.
# Axes of an image without its batch, in front of which that may stand.
cdef cnp.npy_intp[3] TO_NCHW = [2, 0, 1]
cdef cnp.npy_intp[3] TO_NHWC = [1, 2, 0]

cdef extern from "Python.h":
    int PyErr_CheckSignals() noexcept
    void *PyErr_Occurred()
    unsigned long PyThread_get_thread_ident()

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
# Sizes, strides and paddings from here on are refused.
cdef object LARGEST = 1 << 62

include "_core_arrays.pxi"
include "_core_problem.pxi"
include "_core_forward.pxi"
include "_core_gradients.pxi"
include "_core_plan.pxi"
include "_core_columns.pxi"
include "_core_settings.pxi"

_initialize()
_C_API = PyCapsule_New(<void *>corr_get_api(), "corr._core._C_API", NULL)
