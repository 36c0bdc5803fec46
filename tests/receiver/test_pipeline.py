"""The asyncio shell of the receiver, with a real codec and an in-process link."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from misc_receiver.decode import FrameDecoder
from misc_receiver.pipeline import ReceiveOptions, ReceivePipeline
from misc_receiver.refine import Refiner, RefineRequest, RefineStep
from misc_receiver.refinery import Refinery, RefinerySettings
from misc_receiver.reports import FrameEnded, LayerLost, PictureReady, ReceptionEnded, StreamRefused
from misc_receiver.sinks.pictures import PictureFolder
from misc_shared.codec import ImageEncoder
from misc_shared.errors import ConfigError
from misc_shared.packs import load_pack
from misc_shared.reports import Report
from misc_shared.session import Event, HelloConfig, OutgoingFrame, Refused, SenderSession
from misc_shared.transports import MemoryTransport, memory_pair
from misc_shared.transports.single import SingleListener
from misc_shared.wire import LayerKind

STEPS = 5


class Notes:
    """Keeps what was reported."""

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.told = asyncio.Event()

    def report(self, report: Report) -> None:
        """Keep one."""
        self.reports.append(report)
        self.told.set()

    def close(self) -> None:
        """Do nothing."""

    def of(self, kind: type) -> list:
        """Those of one kind, in order."""
        return [report for report in self.reports if isinstance(report, kind)]


class SlowRefiner(Refiner):
    """A refiner that takes its time and changes nothing; a picture whose seed is bad fails."""

    def refine_batch(
        self,
        requests: Sequence[RefineRequest],
        *,
        steps: int,
        seeds: Sequence[int],
        fidelity: float = 0.0,
    ) -> Iterator[tuple[RefineStep, ...]]:
        """Give the coarse pictures again and again."""
        assert all(seeds)
        assert fidelity == 0.0
        for step in range(1, steps + 1):
            time.sleep(0.2)
            last = step == steps
            yield tuple(
                RefineStep(one.coarse, step, steps, last, passed_guard=True) for one in requests
            )


class Sender:
    """A sender's session at the far end of an in-process link."""

    def __init__(self, transport: MemoryTransport, *, packs: dict[str, bytes]) -> None:
        self._transport = transport
        hello = HelloConfig(stream="camera", packs=packs, started=transport.clock.wall())
        now = transport.clock.monotonic()
        self._session = SenderSession(epoch=7, mtu=transport.mtu, hello=hello, now=now)
        self.events: list[Event] = []
        self.refused = asyncio.Event()
        self._listening = asyncio.create_task(self._listen())

    async def send(self, layers: dict[LayerKind, bytes]) -> str:
        """Send one frame and its HELLO; give its id."""
        now = self._transport.clock.monotonic()
        frame = self._session.submit(OutgoingFrame(now, layers, math.inf), now)
        await self._flush()
        return str(frame)

    def stop(self) -> None:
        """Listen no more."""
        self._listening.cancel()

    async def _listen(self) -> None:
        while (answer := await self._transport.receive()) is not None:
            self.events += self._session.receive(answer, self._transport.clock.monotonic())
            if any(isinstance(event, Refused) for event in self.events):
                self.refused.set()
            await self._flush()

    async def _flush(self) -> None:
        now = self._transport.clock.monotonic()
        while (datagram := self._session.next_datagram(now)) is not None:
            await self._transport.send(datagram)


class Reception:
    """A receiver under test, with the sender that it hears."""

    def __init__(
        self,
        folder: Path,
        *,
        refiner: SlowRefiner | None,
        count: int | None,
        every: float = 0.0,
        within: float | None = None,
    ) -> None:
        self.near, far = memory_pair()
        self.notes = Notes()
        self.decoder = FrameDecoder(load_pack("nano"), threads=1)
        settings = RefinerySettings(refiner="slow", steps=STEPS)
        self._pipeline = ReceivePipeline(
            listener=SingleListener(far),
            new_decoder=lambda _: self.decoder,
            load_refinery=None
            if refiner is None
            else lambda: Refinery(refiner, component=None, settings=settings),
            options=ReceiveOptions(
                count=count,
                sinks=[PictureFolder(folder)],
                refine_every=every,
                refine_within=within,
            ),
            reporter=self.notes,
        )
        self.sender = Sender(self.near, packs=self.decoder.packs)
        self.running = asyncio.create_task(self._pipeline.run())

    async def until(self, kind: str, frame: str) -> None:
        """Wait until a picture of this kind of a frame is there."""
        async with asyncio.timeout(30):
            while kind not in self.kinds(frame):
                await self.notes.told.wait()
                self.notes.told.clear()

    def kinds(self, frame: str) -> list[str]:
        """The pictures of a frame, in order."""
        return [report.kind for report in self.notes.of(PictureReady) if report.frame == frame]


@pytest.fixture
async def reception(tmp_path: Path) -> AsyncIterator[Reception]:
    """Receive without end, refining slowly."""
    one = Reception(tmp_path, refiner=SlowRefiner(), count=None)
    yield one
    one.running.cancel()
    await asyncio.gather(one.running, return_exceptions=True)


@pytest.fixture(scope="module")
def layers(small_photo: NDArray[np.uint8]) -> dict[LayerKind, bytes]:
    """Encode a small picture."""
    encoder = ImageEncoder(load_pack("nano").component("codec"), threads=1)
    image = encoder.encode(small_photo, quality=16)
    kinds = (LayerKind.BASE, LayerKind.DETAIL1, LayerKind.DETAIL2)
    return dict(zip(kinds, image.layers, strict=True))


