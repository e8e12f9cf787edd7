"""2,000 random shapes beside PyTorch, with every parameter varied."""

import numpy as np
import pytest
from cases import laid_out, random_case

import corr

torch = pytest.importorskip(
    "torch", reason="PyTorch is not installed (pip install torch==2.13.0)"
)
F = torch.nn.functional
COUNT, CHUNKS = 2000, 8
LAYOUTS = ("contiguous", "channels_last", "reversed", "gaps")


def torch_conv(x, w, b, stride, pads, dilation, groups):
    return F.conv2d(F.pad(x, (*pads[1], *pads[0])), w, b, stride, 0, dilation, groups)


def close(got, wanted, bound, terms, dtype, case):
    """Both within terms * u of the sum of |products|."""
    assert got.dtype == dtype and got.shape == tuple(wanted.shape), case
    u = np.finfo(dtype).eps / 2
    error = np.abs(got.astype(np.float64) - wanted.detach().numpy().astype(np.float64))
    assert (error <= 2 * (terms + 1) * u * (bound.detach().numpy() + 1e-30)).all(), case


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_agrees(chunk, dtype):
    torch.set_num_threads(1)
    for seed in range(chunk, COUNT, CHUNKS):
        case = random_case(10_000 + seed)
        shapes = (case.input_shape, case.weight_shape, case.weight_shape[:1], case.output_shape)
        x, w, b, gy = (case.rng.standard_normal(s).astype(dtype) for s in shapes)
        leaves = [torch.tensor(a, requires_grad=True) for a in (x, w, b)]
        y = torch_conv(*leaves, *case.args)
        y.backward(torch.tensor(gy))
        sizes = [torch.tensor(np.abs(a), requires_grad=True) for a in (x, w, b)]
        bound = torch_conv(*sizes, *case.args)
        bound.backward(torch.tensor(np.abs(gy)))
        x = laid_out(x, LAYOUTS[seed % len(LAYOUTS)], case.rng)
        stride, pads, dilation, groups = case.args
        terms = int(np.prod(w.shape[1:]))
        sums = case.output_shape[0] * case.output_shape[2] * case.output_shape[3]
        close(corr.conv2d(x, w, b, *case.args), y, bound, terms, dtype, case)
        close(corr.conv2d_input(x.shape, w, gy, *case.args), leaves[0].grad, sizes[0].grad,
              terms * w.shape[0], dtype, case)
        close(corr.conv2d_weight(x, w.shape, gy, *case.args), leaves[1].grad, sizes[1].grad,
              sums, dtype, case)
        bias = corr.conv2d_backward(gy, x, w, *case.args, needs="bias").bias
        close(bias, leaves[2].grad, sizes[2].grad, sums, dtype, case)
        one = corr.corr2d(x[0, 0], w[0, 0], padding=2 * max(w.shape[2:]))
        p = 2 * max(w.shape[2:])
        image, kernel = (torch.tensor(np.ascontiguousarray(a))[None, None] for a in (x[0, 0], w[0, 0]))
        close(one, F.conv2d(image, kernel, padding=p)[0, 0],
              F.conv2d(image.abs(), kernel.abs(), padding=p)[0, 0], terms, dtype, case)


@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
def test_same_padding(kernel):
    rng = np.random.default_rng(kernel)
    x = rng.standard_normal((2, 3, 9, 10))
    for dilation in (1, 2):
        w = rng.standard_normal((4, 3, kernel, kernel))
        y = F.conv2d(torch.tensor(x), torch.tensor(w), padding="same", dilation=dilation)
        np.testing.assert_allclose(corr.conv2d(x, w, padding="same", dilation=dilation), y, rtol=1e-9, atol=1e-9)


def test_unfold_and_fold():
    rng = np.random.default_rng(0)
    for seed in range(200):
        case = random_case(seed)
        stride, ((top, _), (left, _)), dilation, _ = case.args
        kernel = case.weight_shape[2:]
        x = case.whole(case.input_shape, np.float32)
        options = {"stride": stride, "padding": (top, left), "dilation": dilation}
        if any(n + 2 * p < (k - 1) * d + 1
               for n, p, k, d in zip(x.shape[2:], (top, left), kernel, dilation, strict=True)):
            continue
        wanted = F.unfold(torch.tensor(x), kernel, **options)
        cols = corr.im2col(laid_out(x, LAYOUTS[seed % 4], rng), kernel, **options)
        np.testing.assert_array_equal(cols, wanted)
        back = F.fold(wanted, x.shape[2:], kernel, **options)
        np.testing.assert_array_equal(corr.col2im(cols, x.shape[2:], kernel, **options), back)
