"""Somebody on the stream's topics who listens and lies; protocol.md, What others can do."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import aiomqtt
import pytest
from tests.integration.conftest import Broker
from tests.integration.test_commands import Background

from misc_lab.survival.video import write_video
from misc_shared.errors import MiscError
from misc_shared.security.keyring import write_key
from misc_shared.wire import (
    KINDS,
    MAX_EPOCH,
    Ack,
    Bye,
    Data,
    Hello,
    PackId,
    Pair,
    Reason,
    ShortHello,
    parse,
    write,
)

pytestmark = pytest.mark.timeout(300)

_SECONDS = 10.0
_DATA, _ANSWERS = "misc/garden/data", "misc/garden/back"


def _lies(epoch: int, turn: int) -> Iterator[tuple[str, bytes]]:
    """What a liar says who has heard the run's number."""
    packs = (PackId("codec", bytes(8)),)
    hello = (KINDS[Hello], 1, 1)
    for reason in (Reason.VERSION, Reason.PACKS, Reason.LIMITS):
        yield _ANSWERS, write(Bye(KINDS[Bye], epoch, reason, "\x1b[2Jgo away"))
    yield _DATA, write(Bye(KINDS[Bye], epoch, Reason.END, ""))
    yield _DATA, write(Hello(*hello, epoch, 2_000_000_000, 0, "garden", packs, 31, 222, 999))
    for other in range(8):
        claimed = (epoch + 1 + 8 * turn + other) % (MAX_EPOCH + 1)
        yield _DATA, write(Hello(*hello, claimed, 2_000_000_000, 0, "x", packs, 31, 222, 999))
        profile = bytes(8)
        yield _DATA, write(ShortHello(KINDS[ShortHello], 1, 1, claimed, 2_000_000_000, 0, profile))
    for number in range(100):  # somebody who has not listened goes through them all
        guess = (100 * turn + number) % (MAX_EPOCH + 1)
        yield _ANSWERS, write(Bye(KINDS[Bye], guess, Reason.PACKS, ""))
    for junk in (b"", b"\x00" * 60, b"\x97\x06", b"\xc1" + bytes(60)):
        yield _ANSWERS, junk
        yield _DATA, junk


async def _lie(port: int, seconds: float) -> int:
    """Listen for the run's number and lie; give the number of lies."""
    told = 0
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe(_DATA)
        epoch, end = 0x1234, time.monotonic() + seconds
        for turn in range(1 << 16):
            async with asyncio.timeout(5):
                async for message in client.messages:
                    epoch = _epoch(bytes(message.payload), otherwise=epoch)
                    break
            for topic, datagram in _lies(epoch, turn):
                await client.publish(topic, datagram, qos=0)
                told += 1
            if time.monotonic() >= end:
                return told
            await asyncio.sleep(0.1)
    return told


def _epoch(datagram: bytes, *, otherwise: int) -> int:
    try:
        message = parse(datagram)
    except MiscError:
        return otherwise
    return message.epoch if isinstance(message, Data | Pair | Ack) else otherwise


def _collect(program: Background, event: str, frames: set[str]) -> None:
    for report in program.reports():
        if report["event"] == event:
            frames.add(report["frame"])


@pytest.mark.parametrize("sealed", [False, True])
def test_a_liar_keeps_no_picture_away(broker: Broker, tmp_path: Path, sealed: bool) -> None:  # noqa: FBT001
    """Both programs go on, and nearly all pictures are shown."""
    key = []
    if sealed:
        write_key(tmp_path / "key")
        key = ["--key", tmp_path / "key"]
    url = f"{broker.url}/misc/garden"
    video = write_video(tmp_path / "camera.mp4", rate=2)
    receiver = Background("misc-recv", "--from", url, "--no-refine", *key)
    sender = None
    try:
        receiver.wait_for("started")
        sender = Background(
            "misc-send", video, "--loop", "--to", url, "--semantics",
            "none", "--bytes", 400, "--max-side", 128, *key,
        )  # fmt: skip
        receiver.wait_for("picture")
        with ThreadPoolExecutor(2) as reading:
            pictures, sent = set[str](), set[str]()
            reading.submit(_collect, receiver, "picture", pictures)
            reading.submit(_collect, sender, "frame", sent)
            told = asyncio.run(_lie(broker.port, _SECONDS))
            sender.interrupt()
            deadline = time.monotonic() + 60  # a busy machine decodes late
            while len(pictures) < len(sent) - 2 and time.monotonic() < deadline:
                time.sleep(0.5)
            receiver.interrupt()
    finally:
        receiver.stop()
        if sender is not None:
            sender.stop()
    assert told > 500
    # However fast a busy machine encodes; the first one was read before, the last may be under way.
    assert len(sent) >= 3
    assert len(pictures) >= len(sent) - 2
