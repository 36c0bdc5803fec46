"""Capture, encode, schedule and send: the asyncio shell around the synchronous parts.

    source ─thread─> slot of one ─thread─> encoder ──> session ──> pacer ──> transport
                                                          ^─────────────────────┘ answers

Nothing queues: the slot holds one frame, the session a few, the transport two datagrams.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from misc_sender.adaptation import Adaptation
from misc_sender.audience import Audience
from misc_sender.budget import introduction_bytes
from misc_sender.encode import Against, EncodedFrame, FrameEncoder
from misc_sender.narration import tell_dropped, tell_end, tell_queued
from misc_sender.outcome import Outcome
from misc_sender.references import LinkKind, ReferenceBook
from misc_sender.reports import (
    FrameEnded,
    ReceiverRefused,
    StreamStarted,
)
from misc_sender.slot import FrameSlot
from misc_sender.sources import Frame, Source
from misc_sender.spool import Spooling
from misc_sender.spool.service import SpoolService
from misc_sender.status import SenderStatus
from misc_shared.companions import run_with_companions
from misc_shared.errors import RemoteError, refusal_cause
from misc_shared.reports import Reporter
from misc_shared.session import (
    Event,
    FrameDelivered,
    FrameDropped,
    FrameSent,
    HelloConfig,
    LinkState,
    OutgoingFrame,
    RefreshRequested,
    Refused,
    SenderSession,
    SenderTiming,
)
from misc_shared.transports import Transport
from misc_shared.transports.file import publish_recording
from misc_shared.transports.liveness import is_up, layers_of
from misc_shared.transports.pacing import Pacer
from misc_shared.transports.sealed import refusals_of, sealing_of
from misc_shared.wire import MAX_EPOCH

__all__ = ["SendOptions", "SendPipeline"]

_AWAY_AFTER = 3.0
"""Seconds for which a link takes nothing, after which it is away."""
_LOOK_EVERY = 0.2


@dataclass(frozen=True, kw_only=True)
class SendOptions:
    """How a stream is sent.

    Attributes:
        deadline: seconds after which a picture that waits is given up.
        count: pictures to send, or None for all that the source has.
        kbps: never send faster than this, in kbit/s; None for as fast as the transport takes it.
        key_every: a picture that stands alone at least every so many; None for where one is needed.
        adapt_fps: pictures per second that are wanted of a source that moves, while pictures become
            smaller and fewer with the link; None to send them as they come.
        spooling: where pictures are kept while the link is away; None for nowhere.
    """

    deadline: float = 60.0
    count: int | None = None
    kbps: float | None = None
    key_every: int | None = None
    adapt_fps: float | None = None
    spooling: Spooling | None = None


class SendPipeline:
    """Sends a source's pictures until it ends, or `count` of them are sent.

    Args:
        source: where pictures come from.
        encoder: makes layers of them.
        transport: where datagrams go.
        options: how.
        reporter: who is told.
        on_encoded: shown each picture and what became of it, in the encoder's thread.

    Attributes:
        outcome: what has become of the pictures.
    """

    def __init__(
        self,
        *,
        source: Source,
        encoder: FrameEncoder,
        transport: Transport,
        options: SendOptions,
        reporter: Reporter,
        on_encoded: Callable[[Frame, EncodedFrame], None] | None = None,
    ) -> None:
        self._on_encoded = on_encoded
        self._source = source
        self._encoder = encoder
        self._transport = transport
        self._options = options
        self._reporter = reporter
        self._clock = transport.clock
        self._pacer = Pacer(kbps=options.kbps)
        self._slot = FrameSlot()
        self._wake = asyncio.Event()
        self._settled = asyncio.Event()
        self._adaptation: Adaptation | None = None
        if options.adapt_fps is not None and transport.duplex and not source.still:
            self._adaptation = Adaptation(fps=options.adapt_fps)
        self._away_since: float | None = None
        self._spooling: SpoolService | None = None
        if options.spooling is not None and self._adaptation is not None:
            self._spooling = SpoolService(
                options.spooling,
                adaptation=self._adaptation,
                link=self._link_if_there,
                reporter=reporter,
            )
        self._frames = 0
        self._stopped = False
        self.outcome = Outcome(still=source.still, duplex=transport.duplex)
        self._audience = Audience(transport.stream, reporter) if transport.duplex else None
        self._refused: Counter[str] = Counter()
        self._reconnects = transport.reconnects
        self._capturing = ThreadPoolExecutor(1, thread_name_prefix="capture")
        self._encoding = ThreadPoolExecutor(1, thread_name_prefix="encode")
        self._started = self._clock.monotonic()
        self._hello = HelloConfig(
            stream=transport.stream,
            packs=encoder.packs,
            started=self._clock.wall(),
            first=not transport.duplex,
        )
        self._session = self._new_session()
        link = LinkKind.CONFIRMED if transport.duplex else LinkKind.LOSSLESS
        self._references = ReferenceBook(link, key_every=options.key_every)

    async def run(self) -> None:
        """Send until the end; what is in flight then is delivered within its deadline.

        Raises:
            MiscError: the source, the encoder or the transport failed.
        """
        self._reporter.report(
            StreamStarted(
                stream=self._transport.stream,
                source=self._source.name,
                mtu=self._transport.mtu,
                spooled=0 if self._spooling is None else self._spooling.waiting,
            )
        )
        try:
            await run_with_companions(
                self._send(),
                self._capture(),
                self._encode(),
                self._take_answers(),
                self._catch_up(),
                self._watch_audience(),
            )
        finally:
            self._encoder.close()  # a picture that still waits for words waits no longer
            self._report_end()
            await self._transport.close()
            # A thread that reads a camera must end before the camera is let go.
            for threads in (self._capturing, self._encoding):
                await asyncio.to_thread(threads.shutdown, cancel_futures=True)
            self._source.close()
            if self._spooling is not None:
                self._spooling.close()

    def stop(self) -> None:
        """End soon: give up what is under way, and tell the other end that no more will come."""
        self._stopped = True
        self._session.stop()
        self._note(self._session.tick(self._clock.monotonic()))
        self._wake.set()

    @property
    def has_arrived(self) -> bool:
        """Whether a picture of this run, or a kept one, has arrived."""
        kept = self._spooling is not None and self._spooling.totals().arrived > 0
        return kept or self.outcome.shown > 0

    def check(self) -> None:
        """Say why the run has failed, if it has.

        Raises:
            SourceError: there was no picture to send.
            NotDeliveredError: what was asked for has not arrived.
        """
        spool = None if self._spooling is None else self._spooling.totals()
        self.outcome.check(stream=self._transport.stream, source=self._source.name, spool=spool)

    def status(self) -> SenderStatus:
        """How the stream stands now; may be asked in any thread."""
        counters = self._session.counters
        return SenderStatus(
            datagrams=counters.datagrams,
            bytes=counters.bytes,
            repeats=counters.repeats,
            waiting=self._session.frames_in_flight,
            skipped=self._slot.skipped,
            foreign=counters.foreign,
            refused=self._refused + refusals_of(self._transport),
            spooled=0 if self._spooling is None else self._spooling.waiting,
        )

    def _new_session(self) -> SenderSession:
        # A recording loses nothing, so nothing is worth repeating in it.
        timing = SenderTiming() if self._transport.duplex else SenderTiming(base_repeats=0)
        return SenderSession(
            epoch=secrets.randbelow(MAX_EPOCH + 1),
            mtu=self._transport.mtu,
            hello=self._hello,
            now=self._started,
            one_way=not self._transport.duplex,
            overhead=self._transport.overhead,
            timing=timing,
        )

    async def _capture(self) -> None:
        loop = asyncio.get_running_loop()
        frames = self._source.frames()
        while (
            frame := await loop.run_in_executor(self._capturing, next, frames, None)
        ) is not None:
            await self._sleep_until(self._started + frame.captured_at)
            await self._slot.put(frame, replace=not self._source.still)
        await self._slot.close()

    async def _encode(self) -> None:
        count = self._options.count
        while not self._stopped and (count is None or self._frames < count):
            await self._room_on_the_link()
            frame = await self._slot.take()
            if frame is None:
                break
            before = time.perf_counter()
            away = self._is_away(self._clock.monotonic())
            against = () if away else self._references.choose(self._session.delivered)
            encoded = await asyncio.get_running_loop().run_in_executor(
                self._encoding, self._encode_now, frame, against
            )
            took = time.perf_counter() - before
            if away and self._spooling is not None:
                await self._spool(self._spooling, frame, encoded)
                continue
            if self._source.still:
                await self._all_settled()
            if not self._stopped:
                self._submit(frame, encoded, took=took)
        self._session.close()
        self._wake.set()

    async def _room_on_the_link(self) -> None:
        """Wait until the link has room for another picture; the newest one then is the next."""
        while self._adaptation is not None and not self._slot.closed:
            now = self._clock.monotonic()
            self._adaptation.update(self._session.link, now)
            pause = self._adaptation.pause(self._session.link, now)
            if self._is_away(now):
                spooling = self._spooling
                pause = _LOOK_EVERY if spooling is None else spooling.pause(now)
            if pause <= 0:
                return
            await asyncio.sleep(min(pause, _LOOK_EVERY))

    async def _spool(self, spooling: SpoolService, frame: Frame, encoded: EncodedFrame) -> None:
        now = self._clock.monotonic()
        await spooling.keep(
            encoded.layers,
            age=now - (self._started + frame.captured_at),
            nbytes=encoded.wire_bytes,
            now=now,
            executor=self._encoding,
        )

    async def _catch_up(self) -> None:
        """Send what was kept, whenever the live pictures leave room."""
        if self._spooling is not None:
            await self._spooling.run()

    def _link_if_there(self) -> LinkState | None:
        return None if self._is_away(self._clock.monotonic()) else self._session.link

    async def _watch_audience(self) -> None:
        """Tell when nobody receives us, and when somebody does again."""
        while self._audience is not None:
            self._audience.look(self._session.link, self._clock.monotonic())
            await asyncio.sleep(1.0)

    def _is_away(self, now: float) -> bool:
        """Whether the link is down, or has taken nothing for a while."""
        return not all(map(is_up, layers_of(self._transport))) or self._is_stuck(now)

    def _is_stuck(self, now: float) -> bool:
        return self._away_since is not None and now >= self._away_since + _AWAY_AFTER

    def _encode_now(self, frame: Frame, against: Sequence[Against]) -> EncodedFrame:
        first_of_recording = self._frames == 0 and not self._transport.duplex
        link = self._transport
        reserve = (
            introduction_bytes(self._hello, mtu=link.mtu, overhead=link.overhead)
            if first_of_recording
            else 0
        )
        most = None
        if self._adaptation is not None:
            most = self._adaptation.limit(self._encoder.full_size(frame))
        encoded = self._encoder.encode(frame, reserve=reserve, against=against, most=most)
        if self._on_encoded is not None:
            self._on_encoded(frame, encoded)
        return encoded

    def _submit(self, frame: Frame, encoded: EncodedFrame, *, took: float) -> None:
        now = self._clock.monotonic()
        outgoing = OutgoingFrame(
            captured_at=self._started + frame.captured_at,
            layers=encoded.layers,
            deadline=now + self._options.deadline,
        )
        frame_id = self._session.submit(outgoing, now)
        self._references.sent(frame_id, encoded)
        if self._adaptation is not None:
            self._adaptation.coded(encoded.wire_bytes, now)
        self._frames += 1
        self.outcome.pictures += 1
        self._settled.clear()
        self._wake.set()
        self._reporter.report(tell_queued(frame_id, encoded, took=took))

    async def _send(self) -> None:
        while not self._session.finished:
            await self._link_ready()
            self._greet_anew_if_reconnected()
            await asyncio.sleep(self._pacer.wait(self._clock.monotonic()))
            # Chosen only now, when it can go: the newest picture's base may just have come.
            now = self._clock.monotonic()
            datagram = self._session.next_datagram(now)
            self._note(self._session.tick(now))
            if datagram is None:
                await self._rest(self._session.next_timer(now))
            else:
                await self._transport.send(datagram)
                self._pacer.sent(len(datagram) + self._transport.overhead, now)
                if self._audience is not None:
                    self._audience.sent(now)

    def _greet_anew_if_reconnected(self) -> None:
        if self._reconnects != self._transport.reconnects:
            self._reconnects = self._transport.reconnects
            self._session.reconnected(self._clock.monotonic())

    async def _link_ready(self) -> None:
        """Wait until the link takes a datagram. What waited for it too long is no longer news."""
        self._away_since = self._clock.monotonic()
        await self._transport.ready()
        now = self._clock.monotonic()
        if self._adaptation is not None and self._is_stuck(now):
            self._session.abandon_unsent(now)
        self._away_since = None

    async def _rest(self, until: float | None) -> None:
        """Wait until something changes, or the session's timer runs out."""
        self._wake.clear()
        if self._session.finished:
            return
        timeout = None if until is None else max(0.001, until - self._clock.monotonic())
        try:
            async with asyncio.timeout(timeout):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _take_answers(self) -> None:
        while (datagram := await self._transport.receive()) is not None:
            try:
                events = self._session.receive(datagram, self._clock.monotonic())
            except RemoteError as error:
                self._refused[refusal_cause(error)] += 1  # anybody may write to a broker
                continue
            self._note(events)
            self._wake.set()

    async def _all_settled(self) -> None:
        """Wait until every earlier picture is delivered or given up."""
        while self._session.frames_in_flight:
            self._settled.clear()
            await self._settled.wait()

    async def _sleep_until(self, moment: float) -> None:
        await asyncio.sleep(max(0.0, moment - self._clock.monotonic()))

    def _note(self, events: Sequence[Event]) -> None:
        for event in events:
            self.outcome.note(event)
            match event:
                case FrameDelivered(frame):
                    self._references.confirmed(frame)
                    self._reporter.report(FrameEnded(frame=str(frame), outcome="delivered"))
                case FrameSent(frame):
                    publish_recording(self._transport)
                    self._reporter.report(FrameEnded(frame=str(frame), outcome="sent"))
                case FrameDropped(frame, _, delivered):
                    self._references.confirmed(frame, delivered)
                    self._reporter.report(tell_dropped(event))
                case RefreshRequested():
                    self._references.refresh()
                case Refused():
                    self._reporter.report(ReceiverRefused(reason=str(event.error())))
        if not self._session.frames_in_flight:
            self._settled.set()

    def _report_end(self) -> None:
        seconds = self._clock.monotonic() - self._started
        self._reporter.report(
            tell_end(
                self._session.counters,
                sealing=sealing_of(self._transport),
                frames=self._frames,
                arrived=self.outcome.confirmed,
                skipped=self._slot.skipped,
                seconds=seconds,
                spool=None if self._spooling is None else self._spooling.totals(),
            )
        )
