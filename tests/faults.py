"""Problems drawn at random while memory runs out or threads are refused.

`check(seed)` makes allocation 1, 2, 3 ... of every pass fail until one succeeds: each time
`MemoryError`, nothing left behind, and the same call right after is exact.
"""

import numpy as np
from exactness import Problem, compare, expected

import corr
from corr import _kernels

MOST = 500  # allocations of one call: a stride of 5 makes 25 problems of one


def exhausted(p, what, call, wanted):
    """How many allocations of `call` were made to fail."""
    for count in range(1, MOST):
        with _kernels.memory("end", count) as memory:
            try:
                got = call()
                failed = False
                compare(p, what, got, wanted)
                del got
            except MemoryError as error:
                failed = True
                assert str(error), p
        if memory.alive:
            raise AssertionError(f"{what}: {memory.alive} blocks left at allocation {count}; {p}")
        if not failed:
            if memory.count >= count:
                raise AssertionError(f"{what}: allocation {count} failed unnoticed; {p}")
            return count - 1
        compare(p, what + " after a failure", call(), wanted)
    raise AssertionError(f"{what}: more than {MOST} allocations; {p}")


def check(seed):
    """How many failures were injected."""
    p = Problem(seed)
    p.layouts["out"] = "new"
    x, w, gy = (p.whole(s).astype("f4") for s in (p.x_shape, p.w_shape, p.y_shape))
    y, gx, gw, gb = expected(p, x, w, gy)
    how = {"algorithm": "direct"}
    failures = 0
    _kernels.limit_started_threads(seed % 3 if seed % 2 else 255)
    try:
        with corr.num_threads(p.threads):
            def backward():
                grads = corr.conv2d_backward(gy, x, w, *p.args, **how)
                return np.concatenate([np.ravel(g) for g in grads])

            for what, call, wanted in (
                ("output", lambda: corr.conv2d(x, w, None, *p.args, **how), y),
                ("plan", lambda: corr.plan(x.shape, w, None, *p.args, **how)(x), y),
                ("input gradient", lambda: corr.conv2d_input(x.shape, w, gy, *p.args, **how), gx),
                ("weight gradient", lambda: corr.conv2d_weight(x, w.shape, gy, *p.args, **how), gw),
                ("gradients", backward, np.concatenate([np.ravel(g) for g in (gx, gw, gb)])),
            ):
                failures += exhausted(p, what, call, wanted)
            near = corr.conv2d(x, w, None, *p.args)
            failures += exhausted(p, "auto", lambda: corr.conv2d(x, w, None, *p.args), near)
    finally:
        _kernels.limit_started_threads()
    return failures
