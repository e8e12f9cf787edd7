"""The picture of a run: corr and its peers under the FMA roof, a line a layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import report
from .run import Run

INK, CORR, PALE = "#22303c", "#d1495b", "#dfe5ea"
PEERS = {
    "torch": ("#2e86ab", "o"), "torch channels-last": ("#2e86ab", "s"),
    "torch frozen": ("#2e86ab", "^"), "onnxruntime": ("#3c8d5a", "D"),
    "openvino": ("#8d6cab", "P"), "ncnn": ("#e0a030", "v"), "opencv": ("#667788", "X"),
    "scipy correlate2d": ("#9a8478", "<"), "scipy oaconvolve": ("#9a8478", ">"),
}


def draw(run: Run, path: Path) -> None:
    """One panel for each pass and number of threads."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    groups = list(dict.fromkeys((row["pass"], row["threads"]) for row in run.rows))
    tallest = max(sum((row["pass"], row["threads"]) == group for row in run.rows)
                  for group in groups)
    figure = Figure(figsize=(8.2 * len(groups), 0.34 * tallest + 2.6), facecolor="white",
                    layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(f"corr and its peers under the FMA roof: {run.about['suite']}, "
                    f"{run.about['dtype']}\n", fontsize=15, color=INK, fontweight="bold")
    figure.text(0.5, 0.965 - 0.12 / figure.get_figheight(), run.about["cpu"] + ", corr "
                f"{run.about['corr']} ({run.about['isa']})", ha="center", va="top",
                fontsize=9, color=INK)
    handles: dict[str, Any] = {}
    panels = figure.subplots(1, len(groups), squeeze=False)[0]
    for axes, (which, threads) in zip(panels, groups, strict=True):
        rows = [row for row in run.rows if (row["pass"], row["threads"]) == (which, threads)]
        handles.update(_panel(axes, which, threads, rows))
    figure.legend(list(handles.values()), list(handles), loc="outside lower center",
                  ncols=min(len(handles), 7), frameon=False, fontsize=9)
    figure.savefig(path, dpi=120)


def _panel(axes: Any, which: str, threads: int, rows: list[dict[str, Any]]) -> dict[str, Any]:
    ours = report.our_names(rows)
    handles: dict[str, Any] = {}
    roof = max(row["peak_gflops"] for row in rows)
    axes.axvline(1, color=INK, linewidth=2)
    axes.text(1, -1.05, f"FMA peak {roof:.0f} GFLOP/s", ha="center", va="bottom", fontsize=8.5,
              color=INK)
    low = 1.0
    for y, row in enumerate(rows):
        def place(name: str, row: dict[str, Any] = row) -> float | None:
            rate = report.gflops(row, name)
            return rate and rate / row["peak_gflops"]

        if y % 2:
            axes.axhspan(y - 0.5, y + 0.5, color=PALE, alpha=0.35, linewidth=0)
        bound = place("copy")
        if bound and bound < 3:
            handles["a copy of its tensors"] = axes.plot(
                [bound, bound], [y - 0.4, y + 0.4], color=INK, alpha=0.45, linewidth=1.6)[0]
        corr, best = place(ours[0]), report.fastest_peer(row)
        if corr and best:
            against = place(best[0])
            axes.plot([against, corr], [y, y], linewidth=5, alpha=0.30, solid_capstyle="butt",
                      color=CORR if corr >= (against or 0) else INK)
        for name in report.peer_names([row]):
            colour, marker = PEERS.get(name, ("#999999", "o"))
            at = place(name)
            handles[name] = axes.plot(at, y, marker, color=colour, markersize=5.5, alpha=0.9,
                                      markeredgewidth=0)[0]
            low = min(low, at or 1)
        for name in reversed(ours):
            if (at := place(name)) is not None:
                filled = name == ours[0]
                handles[f"corr {name}"] = axes.plot(
                    at, y, "o", color=CORR, markersize=9 if filled else 7, zorder=3,
                    markerfacecolor=CORR if filled else "white", markeredgewidth=1.6)[0]
                low = min(low, at)
    axes.set_xscale("log")
    axes.set_xlim(max(low * 0.7, 1e-4), None)
    ticks = [t for t in (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 2, 4)
             if axes.get_xlim()[0] <= t <= axes.get_xlim()[1]]
    axes.set_xticks(ticks, [f"{t:g}" for t in ticks])
    axes.set_xticks([], minor=True)
    axes.set_yticks(range(len(rows)), [row["name"] for row in rows], fontsize=9)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xlabel("direct GFLOP/s as a fraction of the FMA peak", color=INK)
    axes.set_title(f"{which}, {threads} thread{'' if threads == 1 else 's'}\n", color=INK,
                   fontsize=11)
    axes.grid(axis="x", color=PALE)
    axes.set_axisbelow(True)
    axes.tick_params(length=0, colors=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    return handles
