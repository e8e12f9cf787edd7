"""correlate2d and convolve2d beside SciPy's."""

import itertools

import numpy as np
import pytest

from corr import signal

scipy_signal = pytest.importorskip("scipy.signal", reason="SciPy is not installed (.[test])")
WAYS = list(itertools.product(("correlate2d", "convolve2d"), ("full", "same", "valid"),
                              ("fill", "wrap", "symm")))
TYPES = ("u1", "i1", "i2", "i4", "i8", "u8", "f4", "f8")


def array(rng, shape, dtype):
    if np.dtype(dtype).kind == "f":
        return rng.standard_normal(shape).astype(dtype)
    info = np.iinfo(dtype)
    return rng.integers(max(info.min, -300), min(info.max, 300), shape).astype(dtype)


@pytest.mark.parametrize(("name", "mode", "boundary"), WAYS)
def test_like_scipy(name, mode, boundary):
    rng = np.random.default_rng(0)
    for _ in range(120):
        shapes = [tuple(int(n) for n in rng.integers(1, 9, 2)) for _ in range(2)]
        a, b = (array(rng, s, t) for s, t in zip(shapes, rng.choice(TYPES, 2), strict=True))
        fill = int(rng.integers(0, 3))
        try:
            wanted = getattr(scipy_signal, name)(a, b, mode, boundary, fill)
        except ValueError:
            with pytest.raises(ValueError):
                getattr(signal, name)(a, b, mode, boundary, fill)
            continue
        got = getattr(signal, name)(a, b, mode, boundary, fill)
        assert got.dtype == wanted.dtype and got.shape == wanted.shape
        if got.dtype.kind == "f":
            tolerance = 1e-4 if got.dtype == np.float32 else 1e-9
            scale = np.abs(a).max() * np.abs(b).sum() + fill * np.abs(b).sum()
            np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * max(1, scale))
        else:
            np.testing.assert_array_equal(got, wanted)


@pytest.mark.parametrize("dtype", ["u1", "i4", "i8", "u8"])
def test_integers_wrap_as_scipys(dtype):
    rng = np.random.default_rng(1)
    info = np.iinfo(dtype)
    a, b = (rng.integers(info.min, info.max, s, dtype, endpoint=True) for s in ((9, 8), (3, 4)))
    for name in ("correlate2d", "convolve2d"):
        np.testing.assert_array_equal(getattr(signal, name)(a, b), getattr(scipy_signal, name)(a, b))


def test_strict_convolution_is_the_flipped_kernel():
    rng = np.random.default_rng(2)
    a, b = rng.standard_normal((8, 9)), rng.standard_normal((3, 2))
    np.testing.assert_array_equal(signal.convolve2d(a, b), signal.correlate2d(a, b[::-1, ::-1]))


@pytest.mark.parametrize(("name", "mode", "boundary"), WAYS)
@pytest.mark.parametrize("dtypes", [("u1", "i2"), ("u1", "f4"), ("f4", "f4"), ("i8", "i8")])
def test_large_pictures(name, mode, boundary, dtypes):
    """They are converted, and their border is added, in parts."""
    rng = np.random.default_rng(3)
    a, b = array(rng, (700, 800), dtypes[0]), array(rng, (4, 7), dtypes[1])
    wanted = getattr(scipy_signal, name)(a, b, mode, boundary, 2)
    got = getattr(signal, name)(a, b, mode, boundary, 2)
    assert got.dtype == wanted.dtype
    if got.dtype.kind == "f":
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6 * np.abs(wanted).max())
    else:
        np.testing.assert_array_equal(got, wanted)
