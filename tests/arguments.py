"""Calls drawn at random over all arguments, most of them wrong: nothing but the documented
exceptions, which name an argument; after one, no output was written; inputs never change.

`check(seed)` makes one call. A crash ends the process: tests/long/bad_calls.py starts others,
and `main` here runs a range of seeds for it, with a bound on memory, so that a size that
passes the checks by mistake fails instead of filling the machine.
"""

import mmap
import random
import re
import signal as signals
import sys

import numpy as np
from bad_input import ARGUMENTS, CALLS

import corr
from corr import signal

ALLOWED = (ValueError, TypeError, MemoryError)
NAMES = re.compile(
    r"\b(input|weight|bias|stride|padding|padding_mode|dilation|groups|layout|activation|algorithm"
    r"|out|grad_output|input_size|weight_size|needs|accumulate_into|kernel_size|cols|output_size"
    r"|input_shape|dtype|kernel|in1|in2|mode|boundary|fillvalue|in_channels|out_channels|rng"
    r"|sizes|memory|array)\b")
NUMBERS = (-(2**80), -(2**63), -2, -1, 0, 1, 1, 2, 2, 3, 4, 5, 7, 9, 100, 2**15, 2**31 - 1, 2**31,
           2**32, 2**40, 2**61 - 1, 2**61, 2**62, 2**62 + 1, 2**63 - 1, 2**63, 2**64, 2**64 + 1,
           True, np.int8(2), np.int64(3), np.uint64(2**63), np.bool_(True), np.array(2),
           1.0, 2.5, float("nan"), float("inf"), None, "1", b"1", 1j)
WORDS = ("same", "valid", "same_upper", "same_lower", "zeros", "reflect", "replicate", "circular",
         "NCHW", "NHWC", "auto", "direct", "winograd", "fft", "relu", "relu6", "full", "fill",
         "wrap", "symm", "input", "", "Same", None, 0, 3.5, np.str_("direct"), b"same", ("same",))
DTYPES = ("f4", "f4", "f8", "f2", "i1", "u1", "i2", "i4", "i8", "u8", "?", "c8", "g", "O", "S3",
          "U2", "M8[s]", "V4", ">f4", ">f8", ">f2", ">i4")
# Of a good call that takes no minutes, since views may be huge; of a gradient's sum, which needs
# no memory for them.
MOST_TERMS, MOST_PIXELS = 2**36, 2**30
OPTIONS = {"stride", "padding", "dilation", "groups", "kernel_size", "output_size",
           "in_channels", "out_channels"}


class Draw:
    def __init__(self, seed):
        self.r = random.Random(seed)
        self.values = np.random.Generator(np.random.PCG64(seed))

    def number(self):
        return self.r.choice(NUMBERS) if self.r.random() < 0.6 else self.r.randint(-3, 12)

    def geometry(self):
        r, number = self.r, self.number
        kind = r.random()
        if kind < 0.4:
            return number()
        if kind < 0.7:
            return number(), number()
        if kind < 0.8:
            return (number(), number()), (number(), number())
        if kind < 0.9:
            return r.choice(WORDS)
        return r.choice((list, tuple, np.array, set))(
            [r.randint(-1, 4) for _ in range(r.randint(0, 4))])

    def array(self, shape=None, dtype=None):
        """An array of any kind, of the shape asked for or one like it or any."""
        r = self.r
        if shape is None or r.random() < 0.1:
            shape = tuple(r.choice((0, 1, 2, 3, 5, 8)) for _ in range(r.randint(0, 6)))
        elif r.random() < 0.15:
            at = r.randrange(len(shape) + 1)
            shape = (*shape[:at], r.choice((0, 1, 2, 7)), *shape[at + r.randint(0, 1) :])
        dtype = np.dtype(r.choice(DTYPES) if dtype is None or r.random() < 0.1 else dtype)
        if r.random() < 0.03:
            return np.broadcast_to(np.zeros((), dtype), self.huge(shape, dtype.itemsize))
        size = int(np.prod(shape))
        if dtype.kind in "fiubg" and r.random() < 0.8:
            array = self.values.integers(0, 2, size).astype(dtype).reshape(shape)
        else:
            array = np.zeros(shape, dtype)
        return self.disguised(array)

    def huge(self, shape, itemsize):
        """Sizes up to 2^40, all that NumPy lets a view have."""
        shape = list(shape) or [1]
        shape[self.r.randrange(len(shape))] = self.r.choice((2**20, 2**31, 2**32 + 1, 2**40))
        while np.prod([float(n) for n in shape]) * max(itemsize, 1) >= 2.0**62:
            shape[shape.index(max(shape))] = 3
        return shape

    def disguised(self, array):
        r = self.r
        kind = r.randrange(16)
        if kind == 0 and array.ndim:
            return array[..., ::-1]
        if kind == 1:
            return array.T
        if kind == 2 and array.size:
            raw = np.zeros(array.nbytes + 1, np.uint8)
            if array.dtype.kind in "fiu":
                view = raw[1:].view(array.dtype).reshape(array.shape)
                view[...] = array
                return view
        if kind == 3:
            array.flags.writeable = False
        if kind == 4 and array.ndim:
            return np.repeat(array, 2, -1)[..., ::2]
        if kind == 5 and array.dtype.kind in "fiub":
            return array.tolist()
        if kind == 6 and array.dtype.kind == "f":
            array[...] = r.choice((np.nan, np.inf, -np.inf, 1e-40, 6e4))
        if kind == 7:
            return r.choice((None, "array", 3, [], [[]], [1, [2]], {}, object(), np.float32(1),
                             np.ma.array(array), memoryview(b"abc"), iter([1])))
        return array


