"""The types that a user's checker sees."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typed_sample

import corr

HOME = Path(corr.__file__).parents[1]


def run(tmp_path, *command):
    pytest.importorskip("mypy", reason="the [test] extra is not installed")
    environment = dict(os.environ)
    if HOME.name != "site-packages":  # a checkout; mypy finds what is installed by itself
        environment |= {"MYPYPATH": str(HOME), "PYTHONPATH": str(HOME)}
    done = subprocess.run([sys.executable, "-m", *command], cwd=tmp_path, capture_output=True,
                          text=True, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_sample_runs():
    typed_sample.main()


def test_the_sample_is_strictly_typed(tmp_path):
    run(tmp_path, "mypy", "--strict", "--follow-imports=silent", typed_sample.__file__)


def test_the_stubs_are_the_compiled_module(tmp_path):
    allowed = tmp_path / "allowed.txt"
    allowed.write_text(r"corr\._core\.__(\w+_cython|test)__" "\n")  # Cython's own
    run(tmp_path, "mypy.stubtest", "corr._core", "--allowlist", str(allowed))
