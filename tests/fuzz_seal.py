"""Throws tampered, replayed, truncated and foreign datagrams at a receiver with a key.

    python -m tests.fuzz_seal --each 100000 --out docs/results/seal.json

They come between those of a real stream of pictures, in any order. Not one of them may reach the
session, all must be counted, and the pictures must be those of the stream alone. Ends with a
traceback if a rule was broken.
"""

import argparse
import hashlib
import itertools
import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from misc_lab.bench.own import Recorder
from misc_receiver.decode import CoarseDecoded, FrameDecoder
from misc_sender.budget import Budget
from misc_shared.packs import load_pack
from misc_shared.security import StreamKey
from misc_shared.security.receiver_seal import ReceiverSeal
from misc_shared.security.sender_seal import SenderSeal
from misc_shared.session import (
    HelloConfig,
    LayerReceived,
    OutgoingFrame,
    ReceiverSession,
    SenderSession,
)

ATTACKS = ("tampered", "replayed", "truncated", "foreign")
STREAM, MTU, WALL = "garden", 130, 1_800_000_000.0


def plain_stream(pictures: int) -> list[bytes]:
    """The datagrams of real pictures, before they are sealed."""
    recorder = Recorder(pack="nano", semantics="none")
    hello = HelloConfig(stream=STREAM, packs=_packs(), started=WALL, first=True)
    session = SenderSession(epoch=7, mtu=MTU - 18, hello=hello, now=0.0, one_way=True)
    datagrams = []
    for number in range(pictures):
        if recorder.record(_picture(number), Budget(max_bytes=700)) is None:
            raise AssertionError("the budget holds no picture")
        session.submit(OutgoingFrame(float(number), recorder.layers, math.inf), float(number))
        while (datagram := session.next_datagram(float(number))) is not None:
            datagrams.append(datagram)
    return datagrams


def attacks(
    genuine: Sequence[bytes], each: int, chance: random.Random
) -> Iterator[tuple[int, bytes]]:
    """Datagrams of bad hands, each with the number of the genuine one before which it comes."""
    foreign = _seal(StreamKey.generate(), genuine_plain(len(genuine)))
    for kind in ATTACKS:
        for _ in range(each):
            victim = chance.randrange(len(genuine))
            datagram = genuine[victim]
            match kind:
                case "tampered":
                    yield chance.randrange(len(genuine) + 1), _tampered(datagram, chance)
                case "replayed":  # once the genuine one has come
                    yield chance.randrange(victim + 1, len(genuine) + 1), datagram
                case "truncated":
                    cut = datagram[: chance.randrange(len(datagram))]
                    yield chance.randrange(len(genuine) + 1), cut
                case "foreign":
                    yield chance.randrange(len(genuine) + 1), chance.choice(foreign)


def genuine_plain(count: int) -> list[bytes]:
    """Plausible datagrams for another key to seal."""
    return [b"\x95\x00\x07\x00\x01\xc4\x20" + bytes(32)] * count


def run(*, each: int, pictures: int, seed: int = 1) -> dict[str, object]:
    """Attack a stream and say what became of it."""
    chance = random.Random(seed)
    plain = plain_stream(pictures)
    genuine = _seal(StreamKey(bytes(32)), plain)
    expected = _shown(plain)
    schedule = sorted(attacks(genuine, each, chance), key=lambda attack: attack[0])
    seal = ReceiverSeal(StreamKey(bytes(32)), stream=STREAM, mtu=MTU, now=0.0, wall=WALL)
    began = time.perf_counter()
    opened: list[bytes] = []
    by_moment = {k: list(g) for k, g in itertools.groupby(schedule, key=lambda attack: attack[0])}
    for moment in range(len(genuine) + 1):
        for _, datagram in by_moment.get(moment, ()):
            if seal.open(datagram, now=1.0) is not None:
                raise AssertionError(f"an attack came through: {datagram.hex()}")
        if moment < len(genuine):
            datagram = seal.open(genuine[moment], now=1.0)
            if datagram is not None:
                opened.append(datagram)
    seconds = time.perf_counter() - began
    if opened != plain:
        raise AssertionError(f"{len(opened)} of {len(plain)} genuine datagrams came through")
    rejected = seal.counters.rejected
    if sum(rejected.values()) != len(ATTACKS) * each:
        raise AssertionError(f"{len(ATTACKS) * each} attacks, but counted were {rejected}")
    if _shown(opened) != expected or len(expected) != pictures:
        raise AssertionError("the pictures are others")
    return {
        "attacks": dict.fromkeys(ATTACKS, each),
        "counters": asdict(seal.counters),
        "genuine_datagrams": len(genuine),
        "of_them_introductions_alone": len(genuine) - len(plain),
        "pictures": pictures,
        "pictures_changed": 0,
        "parsed_by_the_session": len(opened),
        "microseconds_each": round(1e6 * seconds / (len(ATTACKS) * each), 1),
    }


def _tampered(datagram: bytes, chance: random.Random) -> bytes:
    data = bytearray(datagram)
    for _ in range(chance.randrange(1, 4)):
        data[chance.randrange(len(data))] ^= chance.randrange(1, 256)
    # Two changes of one byte may undo each other.
    if data == datagram:
        data[0] ^= 1
    return bytes(data)


def _seal(key: StreamKey, plain: Sequence[bytes]) -> list[bytes]:
    seal = SenderSeal(key, stream=STREAM, mtu=MTU, introduce_every=1.0)
    return [
        sealed for number, one in enumerate(plain) for sealed in _one(seal, one, now=number / 8)
    ]


def _one(seal: SenderSeal, datagram: bytes, *, now: float) -> list[bytes]:
    return seal.seal(datagram, now=now, wall=WALL + 1.0)


def _shown(plain: Sequence[bytes]) -> list[str]:
    """Hashes of the pictures that a receiver makes of datagrams."""
    decoder = FrameDecoder(load_pack("nano"), threads=1)
    session = ReceiverSession(packs=decoder.packs, instance=0, one_way=True)
    events = [event for datagram in plain for event in session.receive(datagram, 0.0)]
    shown: dict[str, str] = {}
    for layer in events:
        if isinstance(layer, LayerReceived):
            for decoded in decoder.decode([layer]):
                if isinstance(decoded, CoarseDecoded):
                    pixels = decoded.image.pixels.tobytes()
                    shown[str(decoded.frame)] = hashlib.sha256(pixels).hexdigest()
    return list(shown.values())


def _packs() -> dict[str, bytes]:
    return FrameDecoder(load_pack("nano"), threads=1).packs


def _picture(number: int) -> NDArray[np.uint8]:
    rows, columns = np.mgrid[0:128, 0:128]
    waves = np.sin(rows / (3 + number)) + np.cos(columns / (5 + number))
    return np.stack([waves * 60 + 120 + 5 * k for k in range(3)], axis=-1).astype(np.uint8)


def main() -> None:
    """Run from a shell."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--each", type=int, default=100_000)
    parser.add_argument("--pictures", type=int, default=6)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    result = run(each=arguments.each, pictures=arguments.pictures)
    text = json.dumps(result, indent=2) + "\n"
    print(text, end="")  # noqa: T201 - a program
    if arguments.out is not None:
        arguments.out.write_text(text)


if __name__ == "__main__":
    main()
