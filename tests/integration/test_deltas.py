"""Both pipelines, one after the other's deltas: over an in-process link, and in a recording."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tests.notes import Notes

from misc_receiver.decode import FrameDecoder
from misc_receiver.pipeline import ReceiveOptions, ReceivePipeline
from misc_receiver.references import References
from misc_receiver.reports import BaseLost, PictureReady
from misc_sender.budget import Budget
from misc_sender.encode import FrameEncoder
from misc_sender.pipeline import SendOptions, SendPipeline
from misc_sender.reports import FrameQueued
from misc_sender.sources import Frame
from misc_shared.packs import load_pack
from misc_shared.reports import Report
from misc_shared.transports import memory_pair
from misc_shared.transports.single import SingleListener


class Scene:
    """A small scene that brightens, four pictures a second."""

    still = False
    endless = False
    name = "scene"

    def __init__(self, picture: NDArray[np.uint8], *, count: int) -> None:
        self._picture = picture
        self._count = count

    def frames(self) -> Iterator[Frame]:
        """Yield the pictures."""
        for number in itertools.count():
            if number == self._count:
                return
            brighter = (self._picture * (0.5 + 0.02 * number)).astype(np.uint8)
            yield Frame(pixels=brighter, captured_at=number / 4)

    def close(self) -> None:
        """Do nothing."""


async def _stream(
    picture: NDArray[np.uint8], *, count: int, forget_after: int | None
) -> tuple[Notes, Notes]:
    """Send a scene; make the receiver forget its bases after so many pictures."""
    near, far = memory_pair(mtu=300)
    sent, received = Notes(), Notes()
    pack = load_pack("nano")
    decoder = FrameDecoder(pack, threads=1)

    class Forgetful(Notes):
        def report(self, report: Report) -> None:
            super().report(report)
            if isinstance(report, PictureReady) and len(self.of(PictureReady)) == forget_after:
                decoder._references = References()  # noqa: SLF001 - as after a crash

    received = Forgetful()
    sender = SendPipeline(
        source=Scene(picture, count=count),
        encoder=FrameEncoder(
            pack, semantics="none", budget=Budget(quality=14), mtu=near.mtu, threads=1
        ),
        transport=near,
        options=SendOptions(),
        reporter=sent,
    )
    receiver = ReceivePipeline(
        listener=SingleListener(far),
        new_decoder=lambda _: decoder,
        load_refinery=None,
        options=ReceiveOptions(),
        reporter=received,
    )
    listening = asyncio.create_task(receiver.run())
    await sender.run()
    await asyncio.wait_for(listening, 30)
    return sent, received


async def test_a_live_stream_is_sent_as_deltas(small_photo: NDArray[np.uint8]) -> None:
    """Once the first picture is confirmed; every one is shown."""
    sent, received = await _stream(small_photo, count=8, forget_after=None)
    codings = [report.coding for report in sent.of(FrameQueued)]
    assert codings[0] == "key"
    assert codings.count("delta") >= 4
    assert not received.of(BaseLost)
    shown = {report.frame: report.coding for report in received.of(PictureReady)}
    assert list(shown.values()) == codings


async def test_a_receiver_that_lost_its_bases_gets_a_key(small_photo: NDArray[np.uint8]) -> None:
    """It says what is missing, asks, and goes on; what was shown stays meanwhile."""
    sent, received = await _stream(small_photo, count=14, forget_after=6)
    lost = received.of(BaseLost)
    assert lost
    queued = {report.frame: report.coding for report in sent.of(FrameQueued)}
    assert all(queued[report.frame] == "delta" for report in lost)
    assert [frame for frame, coding in queued.items() if coding == "key" and frame > lost[0].frame]
    shown = received.of(PictureReady)
    assert shown[-1].frame == list(queued)[-1]


def test_a_recording_of_many_deltas_shows_every_picture(tmp_path: Path) -> None:
    """Without a refiner too: nothing waits for what never comes."""
    from typer.testing import CliRunner

    from misc_receiver.cli import app as receive
    from misc_sender.cli import app as send

    where, out = f"file:{tmp_path / 'scene.misc'}", tmp_path / "out"
    options = ["--quality", "10", "--fps", "4", "--count", "6", "--semantics", "none"]
    result = CliRunner().invoke(send, ["pattern", "--to", where, *options])
    assert result.exit_code == 0, result.output
    assert result.output.count('"coding":"delta"') == 5
    result = CliRunner().invoke(receive, ["--from", where, "--out", str(out), "--no-refine"])
    assert result.exit_code == 0, result.output
    assert len(list(out.glob("*.coarse.png"))) == 6
