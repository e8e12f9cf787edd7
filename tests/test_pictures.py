"""corr filter, edges and learn: every kind of picture, and one line for all that goes wrong."""

import time

import numpy as np
import pytest

from corr import conv2d, corr2d, filters
from corr.cli import main
from corr.cli._kernel_words import FORMS, NAMES, kernel_from

for _name in ("matplotlib", "PIL", "tqdm"):
    pytest.importorskip(_name, reason="the [demo] extra is not installed")

from PIL import Image  # noqa: E402

from corr.cli import _pictures  # noqa: E402

RNG = np.random.default_rng(3)
BYTES = RNG.integers(0, 256, (21, 34, 4), np.uint8)


def as_mode(mode):
    if mode == "I;16":
        return Image.fromarray(RNG.integers(0, 65536, (21, 34), np.uint16))
    if mode == "I":
        return Image.fromarray(RNG.integers(0, 65536, (21, 34)).astype(np.int32))
    if mode == "F":
        return Image.fromarray(RNG.standard_normal((21, 34)).astype(np.float32))
    if mode == "LAB":
        return Image.frombytes("LAB", (34, 21), BYTES[:, :, :3].tobytes())
    if mode == "PA":
        return Image.fromarray(BYTES).convert("RGB").quantize(16).convert("PA")
    return Image.fromarray(BYTES).convert("RGB").convert(mode)


# What Pillow reads, a format that holds it, and what comes back.
MODES = [("1", "png", "L"), ("L", "png", "L"), ("LA", "png", "LA"), ("P", "gif", "RGB"),
         ("PA", "tif", "RGBA"), ("RGB", "png", "RGB"), ("RGBA", "png", "RGBA"),
         ("RGBX", "tif", "RGB"), ("CMYK", "jpg", "RGB"), ("YCbCr", "tif", "RGB"),
         ("LAB", "tif", "RGB"), ("I;16", "png", "I;16"), ("I", "tif", "I;16"), ("F", "tif", "F")]


@pytest.mark.parametrize(("mode", "ending", "back"), MODES, ids=[m for m, _, _ in MODES])
def test_every_mode_keeps_its_values(mode, ending, back, tmp_path, capsys):
    source, copy = tmp_path / f"in.{ending}", tmp_path / "out.tif"
    try:
        as_mode(mode).save(source)
    except (OSError, ValueError) as error:
        pytest.skip(f"this Pillow writes no {mode} as {ending}: {error}")
    assert main(["filter", str(source), "--kernel=1", "-o", str(copy)]) == 0
    assert "34 x 21" in capsys.readouterr().out
    with Image.open(source) as before, Image.open(copy) as after:
        assert after.mode == back
        if back in ("F", "I;16") or mode == "LAB":
            wanted = np.asarray(before)
        else:
            wanted = np.asarray(before.convert(back))
        if mode != "LAB":
            np.testing.assert_array_equal(np.asarray(after), wanted)


def test_colour_stays_colour_and_alpha_stays(tmp_path):
    path, out = tmp_path / "in.png", tmp_path / "out.png"
    Image.fromarray(BYTES).save(path)
    assert main(["filter", str(path), "--kernel", "gaussian:1.5", "-o", str(out)]) == 0
    with Image.open(out) as picture:
        answer = np.asarray(picture)
    np.testing.assert_array_equal(answer[:, :, 3], BYTES[:, :, 3])
    x = BYTES[:, :, :3].transpose(2, 0, 1)[:, None].astype(np.float64)
    kernel = filters.gaussian(1.5, dtype=np.float64)[None, None]
    wanted = conv2d(x, kernel, padding="same", padding_mode="replicate")[:, 0].transpose(1, 2, 0)
    assert np.abs(answer[:, :, :3] - wanted).max() <= 0.51


