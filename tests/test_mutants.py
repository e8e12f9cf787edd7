"""The bugs that tools/mutate.py plants can still be planted."""

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.mark.skipif(not (ROOT / "src/corr_c").is_dir(), reason="the sources are not here")
def test_every_edit_applies(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "tools")
    spec = importlib.util.spec_from_file_location("mutate", ROOT / "tools/mutate.py")
    mutate = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mutate)
    sys.modules.pop("mutants")
    assert len(mutate.MUTANTS) >= 50
    assert not (wrong := mutate.problems(ROOT)), "move these edits along:\n" + "\n".join(wrong)
