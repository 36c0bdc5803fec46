"""A camera whose broker goes away: what it keeps, and what is shown afterwards."""

import asyncio
import dataclasses
import itertools
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.integration.conftest import Broker
from tests.notes import Notes

from misc_lab.programs import Program
from misc_receiver.archive import capture_name
from misc_sender.budget import Budget
from misc_sender.encode import FrameEncoder
from misc_sender.pipeline import SendOptions, SendPipeline
from misc_sender.reports import CaughtUp, FrameSpooled
from misc_sender.sources import Frame
from misc_sender.spool import Spool, Spooling, SpoolLimits
from misc_shared.packs import load_pack
from misc_shared.security.keyring import write_key
from misc_shared.session import FrameStarted, LayerReceived, ReceiverSession
from misc_shared.transports import MqttAddress, Transport, open_receiver, parse_address
from misc_shared.transports.mqtt import MqttTransport
from misc_shared.wire import LayerKind

pytestmark = pytest.mark.timeout(240)


class Camera:
    """Two small pictures a second, for ever."""

    still = False
    endless = False
    name = "camera"

    def __init__(self, picture: NDArray[np.uint8]) -> None:
        self._picture = picture

    def frames(self) -> Iterator[Frame]:
        """Yield the pictures."""
        for number in itertools.count():
            yield Frame(pixels=np.roll(self._picture, number, 1), captured_at=number / 2)

    def close(self) -> None:
        """Do nothing."""


class Watcher:
    """Follows a stream and acknowledges it."""

    def __init__(self, packs: dict[str, bytes]) -> None:
        self._session = ReceiverSession(packs=packs, instance=1)
        self._captured: dict[object, float | None] = {}
        self.first_layers: asyncio.Queue[float | None] = asyncio.Queue()

    async def run(self, transport: Transport) -> None:
        """Until it is cancelled."""
        while (datagram := await transport.receive()) is not None:
            now = transport.clock.monotonic()
            for event in self._session.receive(datagram, now):
                if isinstance(event, FrameStarted):
                    self._captured[event.frame] = event.captured_unix
                if isinstance(event, LayerReceived) and event.layer is LayerKind.BASE:
                    self.first_layers.put_nowait(event.captured_unix)
            while (answer := self._session.next_datagram(now + 1.0)) is not None:
                await transport.ready()
                await transport.send(answer)


async def test_a_camera_keeps_pictures_while_its_broker_is_away(
    broker: Broker, tmp_path: Path, small_photo: NDArray[np.uint8]
) -> None:
    """Live pictures go on within seconds; those kept arrive in the archive with their times."""
    address = parse_address(f"{broker.url}/misc/garden")
    assert isinstance(address, MqttAddress)
    archive_address = dataclasses.replace(address, prefix="misc/archive")
    encoder = FrameEncoder(
        load_pack("nano"), semantics="none", budget=Budget(max_bytes=250), mtu=1100, threads=1
    )
    spool = Spool(tmp_path / "spool", SpoolLimits(), stream="garden", packs=encoder.packs)
    live, archive, notes = Watcher(encoder.packs), Watcher(encoder.packs), Notes()
    live_end = await open_receiver(f"{broker.url}/misc/garden")
    archive_end = await open_receiver(f"{broker.url}/misc/archive/garden")
    pipeline = SendPipeline(
        source=Camera(small_photo),
        encoder=encoder,
        transport=await MqttTransport.connect(address, sending=True),
        options=SendOptions(
            adapt_fps=2.0,
            spooling=Spooling(
                spool,
                every=0.5,
                connect=lambda: MqttTransport.connect(archive_address, sending=True),
            ),
        ),
        reporter=notes,
    )
    tasks = [
        asyncio.create_task(pipeline.run()),
        asyncio.create_task(live.run(live_end)),
        asyncio.create_task(archive.run(archive_end)),
    ]
    try:
        async with asyncio.timeout(180):
            await live.first_layers.get()
            broker.stop()
            while len(spool) < 3:  # noqa: ASYNC110 - a folder has no event
                await asyncio.sleep(0.2)
            broker.start()
            while not live.first_layers.empty():
                live.first_layers.get_nowait()
            await live.first_layers.get()
            kept = [await archive.first_layers.get() for _ in range(3)]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await live_end.close()
        await archive_end.close()
    spooled = [report.captured for report in notes.of(FrameSpooled)]
    # What came before the repeated greeting, if the receiver was back last, has no time yet.
    pairs = [pair for pair in zip(kept, spooled, strict=False) if pair[0] is not None]
    assert pairs
    for shown, taken in pairs:
        assert shown == pytest.approx(taken, abs=0.13)  # ticks of 1/8 s
    assert notes.of(CaughtUp)


def test_a_camera_that_boots_while_its_broker_is_away(broker: Broker, tmp_path: Path) -> None:
    """It keeps its first picture, is killed and boots again; its receiver gets all, sealed."""
    broker.stop()
    key, out = tmp_path / "garden.key", tmp_path / "out"
    write_key(key)
    sending = (
        "pattern", "--to", f"{broker.url}/misc/garden", "--bytes", 300, "--semantics", "none",
        "--spool", tmp_path / "spool", "--spool-every", 1, "--key", key,
    )  # fmt: skip
    first = Program(tmp_path / "first.jsonl", "misc-send", *sending)
    try:
        first.wait_for("spooled")
        assert not first.reports("frame")
        assert "does not answer" in first.log.read_text()
    finally:
        first.stop()
    told = first.reports("spooled")
    again = Program(tmp_path / "again.jsonl", "misc-send", *sending)
    receiver = None
    try:
        assert again.wait_for("started")["spooled"] >= len(told)
        told.append(again.wait_for("spooled"))
        broker.start()
        receiver = Program(
            tmp_path / "receiver.jsonl", "misc-recv", "--from", f"{broker.url}/misc/+", "--out",
            out, "--no-refine", "--key", key, "--allow", "garden",
        )  # fmt: skip
        again.wait_for("caught-up", seconds=120)
        deadline = time.monotonic() + 60
        while again.reports("caught-up")[-1]["waiting"] and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        again.stop()
        if receiver is not None:
            receiver.stop()
    kept = {path.name for path in out.glob("garden~archive-*.coarse.png")}
    named = {f"garden~archive-{capture_name(one['captured'])}.coarse.png" for one in told}
    assert named <= kept
