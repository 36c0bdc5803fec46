"""A machine's clocks that a test sets."""

import dataclasses

from misc_sender.spool import Moment

DAY = 86_400.0
NOON = 1_700_000_000.0


class Clocks:
    """What a camera knows of the time."""

    def __init__(self, *, synchronised: bool = False) -> None:
        self._now = Moment(boot="first", since_boot=100.0, wall=NOON, synchronised=synchronised)

    def __call__(self) -> Moment:
        """Read them."""
        return self._now

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self._now = self._now.earlier(-seconds)

    def set_wall(self, wall: float, *, synchronised: bool = True) -> None:
        """Set the wall clock."""
        self._now = dataclasses.replace(self._now, wall=wall, synchronised=synchronised)

    def boot(self, name: str, *, wall: float, synchronised: bool = False) -> None:
        """Begin anew."""
        self._now = Moment(boot=name, since_boot=20.0, wall=wall, synchronised=synchronised)
