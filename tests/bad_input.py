"""A table of bad calls: for each argument its bad values, for each function its arguments.

A row is (name, value, exception, what the message must hold); a value that is `Made` is made
when it is needed. `CALLS` has every function with arguments that are good, by keyword.
"""

import numpy as np

import corr
from corr import nn, signal

X = np.ones((2, 6, 7, 8), np.float32)
W = np.ones((4, 6, 3, 3), np.float32)
B = np.ones(4, np.float32)
GY = np.ones((2, 4, 5, 6), np.float32)
HUGE = np.broadcast_to(np.float32(1), (1, 6, 2**29, 2**29))


class Lying:
    """Says it is an int, and fails."""

    def __index__(self):
        raise TypeError("no")


class Array:
    """Fails when it is asked for its numbers."""

    def __array__(self, dtype=None, copy=None):
        raise ValueError("no numbers")


def steps(name):
    """Of stride and dilation: a positive int or two."""
    positive, kind, size = f"{name} must be positive", f"{name} must be an int", f"{name} is too"
    return [
        ("0", 0, ValueError, positive), ("negative", -1, ValueError, positive),
        ("negative of a pair", (1, -1), ValueError, positive), ("0 of a pair", (0, 1), ValueError, positive),
        ("2^62 + 1", 2**62 + 1, ValueError, name), ("2^63", 2**63, ValueError, size),
        ("2^64 of a pair", (1, 2**64), ValueError, size), ("-2^63", -(2**63), ValueError, name),
        ("-2^80", -(2**80), ValueError, name), ("a float", 1.0, TypeError, kind), ("None", None, TypeError, kind),
        ("a word", "same", TypeError, kind), ("a triple", (1, 1, 1), ValueError, kind),
        ("an empty tuple", (), ValueError, kind), ("floats of a pair", (1.5, 1), TypeError, kind),
        ("None of a pair", (None, 1), TypeError, kind), ("an array of floats", np.ones(2), TypeError, kind),
        ("a nested pair", ((1, 1), (1, 1)), TypeError, kind), ("a dict", {1: 1, 2: 2}, TypeError, kind),
        ("a lying object", Lying(), TypeError, kind), ("nan", float("nan"), TypeError, kind),
    ]


PADDINGS = [
    ("negative", -1, ValueError, "padding must be at least 0"),
    ("negative of a pair", (0, -1), ValueError, "padding must be at least 0"),
    ("negative of four", ((0, 0), (0, -3)), ValueError, "padding must be at least 0"),
    ("2^62 + 1", 2**62 + 1, ValueError, "padding|too large"), ("2^64", 2**64, ValueError, "padding is too large"),
    ("2^61", 2**61, ValueError, "too large|grad_output must have"),
    ("2^40", 2**40, (ValueError, MemoryError), "too large|grad_output must have|no memory|cols must have"),
    ("a float", 0.0, TypeError, "padding must be"), ("None", None, TypeError, "padding must be"),
    ("a triple", (0, 0, 0), ValueError, "padding must be"), ("four", (0, 0, 0, 0), ValueError, "padding must be"),
    ("a triple inside", ((0, 0, 0), 0), ValueError, "padding must be"),
    ("one inside", ((0,), 0), ValueError, "padding must be"), ("an empty tuple", (), ValueError, "padding must be"),
    ("too deep", (((0, 0), 0), 0), TypeError, "padding must be"), ("a dict", {}, TypeError, "padding must be"),
    ("SAME", "SAME", ValueError, 'did you mean "same"'), ("half", "half", ValueError, "padding must be"),
    ("an empty word", "", ValueError, "padding must be"), ("bytes", b"same", TypeError, "padding must be"),
    ("an array of floats", np.zeros(2), TypeError, "padding must be"),
]

