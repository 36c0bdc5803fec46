"""A camera of a fleet: a real session over a real transport, with pictures encoded beforehand."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping, Sequence

from misc_shared.companions import run_with_companions
from misc_shared.errors import RemoteError
from misc_shared.session import FrameDelivered, HelloConfig, OutgoingFrame, SenderSession
from misc_shared.transports import Transport
from misc_shared.wire import MAX_EPOCH, LayerKind

__all__ = ["Camera"]

_SHORTEST_REST = 0.01


class Camera:
    """Sends pictures at a steady rate until it is cancelled.

    Args:
        transport: the sending end of its stream.
        packs: component name -> digest of the models that made the pictures.
        pictures: the layers of each, sent in turn.
        every: seconds between two.
        begin: seconds until the first.
        deadline: seconds after which a picture is given up.

    Attributes:
        sent: pictures so far.
        delivered: pictures so far that the receiver confirmed in full.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        packs: Mapping[str, bytes],
        pictures: Sequence[Mapping[LayerKind, bytes]],
        every: float,
        begin: float = 0.0,
        deadline: float = 20.0,
    ) -> None:
        self.sent = 0
        self.delivered = 0
        self._transport = transport
        self._pictures = pictures
        self._every = every
        self._deadline = deadline
        self._clock = transport.clock
        self._next_at = self._clock.monotonic() + begin
        self._wake = asyncio.Event()
        hello = HelloConfig(stream=transport.stream, packs=packs, started=self._clock.wall())
        self._session = SenderSession(
            epoch=secrets.randbelow(MAX_EPOCH + 1),
            mtu=transport.mtu,
            hello=hello,
            now=self._clock.monotonic(),
        )

    async def run(self) -> None:
        """Send and listen, and let go of the transport at the end."""
        try:
            await run_with_companions(self._send(), self._listen())
        finally:
            await self._transport.close()

    async def _send(self) -> None:
        while True:
            now = self._clock.monotonic()
            if now >= self._next_at:
                self._take_picture(now)
            self._session.tick(now)
            while (datagram := self._session.next_datagram(now)) is not None:
                await self._transport.send(datagram)
            await self._rest()

    async def _rest(self) -> None:
        now = self._clock.monotonic()
        until = min(self._session.next_timer(now) or self._next_at, self._next_at)
        self._wake.clear()
        try:
            async with asyncio.timeout(max(_SHORTEST_REST, until - now)):
                await self._wake.wait()
        except TimeoutError:
            return

    def _take_picture(self, now: float) -> None:
        layers = dict(self._pictures[self.sent % len(self._pictures)])
        self._session.submit(OutgoingFrame(now, layers, now + self._deadline), now)
        self.sent += 1
        self._next_at += self._every

    async def _listen(self) -> None:
        while (answer := await self._transport.receive()) is not None:
            try:
                events = self._session.receive(answer, self._clock.monotonic())
            except RemoteError:
                continue
            self.delivered += sum(isinstance(event, FrameDelivered) for event in events)
            self._wake.set()
