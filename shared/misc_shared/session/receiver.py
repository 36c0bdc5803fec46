"""The receiver's end of a session, without I/O: datagrams in, layers and answers out.

protocol.md, Session. Every layer is given out as soon as it is whole, in whatever order.
"""

from collections import OrderedDict
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
from misc_shared.session.requests import RateLimit
from misc_shared.session.runs import Run, Runs
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

_AGREED = 64
"""Runs whose models were ours, remembered longer than the runs: a lie does not undo it."""
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
        foreign: Datagrams of runs that were refused, and HELLOs that claim a run which goes on.
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
        instance: 0 to 65,535, drawn at random: it tells a restarted receiver from the one before.
        mtu: Bytes of the largest datagram that can go back, 33 to 65,535.
        one_way: Nothing can go back.
        overhead: Bytes that a seal adds to each datagram; they count as the sender's.
        limits: Bounds of memory.
        timing: When to answer and when to give up.

    Attributes:
        counters: What came so far.
        queue_depth: Frames that wait for the decoder; the owner sets it, acknowledgements tell it.
        withholds: Whether acknowledgements wait; the owner sets it while what came is not yet kept.

    Raises:
        ConfigError: a pack cannot be named in a HELLO, or the MTU is out of range.
    """

    def __init__(
        self,
        *,
        packs: Mapping[str, bytes],
        instance: int,
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
        self.withholds = False
        self._mtu = mtu
        self._one_way = one_way
        self._overhead = overhead
        self._limits = limits
        self._timing = timing
        self._verifier = Verifier(packs, layer_limit=limits.layer_bytes)
        self._instance = instance
        self._begun = 0
        self._agreed: OrderedDict[int, None] = OrderedDict()
        self._to_strangers = RateLimit(timing.stranger_interval)
        self._refused = RateLimit(timing.refusal_interval)
        self._runs = Runs(limits)
        self._events: list[Event] = []
        self._heard_at: float | None = None
        self._stale = False

    @property
    def frames_remembered(self) -> int:
        """Frames of which something is known; bounded by `ReceiverLimits.frames`."""
        return sum(len(run.epoch.frames) for run in self._runs)

    @property
    def bytes_buffered(self) -> int:
        """Payload bytes of unfinished layers; bounded by `ReceiverLimits.total_bytes`."""
        return sum(run.epoch.frames.nbytes for run in self._runs)

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
        if self._one_way:
            return None
        for run in self._runs:
            # Anybody can claim runs, and each answer takes the link from the right one.
            stranger = run.epoch.pictures == 0
            if stranger and now < self._to_strangers.open_at:
                continue
            datagram = run.answers.next(
                run.epoch, queue_depth=self.queue_depth, now=now, acknowledges=not self.withholds
            )
            if datagram is not None:
                if stranger:
                    self._to_strangers.allows(now)
                self.counters.answers += 1
                self.counters.answer_bytes += len(datagram) + self._overhead
                return datagram
        return None

    def tick(self, now: float) -> list[Event]:
        """Do what is due: give up frames that are too old, notice that nothing comes."""
        for run in self._runs:
            unfinished = run.epoch.unfinished()
            old = [frame for frame in unfinished if now >= self._expiry(frame)]
            run.epoch.expire(old, self._events)
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
        for run in self._runs:
            answer_at = None if self._one_way else run.answers.next_timer()
            if answer_at is not None and run.epoch.pictures == 0:
                answer_at = max(answer_at, self._to_strangers.open_at)
            if answer_at is not None and answer_at > now:
                times.append(answer_at)
            times += [self._expiry(frame) for frame in run.epoch.unfinished()]
        if self._heard_at is not None and not self._stale:
            times.append(self._heard_at + self._timing.stale_after)
        if self._events:
            times.append(now)
        return max(now, min(times)) if times else None

    def request_refresh(self, epoch: int, now: float) -> None:
        """Ask a run for a picture that stands alone, as soon as the rate limit allows."""
        run = self._runs.find(epoch)
        if run is not None:
            run.answers.want_picture(now)

    def _take_data(self, message: Data | Pair | Parity, nbytes: int, now: float) -> None:
        run = self._runs.find(message.epoch) or self._begin(message.epoch, now)
        if run.epoch.introduction is Introduction.REFUSED:
            self.counters.foreign += 1
            run.answers.remind(now)
            return
        self._want_hello_of(run, now)
        pieces = _pieces(message, nbytes)
        tick = run.epoch.tick_of(message.frame, now)
        if run.epoch.frames.is_past(tick) and self._is_silent(run, now):
            # Only what is older than all that we remember comes: the run begins anew, or somebody
            # had named frames that were still to come.
            self._end(run)
            run = self._begin(message.epoch, now)
            tick = run.epoch.tick_of(message.frame, now)
        held = self._make_room(run, sum(len(piece.payload) for piece in pieces))
        arrival = run.epoch.take(
            tick, message.layers, pieces, now=now, events=self._events, held=held
        )
        self.counters.duplicates += arrival is Arrival.DUPLICATE
        self.counters.late += arrival is Arrival.LATE
        self._hear(run, nbytes, now)
        # Only where more is likely to come does an acknowledgement wait for it.
        run.answers.heard(tick, now, urgent=arrival is not Arrival.NEWS)

    def _want_hello_of(self, run: Run, now: float) -> None:
        if run.epoch.introduction is not Introduction.KNOWN:
            unclear = run.epoch.introduction is Introduction.UNDERWAY
            run.answers.want_hello(now, at_once=unclear)

    def _make_room(self, run: Run, nbytes: int) -> int:
        """Give up what runs hold that hold more than this one; returns what others hold then.

        So nobody can fill the memory that a run with a name of its own needs.
        """
        others = [other for other in self._runs if other is not run]
        while others and self.bytes_buffered + nbytes > self._limits.total_bytes:
            largest = max(others, key=lambda other: other.epoch.frames.nbytes)
            if largest.epoch.frames.nbytes <= run.epoch.frames.nbytes:
                break
            frame = largest.epoch.frames.give_up_oldest()
            largest.epoch.expire([frame] if frame is not None else [], self._events)
        return sum(other.epoch.frames.nbytes for other in others)

    def _take_hello(
        self, hello: Hello | ShortHello | OtherVersion, nbytes: int, now: float
    ) -> None:
        run = self._runs.find(hello.epoch)
        objection = self._object_to(run, hello)
        if objection is not None and hello.epoch in self._agreed:
            raise ProtocolError(
                f"a HELLO of run {hello.epoch:04x} contradicts the one that it agreed with before"
            )
        if run is not None and self._claims_another_start(run, hello):
            # Either a run that drew the number of an earlier one, or somebody who lies. While the
            # earlier one goes on it is the latter.
            if not self._is_silent(run, now):
                self.counters.foreign += 1
                return
            self._end(run)
            run = None
        run = run or self._begin(hello.epoch, now)
        if objection is not None:
            self._refuse(run, objection, now)
        elif isinstance(hello, ShortHello) and not self._verifier.knows(hello):
            self._ask_in_full(run, now)
        elif isinstance(hello, Hello | ShortHello):
            self._agree(run, hello, now)
        self._hear(run, nbytes, now)
        if run.epoch.introduction is Introduction.KNOWN:
            run.answers.heard(None, now, urgent=False)

    def _object_to(
        self, run: Run | None, hello: Hello | ShortHello | OtherVersion
    ) -> Objection | None:
        if not isinstance(hello, ShortHello):
            return self._verifier.object_to(hello)
        asked = 0 if run is None else run.answers.asked_for_hello
        in_vain = self._one_way or asked >= _PATIENCE
        if in_vain and not self._verifier.knows(hello):
            return Reason.PACKS, (
                f"the sender's models (profile {hello.profile.hex()}) are not ours; install the "
                "same pack at both ends"
            )
        return None

    def _ask_in_full(self, run: Run, now: float) -> None:
        if run.epoch.introduction in (Introduction.PENDING, Introduction.UNDERWAY):
            run.epoch.on(IntroductionTrigger.GREET)
            run.answers.want_hello(now, at_once=True)

    def _agree(self, run: Run, hello: Hello | ShortHello, now: float) -> None:
        run.epoch.synchronise(started=hello.started, tick=hello.tick, now=now)
        if run.epoch.introduction is not Introduction.KNOWN:
            stream = hello.stream if isinstance(hello, Hello) else None
            self._events.append(PeerHello(run.epoch.number, hello.started, stream))
        run.epoch.on(IntroductionTrigger.AGREE)
        run.answers.introduced()
        self._agreed[hello.epoch] = None
        self._agreed.move_to_end(hello.epoch)
        if len(self._agreed) > _AGREED:
            self._agreed.popitem(last=False)

    def _refuse(self, run: Run, objection: Objection, now: float) -> None:
        run.epoch.expire(run.epoch.unfinished(), self._events)
        refused_before = run.epoch.introduction is Introduction.REFUSED
        if not refused_before and self._refused.allows(now):
            self._events.append(Refused(*objection))
        run.epoch.on(IntroductionTrigger.REFUSE)
        run.answers.refuse(objection, now)

    def _take_bye(self, bye: Bye, now: float) -> None:
        if bye.reason is not Reason.END:
            raise ProtocolError(f"a sender said BYE for {bye.reason.name}: expected END")
        run = self._runs.find(bye.epoch)
        if run is None:
            self.counters.foreign += 1
            return
        run.ended = True
        alive = self._timing.rival_after
        if not any(now < one.heard_at + alive for one in self._runs if not one.ended):
            self._heard_at, self._stale = now, True  # an end is no silence
            self._events.append(StreamEnded(bye.epoch))

    def _begin(self, number: int, now: float) -> Run:
        """Follow a new run."""
        self._begun += 1
        receiver = (self._instance + self._begun) & 0xFFFF
        answers = Answers(self._timing, mtu=self._mtu, receiver=receiver)
        run = Run(Epoch(number, self._limits), answers, heard_at=now)
        displaced = self._runs.add(run, now)
        if displaced is not None:
            displaced.epoch.expire(displaced.epoch.unfinished(), self._events)
        return run

    def _end(self, run: Run) -> None:
        run.epoch.expire(run.epoch.unfinished(), self._events)
        self._runs.remove(run)

    def _is_silent(self, run: Run, now: float) -> bool:
        """Whether nothing new came of it for a while."""
        news_at = run.epoch.news_at
        return news_at is None or now >= news_at + self._timing.rival_after

    @staticmethod
    def _claims_another_start(run: Run, hello: Hello | ShortHello | OtherVersion) -> bool:
        started = run.epoch.started
        if started is None or isinstance(hello, OtherVersion):
            return False
        return hello.started != started

    def _hear(self, run: Run, nbytes: int, now: float) -> None:
        run.epoch.received += nbytes
        self._runs.heard(run, now)
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