ARGUMENTS = {
    "stride": steps("stride"),
    "dilation": [
        *steps("dilation"), ("2^61", 2**61, ValueError, "dilation is too large"),
        ("larger than the image", 4, ValueError, "dilation 4"),
    ],
    "padding": [*PADDINGS, ("2^62", 2**62, ValueError, "padding")],
    "groups": [
        ("0", 0, ValueError, "groups must be positive"), ("negative", -2, ValueError, "groups must be positive"),
        ("5", 5, ValueError, "groups=5 must divide"), ("3", 3, ValueError, "groups=3 must divide"),
        ("2", 2, ValueError, "groups=2"), ("2^63", 2**63, ValueError, "groups is too large"),
        ("2^62", 2**62, ValueError, "groups="), ("a float", 1.0, TypeError, "groups must be an int"),
        ("None", None, TypeError, "groups must be an int"), ("a pair", (1, 1), TypeError, "groups must be an int"),
        ("a word", "1", TypeError, "groups must be an int"),
    ],
    "padding_mode": [
        ("edge", "edge", ValueError, "'replicate'"), ("Zeros", "Zeros", ValueError, "did you mean 'zeros'"),
        ("symmetric", "symmetric", ValueError, "padding_mode must be"), ("empty", "", ValueError, "padding_mode must be"),
        ("None", None, ValueError, "padding_mode must be"), ("an int", 0, TypeError, "padding_mode must be"),
        ("a list", ["zeros"], TypeError, "padding_mode must be"),
        ("an array", np.zeros(2), TypeError, "padding_mode must be"),
    ],
    "layout": [
        ("CHWN", "CHWN", ValueError, "layout must be"), ("lower case", "nhwc", ValueError, "layout must be"),
        ("None", None, ValueError, "layout must be"), ("an int", 4, TypeError, "layout must be"),
        ("a list", ["NCHW"], TypeError, "layout must be"), ("an array", np.zeros(2), TypeError, "layout must be"),
    ],
    "algorithm": [
        ("magic", "magic", ValueError, "algorithm must be"), ("upper case", "DIRECT", ValueError, "did you mean 'direct'"),
        ("None", None, ValueError, "algorithm must be"), ("an int", 1, TypeError, "algorithm must be"),
        ("a list", ["direct"], TypeError, "algorithm must be"), ("an array", np.zeros(2), TypeError, "algorithm must be"),
    ],
    "activation": [
        ("gelu", "gelu", ValueError, "activation must be"), ("ReLU", "ReLU", ValueError, "did you mean 'relu'"),
        ("an int", 1, TypeError, "activation must be"), ("a function", abs, TypeError, "activation must be"),
        ("a list", ["relu"], TypeError, "activation must be"), ("an array", np.zeros(2), TypeError, "activation must be"),
    ],
    "bias": [
        ("too short", np.ones(3), ValueError, "bias must have shape"), ("too long", np.ones(5), ValueError, "bias must have shape"),
        ("a matrix", np.ones((4, 1)), ValueError, "bias must have shape"), ("a scalar", 1.0, ValueError, "bias must have shape"),
        ("complex", B * 1j, TypeError, "bias has dtype"), ("objects", B.astype(object), TypeError, "bias has dtype"),
        ("words", ["a"] * 4, TypeError, "bias has dtype"), ("masked", np.ma.array(B), TypeError, "bias must not be a masked"),
        ("ragged", [[1], [1, 2]], ValueError, "bias is no array"), ("failing", Array(), ValueError, "bias is no array"),
    ],
    "out": [
        ("a list", [1], TypeError, "out must be"), ("a scalar", np.float32(1), TypeError, "out must be"),
        ("the wrong shape", np.empty((1, 1), np.float32), ValueError, "out has shape"),
        ("True", True, TypeError, "out must be"), ("a tuple", (GY,), TypeError, "out must be"),
    ],
    "needs": [
        ("an unknown name", ("weights",), ValueError, "needs must name"), ("a word", "all", ValueError, "needs must name"),
        ("None", None, TypeError, "needs must"), ("an int", 3, TypeError, "needs must"),
        ("lists", ([],), TypeError, "needs must"),
    ],
    "accumulate_into": [
        ("too few", (None,), ValueError, "accumulate_into"), ("too many", (None,) * 4, ValueError, "accumulate_into"),
        ("the wrong shape", (None, B, None), ValueError, "accumulate_into.weight"),
        ("the wrong dtype", (X.astype(float), None, None), ValueError, "accumulate_into.input"),
        ("a list", (None, None, [1]), TypeError, "accumulate_into.bias"),
        ("an int", 3, TypeError, "accumulate_into"), ("what is read", (X, None, None), ValueError, "shares memory"),
    ],
    "kernel_size": [
        ("0", 0, ValueError, "kernel_size must be positive"), ("negative", (1, -1), ValueError, "kernel_size must be positive"),
        ("a float", 2.0, TypeError, "kernel_size must be an int"), ("a triple", (1, 1, 1), ValueError, "kernel_size must be an int"),
        ("2^63", 2**63, ValueError, "kernel_size is too large"), ("None", None, TypeError, "kernel_size must be an int"),
        ("2^61", 2**61, ValueError, "kernel|too large"),
    ],
    "input_size": [
        ("a pair", (7, 8), ValueError, "input_size must have"), ("an int", 7, TypeError, "input_size must be"),
        ("floats", (2.0, 6, 7, 8), TypeError, "input_size must be"), ("None", None, TypeError, "input_size must be"),
        ("negative", (2, 6, -7, 8), ValueError, "input_size must be"), ("huge", (2, 6, 2**62 + 1, 8), ValueError, "input_size is too"),
        ("2^62", (2, 6, 2**62, 8), ValueError, "too large"), ("channels", (2, 5, 7, 8), ValueError, "input_size must have 6 channels"),
        ("of other outputs", (2, 6, 9, 8), ValueError, "grad_output must have shape"),
        ("too small", (2, 6, 2, 8), ValueError, "input_size"), ("another batch", (3, 6, 7, 8), ValueError, "grad_output must have shape"),
        ("another rank", (6, 7, 8), ValueError, "grad_output must have shape"), ("a word", "2678", TypeError, "input_size must be"),
    ],
    "weight_size": [
        ("a pair", (3, 3), ValueError, "weight_size must have"), ("an int", 3, TypeError, "weight_size must be"),
        ("floats", (4, 6, 3, 3.0), TypeError, "weight_size must be"), ("None", None, TypeError, "weight_size must be"),
        ("negative", (4, 6, -3, 3), ValueError, "weight_size must be"), ("an empty kernel", (4, 6, 0, 3), ValueError, "at least 1x1"),
        ("huge", (4, 6, 2**63, 3), ValueError, "weight_size is too"), ("2^61", (4, 6, 2**61, 3), ValueError, "weight|too large"),
        ("channels", (4, 3, 3, 3), ValueError, "input must have 3 channels"),
        ("another output", (5, 6, 3, 3), ValueError, "grad_output must have shape"),
        ("larger than the image", (4, 6, 8, 3), ValueError, "weight is larger"),
    ],
    "input_shape": [
        ("a pair", (7, 8), ValueError, "input_shape must have"), ("an int", 7, TypeError, "input_shape must be"),
        ("floats", (2, 6, 7, 8.0), TypeError, "input_shape must be"), ("None", None, TypeError, "input_shape must be"),
        ("a free height", (2, 6, None, 8), TypeError, "input_shape must be"), ("negative", (2, 6, 7, -8), ValueError, "input_shape must be"),
        ("channels", (2, 5, 7, 8), ValueError, "input must have 6 channels"), ("huge", (2, 6, 2**63, 8), ValueError, "input_shape is too"),
        ("free and a pair", (None, 7), TypeError, "input_shape must be"), ("2^62", (None, 6, 2**62, 8), ValueError, "too large"),
    ],
    "dtype": [
        ("complex", complex, TypeError, "dtype"), ("object", object, TypeError, "dtype"), ("a word", "float33", TypeError, "dtype"),
        ("longdouble", np.longdouble, TypeError, "dtype"), ("an int", 7, TypeError, "dtype"),
    ],
}


