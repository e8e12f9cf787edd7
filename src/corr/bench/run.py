"""A run: a worker for each number of threads, their rows, and what they ran on."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import corr

from . import peers
from .suites import Layer

# One variable a runtime: a peer that reads it late still gets the run's threads.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS",
                    "CORR_NUM_THREADS")


class BenchError(Exception):
    """A worker died; its text says how."""


@dataclass
class Order:
    """What to measure."""

    suite: str
    layers: list[Layer]
    passes: tuple[str, ...] = ("forward",)
    threads: tuple[int, ...] = (1,)
    peers: tuple[str, ...] = ()
    dtype: str = "float32"
    layout: str = "NCHW"
    fresh: bool = False
    quick: bool = False

    @property
    def rows(self) -> int:
        return len(self.layers) * len(self.passes) * len(self.threads)


@dataclass
class Run:
    """What was measured."""

    about: dict[str, Any]
    rows: list[dict[str, Any]] = field(default_factory=list)

    def save(self, path: Path) -> None:
        path.write_text(json.dumps({**self.about, "rows": self.rows}, indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> Run:
        content = json.loads(path.read_text())
        rows = content.pop("rows")
        if not all({"name", "pass", "threads", "times"} <= row.keys() for row in rows):
            raise ValueError("its rows are not those of corr bench")
        return cls(content, rows)


def cpu_name() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def about(order: Order, missing: dict[str, str]) -> dict[str, Any]:
    """What the run stands on: machine, versions, options."""
    config = corr.show_config("dicts")
    return {
        "corr": corr.__version__, "isa": config["isa"], "compiler": config["compiler"],
        "cpu": cpu_name(), "cores": os.cpu_count(), "system": platform.platform(terse=True),
        "python": platform.python_version(), "numpy": np.__version__,
        "peers": {name: peers.version(name) for name in order.peers}, "missing": missing,
        "suite": order.suite, "dtype": order.dtype, "layout": order.layout,
        "fresh": order.fresh, "quick": order.quick, "pinned": True,
    }


def run(order: Order, missing: dict[str, str], report: Callable[[dict[str, Any]], None]) -> Run:
    """Measure all of the order; `report` gets each row as it comes.

    On Ctrl-C the rows that are there are returned, with `about["interrupted"]` set.
    """
    result = Run(about(order, missing))
    for threads in order.threads:
        try:
            _one_worker(order, threads, result, report)
        except KeyboardInterrupt:
            result.about["interrupted"] = True
            break
    return result


def _one_worker(order: Order, threads: int, result: Run,
                report: Callable[[dict[str, Any]], None]) -> None:
    request = {"threads": threads, "layers": [layer.as_dict() for layer in order.layers],
               "passes": order.passes, "peers": order.peers, "dtype": order.dtype,
               "layout": order.layout, "fresh": order.fresh, "quick": order.quick}
    environment = dict(os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads)))
    with tempfile.TemporaryFile("w+") as errors:
        worker = subprocess.Popen([sys.executable, "-m", "corr.bench.worker"], text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
                                  env=environment)
        assert worker.stdin and worker.stdout
        try:
            worker.stdin.write(json.dumps(request) + "\n")
            worker.stdin.close()
            for line in worker.stdout:
                row = json.loads(line)
                if "pinned" in row:
                    result.about["pinned"] &= row["pinned"]
                    continue
                result.rows.append(row)
                report(row)
        except BaseException:
            worker.kill()
            raise
        finally:
            worker.wait()
        if worker.returncode:
            errors.seek(0)
            last = errors.read().strip().splitlines()[-1:] or ["no message"]
            raise BenchError(f"the worker at {threads} threads ended with status "
                             f"{worker.returncode}: {last[0]}")
