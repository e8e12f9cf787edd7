"""Wrong words on the command line and through corr.d2l: see commands.py."""

import commands
import numpy as np
import pytest

from corr import d2l
from corr.d2l import nn

X = d2l.ones(1, 1, 5, 6)
TENSORS = {
    "ranks": (ValueError, "weight is larger", lambda: d2l.corr2d(d2l.ones(3), d2l.ones(2, 2))),
    "kernel larger": (ValueError, "larger", lambda: d2l.corr2d(d2l.ones(2, 2), d2l.ones(3, 3))),
    "empty kernel": (ValueError, "at least 1x1", lambda: d2l.corr2d(d2l.ones(2, 2), d2l.ones(0, 3))),
    "complex": (TypeError, "input has dtype", lambda: d2l.corr2d(d2l.tensor([[1j]]), d2l.ones(1, 1))),
    "words": (TypeError, "input has dtype", lambda: d2l.corr2d(d2l.tensor([["a"]]), d2l.ones(1, 1))),
    "backward of many": (RuntimeError, "scalar", lambda: d2l.ones(2).backward()),
    "layer channels": (ValueError, "input must have 2 channels", lambda: nn.Conv2d(2, 3, kernel_size=2)(X)),
    "layer rank": (ValueError, "input must have shape", lambda: nn.Conv2d(1, 3, kernel_size=2)(X[0, 0])),
    "lazy rank": (ValueError, "input must have shape", lambda: nn.LazyConv2d(1, kernel_size=2)(X[0, 0])),
    "lazy kernel": (ValueError, "larger", lambda: nn.LazyConv2d(1, kernel_size=9)(X)),
    "kernel size": (ValueError, "kernel_size must be positive", lambda: nn.Conv2d(1, 1, kernel_size=0)),
    "no channels": (ValueError, "out_channels must be positive", lambda: nn.LazyConv2d(0, kernel_size=1)),
    "stride": (ValueError, "stride must be positive", lambda: nn.LazyConv2d(1, kernel_size=1, stride=0)),
    "padding": (ValueError, "padding must be at least 0", lambda: nn.LazyConv2d(1, kernel_size=1, padding=-1)),
    "mode": (ValueError, "padding_mode must be", lambda: nn.Conv2d(1, 1, 1, padding_mode="edge")),
    "reshape": (ValueError, "reshape", lambda: X.reshape(7)),
    "ragged": (ValueError, "inhomogeneous", lambda: d2l.tensor([[1], [1, 2]])),
    "index": (IndexError, "index", lambda: X[3]),
    "sizes": (ValueError, "negative", lambda: d2l.zeros(-1)),
}


@pytest.mark.parametrize("name", TENSORS)
def test_tensors(name):
    kind, text, call = TENSORS[name]
    with pytest.raises(kind, match=text):
        call()


def test_a_failed_step_leaves_the_tape_as_it_was():
    x = d2l.tensor(np.ones((4, 4), np.float32), requires_grad=True)
    k = d2l.ones(2, 2)
    for _ in range(2):
        with pytest.raises(ValueError, match="larger"):
            d2l.corr2d(x, d2l.ones(5, 5))
    d2l.corr2d(x, k).sum().backward()
    assert x.grad.numpy().sum() == 36


def test_drawn_commands(tmp_path, monkeypatch, record_property):
    for name in ("PIL", "matplotlib", "tqdm"):
        pytest.importorskip(name, reason="the [demo] extra is not installed")
    commands.make_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    refused = sum(commands.check(seed) for seed in range(600))
    assert refused > 200
    record_property("drawn commands", 600)
