"""Strides, paddings and dilations up to 2^62: windows that reach far beyond the image.

The reference looks up, for each output and tap, the pixel they meet, if any: no array of its is
larger than the columns. Where the padded input had more than 2^48 elements, all refuse.
"""

import random

import numpy as np
import pytest

import corr
from corr import nn

STEPS = (1, 1, 2, 3, 7, 100, 2**10 + 1, 2**16, 2**20 + 1, 2**31 - 1, 2**31, 2**32 + 1, 2**40, 2**44 - 1, 2**47)
MOST = 2**48


class Axis:
    """Some window of the axis meets some pixel, as a rule, wherever the others are."""

    def __init__(self, r, far):
        steps = STEPS if far else STEPS[:4]
        self.size, self.kernel = r.randint(1, 9), r.randint(1, 4)
        self.stride, self.dilation, outs = r.choice(steps), r.choice(steps), r.randint(1, 4)
        met = r.randrange(outs) * self.stride + r.randrange(self.kernel) * self.dilation
        self.before = max(0, met - r.randrange(self.size))
        reach = (outs - 1) * self.stride + (self.kernel - 1) * self.dilation + 1
        self.after = max(0, reach - self.size - self.before) + r.randrange(min(self.stride, 5))
        self.out = (self.padded - (self.kernel - 1) * self.dilation - 1) // self.stride + 1
        if self.out == 1 and r.random() < 0.3:
            self.stride = max(self.stride, r.choice((2**40, 2**61, 2**62)))
        if self.kernel == 1 and r.random() < 0.3:
            self.dilation = r.choice((2**40, 2**60))

    @property
    def padded(self):
        return self.size + self.before + self.after

    def pixels(self):
        """[output, tap]: which pixel, and whether there is one."""
        at = [[i * self.stride + p * self.dilation - self.before for p in range(self.kernel)]
              for i in range(self.out)]
        there = np.array([[0 <= pixel < self.size for pixel in row] for row in at])
        return np.array([[pixel if 0 <= pixel < self.size else 0 for pixel in row] for row in at]), there


