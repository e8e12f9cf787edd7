"""Real numbers, hostile ones too, within the bounds of docs/accuracy.md: see nearness.py."""

import nearness
import pytest

PROBLEMS, PARTS = 600, 6


@pytest.mark.parametrize("part", range(PARTS))
def test_drawn_problems(part, record_property):
    count = PROBLEMS // PARTS
    held = sum(nearness.check(seed) for seed in range(part * 10**6, part * 10**6 + count))
    record_property("outputs held to a bound", held)


@pytest.mark.parametrize("seed", [
    157269,  # F(4, 3) on an image of one column between two of padding
    1795815850535,  # "fft" on a picture smaller than the kernel
])
def test_found_by_the_long_run(seed):
    assert nearness.check(seed)
