"""The same call gives the same bits: at any number of threads, alignment, batch and run."""

import numpy as np
import pytest
from layers import LAYERS, Layer, same

import corr
from corr import _kernels

DIRECT = [name for name in LAYERS if LAYERS[name][-1] == "direct"]
THREADS = (2, 3, 4, 5, 7, 8, 11, 16)


def channels_last(a):
    return np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


@pytest.mark.parametrize("layout", ["planes", "channels_last"])
@pytest.mark.parametrize("name", LAYERS)
def test_threads_and_runs(name, layout):
    layer = Layer(name)
    if layout == "channels_last":
        layer.x, layer.gy = channels_last(layer.x), channels_last(layer.gy)
    for what, call in layer.passes().items():
        with corr.num_threads(1):
            wanted = call()
            assert same(call(), wanted), what
        for threads in THREADS:
            with corr.num_threads(threads):
                assert same(call(), wanted), (what, threads)


@pytest.mark.parametrize("name", LAYERS)
def test_threads_that_could_not_be_started(name):
    layer = Layer(name)
    for what, call in layer.passes().items():
        wanted = call()
        for started in (0, 1, 2):
            _kernels.limit_started_threads(started)
            try:
                with corr.num_threads(16):
                    assert same(call(), wanted), (what, started)
            finally:
                _kernels.limit_started_threads()


def shifted(a, elements):
    """The same values, some elements past a line's begin, everything else as it was."""
    room = np.empty(a.size + 32, a.dtype)
    first = -room.ctypes.data // a.itemsize % 16 + elements
    view = room[first : first + a.size].reshape(a.shape)
    view[...] = a
    return view


@pytest.mark.parametrize(("name", "dtype"), [(name, np.float32) for name in LAYERS]
                         + [(name, np.float64) for name in DIRECT])
def test_alignment(name, dtype):
    layer = Layer(name, dtype)
    plan = layer.plan()
    y, planned, back = layer.forward(), plan(layer.x), layer.backward()
    w, bias = layer.w, layer.bias
    for at in range(16):
        x, gy = shifted(layer.x, at), shifted(layer.gy, 5 * at % 16)
        out = shifted(np.full_like(y, np.nan), 7 * at % 16)
        layer.w, layer.bias = shifted(w, 3 * at % 16), shifted(bias, 9 * at % 16)
        assert same([layer.forward(x, out)], [y]), at
        assert same([plan(x, out=np.full_like(out, np.nan))], [planned]), at
        assert same(layer.backward(x, gy), back), at


@pytest.mark.parametrize("name", DIRECT)
def test_batch_and_place(name):
    """A direct output is one chain, wherever it lies in a batch or a tile."""
    layer = Layer(name)
    x = np.concatenate([layer.x, 2 * layer.x[::-1], layer.x])
    y = corr.conv2d(x, layer.w, layer.bias, *layer.args, algorithm="direct")
    for i in range(len(x)):
        alone = corr.conv2d(x[i : i + 1], layer.w, layer.bias, *layer.args, algorithm="direct")
        assert same([alone[0]], [y[i]]), i
    (ph, pw), (sh, sw) = (layer.args[1],) * 2, (layer.args[0],) * 2
    kh, kw = ((k - 1) * layer.args[2] + 1 for k in layer.w.shape[2:])
    rows, columns = slice(2, 5), slice(1, 4)  # outputs, whose windows are cut out
    padded = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
    cut = padded[:, :, 2 * sh : 4 * sh + kh, sw : 3 * sw + kw]
    part = corr.conv2d(np.ascontiguousarray(cut), layer.w, layer.bias, layer.args[0], 0,
                       *layer.args[2:], algorithm="direct")
    np.testing.assert_array_equal(part, y[:, :, rows, columns])


@pytest.mark.parametrize("shape, outputs, kernel", [((4, 16, 256, 256), 16, 3), ((17, 4, 28, 144), 64, 3),
                                                    ((5, 17, 200, 144), 17, 5)])
def test_large_batches(shape, outputs, kernel):
    """Nor is it another where the batch is too large for any cache."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape, np.float32)
    w = rng.standard_normal((outputs, 1, kernel, kernel), np.float32)
    y = corr.conv2d(x, w, padding=1, groups=shape[1], algorithm="direct")
    for i in (0, shape[0] - 1):
        alone = corr.conv2d(x[i : i + 1], w, padding=1, groups=shape[1], algorithm="direct")
        assert same([alone[0]], [y[i]]), i


@pytest.mark.parametrize("outputs, args", [(64, (1, 1, 1)), (48, (2, (1, 0), 1)), (64, (1, (2, 3), (2, 3))),
                                           (32, ((1, 2), 0, 1))])
def test_large_batches_of_groups(outputs, args):
    """Channels-last, in groups of few channels: the rows of all groups at a time, if no cache holds them."""
    rng = np.random.default_rng(1)
    x = rng.integers(-3, 4, (4, 83, 115, 64)).astype(np.float32)
    w = rng.integers(-3, 4, (outputs, 4, 3, 3)).astype(np.float32)
    bias = rng.integers(0, 9, outputs).astype(np.float32)
    y = corr.conv2d(x, w, bias, *args, groups=16, layout="NHWC")
    for i in (0, 3):
        alone = corr.conv2d(x[i : i + 1], w, bias, *args, groups=16, layout="NHWC")
        assert same([alone[0]], [y[i]]), i
        planes = np.ascontiguousarray(x[i : i + 1].transpose(0, 3, 1, 2))
        wanted = corr.conv2d(planes, w, bias, *args, groups=16, algorithm="direct")
        np.testing.assert_array_equal(y[i].transpose(2, 0, 1), wanted[0])


@pytest.mark.parametrize("shape, outputs, groups", [((31, 70, 1, 1), 45, 1), ((9, 24, 5, 6), 132, 4),
                                                    ((14, 1400, 1, 1), 33, 1)])
def test_batches_of_fully_connected_layers(shape, outputs, groups):
    """Images that are one product are the same alone, on any number of threads."""
    rng = np.random.default_rng(2)
    x = rng.standard_normal(shape, np.float32)
    w = rng.standard_normal((outputs, shape[1] // groups, *shape[2:]), np.float32)
    bias = rng.standard_normal(outputs, np.float32)
    wanted = None
    for threads in (1, 2, 3, 8):
        with corr.num_threads(threads):
            y = corr.conv2d(x, w, bias, groups=groups, algorithm="direct")
            gx = corr.conv2d_input(x.shape, w, y, groups=groups, algorithm="direct")
            gw = corr.conv2d_weight(x, w.shape, y, groups=groups, algorithm="direct")
            planned = corr.plan(x.shape, w, bias, groups=groups, algorithm="direct")(x)
        wanted = wanted or (y, gx, gw, y)
        assert same([y, gx, gw, planned], wanted), threads
    for i in (0, 6, len(x) - 1):
        alone = corr.conv2d(x[i : i + 1], w, bias, groups=groups, algorithm="direct")
        back = corr.conv2d_input(alone.shape[:1] + shape[1:], w, alone, groups=groups, algorithm="direct")
        assert same([alone[0], back[0]], [y[i], gx[i]]), i
