"""Peak memory of large filters: the picture, the result and little more."""

import subprocess
import sys

import pytest

pytest.importorskip("resource", reason="no resource usage on this platform")

FILTER = """
import resource, sys
import numpy as np
import corr
from corr import signal
def peak():
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most // 1024 if sys.platform == "darwin" else most
kind, dtype, size = sys.argv[1], np.dtype(sys.argv[2]), int(sys.argv[3])
kernel = np.random.default_rng(0).standard_normal((size, size)).astype(np.float32)
corr.corr2d(np.ones((1, 600), np.float32), np.ones((1, 2), np.float32))
before = peak()
picture = np.empty((8192, 8192), dtype)
picture[...] = 1
if kind == "corr2d":
    result = corr.corr2d(picture, kernel, padding=size // 2)
else:
    result = signal.correlate2d(picture, kernel, "same", kind)
print((peak() - before) * 1024 - picture.nbytes - result.nbytes)
"""


@pytest.mark.parametrize(("kind", "dtype", "size"), [
    ("corr2d", "f4", 5), ("corr2d", "f4", 31), ("corr2d", "u1", 5), ("corr2d", "u1", 21),
    ("symm", "f4", 7), ("fill", "f4", 3)])
def test_at_most_64_mib_besides(kind, dtype, size):
    done = subprocess.run([sys.executable, "-c", FILTER, kind, dtype, str(size)],
                          capture_output=True, text=True, check=True)
    assert int(done.stdout) <= 64 << 20, f"{int(done.stdout) >> 20} MiB more"
