"""A sender's and a receiver's session over two simulated links; knows nothing of pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from misc_lab.links import DuplexLink, SimulatedLink
from misc_lab.simulation.loop import VirtualLoop
from misc_shared.errors import RemoteError
from misc_shared.session import Event, FrameId, OutgoingFrame, ReceiverSession, SenderSession
from misc_shared.wire import LayerKind

__all__ = ["Exchange", "PlannedFrame", "TimedEvent", "TimedFrame"]

_SHORTEST_NAP = 0.001
"""A timer that is already due waits this long, so that time always goes on."""


@dataclass(frozen=True, slots=True)
class TimedFrame:
    """A coded picture and when the session gets it.

    Attributes:
        captured_at: Virtual seconds.
        ready_at: When its layers are coded; not before `captured_at`.
        layers: Its layers.
        deadline: When it is given up, in virtual seconds.
    """

    captured_at: float
    ready_at: float
    layers: Mapping[LayerKind, bytes]
    deadline: float


@dataclass(frozen=True, slots=True)
class PlannedFrame:
    """A picture that is coded only when it is captured, by what is known then.

    Attributes:
        captured_at: Virtual seconds.
        code: Gives its layers; called at that moment.
        submitted: Told its id, once the session has it.
        pause: Seconds that it has to wait, asked at that moment and after the pause; a picture
            that a newer one finds waiting is skipped.
    """

    captured_at: float
    code: Callable[[], TimedFrame]
    submitted: Callable[[FrameId], None]
    pause: Callable[[float], float] = lambda _: 0.0


@dataclass(frozen=True, slots=True)
class TimedEvent:
    """What a session said, and when in virtual seconds."""

    at: float
    event: Event


@dataclass(slots=True)
class _End:
    """One session with its side of the link."""

    session: SenderSession | ReceiverSession
    out: SimulatedLink | None
    log: list[TimedEvent] = field(default_factory=list)
    wake_at: float = float("inf")


class Exchange:
    """Carries frames from a sender to a receiver.

    Args:
        sender: Its session, on a clock that begins at 0.
        receiver: Its session, on the same clock.
        link: Both directions.

    Attributes:
        sent_events: What the sender's session said.
        received_events: What the receiver's session said.
        submitted: Frame -> second at which the session got it.
        arrived: What the receiver got, each datagram with its second.
        skipped: Pictures that a newer one found waiting.
        refused: Datagrams that either end could not parse or did not allow.
        ended_at: Virtual seconds at the end of the run.
    """

    def __init__(
        self, *, sender: SenderSession, receiver: ReceiverSession, link: DuplexLink
    ) -> None:
        self._loop = VirtualLoop()
        self._sender = sender
        self._near = _End(sender, link.up)
        self._far = _End(receiver, link.down)
        self._on_the_way = 0
        self._frames_to_come = 0
        self._newest: PlannedFrame | None = None
        self.skipped = 0
        self.submitted: dict[FrameId, float] = {}
        self.arrived: list[tuple[float, bytes]] = []
        self.refused = 0
        self.ended_at = 0.0

    @property
    def sent_events(self) -> Sequence[TimedEvent]:
        """What the sender's session said, in order."""
        return self._near.log

    @property
    def received_events(self) -> Sequence[TimedEvent]:
        """What the receiver's session said, in order."""
        return self._far.log

    def run(self, frames: Sequence[TimedFrame | PlannedFrame], *, until: float) -> None:
        """Submit each frame at its time, say goodbye after the last, and follow all datagrams.

        Args:
            frames: In the order of their capture.
            until: Virtual second at which to stop in any case.
        """
        self._frames_to_come = len(frames)
        for frame in frames:
            if isinstance(frame, TimedFrame):
                self._loop.at(frame.ready_at, self._submission(frame))
            else:
                self._loop.at(frame.captured_at, self._coding(frame))
        self._loop.run(until=until, finished=self._is_over)
        self.ended_at = self._loop.now

    def _is_over(self) -> bool:
        return self._frames_to_come == 0 and self._sender.finished and self._on_the_way == 0

    def _coding(self, plan: PlannedFrame) -> Callable[[], None]:
        def code() -> None:
            if self._newest is not plan:
                self.skipped += 1
                self._count_off()
                return
            pause = plan.pause(self._loop.now)
            if pause > 0:
                self._loop.at(self._loop.now + pause, code)
                return
            frame = plan.code()
            self._loop.at(frame.ready_at, self._submission(frame, plan.submitted))

        def capture() -> None:
            self._newest = plan
            code()

        return capture

    def _submission(
        self, frame: TimedFrame, tell: Callable[[FrameId], None] | None = None
    ) -> Callable[[], None]:
        def submit() -> None:
            outgoing = OutgoingFrame(frame.captured_at, frame.layers, frame.deadline)
            frame_id = self._sender.submit(outgoing, self._loop.now)
            self.submitted[frame_id] = self._loop.now
            if tell is not None:
                tell(frame_id)
            self._count_off()

        return submit

    def _count_off(self) -> None:
        """One frame less to come; after the last one the sender says goodbye."""
        self._frames_to_come -= 1
        if self._frames_to_come == 0:
            self._sender.close()
        self._attend(self._near)

    def _attend(self, end: _End) -> None:
        """Let a session do what is due, send what the link can take, and set its alarm."""
        now = self._loop.now
        self._note(end, end.session.tick(now))
        self._send(end)
        wake_at = _next_wake(end, now)
        if wake_at < end.wake_at:
            end.wake_at = wake_at
            self._loop.at(wake_at, lambda: self._wake(end))

    def _wake(self, end: _End) -> None:
        if end.wake_at <= self._loop.now:
            end.wake_at = float("inf")
            self._attend(end)

    def _send(self, end: _End) -> None:
        now = self._loop.now
        while end.out is not None and end.out.free_at(now) <= now:
            datagram = end.session.next_datagram(now)
            if datagram is None:
                return
            passage = end.out.send(datagram, now)
            if passage.arrived is not None:
                self._on_the_way += 1
                self._loop.at(passage.arrived, self._arrival(end, datagram))

    def _arrival(self, origin: _End, datagram: bytes) -> Callable[[], None]:
        target = self._far if origin is self._near else self._near

        def arrive() -> None:
            self._on_the_way -= 1
            if target is self._far:
                self.arrived.append((self._loop.now, datagram))
            try:
                events = target.session.receive(datagram, self._loop.now)
            except RemoteError:
                self.refused += 1
                events = []
            self._note(target, events)
            self._attend(target)

        return arrive

    def _note(self, end: _End, events: Sequence[Event]) -> None:
        end.log += [TimedEvent(self._loop.now, event) for event in events]


def _next_wake(end: _End, now: float) -> float:
    """When a session needs attention, if nothing arrives before; infinity for never.

    What is overdue while the link is busy waits for the link.
    """
    timer = end.session.next_timer(now)
    free = now if end.out is None else end.out.free_at(now)
    times = [free] if free > now else []
    if timer is not None and (timer > now or not times):
        times.append(max(timer, now + _SHORTEST_NAP))
    return min(times, default=float("inf"))
