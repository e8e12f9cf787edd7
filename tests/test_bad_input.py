"""More than 200 named bad calls, and calls drawn at random: see bad_input.py, arguments.py."""

import subprocess
import sys

import arguments
import bad_input
import numpy as np
import pytest

import corr

ROWS = {name: row for name, *row in bad_input.rows()}
DRAWN = 6000


@pytest.mark.parametrize("name", ROWS)
def test_refused(name):
    kind, text, call = ROWS[name]
    with pytest.raises(kind, match=text) as caught:
        call()
    assert caught.type in (kind if isinstance(kind, tuple) else (kind,))


def test_there_are_enough():
    assert len(ROWS) >= 200


@pytest.mark.parametrize("name", bad_input.outs())
def test_outputs_that_do_not_do(name):
    out, text, x = bad_input.outs()[name]
    before = out.tobytes()
    with pytest.raises(ValueError, match=text):
        corr.conv2d(x, bad_input.W, out=out)
    assert out.tobytes() == before


def test_overlap_is_not_suspected_where_there_is_none():
    """Rows that lie between one another, but no element twice."""
    room = np.zeros(4096, np.float32)
    out = np.lib.stride_tricks.as_strided(room, (2, 4, 5, 6), (12, 4 * 36, 4 * 144, 24))
    assert corr.conv2d(bad_input.X, bad_input.W, out=out) is out
    assert (out == 54).all()


@pytest.mark.skipif(sys.platform != "linux", reason="needs a bound on the process's memory")
def test_drawn_calls(tmp_path, record_property):
    """In a process of its own, so that a crash is a failure here and no more."""
    at = tmp_path / "seed"
    at.write_bytes(bytes(8))
    run = subprocess.run([sys.executable, arguments.__file__, "0", str(DRAWN), str(at)],
                         capture_output=True, text=True)
    seed = int.from_bytes(at.read_bytes(), "little")
    assert run.returncode == 0, f"seed {seed}: {run.stderr[-3000:]}"
    assert int(run.stdout) > DRAWN // 4
    record_property("calls with drawn arguments", DRAWN)
