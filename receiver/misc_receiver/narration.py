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
    StreamReport,
    StreamStale,
    TimedReport,
)
from misc_shared.reports import Reporter
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
_EPOCHS = 8

_Timed = TypeVar("_Timed", bound=TimedReport)


class Narrator:
    """Turns events into reports.

    Args:
        stream: the stream's name.
        clock: the transport's; for a recording, the time in it.
        reporter: who is told.
    """

    def __init__(self, *, stream: str, clock: Clock, reporter: Reporter) -> None:
        self._stream = stream
        self._clock = clock
        self._reporter = reporter
        self._epochs_started: OrderedDict[int, float] = OrderedDict()
        self._captured: OrderedDict[FrameId, float] = OrderedDict()
        # Ages go by this clock: one that is set back an hour in mid-stream makes no picture young.
        self._wall_at_zero = clock.wall() - clock.monotonic()

    def say(self, report: StreamReport) -> None:
        """Report something of this stream."""
        self._reporter.report(msgspec.structs.replace(report, stream=self._stream))

    def tell(self, frame: FrameId, report: StreamReport) -> None:
        """Pass on what the studio says of a frame."""
        self.say(self._timed(frame, report) if isinstance(report, TimedReport) else report)

    def captured(self, frame: FrameId) -> float | None:
        """Unix seconds at which a frame was taken, once the sender has introduced itself."""
        captured_at = self._captured.get(frame)
        started = self._epochs_started.get(frame.epoch)
        return None if captured_at is None or started is None else started + captured_at

    def retell(self, event: Event) -> None:
        """Report what the session says, if it concerns the user."""
        match event:
            case PeerHello(epoch, started):
                self._note_start(epoch, started)
                self._wall_at_zero = self._clock.wall() - self._clock.monotonic()
                self.say(SenderSeen(epoch=epoch, started=started))
            case FrameStarted():
                self._remember(event.frame, event.captured_at)
                self.say(self._frame_seen(event))
            case LayerReceived():
                self._remember(event.frame, event.captured_at)
                self.say(self._timed(event.frame, _arrived(event)))
            case FrameComplete(frame):
                self.say(FrameEnded(frame=str(frame)))
            case FrameExpired(frame, _, missing):
                names = tuple(layer.name.lower() for layer in sorted(missing))
                self.say(FrameEnded(frame=str(frame), missing=names))
            case Stale():
                self.say(StreamStale())
            case StreamEnded(epoch):
                self.say(SenderGone(epoch=epoch))

    def _note_start(self, epoch: int, started: float) -> None:
        self._epochs_started[epoch] = started
        self._epochs_started.move_to_end(epoch)
        if len(self._epochs_started) > _EPOCHS:
            self._epochs_started.popitem(last=False)

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
        captured = self.captured(frame)
        if captured is None:
            return report
        now = self._wall_at_zero + self._clock.monotonic()
        return msgspec.structs.replace(report, since_capture=round(now - captured, 3))


def _arrived(event: LayerReceived) -> LayerArrived:
    return LayerArrived(
        frame=str(event.frame),
        layer=event.layer.name.lower(),
        bytes=len(event.data),
        wire_bytes=event.wire_bytes,
    )
