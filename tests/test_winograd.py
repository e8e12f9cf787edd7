"""Winograd: its bound, on kind data and on hostile; where not finite, and how often cut."""

import numpy as np
import pytest
import reference
from cases import laid_out
from tiles import largest_sums, promised, tile_sums

import corr

EPSILON = 2.0**-24


def error(got, wanted, x, w, padding, groups=1, sums_of=tile_sums):
    """The largest error in units of 2^-24 times those sums."""
    sums = promised(x, w, padding, groups, sums_of)
    wrong = np.abs(got - wanted)
    assert (wrong[sums == 0] == 0).all()
    return float((wrong[sums > 0] / (EPSILON * sums[sums > 0])).max(initial=0))


def data(kind, rng, shape):
    x = rng.standard_normal(shape)
    if kind == "ReLU'd":
        x = np.maximum(x, 0)
    elif kind == "dark half":
        x[..., : shape[3] // 2] *= 1e-4
    elif kind == "mostly zeros":
        x *= rng.random(shape) < 0.1
    elif kind == "one huge value":
        x[tuple(rng.integers(n) for n in shape)] = 1e6
    elif kind == "one huge channel":
        x[:, rng.integers(shape[1])] *= 1e6
    elif kind == "any magnitude":
        x *= 10.0 ** rng.uniform(-6, 6, shape)
    elif kind == "rows of alternating sign":
        x = np.abs(x) * (-1) ** np.arange(shape[2])[:, None]
    elif kind == "offset":
        x += 100
    return x.astype(np.float32)


DENSE = ("normal", "ReLU'd", "offset")
KINDS = (*DENSE, "dark half", "mostly zeros", "one huge value", "one huge channel", "any magnitude",
         "rows of alternating sign")


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


@pytest.mark.parametrize("kind", KINDS)
def test_promise_on_random_shapes(kind):
    """The same for all data; these seeds keep the tighter one on dense data too. See docs/accuracy.md."""
    ways = (tile_sums, largest_sums) if kind in DENSE else (tile_sums,)
    for seed in range(KINDS.index(kind), 504, len(KINDS)):
        p = Problem(seed)
        x, w = data(kind, p.rng, p.input_shape), p.normal(p.weight_shape)
        wanted = reference.conv2d(x, w, None, *p.args)
        gy = data(kind, p.rng, wanted.shape)
        laid = laid_out(x, p.layout, p.rng)
        plan = corr.plan(x.shape, w, None, *p.args, algorithm="winograd")
        assert plan.algorithm == "winograd"
        ys = corr.conv2d(laid, w, None, *p.args, algorithm="winograd"), plan(laid)
        gx = corr.conv2d_input(x.shape, w, gy, *p.args, algorithm="winograd")
        wanted_gx = reference.conv2d_input(x.shape, w, gy, *p.args)
        turned = w.reshape(p.groups, p.oc, p.ic, 3, 3).swapaxes(1, 2)[..., ::-1, ::-1]
        turned = turned.reshape(-1, p.oc, 3, 3)
        padding = [tuple(2 - pad for pad in both) for both in p.padding]
        for sums_of in ways:
            for y in ys:
                assert error(y, wanted, x, w, p.padding, p.groups, sums_of) <= 16, p
            assert error(gx, wanted_gx, gy, turned, padding, p.groups, sums_of) <= 16, p


@pytest.mark.parametrize("kind", KINDS)
def test_promise_on_layers(kind):
    ways = (tile_sums, largest_sums) if kind in (*DENSE, "dark half") else (tile_sums,)
    for seed, channels in enumerate((16, 32, 64, 96, 160, 256, 400)):
        rng = np.random.default_rng(seed)
        x = data(kind, rng, (1, channels, 21, 26))
        w = rng.standard_normal((48, channels, 3, 3)).astype(np.float32)
        y = corr.conv2d(x, w, padding=1, algorithm="winograd")
        wanted = reference.conv2d(x, w, padding=1)
        for sums_of in ways:
            assert error(y, wanted, x, w, ((1, 1), (1, 1)), 1, sums_of) <= 16


def test_a_quarter_of_the_pixels_keeps_the_tighter_bound():
    for seed in range(8):
        rng = np.random.default_rng(seed)
        x = rng.standard_normal((1, 16 << seed % 4, 21, 26)).astype(np.float32)
        x *= rng.random(x.shape) < 0.25
        w = rng.standard_normal((48, x.shape[1], 3, 3)).astype(np.float32)
        y = corr.conv2d(x, w, padding=1, algorithm="winograd")
        wanted = reference.conv2d(x, w, padding=1)
        assert error(y, wanted, x, w, ((1, 1), (1, 1)), 1, largest_sums) <= 16


def test_promise_on_hostile_weights():
    """A single tap, the corner one, which the points of a tile amplify most."""
    for seed, channels in enumerate((16, 32, 64, 256)):
        rng = np.random.default_rng(seed)
        x = data(KINDS[seed % len(KINDS)], rng, (1, channels, 21, 26))
        for tap in ((0, 0), (1, 1), (2, 0)):
            w = np.zeros((40, channels, 3, 3), np.float32)
            w[:, :, tap[0], tap[1]] = rng.standard_normal((40, channels))
            w[:, 0, tap[0], tap[1]] *= 1e4
            y = corr.conv2d(x, w, padding=1, algorithm="winograd")
            assert error(y, reference.conv2d(x, w, padding=1), x, w, ((1, 1), (1, 1))) <= 16


def test_bias_activation_and_out():
    for seed in range(60):
        p = Problem(seed)
        x, w = p.normal(p.input_shape), p.normal(p.weight_shape)
        b = p.normal(p.weight_shape[:1])
        shape = reference.conv2d(x, w, None, *p.args).shape
        out = laid_out(np.full(shape, np.nan, np.float32), "gaps", p.rng)
        around = out.base.copy()
        # The tiles depend on the strides of what they are stored to, too.
        with_bias = corr.conv2d(x, w, None, *p.args, algorithm="winograd", out=out) + b[:, None, None]
        corr.conv2d(x, w, b, *p.args, activation="relu6", algorithm="winograd", out=out)
        np.testing.assert_array_equal(out, with_bias.clip(0, 6))
        out[...] = np.nan
        assert np.array_equal(out.base, around, equal_nan=True)
        nhwc, how = np.ascontiguousarray(x.transpose(0, 2, 3, 1)), {"layout": "NHWC"}
        y = corr.conv2d(nhwc, w, None, *p.args, algorithm="winograd", **how)
        last = corr.conv2d(nhwc, w, b, *p.args, activation="relu", algorithm="winograd", **how)
        np.testing.assert_array_equal(last, (y + b).clip(0))


def test_one_huge_value_reaches_no_other_tile():
    for seed in range(8):
        rng = np.random.default_rng(seed)
        x = data("normal", rng, (1, 32, 24, 24))
        w = rng.standard_normal((32, 32, 3, 3)).astype(np.float32)
        usual = corr.conv2d(x, w, padding=1, algorithm="winograd")
        h, v = rng.integers(0, 24, 2)
        x[0, seed, h, v] = 1e6
        y = corr.conv2d(x, w, padding=1, algorithm="winograd")
        wrong = np.abs(y - reference.conv2d(x, w, padding=1)).max((0, 1))
        assert wrong.max() <= 1e6 * np.abs(w).sum((2, 3)).max() * 32 * EPSILON
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


@pytest.mark.parametrize("layout", ["contiguous", "channels_last", "gaps"])
@pytest.mark.parametrize("dilation", [2, 3, 4, (2, 3), (1, 5)])
def test_a_dilation_is_phases_that_have_none(dilation, layout):
    """Each is a convolution of its own pixels, and where they are as long the same bits as of a batch."""
    rng = np.random.default_rng(4)
    dh, dw = dilation if isinstance(dilation, tuple) else (dilation, dilation)
    for count, (ic, oc, groups, more) in enumerate([(32, 40, 1, (0, 0)), (5, 17, 1, (1, 2)), (40, 16, 2, (2, 1)),
                                                    (64, 64, 1, (1, 0))]):
        h, w = 5 * dh + min(more[0], dh - 1), 7 * dw + min(more[1], dw - 1)
        x = rng.standard_normal((2, ic * groups, h, w)).astype(np.float32)
        weight = rng.standard_normal((oc * groups, ic, 3, 3)).astype(np.float32)
        bias = rng.standard_normal(oc * groups).astype(np.float32) if count % 2 else None
        for steps in ((1, 1), (0, 0), (2, 1)):
            padding = (steps[0] * dh, steps[1] * dw)
            how = {"groups": groups, "activation": "relu" if count > 1 else None, "algorithm": "winograd"}
            xl = laid_out(x, layout, rng)
            y = corr.conv2d(xl, weight, bias, 1, padding, dilation, **how)
            plan = corr.plan(x.shape, weight, bias, 1, padding, dilation, **how)
            gx = corr.conv2d_input(x.shape, weight, y, 1, padding, dilation, groups, algorithm="winograd")
            wanted = reference.conv2d_input(x.shape, weight, y, 1, padding, dilation, groups)
            np.testing.assert_allclose(gx, wanted, atol=1e-4 * np.abs(wanted).max(), rtol=0)
            wanted = reference.conv2d(x, weight, bias, 1, padding, dilation, groups)
            if count > 1:
                wanted = wanted.clip(0)
            for got in (y, plan(xl), plan(x)):
                np.testing.assert_allclose(got, wanted, atol=1e-4 * np.abs(wanted).max(), rtol=0)
            if h % dh == 0 and w % dw == 0:
                def phases(image, dh=dh, dw=dw):
                    return np.concatenate([image[:, :, a::dh, b::dw] for a in range(dh) for b in range(dw)])
                batch = corr.conv2d(phases(xl), weight, bias, 1, steps, **how)
                np.testing.assert_array_equal(phases(y), batch, f"{steps}")
            with corr.num_threads(1):
                np.testing.assert_array_equal(corr.conv2d(xl, weight, bias, 1, padding, dilation, **how), y)


def test_a_dilation_that_is_not_finite_somewhere():
    rng = np.random.default_rng(5)
    x = rng.standard_normal((1, 32, 21, 23)).astype(np.float32)
    w = rng.standard_normal((32, 32, 3, 3)).astype(np.float32)
    x[0, 3, 4, 5] = np.inf
    with np.errstate(invalid="ignore"):
        y, direct = (corr.conv2d(x, w, padding=2, dilation=2, algorithm=a) for a in ("winograd", "direct"))
    np.testing.assert_array_equal(np.isfinite(y), np.isfinite(direct))
    assert np.count_nonzero(~np.isfinite(y)) == 32 * 9


def test_padding_that_is_no_step_of_the_dilation():
    x, w = np.ones((1, 32, 20, 20), np.float32), np.ones((32, 32, 3, 3), np.float32)
    with pytest.raises(ValueError, match="winograd"):
        corr.conv2d(x, w, padding=1, dilation=2, algorithm="winograd")
    y = corr.conv2d(x, w, padding=((2, 1), (2, 3)), dilation=2, algorithm="winograd")
    np.testing.assert_allclose(y, corr.conv2d(x, w, padding=((2, 1), (2, 3)), dilation=2, algorithm="direct"), 1e-5)


SIZES = ((5, 5), (7, 7), (9, 9), (2, 2), (4, 4), (3, 5), (6, 2), (8, 5))


@pytest.mark.parametrize("size", SIZES)
def test_other_kernels_are_blocks_of_3x3(size):
    """The promise counts their kernels filled up with zeros: see tiles.py."""
    for seed in range(24):
        rng = np.random.default_rng(seed)
        groups, ic, oc = (int(rng.choice(of)) for of in ((1, 1, 2), (1, 3, 16, 33, 40), (1, 17, 48)))
        padding = tuple(tuple(int(p) for p in rng.integers(0, taps, 2)) for taps in size)
        most = [max(taps - sum(pads), 1) for taps, pads in zip(size, padding, strict=True)]
        x = data(KINDS[seed % len(KINDS)], rng, (2, groups * ic, *(m + int(rng.integers(0, 24)) for m in most)))
        w = rng.standard_normal((groups * oc, ic, *size)).astype(np.float32)
        bias = rng.standard_normal(groups * oc).astype(np.float32)
        how = {"padding": padding, "groups": groups, "algorithm": "winograd"}
        plan = corr.plan(x.shape, w, **how)
        assert plan.algorithm == "winograd"
        wanted = reference.conv2d(x, w, None, 1, padding, 1, groups)
        xl = laid_out(x, ("contiguous", "channels_last", "reversed", "gaps")[seed % 4], rng)
        y = corr.conv2d(xl, w, **how)
        for got in (y, plan(x), plan(xl)):
            assert error(got, wanted, x, w, padding, groups) <= 16, (x.shape, w.shape, how)
        np.testing.assert_array_equal(plan(xl), plan(x))
        with_bias = corr.conv2d(xl, w, bias, **how, activation="relu6")
        np.testing.assert_array_equal(with_bias, (y + bias[:, None, None]).clip(0, 6))
        gy = data("normal", rng, wanted.shape)
        gx = corr.conv2d_input(x.shape, w, gy, **how)
        wanted_gx = reference.conv2d_input(x.shape, w, gy, 1, padding, 1, groups)
        turned = w.reshape(groups, oc, ic, *size).swapaxes(1, 2)[..., ::-1, ::-1].reshape(-1, oc, *size)
        back = [tuple(taps - 1 - p for p in pads) for taps, pads in zip(size, padding, strict=True)]
        assert error(gx, wanted_gx, gy, turned, back, groups) <= 16, (x.shape, w.shape, how)


def test_other_kernels_that_are_not_finite_somewhere():
    """Nor does a pixel beside a window, under a tap that a block has too many, touch an output."""
    rng = np.random.default_rng(6)
    for size, dilation in ((5, 1), (7, 1), (4, 2)):
        x = rng.standard_normal((1, 32, 30, 23)).astype(np.float32)
        w = rng.standard_normal((16, 32, size, size)).astype(np.float32)
        for array, at in ((x, (0, 3, 14, 11)), (w, (2, 3, 1, 1))):
            good, array[at] = array[at], np.inf
            with np.errstate(invalid="ignore"):
                y, direct = (corr.conv2d(x, w, padding=size // 2 * dilation, dilation=dilation, algorithm=a)
                             for a in ("winograd", "direct"))
            np.testing.assert_array_equal(np.isfinite(y), np.isfinite(direct))
            array[at] = good
