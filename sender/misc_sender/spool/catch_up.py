"""Sends what was spooled, politely: small datagrams, a share of the link, after what lives.

The pictures go as a stream of their own (protocol.md, Archives), so that no receiver takes them for
the live picture, with their own times of capture. A picture leaves the spool once the receiver has
confirmed all of it, which an archive's receiver does when it has kept it. Until then it is sent
again, under the same time of capture: by that the receiver knows what it has already.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping

from misc_sender.spool.records import SpooledFrame
from misc_sender.spool.store import Spool
from misc_shared.companions import end_tasks
from misc_shared.errors import MiscError, RemoteError
from misc_shared.session import (
    Event,
    FrameDelivered,
    FrameDropped,
    FrameId,
    HelloConfig,
    LinkState,
    OutgoingFrame,
    SenderSession,
)
from misc_shared.session.ticks import TICKS_PER_SECOND
from misc_shared.transports import Transport
from misc_shared.transports.pacing import Pacer
from misc_shared.wire import MAX_EPOCH, MIN_MTU, LayerKind

__all__ = ["RESERVE", "CatchUp"]

_log = logging.getLogger(__name__)

RESERVE = 0.3
"""Share of the link that catching up may take."""
_UNKNOWN_KBPS = 4.0
_LONGEST_DATAGRAM = 0.25
"""Seconds of the link that one datagram may take: a live picture that comes waits no longer."""
_LOOK_EVERY = 1.0
_LONGEST_PAUSE = 300.0
"""Seconds between two tries at last, where nobody takes what is sent."""
_STRETCH = 2000.0
"""Seconds, of captures and of sending alike, after which a new session begins: frame ids are 16
bits of time, and a receiver that comes in the middle of a session has to tell their turn."""
_PATIENCE = 600.0
"""Seconds that a picture has to arrive; then it is tried again, from a new session."""
_UNHEARD = 60.0
"""The same where nobody has answered at all: perhaps nobody reads the archive."""


class CatchUp:
    """Empties a spool while the live stream leaves room.

    Args:
        spool: what waits.
        connect: opens the archive's transport.
        link: tells what is known of the live link, or None while it is away.
        sent: told of each picture that has arrived, by its Unix time of capture.

    Attributes:
        sending: whether it takes its share of the link now.
    """

    def __init__(
        self,
        *,
        spool: Spool,
        connect: Callable[[], Awaitable[Transport]],
        link: Callable[[], LinkState | None],
        sent: Callable[[float], None],
    ) -> None:
        self._spool = spool
        self._connect = connect
        self._link = link
        self._sent = sent
        self._told = ""
        self.sending = False

    async def run(self) -> None:
        """Wait for something to send and a link to send it over; for ever."""
        pause = _LOOK_EVERY
        while True:
            link = self._link()
            if len(self._spool) and link is not None and link.answered_at is not None:
                waiting = len(self._spool)
                try:
                    await self._empty(link)
                except MiscError as error:
                    self._tell(error)
                progress = len(self._spool) < waiting
                pause = _LOOK_EVERY if progress else min(2 * pause, _LONGEST_PAUSE)
            await asyncio.sleep(pause)

    async def _empty(self, link: LinkState) -> None:
        transport = await self._connect()
        self.sending = True
        try:
            while (first := await self._oldest()) is not None:
                if not await _Stretch(self, transport, first, link).send():
                    return
        finally:
            self.sending = False
            await transport.close()

    async def _oldest(self) -> SpooledFrame | None:
        return await asyncio.to_thread(self._spool.oldest)

    async def next_after(self, frame: SpooledFrame) -> SpooledFrame | None:
        """Forget a picture that has arrived; gives the one after it."""
        await asyncio.to_thread(self._spool.remove, frame)
        self._sent(frame.captured)
        return await self._oldest()

    def may_send(self) -> bool:
        """Whether nothing of the live stream waits."""
        link = self._link()
        return link is not None and link.waiting == 0

    def _tell(self, error: MiscError) -> None:
        if str(error) != self._told:
            self._told = str(error)
            _log.warning("the archive waits: %s", error)


class _Stretch:
    """One session of an archive: pictures that lie close together, one after the other.

    Args:
        catch_up: whose pictures.
        transport: the archive's.
        first: the picture that it begins with.
        link: what is known of the link.
    """

    def __init__(
        self, catch_up: CatchUp, transport: Transport, first: SpooledFrame, link: LinkState
    ) -> None:
        kbps = _UNKNOWN_KBPS if link.rate is None else RESERVE * link.rate / 1000
        rate = 1000 * kbps / RESERVE
        mtu = min(transport.mtu, max(2 * MIN_MTU, int(rate / 8 * _LONGEST_DATAGRAM)))
        self._catch_up = catch_up
        self._transport = transport
        self._first = first
        self._pacer = Pacer(kbps=kbps)
        self._changed = asyncio.Event()
        self._outcome: dict[FrameId, bool] = {}
        self._began = transport.clock.monotonic()
        self._started = first.tick // TICKS_PER_SECOND
        self._session = SenderSession(
            epoch=secrets.randbelow(MAX_EPOCH + 1),
            mtu=mtu,
            hello=HelloConfig(
                stream=transport.stream, packs=first.packs, started=self._started, first=True
            ),
            now=self._began,
            overhead=transport.overhead,
        )

    async def send(self) -> bool:
        """Send what belongs to the session; returns whether all of it arrived."""
        answers = asyncio.create_task(self._take_answers())
        try:
            frame: SpooledFrame | None = self._first
            while frame is not None and self._belongs(frame):
                if not await self._deliver(frame):
                    return False
                frame = await self._catch_up.next_after(frame)
            await self._say_bye()
        finally:
            await end_tasks(answers)
        return True

    def _belongs(self, frame: SpooledFrame) -> bool:
        since_first = (frame.tick - self._first.tick) / TICKS_PER_SECOND
        in_time = self._transport.clock.monotonic() < self._began + _STRETCH
        return frame is self._first or (
            0 < since_first < _STRETCH and in_time and frame.packs == self._first.packs
        )

    async def _deliver(self, frame: SpooledFrame) -> bool:
        """Send one picture; returns whether it arrived."""
        now = self._transport.clock.monotonic()
        # The middle of its tick, so that the session finds exactly that tick.
        ticks = frame.tick - self._started * TICKS_PER_SECOND + 0.5
        captured_at = self._began + ticks / TICKS_PER_SECOND
        layers: Mapping[LayerKind, bytes] = dict(frame.layers)
        frame_id = self._session.submit(OutgoingFrame(captured_at, layers, now + _PATIENCE), now)
        while frame_id not in self._outcome:
            self._changed.clear()
            now = self._transport.clock.monotonic()
            if self._session.link.answered_at is None and now >= self._began + _UNHEARD:
                return False
            self._note(self._session.tick(now))
            datagram = self._session.next_datagram(now) if self._catch_up.may_send() else None
            if datagram is None:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.2):
                        await self._changed.wait()
                continue
            await self._transport.ready()
            await self._transport.send(datagram)
            self._pacer.sent(len(datagram) + self._transport.overhead, now)
            await asyncio.sleep(self._pacer.wait(self._transport.clock.monotonic()))
        return self._outcome.pop(frame_id)

    async def _say_bye(self) -> None:
        self._session.close()
        bye = self._session.next_datagram(self._transport.clock.monotonic())
        if bye is not None:
            await self._transport.send(bye)

    async def _take_answers(self) -> None:
        while (datagram := await self._transport.receive()) is not None:
            with contextlib.suppress(RemoteError):
                self._note(self._session.receive(datagram, self._transport.clock.monotonic()))
            self._changed.set()

    def _note(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, FrameDelivered):
                self._outcome[event.frame] = True
            elif isinstance(event, FrameDropped):
                self._outcome[event.frame] = False
