"""What is taken is given back, and what is kept has a bound."""

import ctypes
import sys
from pathlib import Path

import numpy as np
import pytest
from layers import LAYERS, Layer

import corr
from corr import _kernels

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def channels_last(a):
    return np.ascontiguousarray(a.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)


@pytest.mark.skipif(not _kernels.memory.guards, reason="needs mmap and mprotect")
@pytest.mark.parametrize("name", LAYERS)
def test_every_block_is_released(name):
    layer = Layer(name)
    both = layer.x, channels_last(layer.x)
    alive = []
    with _kernels.memory("end") as memory:  # what it gave must be back before it ends
        plan = layer.plan()
        alive.append(memory.live())
        for x in both * 3:
            plan(x)
            alive.append(memory.live())
        del plan
        dropped = memory.live()
        for x in both:
            layer.forward(x)
            layer.backward(x, channels_last(layer.gy))
            corr.conv2d(x, layer.w, None, *layer.args, padding_mode="circular")
    assert memory.alive == dropped == 0
    assert alive[0] == alive[1] <= alive[2] <= alive[0] + 1  # the other layout's weights
    assert alive[2:] == alive[2:3] * 5


def resident():
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc keeps what was freed
        libc.malloc_trim(0)
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4096


@linux
def test_kept_blocks_are_bounded():
    w = np.ones((1, 1, 1, 1), np.float32)
    corr.trim()
    x = np.ones((1, 1, 4096, 2048), np.float32)
    before = resident()
    for rows in range(1500, 1500 + 12 * 40, 40):
        corr.conv2d(x[:, :, :rows], w)  # 12 to 16 MiB, each of its own size
    kept = resident() - before
    assert kept < 80 << 20
    corr.trim()
    assert resident() - before < 8 << 20


def test_kept_blocks_serve_their_size_alone():
    w = np.ones((1, 1, 1, 1), np.float32)
    corr.trim()
    for rows in (128, 512, 130, 511, 129, 2048):
        outputs = [corr.conv2d(np.full((1, 1, rows, 128), i, np.float32), w) for i in range(6)]
        for i, y in enumerate(outputs):
            assert (y == i).all()
            assert y.ctypes.data % 64 == 0
        places = sorted((y.ctypes.data, y.nbytes) for y in outputs)
        for (a, size), (b, _) in zip(places, places[1:], strict=False):
            assert a + size <= b
        del outputs, y


@linux
def test_memory_is_flat():
    """The long run is tests/long/soak.py."""
    sys.path.insert(0, str(Path(__file__).parent / "long"))
    import soak

    sys.path.pop(0)
    assert soak.soak("small", soak.small_calls, 100_000)
    assert soak.soak("mixed", soak.mixed_calls, 800)
