"""Winograd's kernels, one by one, beside the transforms by their definition in float64."""

import itertools

import numpy as np
import pytest

from corr import _kernels

ISAS = _kernels.isas()
POINTS = {6: (0, 0.5**0.5, -(0.5**0.5), 2**0.5, -(2**0.5)), 4: (0, 1, -1)}


def matrices(points):
    """A^T, G and B^T from the points by Lagrange's polynomials (Toom and Cook)."""
    at, outputs = POINTS[points], points - 2
    a, g, b = np.zeros((points, outputs)), np.zeros((points, 3)), np.zeros((points, points))
    for i, p in enumerate(at):
        others = [q for q in at if q != p]
        a[i], g[i] = [p**k for k in range(outputs)], [p**k for k in range(3)]
        g[i] /= np.prod([p - q for q in others])
        b[i, : points - 1] = np.poly(others)[::-1]
    a[-1, -1] = g[-1, -1] = 1
    b[-1] = np.poly(at)[::-1]
    if points == 4:  # signs moved from the transform of the weights to that of the pixels
        g[0], b[0] = -g[0], -b[0]
    return a.T, g, b


@pytest.mark.parametrize("points", [4, 6])
def test_the_matrices_correlate(points):
    at, g, bt = matrices(points)
    rng = np.random.default_rng(0)
    d, w = rng.standard_normal(points), rng.standard_normal(3)
    y = at @ ((g @ w) * (bt @ d))
    np.testing.assert_allclose(y, np.correlate(d, w), atol=1e-12)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("points", [4, 6])
def test_input(isa, points):
    lanes, line = _kernels.lanes(isa, np.float32), _kernels.line
    bt, outputs = matrices(points)[2], points - 2
    for tiles, slack in itertools.product((1, 2, 3, 7), (0, 3)):
        rng = np.random.default_rng(tiles)
        width = tiles * outputs + 2 + slack
        x = rng.standard_normal((points, width, lanes)).astype(np.float32)
        step = (tiles - 1) * line + lanes
        offsets = rng.permutation(points * points).astype(np.int32) * step
        v = np.full(points * points * step, np.nan, np.float32)
        _kernels.winograd_input(isa, points, x, width * lanes, lanes, tiles, v, line, offsets)
        for t in range(tiles):
            patch = x[:, t * outputs : t * outputs + points].astype(np.float64)
            wanted = np.einsum("ai,bj,ijl->abl", bt, bt, patch).reshape(-1, lanes)
            for e, at in enumerate(offsets):
                got = v[at + t * line : at + t * line + lanes]
                np.testing.assert_allclose(got, wanted[e], atol=2e-5)
                v[at + t * line : at + t * line + lanes] = np.nan
        assert np.isnan(v).all()


@pytest.mark.parametrize("isa", ISAS)
def test_gradients(isa):
    """The transpose of what outputs are made with: tiles of 4x4, a tile anywhere from the one before."""
    lanes, a = _kernels.lanes(isa, np.float32), matrices(6)[0].T
    for tiles, tile in itertools.product((1, 2, 3, 7), (lanes, 3 * lanes + 5)):
        rng = np.random.default_rng(tiles)
        gy = rng.standard_normal((4, 4 * tiles, lanes)).astype(np.float32)
        step = (tiles - 1) * tile + lanes + 1
        offsets = rng.permutation(36).astype(np.int32) * step
        v = np.full(36 * step, np.nan, np.float32)
        _kernels.winograd_input(isa, -6, gy, 4 * tiles * lanes, lanes, tiles, v, tile, offsets)
        for t in range(tiles):
            wanted = np.einsum("ai,bj,ijl->abl", a, a, gy[:, 4 * t : 4 * t + 4].astype(np.float64)).reshape(36, lanes)
            for e, at in enumerate(offsets):
                np.testing.assert_allclose(v[at + t * tile : at + t * tile + lanes], wanted[e], atol=2e-5)
                v[at + t * tile : at + t * tile + lanes] = np.nan
        assert np.isnan(v).all()


@pytest.mark.parametrize("isa", ISAS)
def test_taps(isa):
    """The transpose of what weights are transformed with."""
    lanes, g = _kernels.lanes(isa, np.float32), matrices(6)[1].T
    for count, slack in itertools.product((lanes, 2 * lanes, 5 * lanes), (0, 3)):
        rng = np.random.default_rng(count)
        m = rng.standard_normal((36, count + slack)).astype(np.float32)
        taps = np.full((9, count + 1), np.nan, np.float32)
        assert _kernels.winograd_taps(isa, m, count + slack, count, taps, count + 1)
        wanted = np.einsum("ia,jb,abc->ijc", g, g, m[:, :count].reshape(6, 6, count).astype(np.float64))
        np.testing.assert_allclose(taps[:, :count], wanted.reshape(9, count), atol=2e-5)
        assert np.isnan(taps[:, count]).all()
        for bad in (np.nan, np.inf, -np.inf):
            broken = m.copy()
            broken[rng.integers(36), rng.integers(count)] = bad
            assert not _kernels.winograd_taps(isa, broken, count + slack, count, taps, count + 1)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("points", [4, 6])