def arrays(name, good, larger_rank_too=True):
    """Bad values of an array argument whose good value is `good`."""
    kind, no = f"{name} has dtype", f"{name} is no array"
    rows = [
        ("complex", good * 1j, TypeError, kind), ("longdouble", good.astype(np.longdouble), TypeError, kind),
        ("objects", good.astype(object), TypeError, kind), ("words", good.astype(str), TypeError, kind),
        ("bytes", good.astype("S3"), TypeError, kind), ("dates", good.astype("M8[s]"), TypeError, kind),
        ("records", np.zeros(good.shape, [("a", "f4")]), TypeError, kind), ("masked", np.ma.array(good), TypeError, "masked"),
        ("ragged", [[1], [1, 2]], ValueError, no), ("failing", Array(), ValueError, no),
        ("a scalar", 1.0, ValueError, f"{name} must have shape"), ("a line", good[0, 0, 0], ValueError, f"{name} must have shape"),
        ("a plane", good[0, 0], ValueError, f"{name} must have shape"),
        ("five axes", good[None], ValueError, f"{name} must have shape"),
        ("an empty list", [], ValueError, f"{name} must have shape"), ("None", None, (TypeError, ValueError), name),
        ("a word", "abc", (TypeError, ValueError), name), ("a dict", {}, (TypeError, ValueError), name),
        ("a generator", iter([1.0]), (TypeError, ValueError), name),
    ]
    return rows


