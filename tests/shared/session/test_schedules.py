"""A short run of two fuzz scripts; `make fuzz` is the long one."""

from tests.fuzz_datagrams import run
from tests.fuzz_session import explore


def test_what_is_called_delivered_is_there_whatever_the_link_does() -> None:
    """Loss, repeats, reordering and restarts of both ends, with a key and without."""
    done, counts = explore(first=1, seconds=30.0, until=lambda done: done >= 16)
    assert done == 16
    assert counts["delivered"] > 500
    assert counts["restarts"] > 4


def test_mutated_datagrams_cost_typed_errors_only() -> None:
    """Over recorded traffic, plain and sealed, at both ends."""
    counts = run(inputs=8000)
    assert counts["plain refused"] > counts["plain taken"]
