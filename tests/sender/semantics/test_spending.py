"""What a paid server may cost in an hour."""

import logging
from pathlib import Path

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
    limit.spend().correct(9)
    limit.spend()
    limit.spend().correct(1)
    with pytest.raises(SemanticsError, match="2010 tokens"):
        limit.spend()


def test_without_limits_nothing_is_refused() -> None:
    """As for a server of one's own."""
    limit = HourlyLimit(requests=None, tokens=None, clock=Clock())
    for _ in range(1000):
        limit.spend()


def test_a_restart_does_not_begin_a_new_hour(tmp_path: Path) -> None:
    """Nor does a second sender; another account has an hour of its own."""
    clock, file = Clock(), tmp_path / "state" / "spending.sqlite"
    first = HourlyLimit(requests=2, tokens=None, account="a", file=file, clock=clock)
    first.spend()
    beside = HourlyLimit(requests=2, tokens=None, account="a", file=file, clock=clock)
    beside.spend()
    first.close()
    again = HourlyLimit(requests=2, tokens=None, account="a", file=file, clock=clock)
    for limit in (beside, again):
        with pytest.raises(SemanticsError, match="2 requests"):
            limit.spend()
    HourlyLimit(requests=2, tokens=None, account="b", file=file, clock=clock).spend()


def test_a_clock_that_is_set_back_costs_an_hour_at_most(tmp_path: Path) -> None:
    """An expense of the future counts from now on."""
    clock, file = Clock(), tmp_path / "spending.sqlite"
    clock.now = 1e6
    limit = HourlyLimit(requests=1, tokens=None, file=file, clock=clock)
    limit.spend()
    clock.now = 0
    with pytest.raises(SemanticsError, match="due in 3600 s"):
        limit.spend()


@pytest.mark.parametrize("wrong", ["damaged", "no folder"])
def test_without_a_usable_file_it_counts_in_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, wrong: str
) -> None:
    """And says so: a picture without words would be worse."""
    file = tmp_path / "spending.sqlite"
    if wrong == "damaged":
        file.write_bytes(b"no books" * 200)
    else:
        (tmp_path / "taken").write_text("a file, not a folder")
        file = tmp_path / "taken" / "spending.sqlite"
    with caplog.at_level(logging.WARNING):
        limit = HourlyLimit(requests=1, tokens=None, file=file, clock=Clock())
    assert "for this run only" in caplog.text
    limit.spend()
    with pytest.raises(SemanticsError, match="1 requests"):
        limit.spend()
