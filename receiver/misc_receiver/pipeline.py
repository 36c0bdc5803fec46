"""Receive, decode, refine and show any number of streams: the asyncio shell around it all.

    listener ──> transport ──> session ──> backlog ─┐
                     ^────────────┘ answers         ├─> one worker thread, in fair turns:
                 transport ──> session ──> backlog ─┘   decode, refine, show
                     ...

A live stream is never held back: what the decoder has no time for is skipped, newest first. A
recording is read no faster than it is decoded, so that every frame of it comes out. Decoding goes
before refining, whoever's it is, and no stream gets more of the worker's time than another that
has work too.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from misc_receiver.decode import FrameDecoder
from misc_receiver.pacing import RefinementPace
from misc_receiver.reception import Reception
from misc_receiver.refinery import Refinery
from misc_receiver.refining import RefinementJob, RefinementQueue, refine_jobs
from misc_receiver.reports import StreamFailed, StreamReport
from misc_receiver.sinks.interface import PictureSink
from misc_receiver.status import StreamStatus
from misc_receiver.turns import FairTurns
from misc_shared.companions import end_tasks, run_with_companions, wait_for
from misc_shared.errors import LocalError, MiscError
from misc_shared.reports import Reporter
from misc_shared.transports import Transport
from misc_shared.transports.base import Listener

__all__ = ["ReceiveOptions", "ReceivePipeline"]

_log = logging.getLogger(__name__)

_Step = TypeVar("_Step")

_SWEEP = 5.0
"""Seconds between two looks at which streams have gone silent."""

_UNPROVEN = 30.0
"""Seconds that one of many has for its first proper datagram: garbage shall hold no place."""


@dataclass(frozen=True, kw_only=True)
class ReceiveOptions:
    """How streams are received.

    Attributes:
        count: frames of all streams after which to stop, or None for no end.
        sinks: where pictures go.
        many: whether streams come and go: then the fault of one of them ends only that one.
        idle: seconds without a proper datagram after which one of many is let go; it may return.
        refine_every: least seconds between two refinements of a live stream.
        refine_within: seconds after decoding by which a live picture has to be refined, or None.
        waiting_bytes: of a stream's unfinished layers, and as many of those that wait for the
            decoder.
    """

    count: int | None = None
    sinks: Sequence[PictureSink] = ()
    many: bool = False
    idle: float = 600.0
    refine_every: float = 0.0
    refine_within: float | None = None
    waiting_bytes: int = 2 << 20


class ReceivePipeline:
    """Receives streams until all have ended, or `count` frames of them have come.

    Args:
        listener: where streams come from.
        new_decoder: gives each stream, by name, its own decoder; they may share models, for one
            thread.
        load_refinery: loads the refiner in a thread, meanwhile coarse pictures appear; None for
            coarse pictures only.
        options: how.
        reporter: who is told.
    """

    def __init__(
        self,
        *,
        listener: Listener,
        new_decoder: Callable[[str], FrameDecoder],
        load_refinery: Callable[[], Refinery] | None,
        options: ReceiveOptions,
        reporter: Reporter,
    ) -> None:
        self._listener = listener
        self._new_decoder = new_decoder
        self._load_refinery = load_refinery
        self._options = options
        self._reporter = reporter
        self._receptions: dict[Reception, asyncio.Task[None]] = {}
        self._turns: FairTurns[Reception] = FairTurns()
        self._pace: RefinementPace[Reception] = RefinementPace(
            every=options.refine_every, within=options.refine_within
        )
        self._refinements = RefinementQueue(lambda: list(self._receptions), self._pace)
        self._refinery: Refinery | None = None
        self._wake = asyncio.Event()
        self._accepting = True
        self._stopped = False
        self._failure: BaseException | None = None
        self._frames = 0
        self._working = ThreadPoolExecutor(1, thread_name_prefix="decode")
        self._loading = ThreadPoolExecutor(1, thread_name_prefix="load")

    async def run(self) -> None:
        """Receive until the end.

        Raises:
            MiscError: the listener or the refiner failed, or the only stream failed or has models
                that are not ours.
        """
        try:
            await run_with_companions(self._work(), self._accept(), self._load(), self._sweep())
        finally:
            await end_tasks(*self._receptions.values())
            await self._listener.close()
            for threads in (self._working, self._loading):
                await asyncio.to_thread(threads.shutdown, cancel_futures=True)

    def stop(self) -> None:
        """End soon: what is here and not shown will not be."""
        self._stopped = True
        self._accepting = False
        for reception in self._receptions:
            reception.fail()
            reception.finish()

    def status(self) -> list[StreamStatus]:
        """How each stream stands now; may be asked in any thread."""
        return [reception.status() for reception in list(self._receptions)]

    async def _accept(self) -> None:
        while self._accepting and (transport := await self._listener.accept()) is not None:
            self._open(transport)
        self._accepting = False
        self._wake.set()

    def _open(self, transport: Transport) -> None:
        reception = Reception(
            transport=transport,
            decoder=self._new_decoder(transport.stream),
            sinks=self._options.sinks,
            reporter=self._reporter,
            refines=self._load_refinery is not None,
            waiting_bytes=self._options.waiting_bytes,
            wake=self._wake.set,
            frame_ended=self._count_frame,
        )
        task = asyncio.create_task(reception.run())
        self._receptions[reception] = task
        task.add_done_callback(partial(self._close, reception))

    def _close(self, reception: Reception, task: asyncio.Task[None]) -> None:
        del self._receptions[reception]
        self._turns.drop(reception)
        self._pace.drop(reception)
        self._wake.set()
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._blame(reception, error)

    def _blame(self, reception: Reception, error: BaseException) -> None:
        """The only stream's fault is ours; one of many costs only itself."""
        if not self._options.many:
            self._failure = self._failure or error
            return
        if not isinstance(error, MiscError):
            _log.error("stream %s failed", reception.stream, exc_info=error)
        self._reporter.report(StreamFailed(stream=reception.stream, reason=str(error)))

    def _count_frame(self) -> None:
        self._frames += 1
        if self._options.count is not None and self._frames >= self._options.count:
            self._accepting = False  # frames that are still open were not asked for
            for reception in self._receptions:
                reception.end_input()

    async def _sweep(self) -> None:
        """Let go of streams that are silent, or never said anything sensible."""
        while self._options.many:
            await asyncio.sleep(_SWEEP)
            for reception in list(self._receptions):
                if reception.silence >= (self._options.idle if reception.proven else _UNPROVEN):
                    reception.end_input()

    async def _load(self) -> None:
        if self._load_refinery is not None:
            loop = asyncio.get_running_loop()
            self._refinery = await loop.run_in_executor(self._loading, self._load_refinery)
            self._wake.set()

    async def _work(self) -> None:
        """Decode what waits; refine when nothing does; return when nothing will come."""
        while True:
            self._wake.clear()
            if self._failure is not None:
                raise self._failure
            for reception in self._receptions:
                if reception.all_shown:
                    reception.finish()  # also while others keep us busy
            if not self._stopped and await self._work_once():
                continue
            if self._load_refinery is None or self._refinery is not None:
                for reception in self._receptions:
                    if reception.input_ended:
                        reception.finish()
            if not self._accepting and not self._receptions:
                return
            await wait_for(self._wake, seconds=self._refinements.wait)

    async def _work_once(self) -> bool:
        return await self._develop_one(self._receptions) or await self._refine_some()

    async def _develop_one(self, receptions: Iterable[Reception]) -> bool:
        """Decode the next thing of the stream whose turn it is; False if nothing waits."""
        reception = self._turns.next(
            (one for one in receptions if one.has_work),
            expected=lambda one: one.expected_work,
        )
        if reception is None:
            return False
        began = time.perf_counter()
        try:
            entry = await self._step(reception.develop_next())
        except LocalError:
            raise  # a missing package, say: it concerns all
        except Exception as error:
            if not self._options.many:
                raise
            reception.fail()
            self._blame(reception, error)
        else:
            if self._stopped:
                return False  # its end has been reported
            reception.developed(entry, took=time.perf_counter() - began)
        self._turns.charge(reception, time.perf_counter() - began)
        return True

    async def _refine_some(self) -> bool:
        """Refine the next frames; False if there are none, or nothing to do it with yet."""
        if self._refinery is None:
            return False
        jobs = self._refinements.take(self._refinery.most_at_once)
        if not jobs:
            return False
        began = step_began = time.perf_counter()
        steps = refine_jobs(jobs, self._refinery)
        while (told := await self._step(steps)) is not None:
            self._tell_refined(told, took=time.perf_counter() - step_began)
            for job in jobs:
                job.outdated = job.outdated or job.reception.outdates(job.frame)
            if all(job.outdated for job in jobs):
                break
            await self._develop_others(jobs)
            step_began = time.perf_counter()
        else:
            self._pace.took(time.perf_counter() - began)
        for job in jobs:
            job.reception.done_refining(job.frame)
        return True

    def _tell_refined(
        self, told: Sequence[tuple[RefinementJob, StreamReport]], *, took: float
    ) -> None:
        for job, report in told:
            job.reception.refined(job.frame, report, took=took)

    async def _develop_others(self, jobs: Sequence[RefinementJob]) -> None:
        """Between two steps of a refinement, decode what other streams have got meanwhile."""
        busy = {job.reception for job in jobs}
        while await self._develop_one([one for one in self._receptions if one not in busy]):
            pass

    async def _step(self, steps: Iterator[_Step]) -> _Step | None:
        """Run an iterator to its next element in the worker thread; None at its end."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._working, next, steps, None)
