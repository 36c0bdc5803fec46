"""Whose turn it is, where many want a worker that does one thing at a time."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar

__all__ = ["FairTurns"]

_Key = TypeVar("_Key", bound=Hashable)


class FairTurns(Generic[_Key]):
    """Shares a worker's time evenly between those who have work.

    Each turn is charged with the time that it took. Whoever has had least is next; whoever comes
    back from having nothing to do is owed nothing for that time. So one with endless or huge work
    delays the others by one turn of its own, and no more.

    Source: Goyal, Vin and Cheng, "Start-time Fair Queueing", SIGCOMM 1996.
    """

    def __init__(self) -> None:
        self._starts: dict[_Key, float] = {}
        self._ready: set[_Key] = set()
        self._now = 0.0

    def next(self, ready: Iterable[_Key]) -> _Key | None:
        """Who goes next of those that have work; None if nobody has any."""
        candidates = list(ready)
        for key in candidates:
            if key not in self._ready:
                self._starts[key] = max(self._starts.get(key, 0.0), self._now)
        self._ready = set(candidates)
        if not candidates:
            return None
        chosen = min(candidates, key=self._starts.__getitem__)
        self._now = self._starts[chosen]
        return chosen

    def charge(self, key: _Key, seconds: float) -> None:
        """Note what a turn took."""
        if key in self._starts:
            self._starts[key] += seconds

    def drop(self, key: _Key) -> None:
        """Forget one that will not come back."""
        self._starts.pop(key, None)
        self._ready.discard(key)