INPUTS = [
    *arrays("input", X), ("too many channels", np.ones((2, 7, 7, 8), np.float32), ValueError, "input must have 6 channels"),
    ("no channels", X[:, :0], ValueError, "input must have 6 channels"), ("no rows", X[:, :, :0], ValueError, "weight is larger"),
    ("no columns", X[..., :0], ValueError, "weight is larger"), ("smaller than the kernel", X[..., :2], ValueError, "weight is larger"),
]
HUGE_INPUT = [("2^60 pixels", HUGE, MemoryError, "no memory for an array")]
OTHER_INPUT = [("other pixels", X[:, :, :6], ValueError, "grad_output must have shape"),
               ("another batch", X[:1], ValueError, "grad_output must have shape")]
WEIGHTS = [
    *arrays("weight", W), ("three axes", W[0], ValueError, "weight must have shape"),
    ("an empty kernel", W[:, :, :0], ValueError, "at least 1x1"), ("an empty row", W[..., :0], ValueError, "at least 1x1"),
    ("too few channels", W[:, :5], ValueError, "takes 5 channels"), ("no channels", W[:, :0], ValueError, "takes 0 channels"),
    ("larger than the image", np.ones((4, 6, 8, 3), np.float32), ValueError, "weight is larger"),
    ("a huge view", np.broadcast_to(np.float32(1), (4, 6, 2**28, 2**28)), ValueError, "weight is larger|too large"),
]
GRADIENTS = [
    *arrays("grad_output", GY), ("another height", GY[:, :, 1:], ValueError, "grad_output must have shape"),
    ("another batch", GY[:1], ValueError, "grad_output must have shape"), ("other channels", GY[:, :3], ValueError, "grad_output must have shape"),
    ("no pixels", GY[..., :0], ValueError, "grad_output must have shape"), ("transposed", GY.transpose(0, 1, 3, 2), ValueError, "grad_output must have shape"),
]

GEOMETRY = ("stride", "padding", "dilation", "groups", "padding_mode", "layout", "algorithm")
SIZED = {"padding": PADDINGS[:-1] + [("2^62", 2**62, ValueError, "padding")]}