def test_signed_answers_go_around_gray(tmp_path):
    path, out, raw = tmp_path / "in.png", tmp_path / "out.png", tmp_path / "out.npy"
    Image.fromarray(BYTES[:, :, 0]).save(path)
    for target in (out, raw):
        assert main(["filter", str(path), "--kernel", "sobel", "-o", str(target)]) == 0
    answer = np.load(raw)
    assert answer.shape == (21, 34) and answer.dtype == np.float32
    wanted = corr2d(BYTES[:, :, 0] / np.float32(255), filters.sobel())
    np.testing.assert_allclose(answer[1:-1, 1:-1], wanted, atol=1e-5)
    with Image.open(out) as picture:
        assert np.abs(np.asarray(picture) - (127.5 + answer * 255 / 8)).max() <= 0.51


def test_photographs_are_turned_upright(tmp_path):
    path, out = tmp_path / "in.jpg", tmp_path / "out.png"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(BYTES[:, :, :3]).save(path, exif=exif)
    assert main(["filter", str(path), "--kernel=1", "-o", str(out)]) == 0
    with Image.open(out) as picture:
        assert picture.size == (21, 34)


@pytest.mark.parametrize("sigma", ["0", "1", "3.5"])
def test_edges_of_a_step(sigma, tmp_path):
    step = np.zeros((30, 40), np.uint8)
    step[:, 20:] = 200
    path, out, raw = (tmp_path / name for name in ("in.png", "out.png", "out.npy"))
    Image.fromarray(step).save(path)
    for target in (out, raw):
        assert main(["edges", str(path), "-o", str(target), "--sigma", sigma]) == 0
    with Image.open(out) as picture:
        drawn = np.asarray(picture)
    assert picture.mode == "L" and set(drawn.argmax(axis=1)) == {19} and drawn.max() == 255
    np.testing.assert_allclose(np.load(raw).sum(axis=1), 200 / 255, rtol=1e-4)


def test_edges_of_nothing_are_black(tmp_path):
    Image.new("RGB", (9, 9), "white").save(tmp_path / "in.png")
    assert main(["edges", str(tmp_path / "in.png"), "-o", str(tmp_path / "out.png")]) == 0
    with Image.open(tmp_path / "out.png") as picture:
        assert picture.getextrema() == (0, 0)


TAUGHT = {"sobel": 3, "sharpen": 3, "box": 3, "gaussian:1,2": 5,
          "-1 0 2 1 0; 0 1 0 -3 1; 1 1 0 0 2; 0 2 1 -1 0; 1 -2 0 0 1": 5}


@pytest.mark.parametrize("words", TAUGHT)
@pytest.mark.parametrize("ending", ["npy", "png"])
def test_learn_recovers_the_kernel_of_a_photograph(words, ending, tmp_path, capsys):
    photo, target, found = _pictures.sample_photograph(), tmp_path / f"y.{ending}", tmp_path / "k.npy"
    gain = "0.1" if words[0] == "-" and ending == "png" else "1"
    assert main(["filter", str(photo), f"--kernel={words}", "--gain", gain, "-o", str(target)]) == 0
    start = time.perf_counter()
    assert main(["learn", str(photo), str(target), "--kernel-size", str(TAUGHT[words]),
                 "-o", str(found)]) == 0
    assert time.perf_counter() - start < 10
    kernel = kernel_from(words) * np.float32(gain)
    if ending == "png" and abs(kernel.sum()) < 1e-6:
        kernel /= 2 * kernel[kernel > 0].sum()  # drawn around mid-gray
    assert np.abs(np.load(found) - kernel).max() < 0.01
    assert (tmp_path / "k.png").read_bytes().startswith(b"\x89PNG")
    captured = capsys.readouterr()
    assert "root mean squared error" in captured.out and "loss" in captured.err


