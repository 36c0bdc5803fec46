"""Capture times as ticks of 1/8 s: a frame's id is its time, so the time costs no byte.

protocol.md, Frame ids.
"""

import math
from dataclasses import dataclass

from misc_shared.wire import FRAME_ID_BITS, unwrap

__all__ = ["TICKS_PER_SECOND", "EpochClock", "FrameId", "TickTracker"]

TICKS_PER_SECOND = 8
_TURN = 1 << FRAME_ID_BITS
_MAX_TICK = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True, order=True)
class FrameId:
    """One frame of one run of a sender.

    Attributes:
        epoch: The sender's run, 0 to 65,535.
        tick: Capture time in ticks of 1/8 s since the epoch's start, unwrapped.
    """

    epoch: int
    tick: int

    @property
    def on_wire(self) -> int:
        """The tick as a datagram carries it, modulo 2**16."""
        return self.tick % _TURN

    def __str__(self) -> str:
        return f"{self.epoch:04x}-{self.tick:06d}"


class EpochClock:
    """The sender's side: times on the caller's clock become ticks.

    Args:
        now: The caller's clock at the session's start, in seconds.
        started: Unix time at the session's start.

    Attributes:
        started: Unix time of tick 0, rounded down to a whole second: so HELLO carries 4 bytes.
    """

    def __init__(self, *, now: float, started: float) -> None:
        self.started = math.floor(started)
        self._origin = now - (started - self.started)

    def tick(self, time: float) -> int:
        """The tick that holds `time`; 0 for a time before the epoch."""
        return min(max(0, math.floor((time - self._origin) * TICKS_PER_SECOND)), _MAX_TICK)


class TickTracker:
    """The receiver's side: 16-bit frame ids become ticks that never wrap.

    An id returns after 8,192 s. Which turn is meant follows from the time that passed since the
    last datagram, so a pause of any length does no harm. Delays may differ by up to an hour.
    """

    def __init__(self) -> None:
        self._tick: int | None = None
        self._at = 0.0
        self._offset = 0

    def unwrap(self, frame_id: int, now: float) -> int:
        """The tick of a frame; without a HELLO, whole turns since the epoch's start are missing."""
        if self._tick is None:
            self._tick, self._at = frame_id, now
            return frame_id
        tick = unwrap(frame_id, near=self._expected(self._tick, now))
        if tick > self._tick:
            self._tick, self._at = tick, now
        return tick

    def synchronise(self, tick: int, now: float) -> None:
        """Learn the true tick of this moment from HELLO.

        Ids that were given out stay; what they lack goes to `seconds`.
        """
        if self._tick is None:
            self._tick, self._at = tick, now
            return
        turns = round((tick - self._expected(self._tick, now)) / _TURN)
        self._offset = max(0, turns * _TURN)

    def seconds(self, tick: int) -> float:
        """Capture time of a tick that `unwrap` gave, in seconds since the epoch's start."""
        return (tick + self._offset) / TICKS_PER_SECOND

    def _expected(self, tick: int, now: float) -> int:
        return tick + max(0, math.floor((now - self._at) * TICKS_PER_SECOND))
