"""SciPy's own tests of its two functions, run on corr's."""

import importlib
from functools import partial

import numpy as np
import pytest

from corr import signal

theirs = pytest.importorskip("scipy.signal.tests.test_signaltools",
                             reason="SciPy with its tests is not installed (.[test])",
                             exc_type=ImportError)
scipy_signal = importlib.import_module("scipy.signal")

# Complex arrays are refused: correlate the real and the imaginary part apart. These tests use
# them, the last one after its real part.
COMPLEX = {"test_valid_mode_complx", "test_complex_input", "test_valid_mode2"}
# Two arrays of 2 GB.
LARGE = {"test_large_array"}


def cases(cls):
    return sorted(name for name in vars(cls) if name.startswith("test_") and name not in LARGE)


def arguments(function):
    """The products of a test's own parametrizations, without the array namespaces."""
    sets = [{}]
    for mark in reversed(getattr(function, "pytestmark", [])):
        if mark.name != "parametrize":
            continue
        names, values = mark.args[:2]
        names = [n.strip() for n in names.split(",")] if isinstance(names, str) else list(names)
        rows = [v if len(names) > 1 else (v,) for v in values]
        sets = [{**have, **dict(zip(names, row, strict=True))} for have in sets for row in rows]
    return sets


def on_corr(value):
    """corr's function for SciPy's."""
    return getattr(signal, value.__name__) if value in THEIRS else value


THEIRS = (scipy_signal.convolve2d, scipy_signal.correlate2d)


@pytest.fixture
def corrs_functions(monkeypatch):
    for name in ("convolve2d", "correlate2d"):
        monkeypatch.setattr(theirs, name, getattr(signal, name))
        monkeypatch.setattr(scipy_signal, name, getattr(signal, name))


@pytest.mark.parametrize(("cls", "name"), [
    (cls, name) for cls in ("TestConvolve2d", "TestCorrelate2d")
    for name in cases(getattr(theirs, cls))])
@pytest.mark.usefixtures("corrs_functions")
def test_theirs(cls, name):
    owner = getattr(theirs, cls)()
    function = getattr(type(owner), name)
    wanted = function.__code__.co_varnames[: function.__code__.co_argcount]
    for chosen in arguments(function):
        chosen = {k: on_corr(v) if callable(v) else v for k, v in chosen.items()}
        chosen["xp"] = np
        call = partial(function, owner, **{k: v for k, v in chosen.items() if k in wanted})
        if name in COMPLEX:
            with pytest.raises(TypeError, match="the real and the imaginary part apart"):
                call()
        else:
            call()
