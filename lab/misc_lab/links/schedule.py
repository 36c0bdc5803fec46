"""When a link can carry bytes: the interface, and the constant rate with a duty cycle."""

from typing import Protocol

from misc_shared.errors import ConfigError

__all__ = ["RateSchedule", "Schedule"]


class Schedule(Protocol):
    """The transmitter of a link: first in, first out, one datagram after another."""

    def free_at(self, now: float) -> float:
        """The earliest second, not before `now`, at which a new datagram need not queue."""
        ...

    def depart(self, size: int, now: float) -> tuple[float, float]:
        """Put `size` bytes behind everything accepted so far.

        Returns:
            The seconds at which their first bit enters and their last bit leaves the transmitter.
        """
        ...


class RateSchedule:
    """A constant rate, with the silences that a duty cycle demands after each transmission.

    Args:
        rate: Bits a second.
        duty_cycle: Largest share of time on air, in (0, 1]; after t seconds on air the
            transmitter keeps silent for t / duty_cycle - t (ETSI EN 300 220 asks for 0.01).
    """

    def __init__(self, rate: float, *, duty_cycle: float = 1.0) -> None:
        if rate <= 0 or not 0 < duty_cycle <= 1:
            raise ConfigError(
                f"A link needs a rate above 0 bit/s and a duty cycle in (0, 1]; "
                f"got {rate} and {duty_cycle}."
            )
        self._rate = rate
        self._duty_cycle = duty_cycle
        self._free = 0.0

    def free_at(self, now: float) -> float:
        """The end of the last transmission and of the silence after it."""
        return max(now, self._free)

    def depart(self, size: int, now: float) -> tuple[float, float]:
        """Send at once, or as soon as the transmitter is free."""
        start = self.free_at(now)
        on_air = size * 8 / self._rate
        self._free = start + on_air / self._duty_cycle
        return start, start + on_air
