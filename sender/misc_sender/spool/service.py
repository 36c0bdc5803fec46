"""The spool's part in sending a stream: keeps, catches up, and tells of both."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import Executor

from misc_sender.adaptation import Adaptation
from misc_sender.reports import CaughtUp, FrameSpooled, SpoolGaveUp, SpoolTotals
from misc_sender.spool.catch_up import RESERVE, CatchUp
from misc_sender.spool.spooling import Spooling
from misc_shared.reports import Reporter
from misc_shared.session import LinkState
from misc_shared.wire import LayerKind

__all__ = ["SpoolService"]


class SpoolService:
    """Keeps pictures while the link is away, and sends them when there is room.

    Args:
        spooling: the spool and its pace.
        adaptation: leaves room on the link while something waits.
        link: tells what is known of the live link, or None while it is away.
        reporter: who is told.
    """

    def __init__(
        self,
        spooling: Spooling,
        *,
        adaptation: Adaptation,
        link: Callable[[], LinkState | None],
        reporter: Reporter,
    ) -> None:
        self._given_up: Counter[str] = Counter()
        self._kept = 0
        self._arrivals = 0
        self._spooling = spooling
        self._spool = spooling.spool
        self._adaptation = adaptation
        self._live = link
        self._reporter = reporter
        self._catch_up = CatchUp(
            spool=self._spool, connect=spooling.connect, link=self._link, sent=self._arrived
        )

    @property
    def waiting(self) -> int:
        """Pictures that wait."""
        return len(self._spool)

    def pause(self, now: float) -> float:
        """Seconds until the next picture is to be kept, or until to look again."""
        return self._spooling.pause(now)

    async def keep(
        self,
        layers: Mapping[LayerKind, bytes],
        *,
        age: float,
        nbytes: int,
        now: float,
        executor: Executor,
    ) -> None:
        """Keep a picture that stands alone, and say so once it is on the disk.

        Args:
            layers: all of it.
            age: seconds since its capture.
            nbytes: that it would have taken on the wire.
            now: seconds on the pipeline's clock.
            executor: where to wait for the disk.
        """
        loop = asyncio.get_running_loop()
        captured = await loop.run_in_executor(executor, self._spooling.keep, age, layers, now)
        if captured is not None:
            self._kept += 1
            self._reporter.report(FrameSpooled(captured=captured, bytes=nbytes))
        self._tell_losses()

    async def run(self) -> None:
        """Send what was kept, whenever the live pictures leave room; for ever."""
        await self._catch_up.run()

    def totals(self) -> SpoolTotals:
        """What became of the pictures so far."""
        return SpoolTotals(
            kept=self._kept,
            arrived=self._arrivals,
            waiting=self.waiting,
            given_up=dict(self._given_up),
        )

    def close(self) -> None:
        """Let another program use the spool."""
        self._tell_losses()
        self._spool.close()

    def _link(self) -> LinkState | None:
        self._tell_losses()
        self._adaptation.reserve = RESERVE if self._catch_up.sending else 0.0
        return self._live()

    def _arrived(self, captured: float) -> None:
        self._arrivals += 1
        self._reporter.report(CaughtUp(captured=captured, waiting=len(self._spool)))

    def _tell_losses(self) -> None:
        losses = self._spool.take_losses()
        for reason, pictures in losses.pictures.items():
            self._given_up[reason] += pictures
            detail = losses.detail if reason == "disk" else ""
            self._reporter.report(SpoolGaveUp(reason=reason, pictures=pictures, detail=detail))
        if losses.layers:
            self._reporter.report(SpoolGaveUp(reason="room", pictures=0, layers=losses.layers))
