"""Tables of a run, as Markdown that reads well in a terminal too."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from .run import Run
from .suites import Layer

NETWORKS_FROM = 2  # a suite with counts beyond one is a network; it gets a total


def layer_of(row: dict[str, Any]) -> Layer:
    return Layer(**{name: row[name] for name in Layer.__dataclass_fields__})


def milliseconds(row: dict[str, Any], name: str) -> float | None:
    timed = row["times"].get(name)
    return timed["ms"] if timed else None


def peer_names(rows: Iterable[dict[str, Any]]) -> list[str]:
    """Everything timed that is neither corr nor a yardstick, in order of appearance."""
    found: dict[str, None] = {}
    for row in rows:
        found.update((name, None) for name in row["times"]
                     if name not in row["ours"] and name != "copy")
    return list(found)


def our_names(rows: Iterable[dict[str, Any]]) -> list[str]:
    found: dict[str, None] = {}
    for row in rows:
        found.update(dict.fromkeys(row["ours"]))
    return list(found)


def fastest_peer(row: dict[str, Any]) -> tuple[str, float] | None:
    times = [(name, row["times"][name]["ms"]) for name in peer_names([row])]
    return min(times, key=lambda pair: pair[1]) if times else None


def gflops(row: dict[str, Any], name: str) -> float | None:
    ms = milliseconds(row, name)
    return row["flops"] / ms / 1e6 if ms else None


def ratio(row: dict[str, Any], name: str) -> float | None:
    """Time of the fastest peer over corr's: above 1, corr is ahead."""
    fastest, ms = fastest_peer(row), milliseconds(row, name)
    return fastest[1] / ms if fastest and ms else None


def geometric_mean(values: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, values)) / len(values))


def show_ms(ms: float | None) -> str:
    if ms is None:
        return ""
    return f"{ms:.4f}" if ms < 0.1 else f"{ms:.3f}" if ms < 10 else f"{ms:.1f}"


def show(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Aligned Markdown; the first `left` columns to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(
            cell.ljust(width) if i < left else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(cells, widths, strict=True))) + " |"

    rule = "|" + "|".join(("-" * (width + 2)) if i < left else "-" * (width + 1) + ":"
                          for i, width in enumerate(widths)) + "|"
    return "\n".join([line(heads), rule, *map(line, rows)])


def summary(run: Run) -> str:
    """The whole report."""
    parts = [_about(run.about)]
    groups = list(dict.fromkeys((row["pass"], row["threads"]) for row in run.rows))
    for which, threads in groups:
        rows = [row for row in run.rows if (row["pass"], row["threads"]) == (which, threads)]
        parts.append(_group(which, threads, rows))
    if not run.rows:
        parts.append("Nothing was measured.")
    if run.about.get("interrupted"):
        parts.append("Interrupted: these are the layers measured until then.")
    return "\n\n".join(parts)


def _about(about: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in about["peers"].items())
    lines = [
        f"corr {about['corr']} ({about['isa']}, {about['compiler']}) on {about['cpu']}, "
        f"{about['cores']} cores, {about['system']}",
        f"Python {about['python']}, NumPy {about['numpy']}; peers: {versions or 'none'}",
        f"suite {about['suite']}, {about['dtype']}, {about['layout']}"
        + (", outputs kept alive" if about["fresh"] else "")
        + ("" if about["pinned"] else "; threads NOT pinned to cores of their own"),
    ]
    lines += [f"missing: {name} ({reason})" for name, reason in about["missing"].items()]
    return "  \n".join(lines)


def _group(which: str, threads: int, rows: list[dict[str, Any]]) -> str:
    ours, theirs = our_names(rows), peer_names(rows)
    lead, others = ours[0], ours[1:]
    heads = ["layer", "shape", "algorithm", "kernel", f"{lead} ms", "GFLOP/s", "of peak", "of copy",
             *(f"{name} ms" for name in others), *theirs, *(f"x {name}" for name in ours if theirs)]
    body = []
    for row in rows:
        copy, ms, fastest = milliseconds(row, "copy"), milliseconds(row, lead), fastest_peer(row)
        rate = gflops(row, lead)
        times = []
        for name in theirs:
            text = show_ms(milliseconds(row, name))
            times.append(f"**{text}**" if fastest and name == fastest[0] else text)
        body.append([
            row["name"], layer_of(row).shape, row["algorithm"], row["kernel"], show_ms(ms),
            show(rate, ".1f"), show(rate and rate / row["peak_gflops"], ".0%"),
            show(copy / ms if copy and ms else None, ".0%"),
            *(show_ms(milliseconds(row, name)) for name in others), *times,
            *(show(ratio(row, name), ".2f") for name in ours if theirs)])
    blank = [i for i, head in enumerate(heads) if head in ("algorithm", "kernel")
             and not any(line[i] for line in body)]
    heads = [head for i, head in enumerate(heads) if i not in blank]
    body = [[cell for i, cell in enumerate(line) if i not in blank] for line in body]
    peak = max(row["peak_gflops"] for row in rows)
    plural = "" if threads == 1 else "s"
    parts = [f"### {which}, {threads} thread{plural} (FMA peak {peak:.0f} GFLOP/s)",
             table(heads, body, left=4 - len(blank))]
    closing = _means(rows, ours) + _totals(rows, ours + theirs) + _refused(rows)
    if closing:
        parts.append("\n".join(closing))
    return "\n\n".join(parts)


def _means(rows: list[dict[str, Any]], ours: list[str]) -> list[str]:
    lines = []
    for name in ours:
        with_peer = [(row, value) for row in rows if (value := ratio(row, name))]
        of_peak = [rate / row["peak_gflops"] for row in rows if (rate := gflops(row, name))]
        if not of_peak:
            continue
        text = f"- {name}: geometric mean {geometric_mean(of_peak):.2f} of the FMA peak"
        if with_peer:
            values = [value for _, value in with_peer]
            worst, least = min(with_peer, key=lambda pair: pair[1])
            rival = fastest_peer(worst)
            assert rival
            text += (f", {geometric_mean(values):.2f} times the fastest peer; worst {worst['name']}"
                     f" with {least:.2f} ({rival[0]}); {sum(v < 0.97 for v in values)} of"
                     f" {len(values)} below 0.97")
        lines.append(text)
    return lines


def _totals(rows: list[dict[str, Any]], everyone: list[str]) -> list[str]:
    if max(row["count"] for row in rows) < NETWORKS_FROM:
        return []
    totals = {}
    for name in everyone:
        times = [milliseconds(row, name) for row in rows]
        if all(times):
            totals[name] = sum(ms * row["count"]
                               for ms, row in zip(times, rows, strict=True) if ms)
    if not totals:
        return []
    return ["- the network's convolutions, each as often as it has them, ms: "
            + ", ".join(f"{name} {show_ms(total)}" for name, total in totals.items())]


def _refused(rows: list[dict[str, Any]]) -> list[str]:
    wrong = [f"- WRONG, not timed: {name} on {row['name']}: {reason}"
             for row in rows for name, reason in row["wrong"].items()]
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for name, reason in row["refused"].items():
            reasons.setdefault((name, reason), []).append(row["name"])
    left = [f"- {name} left out ({reason}): "
            + (", ".join(names) if len(names) < 4 else f"{len(names)} of {len(rows)} layers")
            for (name, reason), names in reasons.items()]
    return wrong + left
