"""Is the choice between the engines near the best? Over a grid of 3x3 layers, the time of
"auto" beside "direct" and "winograd", planned and not.

    python tools/check_choice.py [--quick] [--threads N] [--part I/N]

Prints each layer where "auto" is more than 10% slower than the better of the two, and ends
with how many those are.
"""

import argparse
import itertools
import time

import numpy as np

import corr

CHANNELS, MAPS, BATCHES = (16, 32, 64, 128, 256, 512), (7, 14, 28, 56, 112, 224), (1, 16)
MOST_TERMS = 4e9  # of one layer: longer ones are as their neighbours, only slower
WAYS = ("direct", "winograd", "auto")


def layers(quick):
    for ic, oc, size, batch in itertools.product(CHANNELS, CHANNELS, MAPS, BATCHES):
        terms = batch * ic * oc * size * size * 9
        if ic != oc and (quick or max(ic, oc) != 4 * min(ic, oc)):
            continue
        if terms <= (5e8 if quick else MOST_TERMS):
            yield batch, ic, oc, size


def times(calls, seconds):
    """The best time of each, by rounds, so that all meet the same noise; each once before it
    is timed, so that none suffers from what another left in the caches."""
    best = dict.fromkeys(calls, float("inf"))
    end = time.perf_counter() + seconds
    rounds = 0
    while rounds < 3 or (time.perf_counter() < end and rounds < 200):
        for name, call in calls.items():
            call()
            start = time.perf_counter()
            call()
            best[name] = min(best[name], time.perf_counter() - start)
        rounds += 1
    return best


def calls_of(batch, ic, oc, size, planned):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch, ic, size, size), dtype=np.float32)
    w = rng.standard_normal((oc, ic, 3, 3), dtype=np.float32)
    out = np.empty((batch, oc, size, size), np.float32)
    if planned:
        plans = {way: corr.plan(x.shape, w, padding=1, algorithm=way) for way in WAYS}
        return {way: lambda p=plan: p(x, out=out) for way, plan in plans.items()}
    return {way: lambda way=way: corr.conv2d(x, w, padding=1, algorithm=way, out=out)
            for way in WAYS}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small layers only")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--part", default="1/1", help="every N-th case from the I-th on")
    parser.add_argument("--verbose", action="store_true", help="print every layer")
    options = parser.parse_args()
    corr.set_num_threads(options.threads)
    count, slow, worst = 0, 0, 1.0
    part, parts = map(int, options.part.split("/"))
    cases = itertools.product(layers(options.quick), (True, False))
    for layer, planned in itertools.islice(cases, part - 1, None, parts):
        took = times(calls_of(*layer, planned), 0.03 if options.quick else 0.1)
        ratio = took["auto"] / min(took["direct"], took["winograd"])
        if ratio > 1.1:  # once more: the machine may have been busy
            took = times(calls_of(*layer, planned), 0.3)
            ratio = took["auto"] / min(took["direct"], took["winograd"])
        count += 1
        slow += ratio > 1.1
        worst = max(worst, ratio)
        if ratio > 1.1 or options.verbose:
            batch, ic, oc, size = layer
            print(f"{batch}x{ic}x{size}x{size} -> {oc} {'plan' if planned else 'call'}: "
                  + ", ".join(f"{way} {1e3 * took[way]:.3f} ms" for way in WAYS)
                  + f", {ratio:.2f}", flush=True)
    print(f"{count} layers, {slow} more than 10% slower than the best; the worst {worst:.2f}")


if __name__ == "__main__":
    main()
