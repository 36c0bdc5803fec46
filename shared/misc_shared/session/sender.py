"""The sender's end of a session, without I/O: frames and answers in, datagrams out.

protocol.md, Session. The owner of the link paces: whenever the link can take a datagram it asks
for the most urgent one. So a newer picture overtakes an older one's details up to the last moment.
"""

from dataclasses import dataclass

from misc_shared.errors import ConfigError, ProtocolError
from misc_shared.session.delivery import DeliveryRate
from misc_shared.session.events import (
    DropReason,
    Event,
    FrameDelivered,
    FrameDropped,
    FrameSent,
    HelloAcknowledged,
    ReceiverReport,
    RefreshRequested,
    Refused,
)
from misc_shared.session.flight import BlindFlight, ConfirmedFlight, Flight
from misc_shared.session.greeting import Greeting
from misc_shared.session.link_state import LinkState, Window, bytes_in
from misc_shared.session.options import (
    DEFAULT_SENDER_LIMITS,
    DEFAULT_SENDER_TIMING,
    HelloConfig,
    SenderLimits,
    SenderTiming,
)
from misc_shared.session.outgoing import (
    FrameInFlight,
    OutgoingFrame,
    OutgoingPiece,
    split_frame,
    write_pieces,
)
from misc_shared.session.receivers import RecentReceivers
from misc_shared.session.requests import RateLimit
from misc_shared.session.round_trip import RoundTrip
from misc_shared.session.scheduling import FrameQueue, partner_of
from misc_shared.session.states import LIFE, Life, LifeTrigger, Piece, advance
from misc_shared.session.ticks import EpochClock, FrameId
from misc_shared.wire import (
    KINDS,
    MAX_CHUNKS,
    MAX_DATAGRAM,
    MAX_EPOCH,
    MIN_MTU,
    Ack,
    Bye,
    LayerKind,
    Reason,
    Refresh,
    Wanted,
    parse,
    payload_room,
    write,
)

__all__ = ["SenderCounters", "SenderSession"]


@dataclass(slots=True)
class SenderCounters:
    """What a sender has done so far.

    Attributes:
        datagrams: Datagrams handed out.
        bytes: Their bytes.
        repeats: Chunks sent again.
        answers: Datagrams that came back and were understood.
        foreign: Answers to another run, which were ignored.
    """

    datagrams: int = 0
    bytes: int = 0
    repeats: int = 0
    answers: int = 0
    foreign: int = 0