CALLS = {
    "conv2d": (corr.conv2d, {"input": X, "weight": W, "bias": B},
               {"input": INPUTS + HUGE_INPUT, "weight": WEIGHTS, "bias": None, "activation": None, "out": None}, GEOMETRY),
    "conv2d_input": (corr.conv2d_input, {"input_size": X.shape, "weight": W, "grad_output": GY},
                     {"input_size": None, "weight": WEIGHTS, "grad_output": GRADIENTS, "out": None}, GEOMETRY),
    "conv2d_weight": (corr.conv2d_weight, {"input": X, "weight_size": W.shape, "grad_output": GY},
                      {"input": INPUTS + OTHER_INPUT, "weight_size": None, "grad_output": GRADIENTS, "out": None}, GEOMETRY),
    "conv2d_backward": (corr.conv2d_backward, {"grad_output": GY, "input": X, "weight": W},
                        {"input": INPUTS + OTHER_INPUT, "weight": WEIGHTS, "grad_output": GRADIENTS, "needs": None,
                         "accumulate_into": None}, GEOMETRY),
    "plan": (corr.plan, {"input_shape": X.shape, "weight": W, "bias": B},
             {"input_shape": None, "weight": WEIGHTS, "bias": None, "activation": None, "dtype": None}, GEOMETRY),
    "im2col": (corr.im2col, {"input": X, "kernel_size": 3}, {"input": arrays("input", X), "kernel_size": None},
               ("stride", "padding", "dilation")),
    "col2im": (corr.col2im, {"cols": np.ones((2, 54, 30)), "output_size": (7, 8), "kernel_size": 3},
               {"kernel_size": None}, ("stride", "padding")),
    "nn.Conv2d": (nn.Conv2d, {"in_channels": 6, "out_channels": 4, "kernel_size": 3},
                  {"kernel_size": ARGUMENTS["kernel_size"][:-1], "dtype": None}, ("stride", "padding_mode")),
}

