"""The receiver's end of a session, without I/O: datagrams in, layers and answers out.

protocol.md, Session. Every layer is given out as soon as it is whole, in whatever order.
"""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from misc_shared.errors import ConfigError, ProtocolError
from misc_shared.session.answering import Answers
from misc_shared.session.epoch import Arrival, Epoch
from misc_shared.session.events import Event, PeerHello, Refused, Stale, StreamEnded
from misc_shared.session.introduction import Objection, Verifier
from misc_shared.session.options import (
    DEFAULT_RECEIVER_LIMITS,
    DEFAULT_RECEIVER_TIMING,
    ReceiverLimits,
    ReceiverTiming,
)
from misc_shared.session.reassembly import IncomingFrame, IncomingParity, IncomingPiece
from misc_shared.session.states import Introduction, IntroductionTrigger
from misc_shared.wire import (
    MAX_DATAGRAM,
    MIN_MTU,
    Bye,
    Data,
    Hello,
    OtherVersion,
    Pair,
    Parity,
    Reason,
    ShortHello,
    parse,
)

__all__ = ["ReceiverCounters", "ReceiverSession"]

_RETIRED_EPOCHS = 8
_PATIENCE = 3
"""Requests for a long HELLO after which a sender with an unknown profile is refused."""


@dataclass(slots=True)
class ReceiverCounters:
    """What a receiver has got so far.

    Attributes:
        datagrams: Datagrams that were well formed.
        bytes: Their bytes.
        duplicates: Datagrams that brought nothing new.
        late: Datagrams of frames that were given up long ago.
        foreign: Datagrams of runs that are over or were refused.
        answers: Datagrams handed out.
        answer_bytes: Their bytes.
    """

    datagrams: int = 0
    bytes: int = 0
    duplicates: int = 0
    late: int = 0
    foreign: int = 0
    answers: int = 0
    answer_bytes: int = 0


