"""Tells the user what the session and the studio say, with the time since capture."""

from __future__ import annotations

from collections import OrderedDict
from typing import TypeVar

import msgspec

from misc_receiver.reports import (
    FrameEnded,
    FrameSeen,
    LayerArrived,
    SenderGone,
    SenderSeen,
    StreamStale,
    TimedReport,
)
from misc_shared.reports import Report, Reporter
from misc_shared.session import (
    Event,
    FrameComplete,
    FrameExpired,
    FrameId,
    FrameStarted,
    LayerReceived,
    PeerHello,
    Stale,
    StreamEnded,
)
from misc_shared.transports import Clock

__all__ = ["Narrator"]

_REMEMBERED = 64

_Timed = TypeVar("_Timed", bound=TimedReport)


class Narrator:
    """Turns events into reports.

    Args:
        clock: the transport's; for a recording, the time in it.
        reporter: who is told.
    """

    def __init__(self, *, clock: Clock, reporter: Reporter) -> None:
        self._clock = clock
        self._reporter = reporter
        self._epoch_started: tuple[int, float] | None = None
        self._captured: OrderedDict[FrameId, float] = OrderedDict()

    def tell(self, frame: FrameId, report: Report) -> None:
        """Pass on what the studio says of a frame."""
        if isinstance(report, TimedReport):
            report = self._timed(frame, report)
        self._reporter.report(report)

    def retell(self, event: Event) -> None:
        """Report what the session says, if it concerns the user."""
        match event:
            case PeerHello(epoch, started):
                self._epoch_started = epoch, started
                self._reporter.report(SenderSeen(epoch=epoch, started=started))
            case FrameStarted():
                self._remember(event.frame, event.captured_at)
                self._reporter.report(self._frame_seen(event))
            case LayerReceived():
                self._remember(event.frame, event.captured_at)
                self._reporter.report(self._timed(event.frame, _arrived(event)))
            case FrameComplete(frame):
                self._reporter.report(FrameEnded(frame=str(frame)))
            case FrameExpired(frame, _, missing):
                names = tuple(layer.name.lower() for layer in sorted(missing))
                self._reporter.report(FrameEnded(frame=str(frame), missing=names))
            case Stale():
                self._reporter.report(StreamStale())
            case StreamEnded(epoch):
                self._reporter.report(SenderGone(epoch=epoch))

    def _remember(self, frame: FrameId, captured_at: float) -> None:
        self._captured[frame] = captured_at
        if len(self._captured) > _REMEMBERED:
            self._captured.popitem(last=False)

    def _frame_seen(self, event: FrameStarted) -> FrameSeen:
        return FrameSeen(
            frame=str(event.frame),
            captured=event.captured_unix,
            layers=[layer.name.lower() for layer in sorted(event.layers)],
        )

    def _timed(self, frame: FrameId, report: _Timed) -> _Timed:
        since = self._since_capture(frame)
        return report if since is None else msgspec.structs.replace(report, since_capture=since)

    def _since_capture(self, frame: FrameId) -> float | None:
        captured_at = self._captured.get(frame)
        if captured_at is None or self._epoch_started is None:
            return None
        epoch, started = self._epoch_started
        if epoch != frame.epoch:
            return None
        return round(self._clock.wall() - started - captured_at, 3)


def _arrived(event: LayerReceived) -> LayerArrived:
    return LayerArrived(
        frame=str(event.frame),
        layer=event.layer.name.lower(),
        bytes=len(event.data),
        wire_bytes=event.wire_bytes,
    )
