"""How the time of corr2d grows with a picture's pixels, and with the kernel's side.

    python docs/filters_times.py        (half a minute)
    python docs/figures.py

One thread, float32, into an array that is there, the best of several calls. The first command
writes docs/filters_times.txt, the second draws docs/figures/filters.svg from it.
"""

import time
from pathlib import Path

import numpy as np

import corr

TABLE = Path(__file__).with_suffix(".txt")
SIDES = (64, 128, 256, 512, 1024, 2048, 4096, 8192)
SHOWN = (3, 7, 15, 31)
KERNELS = (3, 5, 7, 9, 11, 13, 15, 17, 21, 25, 31, 41, 51, 63, 81, 101, 127)


def milliseconds(height, width, kernel, rng):
    picture = rng.standard_normal((height, width), dtype=np.float32)
    weight = rng.standard_normal((kernel, kernel), dtype=np.float32)
    out = np.empty_like(picture)
    best, spent, calls = np.inf, 0.0, 0
    while spent < 0.15 or calls < 3:
        began = time.perf_counter()
        corr.corr2d(picture, weight, padding=kernel // 2, out=out)
        once = time.perf_counter() - began
        best, spent, calls = min(best, once), spent + once, calls + 1
    return 1e3 * best


def main():
    rng = np.random.default_rng(0)
    cases = [(side, side, kernel) for kernel in SHOWN for side in SIDES]
    cases += [(1080, 1920, kernel) for kernel in KERNELS]
    lines = ["# height width kernel's_side milliseconds"]
    with corr.num_threads(1):
        for case in cases:
            lines.append(f"{case[0]} {case[1]} {case[2]} {milliseconds(*case, rng):.3g}")
            print(lines[-1], flush=True)
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
