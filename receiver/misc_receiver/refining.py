"""Refines frames of any streams: which next, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from misc_receiver.decode import FrameContents
from misc_receiver.pacing import RefinementPace
from misc_receiver.reception import Reception
from misc_receiver.refinery import Refinery
from misc_receiver.reports import StreamReport
from misc_shared.session import FrameId

__all__ = ["RefinementJob", "RefinementQueue", "refine_jobs"]


@dataclass(eq=False)
class RefinementJob:
    """A frame to refine.

    Attributes:
        reception: its stream.
        frame: the frame.
        contents: what is known about it.
        outdated: whether something newer of its stream is here, so that it is not shown any more.
    """

    reception: Reception
    frame: FrameId
    contents: FrameContents
    outdated: bool = False


class RefinementQueue:
    """Hands out frames to refine, of all streams in turn; of each stream as its schedule says.

    Args:
        receptions: gives the streams that are received now.
        pace: how often and how late live ones are refined.

    Attributes:
        wait: seconds until a stream that has to wait for its time may be refined, or None.
    """

    def __init__(
        self,
        receptions: Callable[[], Sequence[Reception]],
        pace: RefinementPace[Reception],
    ) -> None:
        self._receptions = receptions
        self._pace = pace
        self._last: list[Reception] = []
        self.wait: float | None = None

    def take(self, limit: int) -> list[RefinementJob]:
        """The next frames: at most `limit`, and one of each stream.

        The stream that was served longest ago goes first. Afterwards `wait` is the seconds until
        one that has to wait for its time may be refined; None if none has to.
        """
        self.wait = None
        present = self._receptions()
        self._last = [one for one in self._last if one in present]
        waiting = [one for one in present if one not in self._last] + self._last
        jobs: list[RefinementJob] = []
        for reception in waiting:
            if len(jobs) >= limit:
                break
            job = self._next_job(reception)
            if job is not None:
                jobs.append(job)
                self._pace.begin(reception)
                if reception in self._last:
                    self._last.remove(reception)
                self._last.append(reception)
        return jobs

    def _next_job(self, reception: Reception) -> RefinementJob | None:
        paced = reception.live and not reception.input_ended
        if paced and (wait := self._pace.wait(reception)) > 0:
            self.wait = wait if self.wait is None else min(wait, self.wait)
            return None
        while (frame := reception.next_to_refine()) is not None:
            contents = reception.studio.contents(frame)
            in_time = not paced or self._pace.in_time(reception.decoded_at)
            if in_time and contents is not None and contents.coarse is not None:
                return RefinementJob(reception, frame, contents)
            reception.done_refining(frame)
        return None


def refine_jobs(
    jobs: Sequence[RefinementJob], refinery: Refinery
) -> Iterator[list[tuple[RefinementJob, StreamReport]]]:
    """Refine frames together, step by step, and show each; stop reading to cancel them all.

    What is outdated is refined with the others, but not shown.

    Yields:
        After each step what there is to tell of each frame.
    """
    for steps in refinery.refine_batch([job.contents for job in jobs]):
        told = []
        for job, step in zip(jobs, steps, strict=True):
            if job.outdated:
                continue
            label = refinery.label(job.contents, step)
            report = job.reception.studio.show_step(job.contents, step, label)
            if report is not None:
                told.append((job, report))
        yield told
