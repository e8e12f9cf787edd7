"""Just enough of PyTorch's surface for section 7.2 of *Dive into Deep Learning*.

After ``import corr.d2l as torch; from corr.d2l import nn`` every other cell of the section
runs as it is printed. A tape records what is done to a `Tensor`; the convolution layers'
part of it are corr's own gradients.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from . import _core
from .nn import Conv2d as _Conv2d
from .nn import LazyConv2d as _LazyConv2d

_rng = np.random.default_rng()


def manual_seed(seed):
    """Start the random numbers of `rand` and of new layers anew."""
    global _rng
    _rng = np.random.default_rng(seed)


class Tensor:
    """An array that remembers how it was made.

    Attributes
    ----------
    data : Tensor
        The same memory, off the tape.
    grad : Tensor or None
    shape : tuple of int

    Examples
    --------
    >>> import corr.d2l as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (x ** 2).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __array_priority__ = 100

    def __init__(self, array, parents=(), backward=None, requires_grad=False):
        self._array = array
        self._parents = parents
        self._backward = backward
        self.requires_grad = requires_grad or any(p.requires_grad for p in parents)
        self.grad = None

    shape = property(lambda self: self._array.shape)
    dtype = property(lambda self: self._array.dtype)
    ndim = property(lambda self: self._array.ndim)
    T = property(lambda self: self.t())

    @property
    def data(self):
        return Tensor(self._array)

    def numpy(self):
        return self._array

    def item(self):
        return self._array.item()

    def __array__(self, dtype=None, copy=None):
        return np.array(self._array, dtype=dtype) if copy else np.asarray(self._array, dtype)

    def __len__(self):
        return len(self._array)

    def __format__(self, spec):
        return format(self._array.item(), spec) if self._array.ndim == 0 else str(self)

    def __repr__(self):
        words = np.array2string(self._array, precision=4, separator=", ", prefix="tensor(")
        return f"tensor({words})"

    def t(self):
        return Tensor(self._array.T, (self,), lambda g: (g.T,))

    def reshape(self, *shape):
        shape = shape[0] if len(shape) == 1 else shape
        before = self.shape
        return Tensor(self._array.reshape(shape), (self,), lambda g: (g.reshape(before),))

    def sum(self):
        shape = self.shape
        return Tensor(np.asarray(self._array.sum()), (self,), lambda g: (np.broadcast_to(g, shape),))

    def __getitem__(self, index):
        def backward(g):
            whole = np.zeros_like(self._array)
            np.add.at(whole, index, g)
            return (whole,)

        return Tensor(np.asarray(self._array[index]), (self,), backward)

    def __setitem__(self, index, value):
        value = _tensor(value, self._array.dtype)
        self._array[index] = value._array
        if value.requires_grad or self.requires_grad and self._backward:
            # What stood there is gone: from here on this is the old tensor with a patch.
            old = Tensor(self._array, self._parents, self._backward, self.requires_grad)

            def backward(g):
                rest = g.copy()
                rest[index] = 0
                return rest, _unbroadcast(g[index], value.shape)

            self._parents, self._backward, self.requires_grad = (old, value), backward, True

    def __neg__(self):
        return self * -1.0

    def __add__(self, other):
        return _binary(self, other, np.add, lambda g, a, b: (g, g))

    def __sub__(self, other):
        return _binary(self, other, np.subtract, lambda g, a, b: (g, -g))

    def __mul__(self, other):
        return _binary(self, other, np.multiply, lambda g, a, b: (g * b, g * a))

    def __truediv__(self, other):
        return _binary(self, other, np.divide, lambda g, a, b: (g / b, -g * a / b**2))

    def __rsub__(self, other):
        return _tensor(other, self.dtype) - self

    __radd__, __rmul__ = __add__, __mul__

    def __pow__(self, power):
        a = self._array
        return Tensor(a**power, (self,), lambda g: (g * power * a ** (power - 1),))

    def __eq__(self, other):
        return Tensor(self._array == _tensor(other, self.dtype)._array)

    __hash__ = object.__hash__

    def backward(self):
        """Add the gradient of this scalar to the `grad` of every leaf it was made from."""
        if self._array.size != 1:
            raise RuntimeError(f"backward needs a scalar, got shape {self.shape}")
        grads = {id(self): np.ones_like(self._array)}
        for node in reversed(_order(self)):
            g = grads.pop(id(node), None)
            if g is None:
                continue
            if node._backward is None:
                node.grad = Tensor(g.copy() if node.grad is None else node.grad._array + g)
                continue
            for parent, part in zip(node._parents, node._backward(g), strict=True):
                if parent.requires_grad and part is not None:
                    known = grads.get(id(parent))
                    grads[id(parent)] = part if known is None else known + part