class SenderSession:
    """Decides what is sent next, what is repeated and what is given up.

    Call `next_datagram` whenever the link can take one; `tick` at `next_timer`; `receive` with
    whatever comes back. All times are seconds on one clock of the caller's that never runs back.

    Args:
        epoch: This run, 0 to 65,535, drawn at random: it tells a restarted sender from an old one.
        mtu: Bytes of the largest datagram, 33 to 65,535.
        hello: How to introduce ourselves.
        now: The caller's clock at `hello.started`.
        one_way: Nothing can come back: repeat each BASE and HELLO instead.
        overhead: Bytes that a seal adds to each datagram; they count as ours.
        limits: Bounds of memory.
        timing: When to repeat.

    Attributes:
        counters: What was done so far.

    Raises:
        ConfigError: the epoch or the MTU is out of range.
    """

    def __init__(
        self,
        *,
        epoch: int,
        mtu: int,
        hello: HelloConfig,
        now: float,
        one_way: bool = False,
        overhead: int = 0,
        limits: SenderLimits = DEFAULT_SENDER_LIMITS,
        timing: SenderTiming = DEFAULT_SENDER_TIMING,
    ) -> None:
        if not 0 <= epoch <= MAX_EPOCH or not MIN_MTU <= mtu <= MAX_DATAGRAM:
            raise ConfigError(
                f"the epoch is {epoch}: expected 0 to {MAX_EPOCH}; "
                f"the MTU is {mtu}: expected {MIN_MTU} to {MAX_DATAGRAM}"
            )
        self.counters = SenderCounters()
        self._epoch = epoch
        self._overhead = overhead
        self._room = payload_room(mtu)
        self._layer_limit = min(limits.layer_bytes, MAX_CHUNKS * self._room)
        self._one_way = one_way
        self._timing = timing
        self._clock = EpochClock(now=now, started=hello.started)
        self._queue = FrameQueue(limits)
        self._round_trip = RoundTrip(first=timing.first_round_trip)
        self._delivery = DeliveryRate()
        self._window = Window(mtu=mtu, delivery=self._delivery)
        self._flight: Flight = (
            BlindFlight(self._queue, timing)
            if one_way
            else ConfirmedFlight(self._queue, self._round_trip, self._delivery, timing)
        )
        self._greeting = Greeting(
            hello,
            epoch=epoch,
            started=self._clock.started,
            mtu=mtu,
            layer_limit=self._layer_limit,
            one_way=one_way,
            timing=timing,
            round_trip=self._round_trip,
        )
        self._life = Life.OPEN
        self._events: list[Event] = []
        self._newest_tick = -1
        self._base_sent = False
        self._refreshed = RateLimit(timing.refresh_interval)
        interval = timing.refusal_interval
        self._refused = RateLimit(interval, longest=16 * interval)
        self._receivers = RecentReceivers()
        self._answered_at: float | None = None

    @property
    def finished(self) -> bool:
        """Whether nothing will ever be sent again."""
        return self._life is Life.ENDED

    @property
    def frames_in_flight(self) -> int:
        """Frames that wait or are not confirmed."""
        return len(self._queue)

    @property
    def bytes_in_flight(self) -> int:
        """Payload bytes of those frames."""
        return self._queue.nbytes

    @property
    def link(self) -> LinkState:
        """What is known of the link, and how much waits for it."""
        return LinkState(
            rate=self._delivery.rate,
            limited_at=self._delivery.limited_at,
            loss=self._delivery.loss,
            round_trip=self._round_trip.measured,
            answered_at=self._answered_at,
            waiting=bytes_in(self._queue, Piece.QUEUED),
            unconfirmed=bytes_in(self._queue, Piece.FLYING),
            queued=self._delivery.queued,
            queued_until=self._delivery.sent_at + self._round_trip.timeout,
        )

    def delivered(self, frame: FrameId) -> frozenset[LayerKind]:
        """The confirmed layers of a frame in flight; one-way, those that went out."""
        found = (one.delivered for one in self._queue if one.id == frame)
        return next(found, frozenset())

    def submit(self, frame: OutgoingFrame, now: float) -> FrameId:
        """Take in a frame, newer than all before.

        Its id is its capture time in ticks of 1/8 s; where frames come faster, the next free tick.

        Raises:
            ConfigError: the session was closed, BASE is missing or a layer does not fit the link.
        """
        if self._life is not Life.OPEN:
            raise ConfigError(f"the session takes no frames: {self._life.value}")
        pieces = split_frame(
            frame,
            room=self._room,
            layer_limit=self._layer_limit,
            parity=self._flight.wants_parity(frame.deadline - now),
        )
        tick = max(self._clock.tick(frame.captured_at), self._newest_tick + 1)
        self._newest_tick = tick
        entry = FrameInFlight(
            id=FrameId(self._epoch, tick),
            deadline=frame.deadline,
            layers=frozenset(piece.layer for piece in pieces),
            pieces=pieces,
        )
        for old in self._queue.add(entry):
            self._report_dropped(old, DropReason.OVERTAKEN)
        self._drop_expired(now)
        return entry.id

    def next_datagram(self, now: float) -> bytes | None:
        """The datagram that is most urgent now; None if nothing is to be sent."""
        self._review(now)
        chosen = self._choose(now)
        if chosen is None:
            return None
        datagram, pieces = chosen
        nbytes = len(datagram) + self._overhead
        self._flight.sent(pieces, self._delivery.sent(nbytes, now))
        self._greeting.sent(nbytes)
        self.counters.datagrams += 1
        self.counters.bytes += nbytes
        self._collect_settled()
        return datagram

    def receive(self, datagram: bytes, now: float) -> list[Event]:
        """Take in what the receiver sent.

        Raises:
            RemoteError: it is malformed or not allowed; nothing has changed then.
        """
        message = parse(datagram)
        if not isinstance(message, Ack | Refresh | Bye):
            raise ProtocolError(
                f"a sender was sent {type(message).__name__}: expected ACK, REFRESH or BYE"
            )
        if message.epoch != self._epoch:
            self.counters.foreign += 1
            return self._take_events()
        match message:
            case Ack():
                self._take_ack(message, now)
            case Refresh():
                self._take_refresh(message, now)
            case Bye():
                self._take_bye(message, now)
        self.counters.answers += 1
        self._answered_at = now
        return self._take_events()

    def tick(self, now: float) -> list[Event]:
        """Do what is due: give up frames past their deadline, queue repeats."""
        self._review(now)
        return self._take_events()

    def next_timer(self, now: float) -> float | None:
        """When to call `tick` and then `next_datagram` next, if nothing happens before.

        What is ready already needs no timer: it goes when the link can take it.

        Returns:
            A time on the caller's clock, not before `now`; None if there is nothing to wait for.
        """
        if self.finished:
            return now if self._events else None
        times = [frame.deadline for frame in self._queue]
        review_at, hello_at = self._flight.next_review(now), self._greeting.next_timer()
        if review_at is not None:
            times.append(review_at)
        if hello_at is not None and hello_at > now:
            times.append(hello_at)
        if self._events:
            times.append(now)
        return max(now, min(times)) if times else None

    def reconnected(self, now: float) -> None:
        """The transport connected anew: introduce ourselves, and queue what was under way."""
        if not self.finished:
            self._greeting.restart()
            self._flight.restart(now)

    def abandon_unsent(self, now: float) -> None:
        """Give up frames of which nothing was sent: the link was away, and there are newer ones."""
        for frame in list(self._queue):
            if frame.deadline > now and frame.unsent == frame.layers:
                self._drop(frame, DropReason.OUTDATED)

    def close(self) -> None:
        """Take no more frames; deliver those there are, then say BYE."""
        self._life = advance(LIFE, self._life, LifeTrigger.CLOSE)

    def stop(self) -> None:
        """Take no more frames and give up those there are: BYE is the next to go."""
        self.close()
        self._greeting.hurry()
        for frame in list(self._queue):
            self._drop(frame, DropReason.STOPPED)

    def _choose(self, now: float) -> tuple[bytes, tuple[OutgoingPiece, ...]] | None:
        if self.finished:
            return None
        if self._greeting.leads:
            return self._greeting.say(self._clock.tick(now), now), ()
        urgent = self._queue.most_urgent()
        # BASE decodes without HELLO, and on a slow link HELLO's bytes would delay it.
        if urgent is not None and urgent[1].layer is LayerKind.BASE:
            self._base_sent = True
            return self._send(*urgent)
        if self._base_sent and self._greeting.due(now):
            return self._greeting.say(self._clock.tick(now), now), ()
        if urgent is not None:
            return self._send(*urgent) if self._may_send() else None
        self._delivery.starve()
        bye = self._say_bye()
        return None if bye is None else (bye, ())

    def _may_send(self) -> bool:
        return self._one_way or self._window.open

    def _send(
        self, frame: FrameInFlight, piece: OutgoingPiece
    ) -> tuple[bytes, tuple[OutgoingPiece, ...]]:
        partner = partner_of(piece, frame, room=self._room)
        pieces = (piece,) if partner is None else (piece, partner)
        self.counters.repeats += sum(piece.sends > 0 for piece in pieces)
        return write_pieces(frame, *pieces), pieces

    def _say_bye(self) -> bytes | None:
        heard = self._answered_at is not None or self._one_way
        waits = len(self._queue) > 0 or (heard and self._greeting.holds_back_bye)
        if self._life is not Life.CLOSING or waits:
            return None
        self._life = advance(LIFE, self._life, LifeTrigger.SAY_BYE)
        return write(Bye(kind=KINDS[Bye], epoch=self._epoch, reason=Reason.END, detail=""))

    def _take_ack(self, ack: Ack, now: float) -> None:
        self._flight.acknowledge(ack, now)
        if self._receivers.is_another(ack.receiver) and self._refreshed.allows(now):
            # What was confirmed before is not known to this one.
            self._events.append(RefreshRequested(newest=self._newest_tick & 0xFFFF))
        if ack.hello_heard and self._greeting.answered():
            self._events.append(HelloAcknowledged())
        self._collect_settled()
        self._events.append(
            ReceiverReport(
                received=ack.received,
                queue_depth=ack.queue_depth,
                round_trip=self._round_trip.measured,
            )
        )

    def _take_refresh(self, refresh: Refresh, now: float) -> None:
        if refresh.wanted is not Wanted.PICTURE:
            self._greeting.asked(now, in_full=refresh.wanted is Wanted.FULL_HELLO)
            return
        if self._refreshed.allows(now):
            self._events.append(RefreshRequested(newest=refresh.frame))

    def _take_bye(self, bye: Bye, now: float) -> None:
        if bye.reason is Reason.END:
            raise ProtocolError("a receiver said that the stream ends: only its sender can")
        # It is told and no more: anybody may say it, and others may well understand us. Who was
        # lied to about our models needs our own word.
        if self._refused.allows(now):
            self._greeting.asked(now, in_full=True)
            self._events.append(Refused(reason=bye.reason, detail=bye.detail))

    def _review(self, now: float) -> None:
        self._drop_expired(now)
        self._flight.review(now)

    def _drop_expired(self, now: float) -> None:
        for frame in list(self._queue):
            if now >= frame.deadline:
                self._drop(frame, DropReason.DEADLINE)

    def _collect_settled(self) -> None:
        for frame in [frame for frame in self._queue if frame.settled]:
            if frame.unsent or frame.given_up:
                self._drop(frame, DropReason.RECEIVER)
                continue
            self._queue.remove(frame)
            self._events.append(FrameSent(frame.id) if self._one_way else FrameDelivered(frame.id))

    def _drop(self, frame: FrameInFlight, reason: DropReason) -> None:
        self._queue.remove(frame)
        self._report_dropped(frame, reason)

    def _report_dropped(self, frame: FrameInFlight, reason: DropReason) -> None:
        self._events.append(
            FrameDropped(
                frame=frame.id, reason=reason, delivered=frame.delivered, unsent=frame.unsent
            )
        )

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events
