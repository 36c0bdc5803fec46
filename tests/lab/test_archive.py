"""A spool at one end, a folder at the other: a picture is forgotten once it is kept, and kept once.

Both ends' real parts meet here over an in-process link.
"""

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.notes import Notes
from tests.sender.spool.clocks import NOON, Clocks

import misc_receiver.archive
from misc_receiver.archive import capture_name
from misc_receiver.decode import FrameDecoder
from misc_receiver.pipeline import ReceiveOptions, ReceivePipeline
from misc_receiver.sinks.pictures import PictureFolder
from misc_sender.budget import Budget
from misc_sender.encode import FrameEncoder
from misc_sender.sources import Frame
from misc_sender.spool import CatchUp, Spool, SpoolLimits
from misc_shared.packs import load_pack
from misc_shared.session import LinkState
from misc_shared.stream_names import archive_of
from misc_shared.transports import Transport, memory_pair
from misc_shared.transports.single import SingleListener
from misc_shared.wire import LayerKind

LINK = LinkState(
    rate=400_000.0, limited_at=0.0, loss=0.0, round_trip=0.1, answered_at=0.0, waiting=0,
    unconfirmed=0,
)  # fmt: skip


class Ends:
    """A spool that is sent, and a receiver with a folder."""

    def __init__(self, folder: Path) -> None:
        self._encoder = FrameEncoder(
            load_pack("nano"), semantics="none", budget=Budget(max_bytes=200), mtu=1100, threads=1
        )
        self._decoder = FrameDecoder(load_pack("nano"), threads=1)
        self._file = folder / "spool" / "spool.sqlite3"
        self._before = folder / "before.sqlite3"
        self.out = folder / "out"
        self.clocks = Clocks()
        self.sent: list[float] = []

    def encode(self, picture: NDArray[np.uint8]) -> dict[LayerKind, bytes]:
        """A picture's layers."""
        return dict(self._encoder.encode(Frame(pixels=picture, captured_at=0.0)).layers)

    def spool(self) -> Spool:
        """Open it, as each run of a sender does."""
        return Spool(
            self._file.parent,
            SpoolLimits(seconds=1e12),
            stream="camera",
            packs=self._encoder.packs,
            clock=self.clocks,
        )

    def remember(self) -> None:
        """Note how the spool is now, while nobody uses it."""
        shutil.copy(self._file, self._before)

    def turn_back(self) -> None:
        """Let the spool be as it was: the sender was killed before it could delete."""
        shutil.copy(self._before, self._file)

    @contextlib.asynccontextmanager
    async def running(self, spool: Spool, *, out: PictureFolder) -> AsyncIterator[None]:
        """Send and receive."""
        near, far = memory_pair()
        far.stream = archive_of(near.stream)

        async def connect() -> Transport:
            return near

        receiving = ReceivePipeline(
            listener=SingleListener(far),
            new_decoder=self._decoder.sibling,
            load_refinery=None,
            options=ReceiveOptions(sinks=[out]),
            reporter=Notes(),
        )
        sending = CatchUp(spool=spool, connect=connect, link=lambda: LINK, sent=self.sent.append)
        tasks = [asyncio.create_task(receiving.run()), asyncio.create_task(sending.run())]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            spool.close()


async def arrived(ends: Ends, count: int) -> None:
    """Wait until so many pictures were confirmed."""
    async with asyncio.timeout(60):
        while len(ends.sent) < count:  # noqa: ASYNC110 - a list has no event
            await asyncio.sleep(0.05)


async def test_a_picture_that_comes_again_is_kept_once(
    tmp_path: Path, small_photo: NDArray[np.uint8]
) -> None:
    """The sender was killed after it was confirmed, and before it could forget it."""
    ends = Ends(tmp_path)
    spool = ends.spool()
    for _ in range(2):
        spool.add(ends.clocks(), ends.encode(small_photo))
        ends.clocks.passes(10.0)
    assert spool.oldest() is not None
    spool.close()
    ends.remember()
    for run in (1, 2):
        spool = ends.spool()
        assert len(spool) == 2
        async with ends.running(spool, out=PictureFolder(ends.out)):
            await arrived(ends, 2 * run)
        ends.turn_back()
    names = [f"camera~archive-{capture_name(NOON + at)}.coarse.png" for at in (0, 10)]
    assert sorted(path.name for path in ends.out.iterdir()) == names
    assert ends.sent == [NOON, NOON + 10, NOON, NOON + 10]


async def test_a_picture_that_cannot_be_kept_stays_in_the_spool(
    tmp_path: Path, small_photo: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver's folder was taken away: nothing is confirmed until it is back."""
    monkeypatch.setattr(misc_receiver.archive, "_PAUSE", 0.5)
    ends = Ends(tmp_path)
    spool = ends.spool()
    spool.add(ends.clocks(), ends.encode(small_photo))
    out = PictureFolder(ends.out)
    ends.out.rmdir()
    ends.out.write_text("in the way")
    async with ends.running(spool, out=out):
        async with asyncio.timeout(30):
            while not out.status().lost:  # noqa: ASYNC110 - a folder has no event
                await asyncio.sleep(0.05)
        await asyncio.sleep(1.0)
        assert len(spool) == 1
        ends.out.unlink()
        await arrived(ends, 1)
        assert len(spool) == 0
    assert len(list(ends.out.iterdir())) == 1