class Far:
    def __init__(self, seed):
        self.seed, r = seed, random.Random(seed)
        far = r.choice(((True, False), (False, True), (True, True)))
        self.h, self.w = (Axis(r, one) for one in far)
        self.n, self.groups = r.randint(1, 2), r.choice((1, 1, 2, 5, 20))
        self.ic, self.oc = (r.choice((1, 1, 2, 3, 17)) for _ in range(2))
        self.dtype = np.dtype(r.choice(("f4", "f8")))
        self.layout, self.last = r.choice(("NCHW", "NCHW", "NHWC")), r.random() < 0.3
        self.algorithm = r.choice(("auto", "direct"))
        numbers = np.random.default_rng(seed)
        self.x, self.weight, self.gy = (numbers.integers(-3, 4, shape) for shape in (
            (self.n, self.groups * self.ic, self.h.size, self.w.size),
            (self.groups * self.oc, self.ic, self.h.kernel, self.w.kernel),
            (self.n, self.groups * self.oc, self.h.out, self.w.out)))
        self.bias = numbers.integers(-3, 4, self.groups * self.oc)

    @property
    def geometry(self):
        return {"stride": (self.h.stride, self.w.stride), "dilation": (self.h.dilation, self.w.dilation),
                "padding": ((self.h.before, self.h.after), (self.w.before, self.w.after))}

    @property
    def refused(self):
        return self.x.shape[0] * self.x.shape[1] * self.h.padded * self.w.padded > MOST

    def columns(self):
        """[n, g, c, i, p, j, q]"""
        (rows, in_rows), (columns, in_columns) = self.h.pixels(), self.w.pixels()
        met = self.x[:, :, rows[:, :, None, None], columns] * (in_rows[:, :, None, None] & in_columns)
        return met.reshape(self.n, self.groups, self.ic, *met.shape[2:])

    def fold(self, columns):
        (rows, in_rows), (places, in_columns) = self.h.pixels(), self.w.pixels()
        x = np.zeros_like(self.x)
        columns = columns.reshape(*x.shape[:2], *columns.shape[3:])
        columns = columns * (in_rows[:, :, None, None] & in_columns)
        np.add.at(x, (slice(None), slice(None), rows[:, :, None, None], places), columns)
        return x

    def given(self, array):
        array = array.astype(self.dtype)
        if array.ndim == 4 and self.layout == "NHWC":
            array = array.transpose(0, 2, 3, 1)
            return array.copy() if self.last else array
        if array.ndim == 4 and self.last:
            return array.transpose(0, 2, 3, 1).copy().transpose(0, 3, 1, 2)
        return array

    def calls(self):
        """(name, what is to come out, how)"""
        x, w, gy, b = self.given(self.x), self.weight.astype(self.dtype), self.given(self.gy), self.bias.astype(self.dtype)
        grouped = self.weight.reshape(self.groups, self.oc, *self.weight.shape[1:])
        gy_grouped = self.gy.reshape(self.n, self.groups, self.oc, *self.gy.shape[2:])
        columns = self.columns()
        turned = (0, 2, 3, 1) if self.layout == "NHWC" else (0, 1, 2, 3)
        y = np.einsum("goc pq,ngcipjq->ngoij".replace(" ", ""), grouped, columns).reshape(self.gy.shape)
        y = (y + self.bias[:, None, None]).transpose(turned)
        gw = np.einsum("ngoij,ngcipjq->gocpq", gy_grouped, columns).reshape(self.weight.shape)
        gx = self.fold(np.einsum("gocpq,ngoij->ngcipjq", grouped, gy_grouped)).transpose(turned)
        options = {**self.geometry, "groups": self.groups, "layout": self.layout}
        chosen = {**options, "algorithm": self.algorithm}
        yield "conv2d", y, lambda: corr.conv2d(x, w, b, **chosen)
        yield "plan", y, lambda: corr.plan(x.shape, w, b, **chosen)(x)
        yield "conv2d_input", gx, lambda: corr.conv2d_input(x.shape, w, gy, **chosen)
        yield "conv2d_weight", gw, lambda: corr.conv2d_weight(x, w.shape, gy, **options)
        yield "conv2d_backward", gx + 1, lambda: corr.conv2d_backward(
            gy, x, w, **chosen, accumulate_into=(np.ones_like(x), None, None)).input
        if self.layout == "NCHW":
            yield "nn", y, lambda: self.layer(x, w, b)
        if self.groups == 1:
            plane, kernel = x.transpose(0, 3, 1, 2) if self.layout == "NHWC" else x, w.shape[2:]
            as_matrix = columns.transpose(0, 1, 2, 4, 6, 3, 5).reshape(
                self.n, self.weight[0].size, self.h.out * self.w.out)
            yield "im2col", as_matrix, lambda: corr.im2col(plane, kernel, **self.geometry)
            yield "col2im", self.fold(columns + 1), lambda: corr.col2im(
                self.matrix(columns + 1), self.x.shape[2:], kernel, **self.geometry)

    def matrix(self, columns):
        return columns.transpose(0, 1, 2, 4, 6, 3, 5).reshape(
            self.n, self.weight[0].size, -1).astype(self.dtype)

    def layer(self, x, w, b):
        layer = nn.Conv2d(x.shape[1], len(w), w.shape[2:], **self.geometry, groups=self.groups, dtype=self.dtype)
        layer.load_state_dict({"weight": w, "bias": b})
        return layer(x)


def run(seed):
    problem, done = Far(seed), 0
    for name, wanted, call in problem.calls():
        what = f"{name} of {seed}: {vars(problem.h)}, {vars(problem.w)}"
        if problem.refused:
            with pytest.raises(ValueError, match="too large"):
                pytest.fail(f"{what} gave {call().shape}")
            continue
        got = call()
        assert got.dtype == problem.dtype, what
        assert np.array_equal(got, wanted), what
        done += bool(wanted.any())
    return done, problem.refused


def test_drawn():
    done = [run(seed) for seed in range(600)]
    assert sum(calls for calls, _ in done) > 1800
    assert sum(refused for _, refused in done) > 30


