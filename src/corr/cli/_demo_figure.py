"""The picture that `corr demo` draws."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ._errors import CommandError

INK, ACCENT, SECOND = "#22303c", "#d1495b", "#2e86ab"


def draw(output: Path, photo: np.ndarray, vertical: np.ndarray, horizontal: np.ndarray,
         stripes: tuple[np.ndarray, np.ndarray, np.ndarray],
         learned: list[tuple[str, np.ndarray, Any]]) -> None:
    """Photograph, feature maps, stripes, kernels before and after, and the loss."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    aspect = photo.shape[0] / photo.shape[1]
    tall = min(max(aspect, 0.5), 1.6)
    figure = Figure(figsize=(14, 3.3 * tall + 6.4), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    top, middle, bottom = figure.subfigures(3, 1, height_ratios=[3.3 * tall + 0.5, 2.4, 3.2])
    figure.suptitle("corr: cross-correlation finds edges, and learns its kernel back",
                    fontsize=17, color=INK, fontweight="bold")
    _maps(top, photo, vertical, horizontal)
    _stripes(middle, stripes)
    _learning(bottom, learned)
    try:
        figure.savefig(output, dpi=110, format="png")
    except OSError as error:
        raise CommandError(f"{output}: cannot be written ({error.strerror})") from None


def bare(axes: Any, title: str, note: str = "") -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_title(title, fontsize=12, color=INK)
    if note:
        axes.set_xlabel(note, fontsize=10, color=INK)


def _maps(part: Any, photo: np.ndarray, vertical: np.ndarray, horizontal: np.ndarray) -> None:
    strength = np.hypot(vertical[:-1], horizontal[:, :-1])
    limit = float(np.percentile(np.abs(vertical), 99.5)) or 1.0
    signed = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    panels = [
        (photo, "photograph", f"{photo.shape[1]} x {photo.shape[0]}", {"cmap": "gray", "vmin": 0, "vmax": 1}),
        (vertical, "vertical edges", "kernel [1, -1]", signed),
        (horizontal, "horizontal edges", "kernel [1, -1] transposed", signed),
        (strength, "edge strength", "length of the two", {"cmap": "magma", "vmin": 0, "vmax": 1.5 * limit}),
    ]
    for axes, (array, title, note, style) in zip(part.subplots(1, 4), panels, strict=True):
        axes.imshow(array, interpolation="antialiased", **style)
        bare(axes, title, note)


def _stripes(part: Any, stripes: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    x, y, transposed = stripes
    panels = [
        (x, "the section's image X", "gray", (0, 1)),
        (y, "X * [1, -1]: two edges", "RdBu_r", (-1, 1)),
        (x.T, "X transposed", "gray", (0, 1)),
        (transposed, "its correlation: nothing", "RdBu_r", (-1, 1)),
    ]
    for axes, (array, title, cmap, (low, high)) in zip(part.subplots(1, 4), panels, strict=True):
        axes.imshow(array, cmap=cmap, vmin=low, vmax=high)
        for (i, j), value in np.ndenumerate(array):
            if cmap != "gray":
                axes.text(j, i, f"{value:z.0f}", ha="center", va="center", fontsize=8,
                          color="white" if abs(value) > 0.5 else INK)
        bare(axes, title)


def heat(axes: Any, kernel: np.ndarray, title: str, limit: float) -> None:
    axes.imshow(kernel, cmap="RdBu_r", vmin=-limit, vmax=limit)
    for (i, j), value in np.ndenumerate(kernel):
        axes.text(j, i, f"{value:+z.2f}", ha="center", va="center", fontsize=10,
                  color="white" if abs(value) > 0.6 * limit else INK)
    bare(axes, title)


def _learning(part: Any, learned: list[tuple[str, np.ndarray, Any]]) -> None:
    grid = part.add_gridspec(2, 8, height_ratios=[1, 2.2])
    for row, (name, kernel, result) in enumerate(learned):
        limit = float(np.abs(kernel).max())
        panels = ((result.start, "start"), (result.kernel, "learned"), (kernel, f"true {name}"))
        for column, (array, title) in enumerate(panels):
            heat(part.add_subplot(grid[row, column]), array, title, limit)
    axes = part.add_subplot(grid[:, 4:])
    for (name, _, result), colour in zip(learned, (ACCENT, SECOND), strict=True):
        steps = np.arange(1, len(result.losses) + 1)
        axes.semilogy(steps, result.losses, color=colour, linewidth=2, label=name)
    loss_axes(axes)
    axes.set_title("learning the kernel from the photograph and its edges", fontsize=12, color=INK)
    axes.legend(frameon=False)


def loss_axes(axes: Any) -> None:
    axes.set_xlabel("step", color=INK)
    axes.set_ylabel("mean squared error", color=INK)
    axes.grid(alpha=0.25)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
