"""Refuses a counter that came before. After RFC 4303, Appendix A2.3 (IPsec's sliding window)."""

from __future__ import annotations

import enum

__all__ = ["WINDOW", "ReplayWindow", "Verdict"]

WINDOW = 1024
"""Counters below the highest one that still may come late."""

_SHORT_COUNTERS = 1 << 15


class Verdict(enum.Enum):
    """What is known of a counter."""

    NEW = "new"
    REPLAYED = "replayed"
    OUTDATED = "outdated"


class ReplayWindow:
    """Which counters of one run came; memory is a bit for each in the window.

    Args:
        first: the counter with which we came to know the run. Below it nothing is taken: it may
            have come before we were there.
    """

    def __init__(self, first: int) -> None:
        self._first = first
        self._highest = first
        self._seen = 1  # bit k: the highest but k came

    def judge(self, counter: int) -> Verdict:
        """Whether a counter is new; changes nothing."""
        if counter < self._first or counter <= self._highest - WINDOW:
            return Verdict.OUTDATED
        if counter <= self._highest and self._seen >> (self._highest - counter) & 1:
            return Verdict.REPLAYED
        return Verdict.NEW

    def take(self, counter: int) -> None:
        """Note a new counter whose datagram was verified."""
        if counter > self._highest:
            shift = counter - self._highest
            # Beyond the window nothing would remain, and a shift by the distance could be huge.
            self._seen = 1 if shift >= WINDOW else (self._seen << shift | 1) & ((1 << WINDOW) - 1)
            self._highest = counter
        else:
            self._seen |= 1 << (self._highest - counter)

    def whole(self, low: int) -> int:
        """The counter nearest to the highest one that has these lowest 15 bits."""
        half = _SHORT_COUNTERS // 2
        distance = (low - self._highest + half) % _SHORT_COUNTERS - half
        return max(self._highest + distance, low)
