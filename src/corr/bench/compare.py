"""Two runs side by side: what got faster or slower by more than the noise of both."""

from __future__ import annotations

from typing import Any

from . import report
from .run import Run


def compare(before: Run, after: Run) -> str:
    """A table of the layers that both runs have.

    Times are compared as fractions of the FMA peak of their own run, so that a machine
    that was busier or slower as a whole does not count as a change.
    """
    def key(row: dict[str, Any]) -> tuple[Any, ...]:
        return row["name"], row["pass"], row["threads"], row["dtype"]

    old = {key(row): row for row in before.rows}
    lines, changes = [], []
    for row in after.rows:
        then = old.get(key(row))
        if then is None:
            continue
        for name in row["ours"]:
            if name not in row["times"] or name not in then["times"]:
                continue
            a, b = then["times"][name], row["times"][name]
            scale = then["peak_gflops"] / row["peak_gflops"]
            change = a["ms"] * scale / b["ms"]
            noise = a["noise"] + b["noise"]
            verdict = ""
            if abs(change - 1) > max(noise, 0.02):
                verdict = "faster" if change > 1 else "SLOWER"
            changes.append(change)
            lines.append([row["name"], row["pass"], name, str(row["threads"]),
                          report.show_ms(a["ms"]), report.show_ms(b["ms"]), f"{change:.2f}",
                          f"{noise:.0%}", verdict])
    if not lines:
        return "The two runs have no layer in common."
    heads = ["layer", "pass", "function", "threads", "before ms", "after ms", "change", "noise", ""]
    faster = sum(line[-1] == "faster" for line in lines)
    slower = sum(line[-1] == "SLOWER" for line in lines)
    return "\n\n".join([
        report.table(heads, lines, left=3),
        f"{faster} faster, {slower} slower, {len(lines) - faster - slower} within the noise; "
        f"geometric mean {report.geometric_mean(changes):.3f} (above 1: faster)."])
