"""The tables of docs/accuracy.md: the largest error of each algorithm and peer.

    python tools/accuracy.py

In units of 2^-24 times a sum: the output's own sum |x||w|; the largest of those in its tile; or
the tile's, sqrt(K * sum m_c^2) over the K input channels, m_c the largest |x| under a tile of
outputs times sum |w|.
"""

import warnings
from dataclasses import replace
from functools import partial

import numpy as np

import corr
from corr.bench import peers
from corr.bench.subjects import Unsupported, make_task
from corr.bench.suites import Layer

KINDS = ("normal", "ReLU'd", "dark half", "mostly zeros", "one huge value", "one huge channel",
         "any magnitude", "alternating rows")
LAYER = Layer("accuracy", 1, 64, 56, 56, 64, 3, 3, padding=1)
FEW = replace(LAYER, ic=16)  # channels at which F(2, 3) is taken
SEEDS = 4


def make(kind, rng, shape):
    x = rng.standard_normal(shape)
    if kind == "ReLU'd":
        x = np.maximum(x, 0)
    elif kind == "dark half":
        x[..., : shape[3] // 2] *= 1e-4
    elif kind == "mostly zeros":
        x *= rng.random(shape) < 0.1
    elif kind == "one huge value":
        x[tuple(rng.integers(n) for n in shape)] = 1e6
    elif kind == "one huge channel":
        x[:, rng.integers(shape[1])] *= 1e6
    elif kind == "any magnitude":
        x *= 10.0 ** rng.uniform(-6, 6, shape)
    elif kind == "alternating rows":
        x = np.abs(x) * (-1) ** np.arange(shape[2])[:, None]
    return x.astype(np.float32)


def exact(x, w):
    return corr.conv2d(x.astype(np.float64), w.astype(np.float64), padding=1)


def own_sums(x, w):
    return exact(abs(x), abs(w))


def largest_sums(x, w, tile):
    n, c, h, v = x.shape[0], w.shape[0], *x.shape[2:]
    sums = own_sums(x, w).reshape(n, c, h // tile, tile, v // tile, tile).max((3, 5))
    return sums.repeat(tile, 2).repeat(tile, 3)


def tile_sums(x, w, tile):
    size = np.pad(abs(x.astype(np.float64)), ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = np.lib.stride_tricks.sliding_window_view(size, (tile + 2, tile + 2), (2, 3))
    most = windows[:, :, ::tile, ::tile].max((4, 5))
    weights = abs(w.astype(np.float64)).sum((2, 3))
    sums = (w.shape[1] * np.einsum("oc,nchw->nohw", weights**2, most**2)) ** 0.5
    return sums.repeat(tile, 2).repeat(tile, 3)


def own(algorithm):
    return lambda task: corr.conv2d(task.x, task.w, padding=1, algorithm=algorithm)


def peer(name):
    def run(task):
        subject = next(iter(peers.subjects(name, task)))
        return np.array(subject.read(subject.call()))  # which may end with the subject
    return run


def rows():
    """Name, layer, way to compute, and what its error is counted in."""
    yield "direct", LAYER, own("direct"), own_sums
    for name in ("torch", "onnxruntime"):
        if not peers.missing(name):
            yield name, LAYER, peer(name), own_sums
    for what, sums in (("largest sum", largest_sums), ("tile's sum", tile_sums)):
        of_four, of_two = partial(sums, tile=4), partial(sums, tile=2)
        yield f"winograd F(4, 3), {what}", LAYER, own("winograd"), of_four
        yield f"winograd F(2, 3), {what}", FEW, own("winograd"), of_two
        if not peers.missing("ncnn"):
            yield f"ncnn, {what}", LAYER, peer("ncnn"), of_four


def worst_of(layer, run, sums_of, kind):
    worst = 0
    for seed in range(SEEDS):
        rng = np.random.default_rng(seed)
        task = make_task(layer, "forward", "float32", 1)
        task = replace(task, x=make(kind, rng, layer.x_shape),
                       w=rng.standard_normal(layer.w_shape, np.float32))
        sums = sums_of(task.x, task.w)
        wrong = np.abs(run(task) - exact(task.x, task.w))
        worst = max(worst, (wrong[sums > 0] / (2.0**-24 * sums[sums > 0])).max())
    return worst


def main():
    warnings.simplefilter("ignore")  # of the peers
    print("| | " + " | ".join(KINDS) + " |\n|---" + "|---" * len(KINDS) + "|")
    for name, layer, run, sums_of in rows():
        try:
            cells = [f"{worst_of(layer, run, sums_of, kind):.1f}" for kind in KINDS]
        except Unsupported as reason:
            print(f"{name}: {reason}")
            continue
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
