"""Receive, decode, refine and show: the asyncio shell around the synchronous parts.

    transport ──> session ──> backlog ──thread──> studio (decode, refine, write) ──> reports
        ^────────────┘ answers

A live stream is never held back: what the decoder has no time for is skipped, newest first. A
recording is read no faster than it is decoded, so that every frame of it comes out.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from misc_receiver.backlog import Backlog
from misc_receiver.decode import FrameDecoder
from misc_receiver.narration import Narrator
from misc_receiver.refinery import Refinery
from misc_receiver.reports import BaseLost, PictureReady, ReceptionEnded, ReceptionStarted, TextSaid
from misc_receiver.schedule import EveryFrame, NewestFrame, RefinementSchedule
from misc_receiver.sinks.pictures import PictureFolder
from misc_receiver.studio import Studio
from misc_shared.companions import run_with_companions
from misc_shared.errors import RemoteError
from misc_shared.reports import Report, Reporter
from misc_shared.session import (
    Event,
    FrameComplete,
    FrameExpired,
    FrameId,
    LayerReceived,
    ReceiverSession,
    Refused,
    StreamEnded,
)
from misc_shared.transports import Transport

__all__ = ["ReceiveOptions", "ReceivePipeline"]

_Step = TypeVar("_Step")

_LAST_WORDS = 0.6
"""Seconds that we stay after the last frame, so that the sender hears that it came."""


@dataclass(frozen=True, kw_only=True)
class ReceiveOptions:
    """How a stream is received.

    Attributes:
        count: frames after which to stop, or None for no end.
        folder: where pictures are written, or None for nowhere.
    """

    count: int | None = None
    folder: PictureFolder | None = None


class ReceivePipeline:
    """Receives a stream until it ends, or `count` frames of it have come.

    Args:
        transport: where datagrams come from.
        decoder: makes pictures of layers.
        load_refinery: loads the refiner in a thread, meanwhile coarse pictures appear; None for
            coarse pictures only.
        options: how.
        reporter: who is told.
    """

    def __init__(
        self,
        *,
        transport: Transport,
        decoder: FrameDecoder,
        load_refinery: Callable[[], Refinery] | None,
        options: ReceiveOptions,
        reporter: Reporter,
    ) -> None:
        self._transport = transport
        self._clock = transport.clock
        self._decoder = decoder
        self._load_refinery = load_refinery
        self._options = options
        self._reporter = reporter
        self._live = transport.duplex
        self._session = ReceiverSession(
            packs=decoder.packs, mtu=transport.mtu, one_way=not transport.duplex
        )
        self._studio = Studio(decoder, folder=options.folder)
        self._narrator = Narrator(clock=self._clock, reporter=reporter)
        self._backlog = Backlog()
        self._schedule: RefinementSchedule = NewestFrame() if self._live else EveryFrame()
        self._refinery: Refinery | None = None
        self._wake = asyncio.Event()
        self._room = asyncio.Event()
        self._answer = asyncio.Event()
        self._input_ended = False
        self._refusal: RemoteError | None = None
        self._bad_datagrams = 0
        self._frames = 0
        self._working = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._loading = ThreadPoolExecutor(1, thread_name_prefix="load")

    async def run(self) -> None:
        """Receive until the end.

        Raises:
            MiscError: the transport or the refiner failed, or the sender's models are not ours.
        """
        self._reporter.report(ReceptionStarted(stream=self._transport.stream))
        try:
            await run_with_companions(
                self._work(), self._receive(), self._tend_session(), self._load()
            )
        finally:
            self._working.shutdown(cancel_futures=True)
            self._loading.shutdown(cancel_futures=True)
            await self._transport.close()
        counters = self._session.counters
        self._reporter.report(
            ReceptionEnded(
                frames=self._frames,
                datagrams=counters.datagrams,
                bytes=counters.bytes,
                duplicates=counters.duplicates,
                refused=self._bad_datagrams,
                bad_layers=self._decoder.failures,
                missing_bases=self._decoder.missing_bases,
            )
        )

    async def _receive(self) -> None:
        """Feed the session until the stream, or our interest in it, ends."""
        while not self._input_ended:
            await self._room_for_more()
            datagram = await self._transport.receive()
            if datagram is None:
                break
            now = self._clock.monotonic()
            self._note(self._take_in(datagram, now))
            self._note(self._session.tick(now))
            self._answer.set()
            if not self._live:
                self._end_if_refused()
        self._end_input()

    def _take_in(self, datagram: bytes, now: float) -> list[Event]:
        try:
            return self._session.receive(datagram, now)
        except RemoteError:
            self._bad_datagrams += 1  # anybody may write to a broker
            return []

    async def _room_for_more(self) -> None:
        """Hold a recording back while frames of it wait; a live stream waits for nobody."""
        refines = self._load_refinery is not None
        while not self._live and (self._backlog.full or (refines and self._schedule.full)):
            self._room.clear()
            await self._room.wait()

    async def _tend_session(self) -> None:
        """Send the session's answers and mind its timers."""
        while self._live:
            self._answer.clear()
            now = self._clock.monotonic()
            self._session.queue_depth = len(self._backlog)
            self._note(self._session.tick(now))
            while (answer := self._session.next_datagram(now)) is not None:
                await self._transport.ready()
                await self._transport.send(answer)
            self._end_if_refused()  # only now that the sender has been told
            await _wait(self._answer, until=self._session.next_timer(now), now=now)

    async def _load(self) -> None:
        if self._load_refinery is not None:
            loop = asyncio.get_running_loop()
            self._refinery = await loop.run_in_executor(self._loading, self._load_refinery)
            self._wake.set()

    async def _work(self) -> None:
        """Decode what waits; refine when nothing does; return when nothing will come."""
        while True:
            self._wake.clear()
            self._room.set()
            waiting = self._backlog.take()
            if waiting:
                await self._develop(waiting)
            elif not await self._refine_next():
                if self._input_ended:
                    break
                await self._wake.wait()
        if self._live:
            await asyncio.sleep(_LAST_WORDS)

    async def _develop(self, waiting: Sequence[LayerReceived]) -> None:
        def show(entry: tuple[FrameId, Report]) -> bool:
            frame, report = entry
            self._narrator.tell(frame, report)
            if isinstance(report, PictureReady | TextSaid):
                self._schedule.sharpened(frame)
            elif isinstance(report, BaseLost):
                self._session.request_refresh(self._clock.monotonic())
                self._answer.set()
            return True

        await self._step_through(self._studio.develop(waiting), show)

    async def _refine_next(self) -> bool:
        """Refine one frame; False if there is none to refine, or nothing to do it with yet."""
        if self._load_refinery is None:
            return False
        if self._refinery is None:
            # Without new input, the end of loading is the next thing that can happen.
            if self._input_ended:
                await self._wake.wait()
            return self._input_ended
        frame = self._schedule.next()
        if frame is None:
            return False

        def show(report: Report) -> bool:
            self._narrator.tell(frame, report)
            return not (self._live and self._backlog.outdates(frame))

        await self._step_through(self._studio.finish(frame, self._refinery), show)
        if not self._live:
            self._studio.forget(frame)
        return True

    async def _step_through(self, steps: Iterator[_Step], show: Callable[[_Step], bool]) -> None:
        """Run an iterator in the worker thread; stop when `show` says False."""
        loop = asyncio.get_running_loop()
        while True:
            step = await loop.run_in_executor(self._working, next, steps, None)
            if step is None or not show(step):
                return

    def _note(self, events: Sequence[Event]) -> None:
        for event in events:
            self._narrator.retell(event)
            match event:
                case LayerReceived():
                    self._backlog.add(event)
                    self._schedule.arrived(event.frame)
                    self._wake.set()
                case FrameComplete(frame) | FrameExpired(frame):
                    self._end_frame(frame)
                case StreamEnded() if not self._live:
                    self._end_input()
                case Refused():
                    self._refusal = event.error()

    def _end_if_refused(self) -> None:
        if self._refusal is not None:
            raise self._refusal

    def _end_frame(self, frame: FrameId) -> None:
        self._frames += 1
        self._schedule.ended(frame)
        if self._options.count is not None and self._frames >= self._options.count:
            self._input_ended = True  # frames that are still open were not asked for
        self._wake.set()

    def _end_input(self) -> None:
        if not self._input_ended:
            self._schedule.close()
        self._input_ended = True
        self._wake.set()


async def _wait(event: asyncio.Event, *, until: float | None, now: float) -> None:
    """Wait for an event, but no longer than `until`."""
    try:
        await asyncio.wait_for(event.wait(), None if until is None else max(0.001, until - now))
    except TimeoutError:
        return
