"""Winograd: its bound, on kind data and on hostile; where not finite, and how often cut."""

import numpy as np
import pytest
import reference
from cases import laid_out

import corr

EPSILON = 2.0**-24


def error(got, wanted, sums, side=4):
    """The largest error in units of the bound's: EPSILON times the largest of `sums` over the
    output's tile. `sums` goes on past the map, as its last tiles do."""
    n, c, h, w = wanted.shape
    down, across = -(-h // side), -(-w // side)
    most = sums[:, :, : down * side, : across * side]
    most = most.reshape(n, c, down, side, across, side).max((3, 5))
    most = most.repeat(side, 2).repeat(side, 3)[:, :, :h, :w]
    with np.errstate(invalid="ignore"):
        return float(np.nan_to_num(np.abs(got - wanted) / (EPSILON * most), nan=0.0).max())


def grown(a, by=3):
    return np.pad(np.abs(a), ((0, 0), (0, 0), (0, by), (0, by)))


class Problem:
    def __init__(self, seed):
        rng = self.rng = np.random.default_rng(seed)
        most = int(rng.choice((2, 20, 70)))
        self.groups = int(rng.choice((1, 1, 1, 2, 3)))
        self.ic, self.oc = (int(v) for v in rng.integers(1, most + 1, 2))
        size = rng.integers(1, rng.choice((5, 20, 40)), 2)
        pads = rng.integers(0, 4, (2, 2))
        self.padding = tuple(tuple(int(p) for p in both) for both in pads)
        size = np.maximum(size, 3 - pads.sum(1))
        self.input_shape = (int(rng.integers(1, 4)), self.groups * self.ic, *map(int, size))
        self.weight_shape = (self.groups * self.oc, self.ic, 3, 3)
        self.layout = str(rng.choice(("contiguous", "channels_last", "gaps", "reversed")))
        self.args = (1, self.padding, 1, self.groups)

    def __repr__(self):
        return f"{self.input_shape} {self.weight_shape} {self.args} {self.layout}"

    def normal(self, shape):
        return self.rng.standard_normal(shape).astype(np.float32)


@pytest.mark.parametrize("chunk", range(10))
def test_bound_on_random_shapes(chunk):
    for seed in range(chunk, 500, 10):
        p = Problem(seed)
        x, w = p.normal(p.input_shape), p.normal(p.weight_shape)
        if seed % 3 == 0:
            x = np.maximum(x, 0)
        wanted = reference.conv2d(x, w, None, *p.args)
        sums = reference.conv2d(grown(x), abs(w), None, *p.args)
        gy = p.normal(wanted.shape)
        x = laid_out(x, p.layout, p.rng)
        plan = corr.plan(x.shape, w, None, *p.args, algorithm="winograd")
        assert plan.algorithm == "winograd"
        for y in (corr.conv2d(x, w, None, *p.args, algorithm="winograd"), plan(x)):
            assert error(y, wanted, sums) <= 16, p
        gx = corr.conv2d_input(x.shape, w, gy, *p.args, algorithm="winograd")
        wanted = reference.conv2d_input(x.shape, w, gy, *p.args)
        sums = reference.conv2d_input(grown(x).shape, abs(w), grown(gy), *p.args)
        assert error(gx, wanted, sums) <= 16, p


def test_bias_activation_and_out():
    for seed in range(60):
        p = Problem(seed)
        x, w = p.normal(p.input_shape), p.normal(p.weight_shape)
        b = p.normal(p.weight_shape[:1])
        y = corr.conv2d(x, w, None, *p.args, algorithm="winograd")
        with_bias = y + b[:, None, None]
        out = laid_out(np.full(y.shape, np.nan, np.float32), "gaps", p.rng)
        around = out.base.copy()
        corr.conv2d(x, w, b, *p.args, activation="relu6", algorithm="winograd", out=out)
        np.testing.assert_array_equal(out, with_bias.clip(0, 6))
        out[...] = np.nan
        assert np.array_equal(out.base, around, equal_nan=True)
        nhwc, how = np.ascontiguousarray(x.transpose(0, 2, 3, 1)), {"layout": "NHWC"}
        y = corr.conv2d(nhwc, w, None, *p.args, algorithm="winograd", **how)
        last = corr.conv2d(nhwc, w, b, *p.args, activation="relu", algorithm="winograd", **how)
        np.testing.assert_array_equal(last, (y + b).clip(0))


def hostile(name, rng, shape):
    x = rng.standard_normal(shape).astype(np.float32)
    if name == "dark half":
        x[..., : shape[3] // 2] *= np.float32(1e-4)
    elif name == "zeros beside values":
        x *= rng.random(shape) < 0.25
    elif name == "offset":
        x += 100
    return x


@pytest.mark.parametrize("name", ["dark half", "zeros beside values", "offset"])
def test_bound_on_hostile_data(name):
    for seed in range(8):
        rng = np.random.default_rng(seed)
        x = hostile(name, rng, (1, 16 << seed % 4, 21, 26))
        w = rng.standard_normal((48, x.shape[1], 3, 3)).astype(np.float32)
        y = corr.conv2d(x, w, padding=1, algorithm="winograd")
        wanted = reference.conv2d(x, w, padding=1)
        assert error(y, wanted, reference.conv2d(grown(x), abs(w), padding=1)) <= 16


def test_one_huge_value_spoils_no_more_than_its_tiles():
    """The points of a tile hold it where some outputs do not, so no bound by those outputs'
    sums can be kept; by the tile's largest pixel it is, as K * u is for direct sums."""
    for seed in range(8):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((1, 32, 24, 24)).astype(np.float32) * np.float32(1e-3)
        w = rng.standard_normal((32, 32, 3, 3)).astype(np.float32)
        usual = corr.conv2d(x, w, padding=1, algorithm="winograd")
        h, v = rng.integers(0, 24, 2)
        x[0, seed, h, v] = 1000
        y = corr.conv2d(x, w, padding=1, algorithm="winograd")
        wrong = np.abs(y - reference.conv2d(x, w, padding=1)).max((0, 1))
        assert wrong.max() <= 1000 * np.abs(w).sum((2, 3)).max() * 32 * EPSILON
        changed = np.argwhere((y != usual).any((0, 1)))
        low, high = changed.min(0) // 4 * 4, changed.max(0) // 4 * 4 + 4
        assert (low >= np.array((h, v)) - 5).all() and (high <= np.array((h, v)) + 6).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 3e38])
