"""What this build and this machine are."""

from __future__ import annotations

import os
import warnings
from typing import Any, Literal, overload

ISA_NAMES = ("generic", "avx2", "avx512", "neon")
ALGORITHM_NAMES = ("auto", "direct", "winograd", "fft")


def _warn(variable, value, wanted):
    warnings.warn(
        f"{variable}={value!r} is ignored: it must be {wanted}", RuntimeWarning, stacklevel=2
    )


def from_environment():
    """CORR_ISA, CORR_NUM_THREADS and CORR_ALGORITHM, or their defaults with a warning."""
    isa = os.environ.get("CORR_ISA") or None
    if isa is not None and isa not in ISA_NAMES:
        _warn("CORR_ISA", isa, "one of " + ", ".join(ISA_NAMES))
        isa = None
    threads = 0
    text = os.environ.get("CORR_NUM_THREADS")
    if text:
        threads = int(text) if text.isascii() and text.isdigit() else 0
        if not 1 <= threads <= 256:
            _warn("CORR_NUM_THREADS", text, "a whole number from 1 to 256")
            threads = 0
    algorithm = os.environ.get("CORR_ALGORITHM") or "auto"
    if algorithm not in ALGORITHM_NAMES:
        _warn("CORR_ALGORITHM", algorithm, "one of " + ", ".join(ALGORITHM_NAMES))
        algorithm = "auto"
    return isa, threads, algorithm


@overload
def show_config(mode: Literal["stdout"] = "stdout") -> None: ...
@overload
def show_config(mode: Literal["dicts"]) -> dict[str, Any]: ...
def show_config(mode: str = "stdout") -> dict[str, Any] | None:
    """Show how corr was built and what it found at run time.

    Parameters
    ----------
    mode : {"stdout", "dicts"}, default "stdout"
        Print, or return a dictionary (as `numpy.show_config`).

    Returns
    -------
    dict or None
        With ``mode="dicts"``: version, compiler, the ISAs built and those of them that this
        machine can run, the one in use, and the number of threads.

    Examples
    --------
    >>> import corr
    >>> sorted(corr.show_config("dicts"))
    ['algorithm', 'compiler', 'isa', 'isas', 'isas_built', 'num_threads', 'numpy', 'version']
    """
    from . import _core

    if mode not in ("stdout", "dicts"):
        raise ValueError(f"mode must be 'stdout' or 'dicts', got {mode!r}")
    config = _core._config()
    if mode == "dicts":
        return config
    width = max(map(len, config))
    for key, value in config.items():
        shown = ", ".join(value) if isinstance(value, list) else value
        print(f"{key:{width}}  {shown}")
    return None


def get_include() -> str:
    """The folder of ``corr.h``, ``corr_import.h`` and ``corr.pxd``.

    Returns
    -------
    str
        For the include directories of C and Cython modules that call the core themselves,
        through the table that ``corr_import()`` gives.

    Examples
    --------
    >>> import os, corr
    >>> sorted(os.listdir(corr.get_include()))
    ['corr.h', 'corr.pxd', 'corr_import.h', 'corr_types.pxi']
    """
    return os.path.join(os.path.dirname(__file__), "include")
