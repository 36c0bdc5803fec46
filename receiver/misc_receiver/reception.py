"""One stream being received: its session, what of it waits for the worker, and its end.

transport ──> session ──> backlog, schedule ──> worker (misc_receiver.pipeline)
    ^────────────┘ answers
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from misc_receiver.archive import ArchiveIntake
from misc_receiver.backlog import Backlog
from misc_receiver.decode import FrameDecoder
from misc_receiver.narration import Narrator
from misc_receiver.reports import (
    BaseLost,
    LayerLost,
    PictureReady,
    ReceptionEnded,
    ReceptionStarted,
    StreamRefused,
    StreamReport,
    TextSaid,
)
from misc_receiver.schedule import EveryFrame, NewestFrame, RefinementSchedule
from misc_receiver.sinks.interface import PictureSink
from misc_receiver.sinks.pictures import PictureFolder
from misc_receiver.status import StreamStatus
from misc_receiver.studio import Studio
from misc_shared.companions import run_with_companions, wait_for
from misc_shared.errors import RemoteError, refusal_cause
from misc_shared.reports import Reporter
from misc_shared.security.forms import looks_sealed
from misc_shared.session import (
    Event,
    FrameComplete,
    FrameExpired,
    FrameId,
    FrameStarted,
    LayerReceived,
    PeerHello,
    ReceiverLimits,
    ReceiverSession,
    Refused,
    StreamEnded,
)
from misc_shared.stream_names import is_archive
from misc_shared.transports import Transport
from misc_shared.transports.places import place_of
from misc_shared.transports.sealed import refusals_of, sealing_of

__all__ = ["Reception"]

_log = logging.getLogger(__name__)

_SECONDS_A_PIXEL = 2e-7
"""Of decoding and of writing a PNG, roughly: it only says who waits for whom."""

_LAST_WORDS = 0.6
"""Seconds that we stay after the last frame, so that the sender hears that it came."""

_LOOK_AGAIN = 0.2
"""Seconds between two looks at whether what came is kept, where answers wait for that."""


class Reception:
    """Receives one stream until it ends.

    Args:
        transport: where its datagrams come from.
        decoder: its own.
        sinks: where its pictures go.
        reporter: who is told.
        refines: whether pictures are refined.
        wake: called when there is work for the worker, or the stream has ended.
        frame_ended: called when a frame will get no more layers.

    Attributes:
        stream: the stream's name.
        live: whether it goes on by itself, so that what is late is worthless.
        studio: makes its pictures.
        input_ended: whether nothing more is taken in.
        proven: whether a datagram of it was ever in order.
        decoded_at: when a picture, or what is said of it, was last decoded; `time.monotonic`.
    """

    def __init__(
        self,
        *,
        transport: Transport,
        decoder: FrameDecoder,
        sinks: Sequence[PictureSink],
        reporter: Reporter,
        refines: bool,
        waiting_bytes: int,
        wake: Callable[[], None],
        frame_ended: Callable[[], None],
    ) -> None:
        self.stream = transport.stream
        self.live = transport.duplex
        self._transport = transport
        self._place = place_of(transport)
        self._clock = transport.clock
        self._decoder = decoder
        self._refines = refines
        self._wake = wake
        self._frame_ended = frame_ended
        self._narrator = Narrator(stream=self.stream, clock=self._clock, reporter=reporter)
        archive = is_archive(self.stream)
        self.studio = Studio(
            decoder,
            stream=self.stream,
            sinks=sinks,
            captured=self._narrator.captured,
            archive=archive,
        )
        keeps = any(isinstance(sink, PictureFolder) for sink in sinks)
        self._archive = ArchiveIntake(self._narrator.captured, keeps=keeps) if archive else None
        self._limits = ReceiverLimits(total_bytes=waiting_bytes)
        self._session = self._new_session()
        self._backlog = Backlog(nbytes=waiting_bytes)
        self._schedule: RefinementSchedule = NewestFrame() if self.live else EveryFrame()
        self._developing: Iterator[tuple[FrameId, StreamReport]] | None = None
        self._room = asyncio.Event()
        self._answer = asyncio.Event()
        self._finished = asyncio.Event()
        self._refusal: RemoteError | None = None
        self._refused: Counter[str] = Counter()
        self._failed = False
        self._frames = 0
        self._pixels = 0
        self.input_ended = False
        self.proven = False
        self.decoded_at = time.monotonic()

    async def run(self) -> None:
        """Receive until the stream has ended and all of it is shown.

        Raises:
            MiscError: the transport failed, or the models of a recording are not ours.
        """
        self._narrator.say(ReceptionStarted())
        try:
            await run_with_companions(self._stay(), self._receive(), self._tend_session())
        except asyncio.CancelledError:
            self._say_end()
            raise
        else:
            self._say_end()
        finally:
            await self._transport.close()

    def _say_end(self) -> None:
        counters = self._session.counters
        sealing = sealing_of(self._transport)
        self._narrator.say(
            ReceptionEnded(
                frames=self._frames,
                datagrams=counters.datagrams,
                bytes=counters.bytes + (sealing.heard_introduction_bytes if sealing else 0),
                duplicates=counters.duplicates,
                refused=self._refused.total(),
                rejected=dict(self._refused + refusals_of(self._transport)),
                bad_layers=self._decoder.failures,
                missing_bases=self._decoder.missing_bases,
            )
        )

    @property
    def silence(self) -> float:
        """Seconds since a datagram was last in order, or since the beginning."""
        return self._place.silence

    def status(self) -> StreamStatus:
        """How the stream stands now; may be asked in any thread."""
        counters = self._session.counters
        return StreamStatus(
            stream=self.stream,
            datagrams=counters.datagrams,
            bytes=counters.bytes,
            duplicates=counters.duplicates,
            late=counters.late,
            foreign=counters.foreign,
            refused=self._refused + refusals_of(self._transport),
            waiting=len(self._backlog),
            skipped=self._backlog.skipped,
            silence=self.silence,
            ended=self._place.ended,
            proven=self.proven,
        )

    @property
    def has_work(self) -> bool:
        """Whether something waits to be decoded."""
        waits = len(self._backlog) > 0 or (self._archive is not None and self._archive.ready)
        return self._developing is not None or waits

    @property
    def expected_work(self) -> float:
        """About how many seconds the next thing takes to decode and show: by its pixels."""
        pixels = None if self._developing is not None else self._backlog.pixels
        return (self._pixels if pixels is None else pixels) * _SECONDS_A_PIXEL

    @property
    def all_shown(self) -> bool:
        """Whether nothing comes, nothing waits, and nothing of it can be refined."""
        can_refine = self._refines and self._place.whole
        return self.input_ended and not self.has_work and not can_refine

    def develop_next(self) -> Iterator[tuple[FrameId, StreamReport]]:
        """What is being decoded; its next element is the next thing to show."""
        if self._developing is None:
            self._pixels = self._backlog.pixels or self._pixels
            layers = self._backlog.take() if self._archive is None else self._archive.take()
            self._developing = self.studio.develop(layers)
            self._room.set()
        return self._developing

    def developed(self, entry: tuple[FrameId, StreamReport] | None, *, took: float) -> None:
        """Report what the decoder made in so many seconds; None says that it has made all."""
        if entry is None:
            self._developing = None
            if self._archive is not None:
                self._archive.done(self._clock.monotonic())
                self._answer.set()
            return
        frame, report = entry
        self._narrator.tell(frame, _timed(report, took))
        if isinstance(report, PictureReady | TextSaid):
            self._place.whole = True
            self._schedule.sharpened(frame)
            self.decoded_at = time.monotonic()
        elif isinstance(report, BaseLost):
            self._session.request_refresh(frame.epoch, self._clock.monotonic())
            self._answer.set()
        if self._archive is not None:
            self._note_archived(self._archive, frame, report)
        if isinstance(report, PictureReady):
            self._pixels = report.width * report.height
        if isinstance(report, PictureReady) and self.live:
            self.studio.forget_pictures_before(frame)
        if not self._refines:
            self.studio.forget_picture(frame)

    def _note_archived(self, archive: ArchiveIntake, frame: FrameId, report: StreamReport) -> None:
        never = isinstance(report, LayerLost) and report.layer == "base"
        if never or (isinstance(report, PictureReady) and report.file):
            archive.settled()
        elif isinstance(report, PictureReady):
            self.studio.forget(frame)  # it has to be decoded again when it comes again

    def next_to_refine(self) -> FrameId | None:
        """The frame to refine now, if any."""
        frame = self._schedule.next()
        self._room.set()
        return frame

    def refined(self, frame: FrameId, report: StreamReport, *, took: float) -> None:
        """Report a step of refinement that took so many seconds."""
        self._narrator.tell(frame, _timed(report, took))

    def outdates(self, frame: FrameId) -> bool:
        """Whether refining a frame further is worthless."""
        return self.live and self._backlog.outdates(frame)

    def done_refining(self, frame: FrameId) -> None:
        """Let go of a frame of which nothing more is asked."""
        if not self.live:
            self.studio.forget(frame)

    def end_input(self) -> None:
        """Take in nothing more; what is here will still be shown."""
        if not self.input_ended:
            self._schedule.close()
        self.input_ended = True
        self._wake()

    def fail(self) -> None:
        """Take in nothing more, and drop what is here."""
        self._developing = None
        self._backlog.take()
        self._failed = True
        self.end_input()

    def finish(self) -> None:
        """All of it is shown: `run` may return."""
        self._finished.set()

    def _new_session(self) -> ReceiverSession:
        return ReceiverSession(
            packs=self._decoder.packs,
            instance=secrets.randbelow(1 << 16),
            mtu=self._transport.mtu,
            one_way=not self._transport.duplex,
            overhead=self._transport.overhead,
            limits=self._limits,
        )

    async def _stay(self) -> None:
        await self._finished.wait()
        if self.live and not self._failed:
            await asyncio.sleep(_LAST_WORDS)

    async def _receive(self) -> None:
        """Feed the session until the stream, or our interest in it, ends."""
        while not self.input_ended:
            await self._room_for_more()
            datagram = await self._transport.receive()
            if datagram is None:
                break
            now = self._clock.monotonic()
            self._note(self._take_in(datagram, now))
            self._note(self._session.tick(now))
            self._answer.set()
            if not self.live:
                self._end_if_refused()
        self.end_input()

    def _take_in(self, datagram: bytes, now: float) -> list[Event]:
        try:
            events = self._session.receive(datagram, now)
        except RemoteError as error:
            sealed = not self.proven and looks_sealed(datagram)
            # Anybody may write to a broker.
            self._refused["sealed" if sealed else refusal_cause(error)] += 1
            if self._refused["sealed"] == self._refused.total() == 1:
                _log.warning(
                    "stream %s: what comes is no datagram of ours, or sealed: give --key FILE",
                    self.stream,
                )
            return []
        self._place.heard()
        self.proven = True
        return events

    async def _room_for_more(self) -> None:
        """Hold a recording back while frames of it wait; a live stream waits for nobody."""
        while not self.live and (self._backlog.full or (self._refines and self._schedule.full)):
            self._room.clear()
            await self._room.wait()

    async def _tend_session(self) -> None:
        """Send the session's answers and mind its timers."""
        while self.live:
            self._answer.clear()
            now = self._clock.monotonic()
            self._session.queue_depth = len(self._backlog)
            self._note(self._session.tick(now))
            if self._archive is not None:
                self._await_keeping(self._archive, now)
            while (answer := self._session.next_datagram(now)) is not None:
                await self._transport.ready()
                await self._transport.send(answer)
            timer = self._session.next_timer(now)
            if self._session.withholds:
                timer = now + _LOOK_AGAIN
            await wait_for(self._answer, seconds=None if timer is None else timer - now)

    def _await_keeping(self, archive: ArchiveIntake, now: float) -> None:
        if archive.wants_all_again(now):
            self._session = self._new_session()
        self._session.withholds = not archive.may_answer

    def _note_place(self, event: Event) -> None:
        """Keep the place of a stream that goes on, and not that of one that has ended."""
        match event:
            case StreamEnded():
                self._place.ended = True  # a recording may go on all the same: --append
            case PeerHello() | FrameStarted() | LayerReceived():
                self._place.ended = False  # but not for a repeat of the farewell

    def _note(self, events: Sequence[Event]) -> None:
        for event in events:
            self._narrator.retell(event)
            self._note_place(event)
            match event:
                case LayerReceived():
                    (self._backlog if self._archive is None else self._archive).add(event)
                    self._schedule.arrived(event.frame)
                    self._wake()
                case FrameComplete(frame):
                    if self._archive is not None:
                        self._archive.complete(frame)
                        self._session.withholds = not self._archive.may_answer
                    self._end_frame(frame)
                case FrameExpired(frame):
                    if self._archive is not None:
                        self._archive.drop(frame)
                    self._end_frame(frame)
                case PeerHello():
                    self._wake()  # an archive's pictures have a time now
                case Refused():
                    self._refuse(event)

    def _refuse(self, refused: Refused) -> None:
        # Live, anybody may claim to be a sender with other models: the right one may still come.
        if self.live:
            self._narrator.say(StreamRefused(reason=str(refused.error())))
        else:
            self._refusal = refused.error()

    def _end_if_refused(self) -> None:
        if self._refusal is not None:
            raise self._refusal

    def _end_frame(self, frame: FrameId) -> None:
        self._frames += 1
        self._schedule.ended(frame)
        self._frame_ended()
        self._wake()


def _timed(report: StreamReport, took: float) -> StreamReport:
    if isinstance(report, PictureReady):
        return msgspec.structs.replace(report, took=round(took, 4))
    return report
