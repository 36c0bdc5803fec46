"""A budget is filled in few trials where pictures behave, and kept to where they do not."""

import math
from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from misc_shared.codec.rate import DEAD_ZONE, Point, fill_budget, relative_size


def _expected(point: Point) -> float:
    return 900 * math.exp(0.08 * point.quality - 1.7 * (point.dead_zone - DEAD_ZONE))


def _counting(measure: Callable[[Point], float]) -> tuple[Callable[[Point], float], list[Point]]:
    asked: list[Point] = []

    def counted(point: Point) -> float:
        asked.append(point)
        return measure(point)

    return counted, asked


@given(limit=st.floats(80, 1500), factor=st.floats(0.5, 2), tilt=st.floats(-0.006, 0.006))
def test_a_picture_that_behaves_takes_few_trials(limit: float, factor: float, tilt: float) -> None:
    """The formula may be off by a factor, and by some percent over a few qualities."""

    def true(point: Point) -> float:
        return factor * 0.075 * _expected(point) * math.exp(tilt * (point.quality - 16))

    measure, asked = _counting(true)
    found = fill_budget(_expected, measure, limit=limit, most=31)
    smallest, largest = true(Point(0)), true(Point(31))
    inside = 1.3 * smallest <= limit <= 0.8 * largest
    assert len(asked) == len(set(asked)) <= (5 if inside else 7)
    assert found in asked
    if smallest <= limit:
        assert 0.95 * min(limit, largest) <= true(found) <= limit
    else:
        assert found.quality == 0


@given(
    costs=st.lists(st.floats(1, 100), min_size=32, max_size=32),
    limit=st.floats(0.5, 200),
    most=st.integers(0, 31),
)
def test_whatever_it_costs_the_limit_is_kept(costs: list[float], limit: float, most: int) -> None:
    """A cost without rhyme or reason: never above the limit unless quality 0 is."""
    rising = np.cumsum(costs)
    measure, asked = _counting(lambda point: float(rising[point.quality]))
    found = fill_budget(_expected, measure, limit=limit, most=most)
    assert found.quality <= most
    assert rising[found.quality] <= limit or found == Point(0)
    assert len(asked) == len(set(asked)) <= 16


def test_size_rises_with_quality_and_falls_with_the_dead_zone() -> None:
    """Larger steps leave less to say."""
    rng = np.random.default_rng(1)
    latents = [rng.normal(size=(2, 4, 4)).astype(np.float32) for _ in range(3)]
    gains = [np.linspace(1, 3, 32, dtype=np.float32)[:, None].repeat(2, 1) for _ in range(3)]
    sizes = [relative_size(latents, gains, Point(quality)) for quality in range(32)]
    assert sizes == sorted(sizes)
    assert relative_size(latents, gains, Point(9, 0.15)) < sizes[9]
