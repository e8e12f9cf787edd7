"""What one layer costs, said in four ways: the times of the lesson and of its figure.

    python docs/costs_times.py

One thread, float32, 16 to 32 channels, 3x3 on 56x56; the loops once and whole, which takes some
seconds, the others the best of half a second.
"""

import os

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "CORR_NUM_THREADS"):
    os.environ[name] = "1"

import time  # noqa: E402

import numpy as np  # noqa: E402

import corr  # noqa: E402

rng = np.random.default_rng(0)
x = rng.standard_normal((1, 16, 56, 56), dtype=np.float32)
w = rng.standard_normal((32, 16, 3, 3), dtype=np.float32)
SIZE = (1, 32, 54, 54)


def loops():
    y = np.zeros(SIZE, np.float32)
    for n, o, i, j in np.ndindex(*SIZE):
        total = 0.0
        for c in range(16):
            for p in range(3):
                for q in range(3):
                    total += w[o, c, p, q] * x[n, c, i + p, j + q]
        y[n, o, i, j] = total
    return y


def taps():
    y = np.zeros(SIZE, np.float32)
    for p, q in np.ndindex(3, 3):
        y[0] += np.tensordot(w[:, :, p, q], x[0, :, p : p + 54, q : q + 54], 1)
    return y


def columns():
    return (w.reshape(32, 144) @ corr.im2col(x, 3)[0]).reshape(SIZE)


def milliseconds(function, seconds):
    best, end = np.inf, time.perf_counter() + seconds
    while True:
        began = time.perf_counter()
        y = function()
        now = time.perf_counter()
        best = min(best, now - began)
        if now > end:
            np.testing.assert_allclose(y, corr.conv2d(x, w), rtol=1e-3, atol=1e-3)
            return 1e3 * best


if __name__ == "__main__":
    for words, function, seconds in (
        ("seven nested loops", loops, 0), ("a loop over the taps", taps, 0.5),
        ("im2col, matrix product", columns, 0.5), ("corr.conv2d", lambda: corr.conv2d(x, w), 0.5),
    ):
        print(f"{words:24} {milliseconds(function, seconds):10.3f} ms", flush=True)
