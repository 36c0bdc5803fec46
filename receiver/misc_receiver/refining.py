"""Refines frames of any streams: which next, and what becomes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from misc_receiver.decode import FrameContents
from misc_receiver.reception import Reception
from misc_receiver.refinery import Refinery
from misc_receiver.reports import StreamReport
from misc_shared.session import FrameId

__all__ = ["RefinementJob", "RefinementQueue", "refine_jobs"]


@dataclass(frozen=True, eq=False)
class RefinementJob:
    """A frame to refine.

    Attributes:
        reception: its stream.
        frame: the frame.
        contents: what is known about it.
    """

    reception: Reception
    frame: FrameId
    contents: FrameContents


class RefinementQueue:
    """Hands out frames to refine, of all streams in turn; of each stream as its schedule says.

    Args:
        receptions: gives the streams that are received now.
    """

    def __init__(self, receptions: Callable[[], Sequence[Reception]]) -> None:
        self._receptions = receptions
        self._last: list[Reception] = []

    def take(self, limit: int) -> list[RefinementJob]:
        """The next frames: at most `limit`, and one of each stream.

        The stream that was served longest ago goes first.
        """
        present = self._receptions()
        self._last = [one for one in self._last if one in present]
        waiting = [one for one in present if one not in self._last] + self._last
        jobs = []
        for reception in waiting:
            if len(jobs) >= limit:
                break
            job = _next_job(reception)
            if job is not None:
                jobs.append(job)
                if reception in self._last:
                    self._last.remove(reception)
                self._last.append(reception)
        return jobs


def _next_job(reception: Reception) -> RefinementJob | None:
    while (frame := reception.next_to_refine()) is not None:
        contents = reception.studio.contents(frame)
        if contents is not None and contents.coarse is not None:
            return RefinementJob(reception, frame, contents)
        reception.done_refining(frame)
    return None


def refine_jobs(
    jobs: Sequence[RefinementJob], refinery: Refinery
) -> Iterator[list[tuple[RefinementJob, StreamReport]]]:
    """Refine frames together, step by step, and show each; stop reading to cancel them all.

    Yields:
        After each step what there is to tell of each frame.
    """
    for steps in refinery.refine_batch([job.contents for job in jobs]):
        told = []
        for job, step in zip(jobs, steps, strict=True):
            label = refinery.label(job.contents, step)
            report = job.reception.studio.show_step(job.contents, step, label)
            if report is not None:
                told.append((job, report))
        yield told
