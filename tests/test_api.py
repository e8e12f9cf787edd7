"""The public functions' rules: types, layouts, padding, plans, threads, the environment."""

import os
import subprocess
import sys
import threading
import warnings

import numpy as np
import pytest
import reference
from cases import laid_out
from layers import LAYERS, Layer

import corr


def image(shape=(2, 3, 7, 8), dtype=np.float32, seed=0):
    return np.random.default_rng(seed).integers(-4, 5, shape).astype(dtype)


def kernel(shape=(4, 3, 3, 2), dtype=np.float32, seed=1):
    return image(shape, dtype, seed)


@pytest.mark.parametrize(
    ("a", "b", "result"),
    [
        ("f4", "f4", "f4"), ("f4", "f8", "f8"), ("f8", "f8", "f8"), ("u1", "f4", "f4"),
        ("i4", "f4", "f8"), ("i8", "i8", "f8"), ("u1", "i1", "f4"), ("?", "f4", "f4"),
        ("f2", "f2", "f2"), ("f2", "f4", "f4"), ("f2", "u1", "f4"),
    ],
)
def test_result_types(a, b, result):
    x, w = np.ones((1, 1, 3, 3), a), np.ones((1, 1, 2, 2), b)
    assert corr.conv2d(x, w).dtype == result
    assert corr.corr2d(x[0, 0], w[0, 0]).dtype == result
    y = np.ones((1, 1, 2, 2), result)
    assert corr.conv2d_input(x.shape, w, y).dtype == result
    assert corr.conv2d_weight(x, w.shape, y).dtype == result
    assert {g.dtype for g in corr.conv2d_backward(y, x, w)} == {np.dtype(result)}


def test_lists_are_weak():
    assert corr.corr2d(np.ones((2, 2), np.uint8), [[1, -1]]).dtype == np.float32
    assert corr.corr2d(np.ones((2, 2), np.float32), [[1.0, -1.0]]).dtype == np.float32
    assert corr.corr2d(np.ones((2, 2)), [[1, -1]]).dtype == np.float64
    assert corr.corr2d([[1, 2]], [[1, -1]]).dtype == np.float32


def test_float16_is_rounded_once():
    x = np.full((1, 2048, 1, 1), 1, np.float16)
    w = np.full((1, 2048, 1, 1), 1, np.float16)
    assert corr.conv2d(x, w).item() == 2048
    x = np.array([2048, 1, 1], np.float16).reshape(1, 3, 1, 1)
    assert corr.conv2d(x, np.ones_like(x)).item() == 2050
    swapped = x.astype(x.dtype.newbyteorder())
    assert corr.conv2d(swapped, np.ones_like(x)).dtype == np.float16


class Sub(np.ndarray):
    pass


def test_subclasses_become_plain_arrays():
    y = corr.conv2d(image().view(Sub), kernel().view(Sub))
    assert type(y) is np.ndarray


