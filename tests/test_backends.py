"""The recipes of docs/backends.md, run out of the page and held against what they replace."""

import re
from pathlib import Path

import numpy as np
import pytest

import corr

PAGE = Path(__file__).resolve().parent.parent / "docs" / "backends.md"
LONGEST = 40


def blocks():
    """Heading: the code below it."""
    found = {}
    for section in re.split(r"^## ", PAGE.read_text(encoding="utf-8"), flags=re.M)[1:]:
        codes = re.findall(r"^```python\n(.*?)^```", section, flags=re.M | re.S)
        if codes:
            found[section.partition("\n")[0]] = codes
    return found


def recipe(heading, *needs):
    """The names that the recipe defines; skipped where its library is missing."""
    for package in needs:
        pytest.importorskip(package, reason=f"{package} is not installed: see docs/backends.md")
    names = {}
    for code in blocks()[heading]:
        exec(compile(code, f"{PAGE.name}: {heading}", "exec"), names)  # noqa: S102
    return names


def normal(*shape, seed=0, dtype=np.float64):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def test_each_recipe_is_short():
    found = blocks()
    assert len(found) == 6
    for heading, codes in found.items():
        lines = [line for code in codes for line in code.splitlines() if line]
        assert len(lines) <= LONGEST, heading


def test_onnx(tmp_path):
    evaluator = recipe("ONNX's reference evaluator", "onnx")["evaluator"]
    from onnx import parser, save

    model = parser.parse_model(
        '<ir_version: 8, opset_import: ["": 17]> g (float[1,2,9,9] x, float[3,2,3,3] w) '
        "=> (float[1,3,9,9] y) { y = Conv<pads = [1, 1, 1, 1]>(x, w) }")
    save(model, tmp_path / "m.onnx")
    x, w = normal(1, 2, 9, 9, dtype=np.float32), normal(3, 2, 3, 3, dtype=np.float32)
    found = evaluator(str(tmp_path / "m.onnx")).run(None, {"x": x, "w": w})[0]
    np.testing.assert_array_equal(found, corr.conv2d(x, w, padding=1))


@pytest.mark.parametrize("options", [{}, {"stride": 2, "padding": 1}, {"groups": 2, "dilation": 2}])
def test_autograd(options):
    conv2d = recipe("autograd", "autograd")["conv2d"]
    from autograd.test_util import check_grads

    x, w = normal(2, 4, 7, 8), normal(4, 4 // options.get("groups", 1), 3, 2, seed=1)
    check_grads(lambda x, w: conv2d(x, w, **options), modes=["rev"], order=2)(x, w)


def test_autograd_as_its_own_convolution():
    conv2d = recipe("autograd", "autograd")["conv2d"]
    from autograd import elementwise_grad
    from autograd.scipy.signal import convolve

    x, w = normal(2, 3, 9, 8), normal(4, 3, 3, 3, seed=1)

    def theirs(x, w):
        return convolve(x, w[:, :, ::-1, ::-1], axes=([2, 3], [2, 3]), dot_axes=([1], [1]),
                        mode="valid")

    np.testing.assert_allclose(conv2d(x, w), theirs(x, w), atol=1e-12)
    for argument in (0, 1):
        np.testing.assert_allclose(elementwise_grad(conv2d, argument)(x, w),
                                   elementwise_grad(theirs, argument)(x, w), atol=1e-11)


def naive_forward(x, w, b, stride, pad):
    """The operator by its loops."""
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    size = [(n - k) // stride + 1 for n, k in zip(xp.shape[2:], w.shape[2:], strict=True)]
    y = np.empty((len(x), len(w), *size))
    for i, j in np.ndindex(*size):
        window = xp[:, :, i * stride : i * stride + w.shape[2], j * stride : j * stride + w.shape[3]]
        y[:, :, i, j] = np.tensordot(window, w, 3) if window.ndim == 3 else np.einsum(
            "ncpq,ocpq->no", window, w) + b
    return y


def slope(function, at, direction):
    step = 1e-6 * direction
    return (function(at + step) - function(at - step)).sum() / 2e-6


@pytest.mark.parametrize(("stride", "pad"), [(1, 0), (2, 1), (3, 2)])
def test_cs231n(stride, pad):
    names = recipe("CS231n")
    x, w, b = normal(3, 2, 7, 7), normal(4, 2, 3, 3, seed=1), normal(4, seed=2)
    y, cache = names["conv_forward_fast"](x, w, b, {"stride": stride, "pad": pad})
    np.testing.assert_allclose(y, naive_forward(x, w, b, stride, pad), atol=1e-12)
    grad = normal(*y.shape, seed=3)
    grads = names["conv_backward_fast"](grad, cache)
    for k, array in enumerate((x, w, b)):
        direction = normal(*array.shape, seed=4)

        def along(moved, k=k):
            return grad * naive_forward(*((x, w, b)[:k] + (moved,) + (x, w, b)[k + 1 :]), stride, pad)

        assert (grads[k] * direction).sum() == pytest.approx(slope(along, array, direction), rel=1e-5)


def test_cs231n_columns():
    names = recipe("CS231n")
    x = normal(3, 2, 7, 6)
    cols = names["im2col_cython"](x, 3, 2, 1, 1)
    xp = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    assert cols.shape == (12, 3 * 7 * 7)
    for c, p, q, i, j, n in ((0, 0, 0, 0, 0, 0), (1, 2, 1, 4, 3, 2), (1, 0, 1, 6, 6, 1)):
        assert cols[(c * 3 + p) * 2 + q, (i * 7 + j) * 3 + n] == xp[n, c, i + p, j + q]
    image = names["col2im_cython"](cols, 3, 2, 7, 6, 3, 2, 1, 1)
    other = normal(*cols.shape, seed=5)  # the two are each other's transpose
    back = names["col2im_cython"](other, 3, 2, 7, 6, 3, 2, 1, 1)
    assert (cols * other).sum() == pytest.approx((x * back).sum())
    assert image.shape == x.shape


TORCH_CASES = [((2, 3, 8, 9), (4, 3, 3, 3), True, ([1, 1], [1, 1], [1, 1], 1)),
               ((2, 4, 9, 9), (6, 2, 3, 2), False, ([2, 1], [0, 1], [1, 2], 2)),
               ((3, 8, 9), (4, 3, 1, 1), True, ([1, 1], [0, 0], [1, 1], 1))]


@pytest.fixture(scope="module")
def torch_recipe():
    return recipe("PyTorch", "torch")  # once: an operator's name is taken for good


@pytest.mark.parametrize("case", TORCH_CASES)
@pytest.mark.parametrize("learned", [True, False])
def test_torch_opcheck(torch_recipe, case, learned):
    import torch

    shape, weight, bias, options = case
    make = torch.Generator().manual_seed(0)

    def tensor(*size):
        return torch.randn(size, generator=make).requires_grad_(learned)

    arguments = (tensor(*shape), tensor(*weight), tensor(weight[0]) if bias else None, *options)
    checks = torch.library.opcheck(torch_recipe["conv2d"], arguments)
    assert set(checks.values()) == {"SUCCESS"}
    double = tuple(a.detach().double().requires_grad_() if torch.is_tensor(a) else a
                   for a in arguments)
    assert torch.autograd.gradcheck(torch_recipe["conv2d"], double)


def small_model(torch):
    torch.manual_seed(0)
    nn = torch.nn
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, stride=2, padding=1), nn.ReLU(),
        nn.Conv2d(8, 8, 3, padding="valid", groups=8), nn.BatchNorm2d(8), nn.ReLU(),
        nn.Conv2d(8, 16, 1, bias=False), nn.Conv2d(16, 4, 3, padding=1, padding_mode="reflect"),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))


