"""What the compiled module leaves to Python: odd types and the words of errors."""

from __future__ import annotations

import itertools
import operator
import reprlib

import numpy as np

_TooHardError = np.exceptions.TooHardError

PADDING_MODES = {"zeros": 0, "reflect": 1, "replicate": 2, "circular": 3}
ACTIVATIONS = {None: 0, "relu": 1, "relu6": 2}
ALGORITHMS = {"auto": 0, "direct": 1, "winograd": 2, "fft": 3}
LAYOUTS = ("NCHW", "NHWC")

_SAME_MODE_ELSEWHERE = {
    "constant": "zeros",
    "zero": "zeros",
    "fill": "zeros",
    "edge": "replicate",
    "nearest": "replicate",
    "border": "replicate",
    "mirror": "reflect",
    "reflect_101": "reflect",
    "reflect101": "reflect",
    "wrap": "circular",
    "grid-wrap": "circular",
    "periodic": "circular",
}
_SAME_PADDING_ELSEWHERE = {
    "same": '"same"',
    "valid": '"valid"',
    "same_upper": '"same_upper"',
    "same_lower": '"same_lower"',
    "half": '"same"',
    "full": "kernel_size - 1",
    "none": "0",
}


_repr = reprlib.Repr()
_repr.maxtuple = _repr.maxlist = 8
_repr.maxstring = _repr.maxother = 100


def brief(value):
    """A wrong argument on one line of an error: an array by its shape."""
    if isinstance(value, np.ndarray) and value.size > 8:
        return f"an array of shape {value.shape}"
    text = " ".join(_repr.repr(value).split())
    return text if len(text) <= 200 else text[:197] + "..."


def look_up(name, value, table):
    """The number behind a word such as padding_mode="zeros"."""
    try:
        return table[value]
    except (KeyError, TypeError):
        pass
    known = ", ".join(repr(word) for word in table)
    hint = ""
    if isinstance(value, str):
        lower = value.lower()
        if name == "padding_mode" and lower in _SAME_MODE_ELSEWHERE:
            hint = f"; what others call {value!r} is {_SAME_MODE_ELSEWHERE[lower]!r} here"
        elif lower in table:
            hint = f"; did you mean {lower!r}?"
        elif name == "padding_mode" and lower == "symmetric":
            hint = "; symmetric padding (the edge pixel repeated) is not offered, see np.pad"
    elif value is not None:
        raise TypeError(f"{name} must be one of {known}, got {brief(value)}")
    raise ValueError(f"{name} must be one of {known}, got {brief(value)}{hint}")


def bad_padding_word(value):
    hint = _SAME_PADDING_ELSEWHERE.get(value.lower())
    hint = f"; did you mean {hint}?" if hint else ""
    return ValueError(
        'padding must be an int, a pair, ((top, bottom), (left, right)), "valid", "same", '
        f'"same_upper" or "same_lower", got {brief(value)}{hint}'
    )


