"""The types that a user's checker sees."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typed_sample

import corr

ENVIRONMENT = {**os.environ, "MYPYPATH": str(Path(corr.__file__).parents[1])}


def run(tmp_path, *command):
    pytest.importorskip("mypy", reason="the [test] extra is not installed")
    path = os.pathsep.join([ENVIRONMENT["MYPYPATH"], os.environ.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, "-m", *command], cwd=tmp_path, capture_output=True,
                          text=True, env={**ENVIRONMENT, "PYTHONPATH": path})
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_sample_runs():
    typed_sample.main()


def test_the_sample_is_strictly_typed(tmp_path):
    run(tmp_path, "mypy", "--strict", "--follow-imports=silent", typed_sample.__file__)


def test_the_stubs_are_the_compiled_module(tmp_path):
    allowed = tmp_path / "allowed.txt"
    allowed.write_text(r"corr\._core\.__(\w+_cython|test)__" "\n")  # Cython's own
    run(tmp_path, "mypy.stubtest", "corr._core", "--allowlist", str(allowed))
