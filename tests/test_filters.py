"""Filters: what each does to the pictures it was made for."""

import math

import numpy as np
import pytest

import corr
from corr import filters

DERIVATIVES = {"difference": 1, "central_difference": 1, "sobel": 8, "scharr": 32}
SMOOTHING = {"box": filters.box((3, 5)), "gaussian": filters.gaussian(1.3),
             "sharpen": filters.sharpen(0.7)}


def ramp(down, right, size=12):
    return np.add.outer(down * np.arange(float(size)), right * np.arange(float(size)))


@pytest.mark.parametrize("name", DERIVATIVES)
@pytest.mark.parametrize("axis", [0, 1])
def test_derivative_of_a_ramp(name, axis):
    kernel = getattr(filters, name)(axis=axis, dtype=np.float64)
    for down, right in ((3, 0), (0, 5), (2, -7)):
        answer = corr.corr2d(ramp(down, right), kernel)
        np.testing.assert_array_equal(answer, DERIVATIVES[name] * (down, right)[axis])


@pytest.mark.parametrize("order", range(7))
@pytest.mark.parametrize("axis", [0, 1])
def test_difference_is_the_derivative_of_a_polynomial(order, axis):
    kernel = filters.difference(order, axis=axis, dtype=np.float64)
    assert kernel.shape == ((order + 1, 1), (1, order + 1))[axis]
    x = np.arange(10.0)
    for degree in range(order + 1):
        picture = np.multiply.outer(x**degree, np.ones(10))
        answer = corr.corr2d(picture if axis == 0 else picture.T, kernel)
        np.testing.assert_array_equal(answer, math.factorial(order) if degree == order else 0)


def test_difference_repeats_itself():
    twice = corr.corr2d(filters.difference(1), filters.difference(1)[:, ::-1], padding=((0, 0), (1, 1)))
    np.testing.assert_array_equal(twice, filters.difference(2))


@pytest.mark.parametrize("degrees", range(0, 360, 30))
def test_directional(degrees):
    v = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    kernel = filters.directional(np.multiply(v, 1e-3), dtype=np.float64)
    for down, right in ((1, 0), (0, 1), (3, -2)):
        np.testing.assert_allclose(corr.corr2d(ramp(down, right), kernel),
                                   down * v[0] + right * v[1], atol=1e-12)
    across = filters.directional((-v[1], v[0]), dtype=np.float64)
    np.testing.assert_allclose(corr.corr2d(ramp(*v), across), 0, atol=1e-12)


@pytest.mark.parametrize("name", SMOOTHING)
def test_smoothing_keeps_what_is_even(name):
    assert SMOOTHING[name].sum(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(corr.corr2d(np.full((15, 15), 7.0), SMOOTHING[name]), 7, rtol=1e-6)


def test_gaussian_is_scipys():
    ndimage = pytest.importorskip("scipy.ndimage", reason="SciPy is not installed")
    picture = np.random.default_rng(0).random((40, 50))
    wanted = ndimage.gaussian_filter(picture, 1.5, mode="mirror", truncate=4.0)
    found = corr.corr2d(picture, filters.gaussian(1.5, dtype=np.float64), padding="same",
                        padding_mode="reflect")
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_gaussians_variance_adds_up():
    kernel = filters.gaussian(2, dtype=np.float64).sum(axis=0)
    x = np.arange(len(kernel)) - len(kernel) // 2
    assert (kernel * x**2).sum() == pytest.approx(4, rel=1e-2)
    assert kernel.size == 17


def test_laplacian_of_a_bowl():
    y, x = np.mgrid[:9.0, :9.0]
    for neighbours, factor in ((4, 1), (8, 3)):
        kernel = filters.laplacian(neighbours)
        np.testing.assert_array_equal(corr.corr2d(x**2 + y**2, kernel), 4 * factor)
        np.testing.assert_array_equal(corr.corr2d(3 * x - y, kernel), 0)


@pytest.mark.parametrize("angle", [0, 45, 90, 135])
def test_lines_answer_their_own_angle_most(angle):
    for drawn in (0, 45, 90, 135):
        picture = (filters.line(drawn) > 0).astype(np.float32)
        answer = corr.corr2d(picture, filters.line(angle))[0, 0]
        assert answer == (6 if drawn == angle else 0)


@pytest.mark.parametrize("name", filters.__all__)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_types(name, dtype):
    arguments = ((1, 2),) if name == "directional" else ()
    kernel = getattr(filters, name)(*arguments, dtype=dtype)
    assert kernel.dtype == dtype and kernel.flags.c_contiguous and kernel.flags.writeable
    assert not np.signbit(kernel[kernel == 0]).any()
    with pytest.raises(TypeError, match="floating"):
        getattr(filters, name)(*arguments, dtype=int)


BAD = [
    (filters.difference, (-1,), ValueError, "order"),
    (filters.difference, (1.5,), TypeError, "order"),
    (filters.difference, (1, 2), ValueError, "axis"),
    (filters.central_difference, ("x",), ValueError, "axis"),
    (filters.sobel, (-1,), ValueError, "axis"),
    (filters.scharr, (None,), ValueError, "axis"),
    (filters.directional, ((0, 0),), ValueError, "v must"),
    (filters.directional, ((np.nan, 1),), ValueError, "v must"),
    (filters.directional, ((np.inf, 1),), ValueError, "v must"),
    (filters.directional, (3,), TypeError, "v must"),
    (filters.directional, ((1, 2, 3),), TypeError, "v must"),
    (filters.laplacian, (6,), ValueError, "neighbours"),
    (filters.line, (30,), ValueError, "angle"),
    (filters.box, (0,), ValueError, "size"),
    (filters.box, ((3, 3, 3),), ValueError, "size"),
    (filters.gaussian, (0,), ValueError, "sigma"),
    (filters.gaussian, (np.inf,), ValueError, "sigma"),
    (filters.gaussian, ("wide",), TypeError, "sigma"),
    (filters.gaussian, (1, -1), ValueError, "radius"),
    (filters.sharpen, (np.nan,), ValueError, "amount"),
]


@pytest.mark.parametrize(("function", "arguments", "error", "text"), BAD)
def test_bad_numbers(function, arguments, error, text):
    with pytest.raises(error, match=text):
        function(*arguments)
