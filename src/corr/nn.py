"""Layers over corr's functions: a thin, stateful shell with PyTorch's names."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from . import _core
from . import _functional as functional

__all__ = ["Conv2d", "LazyConv2d", "Parameter"]


class Parameter:
    """An array that is learned, and its gradient.

    Parameters
    ----------
    data : array_like

    Attributes
    ----------
    data : ndarray
    grad : ndarray or None
        None until the first backward; then gradients add up in it.

    Examples
    --------
    >>> from corr import nn
    >>> p = nn.Parameter([1.0, 2.0])
    >>> p.shape, p.grad is None
    ((2,), True)
    """

    def __init__(self, data: Any) -> None:
        self.data = np.asarray(data)
        self.grad: np.ndarray | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.data.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.data.dtype

    def zero_grad(self) -> None:
        """Set the gradient to zero, in place."""
        if self.grad is not None:
            self.grad[...] = 0

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if copy:
            return np.array(self.data, dtype=dtype)
        return np.asarray(self.data, dtype=dtype)

    def __repr__(self) -> str:
        return f"Parameter({self.data!r})"


class Conv2d:
    """A convolutional layer: `corr.conv2d` with a weight and a bias of its own.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size : int or pair
    stride, padding, dilation, groups
        As in `corr.conv2d`; default 1, 0, 1, 1.
    bias : bool, default True
    padding_mode : {"zeros", "reflect", "replicate", "circular"}, default "zeros"
    dtype : dtype, default float32
        Of the parameters.
    rng : int or numpy.random.Generator, optional
        Where the initial weights come from.

    Raises
    ------
    ValueError, TypeError
        Channels that `groups` does not divide, sizes below 1.

    Notes
    -----
    Names and initialisation (weight and bias uniform within
    sqrt(groups / (IC * KH * KW))) are those of ``torch.nn.Conv2d``.

    Examples
    --------
    >>> import numpy as np
    >>> from corr import nn
    >>> layer = nn.Conv2d(1, 2, 3, padding=1, rng=0)
    >>> y = layer(np.ones((1, 1, 4, 4), dtype=np.float32))
    >>> layer.backward(np.ones_like(y)).shape, layer.weight.grad.shape
    ((1, 1, 4, 4), (2, 1, 3, 3))
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: Any = None,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self._configure(out_channels, kernel_size, stride, padding, dilation, groups, bias,
                        padding_mode, dtype, rng)
        self._materialize(functional.integer(in_channels, "in_channels", 1))

    def _configure(self, out_channels: int, kernel_size: Any, stride: Any, padding: Any,
                   dilation: Any, groups: int, bias: bool, padding_mode: str, dtype: Any,
                   rng: Any) -> None:
        self.out_channels = functional.integer(out_channels, "out_channels", 1)
        self.kernel_size = functional.pair(kernel_size, "kernel_size", 1)
        self.stride = functional.pair(stride, "stride", 1)
        self.dilation = functional.pair(dilation, "dilation", 1)
        self.groups = functional.integer(groups, "groups", 1)
        functional.check_padding(padding, self.stride)
        functional.look_up("padding_mode", padding_mode, functional.PADDING_MODES)
        if self.out_channels % self.groups:
            raise ValueError(f"groups={groups} must divide out_channels={out_channels}")
        self.padding = padding
        self.padding_mode = padding_mode
        self._has_bias = bool(bias)
        self._dtype = functional.real_dtype(np.float32 if dtype is None else dtype)
        self._rng = np.random.default_rng(rng)
        self._input: np.ndarray | None = None
        self._output_shape: tuple[int, ...] | None = None
        self._plans: dict[tuple[Any, ...], _core.Plan] | None = None
        self.in_channels: int | None = None
        self.weight: Parameter | None = None
        self.bias: Parameter | None = None

    def _materialize(self, in_channels: int) -> None:
        if in_channels % self.groups:
            raise ValueError(f"groups={self.groups} must divide in_channels={in_channels}")
        self.in_channels = in_channels
        shape = (self.out_channels, in_channels // self.groups, *self.kernel_size)
        bound = math.sqrt(1 / max(1, math.prod(shape[1:])))
        self.weight = Parameter(self._rng.uniform(-bound, bound, shape).astype(self._dtype))
        if self._has_bias:
            sample = self._rng.uniform(-bound, bound, self.out_channels)
            self.bias = Parameter(sample.astype(self._dtype))

    def __call__(self, input: Any) -> np.ndarray:
        return self.forward(input)

    def forward(self, input: Any) -> np.ndarray:
        """The layer's output; the input is kept until `backward`."""
        x = self._array(input, "input")
        if self._plans is None:
            y = _core.conv2d(x, self.weight.data, None if self.bias is None else self.bias.data,
                             *self._geometry, padding_mode=self.padding_mode)
        else:
            y = self._planned(x)(x)
        self._input, self._output_shape = x, y.shape
        return y

    def _array(self, value: Any, name: str) -> np.ndarray:
        """Lists of Python numbers are of the layer's type."""
        array, weak = functional.as_array(value, name)
        return array.astype(self._dtype) if weak else array

    @property
    def _geometry(self) -> tuple[Any, ...]:
        return self.stride, self.padding, self.dilation, self.groups

    def _planned(self, x: np.ndarray) -> _core.Plan:
        shape = (None, *x.shape[1:]) if x.ndim == 4 else x.shape
        key = (shape, x.dtype)
        if key not in self._plans:
            self._plans[key] = _core.plan(
                shape, self.weight.data, None if self.bias is None else self.bias.data,
                *self._geometry, dtype=x.dtype, padding_mode=self.padding_mode)
        return self._plans[key]

    def backward(self, grad_output: Any) -> np.ndarray:
        """The gradient of the input; those of the parameters add up in their `grad`.

        Parameters
        ----------
        grad_output : array_like of the last output's shape

        Returns
        -------
        ndarray of the last input's shape

        Raises
        ------
        RuntimeError
            Before any `forward`.
        ValueError
            A gradient of another shape than the output's.
        """
        if self._input is None:
            raise RuntimeError("backward needs a forward before it: no input is kept")
        gy = self._array(grad_output, "grad_output")
        if gy.shape != self._output_shape:
            raise ValueError(
                f"grad_output must have the output's shape {self._output_shape}, got {gy.shape}")
        learned = [] if self._plans is not None else list(self._named())
        into = {name: parameter.grad for name, parameter in learned}
        grads = _core.conv2d_backward(
            gy, self._input, self.weight.data, *self._geometry,
            needs=("input", *into), padding_mode=self.padding_mode,
            accumulate_into=_core.Gradients(None, into.get("weight"), into.get("bias")))
        for name, parameter in learned:
            parameter.grad = getattr(grads, name).astype(parameter.dtype, copy=False)
        return grads.input

    def _named(self) -> Any:
        for name in ("weight", "bias"):
            parameter = getattr(self, name)
            if parameter is not None:
                yield name, parameter

    def parameters(self) -> list[Parameter]:
        """Weight and, if there is one, bias."""
        return [parameter for _, parameter in self._named()]

    def zero_grad(self) -> None:
        """Set all gradients to zero, in place."""
        for parameter in self.parameters():
            parameter.zero_grad()

    def state_dict(self) -> dict[str, np.ndarray]:
        """Copies of the parameters' arrays by name, as PyTorch's."""
        return {name: parameter.data.copy() for name, parameter in self._named()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the parameters of `state_dict`, or of a PyTorch one turned into NumPy."""
        own = dict(self._named())
        if set(state) != set(own):
            raise ValueError(f"state must have the names {sorted(own)}, got {sorted(state)}")
        arrays = {name: np.asarray(value) for name, value in state.items()}
        for name, parameter in own.items():
            if arrays[name].shape != parameter.shape:
                raise ValueError(f"{name} must have shape {parameter.shape}, "
                                 f"got {arrays[name].shape}")
        if self._plans is not None:
            raise RuntimeError("the layer is frozen: unfreeze it before loading parameters")
        for name, parameter in own.items():
            parameter.data[...] = arrays[name]

    def freeze(self) -> Conv2d:
        """For inference: parameters become read-only and are packed once a shape.

        `backward` then still gives the input's gradient; the parameters get none.
        """
        if self._plans is None:
            for parameter in self.parameters():
                parameter.data = parameter.data.copy()
                parameter.data.flags.writeable = False
            self._plans = {}
        return self

    def unfreeze(self) -> Conv2d:
        """Undo `freeze`."""
        if self._plans is not None:
            for parameter in self.parameters():
                parameter.data.flags.writeable = True
            self._plans = None
        return self

    def __getstate__(self) -> dict[str, Any]:
        """Plans and the kept input stay behind."""
        state = self.__dict__.copy()
        state["_input"] = state["_output_shape"] = None
        state["_plans"] = None if self._plans is None else {}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        if self._plans is not None:
            for parameter in self.parameters():
                parameter.data.flags.writeable = False

    def _extra(self) -> str:
        words = [f"kernel_size={self.kernel_size}", f"stride={self.stride}"]
        for name, default in (("padding", 0), ("dilation", (1, 1)), ("groups", 1),
                              ("padding_mode", "zeros")):
            value = getattr(self, name)
            if value != default:
                words.append(f"{name}={value!r}")
        if not self._has_bias:
            words.append("bias=False")
        if self._plans is not None:
            words.append("frozen")
        return ", ".join(words)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.in_channels}, {self.out_channels}, {self._extra()})"


class LazyConv2d(Conv2d):
    """`Conv2d` that learns `in_channels` from its first input.

    Parameters
    ----------
    out_channels : int
    kernel_size : int or pair
    stride, padding, dilation, groups, bias, padding_mode, dtype, rng
        As in `Conv2d`.

    Notes
    -----
    ``torch.nn.LazyConv2d``.

    Examples
    --------
    >>> import numpy as np
    >>> from corr import nn
    >>> layer = nn.LazyConv2d(4, 3)
    >>> _ = layer(np.ones((1, 2, 5, 5), dtype=np.float32))
    >>> layer.in_channels, layer.weight.shape
    (2, (4, 2, 3, 3))
    """

    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        *,
        dtype: Any = None,
        rng: int | np.random.Generator | None = None,
    ) -> None:
        self._configure(out_channels, kernel_size, stride, padding, dilation, groups, bias,
                        padding_mode, dtype, rng)

    def forward(self, input: Any) -> np.ndarray:
        """The layer's output; the first call makes the parameters."""
        x = self._array(input, "input")
        if self.weight is None:
            if x.ndim not in (3, 4):
                raise ValueError(f"input must have shape (N, C, H, W) or (C, H, W), got {x.shape}")
            self._materialize(functional.integer(x.shape[-3], "in_channels", 1))
        return super().forward(x)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take the parameters; the weight tells `in_channels` if no input has."""
        if self.weight is None and "weight" in state:
            weight = np.asarray(state["weight"])
            if weight.ndim == 4:
                self._materialize(weight.shape[1] * self.groups)
        super().load_state_dict(state)
