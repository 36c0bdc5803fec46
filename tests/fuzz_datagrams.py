"""Mutated datagrams over recorded traffic, at both ends of a session, plain and sealed.

    python -m tests.fuzz_datagrams --inputs 1000000

The traffic is that of `tests.fuzz_session`. Each datagram of it comes as it is and in mutated
copies. An end may raise a RemoteError and nothing else, keeps to its bounds of memory, and always
goes to sleep. Ends with a traceback, and the seed, if not.
"""

import argparse
import json
import random
import time
from collections import Counter
from pathlib import Path

from tests.fuzz_session import MTU, PACKS, STREAM, WALL, World

from misc_shared.errors import RemoteError
from misc_shared.security import StreamKey
from misc_shared.security.receiver_seal import ReceiverSeal
from misc_shared.security.sender_seal import SenderSeal
from misc_shared.session import (
    HelloConfig,
    OutgoingFrame,
    ReceiverLimits,
    ReceiverSession,
    SenderSession,
)

LIMITS = ReceiverLimits(total_bytes=20_000)
_NUMBERS = (0, 1, 0x7F, 0x80, 0xC4, 0xCC, 0xCD, 0xCE, 0xCF, 0xD9, 0xDC, 0xFF)


class Recorded(World):
    """A schedule whose datagrams are kept, with the moment at which each was sent."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.traffic: list[tuple[float, str, bytes]] = []

    def sent(self, way: str, datagram: bytes) -> None:
        """Keep it."""
        self.traffic.append((self.now, way, datagram))


def mutated(datagram: bytes, chance: random.Random, other: bytes) -> bytes:
    """A copy with one thing changed that a bad hand or a bad wire could change."""
    data = bytearray(datagram)
    match chance.randrange(6):
        case 0:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        case 1:
            data[chance.randrange(len(data))] = chance.choice(_NUMBERS)
        case 2:
            del data[chance.randrange(len(data)) :]
        case 3:
            at = chance.randrange(len(data))
            data[at:at] = chance.randbytes(chance.randrange(1, 5))
        case 4:
            at = chance.randrange(len(data))
            data[at:] = other[at:]
        case 5:
            at = chance.randrange(len(data))
            del data[at : at + chance.randrange(1, 5)]
    return bytes(data)


class Ends:
    """Both ends that are fed, as of the recorded schedule."""

    def __init__(self, world: Recorded) -> None:
        hello = HelloConfig(stream=STREAM, packs=PACKS, started=WALL)
        epoch = next(iter(world.senders[0].frames)).epoch
        self.sender = SenderSession(epoch=epoch, mtu=MTU, hello=hello, now=0.0)
        for frame, layers in list(world.senders[0].frames.items())[:6]:
            now = frame.tick / 8
            self.sender.submit(OutgoingFrame(now, layers, now + 1000.0), now)
        self.receiver = ReceiverSession(packs=PACKS, instance=1, mtu=MTU, limits=LIMITS)
        key = StreamKey(bytes(32))
        self.seals: dict[str, SenderSeal | ReceiverSeal | None] = {"up": None, "down": None}
        if world.sealed:
            self.seals = {
                "up": ReceiverSeal(key, stream=STREAM, mtu=MTU, now=0.0, wall=WALL),
                "down": SenderSeal(key, stream=STREAM, mtu=MTU),
            }

    def feed(self, way: str, datagram: bytes, now: float) -> str:
        """Give a datagram to the end that it is for; say what came of it."""
        seal = self.seals[way]
        if seal is not None:
            opened = seal.open(datagram, now=now)
            seal.pending(now=now, wall=WALL + now)
            if opened is None:
                return "not opened"
            datagram = opened
        end = self.receiver if way == "up" else self.sender
        try:
            end.receive(datagram, now)
        except RemoteError:
            return "refused"
        finally:
            self._settle(end, now)
        return "taken"

    def _settle(self, end: SenderSession | ReceiverSession, now: float) -> None:
        end.tick(now)
        for _ in range(64):
            if end.next_datagram(now) is None:
                break
        else:
            raise AssertionError("an end never stops talking")
        timer = end.next_timer(now)
        assert timer is None or timer >= now
        assert self.receiver.bytes_buffered <= LIMITS.total_bytes
        assert self.receiver.frames_remembered <= LIMITS.frames * LIMITS.runs


def run(*, inputs: int, first: int = 1) -> dict[str, object]:
    """Feed at least so many mutated datagrams; give what came of them.

    Raises:
        AssertionError: a rule was broken; the message names the seed.
    """
    counts: Counter[str] = Counter()
    fed, seed, began = 0, first, time.perf_counter()
    while fed < inputs:
        world = Recorded(seed)
        world.run(60.0)
        ends, chance = Ends(world), random.Random(seed)
        kind = "sealed" if world.sealed else "plain"
        try:
            for now, way, datagram in world.traffic:
                other = chance.choice(world.traffic)[2]
                for _ in range(8):
                    counts[f"{kind} {ends.feed(way, mutated(datagram, chance, other), now)}"] += 1
                fed += 8
                ends.feed(way, datagram, now)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error!r}") from error
        seed += 1
    seconds = time.perf_counter() - began
    return {"seeds": [first, seed - 1], "inputs": fed, "seconds": round(seconds), **counts}


def main() -> None:
    """Run from a shell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_000_000)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    text = json.dumps(run(inputs=arguments.inputs, first=arguments.first), indent=1) + "\n"
    print(text, end="")  # noqa: T201 - a program
    if arguments.out is not None:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
