"""The clock: rounds of bursts, interleaved, the best burst of each."""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from corr import _core

# A burst is long enough to hide the clock and short enough to fall between interruptions.
BURST = 2e-3
FEWEST_ROUNDS, MOST_ROUNDS = 4, 60
LONGEST_SETTLE = 0.1  # onnxruntime's threads spin for 45 ms after their work
# Between two looks at the threads; the process's clock counts those of other cores at every
# tick of the system's, of 4 or 10 ms.
LOOK, TICK = 1e-3, 12e-3
FRESH_BYTES = 256 << 20  # outputs that --fresh keeps alive, a subject
LONGEST_CALL = 2.0  # seconds from which a subject's first call is its only one


@dataclass(frozen=True)
class Budget:
    """Seconds that each subject of a layer may take."""

    seconds: float

    @classmethod
    def of(cls, quick: bool) -> Budget:
        return cls(0.08 if quick else 0.3)


class Timed:
    """One subject under the clock."""

    def __init__(self, call: Callable[[], Any], keep: int = 0, output_bytes: int = 0,
                 first: float = 0.0) -> None:
        self.call = call
        self.kept: list[Any] | None = [] if keep else None
        self.left = max(keep // max(output_bytes, 1), FEWEST_ROUNDS) if keep else None
        self.bursts: list[float] = []
        self.spent = 0.0
        self.calls, self.once = 1, first
        if first > LONGEST_CALL:
            return
        began = time.perf_counter()
        self._burst(1)
        once = time.perf_counter() - began
        if once < 10 * BURST:  # the first call may have waited for its threads
            once = min(self._burst(3), once)
        self.calls = max(1, int(BURST / max(once, 1e-8)))
        self.once = once

    def _burst(self, calls: int) -> float:
        call = self.call
        if self.kept is not None:
            assert self.left is not None
            calls = max(1, min(calls, self.left))
            self.left -= calls
            began = time.perf_counter()
            self.kept.extend(call() for _ in range(calls))
        else:
            began = time.perf_counter()
            for _ in itertools.repeat(None, calls):
                call()
        return (time.perf_counter() - began) / calls

    def step(self) -> None:
        if self.calls > 1 and self.kept is None:
            self.call()  # its data back into the caches, its threads awake
        once = self._burst(self.calls)
        self.bursts.append(once)
        self.spent += once * self.calls

    def wants_more(self, seconds: float) -> bool:
        if self.left is not None and self.left <= 0:
            return False
        if not self.bursts and self.once > min(4 * seconds, LONGEST_CALL):
            self.bursts.append(self.once)  # a peer that takes seconds a call
            return False
        if len(self.bursts) < FEWEST_ROUNDS:
            return self.spent < 4 * seconds or not self.bursts
        return self.spent < seconds and len(self.bursts) < MOST_ROUNDS

    @property
    def result(self) -> dict[str, Any]:
        """Milliseconds of the best burst, and how far above it the median lies."""
        best = min(self.bursts)
        return {"ms": 1e3 * best, "noise": float(np.median(self.bursts)) / best - 1,
                "bursts": len(self.bursts), "calls": self.calls}


def _others_run() -> bool:
    """Is another thread of the process running, or about to? `OSError` where nobody tells."""
    own = str(threading.get_native_id())
    for thread in os.listdir("/proc/self/task"):
        if thread == own:
            continue
        try:
            with open(f"/proc/self/task/{thread}/stat") as stat:
                state = stat.read().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended
        if state == "R":
            return True
    return False


def settle() -> None:
    """Sleeps until no thread of the process is busy."""
    end = time.perf_counter() + LONGEST_SETTLE
    quiet = 0
    while quiet < 2 and time.perf_counter() < end:
        before = time.process_time()
        time.sleep(LOOK)
        try:
            quiet = 0 if _others_run() else quiet + 1
        except OSError:
            time.sleep(TICK - LOOK)
            if time.process_time() - before < TICK / 10:
                return


def interleave(timed: dict[str, Timed], budget: Budget, threads: int = 1,
               each_round: Callable[[], None] = lambda: None) -> None:
    """Rounds over all subjects until each has had its time.

    With several threads every burst begins when all are asleep, so that nobody is timed
    against the spinning threads of the one before.
    """
    while True:
        waiting = [subject for subject in timed.values() if subject.wants_more(budget.seconds)]
        if not waiting:
            return
        each_round()
        for subject in waiting:
            if threads > 1:
                settle()
            subject.step()


class Yardsticks:
    """The FMA peak and the copy, at the run's number of threads."""

    def __init__(self, threads: int, dtype: np.dtype[Any]) -> None:
        self.threads, self.dtype = threads, dtype
        self.workers = ThreadPoolExecutor(threads)
        self.peak = 0.0

    def sample_peak(self, seconds: float = 1e-3) -> None:
        """GFLOP/s of all threads at once; the best so far is kept."""
        if self.threads == 1:
            rate = _core._fma_peak(self.dtype, seconds)
        else:  # long enough that all of them run at the same time
            tasks = [self.workers.submit(_core._fma_peak, self.dtype, 4 * seconds)
                     for _ in range(self.threads)]
            rate = sum(task.result() for task in tasks)
        self.peak = max(self.peak, rate)

    def copy(self, moved_bytes: int) -> Callable[[], Any]:
        """A copy that reads and writes `moved_bytes` together, halves from each to each."""
        source = np.ones(max(1, moved_bytes // 2), np.uint8)
        target = np.empty_like(source)
        if self.threads == 1 or moved_bytes < 1 << 20:
            return lambda: np.copyto(target, source)
        pieces = list(zip(np.array_split(target, self.threads),
                          np.array_split(source, self.threads), strict=True))

        def call() -> None:
            for task in [self.workers.submit(np.copyto, *piece) for piece in pieces]:
                task.result()

        return call
