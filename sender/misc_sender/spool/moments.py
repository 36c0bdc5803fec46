"""What is known of a moment, so that a later run can tell how long ago it was.

A small camera often has no clock that survives a power cut: it boots with a wrong time, and gets
the right one hours later, or never. The seconds since boot are right all the same, within one boot.
"""

from __future__ import annotations

import ctypes
import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Moment", "this_moment"]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_TIMEX_BYTES = 256
_TIME_ERROR = 5
_CLOCK_WAS_SET = 1.0
"""Seconds by which wall clock and time since boot drift apart only if somebody sets the clock."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A moment by all of this machine's clocks.

    Attributes:
        boot: names the boot; empty where that is unknown, which is like no other.
        since_boot: seconds, times of suspension included.
        wall: Unix seconds, as the wall clock had them.
        synchronised: whether the wall clock followed a time server.
    """

    boot: str
    since_boot: float
    wall: float
    synchronised: bool

    def earlier(self, seconds: float) -> Moment:
        """The moment so many seconds before."""
        return dataclasses.replace(
            self, since_boot=self.since_boot - seconds, wall=self.wall - seconds
        )

    def seconds_until(self, now: Moment) -> float | None:
        """How long ago it was, at `now`; None where that is unknown.

        Between two boots only the wall clock can tell, and only if it was right both times.
        """
        if self._same_boot(now):
            return now.since_boot - self.since_boot
        if self.synchronised and now.synchronised:
            return max(0.0, now.wall - self.wall)
        return None

    def true_wall(self, now: Moment) -> float:
        """Unix seconds, by the wall clock as it is at `now` where it was set since."""
        if not self._same_boot(now) or (self.synchronised and not now.synchronised):
            return self.wall
        corrected = now.wall - (now.since_boot - self.since_boot)
        return corrected if abs(corrected - self.wall) > _CLOCK_WAS_SET else self.wall

    def _same_boot(self, other: Moment) -> bool:
        return bool(self.boot) and self.boot == other.boot


def this_moment() -> Moment:
    """Read this machine's clocks."""
    return Moment(
        boot=_boot_id(),
        since_boot=time.clock_gettime(time.CLOCK_BOOTTIME),
        wall=time.time(),
        synchronised=_is_synchronised(),
    )


def _boot_id() -> str:
    try:
        return _BOOT_ID.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _is_synchronised() -> bool:
    """Whether the kernel knows the wall clock to be right: adjtimex(2), which only reads here."""
    state = _adjtimex()
    return state is not None and 0 <= state < _TIME_ERROR


def _adjtimex() -> int | None:
    library = ctypes.CDLL(None)
    ask: Callable[[ctypes.Array[ctypes.c_char]], int] | None = getattr(library, "adjtimex", None)
    return None if ask is None else ask(ctypes.create_string_buffer(_TIMEX_BYTES))
