"""Random schedules for both ends of a session: what is delivered is there, and no frame is mixed.

    python -m tests.fuzz_session --minutes 10

Each schedule is drawn from a seed: a link that loses, repeats and reorders both ways, ends that
restart, with a key and without. Every layer that a receiver gives out must be one that a sender
took in under that name, all layers of a frame must be of one picture, and what a sender reports as
delivered one receiver must have given out. Over a good link the stream recovers from all of it.
Ends with a traceback, and the seed, if not.
"""

import argparse
import itertools
import json
import random
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from heapq import heappop, heappush
from pathlib import Path

from misc_shared.errors import RemoteError
from misc_shared.security import StreamKey
from misc_shared.security.forms import SHORT_OVERHEAD
from misc_shared.security.receiver_seal import ReceiverSeal
from misc_shared.security.sender_seal import SenderSeal
from misc_shared.session import (
    Event,
    FrameDelivered,
    FrameDropped,
    FrameId,
    HelloConfig,
    LayerReceived,
    OutgoingFrame,
    ReceiverSession,
    ReceiverTiming,
    SenderSession,
)
from misc_shared.wire import LayerKind

PACKS = {"codec": b"codec-01", "text": b"text--01"}
STREAM, MTU, WALL = "garden", 150, 1_800_000_000.0
STEP = 0.05


@dataclass
class Direction:
    """One way of the link, drawn at random."""

    loss: float
    duplicates: float
    delay: float
    jitter: float

    @classmethod
    def draw(cls, chance: random.Random) -> "Direction":
        """Draw one that may be good or dreadful."""
        return cls(
            loss=chance.choice([0.0, 0.05, 0.2, 0.4]),
            duplicates=chance.choice([0.0, 0.1, 0.3]),
            delay=chance.choice([0.02, 0.3, 1.5]),
            jitter=chance.choice([0.0, 0.2, 3.0]),
        )


@dataclass(eq=False)
class Sender:
    """A run of a sender."""

    session: SenderSession
    seal: SenderSeal | None
    frames: dict[FrameId, dict[LayerKind, bytes]] = field(default_factory=dict)


@dataclass(eq=False)
class Receiver:
    """A run of a receiver, and the layers that it gave out."""

    session: ReceiverSession
    seal: ReceiverSeal | None
    has: dict[FrameId, dict[LayerKind, bytes]] = field(default_factory=lambda: defaultdict(dict))


