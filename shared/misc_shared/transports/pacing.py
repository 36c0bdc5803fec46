"""Keeps a sender below a rate, where the link itself would take more and queue it."""

from __future__ import annotations

__all__ = ["Pacer"]


class Pacer:
    """Says when the next datagram may go.

    Args:
        kbps: kbit/s, or None for no limit.
    """

    def __init__(self, *, kbps: float | None) -> None:
        self._seconds_per_byte = 0.0 if kbps is None else 8 / (kbps * 1000)
        self._free_at = 0.0

    def wait(self, now: float) -> float:
        """Seconds until the link is free."""
        return max(0.0, self._free_at - now)

    def sent(self, nbytes: int, now: float) -> None:
        """Note that a datagram went out at `now`."""
        self._free_at = max(self._free_at, now) + nbytes * self._seconds_per_byte
