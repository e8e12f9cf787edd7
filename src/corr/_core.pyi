from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import Any, Literal, NamedTuple, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

_Floating: TypeAlias = np.floating[Any]
_Array: TypeAlias = NDArray[_Floating]
_Pair: TypeAlias = int | Sequence[int]
_Padding: TypeAlias = (
    _Pair
    | Sequence[Sequence[int]]
    | Literal["valid", "same", "same_upper", "same_lower"]
)
_PaddingMode: TypeAlias = Literal["zeros", "reflect", "replicate", "circular"]
_Layout: TypeAlias = Literal["NCHW", "NHWC"]
_Activation: TypeAlias = Literal["relu", "relu6"] | None
_Algorithm: TypeAlias = Literal["auto", "direct", "winograd", "fft"]
_Need: TypeAlias = Literal["input", "weight", "bias"]

class Gradients(NamedTuple):
    input: _Array | None
    weight: _Array | None
    bias: _Array | None

def conv2d(
    input: ArrayLike,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: _Pair = 1,
    padding: _Padding = 0,
    dilation: _Pair = 1,
    groups: int = 1,
    *,
    padding_mode: _PaddingMode = "zeros",
    layout: _Layout = "NCHW",
    activation: _Activation = None,
    algorithm: _Algorithm = "auto",
    out: _Array | None = None,
) -> _Array: ...
def corr2d(
    input: ArrayLike,
    kernel: ArrayLike,
    *,
    padding: _Padding = 0,
    padding_mode: _PaddingMode = "zeros",
    out: _Array | None = None,
) -> _Array: ...
def conv2d_input(
    input_size: Sequence[int],
    weight: ArrayLike,
    grad_output: ArrayLike,
    stride: _Pair = 1,
    padding: _Padding = 0,
    dilation: _Pair = 1,
    groups: int = 1,
    *,
    padding_mode: _PaddingMode = "zeros",
    layout: _Layout = "NCHW",
    algorithm: _Algorithm = "auto",
    out: _Array | None = None,
) -> _Array: ...
def conv2d_weight(
    input: ArrayLike,
    weight_size: Sequence[int],
    grad_output: ArrayLike,
    stride: _Pair = 1,
    padding: _Padding = 0,
    dilation: _Pair = 1,
    groups: int = 1,
    *,
    padding_mode: _PaddingMode = "zeros",
    layout: _Layout = "NCHW",
    algorithm: _Algorithm = "auto",
    out: _Array | None = None,
) -> _Array: ...
def conv2d_backward(
    grad_output: ArrayLike,
    input: ArrayLike,
    weight: ArrayLike,
    stride: _Pair = 1,
    padding: _Padding = 0,
    dilation: _Pair = 1,
    groups: int = 1,
    *,
    needs: Iterable[_Need] = ("input", "weight", "bias"),
    accumulate_into: Gradients
    | tuple[_Array | None, _Array | None, _Array | None]
    | None = None,
    padding_mode: _PaddingMode = "zeros",
    layout: _Layout = "NCHW",
    algorithm: _Algorithm = "auto",
) -> Gradients: ...

@final
class Plan:
    @property
    def algorithm(self) -> str: ...
    @property
    def kernel(self) -> str: ...
    @property
    def workspace_bytes(self) -> int: ...
    @property
    def flops(self) -> float: ...
    def __call__(self, input: ArrayLike, out: _Array | None = None) -> _Array: ...

def plan(
    input_shape: Sequence[int | None],
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    stride: _Pair = 1,
    padding: _Padding = 0,
    dilation: _Pair = 1,
    groups: int = 1,
    *,
    dtype: DTypeLike | None = None,
    layout: _Layout = "NCHW",
    padding_mode: _PaddingMode = "zeros",
    activation: _Activation = None,
    algorithm: _Algorithm = "auto",
) -> Plan: ...
def im2col(
    input: ArrayLike,
    kernel_size: _Pair,
    *,
    stride: _Pair = 1,
    padding: _Padding = 0,
    dilation: _Pair = 1,
) -> _Array: ...
def col2im(
    cols: ArrayLike,
    output_size: _Pair,
    kernel_size: _Pair,
    *,
    stride: _Pair = 1,
    padding: _Padding = 0,
    dilation: _Pair = 1,
) -> _Array: ...
def set_num_threads(n: int) -> None: ...
def get_num_threads() -> int: ...

class num_threads:
    def __init__(self, n: int) -> None: ...
    def __enter__(self) -> num_threads: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

def set_flush_denormal(flag: bool) -> bool: ...
def trim() -> None: ...
def _config() -> dict[str, Any]: ...
def _fma_peak(dtype: DTypeLike = "float32", seconds: float = 0.05) -> float: ...
