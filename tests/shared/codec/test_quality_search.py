"""The search finds what bisection would, with fewer trials where costs behave as pictures' do."""

from hypothesis import given
from hypothesis import strategies as st

from misc_shared.codec.quality_search import best_quality


@given(
    steps=st.lists(st.floats(0, 5), min_size=32, max_size=32),
    limit=st.floats(0.5, 100),
    most=st.integers(0, 31),
)
def test_it_is_the_highest_that_fits(steps: list[float], limit: float, most: int) -> None:
    """Whatever rises, however steeply, is searched to the same end as by trying all."""
    costs = [1 + sum(steps[: quality + 1]) for quality in range(32)]
    fitting = [quality for quality in range(most + 1) if costs[quality] <= limit]
    asked: list[int] = []

    def cost(quality: int) -> float:
        asked.append(quality)
        return costs[quality]

    assert best_quality(cost, limit=limit, most=most) == max(fitting, default=0)
    assert len(asked) == len(set(asked)) <= 9


def test_four_trials_do_for_a_straight_line() -> None:
    """Bytes that grow by the same factor with each quality are found almost at once."""
    for limit in range(100, 3000, 50):
        asked: list[int] = []

        def cost(quality: int, asked: list[int] = asked) -> float:
            asked.append(quality)
            return 100 * 1.045**quality * 6

        best_quality(cost, limit=limit, most=31)
        assert len(asked) <= 4