async def test_a_frame_is_shown_coarse_then_sharper_at_each_step(
    reception: Reception, layers: dict[LayerKind, bytes], tmp_path: Path
) -> None:
    """Each picture is a file before it is reported."""
    frame = await reception.sender.send(layers)
    await reception.until("refined", frame)
    previews = [f"preview-{step}" for step in range(1, STEPS)]
    assert reception.kinds(frame) == ["coarse", *previews, "refined"]
    files = {tmp_path / f"camera-{frame}.{kind}.png" for kind in reception.kinds(frame)}
    assert {Path(report.file) for report in reception.notes.of(PictureReady)} == files
    assert all(report.since_capture is not None for report in reception.notes.of(PictureReady))


async def test_a_newer_frame_ends_the_refinement_of_an_older_one(
    reception: Reception, layers: dict[LayerKind, bytes]
) -> None:
    """Its coarse picture does not wait for the rest of the steps, and the older stays unrefined."""
    first = await reception.sender.send(layers)
    await reception.until("preview-1", first)
    second = await reception.sender.send(layers)
    await reception.until("refined", second)
    assert "refined" not in reception.kinds(first)
    assert reception.kinds(second)[-1] == "refined"


async def test_refinements_keep_their_distance(
    tmp_path: Path, layers: dict[LayerKind, bytes]
) -> None:
    """With --refine-every the next one waits its time, and then is of the newest picture."""
    every = 4.0
    reception = Reception(tmp_path, refiner=SlowRefiner(), count=None, every=every)
    first = await reception.sender.send(layers)
    await reception.until("preview-1", first)
    began = time.monotonic()
    await reception.until("refined", first)
    second, third = [await reception.sender.send(layers) for _ in range(2)]
    await reception.until("refined", third)
    assert time.monotonic() - began > every - 0.5
    assert "refined" not in reception.kinds(second)
    reception.running.cancel()
    await asyncio.gather(reception.running, return_exceptions=True)


async def test_what_would_be_late_is_not_refined(
    tmp_path: Path, layers: dict[LayerKind, bytes]
) -> None:
    """Once it is known how long a refinement takes, --refine-within keeps coarse pictures."""
    reception = Reception(tmp_path, refiner=SlowRefiner(), count=None, within=0.5)
    first = await reception.sender.send(layers)
    await reception.until("refined", first)
    second = await reception.sender.send(layers)
    await reception.until("coarse", second)
    await asyncio.sleep(0.6)
    assert reception.kinds(second) == ["coarse"]
    reception.running.cancel()
    await asyncio.gather(reception.running, return_exceptions=True)


async def test_garbage_costs_a_counter(tmp_path: Path, layers: dict[LayerKind, bytes]) -> None:
    """Datagrams that are none and a layer that does not decode leave the rest untouched."""
    reception = Reception(tmp_path, refiner=None, count=2)
    for datagram in (b"", b"\xff" * 40, b"hello"):
        await reception.near.send(datagram)
    damaged = await reception.sender.send(layers | {LayerKind.DETAIL1: bytes(5000)})
    good = await reception.sender.send(layers)
    await asyncio.wait_for(reception.running, 60)
    assert reception.kinds(damaged) == reception.kinds(good) == ["coarse"]
    assert [report.layer for report in reception.notes.of(LayerLost)] == ["detail1"]
    end = reception.notes.of(ReceptionEnded)[0]
    assert (end.refused, end.bad_layers, end.frames) == (3, 1, 2)


async def test_count_waits_for_the_last_refinement(
    tmp_path: Path, layers: dict[LayerKind, bytes]
) -> None:
    """--once gives one whole result."""
    reception = Reception(tmp_path, refiner=SlowRefiner(), count=1)
    frame = await reception.sender.send(layers)
    await asyncio.wait_for(reception.running, 60)
    assert reception.kinds(frame)[-1] == "refined"
    assert [report.frame for report in reception.notes.of(FrameEnded)] == [frame]


async def test_other_models_at_the_sender_are_told_at_both_ends(
    tmp_path: Path, layers: dict[LayerKind, bytes]
) -> None:
    """Its pictures would come out wrong; a sender with the right ones is still shown."""
    reception = Reception(tmp_path, refiner=None, count=None)
    reception.sender.stop()
    stranger = Sender(reception.near, packs={"codec": bytes(8)})
    await stranger.send(layers)
    await asyncio.wait_for(stranger.refused.wait(), 30)
    (refused,) = reception.notes.of(StreamRefused)
    assert "codec" in refused.reason
    stranger.stop()
    right = Sender(reception.near, packs=reception.decoder.packs)
    frame = await right.send(layers)
    await reception.until("coarse", frame)
    right.stop()
    reception.running.cancel()


async def test_a_refiner_that_cannot_be_loaded_ends_the_run(tmp_path: Path) -> None:
    """At once, without waiting for a frame."""
    _, far = memory_pair()

    def load() -> Refinery:
        raise ConfigError("no such device")

    pipeline = ReceivePipeline(
        listener=SingleListener(far),
        new_decoder=FrameDecoder(load_pack("nano"), threads=1).sibling,
        load_refinery=load,
        options=ReceiveOptions(sinks=[PictureFolder(tmp_path)]),
        reporter=Notes(),
    )
    with pytest.raises(ConfigError, match="no such device"):
        await asyncio.wait_for(pipeline.run(), 30)
