"""The weight gradient by Winograd: its bound on kind data and hostile, where not finite, and how it is cut."""

import itertools

import numpy as np
import pytest
import reference
from cases import laid_out
from test_winograd import DENSE, EPSILON, KINDS, SIZES, Problem, data
from tiles import gradient_sums

import corr


def check(x, gy, kernel, padding, groups=1, dense=False, laid=lambda a: a):
    """Within 16 times 2^-24 of what the promise counts in, 32 times over fewer than four tiles; and within 32
    times the largest sum of nine where data are dense."""
    how = {"padding": padding, "groups": groups}
    shape = (gy.shape[1], x.shape[1] // groups, *kernel)
    got = corr.conv2d_weight(laid(x), shape, laid(gy), algorithm="winograd", **how)
    exact = [a.astype(np.float64) for a in (x, gy)]
    wrong = abs(got - reference.conv2d_weight(exact[0], shape, exact[1], 1, padding, 1, groups))
    sums = gradient_sums(x, gy, padding, groups, kernel)
    tiles = len(gy) * -(-gy.shape[2] // 4) * -(-gy.shape[3] // 4)
    most = 16 if tiles >= 4 else 32
    assert (wrong <= most * EPSILON * sums).all(), (x.shape, shape, padding, groups)
    if dense:
        taps = reference.conv2d_weight(abs(exact[0]), shape, abs(exact[1]), 1, padding, 1, groups)
        assert (wrong <= 32 * EPSILON * taps.max((2, 3), keepdims=True)).all(), (x.shape, shape, padding, groups)
    return got


@pytest.mark.parametrize("kinds", [*itertools.product(KINDS, KINDS)], ids="-".join)
def test_promise_on_random_shapes(kinds):
    number = KINDS.index(kinds[0]) * len(KINDS) + KINDS.index(kinds[1])
    for seed in range(number, 567, len(KINDS) ** 2):
        p = Problem(seed)
        w = np.zeros(p.weight_shape, np.float32)
        x = data(kinds[0], p.rng, p.input_shape)
        gy = data(kinds[1], p.rng, reference.conv2d(np.zeros(p.input_shape), w, None, *p.args).shape)
        check(x, gy, (3, 3), p.padding, p.groups, laid=lambda a, p=p: laid_out(a, p.layout, p.rng))


@pytest.mark.parametrize("kinds", [*itertools.product((*DENSE, "dark half"), DENSE)], ids="-".join)
def test_dense_data_keep_the_tighter_bound(kinds):
    """Layers that "auto" does so: 16 channels and 4 tiles."""
    shapes = ((1, 16, 8, 8), (4, 40, 4, 4), (1, 64, 14, 14), (2, 48, 7, 9), (1, 96, 28, 28), (3, 32, 33, 17),
              (1, 16, 80, 80))
    for seed, (n, channels, h, w) in enumerate(shapes):
        rng = np.random.default_rng(seed)
        x, gy = data(kinds[0], rng, (n, channels, h, w)), data(kinds[1], rng, (n, 48, h, w))
        check(x, gy, (3, 3), ((1, 1), (1, 1)), dense=True)


@pytest.mark.parametrize("size", SIZES)
def test_other_kernels_are_blocks_of_3x3(size):
    for seed in range(18):
        rng = np.random.default_rng(seed)
        groups, ic, oc = (int(rng.choice(of)) for of in ((1, 1, 2), (1, 3, 16, 33, 70), (1, 17, 48)))
        padding = tuple(tuple(int(p) for p in rng.integers(0, taps, 2)) for taps in size)
        most = [max(taps - sum(pads), 1) for taps, pads in zip(size, padding, strict=True)]
        x = data(KINDS[seed % len(KINDS)], rng, (2, groups * ic, *(m + int(rng.integers(0, 24)) for m in most)))
        out = [n + sum(pads) - taps + 1 for n, pads, taps in zip(x.shape[2:], padding, size, strict=True)]
        gy = data("normal", rng, (2, groups * oc, *out))
        check(x, gy, size, padding, groups,
              laid=lambda a, s=seed, r=rng: laid_out(a, ("contiguous", "channels_last", "reversed", "gaps")[s % 4], r))


@pytest.mark.parametrize("dilation", [(2, 2), (3, 1), (1, 4), (5, 3)])
@pytest.mark.parametrize("layout", ["contiguous", "channels_last", "gaps"])
def test_phases_of_a_dilation_are_images(dilation, layout):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        groups, n = (1, 2)[seed % 2], 1 + seed % 3
        padding = [d * int(rng.integers(0, 3)) for d in dilation]
        size = [2 * d + 1 + int(rng.integers(0, 30)) for d in dilation]
        x = rng.standard_normal((n, groups * 33, *size)).astype(np.float32)
        shape = (groups * 20, 33, 3, 3)
        out = [s + 2 * p - 2 * d for s, p, d in zip(size, padding, dilation, strict=True)]
        gy = rng.standard_normal((n, shape[0], *out)).astype(np.float32)
        args = (1, padding, dilation, groups)
        wanted = reference.conv2d_weight(x.astype(np.float64), shape, gy.astype(np.float64), *args)
        sums = reference.conv2d_weight(abs(x), shape, abs(gy), *args).max((2, 3), keepdims=True)
        xl, gyl = laid_out(x, layout, rng), laid_out(gy, layout, rng)
        got = corr.conv2d_weight(xl, shape, gyl, *args, algorithm="winograd")
        assert (abs(got - wanted) <= 32 * EPSILON * sums).all()


def problem(channels=(70, 50), size=(30, 25), n=2):
    rng = np.random.default_rng(sum(size))
    x = rng.standard_normal((n, channels[0], *size)).astype(np.float32)
    return x, (channels[1], channels[0], 3, 3), rng.standard_normal((n, channels[1], *size)).astype(np.float32)


def test_auto_takes_it_and_direct_does_not():
    x, shape, gy = problem()
    auto, winograd, direct = (corr.conv2d_weight(x, shape, gy, padding=1, algorithm=a)
                              for a in ("auto", "winograd", "direct"))
    np.testing.assert_array_equal(auto, winograd)
    assert (auto != direct).any()
    w = np.zeros(shape, np.float32)
    both = [corr.conv2d_backward(gy, x, w, padding=1, algorithm=a).weight for a in ("auto", "direct")]
    np.testing.assert_array_equal(both, [auto, direct])


CASES = (((70, 50), (30, 25), 2), ((16, 300), (9, 9), 3), ((200, 33), (13, 40), 1), ((32, 32), (80, 81), 2))


@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
@pytest.mark.parametrize("case", CASES)
def test_the_same_bits_at_any_number_of_threads(case, layout):
    x, shape, gy = problem(*case)
    rng, wanted = np.random.default_rng(0), None
    for threads in (1, 2, 3, 5, 8, 2):
        with corr.num_threads(threads):
            xl, gyl = laid_out(x, layout, rng), laid_out(gy, layout, rng)
            got = corr.conv2d_weight(xl, shape, gyl, padding=1, algorithm="winograd")
        wanted = got if wanted is None else wanted
        assert got.tobytes() == wanted.tobytes(), threads


def test_more_panels_than_are_transformed_at_once():
    rng = np.random.default_rng(9)
    x = rng.standard_normal((1, 600, 33, 30)).astype(np.float32)
    gy = rng.standard_normal((1, 20, 33, 30)).astype(np.float32)
    shape = (20, 600, 9, 9)
    got = corr.conv2d_weight(x, shape, gy, padding=4, algorithm="winograd")
    np.testing.assert_allclose(got, corr.conv2d_weight(x, shape, gy, padding=4, algorithm="direct"), atol=2e-3)


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
@pytest.mark.parametrize("into", ["x", "gy", "both"])
def test_what_is_not_finite_is_computed_directly(bad, into):
    x, shape, gy = problem()
    if into != "gy":
        x[0, 3, 0, 5] = bad
    if into != "x":
        gy[1, 4, 29, 0] = bad
    with np.errstate(invalid="ignore"):
        got, direct = (corr.conv2d_weight(x, shape, gy, padding=1, algorithm=a) for a in ("winograd", "direct"))
        np.testing.assert_array_equal(got, direct)
        start = corr.Gradients(None, np.ones(shape, np.float32), None)
        w = np.zeros(shape, np.float32)
        added = corr.conv2d_backward(gy, x, w, padding=1, algorithm="winograd", needs="weight", accumulate_into=start)
        np.testing.assert_array_equal(added.weight, direct + 1)


def test_what_overflows_on_the_way_is_computed_directly():
    x, shape, gy = problem()
    x *= 1e37
    got, direct = (corr.conv2d_weight(x, shape, gy / 64, padding=1, algorithm=a) for a in ("winograd", "direct"))
    assert np.isfinite(direct).all()
    np.testing.assert_array_equal(got, direct)


@pytest.mark.parametrize("kernel", [3, 5])
def test_added_and_in_any_order(kernel):
    """Into weights of other strides, and onto what is there."""
    rng = np.random.default_rng(kernel)
    x = rng.standard_normal((2, 40, 21, 22)).astype(np.float32)
    gy = rng.standard_normal((2, 33, 21, 22)).astype(np.float32)
    shape, how = (33, 40, kernel, kernel), {"padding": kernel // 2, "algorithm": "winograd"}
    wanted = corr.conv2d_weight(x, shape, gy, **how)
    for order in itertools.permutations(range(4)):
        back = np.argsort(order)
        out = np.full([shape[i] + 1 for i in order], np.nan, np.float32).transpose(back)[:33, :40, :kernel, :kernel]
        corr.conv2d_weight(x, shape, gy, out=out, **how)
        np.testing.assert_array_equal(out, wanted)
    w = np.zeros(shape, np.float32)
    into = corr.Gradients(None, rng.standard_normal(shape).astype(np.float32), None)
    before = into.weight.copy()
    corr.conv2d_backward(gy, x, w, **how, needs="weight", accumulate_into=into)
    np.testing.assert_array_equal(into.weight, before + wanted)
