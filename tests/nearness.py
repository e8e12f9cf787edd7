"""Problems drawn at random in real numbers, hostile ones too, held to docs/accuracy.md.

`check(seed)` runs one under "direct", "winograd", "fft" or "auto", against products in
float64, and raises with the seed in the message where a bound is exceeded.
"""

import numpy as np
from exactness import Problem, expected
from tiles import fft_blocks, largest_sums, planned_tile, promised, tile_sums

import corr

UNIT = {np.dtype("f4"): 2.0**-24, np.dtype("f8"): 2.0**-53}
DENSE = ("normal", "relu", "dark half", "offset", "infinite")  # the last: one value of normal data
DATA = (*DENSE, "sparse", "huge")


class Near(Problem):
    """A problem for `algorithm`, with its data."""

    def __init__(self, seed):
        super().__init__(seed)
        r = self.random
        self.algorithm = r.choice(("direct", "winograd", "winograd", "fft", "auto"))
        if self.algorithm == "auto":
            self.algorithm = r.choice(("auto as winograd", "auto as fft", "auto"))
        self.dtype = np.dtype(r.choice(("f4", "f8")) if self.algorithm == "direct" else "f4")
        if "winograd" in self.algorithm:
            self._fit((3, 3), r.choice((5, 20, 40)))
            self.ic, self.oc = (r.randint(1, r.choice((2, 20, 70))) for _ in range(2))
            self.groups = r.choice((1, 1, 1, 2, 3))
        elif "fft" in self.algorithm:
            self._fit((r.randint(1, 63), r.randint(1, 63)), r.choice((10, 100, 200)))
            self.groups, self.ic, self.oc = 1, 1, r.randint(1, 3)
        self.data = r.choice(DENSE if "fft" in self.algorithm else DATA)
        self.x_shape = (self.n, self.groups * self.ic, *self.size)
        self.w_shape = (self.groups * self.oc, self.ic, *self.kernel)
        self.y_shape = (self.n, self.groups * self.oc, *self.out)

    def _fit(self, kernel, extra):
        r = self.random
        self.kernel, self.stride, self.dilation = kernel, (1, 1), (1, 1)
        self.pads = tuple((r.randint(0, k // 2 + 1), r.randint(0, k // 2 + 1)) for k in kernel)
        self.size = tuple(max(1, k - sum(p)) + r.randint(0, extra)
                          for k, p in zip(kernel, self.pads, strict=True))
        self.out = tuple(n + sum(p) - k + 1
                         for n, p, k in zip(self.size, self.pads, kernel, strict=True))

    def numbers(self, shape):
        return self.values.standard_normal(shape).astype(self.dtype)

    def image(self):
        x, v = self.numbers(self.x_shape), self.values
        if self.data == "relu":
            x = np.maximum(x, 0)
        elif self.data == "dark half":
            x[..., : self.size[1] // 2] *= self.dtype.type(1e-4)
        elif self.data == "offset":
            x += 100
        elif self.data == "sparse":
            x *= v.random(self.x_shape) < 0.1
        elif self.data == "huge":
            x.reshape(-1)[v.integers(x.size)] *= self.dtype.type(1e6)
        elif self.data == "infinite":
            x.reshape(-1)[v.integers(x.size)] = v.choice((np.inf, -np.inf, np.nan))
        return x

    def __str__(self):
        return f"{super().__str__()}, {self.algorithm} on {self.data} data, {self.dtype}"


def winograd_bound(p, x, w, direct, tiles=None):
    """16 u times what the promise counts in, the tighter one where it is promised; a tile that
    is not finite is done again directly. `tiles`: the plan's, if it is one."""
    def sums(sums_of, x, w):
        return promised(x, w, p.pads, p.groups, sums_of, tiles)

    finite = np.isfinite(x)
    counted = largest_sums if p.ic >= 16 and p.data in DENSE else tile_sums
    bound = 16 * UNIT[p.dtype] * sums(counted, np.where(finite, x, 0).astype(np.float64), w)
    again = sums(tile_sums, ~finite, np.ones_like(w)) > 0
    either = tiles is None and p.ic >= 32
    return np.where(again, np.maximum(bound, direct) if either else direct, bound)


def fft_bound(p, x, w, sums, finite, direct, plan):
    """16 u times the largest sum of the block, or where none of its windows lies in the picture
    the norms of picture and kernel; what is promised of "direct" where one is not finite."""
    bound = direct.copy()
    down, along = (
        (np.arange(out) >= pad) & (np.arange(out) <= pad + size - k)
        for out, (pad, _), size, k in zip(p.out, p.pads, p.size, p.kernel, strict=True))
    inside = down[:, None] & along
    norms = np.linalg.norm(x, axis=(2, 3)) * np.linalg.norm(w, axis=(2, 3)).T  # one channel
    for at in np.ndindex(sums.shape[:2]):
        for block in fft_blocks(plan, p.kernel, p.out):
            if all(finite[at][tile].all() for tile in block):
                largest = max(sums[at][tile].max() for tile in block)
                if not any(inside[tile[1:]].any() for tile in block):
                    largest = max(largest, norms[at])
                for tile in block:
                    bound[at][tile] = 16 * UNIT[p.dtype] * largest
    return bound


def direct_bound(terms, sums, dtype):
    """g * sum |x||w|; in float64 the reference itself rounds as much."""
    unit = UNIT[dtype]
    g = terms * unit / (1 - terms * unit)
    return (2 * g if dtype == np.float64 else g + 2.0**-50) * sums


def within(p, what, got, wanted, bound):
    """The largest error, in units of the bound."""
    finite = np.isfinite(wanted)
    if not np.array_equal(np.isfinite(got), finite):
        spoiled = np.argwhere(np.isfinite(got) != finite)
        raise AssertionError(f"{what}: finite or not is wrong at {len(spoiled)} places, "
                             f"first {spoiled[0]}; {p}")
    if not np.array_equal(got[~finite], wanted[~finite].astype(got.dtype), equal_nan=True):
        raise AssertionError(f"{what}: the wrong infinity; {p}")
    if not finite.any():
        return 0.0
    error = abs(got[finite] - wanted[finite])
    bound = np.broadcast_to(bound, wanted.shape)[finite]
    with np.errstate(invalid="ignore", divide="ignore"):
        worst = float(np.nan_to_num(error / bound, nan=0.0).max())
    if not worst <= 1:
        raise AssertionError(f"{what}: {worst:.3g} times the bound; {p}")
    return worst


def check(seed, worst=None):
    """How many outputs were held to a bound; `worst` (a dict) keeps the largest errors."""
    p = Near(seed)
    x, w, gy = p.image(), p.numbers(p.w_shape), p.numbers(p.y_shape)
    name = p.algorithm.partition(" ")[0]
    with corr.num_threads(p.threads):
        try:
            plan = corr.plan(x.shape, w, None, *p.args, dtype=p.dtype, algorithm=name)
        except ValueError as error:
            if p.algorithm != "fft":
                raise
            assert "algorithm" in str(error), error
            return 0
        used = plan.algorithm
        got, planned = corr.conv2d(x, w, None, *p.args, algorithm=name), plan(x)
        with np.errstate(invalid="ignore"):
            finite_x = np.where(np.isfinite(x), x, 0)
            if "fft" in p.algorithm:  # columns would fill the memory; float64 is direct
                y = corr.conv2d(x.astype("f8"), w, None, *p.args)
                sums = corr.conv2d(abs(finite_x).astype("f8"), abs(w), None, *p.args)
            else:
                y, gx, gw, _ = expected(p, x, w, gy)
                sums, sums_x, sums_w, _ = expected(p, abs(finite_x), abs(w), abs(gy))
        terms = p.ic * p.kernel[0] * p.kernel[1]
        bound = planned_bound = direct_bound(terms, sums, p.dtype)
        if used == "winograd":
            planned_bound = winograd_bound(p, x, w, bound, (planned_tile(plan),))
            bound = winograd_bound(p, x, w, bound)  # the call may take the other tile
        elif used == "fft":
            if p.data not in DENSE:
                return 0  # nothing is promised
            bound = planned_bound = fft_bound(p, finite_x.astype("f8"), w, sums, np.isfinite(y),
                                              bound, plan)
        errors = {used: max(within(p, used, got, y, bound),
                            within(p, "plan", planned, y, planned_bound))}
        held = 2 * y.size
        if name == "direct":
            terms = p.oc * p.kernel[0] * p.kernel[1]
            got = corr.conv2d_input(p.x_shape, w, gy, *p.args, algorithm=name)
            errors["input"] = within(p, "input gradient", got, gx,
                                     direct_bound(terms, sums_x, p.dtype))
            if p.data != "infinite":
                terms = p.n * p.out[0] * p.out[1]
                got = corr.conv2d_weight(x, p.w_shape, gy, *p.args, algorithm=name)
                errors["weight"] = within(p, "weight gradient", got, gw,
                                          direct_bound(terms, sums_w, p.dtype))
            held += gx.size + gw.size
    for key, value in errors.items():
        if worst is not None:
            key = f"{key}, {p.data}"
            worst[key] = max(worst.get(key, 0.0), value)
    return held
