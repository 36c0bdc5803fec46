"""How often a picture is kept while the link is away, and where it goes afterwards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from misc_sender.spool.store import Spool
from misc_shared.transports import Transport
from misc_shared.wire import LayerKind

__all__ = ["Spooling"]

_LOOK_EVERY = 1.0


class Spooling:
    """A spool and its pace.

    Args:
        spool: where pictures wait.
        every: seconds between two pictures that are kept.
        connect: opens the transport of the stream's archive.

    Attributes:
        spool: as above.
        connect: as above.
    """

    def __init__(
        self, spool: Spool, *, every: float, connect: Callable[[], Awaitable[Transport]]
    ) -> None:
        self.spool = spool
        self.connect = connect
        self._every = every
        self._next_at = 0.0

    def pause(self, now: float) -> float:
        """Seconds until the next picture is to be kept, or until to look again."""
        return min(max(0.0, self._next_at - now), _LOOK_EVERY)

    def keep(self, age: float, layers: Mapping[LayerKind, bytes], now: float) -> float | None:
        """Keep a picture that stands alone; waits for the disk.

        Args:
            age: seconds since its capture.
            layers: all of it.
            now: seconds on the clock of `pause`.

        Returns:
            Unix seconds of its capture, by the wall clock as it is now; None if it was not kept.
        """
        self._next_at = now + self._every
        return self.spool.add(self.spool.now().earlier(age), layers)
