"""Listens in on a transport, so that what comes can be counted and recorded."""

from __future__ import annotations

from collections.abc import Callable

from misc_shared.transports import Transport
from misc_shared.transports.base import Clock, Listener

__all__ = ["TappedListener", "TappedTransport"]

_Ear = Callable[[str, bytes, float], None]


class TappedListener:
    """A listener whose streams are listened in on.

    Args:
        listener: accepts the streams.
        ear: see `TappedTransport`.
    """

    def __init__(self, listener: Listener, ear: _Ear) -> None:
        self._listener = listener
        self._ear = ear

    async def accept(self) -> Transport | None:
        """Wait for the next stream."""
        transport = await self._listener.accept()
        return None if transport is None else TappedTransport(transport, self._ear)

    async def close(self) -> None:
        """Take no more streams."""
        await self._listener.close()


class TappedTransport:
    """A transport that shows each datagram that it receives to somebody else as well.

    Args:
        transport: what carries the datagrams.
        ear: takes the stream's name, a datagram and the Unix time of the transport's clock.
    """

    def __init__(self, transport: Transport, ear: _Ear) -> None:
        self._transport = transport
        self._ear = ear
        self.stream = transport.stream
        self.mtu = transport.mtu
        self.duplex = transport.duplex
        self.overhead = transport.overhead
        self.clock: Clock = transport.clock

    @property
    def inner(self) -> Transport:
        """What carries the datagrams."""
        return self._transport

    @property
    def reconnects(self) -> int:
        """How often the link came back."""
        return self._transport.reconnects

    async def ready(self) -> None:
        """Wait until the link can take one more datagram."""
        await self._transport.ready()

    async def send(self, datagram: bytes) -> None:
        """Hand one datagram to the link."""
        await self._transport.send(datagram)

    async def receive(self) -> bytes | None:
        """Wait for the next datagram, and show it."""
        datagram = await self._transport.receive()
        if datagram is not None:
            self._ear(self.stream, datagram, self.clock.wall())
        return datagram

    async def close(self) -> None:
        """Let go of the link."""
        await self._transport.close()
