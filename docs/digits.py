"""A convolutional network that reads handwritten digits, in NumPy and corr.

    python docs/digits.py

trains it on scikit-learn's 1,797 scanned digits (8 x 8 pixels) in a few seconds and says how
many of the digits that it never saw it reads right. The convolutions are corr's; the rest is
NumPy, written out: every layer has a forward and a backward pass.
"""

import numpy as np

from corr import nn


class Relu:
    def __call__(self, x):
        self.alive = x > 0
        return x * self.alive

    def backward(self, grad):
        return grad * self.alive


class MaxPool:
    """The largest of each 2 x 2 pixels; the gradient goes to the first that is largest."""

    def __call__(self, x):
        self.corners = [x[:, :, i::2, j::2] for i in (0, 1) for j in (0, 1)]
        a, b, c, d = self.corners
        self.x, self.y = x, np.maximum(np.maximum(a, b), np.maximum(c, d))
        return self.y

    def backward(self, grad):
        grad_x = np.empty_like(self.x)
        left = grad
        for k, corner in enumerate(self.corners):
            share = left * (corner == self.y)
            grad_x[:, :, k // 2 :: 2, k % 2 :: 2] = share
            left = left - share
        return grad_x


class Flatten:
    def __call__(self, x):
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, grad):
        return grad.reshape(self.shape)


class Linear:
    def __init__(self, inputs, outputs, rng):
        bound = inputs**-0.5
        self.weight = nn.Parameter(rng.uniform(-bound, bound, (outputs, inputs)).astype("f4"))
        self.bias = nn.Parameter(rng.uniform(-bound, bound, outputs).astype("f4"))

    def __call__(self, x):
        self.x = x
        return x @ self.weight.data.T + self.bias.data

    def backward(self, grad):
        self.weight.grad, self.bias.grad = grad.T @ self.x, grad.sum(axis=0)
        return grad @ self.weight.data

    def parameters(self):
        return [self.weight, self.bias]


class Network:
    """Two convolutions, each rectified and pooled, and a linear layer: 6,090 numbers to learn."""

    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)
        self.layers = [
            nn.Conv2d(1, 16, 3, padding=1, rng=rng), MaxPool(), Relu(),
            nn.Conv2d(16, 32, 3, padding=1, rng=rng), MaxPool(), Relu(),
            Flatten(), Linear(32 * 2 * 2, 10, rng),
        ]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def backward(self, grad):
        for layer in reversed(self.layers):
            grad = layer.backward(grad)

    def parameters(self):
        return [p for layer in self.layers if hasattr(layer, "parameters")
                for p in layer.parameters()]


def cross_entropy(scores, labels):
    """The mean of -log p(label), p = softmax(scores), and its gradient."""
    rows = np.arange(len(labels))
    p = np.exp(scores - scores.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    loss = -np.log(p[rows, labels]).mean()
    p[rows, labels] -= 1
    return loss, p / p.dtype.type(len(labels))


class Momentum:
    """Stochastic gradient descent: v = 0.9 v + gradient, w = w - rate v."""

    def __init__(self, parameters, rate=0.1):
        self.parameters, self.rate = parameters, np.float32(rate)
        self.speeds = [np.zeros_like(p.data) for p in parameters]

    def step(self):
        for parameter, speed in zip(self.parameters, self.speeds, strict=True):
            speed *= np.float32(0.9)
            speed += parameter.grad
            parameter.data -= self.rate * speed
            parameter.zero_grad()


def train_step(network, optimizer, images, labels):
    loss, grad = cross_entropy(network(images), labels)
    network.backward(grad)
    optimizer.step()
    return float(loss)


def digits(seed=0):
    """Images (N, 1, 8, 8) in [0, 1] and labels: three quarters to learn, a quarter to test."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32).reshape(-1, 1, 8, 8)
    order = np.random.default_rng(seed).permutation(len(labels))
    learn, test = np.split(order, [len(order) * 3 // 4])
    return (images[learn], labels[learn]), (images[test], labels[test])


def batches(images, labels, epochs, size=64, seed=0):
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        for rows in np.array_split(rng.permutation(len(labels)), -(-len(labels) // size)):
            yield images[rows], labels[rows]


def accuracy(network, images, labels):
    return float((network(images).argmax(axis=1) == labels).mean())


def main(epochs=20):
    from tqdm import tqdm

    learn, test = digits()
    network = Network()
    optimizer = Momentum(network.parameters())
    with tqdm(list(batches(*learn, epochs)), unit=" steps") as bar:
        for images, labels in bar:
            bar.set_postfix_str(f"loss {train_step(network, optimizer, images, labels):.4f}",
                                refresh=False)
    print(f"{accuracy(network, *test):.1%} of {len(test[1])} digits that it never saw read right")
    return network


if __name__ == "__main__":
    main()
