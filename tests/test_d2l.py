"""Section 7.2 of Dive into Deep Learning, cell by cell, and the tape beneath."""

import numpy as np
import pytest

import corr
import corr.d2l as torch
from corr.d2l import nn


def corr2d(X, K):
    """Compute 2D cross-correlation."""
    h, w = K.shape
    Y = torch.zeros((X.shape[0] - h + 1, X.shape[1] - w + 1))
    for i in range(Y.shape[0]):
        for j in range(Y.shape[1]):
            Y[i, j] = (X[i:i + h, j:j + w] * K).sum()
    return Y


class Conv2D(nn.Module):
    def __init__(self, kernel_size):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(kernel_size))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return corr2d(x, self.weight) + self.bias


def test_corr2d_cell():
    X = torch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]])
    K = torch.tensor([[0.0, 1.0], [2.0, 3.0]])
    Y = corr2d(X, K)
    assert repr(Y) == "tensor([[19., 25.],\n        [37., 43.]])"
    assert (torch.corr2d(X, K) == Y).numpy().all()
    np.testing.assert_array_equal(corr.corr2d(X.numpy(), K.numpy()), Y.numpy())


def test_what_a_notebook_shows():
    assert repr(torch.tensor([[1 / 3, -2 / 3]])) == "tensor([[ 0.3333, -0.6667]])"
    layer = nn.LazyConv2d(1, kernel_size=(1, 2), bias=False)
    layer(torch.ones((1, 3, 4, 4)))
    assert repr(layer) == "LazyConv2d(3, 1, kernel_size=(1, 2), stride=(1, 1), bias=False)"
    assert repr(Conv2D((1, 2))) == "Conv2D()"

    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = Conv2D((1, 2)), layer

    assert repr(Two()) == f"Two(\n  (first): Conv2D()\n  (second): {layer!r}\n)"


def edge_image():
    X = torch.ones((6, 8))
    X[:, 2:6] = 0
    return X


def test_edge_cells():
    X = edge_image()
    K = torch.tensor([[1.0, -1.0]])
    Y = corr2d(X, K)
    wanted = np.zeros((6, 7))
    wanted[:, 1], wanted[:, 5] = 1, -1
    np.testing.assert_array_equal(Y.numpy(), wanted)
    np.testing.assert_array_equal(corr2d(X.t(), K).numpy(), np.zeros((8, 5)))


def learn(X, Y, steps=10):
    """The learning cell, verbatim but for the lines that print."""
    conv2d = nn.LazyConv2d(1, kernel_size=(1, 2), bias=False)
    X = X.reshape((1, 1, 6, 8))
    Y = Y.reshape((1, 1, 6, 7))
    lr = 3e-2  # Learning rate
    printed = []
    for i in range(steps):
        Y_hat = conv2d(X)
        l = (Y_hat - Y) ** 2  # noqa: E741
        conv2d.zero_grad()
        l.sum().backward()
        # Update the kernel
        conv2d.weight.data[:] -= lr * conv2d.weight.grad
        if (i + 1) % 2 == 0:
            printed.append(f'epoch {i + 1}, loss {l.sum():.3f}')
    return conv2d, printed


@pytest.mark.parametrize("seed", range(8))
def test_learning_cell(seed):
    torch.manual_seed(seed)
    X = edge_image()
    conv2d, printed = learn(X, corr2d(X, torch.tensor([[1.0, -1.0]])))
    losses = [float(line.split("loss ")[1]) for line in printed]
    assert printed[0].startswith("epoch 2, loss ") and len(printed) == 5
    assert all(b < a for a, b in zip(losses, losses[1:], strict=False))
    learned = conv2d.weight.data.reshape((1, 2))
    np.testing.assert_allclose(learned.numpy(), [[1, -1]], atol=0.1)


def test_strict_convolution_learns_the_flipped_kernel():
    torch.manual_seed(0)
    X, K = edge_image(), np.array([[1.0, -1.0]], dtype=np.float32)
    strict = corr.signal.convolve2d(X.numpy(), K, mode="valid")
    np.testing.assert_array_equal(strict, corr.corr2d(X.numpy(), K[::-1, ::-1]))
    conv2d, _ = learn(X, torch.tensor(strict))
    np.testing.assert_allclose(conv2d.weight.data.numpy().reshape(1, 2), K[::-1, ::-1], atol=0.1)


def test_own_layer_learns_by_the_tape():
    torch.manual_seed(1)
    X, fast, slow = edge_image(), torch.Conv2D((1, 2)), Conv2D((1, 2))
    slow.weight.data[:] = fast.weight.data
    Y = corr2d(X, torch.tensor([[1.0, -1.0]]))
    for layer in (fast, slow):
        ((layer(X) - Y) ** 2).sum().backward()
    np.testing.assert_allclose(slow.weight.grad.numpy(), fast.weight.grad.numpy(), rtol=1e-5)
    np.testing.assert_allclose(slow.bias.grad.numpy(), fast.bias.grad.numpy(), rtol=1e-5)


STEPS = {
    "add": lambda a, b: a + b,
    "radd": lambda a, b: 2.0 + a + b * 0.5,
    "sub": lambda a, b: a - b,
    "rsub": lambda a, b: 1.0 - a * b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**3 + b**2,
    "neg": lambda a, b: -a * b,
    "transpose": lambda a, b: a.t() * b.t(),
    "reshape": lambda a, b: a.reshape((6, 1)) * b.reshape(6, 1),
    "index": lambda a, b: a[0, 1] * b[1:, :2],
    "broadcast": lambda a, b: a * b[:1] + a[:, 1:2] * b,
}


@pytest.mark.parametrize("name", STEPS)
def test_gradient_of_each_step(name):
    rng = np.random.default_rng(0)
    arrays = [rng.uniform(1, 2, (2, 3)) for _ in range(2)]

    def loss(*values):
        return (STEPS[name](*values) ** 2).sum()

    tensors = [torch.tensor(a, dtype=np.float64, requires_grad=True) for a in arrays]
    loss(*tensors).backward()
    for which, tensor in enumerate(tensors):
        for index in np.ndindex(2, 3):
            ends = []
            for step in (1e-6, -1e-6):
                moved = [a.copy() for a in arrays]
                moved[which][index] += step
                ends.append(loss(*(torch.tensor(m, dtype=np.float64) for m in moved)).item())
            assert tensor.grad.numpy()[index] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-5)


def test_assignment_replaces_what_stood_there():
    a = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    b = a * 2.0
    b[1] = a[0] * 5.0
    b.sum().backward()
    np.testing.assert_array_equal(a.grad.numpy(), [7, 0, 2])


def test_gradients_add_up_until_zeroed():
    layer = nn.Conv2d(1, 1, 2)
    x = torch.ones((1, 1, 3, 3))
    layer(x).sum().backward()
    once = layer.weight.grad.numpy().copy()
    layer(x).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad.numpy(), 2 * once)
    layer.zero_grad()
    assert layer.weight.grad is None


def test_backward_needs_a_scalar():
    with pytest.raises(RuntimeError, match="scalar"):
        torch.ones((2, 2)).backward()
