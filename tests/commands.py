"""The command line with arguments drawn at random: 0, or 2 and one line; never a traceback."""

import contextlib
import io
import random

import numpy as np

from corr.cli import main

KERNELS = (
    "sobel:x", "gaussian", "gaussian:1,2", "box:3", "laplacian", "sharpen", "1 0 -1", "1/2 1/2",
    "1;2;3", "sobel", "sobel:z", "gaussian:0", "gaussian:-1", "gaussian:nan", "gaussian:1e300",
    "gaussian:1,-1", "box:0", "box:1e3", "box:3x", "box:99999999999", "difference:900", "what",
    "", " ", ";", "1 2;3", "1/0", "nan", "inf", "1e999", "0x10", "1,,2", "a", "-", "--",
    "kernel.npy", "cube.npy", "none.npy", "text.npy", "nan.npy", "\u00e9", "1 \u0660", "sharpen:1,2",
)
FILES = ("photo.png", "photo.png", "array.npy", "cube.npy", "text.png", "text.npy", "nan.npy",
         "none.png", "folder", "empty.png", "empty.npy", "one.npy", "line.npy", "complex.npy",
         "short.npy", "", ".", "\0", "a" * 300 + ".png")
OUTPUTS = ("out.png", "out.png", "out.npy", "out.jpg", "out.tif", "out.xyz", "out", "folder",
           "none/out.png", "", "\0", "a" * 300 + ".png", "/proc/out.png")
NUMBERS = ("1", "0", "-1", "0.5", "nan", "inf", "1e999", "x", "", "3", "99999999999999999999")
BORDERS = ("replicate", "reflect", "circular", "zeros", "edge", "")


def make_files(folder):
    from PIL import Image

    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (12, 14), np.uint8)).save(folder / "photo.png")
    np.save(folder / "array.npy", rng.random((9, 11)))
    np.save(folder / "cube.npy", rng.random((9, 11, 3)))
    np.save(folder / "kernel.npy", np.ones((3, 3)))
    np.save(folder / "nan.npy", np.full((5, 5), np.nan))
    np.save(folder / "one.npy", np.ones((1, 1)))
    np.save(folder / "line.npy", np.ones(7))
    np.save(folder / "complex.npy", np.ones((5, 5)) * 1j)
    whole = (folder / "array.npy").read_bytes()
    (folder / "short.npy").write_bytes(whole[:200])
    for name in ("text.png", "text.npy"):
        (folder / name).write_text("no picture")
    for name in ("empty.png", "empty.npy"):
        (folder / name).write_bytes(b"")
    (folder / "folder").mkdir()


def draw(r):
    command = r.choice(("filter", "filter", "edges", "learn", "bench", "info", "demo", "what", ""))
    words = [command]
    if command in ("filter", "edges"):
        words += [r.choice(FILES), "-o", r.choice(OUTPUTS)]
    if command == "filter":
        words += [f"--kernel={r.choice(KERNELS)}"] if r.random() < 0.95 else []
        words += [f"--border={r.choice(BORDERS)}"] if r.random() < 0.4 else []
        words += [f"--gain={r.choice(NUMBERS)}"] if r.random() < 0.4 else []
    elif command == "edges":
        words += [f"--sigma={r.choice(NUMBERS)}"] if r.random() < 0.6 else []
    elif command == "learn":
        sizes = ("3", "1x2", "0", "-3", "99", "3x", "x", "", "2.5", "31", "40x1", "99999999999999999999")
        words += [r.choice(FILES), r.choice(FILES), f"--kernel-size={r.choice(sizes)}",
                  "-o", r.choice(("out.npy", "none/out.npy", "folder", ""))]
        words += [f"--seed={r.choice(NUMBERS)}"] if r.random() < 0.3 else []
    elif command == "bench":  # nothing that would measure
        words += r.choice((
            ["--suite", "none"], ["--layers", "none"], ["--suite", "folder"], ["--suite", "text.png"],
            ["--threads", r.choice(("0", "x", "", "-1", "1,", "1,x", "99999"))],
            ["--compare", r.choice(FILES), r.choice(FILES)], ["--pass", "none"],
            ["--peers", "none,of,these"], ["--dtype", "int8"], ["--json", "none/x.json"],
            ["--suite", "list"]))
    elif command == "demo":
        words += [r.choice([f for f in FILES if f != "photo.png" and "array" not in f]), "-o",
                  "none/out.png"]
    r.random() < 0.1 and words.insert(r.randrange(len(words) + 1), r.choice(("--what", "-", "x")))
    return words


def run(words):
    """Exit code and what was printed to stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(words)
        except SystemExit as stop:
            code = stop.code
    return code, err.getvalue()


def check(seed):
    """True if the command refused."""
    words = draw(random.Random(seed))
    try:
        code, err = run(words)
    except BaseException as error:
        raise AssertionError(f"seed {seed}: corr {words}: {type(error).__name__}: {error}") from error
    lines = [line for line in err.splitlines() if line.strip() and "\r" not in line]
    assert code in (0, 2), f"seed {seed}: corr {words} exits with {code}"
    if code == 2:
        assert len(lines) == 1 and lines[0].startswith("corr"), f"seed {seed}: corr {words}: {err}"
    return code == 2
