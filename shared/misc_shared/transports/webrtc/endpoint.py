"""What both ends of a stream over WebRTC have in common: datagrams over one link after another."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from misc_shared.errors import TransportError, WireError
from misc_shared.transports.base import Clock, SystemClock
from misc_shared.transports.webrtc.bundling import Bundle, length_bytes, unbundle
from misc_shared.transports.webrtc.link import DataLink

__all__ = ["MAX_MTU", "WebrtcEndpoint"]

_log = logging.getLogger(__name__)

MAX_MTU = 1100
"""Bytes of the largest datagram: with all headers it stays one packet on every IPv6 path."""

_INCOMING_LIMIT = 256
_COLLECT = 0.005
"""Seconds in which a session says all that it has to say at one moment."""

_LEAST_ROOM = 64
_CLOSE_TIMEOUT = 30.0


class WebrtcEndpoint:
    """One end of a stream; links come and go below it.

    At most one bundle waits while the window is full, so what a session hands over goes next.

    Args:
        stream: the stream's name.
        mtu: bytes of the largest datagram, at most 1,100.

    Attributes:
        lost: datagrams that a dying link took along, or that nobody fetched.
        refused: messages from outside that were malformed.
        reconnects: links after the first.
    """

    duplex = True
    overhead = 0

    def __init__(self, *, stream: str, mtu: int = MAX_MTU) -> None:
        self.stream = stream
        self.mtu = mtu
        self.clock: Clock = SystemClock()
        self.lost = 0
        self.refused = 0
        self.reconnects = 0
        self._link: DataLink | None = None
        self._linked_before = False
        self._bundle = Bundle(limit=mtu + length_bytes(mtu))
        self._flush_at: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        self._incoming: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=_INCOMING_LIMIT)
        self._closed = False

    @property
    def link(self) -> DataLink | None:
        """The connection that is in use."""
        return self._link

    def turned_away(self) -> dict[str, int]:
        """Messages from outside that no session got, by cause."""
        return {"malformed": self.refused} if self.refused else {}

    def attach(self, link: DataLink) -> None:
        """Go on over this link."""
        self.reconnects += self._linked_before
        self._linked_before = True
        self._link = link
        self.changed()

    def detach(self, link: DataLink) -> None:
        """This link is gone, and with it what waited for it."""
        if self._link is link:
            self._link = None
            self._drop_bundle()
            self._changed.set()

    def deliver(self, message: bytes) -> None:
        """Take in a message of the other end."""
        try:
            datagrams = unbundle(message)
        except WireError as error:
            self.refused += 1
            _log.debug("a message was refused: %s", error)
            return
        for datagram in datagrams:
            self._put(datagram)

    def changed(self) -> None:
        """Send what waits, if it can go now; let whoever waits look again."""
        if len(self._bundle) and self._flush_at is None:
            self._flush()
        self._changed.set()

    def finish(self) -> None:
        """No more will come: let `receive` say so."""
        if not self._closed:
            self._closed = True
            self._changed.set()
            self._put(None)

    async def ready(self) -> None:
        """Wait until the link can take another datagram."""
        while True:
            self._refuse_if_closed()
            if self._has_room():
                return
            self._changed.clear()
            await self._changed.wait()

    async def send(self, datagram: bytes) -> None:
        """Hand over one datagram; it goes with others that are handed over within 5 ms."""
        if not 0 < len(datagram) <= self.mtu:
            raise TransportError(
                f"a datagram of {len(datagram)} bytes does not fit the MTU of {self.mtu}"
            )
        while True:
            await self.ready()
            if self._bundle.fits(len(datagram)):
                break
            self._flush()  # what is full goes first, if it can
            if not self._bundle.fits(len(datagram)):
                self._changed.clear()
                await self._changed.wait()
        self._bundle.add(datagram)
        if self._flush_at is None:
            self._schedule(_COLLECT)

    async def receive(self) -> bytes | None:
        """Wait for the next datagram, over any number of links; None if no more will come."""
        if self._closed and self._incoming.empty():
            return None
        return await self._incoming.get()

    async def close(self) -> None:
        """Deliver what is in flight, within a limit, and let go of the link."""
        if self._closed:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT):
                await self._drained()
        await self._let_go()
        self.finish()
        self._drop_bundle()
        link, self._link = self._link, None
        if link is not None:
            await link.close()

    async def _let_go(self) -> None:
        """Make no more links: what else an end has to do as it closes."""

    def _has_room(self) -> bool:
        if self._link is None or not self._link.usable:
            return False
        if len(self._bundle):
            return self._bundle.fits(_LEAST_ROOM)
        return self._link.wait() is not None

    async def _drained(self) -> None:
        """Wait until all is confirmed, or there is nobody to confirm it."""
        while self._link is not None and (len(self._bundle) or self._link.in_flight):
            self._changed.clear()
            await self._changed.wait()

    def _schedule(self, seconds: float) -> None:
        self._flush_at = asyncio.get_running_loop().call_later(seconds, self._on_flush_timer)

    def _on_flush_timer(self) -> None:
        self._flush_at = None
        self._flush()

    def _flush(self) -> None:
        """Send the bundle if the link takes it; otherwise it goes when there is room."""
        if self._link is None or not len(self._bundle):
            return
        wait = self._link.wait()
        if wait is None:
            return
        if wait > 0:
            if self._flush_at is None:
                self._schedule(wait)
            return
        self._link.send(self._bundle.take())
        if self._flush_at is not None:
            self._flush_at.cancel()
            self._flush_at = None
        self._changed.set()

    def _drop_bundle(self) -> None:
        self.lost += len(self._bundle)
        self._bundle.take()
        if self._flush_at is not None:
            self._flush_at.cancel()
            self._flush_at = None

    def _put(self, datagram: bytes | None) -> None:
        if self._incoming.full():
            self._incoming.get_nowait()  # the oldest is the least worth keeping
            self.lost += 1
        self._incoming.put_nowait(datagram)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise TransportError(f"the WebRTC connection of the stream {self.stream!r} is closed")
