"""The table of docs/accuracy.md: max |error| / (2^-24 * sum |x||w|) of each algorithm and peer.

    python tools/accuracy.py

For "direct" and the peers the sum is the output's own; for Winograd the largest of its tile.
"""

import numpy as np

import corr

DATA = ("normal", "ReLU'd", "dark half", "zeros beside values", "one huge value")
SHAPE, OUT = (1, 64, 56, 56), 64


def make(name, rng):
    x = rng.standard_normal(SHAPE)
    if name == "ReLU'd":
        x = np.maximum(x, 0)
    elif name == "dark half":
        x[..., : SHAPE[3] // 2] *= 1e-4
    elif name == "zeros beside values":
        x *= rng.random(SHAPE) < 0.1
    elif name == "one huge value":
        x *= 1e-3
        x[0, rng.integers(SHAPE[1]), 20 + rng.integers(8), 20 + rng.integers(8)] = 1000
    return x.astype(np.float32)


def exact(x, w):
    return corr.conv2d(x.astype(np.float64), w.astype(np.float64), padding=1)


def largest_of_tiles(sums, side):
    n, c, h, w = sums.shape
    most = sums.reshape(n, c, h // side, side, w // side, side).max((3, 5))
    return most.repeat(side, 2).repeat(side, 3)


def torch_conv():
    try:
        import torch
    except ImportError:
        return None
    return lambda x, w: torch.conv2d(torch.tensor(x), torch.tensor(w), padding=1).numpy()


def main():
    few = SHAPE[1] // 4  # channels at which F(2, 3) takes over
    ways = {
        "direct": (1, lambda x, w: corr.conv2d(x, w, padding=1, algorithm="direct")),
        "winograd F(4, 3)": (4, lambda x, w: corr.conv2d(x, w, padding=1, algorithm="winograd")),
        f"winograd F(2, 3), {few} channels": (2, None),
    }
    if torch_conv():
        ways["torch"] = (1, torch_conv())
    print("| | " + " | ".join(DATA) + " |\n|---" + "|---" * len(DATA) + "|")
    for way, (side, run) in ways.items():
        cells = []
        for name in DATA:
            worst = 0
            for seed in range(8):
                rng = np.random.default_rng(seed)
                x, w = make(name, rng), rng.standard_normal((OUT, SHAPE[1], 3, 3), np.float32)
                if run is None:
                    x, w = x[:, :few], np.ascontiguousarray(w[:, :few])
                y = (run or ways["winograd F(4, 3)"][1])(x, w)
                sums = largest_of_tiles(exact(abs(x), abs(w)), side)
                with np.errstate(divide="ignore", invalid="ignore"):
                    ratio = np.abs(y - exact(x, w)) / (2.0**-24 * sums)
                worst = max(worst, np.nanmax(ratio))
            cells.append(f"{worst:.1f}")
        print(f"| {way} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