PICTURE, KERNEL = np.ones((7, 8), np.float32), np.ones((3, 3), np.float32)
OTHERS = {
    "corr2d: one axis": (ValueError, "input must have shape", lambda: corr.corr2d(PICTURE[0], KERNEL)),
    "corr2d: a scalar kernel": (ValueError, "kernel must have shape", lambda: corr.corr2d(PICTURE, 1)),
    "corr2d: complex": (TypeError, "kernel has dtype", lambda: corr.corr2d(PICTURE, KERNEL * 1j)),
    "corr2d: masked": (TypeError, "masked", lambda: corr.corr2d(np.ma.array(PICTURE), KERNEL)),
    "corr2d: no pixels": (ValueError, "larger", lambda: corr.corr2d(PICTURE[:0], KERNEL)),
    "corr2d: padding": (ValueError, "padding", lambda: corr.corr2d(PICTURE, KERNEL, padding=-1)),
    "corr2d: mode": (ValueError, "padding_mode", lambda: corr.corr2d(PICTURE, KERNEL, padding_mode="wrap")),
    "corr2d: out": (ValueError, "out has shape", lambda: corr.corr2d(PICTURE, KERNEL, out=PICTURE)),
    "corr2d: out is a list": (TypeError, "out must be", lambda: corr.corr2d(PICTURE, KERNEL, out=[])),
    "corr2d: out overlaps": (ValueError, "shares memory", lambda: corr.corr2d(PICTURE, KERNEL, out=PICTURE[2:, 2:])),
    "corr2d: huge": (MemoryError, "no memory", lambda: corr.corr2d(HUGE[0, 0], [[1.0]])),
    "col2im: one axis": (ValueError, "cols must have shape", lambda: corr.col2im(np.ones(9), 3, 3)),
    "col2im: complex": (TypeError, "cols has dtype", lambda: corr.col2im(np.ones((9, 1)) * 1j, 3, 3)),
    "col2im: size": (ValueError, "output_size", lambda: corr.col2im(np.ones((9, 1)), -3, 3)),
    "col2im: size is a float": (TypeError, "output_size", lambda: corr.col2im(np.ones((9, 1)), 3.5, 3)),
    "col2im: a huge size": (ValueError, "output_size", lambda: corr.col2im(np.ones((9, 1)), 2**63, 3)),
    "plan: an empty batch of huge images": (ValueError, "too large", lambda: corr.plan(
        (0, 3, 2**47, 3), np.ones((3, 1, 1, 3)), padding=2, dilation=2, groups=3, stride=(1, 2))),
    "plan: another shape": (ValueError, "input has shape", lambda: corr.plan(X.shape, W)(X[:, :, :5])),
    "plan: another rank": (ValueError, "input has shape", lambda: corr.plan(X.shape, W)(X[0])),
    "plan: another dtype": (ValueError, "input has dtype", lambda: corr.plan(X.shape, W)(X.astype(float))),
    "plan: out": (ValueError, "out has dtype", lambda: corr.plan(X.shape, W)(X, out=GY.astype(float))),
    "plan: masked": (TypeError, "masked", lambda: corr.plan(X.shape, W)(np.ma.array(X))),
    "nn: no channels": (ValueError, "in_channels", lambda: nn.Conv2d(0, 4, 3)),
    "nn: a float": (TypeError, "out_channels", lambda: nn.Conv2d(6, 4.0, 3)),
    "nn: groups of outputs": (ValueError, "out_channels=4", lambda: nn.Conv2d(6, 4, 3, groups=3)),
    "nn: groups of inputs": (ValueError, "in_channels=7", lambda: nn.Conv2d(7, 4, 3, groups=2)),
    "nn: padding": (TypeError, "padding must be", lambda: nn.Conv2d(6, 4, 3, padding=1.5)),
    "nn: a padding word": (ValueError, "padding must be", lambda: nn.Conv2d(6, 4, 3, padding="SAME")),
    "nn: same with a stride": (ValueError, "stride 1", lambda: nn.Conv2d(6, 4, 3, 2, padding="same")),
    "nn: channels": (ValueError, "6 channels", lambda: nn.Conv2d(6, 4, 3)(X[:, :5])),
    "nn: input rank": (ValueError, "input must have shape", lambda: nn.Conv2d(6, 4, 3)(X[0, 0])),
    "nn: backward first": (RuntimeError, "forward before", lambda: nn.Conv2d(6, 4, 3).backward(GY)),
    "nn: gradient": (ValueError, "grad_output must have", lambda: _backward(GY[:1])),
    "nn: masked": (TypeError, "masked", lambda: nn.Conv2d(6, 4, 3)(np.ma.array(X))),
    "nn: lazy rank": (ValueError, "input must have shape", lambda: nn.LazyConv2d(4, 3)(X[0, 0])),
    "nn: state": (ValueError, "names", lambda: nn.Conv2d(6, 4, 3).load_state_dict({})),
    "nn: state shape": (ValueError, "weight must have shape", lambda: nn.Conv2d(6, 4, 3).load_state_dict(
        {"weight": W[:3], "bias": B})),
    "signal: scalars": (ValueError, "2-D", lambda: signal.correlate2d(1, 1)),
    "signal: empty": (ValueError, "empty", lambda: signal.correlate2d(PICTURE[:0], KERNEL)),
    "signal: complex": (TypeError, "in2 has dtype", lambda: signal.correlate2d(PICTURE, KERNEL * 1j)),
    "signal: masked": (TypeError, "masked", lambda: signal.correlate2d(PICTURE, np.ma.array(KERNEL))),
    "signal: mode": (ValueError, "mode must be", lambda: signal.convolve2d(PICTURE, KERNEL, mode=None)),
    "signal: mode is a list": ((TypeError, ValueError), "mode must be", lambda: signal.convolve2d(PICTURE, KERNEL, mode=[1])),
    "signal: boundary": (ValueError, "boundary must be", lambda: signal.convolve2d(PICTURE, KERNEL, boundary="")),
    "signal: boundary is a list": (ValueError, "boundary must be", lambda: signal.convolve2d(
        PICTURE, KERNEL, boundary=["fill"])),
    "signal: fillvalue": (ValueError, "fillvalue", lambda: signal.convolve2d(PICTURE, KERNEL, fillvalue=[1, 2])),
    "threads: 0": (ValueError, "n must be positive", lambda: corr.num_threads(0)),
    "threads: a float": (TypeError, "n must be an int", lambda: corr.set_num_threads(2.0)),
    "threads: 257": (ValueError, "at most 256", lambda: corr.set_num_threads(257)),
    "threads: 2^70": (ValueError, "n ", lambda: corr.set_num_threads(2**70)),
    "field: a word": (TypeError, "layers", lambda: corr.receptive_field(["a"])),
    "field: not iterable": (TypeError, "layers", lambda: corr.receptive_field(3)),
    "field: empty tuple": (ValueError, "layers", lambda: corr.receptive_field([()])),
    "field: stride": (ValueError, "stride must be positive", lambda: corr.receptive_field([(3, 0)])),
    "field: index": (ValueError, "i must be", lambda: corr.receptive_field([(3,)]).slice(-1, 0, (5, 5))),
}


