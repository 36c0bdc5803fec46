"""What becomes of chunks after they were sent: confirmed, lost or repeated blindly.

Two ways of one interface: `ConfirmedFlight` where acknowledgements come back, `BlindFlight` on a
one-way link. protocol.md, Repeats.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Protocol

from misc_shared.session.delivery import DeliveryRate, Departure
from misc_shared.session.options import SenderTiming
from misc_shared.session.outgoing import FrameInFlight, OutgoingPiece
from misc_shared.session.round_trip import RoundTrip
from misc_shared.session.scheduling import FrameQueue
from misc_shared.session.states import Piece, PieceTrigger
from misc_shared.wire import Ack, LayerKind

__all__ = ["BlindFlight", "ConfirmedFlight", "Flight"]

_HIGH_LOSS = 0.1
"""Share of the bytes. From it on, time-outs no longer double, and BASE goes twice. Measured with a
third lost in bursts of ten (2 kbit/s, 1.3 s round trip, 800 bytes every 10 s, 4 x 300 pictures):
first layers that arrive 62 % -> 91 % -> 93 %, first details 37 % -> 77 % -> 84 %, at 2.2
and 2.6 times the bytes."""
_TRIES = 3
"""Time-outs within the deadline from which on repeats do what a parity would. Measured with 840
bytes every 10 s, DETAIL1 in three chunks, a deadline of 15 s, 4 x 300 pictures and a fifth lost,
DETAIL1 that arrives: 93 % -> 98 % with a round trip of 4 s, 65 % -> 84 % with 8 s, at 1.04 and 1.13
times the bytes; with 1.3 s it is 99.8 % anyway. One-way with a tenth lost 80 % -> 95 %, in bursts
of three 87 % -> 90 %, a third in bursts of ten 65 % -> 66 %, at 1.16 times the bytes."""
_BASE_SENDS = 2
_DOUBTS = 8
_REORDER_THRESHOLD = 3
"""Datagrams that may overtake one before it is taken for lost. RFC 9002, 6.1.1."""


class Flight(Protocol):
    """What a sender needs to know of chunks that are on their way."""

    def wants_parity(self, lifetime: float) -> bool:
        """Whether a parity is worth its bytes in a frame of so many seconds till its deadline."""

    def sent(self, pieces: Sequence[OutgoingPiece], departure: Departure) -> None:
        """Note that a datagram with these chunks was handed to the link."""

    def review(self, now: float) -> None:
        """Queue again what is due for a repeat."""

    def acknowledge(self, ack: Ack, now: float) -> None:
        """Take in what the receiver has."""

    def restart(self, now: float) -> None:
        """Queue again all that was under way when the link broke."""

    def next_review(self, now: float) -> float | None:
        """When `review` will have something to do, if no answer comes before."""


class ConfirmedFlight:
    """Repeats what is not confirmed in time, as long as its deadline is worth it.

    Args:
        queue: The frames whose chunks these are.
        round_trip: Measures, and says how long to wait.
        delivery: Is told what the answers say of the link's rate.
        timing: When to repeat what is not waited for.
    """

    def __init__(
        self,
        queue: FrameQueue,
        round_trip: RoundTrip,
        delivery: DeliveryRate,
        timing: SenderTiming,
    ) -> None:
        self._timing = timing
        self._queue = queue
        self._round_trip = round_trip
        self._delivery = delivery
        self._backed_off_at: float | None = None
        self._doubts: deque[float] = deque(maxlen=_DOUBTS)

    def wants_parity(self, lifetime: float) -> bool:
        """Whether a tenth or more gets lost, and the deadline leaves no time for two repeats."""
        return self._loses and lifetime < _TRIES * self._round_trip.timeout

    def sent(self, pieces: Sequence[OutgoingPiece], departure: Departure) -> None:
        """Note that a datagram with these chunks was handed to the link."""
        for piece in pieces:
            piece.send(departure)

    def review(self, now: float) -> None:
        """Take for lost what is not confirmed after the time-out."""
        timeout = self._round_trip.timeout
        late = [
            piece
            for frame, piece in self._repeatable()
            if now >= piece.sent_at + timeout and self._pays(frame, now)
        ]
        if any(not piece.protects for piece in late):
            self._back_off(now, timeout)
        self._lose(late)
        for piece in [piece for _, piece in self._unprotected() if now >= self._again_at(piece)]:
            piece.on(PieceTrigger.LOSE)
        _release_parities(self._queue, now, self._timing)

    def restart(self, now: float) -> None:
        """Take for lost what was under way; what arrived of it nevertheless comes twice."""
        self._backed_off_at = None
        self._round_trip.answered()  # the time-outs of the outage say nothing of the new link
        self._lose([piece for frame, piece in self._flying() if self._pays(frame, now)])

    def acknowledge(self, ack: Ack, now: float) -> None:
        """Settle what arrived, measure the round trip, repeat what was overtaken.

        Raises:
            ProtocolError: the ACK confirms what was never sent; nothing has changed then.
        """
        found = [(self._queue.find(report.frame), report) for report in ack.reports]
        reported = [
            (frame, report, frame.confirmed_by(report))
            for frame, report in found
            if frame is not None
        ]
        for frame, report, pieces in reported:
            frame.answered_by(ack.receiver, report, pieces)
        settled = [
            piece for *_, pieces in reported for piece in pieces if piece.state is not Piece.DONE
        ]
        for piece in settled:
            piece.on(PieceTrigger.SETTLE)
        # A parity is not wanted any more, which says nothing of whether it arrived.
        news = [piece for piece in settled if not piece.protects]
        for piece in settled:
            if piece.protects and piece.departure is not None:
                self._delivery.time_out(piece.departure)
        self._learn_from(news, ack, now - ack.delay / 1000)
        if news:
            frames = [frame for frame, *_ in reported]
            # Of what went twice nobody knows which copy arrived.
            certain = [piece.order for piece in news if piece.sends == 1]
            self._repeat_overtaken(frames, max(certain, default=-1), now)

    def next_review(self, now: float) -> float | None:
        """The earliest time-out of a chunk whose repeat still pays."""
        timeout = self._round_trip.timeout
        # An answer may shorten the time-out, so that it has passed before anybody looked.
        due = ((frame, max(now, piece.sent_at + timeout)) for frame, piece in self._repeatable())
        times = [time for frame, time in due if self._pays(frame, time)]
        times += [max(now, self._again_at(piece)) for _, piece in self._unprotected()]
        times += _release_times(self._queue, now, self._timing)
        return min(times, default=None)

    @property
    def _loses(self) -> bool:
        return self._delivery.loss >= _HIGH_LOSS

    def _flying(self) -> Iterator[tuple[FrameInFlight, OutgoingPiece]]:
        for frame in self._queue:
            for piece in frame.pieces:
                if piece.state is Piece.FLYING:
                    yield frame, piece

    def _repeatable(self) -> Iterator[tuple[FrameInFlight, OutgoingPiece]]:
        return ((frame, one) for frame, one in self._flying() if not frame.waits_for_parity(one))

    def _unprotected(self) -> list[tuple[FrameInFlight, OutgoingPiece]]:
        """What went once and goes again before any time-out, where loss is high."""
        if not self._loses:
            return []
        return [
            (frame, piece)
            for frame, piece in self._flying()
            if piece.layer is LayerKind.BASE and piece.sends < _BASE_SENDS
        ]

    def _again_at(self, piece: OutgoingPiece) -> float:
        return piece.sent_at + self._timing.repeat_gap

    def _lose(self, pieces: Sequence[OutgoingPiece]) -> None:
        for piece in pieces:
            if piece.departure is not None:
                self._delivery.time_out(piece.departure)
            piece.lose()

    def _pays(self, frame: FrameInFlight, now: float) -> bool:
        # The rule of the issue: repeat only if the deadline is further off than the round trip.
        return now + self._round_trip.estimate < frame.deadline

    def _back_off(self, now: float, timeout: float) -> None:
        if self._loses:
            return  # it is the air that loses, and waiting longer would not make room
        if self._backed_off_at is None or now >= self._backed_off_at + timeout:
            self._backed_off_at = now
            self._round_trip.back_off()

    def _learn_from(self, news: list[OutgoingPiece], ack: Ack, answered_at: float) -> None:
        newest = max(news, key=lambda piece: piece.order, default=None)
        same_receiver = self._delivery.count(ack.receiver, ack.received)
        certain = newest.departure if newest is not None and newest.sends == 1 else None
        self._resolve_doubts()
        self._doubt(news, answered_at)
        if newest is not None:
            self._backed_off_at = None
            self._round_trip.answered()
        if certain is not None:
            self._round_trip.measure(answered_at - certain.at)
        elif newest is not None and newest.departure is not None:
            self._delivery.time_out(newest.departure)  # whichever sending it was, it is over
        self._delivery.answered(
            certain,
            answered_at,
            round_trip=self._round_trip.estimate,
            same_receiver=same_receiver,
        )

    def _doubt(self, news: list[OutgoingPiece], answered_at: float) -> None:
        """Note what was repeated before it was confirmed: which sending was it that arrived?"""
        trips = [answered_at - piece.departures[0].at for piece in news if piece.sends > 1]
        self._doubts.extend(trips)

    def _resolve_doubts(self) -> None:
        """Measure the first sending of what was repeated in vain.

        If all that ever left has arrived, the first sending did too, and the time-out was too short
        for the link. Karn's rule alone would never learn that (RFC 2883 and RFC 3522 tell it in
        TCP). A receiver that came late has not got the first sending, and its bytes say so.
        """
        if self._doubts and self._delivery.lossless:
            self._round_trip.measure(min(self._doubts))
            self._doubts.clear()

    def _repeat_overtaken(self, frames: list[FrameInFlight], newest_order: int, now: float) -> None:
        for frame, piece in self._repeatable():
            overtaken = piece.order <= newest_order - _REORDER_THRESHOLD
            if frame in frames and overtaken and self._pays(frame, now):
                piece.lose()


class BlindFlight:
    """Repeats each BASE a fixed number of times; everything else goes out once.

    Args:
        queue: The frames whose chunks these are.
        timing: How often and after what time BASE is repeated.
    """

    def __init__(self, queue: FrameQueue, timing: SenderTiming) -> None:
        self._queue = queue
        self._timing = timing

    def wants_parity(self, lifetime: float) -> bool:  # noqa: ARG002 - the protocol's
        """Whether anything is repeated: nobody would tell what gets lost."""
        return self._timing.base_repeats > 0

    def sent(self, pieces: Sequence[OutgoingPiece], departure: Departure) -> None:
        """Note that a datagram with these chunks was handed to the link, perhaps the last time."""
        for piece in pieces:
            piece.send(departure)
            if piece.layer is not LayerKind.BASE or piece.sends > self._timing.base_repeats:
                piece.on(PieceTrigger.SETTLE)

    def review(self, now: float) -> None:
        """Queue each BASE whose repeat is due."""
        for piece in self._flying():
            if now >= piece.sent_at + self._timing.repeat_gap:
                piece.on(PieceTrigger.LOSE)
        _release_parities(self._queue, now, self._timing)

    def acknowledge(self, ack: Ack, now: float) -> None:
        """Nothing: what comes back on a one-way link is not ours."""

    def restart(self, now: float) -> None:
        """Nothing: each BASE is repeated anyway."""

    def next_review(self, now: float) -> float | None:
        """When the next repeat is due."""
        due = [max(now, piece.sent_at + self._timing.repeat_gap) for piece in self._flying()]
        due += _release_times(self._queue, now, self._timing)
        return min(due, default=None)

    def _flying(self) -> Iterator[OutgoingPiece]:
        for frame in self._queue:
            yield from (piece for piece in frame.pieces if piece.state is Piece.FLYING)


def _release_parities(queue: FrameQueue, now: float, timing: SenderTiming) -> None:
    for frame in queue:
        release_at = frame.release_at(timing.repeat_gap)
        if release_at is not None and now >= release_at:
            frame.release()


def _release_times(queue: FrameQueue, now: float, timing: SenderTiming) -> list[float]:
    times = (frame.release_at(timing.repeat_gap) for frame in queue)
    return [max(now, time) for time in times if time is not None]
