"""An in-process link: two ends in one event loop, for simulations and for embedding."""

from __future__ import annotations

import asyncio

from misc_shared.errors import TransportError
from misc_shared.transports.base import DEFAULT_MTU, Clock, SystemClock

__all__ = ["MemoryTransport", "memory_pair"]

_QUEUE_LIMIT = 64


class MemoryTransport:
    """One end of an in-process link; made in pairs by `memory_pair`.

    Every datagram arrives once and in order. At most 64 wait: `ready` holds the sender back.
    """

    duplex = True
    overhead = 0
    reconnects = 0

    def __init__(
        self,
        *,
        stream: str,
        mtu: int,
        clock: Clock,
        outgoing: asyncio.Queue[bytes | None],
        incoming: asyncio.Queue[bytes | None],
    ) -> None:
        self.stream = stream
        self.mtu = mtu
        self.clock = clock
        self._outgoing = outgoing
        self._incoming = incoming
        self._room = asyncio.Event()
        self._room.set()
        self._closed = False
        self.peer: MemoryTransport = self

    async def ready(self) -> None:
        """Wait until the other end has room for one more datagram."""
        self._refuse_if_closed()
        await self._room.wait()
        self._refuse_if_closed()

    async def send(self, datagram: bytes) -> None:
        """Put one datagram into the other end's queue."""
        if len(datagram) > self.mtu:
            raise TransportError(
                f"a datagram of {len(datagram)} bytes does not fit the link's {self.mtu} bytes"
            )
        await self.ready()
        self._outgoing.put_nowait(datagram)
        if self._outgoing.qsize() >= _QUEUE_LIMIT:
            self._room.clear()

    async def receive(self) -> bytes | None:
        """Take the oldest datagram that the other end sent; None once it has closed."""
        datagram = await self._incoming.get()
        if datagram is None:
            self._incoming.put_nowait(None)  # every later call gets the same answer
        else:
            self.peer.make_room()
        return datagram

    def make_room(self) -> None:
        """Let the sender go on: the other end calls this after taking a datagram."""
        self._room.set()

    async def close(self) -> None:
        """Tell the other end that no more will come."""
        if not self._closed:
            self._closed = True
            self._room.set()
            self._outgoing.put_nowait(None)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise TransportError("this end of the in-process link is closed")


def memory_pair(
    *, stream: str = "camera", mtu: int = DEFAULT_MTU, clock: Clock | None = None
) -> tuple[MemoryTransport, MemoryTransport]:
    """Make the two ends of an in-process link: (sender's, receiver's)."""
    forth: asyncio.Queue[bytes | None] = asyncio.Queue()
    back: asyncio.Queue[bytes | None] = asyncio.Queue()
    shared_clock = clock or SystemClock()
    sender = MemoryTransport(
        stream=stream, mtu=mtu, clock=shared_clock, outgoing=forth, incoming=back
    )
    receiver = MemoryTransport(
        stream=stream, mtu=mtu, clock=shared_clock, outgoing=back, incoming=forth
    )
    sender.peer, receiver.peer = receiver, sender
    return sender, receiver
