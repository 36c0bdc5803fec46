"""How long an answer takes, and how long to wait for one. Source: RFC 6298."""

__all__ = ["ACK_ALLOWANCE", "RoundTrip"]

ACK_ALLOWANCE = 0.3
"""Seconds within which a receiver has to acknowledge. protocol.md, Timing."""

_GRANULARITY = 0.05
_MAX_TIMEOUT = 60.0


class RoundTrip:
    """Smoothed round trip and the time-out that follows from it.

    Args:
        first: Seconds assumed until one is measured.
    """

    def __init__(self, *, first: float) -> None:
        self.measured: float | None = None
        self._first = first
        self._variation = 0.0
        self._backoff = 1

    @property
    def estimate(self) -> float:
        """Smoothed round trip in seconds."""
        return self._first if self.measured is None else self.measured

    @property
    def timeout(self) -> float:
        """Seconds after which a datagram without an answer is taken for lost."""
        if self.measured is None:
            wait = self._first
        else:
            wait = self.measured + max(_GRANULARITY, 4 * self._variation) + ACK_ALLOWANCE
        return min(wait * self._backoff, _MAX_TIMEOUT)

    def measure(self, sample: float) -> None:
        """Take in one round trip; never one of a repeated datagram (Karn's rule)."""
        sample = max(0.0, sample)
        if self.measured is None:
            self.measured, self._variation = sample, sample / 2
        else:
            self._variation += (abs(self.measured - sample) - self._variation) / 4
            self.measured += (sample - self.measured) / 8

    def back_off(self) -> None:
        """Wait twice as long: nothing was answered since the last time-out (RFC 6298, 5.5)."""
        if self.timeout < _MAX_TIMEOUT:
            self._backoff *= 2

    def answered(self) -> None:
        """The link is alive: wait as measured."""
        self._backoff = 1
