"""A tap in the padding is absent: one infinite weight anywhere makes no NaN, in any layout."""

import numpy as np
import pytest
import reference
from cases import laid_out

import corr

# input, weight, stride, ((top, bottom), (left, right)), dilation, groups
SHAPES = [
    ((1, 20, 14, 13), (70, 20, 3, 3), 1, ((1, 1), (1, 1)), 1, 1),
    ((2, 70, 7, 7), (40, 70, 3, 3), 1, ((1, 1), (1, 1)), 1, 1),
    ((1, 9, 19, 20), (35, 9, 3, 5), 1, ((0, 2), (0, 3)), 1, 1),  # padding only at the end
    ((1, 9, 19, 20), (35, 9, 4, 3), 2, ((2, 0), (0, 0)), 2, 1),
    ((1, 40, 12, 12), (40, 1, 3, 3), 1, ((1, 1), (1, 1)), 1, 40),
    ((1, 40, 13, 12), (40, 1, 3, 3), 2, ((1, 1), (1, 1)), 1, 40),
    ((1, 12, 16, 16), (24, 3, 3, 3), 1, ((1, 1), (1, 1)), 1, 4),
    ((1, 3, 20, 20), (4, 3, 1, 1), 1, ((1, 1), (1, 1)), 1, 1),
    ((1, 9, 30, 20), (35, 9, 3, 3), 2, ((1, 1), (1, 1)), 1, 1),
    ((1, 9, 9, 9), (70, 9, 3, 3), 2, ((1, 1), (1, 1)), 1, 1),
]


def weight_layouts(w):
    yield "OIHW", w
    for name, order in (("HWIO", (2, 3, 1, 0)), ("OHWI", (0, 2, 3, 1)), ("IOHW", (1, 0, 2, 3))):
        back = np.argsort(order)
        yield name, np.ascontiguousarray(w.transpose(order)).transpose(back)
    yield "gaps", laid_out(w, "gaps", None)
    yield "reversed", laid_out(w, "reversed", None)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_one_infinite_weight(shape, dtype):
    xs, ws, *args = SHAPES[shape]
    rng = np.random.default_rng(shape)
    x, w = np.ones(xs, dtype), np.ones(ws, dtype)
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    gy = np.ones(reference.conv2d(x, w, None, *args).shape, dtype)
    places = {tuple(int(rng.integers(n)) for n in ws) for _ in range(3)}
    places |= {(0, 0, 0, 0), tuple(n - 1 for n in ws), (0, *(n - 1 for n in ws[1:]))}
    for place in places:
        only = np.zeros(ws)
        only[place] = 1
        y = reference.conv2d(x, 1 - only, None, *args)
        y[reference.conv2d(x, only, None, *args) > 0] = np.inf
        gx = reference.conv2d_input(xs, 1 - only, gy, *args)
        gx[reference.conv2d_input(xs, only, gy, *args) > 0] = np.inf
        w[...] = 1
        w[place] = np.inf
        for name, laid in weight_layouts(w):
            for image in (x, last):
                got = corr.conv2d(image, laid, None, *args, algorithm="direct")
                np.testing.assert_array_equal(got, y, f"{name} {place}")
            plan = corr.plan(xs, laid, None, *args, dtype=dtype, algorithm="direct")
            np.testing.assert_array_equal(plan(x), y, f"plan, {name} {place}")
            got = corr.conv2d_input(xs, laid, gy, *args, algorithm="direct")
            np.testing.assert_array_equal(got, gx, f"input gradient, {name} {place}")
            nhwc = np.ascontiguousarray(gy.transpose(0, 2, 3, 1))
            got = corr.conv2d_input(last.transpose(0, 2, 3, 1).shape, laid, nhwc, *args, layout="NHWC",
                                    algorithm="direct").transpose(0, 3, 1, 2)
            np.testing.assert_array_equal(got, gx, f"input gradient, channels-last, {name} {place}")
