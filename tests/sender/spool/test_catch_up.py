"""What was kept arrives later, behind what lives, with its own times."""

import asyncio
from pathlib import Path

from misc_sender.spool import CatchUp, Spool, SpoolLimits
from misc_shared.session import (
    FrameStarted,
    LayerReceived,
    LinkState,
    ReceiverSession,
)
from misc_shared.transports import MemoryTransport, Transport, memory_pair
from misc_shared.wire import LayerKind

PACKS = {"codec": b"codec-01"}
LAYERS = {LayerKind.BASE: b"b" * 50, LayerKind.DETAIL1: b"d" * 120}
CAPTURED = 1_700_000_000.0


def state(waiting: int = 0) -> LinkState:
    """A live link, with this much waiting for it."""
    return LinkState(
        rate=400_000.0, limited_at=0.0, loss=0.0, round_trip=0.1, answered_at=0.0,
        waiting=waiting, unconfirmed=0,
    )  # fmt: skip


class Archive:
    """A receiver at the far end of the archive's transport."""

    def __init__(self) -> None:
        self.session = ReceiverSession(packs=PACKS, instance=1)
        self.captured: list[float] = []
        self.layers: list[LayerReceived] = []

    async def run(self, far: MemoryTransport) -> None:
        """Acknowledge what comes."""
        while (datagram := await far.receive()) is not None:
            now = far.clock.monotonic()
            for event in self.session.receive(datagram, now):
                if isinstance(event, FrameStarted) and event.captured_unix is not None:
                    self.captured.append(event.captured_unix)
                if isinstance(event, LayerReceived):
                    self.layers.append(event)
            while (answer := self.session.next_datagram(now + 1.0)) is not None:
                await far.send(answer)


async def test_everything_arrives_with_its_own_time_and_leaves_the_disk(tmp_path: Path) -> None:
    """Two outages far apart are two epochs, for ids are 16 bits of time."""
    spool = Spool(tmp_path, SpoolLimits(seconds=1e12))
    for offset in (0.0, 10.0, 90_000.0):
        spool.add(CAPTURED + offset, LAYERS)
    archive, sent, tasks, emptied = Archive(), [], [], asyncio.Event()

    async def connect() -> Transport:
        near, far = memory_pair()
        tasks.append(asyncio.create_task(archive.run(far)))
        return near

    def note(captured: float) -> None:
        sent.append(captured)
        if not len(spool):
            emptied.set()

    catching_up = CatchUp(spool=spool, packs=PACKS, connect=connect, link=state, sent=note)
    task = asyncio.create_task(catching_up.run())
    async with asyncio.timeout(30):
        await emptied.wait()
    task.cancel()
    await asyncio.gather(task, *tasks, return_exceptions=True)
    assert sent == [CAPTURED, CAPTURED + 10, CAPTURED + 90_000]
    assert archive.captured == sent
    assert [layer.data for layer in archive.layers if layer.layer is LayerKind.BASE] == [
        LAYERS[LayerKind.BASE]
    ] * 3


async def test_live_pictures_go_first(tmp_path: Path) -> None:
    """While any of them waits, or the link is away, nothing of the archive is sent."""
    spool = Spool(tmp_path, SpoolLimits(seconds=1e12))
    spool.add(CAPTURED, LAYERS)
    near, far = memory_pair()
    links: list[LinkState | None] = [None]

    async def connect() -> Transport:
        return near

    catching_up = CatchUp(
        spool=spool, packs=PACKS, connect=connect, link=lambda: links[0], sent=lambda _: None
    )
    task = asyncio.create_task(catching_up.run())
    received = asyncio.create_task(far.receive())
    await asyncio.sleep(0.3)
    links[0] = state(waiting=1)
    await asyncio.sleep(1.3)
    assert not received.done()
    links[0] = state()
    async with asyncio.timeout(10):
        assert await received is not None
    assert len(spool) == 1
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
