"""Many streams through a real broker into one receiver, one of them hostile."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest
from tests.integration.conftest import Broker
from tests.notes import Notes

from misc_lab.fleet.hostile import Hostile
from misc_lab.fleet.measuring import Ledger, jain_index
from misc_lab.fleet.run import FleetSettings, open_cameras
from misc_receiver.decode import FrameDecoder
from misc_receiver.pipeline import ReceiveOptions, ReceivePipeline
from misc_receiver.reports import PictureReady, ReceptionEnded, ReceptionStarted
from misc_receiver.sinks.pictures import PictureFolder
from misc_shared.companions import end_tasks
from misc_shared.packs import load_pack
from misc_shared.session import HelloConfig, OutgoingFrame, SenderSession
from misc_shared.transports.listening import open_listener
from misc_shared.transports.mqtt_listener import MqttListener
from misc_shared.wire import LayerKind

STREAMS = 6
LIMIT = STREAMS + 1


class Fleet:
    """A receiver of all streams, with cameras and somebody who floods."""

    def __init__(self, broker: Broker, listener: MqttListener, pipeline: ReceivePipeline) -> None:
        self.notes = Notes()
        self.broker = broker
        self.listener = listener
        self.pipeline = pipeline

    def shown(self) -> dict[str, int]:
        """Frames of each stream that were shown."""
        frames = {(one.stream, one.frame) for one in self.notes.of(PictureReady)}
        names = [stream for stream, _ in frames]
        return {name: names.count(name) for name in names}

    async def until_shown(self, count: int, *, streams: int) -> None:
        """Wait until so many streams have so many pictures each."""
        async with asyncio.timeout(90):
            while sum(shown >= count for shown in self.shown().values()) < streams:  # noqa: ASYNC110 - a report is no event
                await asyncio.sleep(0.2)


@pytest.fixture
async def fleet(broker: Broker, tmp_path: Path) -> AsyncIterator[Fleet]:
    """Receive with places for the cameras and one more."""
    listener = await open_listener(f"{broker.url}/misc/+", limit=LIMIT)
    assert isinstance(listener, MqttListener)
    notes = Notes()
    pipeline = ReceivePipeline(
        listener=listener,
        new_decoder=FrameDecoder(load_pack("nano"), threads=1).sibling,
        load_refinery=None,
        options=ReceiveOptions(sinks=[PictureFolder(tmp_path)], many=True),
        reporter=notes,
    )
    one = Fleet(broker, listener, pipeline)
    one.notes = notes
    running = asyncio.create_task(pipeline.run())
    settings = FleetSettings(port=broker.port, streams=STREAMS, every=1.0, width=64, height=64)
    cameras = await open_cameras(settings)
    tasks = [asyncio.create_task(camera.run()) for camera in cameras.values()]
    yield one
    await end_tasks(*tasks, running)


async def test_a_flood_of_one_starves_nobody(fleet: Fleet, tmp_path: Path) -> None:
    """Every camera is shown, under its own name; garbage is counted, and its place is bounded."""
    hostile = Hostile("127.0.0.1", fleet.broker.port, per_second=200)
    flooding = asyncio.create_task(hostile.run())
    await fleet.until_shown(3, streams=STREAMS)
    await end_tasks(flooding)
    shown = fleet.shown()
    assert set(shown) == {f"camera-{number:02}" for number in range(STREAMS)}
    assert jain_index(list(shown.values())) > 0.8
    assert fleet.listener.counters.misnamed > 0
    status = {one.stream: one for one in fleet.pipeline.status()}
    assert set(status) == {*shown, "flood"}
    assert sum(status["flood"].refused.values()) > 20
    assert not any(status[name].refused for name in shown)
    assert {Path(one.file).parent for one in fleet.notes.of(PictureReady)} == {tmp_path}


async def test_a_broker_restart_brings_all_streams_back(fleet: Fleet) -> None:
    """Fresh pictures of each, without a new reception."""
    await fleet.until_shown(1, streams=STREAMS)
    fleet.broker.stop()
    await asyncio.sleep(1.0)
    assert not fleet.listener.connected
    fleet.broker.start()
    before = max(fleet.shown().values())
    await fleet.until_shown(before + 2, streams=STREAMS)
    assert len(fleet.notes.of(ReceptionStarted)) == STREAMS
    assert not fleet.notes.of(ReceptionEnded)


async def test_streams_without_a_place_are_rejected(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """Those that are shown keep theirs; who is rejected is told, and gets one that is free."""
    listener = await open_listener(f"{broker.url}/misc/+", limit=2)
    assert isinstance(listener, MqttListener)
    senders = await open_cameras(FleetSettings(port=broker.port, streams=3, every=1.0))
    tasks = []
    held = []
    for camera in list(senders.values())[:2]:
        tasks.append(asyncio.create_task(camera.run()))
        stream = await asyncio.wait_for(listener.accept(), 30)
        assert stream is not None
        stream.place.whole = True
        held.append(stream)
    tasks.append(asyncio.create_task(senders["camera-02"].run()))
    async with asyncio.timeout(60):
        while not listener.counters.rejected:  # noqa: ASYNC110 - nor is a counter
            await asyncio.sleep(0.2)
    assert "camera-02" in listener.complaints()[0]
    assert "1 stream is rejected for want of a place (camera-02)" in caplog.text
    await end_tasks(tasks[0])
    await asyncio.sleep(0.5)  # for what is on its way
    await held[0].close()
    third = await asyncio.wait_for(listener.accept(), 60)
    assert third is not None
    assert third.stream == "camera-02"
    assert not listener.complaints()
    await end_tasks(*tasks)
    await listener.close()


async def test_junk_names_lock_nobody_out(fleet: Fleet) -> None:
    """Names that only introduce themselves give their places up to cameras that are shown."""
    packs = {"codec": bytes(8), "text": bytes(8)}
    hello = HelloConfig(stream="junk", packs=packs, started=0.0)
    session = SenderSession(epoch=1, mtu=1100, hello=hello, now=0.0)
    session.submit(OutgoingFrame(0.0, {LayerKind.BASE: bytes(50)}, 60.0), 0.0)
    datagram = session.next_datagram(0.0)
    assert datagram is not None
    async with aiomqtt.Client("127.0.0.1", fleet.broker.port) as client:
        for number in range(5 * LIMIT):
            await client.publish(f"misc/junk-{number}/data", datagram, qos=1)
    await fleet.until_shown(1, streams=STREAMS)
    assert len(fleet.shown()) == STREAMS
    await asyncio.sleep(2.0)
    assert len(fleet.pipeline.status()) <= LIMIT


def test_jain_index() -> None:
    """All the same is 1; one with all is 1/n; nothing at all is 0."""
    assert jain_index([3, 3, 3]) == 1
    assert jain_index([9, 0, 0]) == pytest.approx(1 / 3)
    assert jain_index([0, 0]) == 0


def test_the_ledger_counts_each_frame_once() -> None:
    """A sharper picture of the same frame is no further one."""
    ledger = Ledger()
    coarse = {"event": "picture", "stream": "a", "frame": "f-1", "since_capture": 2.0}
    ledger.note({"event": "started", "stream": "a"}, now=0.0)
    ledger.note(coarse, now=1.0)
    ledger.note(coarse, now=2.0)
    ledger.note(coarse | {"frame": "f-2"}, now=5.0)
    summary = ledger.summary(["a", "b"])
    assert (summary["pictures"], summary["fewest"], summary["most"]) == (2, 0, 2)
    assert summary["longest_gap_seconds"] == 4.0
    assert summary["jain_index"] == 0.5
