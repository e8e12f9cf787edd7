"""Real numbers, hostile ones too, within the bounds of docs/accuracy.md: see nearness.py."""

import nearness
import pytest

PROBLEMS, PARTS = 600, 6


@pytest.mark.parametrize("part", range(PARTS))
def test_drawn_problems(part, record_property):
    count = PROBLEMS // PARTS
    held = sum(nearness.check(seed) for seed in range(part * 10**6, part * 10**6 + count))
    record_property("outputs held to a bound", held)


def test_a_column_within_padding():
    """Seed 157269 was beyond: F(4, 3) on an image of one column."""
    assert nearness.check(157269)
