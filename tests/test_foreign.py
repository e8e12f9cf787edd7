"""Other projects' modules on the installed corr: C, Cython, and threadpoolctl."""

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import pytest

import corr

FOREIGN = Path(__file__).resolve().parent / "foreign"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    for name in ("Cython", "setuptools"):
        pytest.importorskip(name, reason="the [test] extra is not installed")
    compiler = (sysconfig.get_config_var("CC") or "").split()
    if sys.platform != "win32":
        if not (compiler and shutil.which(compiler[0])):
            pytest.skip("there is no C compiler here")
        probe = [*compiler, "-fsyntax-only", "-I", sysconfig.get_path("include"), "-x", "c", "-"]
        if subprocess.run(probe, input=b"#include <Python.h>", capture_output=True).returncode:
            pytest.skip("Python's headers for this machine are not installed")
    folder = shutil.copytree(FOREIGN, tmp_path_factory.mktemp("foreign") / "project")
    run = subprocess.run([sys.executable, "setup.py", "-q", "build_ext", "--inplace"], cwd=folder,
                         env={**os.environ, "PYTHONPATH": str(Path(corr.__file__).parents[1])},
                         capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return folder


def load(folder, name):
    path = next(path for path in folder.glob(f"{name}.*") if path.suffix in (".so", ".pyd"))
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_c_module(built):
    assert load(built, "plain_c").difference() == [1, 2, 4, 8, 16, 32, 64]


def test_cython_module(built):
    rng = np.random.default_rng(0)
    x, w = rng.integers(-8, 9, (9, 11)).astype(float), rng.integers(-8, 9, (3, 2)).astype(float)
    y = np.full((7, 10), np.nan)
    assert load(built, "by_cython").correlate(x, w, y) == ("direct", 2.0 * 7 * 10 * 3 * 2)
    np.testing.assert_array_equal(y, corr.corr2d(x, w))


THREADPOOLCTL = """
import corr, threadpoolctl
from corr.threadpoolctl import CorrController

def mine():
    found = [pool for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "corr"]
    assert len(found) == 1 and found[0]["version"] == corr.__version__, found
    return found[0]["num_threads"]

corr.set_num_threads(3)
assert mine() == 3
with corr.num_threads(1):  # the process's number, not this thread's
    assert mine() == 3
    with threadpoolctl.threadpool_limits(2):
        assert mine() == 2
    assert mine() == 3
with threadpoolctl.threadpool_limits(limits={"corr": 1}):
    assert corr.get_num_threads() == 1
assert corr.get_num_threads() == 3
"""


@pytest.mark.parametrize("first", ["import threadpoolctl", "import corr"])
def test_threadpoolctl(first):
    pytest.importorskip("threadpoolctl", reason="the [test] extra is not installed")
    code = f"{first}\n{THREADPOOLCTL}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


def test_threadpoolctl_that_is_there_already():
    pytest.importorskip("threadpoolctl", reason="the [test] extra is not installed")
    code = ("import threadpoolctl, corr; "
            "print([p['user_api'] for p in threadpoolctl.threadpool_info()].count('corr'))")
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.stdout == "1\n", run.stderr
