"""The runs of senders that a receiver follows. protocol.md, Epochs.

Anybody who can write to the stream can claim a new run. So a new one ends no other: each is
followed by itself, in bounded number, and a run that has shown pictures gives way to no mere claim.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from misc_shared.session.answering import Answers
from misc_shared.session.epoch import Epoch
from misc_shared.session.options import ReceiverLimits

__all__ = ["Run", "Runs"]

_ALIVE = 60.0
"""Seconds for which a run that is silent gives way to none that is merely newer."""


@dataclass(slots=True, eq=False)
class Run:
    """One run of a sender, and what we have to tell it.

    Attributes:
        epoch: Its frames, and what is known of it.
        answers: What it has to be told.
        heard_at: When a datagram of it last came.
        ended: Whether its sender said that it is over.
    """

    epoch: Epoch
    answers: Answers
    heard_at: float
    ended: bool = False


class Runs:
    """Few runs by number; the one heard last comes first.

    Args:
        limits: How many.
    """

    def __init__(self, limits: ReceiverLimits) -> None:
        self._most = limits.runs
        self._runs: dict[int, Run] = {}

    def __len__(self) -> int:
        return len(self._runs)

    def __iter__(self) -> Iterator[Run]:
        return reversed(list(self._runs.values()))

    def find(self, number: int) -> Run | None:
        """The run of this number, if it is followed."""
        return self._runs.get(number)

    def heard(self, run: Run, now: float) -> None:
        """Note that a datagram of it came."""
        run.heard_at = now
        run.ended = False
        self._runs[run.epoch.number] = self._runs.pop(run.epoch.number)

    def add(self, run: Run, now: float) -> Run | None:
        """Follow one more.

        Returns:
            The run that had to make room: one without a picture if there is one, else one that is
            silent, else the one that has shown the fewest; of equals the one heard longest ago.
        """
        displaced = None
        if len(self._runs) >= self._most:
            displaced = min(self._runs.values(), key=lambda one: _worth(one, now))
            self.remove(displaced)
        self._runs[run.epoch.number] = run
        return displaced

    def remove(self, run: Run) -> None:
        """Follow it no more."""
        del self._runs[run.epoch.number]


def _worth(run: Run, now: float) -> tuple[bool, bool, int, float]:
    shown = run.epoch.pictures
    alive = not run.ended and now < run.heard_at + _ALIVE
    return shown > 0, alive, shown if alive else 0, run.heard_at