@pytest.mark.parametrize(("size", "shape"), [("2", (2, 2)), ("1x4", (1, 4)), ("12", (12, 12))])
def test_learn_from_valid_and_from_same(size, shape, tmp_path):
    picture = RNG.random((60, 70), dtype=np.float32)
    kernel = RNG.standard_normal(shape, dtype=np.float32)
    np.save(tmp_path / "x.npy", picture)
    np.save(tmp_path / "kernel.npy", kernel)
    np.save(tmp_path / "valid.npy", corr2d(picture, kernel) + 3)
    assert main(["filter", str(tmp_path / "x.npy"), "--kernel", str(tmp_path / "kernel.npy"),
                 "-o", str(tmp_path / "same.npy")]) == 0
    for target in ("valid", "same"):
        assert main(["learn", str(tmp_path / "x.npy"), str(tmp_path / f"{target}.npy"),
                     "--kernel-size", size, "-o", str(tmp_path / "found.npy")]) == 0
        np.testing.assert_allclose(np.load(tmp_path / "found.npy"), kernel, atol=1e-3)


KERNELS = {
    "difference": filters.difference(), "difference:2,y": filters.difference(2, 0),
    "central:y": filters.central_difference(0), "sobel:y": filters.sobel(0),
    "scharr": filters.scharr(), "directional:1,-2": filters.directional((1, -2)),
    "laplacian:8": filters.laplacian(8), "line:135": filters.line(135), "box:3,5":
    filters.box((3, 5)), "gaussian:2": filters.gaussian(2), "gaussian:1/2,3":
    filters.gaussian(0.5, 3), "sharpen:0.5": filters.sharpen(0.5),
    "1/4 1/2 1/4": np.array([[0.25, 0.5, 0.25]]), "1,2;3,4;": np.array([[1, 2], [3, 4]]),
}


@pytest.mark.parametrize("words", KERNELS)
def test_kernels_by_words(words):
    np.testing.assert_array_equal(kernel_from(words), KERNELS[words].astype(np.float32))


def test_every_filter_has_its_word():
    assert len(NAMES) == len(filters.__all__)
    assert all(name in FORMS for name in NAMES)


BAD_KERNELS = ["", " ", ";", "tent", "1 2; 3", "1 x", "1/0", "nan", "inf", "1e99999", "1e39",
               "sobel:z", "sobel:x,y", "sobel:", "box:0", "box:a", "box:9999999", "gaussian:0",
               "gaussian:-1", "gaussian:1e9", "gaussian:nan", "gaussian:1,99999", "line:30",
               "laplacian:5", "directional", "directional:0,0", "directional:1", "sharpen:x",
               "difference:-1", "difference:1.5", "difference:100000", "missing.npy"]


