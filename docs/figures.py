"""Draws the figures of the pages, as SVG text.

    python docs/figures.py

writes them to docs/figures; tests/test_docs.py holds them against this script.
"""

from pathlib import Path

import numpy as np

import corr

FOLDER = Path(__file__).with_name("figures")
INK, PALE, BLUE, RED, GOLD = "#22303c", "#ffffff", "#2e86ab", "#d1495b", "#f2c14e"
GRAY = "#66727e"
CELL = 44


class Drawing:
    """Shapes on a white sheet, in pixels."""

    def __init__(self, width, height, title):
        self.head = (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
                     f'width="{width}" height="{height}" role="img" '
                     f'font-family="Helvetica, Arial, sans-serif">')
        self.parts = [f"<title>{title}</title>",
                      f'<rect width="{width}" height="{height}" fill="#ffffff"/>']

    def rect(self, x, y, width, height, fill, line=INK, thick=1):
        self.parts.append(f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" '
                          f'fill="{fill}" stroke="{line}" stroke-width="{thick:g}"/>')

    def text(self, x, y, words, size=16, fill=INK, anchor="middle"):
        self.parts.append(f'<text x="{x:g}" y="{y:g}" font-size="{size}" fill="{fill}" '
                          f'text-anchor="{anchor}">{words}</text>')

    def path(self, points, colour, thick=2):
        way = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline points="{way}" fill="none" stroke="{colour}" '
                          f'stroke-width="{thick:g}"/>')

    def grid(self, x, y, values, colour, cell=CELL, words=True):
        """A matrix; `colour` maps a value and its place to fill and ink."""
        for (i, j), value in np.ndenumerate(values):
            fill, ink = colour(value, i, j)
            self.rect(x + j * cell, y + i * cell, cell, cell, fill)
            if words:
                self.text(x + (j + 0.5) * cell, y + (i + 0.5) * cell + 0.12 * cell, f"{value:g}",
                          round(0.36 * cell), ink)

    def __str__(self):
        return "\n".join([self.head, *self.parts, "</svg>", ""])


def correlation():
    x = np.arange(9).reshape(3, 3)
    k = np.arange(4).reshape(2, 2)
    y = corr.corr2d(x, k)
    sheet = Drawing(480, 205, "A 2 x 2 kernel over a 3 x 3 input")
    top = 40
    sheet.grid(20, top, x, lambda v, i, j: (GOLD if i < 2 and j > 0 else PALE, INK))
    sheet.text(182, top + 76, "&#8902;", 28)
    sheet.grid(212, top + 22, k, lambda v, i, j: (BLUE, PALE))
    sheet.text(330, top + 76, "=", 24)
    sheet.grid(360, top + 22, y, lambda v, i, j: (RED if (i, j) == (0, 1) else PALE,
                                                   PALE if (i, j) == (0, 1) else INK))
    for at, words in ((86, "input"), (256, "kernel"), (404, "output")):
        sheet.text(at, 24, words)
    sheet.text(240, 196, "1&#183;0 + 2&#183;1 + 4&#183;2 + 5&#183;3 = 25", 16, RED)
    return sheet


def signed(value, i, j):
    return (RED, PALE) if value > 0 else (BLUE, PALE) if value < 0 else (PALE, INK)


def edges():
    x = np.ones((6, 8))
    x[:, 2:6] = 0
    k = np.array([[1.0, -1.0]])
    sheet = Drawing(690, 245, "Edges of the stripes, and of the stripes transposed")
    gray = lambda v, i, j: (PALE if v else INK, RED)  # noqa: E731
    panels = ((20, x, gray, "X"), (225, corr.corr2d(x, k), signed, "X &#8902; [1, &#8722;1]"),
              (405, x.T, gray, "X transposed"),
              (550, corr.corr2d(x.T, k), signed, "its answer"))
    for left, values, colour, words in panels:
        wide = values.shape[1] * 22
        sheet.text(left + wide / 2, 30, words, 15)
        sheet.grid(left, 50, values, colour, 22, colour is signed)
    return sheet