def base(d):
    """Good arguments of a small problem, by name, and its output's shape."""
    r = d.r
    groups, n = r.choice((1, 1, 2, 3)), r.choice((0, 1, 1, 2))
    ic, oc = (groups * r.randint(1, 3) for _ in range(2))
    kernel, stride, dilation, pads, size, out = [], [], [], [], [], []
    for _ in range(2):
        k, s, p = r.randint(1, 4), r.randint(1, 3), r.randint(0, 2)
        dil = r.randint(1, 2)
        least = max(1, (k - 1) * dil + 1 - 2 * p)
        m = least + r.randint(0, 9)
        for to, value in zip((kernel, stride, dilation, pads, size, out), (
                k, s, dil, p, m, (m + 2 * p - (k - 1) * dil - 1) // s + 1), strict=True):
            to.append(value)
    lead = () if r.random() < 0.15 else (n,)
    x, y = (*lead, ic, *size), (*lead, oc, *out)
    layout = "NCHW"
    if r.random() < 0.2:
        layout = "NHWC"
        x, y = ((*s[:-3], *s[-2:], s[-3]) for s in (x, y))
    good = {"stride": tuple(stride), "padding": tuple(pads), "dilation": tuple(dilation),
            "groups": groups, "layout": layout}
    return good, x, (oc, ic // groups, *kernel), y, (size, kernel)


def keywords(d, name):
    good, x, w, y, (size, kernel) = base(d)
    dtype = d.r.choice(("f4", "f4", "f8", "f2"))
    made = {"input": lambda: d.array(x, dtype), "weight": lambda: d.array(w, dtype),
            "grad_output": lambda: d.array(y, dtype), "bias": lambda: d.array(w[:1], dtype),
            "input_size": lambda: x, "weight_size": lambda: w, "input_shape": lambda: x,
            "kernel_size": lambda: tuple(kernel), "output_size": lambda: tuple(size),
            "dtype": lambda: dtype}
    if name in ("im2col", "col2im"):
        good.pop("groups"), good.pop("layout")
        if name == "col2im":
            out = [(m + 2 * p - (k - 1) * t - 1) // s + 1 for m, p, k, t, s in zip(
                size, good["padding"], kernel, good["dilation"], good["stride"], strict=True)]
            made["cols"] = lambda: d.array((1, 2 * kernel[0] * kernel[1], out[0] * out[1]), dtype)
    if name == "nn.Conv2d":
        good.pop("layout")
        made.update(in_channels=lambda: w[1] * good["groups"], out_channels=lambda: w[0])
    needed = CALLS[name][1]
    result = {**{key: made[key]() for key in needed}, **good}
    shape = {"conv2d": y, "conv2d_input": x, "conv2d_weight": w}.get(name)
    if shape and d.r.random() < 0.5:
        result["out"] = d.array(shape, dtype)
        if d.r.random() < 0.1 and isinstance(result.get("input"), np.ndarray):
            result["out"] = result["input"]
    if name == "conv2d_backward" and d.r.random() < 0.5:
        result["accumulate_into"] = [None if d.r.random() < 0.3 else d.array(s, dtype)
                                     for s in (x, w, w[:1])]
    return result


def spoil(d, name, arguments):
    """Some of the arguments become anything."""
    r = d.r
    table = CALLS[name]
    words = ("padding_mode", "layout", "algorithm", "activation", "dtype", "needs")
    can = [*arguments, *(a for a in words if a in table[2] or a in table[3])]
    for argument in r.sample(can, min(len(can), r.choice((0, 1, 1, 1, 2, 3)))):
        rows = ARGUMENTS.get(argument)
        if rows and r.random() < 0.3:
            arguments[argument] = r.choice(rows)[1]
        elif argument in OPTIONS:
            arguments[argument] = d.geometry()
        elif argument in words:
            arguments[argument] = r.choice(WORDS)
        elif argument in ("input_size", "weight_size", "input_shape"):
            shape = list(arguments[argument])
            shape[r.randrange(len(shape))] = d.number()
            arguments[argument] = r.choice((tuple, list))(shape[: r.choice((2, 3, 4, 4, 4))])
        else:
            arguments[argument] = d.array()


def arrays_of(value):
    if isinstance(value, np.ndarray) and value.size < 10**6 and value.dtype.kind != "O":
        yield value
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from arrays_of(item) if isinstance(item, np.ndarray) else ()


def shown(arguments):
    return {key: f"{value.dtype} {value.shape} {value.strides}" if isinstance(value, np.ndarray)
            else repr(value)[:200] for key, value in arguments.items()}


def check(seed):
    """True if the call was refused."""
    d = Draw(seed)
    name = d.r.choice((*CALLS, "signal", "corr2d", "plan call"))
    if name in CALLS:
        call, arguments = CALLS[name][0], keywords(d, name)
        spoil(d, name, arguments)
        if getattr(arguments.get("grad_output"), "size", 0) > MOST_PIXELS:
            return False
    elif name == "plan call":
        good, x, w, y, _ = base(d)
        plan = corr.plan(x, np.ones(w, "f4"), **good)
        call, arguments = plan, {"input": d.array(x, "f4")}
        if d.r.random() < 0.5:
            arguments["out"] = d.array(y, "f4")
    elif name == "corr2d":
        call = corr.corr2d
        arguments = {"input": d.array((7, 8), "f4"), "kernel": d.array((2, 3), "f4"),
                     "padding": d.geometry(), "padding_mode": d.r.choice(WORDS)}
        for key in d.r.sample(("padding", "padding_mode"), d.r.randint(0, 2)):
            arguments.pop(key)
        if d.r.random() < 0.3:
            arguments["out"] = d.array((6, 6), "f4")
    else:
        call = d.r.choice((signal.correlate2d, signal.convolve2d))
        arguments = {"in1": d.array((7, 8), "f4"), "in2": d.array((2, 3), "f4"),
                     "mode": d.r.choice(("full", "same", "valid", *WORDS)),
                     "boundary": d.r.choice(("fill", "wrap", "symm", *WORDS)),
                     "fillvalue": d.number()}
        image, kernel = (getattr(arguments[key], "size", 0) for key in ("in1", "in2"))
        if (image + kernel) * kernel > MOST_TERMS:
            return False
    before = {key: [(a, a.tobytes()) for a in arrays_of(value)]
              for key, value in arguments.items()}
    refused = False
    try:
        call(**arguments)
    except ALLOWED as error:
        refused = True
        if not NAMES.search(str(error)):
            raise AssertionError(f"seed {seed}: {type(error).__name__} names no argument: "
                                 f"{error}; {name} {shown(arguments)}") from error
    except Exception as error:
        raise AssertionError(f"seed {seed}: {type(error).__name__}: {error}; {name} "
                             f"{shown(arguments)}") from error
    for key, kept in before.items():
        if refused or key not in ("out", "accumulate_into"):
            if any(a.tobytes() != bytes_before for a, bytes_before in kept):
                raise AssertionError(f"seed {seed}: {key} was written to, refused {refused}; "
                                     f"{name} {shown(arguments)}")
    return refused


def main(first, count, at):
    """Seeds from `first` on; the one at work is in the file `at`. Prints how many refused."""
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (3 << 29, 3 << 29))
    except (ImportError, ValueError, OSError):
        pass
    corr.set_num_threads(2)
    refused = 0
    with open(at, "r+b") as file, mmap.mmap(file.fileno(), 8) as now:
        for seed in range(first, first + count):
            now[:] = seed.to_bytes(8, "little")
            if hasattr(signals, "setitimer"):  # of the processor's time: machines are busy
                signals.setitimer(signals.ITIMER_PROF, 60)
            refused += check(seed)
    print(refused)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
