"""Problems drawn at random in whole numbers, for which every direct path must be exact.

`check(seed)` draws one, runs every pass on it through the public functions and raises with
the seed in the message if one bit is wrong. The passes it is held against are products of
whole numbers below 2^53 in float64, so exact in any order; `tests/reference.py`, the
definition in int64, is held against them in every `SECOND_OPINION`-th case.
"""

import random

import numpy as np
import reference
from cases import LAYOUTS, laid_out

import corr

SECOND_OPINION = 40
FAMILIES = ("small", "dense", "deep", "groups", "depthwise", "wide", "picture", "far", "point")
DTYPES = (("f4", "f4"), ("f8", "f8"), ("f4", "f8"), ("f2", "f2"), ("i1", "f4"), ("u2", "i2"))
WEIGHT_LAYOUTS = ("contiguous", "channels_last", "reversed", "gaps", "transposed", "unaligned",
                  "swapped", "read_only")
PASSES = ("output", "input gradient", "weight gradient", "bias gradient")


class Problem:
    """Sizes and parameters, all from one seed."""

    def __init__(self, seed):
        self.seed, self.random = seed, random.Random(seed)
        self.values = np.random.Generator(np.random.PCG64(seed))
        r = self.random
        self.family = r.choice(FAMILIES)
        self.n = r.choice((1, 1, 1, 2, 3))
        self.groups, self.ic, self.oc = 1, 1, 1
        self._draw_channels(r)
        self.axes = [self._draw_axis(r, axis) for axis in range(2)]
        if self.family == "depthwise" and r.random() < 0.7:  # the kernels made for these
            self._make_square(r)
        self.kernel, self.stride, self.dilation, self.pads, self.size, self.out = zip(
            *self.axes, strict=True)
        self.x_shape = (self.n, self.groups * self.ic, *self.size)
        self.w_shape = (self.groups * self.oc, self.ic, *self.kernel)
        self.y_shape = (self.n, self.groups * self.oc, *self.out)
        self.layouts = {
            "input": r.choice(LAYOUTS) if r.random() < 0.6 else "contiguous",
            "weight": r.choice(WEIGHT_LAYOUTS) if r.random() < 0.3 else "contiguous",
            "grad_output": r.choice(LAYOUTS) if r.random() < 0.5 else "contiguous",
            "out": r.choice(("new", "contiguous", "channels_last", "gaps", "unaligned",
                             "reversed", "transposed")),
        }
        self.dtypes = DTYPES[0] if r.random() < 0.5 else r.choice(DTYPES)
        self.nhwc = r.random() < 0.2
        self.threads = r.choice((1, 1, 2, 3, 7))
        self.activation = r.choice((None, None, "relu", "relu6"))
        self.most = 4 if self.ic * self.kernel[0] * self.kernel[1] < 5000 else 2

    def _draw_channels(self, r):
        family = self.family
        if family == "small":
            self.ic, self.oc = r.randint(1, 5), r.randint(1, 5)
        elif family in ("dense", "point"):
            self.ic, self.oc = r.randint(1, 30), r.randint(1, 50)
        elif family == "deep":
            self.ic, self.oc = r.randint(60, 400), r.randint(1, 30)
        elif family == "groups":
            self.groups = r.choice((2, 3, 4, 6, 23, 24, 25))
            self.ic, self.oc = r.randint(1, 9), r.randint(1, 20)
        elif family == "depthwise":
            self.groups, self.oc = r.randint(1, 70), r.choice((1, 1, 1, 2, 3))
        elif family in ("wide", "far"):
            self.ic, self.oc = r.randint(1, 6), r.randint(1, 20)

    def _draw_axis(self, r, axis):
        family = self.family
        most_kernel = {"picture": 13, "deep": 3, "point": 1, "depthwise": 9}.get(family, 5)
        kernel, stride = r.randint(1, most_kernel), r.choice((1, 1, 1, 2, 3, 4, 5))
        dilation = r.choice((1, 1, 2, 3)) if kernel > 1 else r.choice((1, 4))
        most_pad = r.choice((0, kernel // 2, kernel, 20 if family == "far" else 5))
        before, after = r.randint(0, most_pad), r.randint(0, most_pad)
        if r.random() < 0.4:
            after = before
        extra = {"small": 8, "deep": 4, "dense": 9, "point": 20, "picture": 60}.get(family, 18)
        if axis and family in ("wide", "depthwise"):
            extra = r.choice((20, 70, 140)) if family == "wide" else r.choice((8, 20, 70))
        window = (kernel - 1) * dilation + 1
        size = max(1, window - before - after) + r.randint(0, extra)
        return (kernel, stride, dilation, (before, after), size,
                (size + before + after - window) // stride + 1)

    def _make_square(self, r):
        kernel, stride = r.choice((3, 5, 7)), r.choice((1, 1, 2))
        for axis in range(2):
            before = after = kernel // 2
            if r.random() < 0.3:
                before, after = r.randint(0, kernel), r.randint(0, kernel)
            size = max(1, kernel - before - after) + r.randint(0, 60 if axis else 14)
            self.axes[axis] = (kernel, stride, 1, (before, after), size,
                               (size + before + after - kernel) // stride + 1)

    @property
    def args(self):
        """stride, padding, dilation and groups, said as a user may."""
        def short(pair):
            return pair[0] if pair[0] == pair[1] else pair
        pads = tuple(short(both) for both in self.pads)
        return (short(self.stride), short(pads) if isinstance(pads[0], int) else pads,
                short(self.dilation), self.groups)

    def whole(self, shape):
        """Whole numbers, none of them zero."""
        values = self.values.integers(1, self.most + 1, shape)
        return values * (2 * self.values.integers(0, 2, shape) - 1)

    def __str__(self):
        return (f"seed {self.seed}: {self.family}, input {self.x_shape} weight {self.w_shape} "
                f"stride, padding, dilation, groups {self.args}, dtypes {self.dtypes}, "
                f"{self.layouts}, nhwc {self.nhwc}, threads {self.threads}, "
                f"activation {self.activation}")


def windows(p, padded):
    """(n, group, (channel, tap, tap), pixels): what each output is a product with."""
    n, c, h, w = padded.strides
    shape = (p.n, p.groups, p.ic, *p.kernel, *p.out)
    strides = (n, c * p.ic, c, h * p.dilation[0], w * p.dilation[1], h * p.stride[0],
               w * p.stride[1])
    view = np.lib.stride_tricks.as_strided(padded, shape, strides)
    return view.reshape(p.n, p.groups, p.ic * p.kernel[0] * p.kernel[1], -1)


def expected(p, x, w, gy):
    """Output without bias, and the gradients, in float64."""
    (top, bottom), (left, right) = p.pads
    padded = np.zeros((p.n, p.x_shape[1], p.size[0] + top + bottom, p.size[1] + left + right))
    inside = (slice(None), slice(None), slice(top, top + p.size[0]), slice(left, left + p.size[1]))
    padded[inside] = x
    columns = windows(p, padded)
    rows = w.astype(np.float64).reshape(p.groups, p.oc, -1)
    g = gy.astype(np.float64).reshape(p.n, p.groups, p.oc, -1)
    y = (rows @ columns).reshape(p.y_shape)
    gw = (g @ columns.swapaxes(2, 3)).sum(0).reshape(p.w_shape)
    back = (rows.swapaxes(1, 2) @ g).reshape(p.n, p.x_shape[1], *p.kernel, *p.out)
    padded[...] = 0
    for i in range(p.kernel[0]):
        for j in range(p.kernel[1]):
            h, v = i * p.dilation[0], j * p.dilation[1]
            padded[:, :, h : h + (p.out[0] - 1) * p.stride[0] + 1 : p.stride[0],
                   v : v + (p.out[1] - 1) * p.stride[1] + 1 : p.stride[1]] += back[:, :, i, j]
    return y, padded[inside], gw, gy.sum((0, 2, 3)).astype(np.float64)


def mostly_zero(array):
    return array.size > 8 and np.count_nonzero(array) < array.size / 4


def compare(p, what, got, wanted):
    """`wanted` is rounded once to the dtype of `got`, which float16 needs."""
    wanted = wanted.astype(got.dtype)
    if got.shape != wanted.shape:
        raise AssertionError(f"{what} has shape {got.shape}, not {wanted.shape}; {p}")
    if not np.array_equal(got, wanted):
        wrong = np.argwhere(~(got == wanted))
        at = tuple(int(i) for i in wrong[0])
        raise AssertionError(f"{what} wrong at {len(wrong)} of {got.size} places, first {at}: "
                             f"{got[at]}, not {wanted[at]}; {p}")


def out_like(p, shape, dtype):
    """An output full of NaN in memory full of NaN, or None."""
    if p.layouts["out"] == "new":
        return None
    return laid_out(np.full(shape, np.nan, dtype), p.layouts["out"], None)


def untouched_around(p, what, out):
    """Where `out` has gaps, they still hold NaN."""
    if out is not None and p.layouts["out"] == "gaps":
        around = out.base
        around[(slice(1, None, 2),) * 4] = np.nan
        if not np.isnan(around).all():
            raise AssertionError(f"{what}: written between the elements of out; {p}")


def check(seed, kernels=None):
    """Every pass of the problem of `seed`. True if its results are not mostly zeros."""
    p = Problem(seed)
    x, w, gy = p.whole(p.x_shape), p.whole(p.w_shape), p.whole(p.y_shape)
    bias = p.whole(p.w_shape[:1])
    dx, dw = p.dtypes
    if "u" in dx:
        x = abs(x)
    x, w, bias = x.astype(dx), w.astype(dw), bias.astype(dw)
    result = np.dtype("f2") if p.dtypes == ("f2", "f2") else np.result_type("f4", dx, dw)
    gy = gy.astype(result)
    x = laid_out(x, p.layouts["input"], None)
    gy = laid_out(gy, p.layouts["grad_output"], None)
    y, gx, gw, gb = expected(p, x, w, gy)
    with_bias = y + bias.astype(np.float64)[:, None, None] if seed % 3 else y
    if seed % SECOND_OPINION == 0 and y.size * w.size < 1e6:
        whole = [np.asarray(a, dtype=np.int64) for a in (x, w, gy)]
        np.testing.assert_array_equal(reference.conv2d(*whole[:2], None, *p.args), y, str(p))
        np.testing.assert_array_equal(
            reference.conv2d_input(p.x_shape, *whole[1:], *p.args), gx, str(p))
        np.testing.assert_array_equal(
            reference.conv2d_weight(whole[0], p.w_shape, whole[2], *p.args), gw, str(p))
    w = laid_out(w, p.layouts["weight"], None)
    with corr.num_threads(p.threads):
        _run(p, seed, (x, w, bias if seed % 3 else None, gy), result,
             (with_bias, gx, gw, gb), kernels)
    return not (mostly_zero(y) or mostly_zero(gx) or mostly_zero(gw))


def _run(p, seed, arrays, result, wanted, kernels):
    x, w, bias, gy = arrays
    y, gx, gw, gb = wanted
    how = {"algorithm": "direct"}
    x_shape = p.x_shape
    if p.nhwc:
        how["layout"] = "NHWC"
        x, gy, y, gx = (a.transpose(0, 2, 3, 1) for a in (x, gy, y, gx))
        x_shape = x.shape
    limits = {None: (None, None), "relu": (0, None), "relu6": (0, 6)}[p.activation]
    y = y if p.activation is None else y.clip(*limits)

    def room(images, channels):  # images' axes as they are, outs in the layout asked for
        out = out_like(p, (p.n, channels, *images), result)
        return out if out is None or not p.nhwc else out.transpose(0, 2, 3, 1)

    out = room(p.out, p.y_shape[1])
    got = corr.conv2d(x, w, bias, *p.args, activation=p.activation, out=out, **how)
    compare(p, "output", got, y)
    untouched_around(p, "output", out)
    out = room(p.size, p.x_shape[1])
    compare(p, "input gradient",
            corr.conv2d_input(x_shape, w, gy, *p.args, out=out, **how), gx)
    untouched_around(p, "input gradient", out)
    out = out_like(p, p.w_shape, result)
    compare(p, "weight gradient",
            corr.conv2d_weight(x, p.w_shape, gy, *p.args, out=out, **how), gw)
    untouched_around(p, "weight gradient", out)
    if seed % 2:
        grads = corr.conv2d_backward(gy, x, w, *p.args, **how)
        for what, g, want in zip(PASSES[1:], grads, (gx, gw, gb), strict=True):
            compare(p, what + " of conv2d_backward", g, want)
    if seed % 8 == 1 and result != np.float16:  # added twice
        into = [np.array(a, dtype=result) for a in (gx, gw, gb)]
        corr.conv2d_backward(gy, x, w, *p.args, accumulate_into=into, **how)
        for what, g, want in zip(PASSES[1:], into, (gx, gw, gb), strict=True):
            compare(p, what + " accumulated", g, 2 * want)
    if seed % 4 == 0:
        free = (None, *x_shape[1:]) if seed % 8 else x_shape
        plan = corr.plan(free, w, bias, *p.args, dtype=result, activation=p.activation, **how)
        x = x.astype(result) if x.dtype != result else x
        compare(p, "plan", plan(x), y)
        compare(p, "plan, unbatched", plan(x[:1]), y[:1]) if seed % 8 else None
        if kernels is not None:
            kernels[plan.kernel.split()[0]] += 1


def run(count, first, kernels=None):
    """Cases from seed `first` on until `count` are not mostly zeros; how many were checked."""
    counted, checked = 0, 0
    while counted < count:
        counted += check(first + checked, kernels)
        checked += 1
    return checked
