"""Whether the subjects compute the task: float64 sums at the outputs that differ most."""

from __future__ import annotations

import numpy as np

from .subjects import Task

SAMPLES = 64
# In units of u * sum|x||w|. Direct sums stay below 10, peers' Winograd below 20; an
# algorithm that gives up more is another product.
TOLERANCE = 64


def output_shape(task: Task) -> tuple[int, ...]:
    layer = task.layer
    return {"forward": layer.y_shape, "input": layer.x_shape, "weight": layer.w_shape}[task.which]


def wrong(task: Task, outputs: dict[str, np.ndarray]) -> dict[str, str]:
    """Which outputs are not the task's, each with the reason.

    Every output is held against float64 sums at random places and wherever any two outputs
    differ most, so that a single wrong element among millions is found as long as one
    subject has it right.
    """
    shape = output_shape(task)
    bad = {name: f"its shape is {tuple(array.shape)}, not {shape}"
           for name, array in outputs.items() if tuple(array.shape) != shape}
    good = {name: array for name, array in outputs.items() if name not in bad}
    for name in [name for name, array in good.items() if not np.isfinite(array).all()]:
        bad[name] = "it holds values that are not finite"
        del good[name]
    if not good:
        return bad
    size = int(np.prod(shape))
    places = set(np.random.default_rng(1).integers(0, size, SAMPLES).tolist())
    first, *others = good.values()
    for other in others:
        places.add(int(np.argmax(np.abs(first - other))))
    where = [tuple(int(i) for i in np.unravel_index(place, shape)) for place in sorted(places)]
    sums = [_oracle(task, at) for at in where]
    unit = np.finfo(task.dtype).eps / 2
    for name, array in good.items():
        for at, (value, total) in zip(where, sums, strict=True):
            error = abs(float(array[at]) - value)
            if error > TOLERANCE * unit * total:
                bad[name] = f"at {at} it gives {float(array[at]):.7g}, not {value:.7g}"
                break
    return bad


def _oracle(task: Task, at: tuple[int, ...]) -> tuple[float, float]:
    """The sum at one place in float64, and the sum of its terms' absolute values."""
    products = {"forward": _forward, "input": _input, "weight": _weight}[task.which](task, at)
    return float(products.sum()), float(np.abs(products).sum())


def _taps(position: int, kernel: int, stride: int, padding: int, dilation: int,
          extent: int) -> list[tuple[int, int]]:
    """(tap, input index) of one output position, taps in the padding left out."""
    reached = ((tap, position * stride - padding + tap * dilation) for tap in range(kernel))
    return [(tap, index) for tap, index in reached if 0 <= index < extent]


def _forward(task: Task, at: tuple[int, ...]) -> np.ndarray:
    layer, (n, oc, i, j) = task.layer, at
    s, p, d, groups = task.parameters
    width = layer.ic // groups
    first = oc // (layer.oc // groups) * width
    rows = _taps(i, layer.kh, s, p, d, layer.ih)
    columns = _taps(j, layer.kw, s, p, d, layer.iw)
    if not rows or not columns:
        return np.zeros(1)
    x = task.x[n, first : first + width][:, [r for _, r in rows]][:, :, [c for _, c in columns]]
    w = task.w[oc][:, [t for t, _ in rows]][:, :, [t for t, _ in columns]]
    return x.astype(np.float64) * w


def _input(task: Task, at: tuple[int, ...]) -> np.ndarray:
    layer, (n, ic, i, j) = task.layer, at
    s, p, d, groups = task.parameters
    _, _, oh, ow = layer.y_shape

    def outputs(index: int, kernel: int, extent: int) -> list[tuple[int, int]]:
        offsets = ((tap, index + p - tap * d) for tap in range(kernel))
        return [(tap, o // s) for tap, o in offsets if o % s == 0 and 0 <= o // s < extent]

    rows, columns = outputs(i, layer.kh, oh), outputs(j, layer.kw, ow)
    if not rows or not columns:
        return np.zeros(1)
    group, inner = divmod(ic, layer.ic // groups)
    width = layer.oc // groups
    ocs = slice(group * width, (group + 1) * width)
    g = task.g[n, ocs][:, [o for _, o in rows]][:, :, [o for _, o in columns]]
    w = task.w[ocs, inner][:, [t for t, _ in rows]][:, :, [t for t, _ in columns]]
    return g.astype(np.float64) * w


def _weight(task: Task, at: tuple[int, ...]) -> np.ndarray:
    layer, (oc, inner, p, q) = task.layer, at
    s, padding, d, groups = task.parameters
    _, _, oh, ow = layer.y_shape
    ic = oc // (layer.oc // groups) * (layer.ic // groups) + inner

    def window(tap: int, extent: int, count: int) -> tuple[slice, slice]:
        """Output positions whose tap lies in the input, and the input indices it lies on."""
        offset = tap * d - padding
        low = max(0, -(offset // s))
        high = max(low, min(count, (extent - 1 - offset) // s + 1))
        start = low * s + offset
        return slice(low, high), slice(start, start + max(0, (high - low - 1) * s + 1), s)

    (gi, xi), (gj, xj) = window(p, layer.ih, oh), window(q, layer.iw, ow)
    g, x = task.g[:, oc, gi, gj], task.x[:, ic, xi, xj]
    if g.shape[1] == 0 or g.shape[2] == 0:
        return np.zeros(1)
    return g.astype(np.float64) * x