def as_array(value, name):
    """A plain array of `value`, and whether its type is weak (a list of Python numbers)."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{name} must not be a masked array: fill it first, as by .filled(0)")
    weak = isinstance(value, (list, tuple, int, float)) and _is_python_numbers(value)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} is no array: {error}") from None
    return array, weak


def _is_python_numbers(value):
    if isinstance(value, (list, tuple)):
        return all(_is_python_numbers(item) for item in value)
    return isinstance(value, (bool, int, float)) and not isinstance(value, np.generic)


def check_kind(array, name):
    kind = array.dtype.kind
    if kind not in "biuf" or array.dtype.itemsize > 8:
        hint = ""
        if kind == "c":
            hint = ": correlate the real and the imaginary part apart"
        raise TypeError(
            f"{name} has dtype {array.dtype}, which is not computed with "
            f"(bool, integers, float16, float32 and float64 are){hint}"
        )


def result_dtype(arrays, weak, names):
    """The dtype to compute in and the dtype of the result."""
    for array, name in zip(arrays, names, strict=True):
        check_kind(array, name)
    strong = [a.dtype for a, w in zip(arrays, weak, strict=True) if not w]
    if strong and all(d.type is np.float16 for d in strong):
        return np.dtype(np.float32), np.dtype(np.float16)
    dtype = np.result_type(np.float32, *strong)
    return dtype, dtype


def as_native(array, dtype):
    """`array` with the dtype, aligned, in native byte order and whole-element strides."""
    if (
        array.dtype == dtype
        and array.dtype.isnative
        and array.flags.aligned
        and all(s % dtype.itemsize == 0 for s in array.strides)
    ):
        return array
    return np.array(array, dtype=dtype, order="K", copy=True, subok=False)


def real_dtype(value):
    """What the argument `dtype` says."""
    try:
        dtype = np.dtype(value)
    except (TypeError, ValueError):
        raise TypeError(f"dtype must be a type of NumPy, got {brief(value)}") from None
    check_kind(np.empty(0, dtype), "dtype")
    return dtype


def items(value, name, wanted):
    """A tuple of what can be iterated over, a few of them at most."""
    try:
        return tuple(itertools.islice(iter(value), 16))
    except TypeError:
        raise TypeError(f"{name} must be {wanted}, got {brief(value)}") from None


def names(value, name):
    """One word or several."""
    words = (value,) if isinstance(value, str) else items(value, name, "words")
    if not all(isinstance(word, str) for word in words):
        raise TypeError(f"{name} must be words, got {brief(value)}")
    return words


def triple(value, name):
    """(input, weight, bias) or None."""
    parts = (None,) * 3 if value is None else items(value, name, "(input, weight, bias)")
    if len(parts) != 3:
        raise ValueError(f"{name} must be (input, weight, bias), got {len(parts)} items")
    return parts


def pair(value, name, low):
    """Two ints, at least `low`, out of an int or a pair."""
    try:
        items = value if isinstance(value, (tuple, list, np.ndarray)) else (value, value)
        if len(items) != 2:
            raise ValueError(f"{name} must be an int or a pair of ints, got {brief(value)}")
        first, second = (operator.index(item) for item in items)
    except TypeError:
        raise TypeError(f"{name} must be an int or a pair of ints, got {brief(value)}") from None
    check_low(first, name, low, value)
    check_low(second, name, low, value)
    return first, second


def check_low(number, name, low, shown):
    if number < low:
        what = "positive" if low == 1 else "at least 0"
        raise ValueError(f"{name} must be {what}, got {brief(shown)}")
    if number > 2**62:
        raise ValueError(f"{name} is too large: {brief(shown)}")


def integer(value, name, low):
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an int, got {brief(value)}") from None
    check_low(number, name, low, value)
    return number


def shape_of(value, name, ranks):
    """A tuple of sizes out of e.g. input_size."""
    try:
        sizes = tuple(operator.index(item) for item in itertools.islice(value, 8))
    except TypeError:
        raise TypeError(f"{name} must be a tuple of ints, got {brief(value)}") from None
    if len(sizes) not in ranks:
        wanted = " or ".join(str(rank) for rank in ranks)
        raise ValueError(f"{name} must have {wanted} sizes, got {brief(value)}")
    for size in sizes:
        check_low(size, name, 0, value)
    return sizes


def explicit_padding(value):
    """((top, bottom), (left, right)) out of an int, a pair, or that."""
    def wrong():
        return f"padding must be an int, a pair, or ((top, bottom), (left, right)), got {brief(value)}"

    try:
        items = value if isinstance(value, (tuple, list, np.ndarray)) else (value, value)
        if len(items) != 2:
            raise ValueError(wrong())
        result = []
        for item in items:
            both = item if isinstance(item, (tuple, list, np.ndarray)) else (item, item)
            if len(both) != 2:
                raise ValueError(wrong())
            result.append(tuple(operator.index(number) for number in both))
    except TypeError:
        raise TypeError(wrong()) from None
    for both in result:
        for number in both:
            check_low(number, "padding", 0, value)
    return result


def check_padding(value, stride):
    """A layer's padding, before it sees an input."""
    if not isinstance(value, str):
        explicit_padding(value)
    elif value not in ("valid", "same", "same_upper", "same_lower"):
        raise bad_padding_word(value)
    elif value == "same" and stride != (1, 1):
        raise ValueError(
            'padding="same" needs stride 1; "same_upper" and "same_lower" take any stride')


