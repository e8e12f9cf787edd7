"""The command: what it prints and draws, and one line for all that goes wrong."""

import subprocess
import sys

import pytest

import corr
from corr.cli import main


def needs_demo():
    for name in ("matplotlib", "PIL", "tqdm"):
        pytest.importorskip(name, reason="the [demo] extra is not installed")


@pytest.fixture
def photo(tmp_path):
    needs_demo()
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    rough = np.cumsum(rng.standard_normal((40, 48)), axis=1)
    path = tmp_path / "photo.png"
    Image.fromarray(np.uint8(np.clip(128 + 12 * rough, 0, 255))).convert("RGB").save(path)
    return path


def test_info(capsys):
    assert main(["info"]) == 0
    assert corr.show_config("dicts")["isa"] in capsys.readouterr().out


def test_version_by_module():
    run = subprocess.run([sys.executable, "-m", "corr", "--version"], capture_output=True,
                         text=True, check=True)
    assert run.stdout.strip() == f"corr {corr.__version__}"


def test_demo_draws(photo, tmp_path, capsys):
    output = tmp_path / "drawn.png"
    assert main(["demo", str(photo), "-o", str(output)]) == 0
    assert output.read_bytes().startswith(b"\x89PNG")
    printed = capsys.readouterr().out
    assert "on the transposed stripes 0" in printed
    errors = [float(line.split("at most ")[1].split()[0])
              for line in printed.splitlines() if line.startswith("learned")]
    assert len(errors) == 2 and max(errors) < 0.01
    assert str(output) in printed


def one_line(capsys, arguments, text):
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and text in captured.err, captured.err


def test_bad_pictures(photo, tmp_path, capsys):
    broken, text = tmp_path / "broken.png", tmp_path / "text.png"
    broken.write_bytes(photo.read_bytes()[:400])
    text.write_text("no picture")
    (tmp_path / "small.pgm").write_bytes(b"P5 3 3 255 123456789")
    one_line(capsys, ["demo", str(tmp_path / "none.png")], "no such file")
    one_line(capsys, ["demo", str(tmp_path)], "directory")
    one_line(capsys, ["demo", str(broken)], "broken")
    one_line(capsys, ["demo", str(text)], "not a picture")
    one_line(capsys, ["demo", str(tmp_path / "small.pgm")], "at least 8 x 8")


def test_bad_output(photo, tmp_path, capsys):
    one_line(capsys, ["demo", str(photo), "-o", str(tmp_path)], "is a directory")
    one_line(capsys, ["demo", str(photo), "-o", str(tmp_path / "no" / "x.png")], "no such directory")


def test_missing_extra(photo, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert main(["demo", str(photo)]) == 2
    assert "[demo]" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["dance"], ["demo", "--speed"]])
def test_bad_arguments(arguments):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    assert stop.value.code == 2
