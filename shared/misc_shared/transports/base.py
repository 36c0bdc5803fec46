"""What every transport offers: datagrams out, datagrams in, a clock, and nothing of pictures."""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["DEFAULT_MTU", "Clock", "Listener", "SystemClock", "Transport"]

DEFAULT_MTU = 1100
"""Bytes of one datagram unless told otherwise: what every IP path carries without fragments."""


class Clock(Protocol):
    """The time by which a transport's datagrams came."""

    def monotonic(self) -> float:
        """Seconds that never run backwards, from an arbitrary start."""
        ...

    def wall(self) -> float:
        """Unix seconds."""
        ...


class SystemClock:
    """This machine's clocks: the time of every live transport."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start."""
        return time.monotonic()

    def wall(self) -> float:
        """Unix seconds."""
        return time.time()


class Transport(Protocol):
    """Carries datagrams of one stream between a sender and a receiver.

    A transport may lose, repeat and reorder datagrams; the session mends that. It never queues
    more than a few: `ready` waits until the link can take one, so that the scheduler decides
    as late as possible what goes next.

    Attributes:
        stream: the stream's name; it is the transport's address and costs no datagram bytes.
        mtu: bytes of the largest datagram that `send` takes.
        duplex: whether anything can come back.
        overhead: bytes that it adds to each datagram for its own security; they count as ours.
        clock: the time at which `receive` got its datagrams.
    """

    stream: str
    mtu: int
    duplex: bool
    overhead: int

    @property
    def reconnects(self) -> int:
        """How often the link came back since it was opened.

        What was in flight then may be lost, and the other end may be a new one.
        """
        ...

    clock: Clock

    async def ready(self) -> None:
        """Wait until the link can take one more datagram.

        Raises:
            TransportError: the transport is closed, or failed for good.
        """
        ...

    async def send(self, datagram: bytes) -> None:
        """Hand one datagram to the link.

        Raises:
            TransportError: the datagram is larger than `mtu`, or the transport is closed.
        """
        ...

    async def receive(self) -> bytes | None:
        """Wait for the next datagram; None says that no more will come.

        Raises:
            TransportError: the transport is closed, or failed for good.
        """
        ...

    async def close(self) -> None:
        """Deliver what is in flight, within a limit, and let go of the link."""
        ...


class Listener(Protocol):
    """Waits for streams: one receiver serves all that come."""

    async def accept(self) -> Transport | None:
        """Wait for the next stream; None says that no more will come.

        Returns:
            The receiving end of a stream that was not here before, or that came back.

        Raises:
            TransportError: the listener is closed, or failed for good.
        """
        ...

    async def close(self) -> None:
        """Take no more streams; those that were accepted are closed by who has them."""
        ...