def test_output(isa, points):
    lanes = _kernels.lanes(isa, np.float32)
    at, outputs = matrices(points)[0], points - 2
    for tiles in (1, 3):
        rng = np.random.default_rng(tiles)
        m = rng.standard_normal((points, points, tiles, lanes + 2)).astype(np.float32)
        wide = np.einsum("ai,bj,ijtl->atbl", at, at, m[..., :lanes].astype(np.float64))
        wide = wide.reshape(outputs, tiles * outputs, lanes)
        bias = rng.standard_normal(lanes).astype(np.float32)
        for rows, columns, channels, act in itertools.product(
                range(1, outputs + 1), range((tiles - 1) * outputs + 1, tiles * outputs + 1),
                (1, lanes - 1, lanes), (0, 2)):
            y = np.full((outputs, tiles * outputs + 1, lanes + 1), np.nan, np.float32)
            finite = _kernels.winograd_output(
                isa, points, m, tiles * (lanes + 2), lanes + 2, tiles, y, y.shape[1] * (lanes + 1),
                lanes + 1, rows, columns, channels, act, bias[:channels].copy())
            assert finite
            wanted = (wide + bias)[:rows, :columns, :channels]
            wanted = wanted.clip(0, 6) if act else wanted
            inside = y[:rows, :columns, :channels]
            np.testing.assert_allclose(inside, wanted, atol=5e-5)
            inside[...] = np.nan
            assert np.isnan(y).all()
        for bad in (np.nan, np.inf, -np.inf):
            broken = m.copy()
            broken[rng.integers(points), rng.integers(points), tiles - 1, lanes - 1] = bad
            y = np.empty((outputs, tiles * outputs, lanes), np.float32)
            assert not _kernels.winograd_output(
                isa, points, broken, tiles * (lanes + 2), lanes + 2, tiles, y,
                tiles * outputs * lanes, lanes, outputs, tiles * outputs, lanes, 0, None)


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("points", [4, 6])
def test_weights(isa, points):
    lanes, g = _kernels.lanes(isa, np.float32), matrices(points)[1]
    for vectors, step, flipped in itertools.product((1, 2, 5), (lanes, 3 * lanes), (False, True)):
        rng, count = np.random.default_rng(vectors), vectors * lanes
        w = rng.standard_normal((9, count)).astype(np.float32)
        u = np.full((points * points, vectors * step + 1), np.nan, np.float32)
        _kernels.winograd_weights(isa, points, w, 8 * count if flipped else 0,
                                  -count if flipped else count, count, u, step, vectors * step + 1)
        filters = (w[::-1] if flipped else w).reshape(3, 3, count).astype(np.float64)
        wanted = np.einsum("ai,bj,ijc->abc", g, g, filters).reshape(-1, count)
        sums = np.einsum("ai,bj,ijc->abc", abs(g), abs(g), abs(filters)).reshape(-1, count)
        stored = u[:, :-1].reshape(points * points, vectors, step)
        assert np.isnan(u[:, -1]).all() and np.isnan(stored[..., lanes:]).all()
        # Three roundings a direction, and those of the constants.
        error = np.abs(stored[..., :lanes].reshape(-1, count) - wanted)
        assert (error <= 6 * 2.0**-24 * sums).all()


@pytest.mark.parametrize("isa", ISAS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_lanes(isa, dtype):
    lanes = _kernels.lanes(isa, dtype)
    page = 4096 // np.dtype(dtype).itemsize  # planes this far apart are stored in another order
    many = (*range(1, 2 * lanes + 2), 4 * lanes, 5 * lanes - 1, 8 * lanes + 1)
    for pixels, channels in itertools.product(many, (1, lanes - 1, lanes)):
        if channels < 1:
            continue
        for pixel, channel in ((1, pixels + 3), (1, page), (channels + 2, 1), (2, 2 * pixels),
                               (3, 3 * pixels + 1), (4, 4 * pixels), (5, 5 * pixels)):
            size = (pixels - 1) * pixel + (channels - 1) * channel + 1
            x = np.arange(1, size + 1, dtype=dtype)
            at = np.arange(pixels)[:, None] * pixel + np.arange(channels) * channel
            dst = np.full((pixels + 1, lanes), np.nan, dtype)
            _kernels.lanes_in(isa, x, 0, pixel, channel, pixels, channels, dst)
            np.testing.assert_array_equal(dst[:pixels, :channels], x[at])
            assert (dst[:pixels, channels:] == 0).all() and np.isnan(dst[pixels]).all()
            y = np.full(size + lanes, np.nan, dtype)
            _kernels.lanes_out(isa, dst, pixels, channels, y, 0, pixel, channel)
            np.testing.assert_array_equal(y[at], x[at])
            y[at] = np.nan
            assert np.isnan(y).all()