def test_channels_last_stays_channels_last():
    x = np.ascontiguousarray(image().transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    y = corr.conv2d(x, kernel())
    assert y.transpose(0, 2, 3, 1).flags.c_contiguous
    np.testing.assert_array_equal(y, corr.conv2d(image(), kernel()))


@pytest.mark.parametrize("shape", [(2, 1, 5, 6), (2, 3, 1, 1)])
def test_ambiguous_strides_count_as_nchw(shape):
    x = np.ascontiguousarray(image(shape).transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    assert corr.conv2d(x, np.ones((4, shape[1], 1, 1), np.float32)).flags.c_contiguous


def test_nhwc_everywhere():
    x, w = image(), kernel()
    y = corr.conv2d(x, w, padding=1)
    gy = image(y.shape, seed=5)
    nhwc = lambda a: np.ascontiguousarray(a.transpose(0, 2, 3, 1))  # noqa: E731
    options = {"padding": 1, "layout": "NHWC"}
    wanted = corr.conv2d_backward(gy, x, w, padding=1)
    got = corr.conv2d_backward(nhwc(gy), nhwc(x), w, **options)
    np.testing.assert_array_equal(got.input, nhwc(wanted.input))
    np.testing.assert_array_equal(got.weight, wanted.weight)
    gx = corr.conv2d_input(nhwc(x).shape, w, nhwc(gy), **options)
    np.testing.assert_array_equal(gx, nhwc(wanted.input))
    plan = corr.plan((None, 7, 8, 3), w, **options)
    np.testing.assert_array_equal(plan(nhwc(x)), nhwc(y))


def test_padding_words():
    x, w = image((1, 3, 7, 8)), kernel((4, 3, 4, 2))
    np.testing.assert_array_equal(corr.conv2d(x, w, padding="valid"), corr.conv2d(x, w))
    np.testing.assert_array_equal(
        corr.conv2d(x, w, padding="same"), corr.conv2d(x, w, padding=((1, 2), (0, 1))))
    for stride in (1, 2, 3):
        for word in ("same_upper", "same_lower"):
            y = corr.conv2d(x, w, stride=stride, padding=word)
            assert y.shape[2:] == (-(-7 // stride), -(-8 // stride))
    np.testing.assert_array_equal(
        corr.conv2d(x, w, padding="same_lower"), corr.conv2d(x, w, padding=((2, 1), (1, 0))))


def test_empty_batch_and_no_channels():
    assert corr.conv2d(image()[:0], kernel()).shape == (0, 4, 5, 7)
    grads = corr.conv2d_backward(np.zeros((0, 4, 5, 7), np.float32), image()[:0], kernel())
    assert grads.input.shape == (0, 3, 7, 8)
    np.testing.assert_array_equal(grads.weight, np.zeros((4, 3, 3, 2)))
    np.testing.assert_array_equal(grads.bias, np.zeros(4))


@pytest.mark.parametrize("layout", ["contiguous", "channels_last"])
@pytest.mark.parametrize("name", LAYERS)
def test_empty_batch_of_every_engine(name, layout):
    layer = Layer(name)
    x, gy = (laid_out(a, layout, np.random.default_rng(0))[:0] for a in (layer.x, layer.gy))
    for threads in (1, 2, 3, 16):
        with corr.num_threads(threads):
            plan = corr.plan(x.shape, layer.w, layer.bias, *layer.args, algorithm=layer.algorithm)
            assert plan(x).shape == layer.forward(x).shape == gy.shape
            grads = layer.backward(x, gy)
            assert grads.input.shape == x.shape and not grads.weight.any() and not grads.bias.any()


def test_plan():
    x, w, b = image(), kernel(), image(4)
    plan = corr.plan((None, 3, 7, 8), w, b, 2, 1)
    wanted = corr.conv2d(x, w, b, 2, 1)
    w[...], b[...] = np.nan, np.nan
    for n in (0, 1, 2):
        np.testing.assert_array_equal(plan(x[:n]), wanted[:n])
    out = np.empty_like(wanted)
    assert plan(x, out=out) is out
    np.testing.assert_array_equal(out, wanted)
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(plan(last), wanted)
    assert plan.algorithm == "direct" and corr.show_config("dicts")["isa"] in plan.kernel
    assert plan.workspace_bytes >= 0 and plan.flops == 2 * wanted[0].size * 3 * 3 * 2
    for bad in (x[:, :2], x[0], x[:, :, :6]):
        with pytest.raises(ValueError, match="plan was made for"):
            plan(bad)
    with pytest.raises(ValueError, match="dtype"):
        plan(x.astype(np.float64))


def test_many_threads_share_a_plan():
    x, w = image((1, 32, 28, 28)), kernel((64, 32, 3, 3))
    plan = corr.plan(x.shape, w, padding=1)
    wanted, wrong = plan(x), []

    def work():
        for _ in range(20):
            if not np.array_equal(plan(x), wanted):
                wrong.append(1)

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_bits_do_not_depend_on_threads_alignment_or_batch():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((3, 96, 30, 31), dtype=np.float32)
    w = rng.standard_normal((70, 96, 3, 3), dtype=np.float32)
    gy = rng.standard_normal((3, 70, 30, 31), dtype=np.float32)
    with corr.num_threads(1):
        y, grads = corr.conv2d(x, w, padding=1), corr.conv2d_backward(gy, x, w, padding=1)
        single = np.concatenate([corr.conv2d(x[i : i + 1], w, padding=1) for i in range(3)])
    np.testing.assert_array_equal(single, y)
    for n in (2, 3, 7, 16):
        with corr.num_threads(n):
            assert np.array_equal(corr.conv2d(x, w, padding=1), y)
            again = corr.conv2d_backward(gy, x, w, padding=1)
        assert all(np.array_equal(a, b) for a, b in zip(again, grads, strict=True))
    shifted = np.empty(x.size + 3, np.float32)[3:].reshape(x.shape)
    shifted[...] = x
    assert np.array_equal(corr.conv2d(shifted, w, padding=1), y)


def test_accumulate_and_needs():
    x, w = image(), kernel()
    gy = image(corr.conv2d(x, w).shape, seed=3)
    all_three = corr.conv2d_backward(gy, x, w)
    only = corr.conv2d_backward(gy, x, w, needs=("weight",))
    assert only.input is None and only.bias is None
    into = corr.Gradients(None, np.ones_like(w), np.ones(4, np.float32))
    got = corr.conv2d_backward(gy, x, w, accumulate_into=into)
    assert got.weight is into.weight and got.bias is into.bias
    np.testing.assert_array_equal(got.weight, all_three.weight + 1)
    np.testing.assert_array_equal(got.bias, all_three.bias + 1)
    np.testing.assert_array_equal(got.input, all_three.input)


def test_taps_in_the_padding_are_absent():
    x, w = np.ones((1, 20, 20, 20), np.float32), np.ones((20, 20, 3, 3), np.float32)
    w[:, :, 0, 0] = np.inf
    y = corr.conv2d(x, w, padding=1)
    assert not np.isnan(y).any()
    assert np.isfinite(y[:, :, 0]).all() and np.isinf(y[:, :, 1:, 1:]).all()
    gy = np.ones_like(y)
    gx = corr.conv2d_input(x.shape, w, gy, padding=1)
    assert not np.isnan(gx).any()
    gy[:, :, 0, 0] = np.inf
    gw = corr.conv2d_weight(x, w.shape, gy, padding=1)
    assert not np.isnan(gw).any() and np.isfinite(gw[:, :, 0]).all() and np.isinf(gw[:, :, 1, 1]).all()


def test_relu_keeps_nan():
    x = np.full((1, 1, 4, 4), -1, np.float32)
    x[0, 0, 1, 1] = np.nan
    w = np.ones((1, 1, 1, 1), np.float32)
    y = corr.conv2d(x, w, activation="relu")
    assert np.isnan(y[0, 0, 1, 1]) and np.nansum(y) == 0
    y = corr.conv2d(np.full((1, 40, 30, 30), 1, np.float32), np.ones((8, 40, 1, 1)), activation="relu6")
    assert (y == 6).all()


def test_threads():
    before = corr.get_num_threads()
    with corr.num_threads(3):
        assert corr.get_num_threads() == 3
        with corr.num_threads(1):
            assert corr.get_num_threads() == 1
        assert corr.get_num_threads() == 3
    corr.set_num_threads(2)
    assert corr.get_num_threads() == 2
    corr.set_num_threads(before)
    corr.trim()


def python(code, **environment):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env={**os.environ, **environment}, check=False)


@pytest.mark.parametrize("variable", ["CORR_NUM_THREADS", "CORR_ISA", "CORR_ALGORITHM"])
def test_bad_environment_warns(variable):
    code = "import warnings; warnings.simplefilter('error'); import corr"
    assert "RuntimeWarning" in python(code, **{variable: "potato"}).stderr
    run = python("import corr; print(corr.conv2d([[[[1]]]], [[[[2]]]]))", **{variable: "potato"})
    assert run.returncode == 0 and "[[[[2.]]]]" in run.stdout


def test_environment_is_used():
    code = "import corr; c = corr.show_config('dicts'); print(c['isa'], c['num_threads'])"
    run = python(code, CORR_ISA="generic", CORR_NUM_THREADS="3")
    assert run.stdout.split() == ["generic", "3"] and not run.stderr


def test_import_is_light():
    code = ("import sys, corr; print([m for m in ('matplotlib', 'PIL', 'scipy', 'torch', 'tqdm', "
            "'argparse', 'corr.d2l', 'corr.cli') if m in sys.modules])")
    run = python(code)
    assert run.stdout.strip().startswith("[") and "corr.d2l" not in run.stdout
    assert not {"matplotlib", "PIL", "scipy", "torch", "tqdm", "corr.cli"} & set(eval(run.stdout))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="fork is POSIX's")
def test_fork():
    x, w = image((1, 64, 28, 28)), kernel((64, 64, 3, 3))
    wanted = corr.conv2d(x, w)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for _ in range(10):
            child = os.fork()
            if child == 0:
                os._exit(0 if np.array_equal(corr.conv2d(x, w), wanted) else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert np.array_equal(corr.conv2d(x, w), wanted)


def test_reference_knows_the_section():
    x, k = np.arange(9).reshape(1, 1, 3, 3), np.arange(4).reshape(1, 1, 2, 2)
    np.testing.assert_array_equal(reference.conv2d(x, k)[0, 0], [[19, 25], [37, 43]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_col2im_is_the_transpose_of_im2col(dtype):
    """Also with more taps, rows and columns than are taken at once."""
    rng = np.random.default_rng(12)
    cases = [((2, 3, 7, 9), (3, 2), {}), ((1, 2, 5, 2100), (2, 70), {}), ((2, 1, 80, 6), (67, 5), {}),
             ((1, 1, 90, 90), (40, 20), {"stride": (1, 2), "padding": 5})]
    for _ in range(60):
        options = {name: tuple(map(int, rng.integers(low, 4, 2)))
                   for name, low in (("stride", 1), ("dilation", 1), ("padding", 0))}
        kernel = tuple(map(int, rng.integers(1, 5, 2)))
        size = [(k - 1) * d + 1 + int(rng.integers(0, 40))
                for k, d in zip(kernel, options["dilation"], strict=True)]
        cases.append(((2, 2, *size), kernel, options))
    cases += [((1, 2, 5, 2101), (2, 3), {"stride": s, "padding": 1}) for s in (1, 2, 3)]
    for shape, kernel, options in cases:
        index = np.arange(1, np.prod(shape[1:]) + 1, dtype=np.float64).reshape(1, *shape[1:])
        where = corr.im2col(index, kernel, **options)[0].astype(int)  # 0 in the padding
        cols = rng.integers(-9, 10, (shape[0], *where.shape)).astype(dtype)
        image = np.zeros((shape[0], index.size + 1))
        for n in range(shape[0]):
            np.add.at(image[n], where, cols[n])
        got = corr.col2im(cols, shape[2:], kernel, **options)
        np.testing.assert_array_equal(got, image[:, 1:].reshape(shape), f"{shape} {kernel} {options}")