class ReceiverSession:
    """Puts layers together and tells the sender what came.

    Call `receive` with each datagram, `tick` at `next_timer`, and after either `next_datagram`
    until it has nothing more. All times are seconds on one clock of the caller's that never runs
    back; for a recording, the times in it.

    Args:
        packs: Component name -> 8-byte digest of every model that we can decode with.
        mtu: Bytes of the largest datagram that can go back, 33 to 65,535.
        one_way: Nothing can go back.
        overhead: Bytes that a seal adds to each datagram; they count as the sender's.
        limits: Bounds of memory.
        timing: When to answer and when to give up.

    Attributes:
        counters: What came so far.
        queue_depth: Frames that wait for the decoder; the owner sets it, acknowledgements tell it.

    Raises:
        ConfigError: a pack cannot be named in a HELLO, or the MTU is out of range.
    """

    def __init__(
        self,
        *,
        packs: Mapping[str, bytes],
        mtu: int = 1100,
        one_way: bool = False,
        overhead: int = 0,
        limits: ReceiverLimits = DEFAULT_RECEIVER_LIMITS,
        timing: ReceiverTiming = DEFAULT_RECEIVER_TIMING,
    ) -> None:
        if not MIN_MTU <= mtu <= MAX_DATAGRAM:
            raise ConfigError(f"the MTU is {mtu}: expected {MIN_MTU} to {MAX_DATAGRAM}")
        self.counters = ReceiverCounters()
        self.queue_depth = 0
        self._mtu = mtu
        self._one_way = one_way
        self._overhead = overhead
        self._limits = limits
        self._timing = timing
        self._verifier = Verifier(packs, layer_limit=limits.layer_bytes)
        self._retired: deque[int] = deque(maxlen=_RETIRED_EPOCHS)
        self._events: list[Event] = []
        self._heard_at: float | None = None
        self._stale = False
        self._epoch: Epoch | None = None
        self._answers = Answers(timing, mtu=mtu)

    @property
    def frames_remembered(self) -> int:
        """Frames of which something is known; bounded by `ReceiverLimits.frames`."""
        return 0 if self._epoch is None else len(self._epoch.frames)

    @property
    def bytes_buffered(self) -> int:
        """Payload bytes of unfinished layers; bounded by `ReceiverLimits.total_bytes`."""
        return 0 if self._epoch is None else self._epoch.frames.nbytes

    def receive(self, datagram: bytes, now: float) -> list[Event]:
        """Take in what the sender sent.

        Raises:
            RemoteError: it is malformed, not allowed or too large. Events that led up to the error
                come with the next call.
        """
        message = parse(datagram)
        nbytes = len(datagram) + self._overhead
        match message:
            case Data() | Pair() | Parity():
                self._take_data(message, nbytes, now)
            case Hello() | ShortHello() | OtherVersion():
                self._take_hello(message, nbytes, now)
            case Bye():
                self._take_bye(message, now)
            case _:
                raise ProtocolError(
                    f"a receiver was sent {type(message).__name__}: expected data, HELLO or BYE"
                )
        self.counters.datagrams += 1
        self.counters.bytes += nbytes
        return self._take_events()

    def next_datagram(self, now: float) -> bytes | None:
        """The answer that is due now; None if there is none."""
        if self._one_way or self._epoch is None:
            return None
        datagram = self._answers.next(self._epoch, queue_depth=self.queue_depth, now=now)
        if datagram is not None:
            self.counters.answers += 1
            self.counters.answer_bytes += len(datagram) + self._overhead
        return datagram

    def tick(self, now: float) -> list[Event]:
        """Do what is due: give up frames that are too old, notice that nothing comes."""
        if self._epoch is not None:
            unfinished = self._epoch.unfinished()
            old = [frame for frame in unfinished if now >= self._expiry(frame)]
            self._epoch.expire(old, self._events)
        if self._heard_at is not None and not self._stale:
            self._stale = now >= self._heard_at + self._timing.stale_after
            if self._stale:
                self._events.append(Stale(self._heard_at))
        return self._take_events()

    def next_timer(self, now: float) -> float | None:
        """When to call `tick` and then `next_datagram` next, if nothing comes before.

        What is ready already needs no timer: it goes when the link can take it.

        Returns:
            A time on the caller's clock, not before `now`; None if there is nothing to wait for.
        """
        times = []
        answer_at = None if self._one_way else self._answers.next_timer()
        if answer_at is not None and answer_at > now:
            times.append(answer_at)
        if self._epoch is not None:
            times += [self._expiry(frame) for frame in self._epoch.unfinished()]
        if self._heard_at is not None and not self._stale:
            times.append(self._heard_at + self._timing.stale_after)
        if self._events:
            times.append(now)
        return max(now, min(times)) if times else None

    def request_refresh(self, now: float) -> None:
        """Ask for a picture that stands alone, as soon as the rate limit allows."""
        self._answers.want_picture(now)

    def _take_data(self, message: Data | Pair | Parity, nbytes: int, now: float) -> None:
        epoch = self._enter(message.epoch, now)
        if epoch is None:
            return
        if epoch.introduction is not Introduction.KNOWN:
            unclear = epoch.introduction is Introduction.UNDERWAY
            self._answers.want_hello(now, at_once=unclear)
        tick = epoch.tick_of(message.frame, now)
        pieces = _pieces(message, nbytes)
        arrival = epoch.take(tick, message.layers, pieces, now=now, events=self._events)
        self.counters.duplicates += arrival is Arrival.DUPLICATE
        self.counters.late += arrival is Arrival.LATE
        self._hear(epoch, nbytes, now)
        # Only where more is likely to come does an acknowledgement wait for it.
        self._answers.heard(tick, now, urgent=arrival is not Arrival.NEWS)

    def _take_hello(
        self, hello: Hello | ShortHello | OtherVersion, nbytes: int, now: float
    ) -> None:
        if self._is_outdated(hello) and not self._may_return(hello.epoch, now):
            self.counters.foreign += 1
            return
        epoch = self._enter(hello.epoch, now, reborn=self._is_reborn(hello))
        if epoch is None:
            return
        self._hear(epoch, nbytes, now)
        objection = self._judge(epoch, hello, now)
        if objection is not None:
            self._refuse(epoch, objection, now)
        elif epoch.introduction is Introduction.KNOWN:
            self._answers.heard(None, now, urgent=False)

    def _judge(
        self, epoch: Epoch, hello: Hello | ShortHello | OtherVersion, now: float
    ) -> Objection | None:
        if not isinstance(hello, OtherVersion):
            epoch.synchronise(started=hello.started, tick=hello.tick, now=now)
        if isinstance(hello, ShortHello):
            if not self._verifier.knows(hello):
                return self._ask_in_full(epoch, hello, now)
            self._agree(epoch, hello.started, None)
            return None
        objection = self._verifier.object_to(hello)
        if objection is None and isinstance(hello, Hello):
            self._agree(epoch, hello.started, hello.stream)
        return objection

    def _ask_in_full(self, epoch: Epoch, hello: ShortHello, now: float) -> Objection | None:
        if self._one_way or self._answers.asked_for_hello >= _PATIENCE:
            return Reason.PACKS, (
                f"the sender's models (profile {hello.profile.hex()}) are not ours; install the "
                "same pack at both ends"
            )
        epoch.on(IntroductionTrigger.GREET)
        self._answers.want_hello(now, at_once=True)
        return None

    def _agree(self, epoch: Epoch, started: int, stream: str | None) -> None:
        if epoch.introduction is not Introduction.KNOWN:
            self._events.append(PeerHello(epoch.number, started, stream))
        epoch.on(IntroductionTrigger.AGREE)
        self._answers.introduced()

    def _refuse(self, epoch: Epoch, objection: Objection, now: float) -> None:
        epoch.on(IntroductionTrigger.REFUSE)
        epoch.expire(epoch.unfinished(), self._events)
        self._answers.refuse(objection, now)
        self._events.append(Refused(*objection))

    def _take_bye(self, bye: Bye, now: float) -> None:
        if bye.reason is not Reason.END:
            raise ProtocolError(f"a sender said BYE for {bye.reason.name}: expected END")
        if self._epoch is not None and bye.epoch == self._epoch.number:
            self._heard_at, self._stale = now, True  # an end is no silence
            self._events.append(StreamEnded(bye.epoch))

    def _enter(self, number: int, now: float, *, reborn: bool = False) -> Epoch | None:
        """The epoch that a datagram belongs to; None if it is over or was refused."""
        current = self._epoch
        if current is None or reborn or (number != current.number and number not in self._retired):
            return self._begin(number)
        if self._may_return(number, now):
            return self._begin(number)
        if number != current.number:
            self.counters.foreign += 1
            return None
        if current.introduction is Introduction.REFUSED:
            self.counters.foreign += 1
            self._answers.remind(now)
            return None
        return current

    def _may_return(self, number: int, now: float) -> bool:
        """Whether a run that another one ended goes on, now that nothing comes of the other."""
        silent = self._heard_at is not None and now >= self._heard_at + self._timing.rival_after
        return silent and number in self._retired

    def _begin(self, number: int) -> Epoch:
        if self._epoch is not None:
            self._epoch.expire(self._epoch.unfinished(), self._events)
            self._retired.append(self._epoch.number)
        if number in self._retired:
            self._retired.remove(number)
        self._epoch = Epoch(number, self._limits)
        self._answers = Answers(self._timing, mtu=self._mtu)
        return self._epoch

    def _is_outdated(self, hello: Hello | ShortHello | OtherVersion) -> bool:
        current = self._epoch
        if current is None or current.started is None or isinstance(hello, OtherVersion):
            return False
        return hello.started < current.started

    def _is_reborn(self, hello: Hello | ShortHello | OtherVersion) -> bool:
        """Whether a run has drawn the number of an earlier one: only its start tells them apart."""
        current = self._epoch
        if current is None or current.started is None or isinstance(hello, OtherVersion):
            return False
        known = hello.epoch == current.number or hello.epoch in self._retired
        return known and hello.started > current.started

    def _hear(self, epoch: Epoch, nbytes: int, now: float) -> None:
        epoch.received += nbytes
        self._heard_at, self._stale = now, False

    def _expiry(self, frame: IncomingFrame) -> float:
        return frame.news_at + self._timing.frame_lifetime

    def _take_events(self) -> list[Event]:
        events, self._events = self._events, []
        return events


def _pieces(message: Data | Pair | Parity, nbytes: int) -> Sequence[IncomingPiece | IncomingParity]:
    if isinstance(message, Parity):
        return [IncomingParity(message.layer, message.nbytes, message.payload, nbytes)]
    if isinstance(message, Data):
        piece = IncomingPiece(message.layer, message.chunk, message.last, message.payload, nbytes)
        return [piece]
    (first, first_bytes), (second, second_bytes) = message.parts
    share = nbytes - len(second_bytes)
    return [
        IncomingPiece(first, 0, True, first_bytes, share),  # noqa: FBT003 - the last-flag
        IncomingPiece(second, 0, True, second_bytes, len(second_bytes)),  # noqa: FBT003
    ]
