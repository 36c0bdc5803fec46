"""One run of a sender, as the receiver sees it. protocol.md, Epochs."""

import enum
from collections.abc import Iterable

from misc_shared.errors import LimitError, ProtocolError
from misc_shared.session.events import (
    Event,
    FrameComplete,
    FrameExpired,
    FrameStarted,
    LayerReceived,
)
from misc_shared.session.options import ReceiverLimits
from misc_shared.session.reassembly import (
    IncomingFrame,
    IncomingParity,
    IncomingPiece,
    Reassembler,
)
from misc_shared.session.states import (
    INTRODUCTION,
    Introduction,
    IntroductionTrigger,
    advance,
)
from misc_shared.session.ticks import FrameId, TickTracker
from misc_shared.wire import LayerKind

__all__ = ["Arrival", "Epoch"]


class Arrival(enum.Enum):
    """What a datagram brought."""

    NEWS = "something new"
    LAST = "the last thing that its frame wanted"
    DUPLICATE = "nothing new"
    LATE = "a piece of a frame that was forgotten"


class Epoch:
    """The frames of one run, and what is known of their sender.

    Args:
        number: The run.
        limits: Bounds of memory.

    Attributes:
        introduction: What is known of the sender.
        started: Unix time of tick 0 in whole seconds; None before HELLO.
        received: Bytes of all its datagrams.
        frames: What has come of its frames.
        pictures: Frames whose BASE came whole.
        news_at: When something new of it last came; None for never.
    """

    def __init__(self, number: int, limits: ReceiverLimits) -> None:
        self.number = number
        self.introduction = Introduction.PENDING
        self.started: int | None = None
        self.received = 0
        self.pictures = 0
        self.news_at: float | None = None
        self.frames = Reassembler(limits)
        self._limits = limits
        self._ticks = TickTracker()

    def on(self, trigger: IntroductionTrigger) -> None:
        """Change what is known of the sender."""
        self.introduction = advance(INTRODUCTION, self.introduction, trigger)

    def synchronise(self, *, started: int, tick: int, now: float) -> None:
        """Learn the epoch's time from HELLO."""
        self.started = started
        self._ticks.synchronise(tick, now)

    def tick_of(self, frame_id: int, now: float) -> int:
        """The unwrapped tick of a 16-bit frame id."""
        return self._ticks.unwrap(frame_id, now)

    def take(
        self,
        tick: int,
        layers: frozenset[LayerKind],
        pieces: Iterable[IncomingPiece | IncomingParity],
        *,
        now: float,
        events: list[Event],
        held: int = 0,
    ) -> Arrival:
        """Take in the pieces of one datagram; what happened is added to `events`.

        Args:
            tick: The frame's.
            layers: The layers that the frame has.
            pieces: What came.
            now: The caller's clock.
            events: Where to add.
            held: Payload bytes that other runs hold; they count against the same limit.

        Raises:
            ProtocolError: a piece contradicts an earlier one.
            LimitError: the layer is too large.
        """
        if self.frames.is_past(tick):
            return Arrival.LATE
        frame = self._frame(tick, layers, now=now, events=events)
        new = [piece for piece in pieces if not frame.has(piece)]
        if not new:
            return Arrival.DUPLICATE
        frame.news_at = self.news_at = now
        for piece in new:
            self._keep(frame, piece, events, held=held)
        return Arrival.LAST if frame.settled else Arrival.NEWS

    def expire(self, frames: Iterable[IncomingFrame], events: list[Event]) -> None:
        """Give frames up and say so."""
        for frame in frames:
            frame.close()
            missing = frame.layers - frame.received
            events.append(FrameExpired(frame.id, frozenset(frame.received), missing))

    def unfinished(self) -> list[IncomingFrame]:
        """Frames that may still get layers, oldest datagram first."""
        return [frame for frame in self.frames if not frame.settled]

    def _frame(
        self, tick: int, layers: frozenset[LayerKind], *, now: float, events: list[Event]
    ) -> IncomingFrame:
        frame = self.frames.find(tick)
        if frame is None:
            return self._begin(tick, layers, now=now, events=events)
        if frame.layers != layers:
            raise ProtocolError(
                f"frame {frame.id} has layers {_names(layers)}: expected "
                f"{_names(frame.layers)} as before"
            )
        return frame

    def _begin(
        self, tick: int, layers: frozenset[LayerKind], *, now: float, events: list[Event]
    ) -> IncomingFrame:
        frame_id = FrameId(self.number, tick)
        frame, forgotten = self.frames.open(frame_id, layers, now)
        self.expire([old for old in forgotten if not old.settled], events)
        seconds = self._ticks.seconds(tick)
        events.append(FrameStarted(frame_id, seconds, self._unix(seconds), layers))
        return frame

    def _keep(
        self,
        frame: IncomingFrame,
        piece: IncomingPiece | IncomingParity,
        events: list[Event],
        *,
        held: int,
    ) -> None:
        closed = self.frames.make_room(len(piece.payload) + held, keep=frame)
        self.expire(closed, events)
        try:
            whole = frame.add(piece, limit=self._limits.layer_bytes)
        except LimitError:
            if frame.settled:
                self.expire([frame], events)
            raise
        if whole is not None:
            self._give_out(frame, piece.layer, *whole, events)

    def _give_out(
        self,
        frame: IncomingFrame,
        layer: LayerKind,
        data: bytes,
        wire_bytes: int,
        events: list[Event],
    ) -> None:
        seconds = self._ticks.seconds(frame.id.tick)
        unix = self._unix(seconds)
        self.pictures += layer is LayerKind.BASE
        events.append(LayerReceived(frame.id, seconds, unix, layer, data, wire_bytes))
        if frame.complete:
            events.append(FrameComplete(frame.id))
        elif frame.settled:
            self.expire([frame], events)

    def _unix(self, seconds: float) -> float | None:
        return None if self.started is None else self.started + seconds


def _names(layers: Iterable[LayerKind]) -> str:
    return ", ".join(layer.name for layer in sorted(layers))
