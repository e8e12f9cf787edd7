"""corr_problem_check, as foreign callers reach it: nothing below it checks a size again."""

import ctypes

import pytest

from corr import _core

OK, OVERFLOW, BAD = 0, 3, 4
MOST = 2**63 - 1


class Axis(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int64) for name in ("in_", "out", "kernel", "stride", "dilation", "pad")]


class Problem(ctypes.Structure):
    _fields_ = [("dtype", ctypes.c_int), ("activation", ctypes.c_int), ("algorithm", ctypes.c_int),
                *[(name, ctypes.c_int64) for name in ("n", "groups", "ic", "oc")],
                ("h", Axis), ("w", Axis),
                *[(name, ctypes.c_int64 * 5) for name in ("x_stride", "w_stride", "y_stride")]]


def function(index, *arguments):
    """Of the table that the capsule holds: an int and a size, then functions."""
    pointer = ctypes.pythonapi.PyCapsule_GetPointer
    pointer.restype, pointer.argtypes = ctypes.c_void_p, (ctypes.py_object, ctypes.c_char_p)
    table = ctypes.cast(pointer(_core._C_API, b"corr._core._C_API"), ctypes.POINTER(ctypes.c_void_p))
    return ctypes.CFUNCTYPE(ctypes.c_int, *arguments)(table[2 + index])


check = function(12, ctypes.POINTER(Problem))


def problem(**changes):
    """2 images of 3 channels, 5 x 7, 4 kernels of 3 x 2; `h_pad` is h.pad, `x_stride0` x_stride[0]."""
    p = Problem(0, 0, 0, 2, 1, 3, 4, Axis(5, 3, 3, 1, 1, 0), Axis(7, 6, 2, 1, 1, 0),
                (105, 105, 35, 7, 1), (72, 18, 6, 2, 1), (72, 72, 18, 6, 1))
    for name, value in changes.items():
        if name[-1].isdigit():
            getattr(p, name[:-1])[int(name[-1])] = value
        elif name[:2] in ("h_", "w_"):
            setattr(getattr(p, name[0]), name[2:], value)
        else:
            setattr(p, name, value)
    return p


@pytest.mark.parametrize(("changes", "status"), [
    ({}, OK),
    ({"n": 0}, OK), ({"ic": 0}, OK), ({"oc": 0}, OK), ({"h_in_": 0}, OK), ({"w_out": 0}, OK),
    ({"h_pad": -2}, OK), ({"x_stride0": -105}, OK), ({"x_stride4": 0}, OK),
    ({"n": -1}, BAD), ({"groups": 0}, BAD), ({"groups": -1}, BAD), ({"ic": -1}, BAD), ({"oc": -3}, BAD),
    ({"h_in_": -1}, BAD), ({"w_out": -1}, BAD), ({"h_kernel": 0}, BAD), ({"w_kernel": -1}, BAD),
    ({"h_stride": 0}, BAD), ({"w_stride": 0}, BAD), ({"h_dilation": 0}, BAD), ({"w_dilation": -1}, BAD),
    ({"dtype": 2}, BAD), ({"dtype": -1}, BAD),
    # Products that wrap to something small, or to nothing.
    ({"h_kernel": 2**32, "h_dilation": 2**32}, OVERFLOW),
    ({"h_kernel": 3, "h_dilation": 2**63 // 3 * 2}, OVERFLOW),
    ({"w_kernel": 2**33, "w_dilation": 2**31}, OVERFLOW),
    ({"h_out": 2**32, "h_stride": 2**32, "y_stride3": 0}, OVERFLOW),
    ({"w_out": 2**60, "w_stride": 16, "y_stride4": 0}, OVERFLOW),
    ({"n": 2**32, "h_in_": 2**32, "x_stride0": 0, "x_stride3": 0}, OVERFLOW),
    ({"ic": 2**31, "oc": 2**33, "w_stride0": 0, "w_stride1": 0, "w_stride2": 0}, OVERFLOW),
    ({"oc": 2**62, "y_stride2": 0, "w_stride1": 0}, OVERFLOW),
    ({"n": 2**61, "ic": 1, "h_in_": 1, "w_in_": 1, "x_stride0": 0}, OVERFLOW),  # in bytes
    # Strides that reach too far, either way.
    ({"x_stride0": 2**62}, OVERFLOW), ({"x_stride0": -(2**62)}, OVERFLOW),
    ({"x_stride1": -(2**63)}, OVERFLOW), ({"x_stride3": MOST}, OVERFLOW),
    ({"x_stride2": 2**59, "x_stride3": 2**59}, OVERFLOW), ({"y_stride2": MOST // 4}, OVERFLOW),
    ({"w_stride4": MOST}, OVERFLOW), ({"w_stride1": 2**61}, OVERFLOW),
    # Offsets of taps.
    ({"h_pad": 2**62}, OVERFLOW), ({"w_pad": -(2**62)}, OVERFLOW), ({"h_in_": 2**62, "x_stride3": 0}, OVERFLOW),
])
def test_sizes_and_strides(changes, status):
    assert check(ctypes.byref(problem(**changes))) == status
