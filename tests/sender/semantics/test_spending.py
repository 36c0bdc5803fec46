"""What a paid server may cost in an hour."""

import pytest

from misc_sender.semantics.spending import UNREPORTED_TOKENS, HourlyLimit
from misc_shared.errors import SemanticsError


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def test_requests_come_back_an_hour_after_each() -> None:
    """The hour slides: no burst at the turn of it."""
    clock = Clock()
    limit = HourlyLimit(requests=2, tokens=None, clock=clock)
    limit.spend()
    clock.now = 600
    limit.spend()
    with pytest.raises(SemanticsError, match=r"2 requests an hour is reached.*due in 3000 s"):
        limit.spend()
    clock.now = 3600
    limit.spend()
    with pytest.raises(SemanticsError, match="due in 600 s"):
        limit.spend()


def test_tokens_count_as_reported_or_as_a_guess() -> None:
    """A request whose answer never came may have cost something."""
    limit = HourlyLimit(requests=None, tokens=UNREPORTED_TOKENS + 10, clock=Clock())
    limit.spend().tokens = 9
    limit.spend()
    limit.spend().tokens = 1
    with pytest.raises(SemanticsError, match="2010 tokens"):
        limit.spend()


def test_without_limits_nothing_is_refused() -> None:
    """As for a server of one's own."""
    limit = HourlyLimit(requests=None, tokens=None, clock=Clock())
    for _ in range(1000):
        limit.spend()
