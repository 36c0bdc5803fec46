"""What was kept arrives later, behind what lives, with its own times."""

import asyncio
from pathlib import Path

from tests.sender.spool.clocks import DAY, NOON, Clocks

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


class Connect:
    """Gives one end of an in-process link."""

    def __init__(self, near: MemoryTransport) -> None:
        self._near = near

    async def __call__(self) -> Transport:
        """Give it."""
        return self._near


def new_spool(folder: Path, clocks: Clocks) -> Spool:
    """One without much of a bound."""
    limits = SpoolLimits(seconds=1e12)
    return Spool(folder, limits, stream="garden", packs=PACKS, clock=clocks)


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
    """Pictures that lie far apart are two epochs, for ids are 16 bits of time."""
    clocks = Clocks()
    spool = new_spool(tmp_path, clocks)
    for pause in (10.0, 90_000.0, 0.0):
        spool.add(clocks(), LAYERS)
        clocks.passes(pause)
    archive, sent, tasks, emptied = Archive(), [], [], asyncio.Event()

    async def connect() -> Transport:
        near, far = memory_pair()
        tasks.append(asyncio.create_task(archive.run(far)))
        return near

    def note(captured: float) -> None:
        sent.append(captured)
        if not len(spool):
            emptied.set()

    catching_up = CatchUp(spool=spool, connect=connect, link=state, sent=note)
    task = asyncio.create_task(catching_up.run())
    async with asyncio.timeout(30):
        await emptied.wait()
    task.cancel()
    await asyncio.gather(task, *tasks, return_exceptions=True)
    assert sent == [NOON, NOON + 10, NOON + 90_010]
    assert archive.captured == sent
    assert [layer.data for layer in archive.layers if layer.layer is LayerKind.BASE] == [
        LAYERS[LayerKind.BASE]
    ] * 3


async def test_what_was_not_confirmed_is_sent_again_with_the_same_time(tmp_path: Path) -> None:
    """By another run too, and whatever the wall clock says by then."""
    clocks = Clocks()
    captured = []
    for _ in range(2):
        spool = new_spool(tmp_path, clocks)
        if not captured:
            spool.add(clocks(), LAYERS)
        near, far = memory_pair()
        connect = Connect(near)
        catching_up = CatchUp(spool=spool, connect=connect, link=state, sent=lambda _: None)
        task = asyncio.create_task(catching_up.run())
        session, seen = ReceiverSession(packs=PACKS, instance=1), None
        async with asyncio.timeout(20):
            while seen is None:
                datagram = await far.receive()
                assert datagram is not None
                for event in session.receive(datagram, far.clock.monotonic()):
                    if isinstance(event, LayerReceived):
                        seen = event.captured_unix
        captured.append(seen)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert len(spool) == 1
        spool.close()
        clocks.boot("second", wall=NOON - DAY)
    assert captured == [NOON, NOON]


async def test_live_pictures_go_first(tmp_path: Path) -> None:
    """While any of them waits, or the link is away, nothing of the archive is sent."""
    clocks = Clocks()
    spool = new_spool(tmp_path, clocks)
    spool.add(clocks(), LAYERS)
    near, far = memory_pair()
    links: list[LinkState | None] = [None]

    catching_up = CatchUp(
        spool=spool, connect=Connect(near), link=lambda: links[0], sent=lambda _: None
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