def one_line(capsys, arguments, *texts):
    assert main([str(argument) for argument in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.err.strip().count("\n") == 0 and captured.out == "", captured
    assert captured.err.startswith(f"corr {arguments[0]}: ")
    assert all(text in captured.err for text in texts), captured.err


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "in.png"
    Image.fromarray(BYTES[:, :, :3]).save(path)
    return path


@pytest.mark.parametrize("words", BAD_KERNELS)
def test_bad_kernels(words, picture, tmp_path, capsys):
    one_line(capsys, ["filter", picture, f"--kernel={words}", "-o", tmp_path / "out.png"])
    assert not (tmp_path / "out.png").exists()


def test_bad_numbers(picture, tmp_path, capsys):
    out = tmp_path / "out.png"
    one_line(capsys, ["edges", picture, "-o", out, "--sigma", "nan"], "--sigma")
    one_line(capsys, ["edges", picture, "-o", out, "--sigma", "-1"], "--sigma")
    one_line(capsys, ["edges", picture, "-o", out, "--sigma", "1e9"], "--sigma")
    one_line(capsys, ["filter", picture, "--kernel=1", "-o", out, "--gain", "inf"], "--gain")
    one_line(capsys, ["filter", picture, "--kernel", "box:99", "--border", "reflect", "-o", out],
             "padding")
    for size in ("0", "x", "3x", "-3", "3x0", "32", "3.5", "99999"):
        one_line(capsys, ["learn", picture, picture, f"--kernel-size={size}"], "--kernel-size")
    one_line(capsys, ["learn", picture, picture, "--kernel-size=3", "--seed=-1"], "--seed")
    one_line(capsys, ["learn", picture, picture, "--kernel-size=25"], "larger than the input")


@pytest.mark.parametrize("arguments", [["filter", "x.png", "-o", "y.png"], ["edges", "x.png"],
    ["filter", "x.png", "--kernel=1", "-o", "y.png", "--gain", "much"], ["learn", "x.png"],
    ["filter", "x.png", "--kernel=1", "-o", "y.png", "--border", "edge"],
    ["edges", "x.png", "-o", "y.png", "--sigma=wide"], ["learn", "x", "y", "--kernel-size=3", "--seed=a"]])
def test_bad_arguments(arguments, capsys):
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    message = capsys.readouterr().err
    assert stop.value.code == 2 and message.count("\n") == 1
    assert message.startswith(f"corr {arguments[0]}: ")


@pytest.mark.parametrize("command", [["filter", "--kernel=sobel"], ["edges"]])
def test_bad_pictures(command, picture, tmp_path, capsys):
    out, broken = tmp_path / "out.png", tmp_path / "broken.png"
    broken.write_bytes(picture.read_bytes()[:300])
    (tmp_path / "text.png").write_text("no picture")
    (tmp_path / "text.npy").write_text("no array")
    (tmp_path / "empty.npy").write_bytes(b"")
    np.save(tmp_path / "cube.npy", np.zeros((2, 2, 2, 2)))
    np.save(tmp_path / "complex.npy", np.zeros((2, 2), complex))
    np.save(tmp_path / "nan.npy", np.full((2, 2), np.nan))
    Image.fromarray(np.full((4, 4), np.inf, np.float32)).save(tmp_path / "inf.tif")
    for name, text in (("none.png", "no such file"), ("none.npy", "no such file"),
                       (".", "directory"), ("broken.png", "broken"), ("text.png", "not a picture"),
                       ("text.npy", "no array"), ("empty.npy", "no array"), ("cube.npy", "(H, W)"),
                       ("complex.npy", "no array"), ("nan.npy", "finite"), ("inf.tif", "finite")):
        one_line(capsys, [command[0], tmp_path / name, *command[1:], "-o", out], text)
    for name, text in (("no/out.png", "no such directory"), (".", "is a directory"),
                       ("out.xyz", "must end"), ("out", "must end")):
        one_line(capsys, [command[0], picture, *command[1:], "-o", tmp_path / name], text)
    assert not out.exists()


def test_formats_that_do_not_hold_the_picture(tmp_path, capsys):
    as_mode("F").save(tmp_path / "f.tif")
    Image.fromarray(BYTES).save(tmp_path / "alpha.png")
    np.save(tmp_path / "five.npy", np.zeros((9, 9, 5)))
    for name, out in (("f.tif", "out.png"), ("alpha.png", "out.jpg"), ("five.npy", "out.png")):
        one_line(capsys, ["filter", tmp_path / name, "--kernel=1", "-o", tmp_path / out],
                 "does not hold")
        assert not (tmp_path / out).exists()


def test_bad_pairs_to_learn_from(picture, tmp_path, capsys):
    other, white = tmp_path / "other.png", tmp_path / "white.png"
    Image.fromarray(BYTES[:9, :9]).save(other)
    Image.new("L", (34, 21), 255).save(white)
    one_line(capsys, ["learn", picture, other, "--kernel-size=3"], "the target is 9 x 9", "19 x 32")
    one_line(capsys, ["learn", picture, white, "--kernel-size=3"], "too few")
    one_line(capsys, ["learn", picture, tmp_path / "none.png", "--kernel-size=3"], "no such file")
    one_line(capsys, ["learn", picture, picture, "--kernel-size=3", "-o", tmp_path / "k.txt"], ".npy")
    one_line(capsys, ["learn", picture, picture, "--kernel-size=3", "-o", tmp_path / "k.npy",
                      "--plot", tmp_path / "k.svg"], ".png")