def learning():
    """Ten steps of gradient descent on the section's problem, in float64."""
    x = np.ones((1, 1, 6, 8))
    x[..., 2:6] = 0
    y = corr.conv2d(x, [[[[1.0, -1.0]]]])
    w = np.array([[[[0.2, 0.3]]]])
    losses, kernels = [], [w[0, 0, 0].copy()]
    for _ in range(10):
        error = corr.conv2d(x, w) - y
        losses.append(float((error**2).sum()))
        w = w - 0.03 * corr.conv2d_weight(x, w.shape, 2 * error)
        kernels.append(w[0, 0, 0].copy())
    sheet = Drawing(620, 260, "The loss falls, the kernel nears [1, -1]")
    sheet.text(160, 26, "squared error")
    sheet.text(460, 26, "the two taps")
    for left in (40, 340):
        sheet.path([(left, 50), (left, 220), (left + 250, 220)], INK, 1)
        sheet.text(left + 125, 246, "step", 14)
    most = np.log10(losses[0])
    sheet.path([(40 + 25 * i, 50 + 170 * (most - np.log10(v)) / 4) for i, v in enumerate(losses)],
               RED, 3)
    for power in (1, 0, -1, -2):
        sheet.text(36, 55 + 170 * (most - power) / 4, f"{10.0**power:g}", 12, anchor="end")
    for tap, colour in ((0, RED), (1, BLUE)):
        sheet.path([(340 + 25 * i, 135 - 75 * k[tap]) for i, k in enumerate(kernels)], colour, 3)
    for value in (1, 0, -1):
        sheet.text(334, 140 - 75 * value, f"{value}", 12, anchor="end")
        sheet.path([(340, 135 - 75 * value), (590, 135 - 75 * value)], "#cccccc", 1)
    return sheet


def receptive_field():
    """A side view: pixels of three maps, and what one output sees."""
    sheet = Drawing(560, 250, "What one pixel sees through two layers")
    field = corr.receptive_field([(3,), (3,)])
    rows = ((9, 190, "input"), (7, 115, "after a 3-wide kernel"), (5, 40, "after another"))
    seen = {190: field.size[1], 115: 3, 40: 1}
    for count, y, words in rows:
        for n in range(count):
            x = 40 + (n + (9 - count) / 2) * 36
            inside = abs(n - (count - 1) / 2) <= (seen[y] - 1) / 2
            sheet.rect(x, y, 32, 32, GOLD if inside and y > 40 else RED if inside else PALE)
        sheet.text(385, y + 21, words, 14, anchor="start")
    for wide, top, bottom, below in ((1, 72, 115, 3), (3, 147, 190, 5)):
        for side in (-1, 1):
            sheet.path([(200 + side * (wide * 18 - 2), top), (200 + side * (below * 18 - 2), bottom)],
                       GOLD, 2)
    return sheet


# Milliseconds of the lesson's layer, as the page says and docs/costs_times.py measures.
COSTS = (("seven nested loops", 3100.0), ("a loop over the taps", 0.49),
         ("im2col, matrix product", 0.26), ("corr.conv2d", 0.12))


def costs():
    sheet = Drawing(620, 30 + 40 * len(COSTS), "What one layer costs, on a logarithmic scale")
    low = 0.05
    for n, (words, cost) in enumerate(COSTS):
        y, wide = 20 + 40 * n, 60 * np.log10(cost / low)
        sheet.text(210, y + 19, words, 14, anchor="end")
        sheet.rect(220, y, round(wide, 1), 28, RED if "corr" in words else BLUE, "none")
        sheet.text(round(228 + wide, 1), y + 19, f"{cost:,g} ms", 14, anchor="start")
    return sheet


def logarithmic(sheet, left, corner, span, curves, ticks):
    """Curves of (x, y, words, colour) over decades, between ticks of either axis."""
    (x0, x1), (y0, y1) = ((values[0][0], values[-1][0]) for values in ticks)
    across = lambda v: left + corner[0] * np.log10(v / x0) / np.log10(x1 / x0)  # noqa: E731
    down = lambda v: 60 + corner[1] * (1 - np.log10(v / y0) / np.log10(y1 / y0))  # noqa: E731
    for value, words in ticks[0]:
        sheet.path([(across(value), 60), (across(value), 60 + corner[1])], "#dddddd", 1)
        sheet.text(round(across(value), 1), 60 + corner[1] + 20, words, 12)
    for value, words in ticks[1]:
        sheet.path([(left, down(value)), (left + corner[0], down(value))], "#dddddd", 1)
        sheet.text(left - 6, round(down(value) + 4, 1), words, 12, anchor="end")
    for n, (xs, ys, words, colour) in enumerate(curves):
        sheet.path([(across(x), down(y)) for x, y in zip(xs, ys, strict=True)], colour, 3)
        sheet.text(left + 12, 80 + 18 * n, words, 14, colour, "start")
    sheet.text(left + corner[0] / 2, 60 + corner[1] + 42, span, 14)