def _order(root):
    """The nodes under `root`, parents first; no recursion, since a loop makes long tapes."""
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            order.append(node)
        elif id(node) not in seen and node.requires_grad:
            seen.add(id(node))
            stack.append((node, True))
            stack.extend((parent, False) for parent in node._parents)
    return order


def _tensor(value, dtype):
    return value if isinstance(value, Tensor) else Tensor(np.asarray(value, dtype))


def _unbroadcast(g, shape):
    """Sum a gradient over the axes along which its operand was repeated."""
    g = np.asarray(g)
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    axes = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=axes, keepdims=True).reshape(shape)


def _binary(x, other, operation, gradients):
    y = _tensor(other, x.dtype)
    a, b = x._array, y._array

    def backward(g):
        return tuple(_unbroadcast(p, v.shape) for p, v in zip(gradients(g, a, b), (a, b), strict=True))

    return Tensor(operation(a, b), (x, y), backward)


def _size(size):
    return size[0] if len(size) == 1 and not isinstance(size[0], int) else size


def tensor(data, dtype=None, requires_grad=False):
    """A tensor of nested lists; floating numbers become float32."""
    array = np.array(data, dtype)
    if dtype is None and array.dtype == np.float64:
        array = array.astype(np.float32)
    return Tensor(array, requires_grad=requires_grad)


def zeros(*size):
    return Tensor(np.zeros(_size(size), np.float32))


def ones(*size):
    return Tensor(np.ones(_size(size), np.float32))


def rand(*size):
    return Tensor(_rng.random(_size(size), np.float32))


def _convolve(x, weight, bias, options):
    """corr.conv2d as one step of the tape."""
    parents = (x, weight) if bias is None else (x, weight, bias)
    names = ("input", "weight", "bias")[: len(parents)]
    y = _core.conv2d(*(p._array for p in parents), **options)

    def backward(g):
        needs = [n for n, p in zip(names, parents, strict=True) if p.requires_grad]
        grads = _core.conv2d_backward(g, x._array, weight._array, needs=needs, **options)
        return tuple(getattr(grads, n) for n in names)

    return Tensor(y, parents, backward)


def corr2d(X, K):
    """The section's function, computed by `corr.conv2d` and on the tape.

    Examples
    --------
    >>> from corr import d2l
    >>> d2l.corr2d(d2l.tensor([[0.0, 1.0, 2.0]]), d2l.tensor([[1.0, -1.0]]))
    tensor([[-1., -1.]])
    """
    Y = _convolve(X.reshape((1, 1, *X.shape)), K.reshape((1, 1, *K.shape)), None, {})
    return Y.reshape(Y.shape[2:])


class Parameter(Tensor):
    """A tensor that is learned."""

    def __init__(self, data):
        super().__init__(_tensor(data, np.float32)._array, requires_grad=True)


class Module:
    """What layers derive from: parameters are found among the attributes."""

    def __call__(self, *inputs):
        return self.forward(*inputs)

    def parameters(self):
        for value in vars(self).values():
            if isinstance(value, Parameter):
                yield value
            elif isinstance(value, Module):
                yield from value.parameters()

    def zero_grad(self):
        for parameter in self.parameters():
            parameter.grad = None

    def __repr__(self):
        inner = [f"({name}): {value!r}".replace("\n", "\n  ")
                 for name, value in vars(self).items() if isinstance(value, Module)]
        return "\n  ".join([f"{type(self).__name__}(", *inner]) + ("\n)" if inner else ")")


class Conv2d(Module):
    """`corr.nn.Conv2d` on the tape."""

    _layer = _Conv2d

    def __init__(self, *args, **keywords):
        self._made = self._layer(*args, rng=_rng, **keywords)
        self._adopt()

    def _adopt(self):
        if self._made.weight is not None:
            self.weight = Parameter(self._made.weight.data)
            self.bias = None if self._made.bias is None else Parameter(self._made.bias.data)

    def __repr__(self):
        return repr(self._made)

    def forward(self, x):
        layer = self._made
        options = {name: getattr(layer, name)
                   for name in ("stride", "padding", "dilation", "groups", "padding_mode")}
        return _convolve(x, self.weight, self.bias, options)


class LazyConv2d(Conv2d):
    """`corr.nn.LazyConv2d` on the tape."""

    _layer = _LazyConv2d

    def forward(self, x):
        if self._made.weight is None:
            self._made(x._array)  # its first input tells the channels
            self._adopt()
        return super().forward(x)


class Conv2D(Module):
    """The section's own layer."""

    def __init__(self, kernel_size):
        self.weight = Parameter(rand(kernel_size))
        self.bias = Parameter(zeros(1))

    def forward(self, x):
        return corr2d(x, self.weight) + self.bias


nn = SimpleNamespace(Module=Module, Parameter=Parameter, Conv2d=Conv2d, LazyConv2d=LazyConv2d)
