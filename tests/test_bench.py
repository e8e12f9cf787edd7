"""corr bench: suites, the check before the clock, the report; never the times themselves."""

import json
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import corr
from corr import _core
from corr.bench import check, compare, measure, report, run, subjects, suites, worker
from corr.cli import main

ORDER = {"threads": 1, "passes": ["forward"], "peers": [], "dtype": "float32", "layout": "NCHW",
         "fresh": False, "quick": True}
SMALL = [
    suites.Layer("plain", 1, 3, 9, 8, 4, 3, 3, 1, 1),
    suites.Layer("strided", 2, 4, 11, 9, 6, 3, 2, 2, 2),
    suites.Layer("dilated", 1, 2, 12, 13, 2, 3, 3, 1, 0, 2),
    suites.Layer("groups", 2, 6, 7, 7, 4, 3, 3, 1, 1, 1, 2),
    suites.Layer("beyond", 1, 1, 2, 2, 1, 2, 2, 3, 5),
    suites.Layer("picture", 1, 1, 12, 15, 1, 5, 5, 1, 2),
]
# Multiplications of the published networks' convolutions, in units of 1e9.
PUBLISHED = {"resnet50": 4.087, "vgg16": 15.347, "mobilenetv2": 0.2995, "efficientnet-b0": 0.3845,
             "convnext-tiny": 4.455}


@pytest.mark.parametrize("suite", suites.names())
def test_suites_load(suite):
    layers = suites.load(suite)
    assert len({layer.name for layer in layers}) == len(layers)
    if suite in PUBLISHED:
        total = sum(layer.flops * layer.count for layer in layers) / 2e9
        assert total == pytest.approx(PUBLISHED[suite], rel=1e-3)


def test_all_suites_are_there():
    assert {"table", "resnet50", "vgg16", "mobilenetv2", "efficientnet-b0", "convnext-tiny",
            "unet", "lenet", "filters", "small"} <= set(suites.names())


def test_layer_agrees_with_corr():
    for layer in SMALL:
        task = subjects.make_task(layer, "forward", "float32", 1)
        y = corr.conv2d(task.x, task.w, None, *task.parameters)
        assert y.shape == layer.y_shape


@pytest.mark.parametrize("which", subjects.PASSES)
@pytest.mark.parametrize("layer", SMALL, ids=lambda layer: layer.name)
@pytest.mark.parametrize("channels_last", [False, True])
def test_corr_passes_the_check(layer, which, channels_last):
    task = subjects.make_task(layer, which, "float64", 1, channels_last=channels_last)
    outputs = {s.name: np.array(s.read(s.call())) for s in subjects.of_corr(task)}
    assert outputs and not check.wrong(task, outputs)


