"""The README and every docstring's examples."""

import doctest
import importlib
import pkgutil
from pathlib import Path

import pytest

import corr

README = Path(__file__).resolve().parent.parent / "README.md"
MODULES = ["corr"] + [
    f"corr.{info.name}" for info in pkgutil.iter_modules(corr.__path__) if info.name != "__main__"
]

NEEDS = {"corr.threadpoolctl": "threadpoolctl", "corr.onnx": "onnx"}


def test_readme():
    result = doctest.testfile(str(README), module_relative=False)
    assert result.attempted > 10
    assert result.failed == 0


def examples(module):
    finder = doctest.DocTestFinder(recurse=False)
    for name, value in vars(module).items():
        if getattr(value, "__module__", None) == module.__name__ and value.__doc__:
            yield from finder.find(value, name, globs={})
    yield from finder.find(module, module.__name__, globs={})


@pytest.mark.parametrize("name", MODULES)
def test_docstrings(name):
    if name in NEEDS:
        pytest.importorskip(NEEDS[name], reason=f"{NEEDS[name]} is not installed")
    runner = doctest.DocTestRunner()
    for example in examples(importlib.import_module(name)):
        runner.run(example)
    assert runner.summarize(verbose=False).failed == 0


def test_public_names_are_documented_with_examples():
    for name in set(corr.__all__) - {"filters", "nn", "signal", "__version__", "Gradients", "Plan"}:
        value = getattr(corr, name)
        assert value.__doc__ and ">>>" in value.__doc__, name