@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
def test_what_is_not_finite_reaches_only_its_windows(bad, layout):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((2, 18, 13, 17)).astype(np.float32)
        w = rng.standard_normal((20, 18, 3, 3)).astype(np.float32)
        at = tuple(int(rng.integers(n)) for n in x.shape)
        x[at] = bad
        direct = corr.conv2d(x, w, padding=1, algorithm="direct")
        y = corr.conv2d(laid_out(x, layout, rng), w, padding=1, algorithm="winograd")
        np.testing.assert_array_equal(np.isfinite(y), np.isfinite(direct))
        odd = ~np.isfinite(direct)
        np.testing.assert_array_equal(y[odd], direct[odd])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_weights_that_are_not_finite(bad):
    rng = np.random.default_rng(0)
    x = np.abs(rng.standard_normal((1, 5, 9, 10))).astype(np.float32)
    w = rng.standard_normal((19, 5, 3, 3)).astype(np.float32)
    w[3, 2, 0, 0] = bad
    direct = corr.conv2d(x, w, padding=1, algorithm="direct")
    for y in (corr.conv2d(x, w, padding=1, algorithm="winograd"),
              corr.plan(x.shape, w, padding=1, algorithm="winograd")(x)):
        np.testing.assert_array_equal(np.isfinite(y), np.isfinite(direct))
        np.testing.assert_allclose(y, direct, rtol=1e-3, atol=1e-4)


def test_same_bits_at_any_number_of_threads():
    for seed, (n, ic, oc, h, w) in enumerate([(1, 64, 96, 30, 41), (5, 48, 200, 7, 7),
                                              (1, 400, 128, 14, 14), (2, 32, 40, 60, 9)]):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((n, ic, h, w)).astype(np.float32)
        x[0, 0, 3, 3] = np.inf
        weight = rng.standard_normal((oc, ic, 3, 3)).astype(np.float32)
        with corr.num_threads(1):
            wanted = corr.conv2d(x, weight, padding=1, algorithm="winograd")
            planned = corr.plan(x.shape, weight, padding=1, algorithm="winograd")(x)
        for threads in (2, 3, 5, 16):
            with corr.num_threads(threads):
                y = corr.conv2d(x, weight, padding=1, algorithm="winograd")
                plan = corr.plan(x.shape, weight, padding=1, algorithm="winograd")
                again = plan(x)
            np.testing.assert_array_equal(y, wanted)
            np.testing.assert_array_equal(again, planned)


def test_who_chooses_it():
    w = np.ones((64, 64, 3, 3), np.float32)
    shape = (1, 64, 56, 56)
    assert corr.plan(shape, w, padding=1).algorithm == "winograd"
    assert corr.plan(shape, w, padding=1, algorithm="direct").algorithm == "direct"
    assert corr.plan(shape, w, stride=2).algorithm == "direct"
    assert corr.plan(shape, w, padding=1, dtype=np.float64).algorithm == "direct"
    assert corr.plan(shape, w[:, :8], groups=8, padding=1).algorithm == "direct"