@pytest.mark.parametrize("which", subjects.PASSES)
def test_one_wrong_element_is_found(which):
    layer = suites.Layer("wide", 1, 8, 60, 70, 16, 3, 3, 1, 1)
    task = subjects.make_task(layer, which, "float32", 1)
    right = np.array(next(subjects.of_corr(task)).call())
    planted = right.copy()
    planted[tuple(n // 2 for n in right.shape)] += 1e-2
    wrong = check.wrong(task, {"right": right, "planted": planted})
    assert list(wrong) == ["planted"] and "it gives" in wrong["planted"]


def test_wrong_shapes_and_values_are_found():
    task = subjects.make_task(SMALL[0], "forward", "float32", 1)
    right = corr.conv2d(task.x, task.w, None, *task.parameters)
    spoilt = right.copy()
    spoilt[0, 0, 0, 0] = np.nan
    wrong = check.wrong(task, {"a": right, "short": right[:, :, 1:], "nan": spoilt})
    assert set(wrong) == {"short", "nan"}


def row_of(layer, **changes):
    return worker.measure_layer(dict(ORDER, **changes), layer, "forward", measure.Budget(0.001))


def test_planted_wrong_corr_is_reported_and_not_timed(monkeypatch):
    honest = corr.conv2d
    monkeypatch.setattr(corr, "conv2d", lambda *args: honest(*args) * 1.001)
    row = row_of(SMALL[0])
    assert "conv2d" in row["wrong"] and "conv2d" not in row["times"]
    assert "plan" in row["times"]
    text = report.summary(a_run([row]))
    assert "WRONG, not timed: conv2d on plain" in text


def test_planted_wrong_peer_is_reported_and_not_timed(monkeypatch):
    signal = pytest.importorskip("scipy.signal", reason="scipy is not installed")
    honest = signal.correlate2d
    monkeypatch.setattr(signal, "correlate2d", lambda x, w, mode: honest(x, w[::-1], mode))
    row = row_of(SMALL[-1], peers=["scipy"])
    assert "scipy correlate2d" in row["wrong"] and "scipy correlate2d" not in row["times"]
    assert {"plan", "conv2d", "corr2d", "scipy oaconvolve", "copy"} <= set(row["times"])
    assert "x plan" in report.summary(a_run([row]))


def test_fresh_keeps_outputs():
    timed = measure.Timed(lambda: np.empty(10), keep=8000, output_bytes=80)
    measure.interleave({"a": timed}, measure.Budget(0.01))
    assert len({id(y) for y in timed.kept}) == len(timed.kept) > 50


def a_run(rows):
    about = {"corr": "1", "isa": "x", "compiler": "c", "cpu": "cpu", "cores": 1, "system": "s",
             "python": "3", "numpy": "2", "peers": {}, "missing": {"ncnn": "absent"},
             "suite": "small", "dtype": "float32", "layout": "NCHW", "fresh": False,
             "pinned": True}
    return run.Run(about, rows)


def test_a_call_of_seconds_is_timed_once(monkeypatch):
    calls = []
    timed = measure.Timed(lambda: calls.append(1), first=2 * measure.LONGEST_CALL)
    measure.interleave({"slow": timed}, measure.Budget.of(quick=False))
    assert not calls
    assert timed.result["ms"] == 2e3 * measure.LONGEST_CALL


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="/proc tells which threads run")
def test_settling_waits_for_threads_that_spin(monkeypatch):
    monkeypatch.setattr(measure, "LONGEST_SETTLE", 60)
    thread = threading.Thread(target=_core._fma_peak, args=(np.float32, 0.3))
    began = time.perf_counter()
    thread.start()
    measure.settle()
    assert time.perf_counter() - began > 0.25  # it spins for so long, or longer
    thread.join()


def test_compare_tells_a_change_from_noise():
    row = row_of(SMALL[0])
    for timed in row["times"].values():
        timed["noise"] = 0.05
    slower = json.loads(json.dumps(row))
    slower["times"]["plan"]["ms"] *= 1.5
    text = compare.compare(a_run([row]), a_run([slower]))
    assert "1 slower" in text and "0 faster" in text and "0.67" in text


def test_command_writes_what_it_measured(tmp_path, capfd):
    pytest.importorskip("matplotlib", reason="the [bench] extra is not installed")
    data, picture, document = (tmp_path / name for name in ("r.json", "r.png", "r.md"))
    assert main(["bench", "--suite", "small", "--layers", "d2l6x8,one", "--peers", "none",
                 "--pass", "all", "--quick", "--json", str(data), "--plot", str(picture),
                 "--markdown", str(document)]) == 0
    printed = capfd.readouterr().out
    assert "d2l6x8" in printed and "FMA peak" in printed
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert "corr bench --suite small --layers d2l6x8,one" in document.read_text()
    rows = json.loads(data.read_text())["rows"]
    assert [(row["name"], row["pass"]) for row in rows] == [
        (name, which) for which in subjects.PASSES for name in ("d2l6x8", "one")]
    assert not any(row["wrong"] or row["refused"] for row in rows)
    assert main(["bench", "--compare", str(data), str(data)]) == 0
    assert "geometric mean 1.000" in capfd.readouterr().out


def test_a_suite_of_ones_own(tmp_path, capfd):
    mine = tmp_path / "mine.txt"
    mine.write_text("# mine\nhere 1 2 5 5 2 3x3 1 1 1 1 2\n")
    assert main(["bench", "--suite", str(mine), "--peers", "none", "--quick"]) == 0
    assert "the network's convolutions" in capfd.readouterr().out


def test_mistakes_are_one_line(tmp_path, capsys):
    bad = tmp_path / "bad.txt"
    cases = {
        "suite": ["--suite", "nosuch"], "layer": ["--layers", "nosuch"],
        "peer": ["--peers", "nosuch"], "--threads": ["--threads", "0"],
        "no such directory": ["--json", str(tmp_path / "no" / "a.json")],
        "bad.txt:1": ["--suite", str(bad)], "not a file": ["--compare", str(bad), str(bad)],
    }
    for text, arguments in cases.items():
        for line in ("a 1 1", "a 1 3 5 5 2 3x3 1 1 1 2 1", "a 1 1 2 2 1 3x3 1 0 1 1 1"):
            bad.write_text(line)
            assert main(["bench", *arguments]) == 2
            error = capsys.readouterr().err
            assert error.count("\n") == 1 and text in error, error


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_interrupt_prints_what_is_there():
    code = "import corr.cli; print('ready', flush=True); raise SystemExit(corr.cli.main())"
    # A shell starts its background jobs with SIGINT ignored, and children inherit that.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = subprocess.Popen(
            [sys.executable, "-c", code, "bench", "--suite", "resnet50", "--peers", "none"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    finally:
        signal.signal(signal.SIGINT, before)
    process.stdout.readline()
    time.sleep(3)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Interrupted" in out and "Traceback" not in err
