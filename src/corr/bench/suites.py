"""The layers to measure: text files in `suites/`, a layer a line."""

from __future__ import annotations

import fnmatch
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "suites"
COLUMNS = "name N IC IH IW OC KHxKW stride padding dilation groups count"


class SuiteError(Exception):
    """A suite, a line of one, or a layer that cannot be used; its text says why."""


@dataclass(frozen=True)
class Layer:
    """One convolution; `count` is how often its network has it."""

    name: str
    n: int
    ic: int
    ih: int
    iw: int
    oc: int
    kh: int
    kw: int
    stride: int = 1
    padding: int = 0
    dilation: int = 1
    groups: int = 1
    count: int = 1

    @property
    def x_shape(self) -> tuple[int, int, int, int]:
        return self.n, self.ic, self.ih, self.iw

    @property
    def w_shape(self) -> tuple[int, int, int, int]:
        return self.oc, self.ic // self.groups, self.kh, self.kw

    @property
    def y_shape(self) -> tuple[int, int, int, int]:
        def size(extent: int, kernel: int) -> int:
            return (extent + 2 * self.padding - self.dilation * (kernel - 1) - 1) // self.stride + 1

        return self.n, self.oc, size(self.ih, self.kh), size(self.iw, self.kw)

    @property
    def flops(self) -> int:
        """Of the direct algorithm, taps in the padding included."""
        n, oc, oh, ow = self.y_shape
        return 2 * n * oc * oh * ow * (self.ic // self.groups) * self.kh * self.kw

    @property
    def elements(self) -> int:
        """In input, weight and output together."""
        x, w, y = ((a * b * c * d) for a, b, c, d in (self.x_shape, self.w_shape, self.y_shape))
        return x + w + y

    @property
    def shape(self) -> str:
        text = f"{self.n}x{self.ic}x{self.ih}x{self.iw} -> {self.oc}, {self.kh}x{self.kw}"
        extras = (("s", self.stride, 1), ("p", self.padding, 0), ("d", self.dilation, 1),
                  ("g", self.groups, 1))
        return text + "".join(f" {mark}{value}" for mark, value, usual in extras if value != usual)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def names() -> list[str]:
    """The suites that corr ships."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def load(suite: str) -> list[Layer]:
    """The layers of a shipped suite, or of a file of one's own in the same form."""
    path = FOLDER / f"{suite}.txt"
    if suite not in names():
        path = Path(suite)
        if os.sep not in suite and not path.exists():
            raise SuiteError(f"no suite {suite!r}: choose from {', '.join(names())}, or name a file")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SuiteError(f"{path}: cannot be read ({error})") from None
    layers = [_parse(line, f"{path.name}:{number}") for number, line in enumerate(lines, 1)
              if line.strip() and not line.lstrip().startswith("#")]
    if not layers:
        raise SuiteError(f"{path}: holds no layer")
    return layers


def select(layers: list[Layer], patterns: str | None) -> list[Layer]:
    """The layers whose names match one of the comma-separated names or patterns."""
    if patterns is None:
        return layers
    wanted = [pattern.strip() for pattern in patterns.split(",")]
    for pattern in wanted:
        if not any(fnmatch.fnmatchcase(layer.name, pattern) for layer in layers):
            known = ", ".join(layer.name for layer in layers)
            raise SuiteError(f"no layer {pattern!r}: choose from {known}")
    return [layer for layer in layers
            if any(fnmatch.fnmatchcase(layer.name, pattern) for pattern in wanted)]


def _parse(line: str, where: str) -> Layer:
    words = line.split()
    try:
        name, n, ic, ih, iw, oc, kernel, *rest = words
        kh, kw = map(int, kernel.split("x"))
        stride, padding, dilation, groups, count = map(int, rest)
        layer = Layer(name, int(n), int(ic), int(ih), int(iw), int(oc), kh, kw,
                      stride, padding, dilation, groups, count)
    except ValueError:
        raise SuiteError(f"{where}: must read {COLUMNS!r}, reads {line.strip()!r}") from None
    whole = (layer.n, layer.ic, layer.ih, layer.iw, layer.oc, kh, kw, stride, dilation, groups, count)
    if min(whole) < 1 or padding < 0 or layer.ic % groups or layer.oc % groups:
        raise SuiteError(f"{where}: sizes do not fit together in {line.strip()!r}")
    if min(layer.y_shape) < 1:
        raise SuiteError(f"{where}: the kernel is larger than the padded input in {line.strip()!r}")
    return layer
