"""Whose turn it is, where many want a worker that does one thing at a time."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Generic, TypeVar

__all__ = ["FairTurns"]

_Key = TypeVar("_Key", bound=Hashable)


def _nothing(_: Hashable) -> float:
    return 0.0


class FairTurns(Generic[_Key]):
    """Shares a worker's time evenly between those who have work.

    Each turn is charged with the time that it took. Next is whoever would have had least when the
    turn is over, by what it is expected to take: so many with huge work do not all go before one
    with little. Whoever comes back from having nothing to do is owed nothing for that time.

    Source: Demers, Keshav and Shenker, "Analysis and Simulation of a Fair Queueing Algorithm",
    SIGCOMM 1989; virtual time is the mean that those with work have had.
    """

    def __init__(self) -> None:
        self._had: dict[_Key, float] = {}
        self._turn: dict[_Key, int] = {}
        self._ready: set[_Key] = set()
        self._now = 0.0
        self._turns = 0

    def next(
        self, ready: Iterable[_Key], *, expected: Callable[[_Key], float] = _nothing
    ) -> _Key | None:
        """Who goes next of those that have work; None if nobody has any.

        Args:
            ready: those that have work.
            expected: about how many seconds the next turn of one of them will take.
        """
        candidates = list(ready)
        for key in candidates:
            if key not in self._ready:
                self._had[key] = max(self._had.get(key, 0.0), self._now)
        self._ready = set(candidates)
        if not candidates:
            return None
        chosen = min(
            candidates, key=lambda key: (self._had[key] + expected(key), self._turn.get(key, 0))
        )
        self._turns += 1
        self._turn[chosen] = self._turns
        return chosen

    def charge(self, key: _Key, seconds: float) -> None:
        """Note what a turn took."""
        if key in self._had:
            self._had[key] += seconds
        self._now += seconds / max(1, len(self._ready))

    def drop(self, key: _Key) -> None:
        """Forget one that will not come back."""
        self._had.pop(key, None)
        self._turn.pop(key, None)
        self._ready.discard(key)
