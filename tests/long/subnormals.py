"""Subnormal numbers under the caller's flush to zero: no slower than normal ones.

Each layer in turn with normal numbers, subnormal ones, and those with the flag set. Wants a
machine at rest; fails where the flag leaves more than a tenth.
"""

import sys
import time

import runner  # noqa: F401  finds what the tests share
from layers import LAYERS, Layer

ROUNDS = 15


def seconds(call):
    best = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        call()
        best.append(time.perf_counter() - began)
    return min(best)


def main():
    import numpy as np

    import corr

    slow = []
    with corr.num_threads(1):
        for name in LAYERS:
            layer = Layer(name)
            normal = {what: seconds(call) for what, call in layer.passes().items()}
            for array in (layer.x, layer.gy):
                array[...] = np.float32(1e-40)
            calls = layer.passes()
            kept = {what: seconds(call) for what, call in calls.items()}
            corr.set_flush_denormal(True)
            flushed = {what: seconds(call) for what, call in calls.items()}
            corr.set_flush_denormal(False)
            for what in calls:
                ratio = flushed[what] / normal[what]
                print(f"{name}, {what}: normal {1e6 * normal[what]:.0f} us, subnormal "
                      f"{kept[what] / normal[what]:.2f}, flushed {ratio:.2f}", flush=True)
                if ratio > 1.1:
                    slow.append((name, what, round(ratio, 2)))
    print(f"flushed and slow: {slow}")
    return bool(slow)


if __name__ == "__main__":
    sys.exit(main())