@pytest.mark.parametrize("compiled", [False, True])
def test_torch_model(torch_recipe, compiled):
    import torch

    plain, swapped = small_model(torch), torch_recipe["corr_convolutions"](small_model(torch))
    run = torch.compile(swapped, backend="aot_eager", fullgraph=True) if compiled else swapped
    x = torch.randn(2, 3, 20, 20)
    outputs = []
    for model in (plain, run):
        y = model(x)
        y.square().sum().backward()
        outputs.append(y.detach())
    torch.testing.assert_close(*outputs, rtol=1e-4, atol=1e-5)
    for ours, theirs in zip(swapped.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1)])
def test_jax(stride, padding):
    conv2d = recipe("JAX", "jax")["conv2d"]
    import jax

    def theirs(x, w):
        return jax.lax.conv_general_dilated(x, w, (stride, stride), [(padding, padding)] * 2)

    def ours(x, w):
        return conv2d(x, w, stride, padding)

    x, w = normal(2, 3, 8, 9, dtype=np.float32), normal(4, 3, 3, 3, seed=1, dtype=np.float32)
    np.testing.assert_allclose(jax.jit(ours)(x, w), theirs(x, w), atol=1e-5)
    for argument in (0, 1):
        grads = [jax.jit(jax.grad(lambda *a, f=f: (f(*a) ** 2).sum(), argument))(x, w)
                 for f in (ours, theirs)]
        np.testing.assert_allclose(*grads, rtol=1e-4, atol=1e-4)
    many = np.stack([w, 2 * w])
    np.testing.assert_allclose(jax.vmap(ours, (None, 0))(x, many)[1], 2 * theirs(x, w), rtol=1e-4,
                               atol=1e-5)


@pytest.mark.parametrize("seed", range(20))
def test_conv_transpose2d(seed):
    conv_transpose2d = recipe("Transposed convolution", "torch")["conv_transpose2d"]
    import torch

    rng = np.random.default_rng(seed)
    groups, per, out = (int(v) for v in rng.integers(1, 4, 3))
    stride, dilation = rng.integers(1, 4, 2).tolist(), rng.integers(1, 3, 2).tolist()
    padding, extra = rng.integers(0, 2, 2).tolist(), [int(rng.integers(0, s)) for s in stride]
    x = normal(2, groups * per, 6, 7, seed=seed)
    w, b = normal(groups * per, out, 3, 2, seed=1), normal(groups * out, seed=2)
    arguments = (stride, padding, extra, groups, dilation)
    theirs = torch.nn.functional.conv_transpose2d(*map(torch.from_numpy, (x, w, b)), *arguments)
    np.testing.assert_allclose(conv_transpose2d(x, w, b, *arguments), theirs.numpy(), atol=1e-12)
    single = conv_transpose2d(x[0], w, None, *arguments)
    np.testing.assert_allclose(single + b[:, None, None], theirs[0].numpy(), atol=1e-12)
