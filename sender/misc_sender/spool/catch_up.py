"""Sends what was spooled, politely: small datagrams, a share of the link, after what lives.

The pictures go as a stream of their own (protocol.md, Archives), so that no receiver takes them for
the live picture, with their own times of capture.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from misc_sender.spool.folder import Spool, SpooledFrame
from misc_shared.companions import end_tasks
from misc_shared.errors import MiscError, RemoteError
from misc_shared.session import (
    Event,
    FrameDelivered,
    FrameDropped,
    HelloConfig,
    LinkState,
    OutgoingFrame,
    SenderSession,
)
from misc_shared.transports import Transport
from misc_shared.transports.pacing import Pacer
from misc_shared.wire import MAX_EPOCH, MIN_MTU, LayerKind

__all__ = ["RESERVE", "CatchUp"]

RESERVE = 0.3
"""Share of the link that catching up may take."""
_UNKNOWN_KBPS = 4.0
_LONGEST_DATAGRAM = 0.25
"""Seconds of the link that one datagram may take: a live picture that comes waits no longer."""
_LOOK_EVERY = 1.0
_LONGEST_GAP = 600.0
"""Seconds between pictures above which a new session begins: frame ids are 16 bits of time."""
_PATIENCE = 120.0
"""Seconds that a picture has to arrive; then it is tried again, from a new session."""


@dataclass(frozen=True)
class _Run:
    session: SenderSession
    transport: Transport
    pacer: Pacer


class CatchUp:
    """Empties a spool while the live stream leaves room.

    Args:
        spool: what waits.
        packs: the models that coded it, as in the live HELLO.
        connect: opens the archive's transport.
        link: tells what is known of the live link, or None while it is away.
        sent: told of each picture that has arrived, by its Unix time of capture.
    """

    def __init__(
        self,
        *,
        spool: Spool,
        packs: Mapping[str, bytes],
        connect: Callable[[], Awaitable[Transport]],
        link: Callable[[], LinkState | None],
        sent: Callable[[float], None],
    ) -> None:
        self._spool = spool
        self._packs = packs
        self._connect = connect
        self._link = link
        self._sent = sent
        self._under_way: SpooledFrame | None = None

    async def run(self) -> None:
        """Wait for something to send and a link to send it over; for ever."""
        while True:
            link = self._link()
            if len(self._spool) and link is not None and link.answered_at is not None:
                with contextlib.suppress(MiscError):  # the live stream's errors tell the user
                    await self._empty(link)
            await asyncio.sleep(_LOOK_EVERY)

    async def _empty(self, link: LinkState) -> None:
        transport = await self._connect()
        clock = transport.clock
        first = self._spool.oldest(clock.wall())
        if first is None:
            await transport.close()
            return
        run = self._begin(transport, first, link)
        answers = asyncio.create_task(self._take_answers(run))
        try:
            before = first
            while (frame := self._spool.oldest(clock.wall())) is not None:
                if frame.captured > before.captured + _LONGEST_GAP:
                    break
                if not await self._deliver(run, frame, first=first):
                    return
                before = frame
            await self._say_bye(run)
        finally:
            await end_tasks(answers)
            await transport.close()

    def _begin(self, transport: Transport, first: SpooledFrame, link: LinkState) -> _Run:
        kbps = _UNKNOWN_KBPS if link.rate is None else RESERVE * link.rate / 1000
        rate = 1000 * kbps / RESERVE
        mtu = min(transport.mtu, max(2 * MIN_MTU, int(rate / 8 * _LONGEST_DATAGRAM)))
        session = SenderSession(
            epoch=secrets.randbelow(MAX_EPOCH + 1),
            mtu=mtu,
            hello=HelloConfig(
                stream=transport.stream, packs=self._packs, started=first.captured, first=True
            ),
            now=transport.clock.monotonic(),
            overhead=transport.overhead,
        )
        self._origin = transport.clock.monotonic()
        return _Run(session, transport, Pacer(kbps=kbps))

    async def _deliver(self, run: _Run, frame: SpooledFrame, *, first: SpooledFrame) -> bool:
        """Send one picture; returns whether it arrived."""
        now = run.transport.clock.monotonic()
        captured_at = self._origin + frame.captured - first.captured
        layers: dict[LayerKind, bytes] = dict(frame.layers)
        run.session.submit(OutgoingFrame(captured_at, layers, now + _PATIENCE), now)
        self._under_way = frame
        while self._under_way is frame:
            now = run.transport.clock.monotonic()
            self._note(run.session.tick(now))
            link = self._link()
            datagram = None
            if link is not None and link.waiting == 0:
                datagram = run.session.next_datagram(now)
            if datagram is None:
                if not run.session.frames_in_flight and self._under_way is frame:
                    return False  # it was given up: try again later
                await asyncio.sleep(0.2)
                continue
            await run.transport.ready()
            await run.transport.send(datagram)
            run.pacer.sent(len(datagram) + run.transport.overhead, now)
            await asyncio.sleep(run.pacer.wait(run.transport.clock.monotonic()))
        return True

    async def _say_bye(self, run: _Run) -> None:
        run.session.close()
        bye = run.session.next_datagram(run.transport.clock.monotonic())
        if bye is not None:
            await run.transport.send(bye)

    async def _take_answers(self, run: _Run) -> None:
        while (datagram := await run.transport.receive()) is not None:
            with contextlib.suppress(RemoteError):
                self._note(run.session.receive(datagram, run.transport.clock.monotonic()))

    def _note(self, events: list[Event]) -> None:
        for event in events:
            arrived = isinstance(event, FrameDelivered) or (
                isinstance(event, FrameDropped) and LayerKind.BASE in event.delivered
            )
            if arrived and self._under_way is not None:
                self._spool.remove(self._under_way.path)
                self._sent(self._under_way.captured)
                self._under_way = None
