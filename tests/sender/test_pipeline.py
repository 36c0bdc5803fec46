"""The asyncio shell of the sender, with a real codec and an in-process link."""

import asyncio
import time
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from tests.notes import Notes

from misc_sender.budget import Budget
from misc_sender.encode import FrameEncoder
from misc_sender.pipeline import SendOptions, SendPipeline
from misc_sender.reports import FrameEnded, FrameQueued, StreamEnded
from misc_sender.slot import FrameSlot
from misc_sender.sources import Frame, Source, SourceOptions, open_source
from misc_shared.errors import SourceError
from misc_shared.packs import load_pack
from misc_shared.session import LayerReceived, ReceiverSession
from misc_shared.transports import MemoryTransport, memory_pair
from misc_shared.transports.pacing import Pacer
from misc_shared.wire import Data, write


class Listener:
    """A receiver's session at the far end of an in-process link."""

    def __init__(self, transport: MemoryTransport) -> None:
        self._transport = transport
        pack = load_pack("nano")
        packs = {name: pack.component(name).digest for name in ("codec", "text")}
        self._session = ReceiverSession(packs=packs, instance=1)
        self.layers: list[LayerReceived] = []
        self.datagrams = 0

    async def run(self) -> None:
        """Acknowledge what comes until the sender closes the link."""
        while (datagram := await self._transport.receive()) is not None:
            now = self._transport.clock.monotonic()
            self.datagrams += 1
            events = self._session.receive(datagram, now)
            self.layers += [event for event in events if isinstance(event, LayerReceived)]
            await asyncio.sleep(0)
            while (answer := self._session.next_datagram(now + 1.0)) is not None:
                await self._transport.send(answer)


async def _send(source: Source, **options: float) -> tuple[Notes, Listener]:
    near, far = memory_pair(mtu=200)
    notes, listener = Notes(), Listener(far)
    encoder = FrameEncoder(
        load_pack("nano"), semantics="none", budget=Budget(max_bytes=200), mtu=near.mtu, threads=1
    )
    pipeline = SendPipeline(
        source=source,
        encoder=encoder,
        transport=near,
        options=SendOptions(**options),
        reporter=notes,
    )
    await asyncio.gather(pipeline.run(), listener.run())
    return notes, listener


@pytest.fixture
def folder(tmp_path: Path, small_photo: NDArray[np.uint8]) -> Path:
    """Write three small pictures."""
    for index in range(3):
        Image.fromarray(np.roll(small_photo, 20 * index, 1)).save(tmp_path / f"{index}.png")
    return tmp_path


async def test_every_photograph_arrives(folder: Path) -> None:
    """None is skipped, however fast they could be read, and each is confirmed."""
    notes, listener = await _send(open_source(str(folder)))
    frames = [report.frame for report in notes.of(FrameQueued)]
    assert len(set(frames)) == 3
    assert [(end.frame, end.outcome) for end in notes.of(FrameEnded)] == [
        (frame, "delivered") for frame in frames
    ]
    assert len({layer.frame for layer in listener.layers}) == 3
    assert notes.of(StreamEnded)[0].skipped == 0


async def test_answers_that_are_out_of_order_are_counted_by_cause() -> None:
    """Anybody may write to a broker; garbage and answers to another run change nothing else."""
    near, far = memory_pair(mtu=200)
    encoder = FrameEncoder(
        load_pack("nano"), semantics="none", budget=Budget(max_bytes=200), mtu=near.mtu, threads=1
    )
    pipeline = SendPipeline(
        source=open_source("pattern", options=SourceOptions(fps=100)),
        encoder=encoder,
        transport=near,
        options=SendOptions(count=1),
        reporter=Notes(),
    )
    wrong = write(Data(kind=0, epoch=1, frame=1, place=1, payload=b"x"))  # only senders say this
    for answer in (b"\xff\xff", b"", wrong):
        await far.send(answer)
    await asyncio.gather(pipeline.run(), Listener(far).run())
    assert pipeline.status().refused == {"malformed": 2, "not-allowed": 1}


async def test_count_ends_an_endless_source() -> None:
    """A drawn scene never ends by itself."""
    notes, _ = await _send(open_source("pattern", options=SourceOptions(fps=100)), count=2)
    assert notes.of(StreamEnded)[0].frames == 2


async def test_the_newest_frame_wins_over_a_slow_encoder() -> None:
    """Motion faster than the encoder is skipped, not queued."""
    notes, _ = await _send(open_source("pattern", options=SourceOptions(fps=100)), count=5)
    end = notes.of(StreamEnded)[0]
    assert end.skipped > 0
    assert end.frames == 5


async def test_the_rate_is_kept(folder: Path) -> None:
    """At 4 kbit/s, 200 bytes take 0.4 s."""
    started = time.monotonic()
    notes, _ = await _send(open_source(str(folder)), kbps=4.0)
    end = notes.of(StreamEnded)[0]
    assert time.monotonic() - started >= (end.bytes - 200) * 8 / 4000


async def test_what_was_sent_is_what_was_counted(folder: Path) -> None:
    """The report counts every datagram of the run."""
    notes, listener = await _send(open_source(str(folder)))
    assert notes.of(StreamEnded)[0].datagrams == listener.datagrams


async def test_a_source_that_fails_ends_the_run(folder: Path) -> None:
    """The error comes out as itself."""
    (folder / "1.png").write_text("no picture")
    with pytest.raises(SourceError, match=r"1\.png is no picture"):
        await _send(open_source(str(folder)))


async def test_the_slot_keeps_the_newest() -> None:
    """A replaced frame is counted; the last one is still taken after closing."""
    slot = FrameSlot()
    frames = [Frame(pixels=np.zeros((16, 16, 3), np.uint8), captured_at=k) for k in range(3)]
    for frame in frames:
        await slot.put(frame, replace=True)
    await slot.close()
    assert await slot.take() is frames[2]
    assert await slot.take() is None
    assert slot.skipped == 2


async def test_the_slot_waits_for_room_where_every_frame_counts() -> None:
    """A photograph does not push another out."""
    slot = FrameSlot()
    frame = Frame(pixels=np.zeros((16, 16, 3), np.uint8), captured_at=0.0)
    await slot.put(frame, replace=False)
    waiting = asyncio.create_task(slot.put(frame, replace=False))
    await asyncio.sleep(0.01)
    assert not waiting.done()
    await slot.take()
    await waiting
    assert slot.skipped == 0


def test_the_pacer_adds_up() -> None:
    """Each byte takes its time on the link, idle time is not saved up."""
    pacer = Pacer(kbps=8.0)
    assert pacer.wait(5.0) == 0.0
    pacer.sent(1000, 5.0)
    pacer.sent(500, 5.0)
    assert pacer.wait(5.5) == pytest.approx(1.0)
    assert pacer.wait(9.0) == 0.0
    pacer.sent(1000, 9.0)
    assert pacer.wait(9.0) == pytest.approx(1.0)
