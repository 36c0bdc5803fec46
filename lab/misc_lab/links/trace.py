"""Links that follow a recorded trace in mahimahi's format.

Each line is a millisecond at which the link can deliver 1504 bytes: of one packet, of several, or
of a part of one. What the queue cannot fill is wasted. After its last line the trace begins again,
shifted by that line's time. (Netravali et al., "Mahimahi", USENIX ATC 2015; link_queue.cc.)
"""

from collections.abc import Sequence
from pathlib import Path

from misc_shared.errors import ConfigError

__all__ = ["OPPORTUNITY_BYTES", "TraceSchedule", "read_trace"]

OPPORTUNITY_BYTES = 1504
"""What one line of a trace can carry: an Ethernet payload with a tunnel header."""

_MS = 1000


def read_trace(path: Path) -> tuple[int, ...]:
    """Read a trace file.

    Raises:
        ConfigError: The file cannot be read or holds something other than milliseconds.
    """
    try:
        return tuple(int(line) for line in path.read_text("ascii").splitlines())
    except OSError as error:
        raise ConfigError(
            f"The trace {path} cannot be read ({error.strerror}); name a mahimahi trace file."
        ) from error
    except ValueError as error:
        raise ConfigError(
            f"The trace {path} is not in mahimahi's format, one millisecond a line: {error}."
        ) from error


class TraceSchedule:
    """The delivery opportunities of a trace.

    Args:
        opportunities: Milliseconds from the start, never decreasing, the last one above 0.
    """

    def __init__(self, opportunities: Sequence[int]) -> None:
        self._times = tuple(opportunities)
        self._check()
        self._index = 0
        self._base = 0
        self._bytes_left = 0
        self._current_ms = 0
        self._previous_ms = 0

    def _check(self) -> None:
        falls = any(
            later < sooner for sooner, later in zip(self._times, self._times[1:], strict=False)
        )
        if not self._times or self._times[0] < 0 or self._times[-1] <= 0 or falls:
            raise ConfigError(
                "A trace needs milliseconds that never decrease and that end above 0."
            )

    def free_at(self, now: float) -> float:
        """When the last datagram's opportunity has passed, or is next and has room for more."""
        busy_until = self._previous_ms if self._bytes_left else self._current_ms
        return max(now, busy_until / _MS)

    def depart(self, size: int, now: float) -> tuple[float, float]:
        """Fill opportunities after `now` until all bytes are gone."""
        self._skip_past(now)
        start = None
        while size > 0:
            if self._bytes_left == 0:
                self._open_next()
            start = self._current_ms if start is None else start
            taken = min(size, self._bytes_left)
            self._bytes_left -= taken
            size -= taken
        first = self._current_ms if start is None else start
        return first / _MS, self._current_ms / _MS

    def _skip_past(self, now: float) -> None:
        """Waste what the link offered up to and including `now`: nobody was waiting then."""
        if self._current_ms / _MS <= now:
            self._bytes_left = 0
        self._skip_whole_rounds(now)
        while (self._base + self._times[self._index]) / _MS <= now and self._bytes_left == 0:
            self._advance()

    def _skip_whole_rounds(self, now: float) -> None:
        """Jump over rounds that lie wholly in the past, so that long silences cost no time."""
        period = self._times[-1]
        rounds = int((now * _MS - self._base) // period) - 1
        if self._bytes_left == 0 and rounds > 0:
            self._base += rounds * period

    def _open_next(self) -> None:
        opens = self._base + self._times[self._index]
        if opens > self._current_ms:
            self._previous_ms, self._current_ms = self._current_ms, opens
        self._bytes_left = OPPORTUNITY_BYTES
        self._advance()

    def _advance(self) -> None:
        self._index += 1
        if self._index == len(self._times):
            self._index = 0
            self._base += self._times[-1]
