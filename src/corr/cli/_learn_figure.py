"""The picture that `corr learn` draws."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ._demo_figure import ACCENT, INK, bare, heat, loss_axes
from ._errors import CommandError
from ._learn import Learned


def draw(output: Path, learned: Learned) -> None:
    """The kernel before and after, and the loss on the way."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 4.2), facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    start, end, loss = figure.subplots(1, 3, width_ratios=[1, 1, 1.4])
    limit = float(np.abs(learned.kernel).max()) or 1.0
    for axes, kernel, title in ((start, learned.start, "start"), (end, learned.kernel, "learned")):
        if max(kernel.shape) <= 7:
            heat(axes, kernel, title, limit)
        else:
            axes.imshow(kernel, cmap="RdBu_r", vmin=-limit, vmax=limit)
            bare(axes, title)
    steps = np.arange(1, len(learned.losses) + 1)
    loss.semilogy(steps, learned.losses, color=ACCENT, linewidth=2)
    loss_axes(loss)
    loss.set_title("conjugate gradients", fontsize=12, color=INK)
    try:
        figure.savefig(output, dpi=110, format="png")
    except OSError as error:
        raise CommandError(f"{output}: cannot be written ({error.strerror})") from None
