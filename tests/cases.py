"""Random problems with every parameter varied, in every memory layout."""

from dataclasses import dataclass, field

import numpy as np

LAYOUTS = ("contiguous", "channels_last", "reversed", "gaps", "transposed", "broadcast",
           "unaligned", "swapped", "read_only")


@dataclass
class Case:
    """One problem; `args` are stride, padding, dilation, groups."""

    seed: int
    input_shape: tuple
    weight_shape: tuple
    output_shape: tuple
    args: tuple
    layout: str
    rng: np.random.Generator = field(repr=False)

    def whole(self, shape, dtype, most=4):
        """Whole numbers, few of them zero."""
        values = self.rng.integers(1, most + 1, shape)
        return (values * self.rng.choice((-1, 1), shape)).astype(dtype)

    def arrays(self, dtype):
        """Input, weight, bias and output gradient of whole numbers."""
        shapes = (self.input_shape, self.weight_shape, self.weight_shape[:1], self.output_shape)
        return [self.whole(shape, dtype) for shape in shapes]


def laid_out(array, layout, rng):
    """The same values in other memory (but for "broadcast", which repeats them)."""
    if layout == "channels_last":
        return np.ascontiguousarray(array.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    if layout == "reversed":
        return np.ascontiguousarray(array[:, :, ::-1, ::-1])[:, :, ::-1, ::-1]
    if layout == "gaps":
        around = np.nan if array.dtype.kind == "f" else 77
        wide = np.full([2 * n + 1 for n in array.shape], around, array.dtype)
        view = wide[tuple(slice(1, None, 2) for _ in array.shape)]
        view[...] = array
        return view
    if layout == "transposed":
        return np.ascontiguousarray(array.transpose(3, 2, 1, 0)).transpose(3, 2, 1, 0)
    if layout == "broadcast":
        return np.broadcast_to(array[:, :1], array.shape)
    if layout == "unaligned":
        raw = np.zeros(array.nbytes + 1, np.uint8)
        view = raw[1:].view(array.dtype).reshape(array.shape)
        view[...] = array
        return view
    if layout == "swapped":
        return array.astype(array.dtype.newbyteorder())
    if layout == "read_only":
        array.flags.writeable = False
    return array


def random_case(seed):
    rng = np.random.default_rng(seed)
    groups = int(rng.choice((1, 1, 1, 2, 3, 6)))
    most = int(rng.choice((3, 8, 40))) if groups == 1 else 6
    ic, oc = (int(rng.integers(1, most + 1)) for _ in range(2))
    if rng.random() < 0.15:
        groups, ic, oc = int(rng.integers(1, 24)), 1, int(rng.integers(1, 3))
    kernel, stride, dilation, pads, sizes, outs = [], [], [], [], [], []
    for _ in range(2):
        k, s, d = (int(rng.integers(1, n)) for n in (6, 5, 4))
        before, after = (int(v) for v in rng.integers(0, rng.choice((1, 3, 9)), 2))
        least = max(1, (k - 1) * d + 1 - before - after)
        n = least + int(rng.integers(0, rng.choice((3, 12, 40))))
        for into, value in zip((kernel, stride, dilation, pads, sizes),
                               (k, s, d, (before, after), n), strict=True):
            into.append(value)
        outs.append((n + before + after - (k - 1) * d - 1) // s + 1)
    batch = int(rng.integers(1, 4))
    return Case(seed, (batch, groups * ic, *sizes), (groups * oc, ic, *kernel),
                (batch, groups * oc, *outs),
                (tuple(stride), tuple(pads), tuple(dilation), groups),
                str(rng.choice(LAYOUTS)), rng)