def _backward(gradient):
    layer = nn.Conv2d(6, 4, 3)
    layer(X)
    return layer.backward(gradient)


def outs():
    """`out` that fits but may not be written to, by what is wrong with it."""
    shape, f4 = GY.shape, np.float32
    read_only = np.zeros(shape, f4)
    read_only.flags.writeable = False
    room = np.zeros(X.size + GY.size, f4)
    return {
        "of another dtype": (np.zeros(shape), "out has dtype", X), "of whole numbers": (np.zeros(shape, np.int32), "out has dtype", X),
        "byte-swapped": (np.zeros(shape, np.dtype(f4).newbyteorder()), "out has dtype", X),
        "read-only": (read_only, "read-only", X), "transposed": (np.zeros(shape[::-1], f4), "out has shape", X),
        "larger": (np.zeros((3, *shape[1:]), f4), "out has shape", X), "unbatched": (np.zeros(shape[1:], f4), "out has shape", X),
        "broadcast": (np.lib.stride_tricks.as_strided(np.zeros(6, f4), shape, (0, 0, 0, 4)), "share memory", X),
        "the end of input": (room[X.size - 1 : X.size - 1 + GY.size].reshape(shape), "out shares memory with input",
                             room[: X.size].reshape(X.shape)),
        "the start of input": (room[: GY.size].reshape(shape), "out shares memory with input", room[GY.size - 1 : GY.size - 1 + X.size].reshape(X.shape)),
        "between the pixels of input": (room[: 2 * GY.size : 2].reshape(shape), "out shares memory with input",
                                        room[: X.size].reshape(X.shape)),
        "its own rows overlapping": (np.lib.stride_tricks.as_strided(np.zeros(400, f4), shape, (480, 120, 4, 4)), "share memory", X),
    }


def rows():
    """(name, exceptions, text, call) of every case."""
    for function, (call, good, own, shared) in CALLS.items():
        own = {**{name: None for name in shared}, **own}
        for argument, table in own.items():
            for name, value, kind, text in ARGUMENTS[argument] if table is None else table:
                if name == "longdouble" and np.dtype(np.longdouble).itemsize == 8:
                    continue  # where it is float64 by another name
                keywords = {**good, argument: value}
                yield (f"{function}: {argument}: {name}", kind, text,
                       lambda call=call, keywords=keywords: call(**keywords))
    for name, (kind, text, call) in OTHERS.items():
        yield name, kind, text, call