X, W = np.arange(1.0, 26, dtype=np.float32).reshape(1, 1, 5, 5), np.ones((1, 1, 3, 3), np.float32)


@pytest.mark.parametrize("step", [2**20, 2**31, 2**40, 2**62])
def test_one_output(step):
    """A stride that is never taken; a tap that alone is in the image."""
    wanted = X[..., :3, :3].sum()
    assert corr.conv2d(X[..., :3, :3], W, stride=step).item() == wanted
    assert corr.conv2d(X, W, stride=step).item() == wanted
    assert corr.plan((1, 1, 5, 5), W, stride=step)(X).item() == wanted
    assert corr.im2col(X, 3, stride=step).sum() == wanted
    one = np.ones((1, 1, 1, 1), np.float32)
    covered = np.pad(np.ones((3, 3)), (0, 2))
    assert np.array_equal(corr.conv2d_input(X.shape, W, one, stride=step)[0, 0], covered)
    assert np.array_equal(corr.col2im(np.ones((9, 1)), 5, 3, stride=step)[0], covered)
    assert np.array_equal(corr.conv2d_weight(X, W.shape, one, stride=step), X[..., :3, :3])
    assert np.array_equal(corr.conv2d(X, one, dilation=min(step, 2**61)), X)


@pytest.mark.parametrize("step", [2**20, 2**22])
def test_far_both_ways(step):
    """The kernel's middle is at each pixel in turn, its other taps a picture away."""
    assert np.array_equal(corr.conv2d(X, W, padding=step, dilation=step), X)
    assert np.array_equal(corr.conv2d_input(X.shape, W, X, padding=step, dilation=step), X)
    gw = corr.conv2d_weight(X, W.shape, X, padding=step, dilation=step)
    assert gw[0, 0, 1, 1] == (X * X).sum()
    assert np.count_nonzero(gw) == 1
    assert np.array_equal(corr.corr2d(X[0, 0], [[1.0]], padding="same"), X[0, 0])


def test_long_rows_with_long_strides():
    """Neither loops over each tap for each pixel."""
    n = 2**17
    x, w = np.ones((1, 1, 1, n), np.float32), np.ones((1, 1, 1, n), np.float32)
    options = {"stride": (1, n), "padding": ((0, 0), (n, n))}
    assert corr.conv2d(x, w, **options).ravel().tolist() == [0, n, 0]
    gy = np.array([3, 5, 7], np.float32).reshape(1, 1, 1, 3)
    assert np.array_equal(corr.conv2d_input(x.shape, w, gy, **options), 5 * x)
    assert np.array_equal(corr.conv2d_weight(x, w.shape, gy, **options), 5 * x)
    columns = np.repeat(gy[0, 0], n, 0)
    assert np.array_equal(corr.col2im(columns, (1, n), (1, n), **options)[None], 5 * x)


@pytest.mark.parametrize("far", [{"padding": 2**24}, {"padding": (2**47, 0)}, {"padding": 2**40},
                                 {"padding": 2**40, "stride": 2**40}, {"padding": 2**61, "stride": 2**62},
                                 {"padding": 2**25, "dilation": 2**24}])
def test_refused(far):
    """Padded, a picture of more than 2^48 pixels."""
    out = np.full((1, 1, 5, 5), np.nan, np.float32)
    for call in (lambda: corr.conv2d(X, W, out=out, **far), lambda: corr.plan(X.shape, W, **far),
                 lambda: corr.conv2d_input(X.shape, W, X, out=out, **far),
                 lambda: corr.conv2d_weight(X, W.shape, X, **far), lambda: corr.im2col(X, 3, **far),
                 lambda: corr.conv2d_backward(X, X, W, **far), lambda: nn.Conv2d(1, 1, 3, **far)(X),
                 lambda: corr.col2im(np.ones((9, 1)), 5, 3, **far),
                 lambda: corr.corr2d(X[0, 0], W[0, 0], padding=far["padding"])):
        with pytest.raises(ValueError, match="too large"):
            call()
    assert np.isnan(out).all()