def filters():
    """docs/filters_times.py measures what this draws."""
    height, width, side, ms = np.loadtxt(FOLDER.parent / "filters_times.txt").T
    sheet = Drawing(860, 400, "Time of a filter: by the picture's pixels, by the kernel's side")
    squares = [(side == k) & (height == width) for k in (3, 7, 15, 31)]
    curves = [(height[which] * width[which], ms[which], f"{k:g}x{k:g}", colour)
              for which, k, colour in zip(squares, (3, 7, 15, 31), (GOLD, RED, BLUE, INK), strict=True)]
    decades = [(10.0**power, f"{10.0**power:g}") for power in range(-3, 4)]
    sheet.text(230, 36, "square pictures, ms")
    logarithmic(sheet, 60, (310, 280), "pixels", curves,
                ([(float(s * s), f"{s}&#178;") for s in (64, 256, 1024, 4096, 8192)], decades))
    large = (height == 1080) & (width == 1920)
    sheet.text(660, 36, "1920 x 1080, ms")
    logarithmic(sheet, 500, (310, 280), "side of the kernel",
                [(side[large], ms[large], "", RED)],
                ([(float(k), f"{k}") for k in (3, 7, 15, 31, 63, 127)],
                 [(float(v), f"{v:g}") for v in (0.1, 1, 10)]))
    return sheet


def table(heading):
    """A table of docs/performance.md: a dictionary a layer."""
    page = (FOLDER.parent / "performance.md").read_text(encoding="utf-8")
    lines = page.split(f"\n## {heading}")[1].split("\n## ")[0].splitlines()
    head, _, *rows = ([cell.strip() for cell in line.split("|")[1:-1]]
                      for line in lines if line.startswith("|"))
    return [dict(zip(head, row, strict=True)) for row in rows]


def speed():
    """The fastest peer's time over corr's, one thread, as docs/performance.md says."""
    rows = table("forward, 1 thread")
    bottom = 52 + 22 * len(rows)
    sheet = Drawing(860, bottom + 48, "How fast corr is beside the fastest peer, layer by layer")
    across = lambda v: round(410 + 95 * np.log2(v), 1)  # noqa: E731
    sheet.text(560, 24, "time of the fastest peer (named) / time of corr", 16)
    for value in (0.5, 1, 2, 4, 8):
        sheet.path([(across(value), 44), (across(value), bottom)],
                   INK if value == 1 else "#dddddd", 1)
        sheet.text(across(value), bottom + 18, f"{value:g} x", 12)
    for n, row in enumerate(rows):
        y, ratio = 48 + 22 * n, float(row["x plan"])
        peer = next(name for name, cell in row.items() if cell.startswith("**"))
        left, right = sorted((across(1), across(ratio)))
        sheet.text(10, y + 13, row["layer"], 13, anchor="start")
        sheet.text(115, y + 13, row["shape"].replace("->", "&#8594;"), 11, GRAY, "start")
        sheet.rect(left, y, max(right - left, 1), 16, BLUE if ratio >= 1 else RED, "none")
        sheet.text(max(right, across(1)) + 6, y + 13, f"{ratio:.2f} {peer}", 12, GRAY, "start")
    sheet.text(560, bottom + 40, "one thread, a plan; to the right of 1 x corr is ahead", 12)
    return sheet


FIGURES = {"correlation": correlation, "edges": edges, "learning": learning,
           "receptive-field": receptive_field, "costs": costs, "filters": filters,
           "speed": speed}


def main():
    FOLDER.mkdir(exist_ok=True)
    for name, draw in FIGURES.items():
        (FOLDER / f"{name}.svg").write_text(str(draw()), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
