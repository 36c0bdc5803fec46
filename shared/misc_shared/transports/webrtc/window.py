"""How many bytes may be in flight: few enough that the link's own queue stays short.

A window that follows delay instead of loss, after LEDBAT (RFC 6817): the round trip beyond the
shortest of late is taken for queueing, and a tenth of a second of that is aimed at. One message is
always allowed. A message of 1,100 bytes takes more than that tenth below 90 kbit/s or so, so such a
link never has a second one in flight: a session decides as late as possible what goes next, and
SCTP, whose timers know nothing of slow links, has nothing to repeat.
"""

from __future__ import annotations

import math
from collections import deque

__all__ = ["DelayWindow"]

_TARGET = 0.1
_LARGEST = 64
_MINUTES = 5
_PACING_GAIN = 1.25  # RFC 9002, 7.7


class DelayWindow:
    """The congestion window of one connection.

    Args:
        message: bytes of the largest message.

    Attributes:
        nbytes: bytes that may be in flight, never less than one message.
        round_trip: smoothed seconds, or None before the first sample.
    """

    def __init__(self, *, message: int) -> None:
        self.nbytes = float(message)
        self.round_trip: float | None = None
        self._message = message
        self._minima: deque[float] = deque(maxlen=_MINUTES)  # one for each minute, newest last
        self._minute = -math.inf
        self._lost_at = -math.inf
        self._free_at = -math.inf

    @property
    def shortest(self) -> float | None:
        """Seconds of the shortest round trip of late, or None before the first."""
        return min(self._minima, default=None)

    def allows(self, in_flight: int) -> bool:
        """Whether one more of the largest messages may go."""
        return in_flight == 0 or in_flight + self._message <= self.nbytes

    def wait(self, now: float) -> float:
        """Seconds until the next message may follow, so that a window is no burst."""
        return max(0.0, self._free_at - now)

    def sent(self, nbytes: int, now: float) -> None:
        """Note that a message went out."""
        gap = (self.round_trip or 0.0) * nbytes / (_PACING_GAIN * self.nbytes)
        self._free_at = max(self._free_at, now) + gap if self.nbytes > self._message else now

    def probed(self, round_trip: float, now: float) -> None:
        """A packet of hardly any bytes was answered: what the link takes without a queue."""
        if now - self._minute >= 60.0:  # noqa: PLR2004 - a minute
            self._minute = now
            self._minima.append(round_trip)
        self._minima[-1] = min(self._minima[-1], round_trip)

    def acknowledged(self, nbytes: int, *, in_flight: int, round_trip: float, now: float) -> None:
        """Messages were confirmed.

        Args:
            nbytes: their bytes.
            in_flight: bytes in flight before they were.
            round_trip: seconds that the first of them took.
            now: seconds.
        """
        self.probed(round_trip, now)
        known = round_trip if self.round_trip is None else self.round_trip
        self.round_trip = known + (round_trip - known) / 8
        queueing = round_trip - min(self._minima)
        off_target = (_TARGET - queueing) / _TARGET
        change = off_target * nbytes * self._message / self.nbytes
        # What was not made use of says nothing about what the link could take.
        if change < 0 or not self.allows(in_flight):
            self._set(self.nbytes + change)

    def lost(self, now: float) -> None:
        """A message was given up: halve the window, once in a round trip."""
        if now - self._lost_at > (self.round_trip or 0.0):
            self._lost_at = now
            self._set(self.nbytes / 2)

    def _set(self, nbytes: float) -> None:
        self.nbytes = min(max(nbytes, float(self._message)), float(_LARGEST * self._message))