class World:
    """One schedule.

    Args:
        seed: everything follows from it.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.sealed = self.chance.random() < 0.5
        self.up, self.down = Direction.draw(self.chance), Direction.draw(self.chance)
        self.lifetime = self.chance.choice([3.0, 8.0, 30.0])
        self.restarts = self.chance.choice([0.0, 0.01, 0.05])
        self.now = 0.0
        self.counts: Counter[str] = Counter()
        self._order = itertools.count()
        self._on_the_way: list[tuple[float, int, str, bytes]] = []
        self.senders: list[Sender] = []
        self.receivers: list[Receiver] = []
        self.start_sender()
        self.start_receiver()

    def start_sender(self) -> None:
        """Begin a run; the one before says nothing any more."""
        hello = HelloConfig(stream=STREAM, packs=PACKS, started=WALL + self.now)
        session = SenderSession(
            epoch=self.chance.randrange(1 << 16),
            mtu=MTU - SHORT_OVERHEAD * self.sealed,
            hello=hello,
            now=self.now,
        )
        seal = SenderSeal(StreamKey(bytes(32)), stream=STREAM, mtu=MTU) if self.sealed else None
        self.senders.append(Sender(session, seal))

    def start_receiver(self) -> None:
        """Begin to listen; the one before says nothing any more."""
        session = ReceiverSession(
            packs=PACKS,
            instance=self.chance.randrange(1 << 16),
            mtu=MTU - SHORT_OVERHEAD * self.sealed,
            timing=ReceiverTiming(frame_lifetime=self.chance.choice([2.0, 60.0])),
        )
        seal = None
        if self.sealed:
            off = self.chance.choice([0.0, 0.0, 86_400.0])
            wall = WALL + self.now + off
            key = StreamKey(bytes(32))
            seal = ReceiverSeal(key, stream=STREAM, mtu=MTU, now=self.now, wall=wall)
        self.receivers.append(Receiver(session, seal))

    def run(self, seconds: float) -> None:
        """Let so many seconds pass."""
        next_picture = 0.0
        end = self.now + seconds
        while self.now < end:
            self.now += STEP
            if self.now >= next_picture:
                self.submit()
                next_picture = self.now + self.chance.choice([0.2, 1.0, 4.0])
            if self.chance.random() < self.restarts * STEP:
                self.chance.choice([self.start_sender, self.start_receiver])()
                self.counts["restarts"] += 1
            self.deliver()
            self.speak()

    def recover(self) -> None:
        """On a good link, whatever happened before, pictures arrive again.

        Raises:
            AssertionError: no picture that was sent after the first 40 s was delivered.
        """
        self.up = self.down = Direction(loss=0.0, duplicates=0.0, delay=0.1, jitter=0.0)
        self.restarts, self.lifetime = 0.0, 30.0
        self.run(40.0)
        before = self.counts["delivered"]
        self.run(20.0)
        assert self.counts["delivered"] > before, "nothing arrives over a good link"

    def submit(self) -> None:
        """Hand the sender a picture whose layers nobody else has."""
        sender = self.senders[-1]
        sizes = {
            LayerKind.BASE: self.chance.randrange(1, 300),
            LayerKind.TEXT: self.chance.randrange(30),
            LayerKind.DETAIL1: self.chance.randrange(500),
            LayerKind.MAPS: self.chance.randrange(20),
            LayerKind.DETAIL2: self.chance.choice([0, 200]),
        }
        layers = {layer: self.chance.randbytes(size) for layer, size in sizes.items() if size}
        frame = OutgoingFrame(self.now, layers, self.now + self.lifetime)
        sender.frames[sender.session.submit(frame, self.now)] = layers
        self.counts["pictures"] += 1

    def deliver(self) -> None:
        """Hand over what has arrived by now, to the ends that are there."""
        while self._on_the_way and self._on_the_way[0][0] <= self.now:
            _, _, way, datagram = heappop(self._on_the_way)
            try:
                if way == "up":
                    self._arrive_at_receiver(datagram)
                else:
                    self._arrive_at_sender(datagram)
            except RemoteError:
                self.counts["errors"] += 1

    def speak(self) -> None:
        """Let both ends say what is due."""
        sender, receiver = self.senders[-1], self.receivers[-1]
        self._judge(sender, sender.session.tick(self.now))
        self._keep(receiver, receiver.session.tick(self.now))
        self._send("up", sender.session, sender.seal, self.up)
        self._send("down", receiver.session, receiver.seal, self.down)

    def sent(self, way: str, datagram: bytes) -> None:
        """Do nothing; who records overrides it."""

    def _send(
        self,
        way: str,
        session: SenderSession | ReceiverSession,
        seal: SenderSeal | ReceiverSeal | None,
        link: Direction,
    ) -> None:
        wall = WALL + self.now
        out = seal.pending(now=self.now, wall=wall) if seal is not None else []
        for _ in range(4):
            datagram = session.next_datagram(self.now)
            if datagram is None:
                break
            out += [datagram] if seal is None else seal.seal(datagram, now=self.now, wall=wall)
        for datagram in out:
            self.sent(way, datagram)
            copies = 1 + (self.chance.random() < link.duplicates)
            for _ in range(copies if self.chance.random() >= link.loss else 0):
                at = self.now + link.delay + link.jitter * self.chance.random()
                heappush(self._on_the_way, (at, next(self._order), way, datagram))

    def _arrive_at_receiver(self, datagram: bytes) -> None:
        receiver = self.receivers[-1]
        if receiver.seal is not None:
            opened = receiver.seal.open(datagram, now=self.now)
            if opened is None:
                return
            datagram = opened
        self._keep(receiver, receiver.session.receive(datagram, self.now))

    def _arrive_at_sender(self, datagram: bytes) -> None:
        sender = self.senders[-1]
        if sender.seal is not None:
            opened = sender.seal.open(datagram, now=self.now)
            if opened is None:
                return
            datagram = opened
        self._judge(sender, sender.session.receive(datagram, self.now))

    def _keep(self, receiver: Receiver, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, LayerReceived):
                self._check_origin(event)
                receiver.has[event.frame][event.layer] = event.data
                self._check_unmixed(receiver, event.frame)
                self.counts["layers"] += 1

    def _check_origin(self, event: LayerReceived) -> None:
        """A layer is one that a sender took in under this name."""
        offered = [
            layers.get(event.layer)
            for sender in self.senders
            for frame, layers in sender.frames.items()
            if (frame.epoch, frame.on_wire) == (event.frame.epoch, event.frame.on_wire)
        ]
        assert event.data in offered, f"{event.layer.name} of {event.frame} is nobody's"

    def _check_unmixed(self, receiver: Receiver, frame: FrameId) -> None:
        """All layers of a frame are of one picture."""
        has = receiver.has[frame]
        assert any(
            has.items() <= layers.items() for sender in self.senders
            for layers in sender.frames.values()
        ), f"frame {frame} mixes two pictures"  # fmt: skip

    def _judge(self, sender: Sender, events: list[Event]) -> None:
        for event in events:
            match event:
                case FrameDelivered(frame):
                    self.counts["delivered"] += 1
                    self._check_delivered(sender, frame, set(sender.frames[frame]))
                case FrameDropped(frame, _, delivered):
                    self.counts["dropped"] += 1
                    self._check_delivered(sender, frame, set(delivered))

    def _check_delivered(self, sender: Sender, frame: FrameId, layers: set[LayerKind]) -> None:
        """One receiver has all layers that are called delivered."""
        expected = {layer: sender.frames[frame][layer] for layer in layers}
        for receiver in self.receivers:
            for name, has in receiver.has.items():
                same = (name.epoch, name.on_wire) == (frame.epoch, frame.on_wire)
                if same and expected.items() <= has.items():
                    return
        assert not expected, f"frame {frame} was not delivered: {sorted(layers)}"


def explore(
    *, first: int, seconds: float, until: Callable[[int], bool]
) -> tuple[int, Counter[str]]:
    """Run schedules of `seconds` each from seed `first` on; give their number and what happened.

    Raises:
        AssertionError: a rule was broken; the message names the seed.
    """
    counts: Counter[str] = Counter()
    done = 0
    while not until(done):
        seed = first + done
        world = World(seed)
        try:
            world.run(seconds)
            world.recover()
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error}") from error
        counts += world.counts
        done += 1
    return done, counts


def main() -> None:
    """Run from a shell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--seconds", type=float, default=60.0, help="of one schedule")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    end = time.monotonic() + 60 * arguments.minutes
    done, counts = explore(
        first=arguments.first,
        seconds=arguments.seconds,
        until=lambda _: time.monotonic() >= end,
    )
    seeds = [arguments.first, arguments.first + done - 1]
    text = json.dumps({"seeds": seeds, "minutes": arguments.minutes, **counts}, indent=1) + "\n"
    print(text, end="")  # noqa: T201 - a program
    if arguments.out is not None:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
