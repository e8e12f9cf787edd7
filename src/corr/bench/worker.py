"""One process of a run: fixed threads, pinned cores; reads its orders, writes JSON lines.

A process of its own for each number of threads: most peers settle theirs at import.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any, TextIO

import numpy as np


def pin(threads: int) -> bool:
    """Bind this process to as many cores as it has threads, if the system lets it."""
    if not hasattr(os, "sched_setaffinity"):
        return False
    cores = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cores[:threads])
    return len(cores) >= threads


def measure_layer(order: dict[str, Any], layer: Any, which: str, budget: Any) -> dict[str, Any]:
    """A row of the report."""
    import corr

    from . import check, peers, subjects
    from .measure import FRESH_BYTES, Timed, Yardsticks, interleave, settle

    corr.trim()
    task = subjects.make_task(layer, which, order["dtype"], order["threads"], order["fresh"],
                              order["layout"] == "channels-last")
    refused: dict[str, str] = {}
    found = list(subjects.of_corr(task))
    ours = [subject.name for subject in found]
    for name in order["peers"]:
        try:
            for subject in peers.subjects(name, task):
                found.append(subject)
        except subjects.Unsupported as error:
            refused[name] = str(error)
        except Exception as error:  # whatever a peer does, the run goes on
            refused[name] = f"{type(error).__name__}: {error}".splitlines()[0]
    outputs: dict[str, np.ndarray] = {}
    first: dict[str, float] = {}
    for subject in list(found):
        try:
            began = time.perf_counter()
            output = subject.call()
            first[subject.name] = time.perf_counter() - began
            outputs[subject.name] = np.array(subject.read(output))
            del output
        except Exception as error:
            refused[subject.name] = f"{type(error).__name__}: {error}".splitlines()[0]
            found.remove(subject)
    wrong = check.wrong(task, outputs)
    output_bytes = next(iter(outputs.values())).nbytes if outputs else 0
    del outputs
    found = [subject for subject in found if subject.name not in wrong]
    keep = FRESH_BYTES if order["fresh"] else 0
    yardsticks = Yardsticks(order["threads"], task.dtype)
    timed = {}
    for subject in found:
        if order["threads"] > 1:
            settle()  # beside threads that still spin, too few calls would make a burst
        timed[subject.name] = Timed(subject.call, keep, output_bytes, first[subject.name])
    if order["threads"] > 1:
        settle()
    timed["copy"] = Timed(yardsticks.copy(layer.elements * task.dtype.itemsize))
    interleave(timed, budget, order["threads"], yardsticks.sample_peak)
    chosen = next((subject for subject in found if subject.kernel), None)
    return {
        **layer.as_dict(), "pass": which, "threads": order["threads"], "dtype": order["dtype"],
        "flops": layer.flops, "bytes": layer.elements * task.dtype.itemsize,
        "peak_gflops": yardsticks.peak,
        "algorithm": chosen.algorithm if chosen else "",
        "kernel": chosen.kernel if chosen else "",
        "ours": ours, "times": {name: subject.result for name, subject in timed.items()},
        "wrong": wrong, "refused": refused,
    }


def work(order: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of one order, in the order of its layers."""
    import corr

    from .measure import Budget
    from .suites import Layer

    corr.set_num_threads(order["threads"])
    for which in order["passes"]:
        for fields in order["layers"]:
            yield measure_layer(order, Layer(**fields), which, Budget.of(order["quick"]))
            gc.collect()


def main() -> None:
    # Peers write to standard output as they please; the rows go where they cannot reach.
    rows: TextIO = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    order = json.loads(sys.stdin.readline())
    rows.write(json.dumps({"pinned": pin(order["threads"])}) + "\n")
    try:
        for row in work(order):
            rows.write(json.dumps(row) + "\n")
    except (KeyboardInterrupt, BrokenPipeError):
        os._exit(130)
    rows.flush()
    os._exit(0)  # without the peers' destructors: some hang when their threads are pinned


if __name__ == "__main__":
    main()