def check_out(out, shape, dtype, inputs):
    """`out` must take the result as it is, and share no memory with what is read."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be a NumPy array, got {type(out).__name__}")
    if out.shape != shape:
        raise ValueError(f"out has shape {out.shape}, but the result has shape {shape}")
    if out.dtype != dtype or not out.dtype.isnative:
        raise ValueError(f"out has dtype {out.dtype}, but the result has dtype {dtype}")
    if not out.flags.writeable:
        raise ValueError("out is read-only")
    if not out.flags.forc and overlaps_itself(out):
        raise ValueError(f"out has elements that share memory (strides {out.strides})")
    for name, array in inputs:
        if array is not None and shares_memory(out, array):
            raise ValueError(f"out shares memory with {name}")


def overlaps_itself(array):
    """Do two elements share a byte? Found from the strides where these nest; else looked up."""
    axes = sorted((abs(s), n) for s, n in zip(array.strides, array.shape, strict=True) if n > 1)
    if array.size == 0:
        return False
    reach = array.itemsize
    for stride, n in axes:
        if stride < reach:
            break
        reach += stride * (n - 1)
    else:
        return False
    if axes[0][0] == 0 or array.size > 10**6:
        return True
    at = np.zeros(1, np.int64)
    for stride, n in axes:
        at = (at[:, None] + stride * np.arange(n)).ravel()
    at.sort()
    return bool((np.diff(at) < array.itemsize).any())


def shares_memory(a, b):
    if not np.may_share_memory(a, b):
        return False
    try:
        return np.shares_memory(a, b, max_work=10000)
    except _TooHardError:
        return True


def takes_result_directly(out):
    """May the core write into `out`? Otherwise it goes through a copy."""
    return out.flags.aligned and all(s % out.itemsize == 0 for s in out.strides)


_BAND_ELEMENTS = 1 << 18  # 1 MiB of float32: in L2, and little beside the picture


def takes_bands(picture):
    """Is it worth to convert it band by band?"""
    return picture.dtype.kind in "biu" and picture.size > 2 * _BAND_ELEMENTS


def picture_pads(padding, kernel_size):
    """((top, bottom), (left, right)) at a stride of 1."""
    if not isinstance(padding, str):
        return explicit_padding(padding)
    if padding == "valid":
        return [(0, 0), (0, 0)]
    if padding not in ("same", "same_upper", "same_lower"):
        raise bad_padding_word(padding)
    pads = [((k - 1) // 2, k // 2) for k in kernel_size]
    return [pad[::-1] for pad in pads] if padding == "same_lower" else pads


def in_bands(correlate, picture, kernel, pads, out):
    """correlate(picture, kernel, padding, out) without a whole copy of the picture in kernel's type.

    Bands of output rows are converted and correlated one after the other.
    """
    (top, bottom), (left, right) = pads
    height, width = picture.shape
    band = max(2 * kernel.shape[0], _BAND_ELEMENTS // max(width, 1))
    for first in range(0, out.shape[0], band):
        end = min(first + band, out.shape[0])
        begin, stop = first - top, end - top + kernel.shape[0] - 1
        part = picture[max(begin, 0) : max(min(stop, height), 0)].astype(kernel.dtype)
        padding = ((max(-begin, 0), max(stop - max(height, begin), 0)), (left, right))
        if part.shape[0] == 0:  # a band that is all padding
            out[first:end] = 0
        else:
            correlate(part, kernel, padding, out[first:end])
    return out


def takes_border(picture, kernel):
    """Is a picture so large that a copy with its border costs more than five calls?"""
    return picture.size > _BAND_ELEMENTS and all(
        n > 2 * k for n, k in zip(picture.shape, kernel.shape, strict=True))


def within_border(correlate, picture, kernel, pads, mode, fill, out):
    """correlate(picture, kernel, out) as if the picture were padded as np.pad does it.

    Outputs whose window is in the picture read it where it lies; only strips along its sides are
    copied with their part of the border.
    """
    (rows, row_inside), (columns, column_inside) = (
        _border_index(n, pad, mode) for n, pad in zip(picture.shape, pads, strict=True))
    kh, kw = kernel.shape
    (top, left), (height, width) = (pad[0] for pad in pads), picture.shape
    bottom, right = top + height - kh + 1, left + width - kw + 1
    correlate(picture, kernel, out[top:bottom, left:right])
    whole = slice(0, out.shape[1])
    for i, j in ((slice(0, top), whole), (slice(bottom, out.shape[0]), whole),
                 (slice(top, bottom), slice(0, left)),
                 (slice(top, bottom), slice(right, out.shape[1]))):
        if i.start >= i.stop or j.start >= j.stop:
            continue
        r, c = slice(i.start, i.stop + kh - 1), slice(j.start, j.stop + kw - 1)
        part = picture[np.ix_(rows[r], columns[c])]
        if mode == "constant":
            part = np.where(row_inside[r][:, None] & column_inside[c], part, fill)
        correlate(part, kernel, out[i, j])
    return out


def _border_index(n, pad, mode):
    """Where the padded axis reads, and whether that is in the picture."""
    index = np.pad(np.arange(n), pad, mode="edge" if mode == "constant" else mode)
    inside = np.zeros(len(index), bool)
    inside[pad[0] : pad[0] + n] = True
    return index, inside
