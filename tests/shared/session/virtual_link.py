"""A link in virtual time between the two real ends of a session."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import chain, count, repeat
from typing import Any

from misc_shared.errors import RemoteError
from misc_shared.session import (
    Event,
    FrameId,
    HelloConfig,
    LayerReceived,
    OutgoingFrame,
    ReceiverSession,
    SenderSession,
)
from misc_shared.wire import LayerKind

__all__ = [
    "PACKS",
    "STARTED",
    "Direction",
    "Simulation",
    "make_receiver",
    "make_sender",
    "picture",
]

PACKS = {"codec": b"codec-01", "text": b"text--01"}
STARTED = 1_700_000_000.25


@dataclass
class Direction:
    """One way of the link.

    Attributes:
        rate: Bits a second; 0 for no limit.
        delay: Seconds, plus up to `jitter` more for each datagram, so that they reorder.
        loss: Share of datagrams lost, unless `pattern` still has an entry.
        pattern: True where a datagram is lost, in the order of sending.
        duplicates: Share of datagrams that arrive twice.
        garbage: Share of datagrams before which random bytes arrive.
    """

    rate: float = 0.0
    delay: float = 0.1
    jitter: float = 0.0
    loss: float = 0.0
    pattern: list[bool] = field(default_factory=list)
    duplicates: float = 0.0
    garbage: float = 0.0
    free_at: float = 0.0
    sent: list[tuple[float, bytes]] = field(default_factory=list)
    lost: Iterator[bool] = field(init=False)

    def __post_init__(self) -> None:
        self.lost = chain(self.pattern, repeat(False))  # noqa: FBT003 - repeat takes no keyword

    def arrivals(
        self, datagram: bytes, now: float, rng: random.Random
    ) -> list[tuple[float, bytes]]:
        """When the datagram arrives, if it does, and what else does."""
        self.sent.append((now, datagram))
        if self.rate:
            self.free_at = now + len(datagram) * 8 / self.rate
        if next(self.lost) or rng.random() < self.loss:
            return []
        copies = [datagram] * (1 + (rng.random() < self.duplicates))
        if rng.random() < self.garbage:
            copies.insert(0, rng.randbytes(rng.randrange(40)))
        left = max(now, self.free_at) + self.delay
        return [(left + rng.random() * self.jitter, copy) for copy in copies]


class Simulation:
    """Runs both ends until nothing happens any more, in virtual time."""

    def __init__(
        self,
        sender: SenderSession,
        receiver: ReceiverSession,
        *,
        up: Direction,
        down: Direction,
        seed: int = 1,
        watch: Callable[["Simulation"], None] = lambda _: None,
    ) -> None:
        self.sender, self.receiver = sender, receiver
        self.up, self.down = up, down
        self.now = 0.0
        self.rng = random.Random(seed)
        self.watch = watch
        self.sent: dict[FrameId, OutgoingFrame] = {}
        self.sender_events: list[tuple[float, Event]] = []
        self.receiver_events: list[tuple[float, Event]] = []
        self.errors: list[RemoteError] = []
        self._numbers = count()
        self._turns = 0
        self._due: list[tuple[float, int, str, object]] = []

    def at(self, time: float, frame: OutgoingFrame) -> None:
        """Submit a frame at `time`."""
        self._plan(time, "submit", frame)

    def layers_received(self) -> dict[tuple[FrameId, LayerKind], bytes]:
        """What the receiver got."""
        events = (event for _, event in self.receiver_events)
        return {
            (event.frame, event.layer): event.data
            for event in events
            if isinstance(event, LayerReceived)
        }

    def run(self, *, until: float) -> None:
        """Go on until nothing is left to do, or `until`."""
        while (time := self._next_time()) is not None and time <= until:
            self._turns = self._turns + 1 if time == self.now else 0
            assert self._turns < 1000, "time stands still: an end never goes to sleep"
            self.now = time
            while self._due and self._due[0][0] <= time:
                self._handle(*heappop(self._due)[2:])
            self.sender_events += [(time, event) for event in self.sender.tick(time)]
            self.receiver_events += [(time, event) for event in self.receiver.tick(time)]
            self._pump()
            self.watch(self)

    def _next_time(self) -> float | None:
        times = [time for time, *_ in self._due[:1]]
        times += [
            time
            for end in (self.sender, self.receiver)
            if (time := end.next_timer(self.now)) is not None
        ]
        return min(times, default=None)

    def _handle(self, kind: str, item: object) -> None:
        if kind == "submit" and isinstance(item, OutgoingFrame):
            self.sent[self.sender.submit(item, self.now)] = item
        if isinstance(item, bytes):
            try:
                self._arrive(kind, item)
            except RemoteError as error:
                self.errors.append(error)

    def _arrive(self, kind: str, datagram: bytes) -> None:
        if kind == "up":
            events = self.receiver.receive(datagram, self.now)
            self.receiver_events += [(self.now, event) for event in events]
        else:
            events = self.sender.receive(datagram, self.now)
            self.sender_events += [(self.now, event) for event in events]

    def _pump(self) -> None:
        for name, end, way in (
            ("up", self.sender, self.up),
            ("down", self.receiver, self.down),
        ):
            while self.now >= way.free_at:
                datagram = end.next_datagram(self.now)
                if datagram is None:
                    break
                for time, copy in way.arrivals(datagram, self.now, self.rng):
                    self._plan(time, name, copy)
                if way.free_at > self.now:
                    self._plan(way.free_at, "free", None)

    def _plan(self, time: float, kind: str, item: object) -> None:
        heappush(self._due, (time, next(self._numbers), kind, item))


def make_sender(**options: object) -> SenderSession:
    """A sender that begins at time 0."""
    hello = HelloConfig(stream="camera", packs=PACKS, started=STARTED)
    settings: dict[str, Any] = {"epoch": 0x1234, "mtu": 222, "hello": hello, "now": 0.0}
    return SenderSession(**(settings | options))


def make_receiver(**options: object) -> ReceiverSession:
    """A receiver that holds the same models."""
    settings: dict[str, Any] = {"packs": PACKS, "instance": 0x5678}
    return ReceiverSession(**(settings | options))


def picture(captured_at: float, *, lifetime: float = 15.0, **sizes: int) -> OutgoingFrame:
    """A frame whose layers have these many bytes, as in `base=100, text=20`."""
    layers = {
        LayerKind[name.upper()]: bytes([LayerKind[name.upper()] + 1]) * size
        for name, size in sizes.items()
    }
    return OutgoingFrame(captured_at, layers, captured_at + lifetime)
