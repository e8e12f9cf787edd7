"""The classifier of docs/digits.py: what it learns, and PyTorch beside it."""

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="scikit-learn is not installed: pip install '.[digits]'")
pytest.importorskip("tqdm", reason="the [demo] extra is not installed")
sys.path.append(str(Path(__file__).resolve().parent.parent / "docs"))

import digits  # noqa: E402


def test_reads_what_it_never_saw(capsys):
    network = digits.main(epochs=12)
    _, test = digits.digits()
    assert digits.accuracy(network, *test) > 0.97
    captured = capsys.readouterr()
    assert "read right" in captured.out and "loss" in captured.err


def test_losses_are_pytorchs():
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install torch==2.13.0")
    import digits_torch

    (ours, theirs), _, (our_part, their_part) = digits_torch.both(epochs=4)
    assert len(ours) >= 50 and ours[49] < ours[0] / 4
    np.testing.assert_allclose(ours[:50], theirs[:50], atol=1e-4)
    assert abs(our_part - their_part) < 0.02


def test_gradients_are_finite_differences():
    rng = np.random.default_rng(0)
    images, labels = rng.random((3, 1, 8, 8)), rng.integers(0, 10, 3)
    network = digits.Network(seed=1)
    for parameter in network.parameters():
        parameter.data = parameter.data.astype(np.float64)
    _, grad = digits.cross_entropy(network(images), labels)
    network.backward(grad)
    for parameter in network.parameters():
        at = tuple(rng.integers(0, n) for n in parameter.shape)
        ends = []
        for step in (1e-6, -2e-6):
            parameter.data[at] += step
            ends.append(digits.cross_entropy(network(images), labels)[0])
        parameter.data[at] += 1e-6
        assert parameter.grad[at] == pytest.approx((ends[0] - ends[1]) / 2e-6, rel=1e-4, abs=1e-8)


def test_pool_gives_a_tie_to_the_first():
    pool = digits.MaxPool()
    assert pool(np.ones((1, 1, 2, 2))).item() == 1
    np.testing.assert_array_equal(pool.backward(np.full((1, 1, 1, 1), 5.0))[0, 0], [[5, 0], [0, 0]])
