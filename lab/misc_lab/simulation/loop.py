"""A clock that jumps from one thing to do to the next."""

import heapq
from collections.abc import Callable
from itertools import count

__all__ = ["VirtualLoop"]


class VirtualLoop:
    """Runs actions in the order of their times; equal times in the order of asking.

    Attributes:
        now: Virtual seconds since the start.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = count()

    def at(self, time: float, action: Callable[[], None]) -> None:
        """Ask for an action at a time; a time in the past means at once."""
        heapq.heappush(self._queue, (max(time, self.now), next(self._numbers), action))

    def run(self, *, until: float, finished: Callable[[], bool]) -> None:
        """Run until nothing is left, `finished` says so, or the next action lies past `until`."""
        while self._queue and self._queue[0][0] <= until and not finished():
            self.now, _, action = heapq.heappop(self._queue)
            action()
