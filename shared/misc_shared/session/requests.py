"""What may be asked, said or passed on again and again, but not too often."""

__all__ = ["RateLimit", "RateLimited"]


class RateLimited:
    """A wish to send one kind of datagram, at most once in an interval.

    Args:
        interval: Seconds between two of them, at least.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._due: float | None = None
        self._last: float | None = None

    @property
    def next_timer(self) -> float | None:
        """When it is due."""
        return self._due

    def want(self, now: float, *, after: float = 0.0) -> None:
        """Ask for it in `after` seconds; an earlier wish stands."""
        due = now + after
        if self._last is not None:
            due = max(due, self._last + self._interval)
        self._due = due if self._due is None else min(self._due, due)

    def cancel(self) -> None:
        """Want it no more."""
        self._due = None

    def take(self, now: float) -> bool:
        """Whether to send it now; then the wish is fulfilled."""
        if self._due is None or now < self._due:
            return False
        self._due, self._last = None, now
        return True


class RateLimit:
    """Lets something happen at most once in an interval; what comes sooner is dropped.

    Args:
        interval: Seconds between two times, at least.
        longest: Doubles with each time up to this; None to stay.
    """

    def __init__(self, interval: float, *, longest: float | None = None) -> None:
        self._interval = interval
        self._longest = longest
        self._last: float | None = None

    @property
    def open_at(self) -> float:
        """When it may happen next."""
        return float("-inf") if self._last is None else self._last + self._interval

    def allows(self, now: float) -> bool:
        """Whether it may happen now; then it has."""
        if now < self.open_at:
            return False
        if self._longest is not None and self._last is not None:
            self._interval = min(2 * self._interval, self._longest)
        self._last = now
        return True
