"""Fast 2-D cross-correlation and its gradients on NumPy arrays.

``corr.conv2d`` and its gradients follow PyTorch in names and argument order and
NumPy in behaviour; ``corr.nn`` has layers, ``corr.filters`` kernels for pictures,
``corr.signal`` SciPy's two functions.
"""

import sys as _sys

from . import filters, nn, signal
from ._config import get_include, show_config
from ._core import (
    Gradients,
    Plan,
    col2im,
    conv2d,
    conv2d_backward,
    conv2d_input,
    conv2d_weight,
    corr2d,
    get_num_threads,
    im2col,
    num_threads,
    plan,
    set_flush_denormal,
    set_num_threads,
    trim,
)
from ._receptive_field import ReceptiveField, receptive_field
from ._version import __version__

if "threadpoolctl" in _sys.modules:
    from . import threadpoolctl as _threadpoolctl  # noqa: F401

__all__ = [
    "Gradients",
    "Plan",
    "ReceptiveField",
    "__version__",
    "col2im",
    "conv2d",
    "conv2d_backward",
    "conv2d_input",
    "conv2d_weight",
    "corr2d",
    "filters",
    "get_include",
    "get_num_threads",
    "im2col",
    "nn",
    "num_threads",
    "plan",
    "receptive_field",
    "set_flush_denormal",
    "set_num_threads",
    "show_config",
    "signal",
    "trim",
]
