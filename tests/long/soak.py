"""Small and mixed calls without end, in flat memory.

`--count` small calls (ten million) and a hundredth as many mixed ones: every pass of drawn
problems, plans made, run in both layouts and dropped, calls that are refused, threads that come
and go. The resident memory at the end may be at most 1 MiB above that after the first tenth.
"""

import sys
import threading
import time

import runner
from cases import random_case

GROWTH = 1 << 20
SEEDS = 400  # of the mixed calls, again and again


def small_calls(count):
    import numpy as np

    import corr

    x, w = np.ones((1, 3, 6, 7), np.float32), np.ones((2, 3, 3, 3), np.float32)
    image, kernel = np.ones((6, 8)), np.array([[1.0, -1.0]])
    plan, out = corr.plan(x.shape, w), np.empty((1, 2, 4, 5), np.float32)
    gy = np.ones_like(out)
    for _ in range(count // 8):
        corr.conv2d(x, w)
        corr.conv2d(x, w, out=out)
        plan(x)
        plan(x, out=out)
        corr.corr2d(image, kernel)
        corr.corr2d(image, kernel, padding=1)
        corr.conv2d_input(x.shape, w, gy)
        corr.conv2d_weight(x, w.shape, gy)


def mixed_call(seed):
    import numpy as np

    import corr

    case = random_case(seed % SEEDS)
    x, w, b, gy = case.arrays((np.float32, np.float64)[seed % 2])
    last = np.ascontiguousarray(x.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    with corr.num_threads(1 + seed % 4):
        corr.conv2d(x, w, b, *case.args, activation=(None, "relu")[seed % 2])
        into = corr.conv2d_backward(gy, x, w, *case.args)
        corr.conv2d_backward(gy, x, w, *case.args, accumulate_into=into)
        plan = corr.plan((None, *x.shape[1:]), w, b, *case.args)
        plan(x), plan(last), plan(x)
    if seed % 7 == 0:
        corr.col2im(corr.im2col(x, 1), x.shape[2:], 1)
    if seed % 11 == 0:
        try:
            corr.conv2d(x, w[:, :0], b, *case.args)
        except ValueError:
            pass
    if seed % 97 == 0:
        threading.Thread(target=corr.conv2d, args=(x, w, b, *case.args)).start()
        corr.trim()


def mixed_calls(count):
    for seed in range(count):
        mixed_call(seed)


def resident():
    """Bytes, after all that may be given back has been."""
    import ctypes
    import gc
    import resource

    import corr

    gc.collect()
    corr.trim()
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):  # glibc keeps what was freed
        libc.malloc_trim(0)
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * resource.getpagesize()


def soak(name, calls, count):
    calls(max(count // 10, SEEDS * 2))
    before, began = resident(), time.monotonic()
    calls(count)
    growth = resident() - before
    print(f"{count:,} {name} calls: {growth / 2**20:+.2f} MiB, {time.monotonic() - began:.0f} s", flush=True)
    return growth <= GROWTH


if __name__ == "__main__":
    args = runner.parser(__doc__).parse_args()
    calls = args.count or 10_000_000
    flat = [soak("small", small_calls, calls), soak("mixed", mixed_calls, calls // 100)]
    sys.exit(0 if all(flat) else "FAILED: memory grows")
