"""Hostile names with the largest pictures beside real cameras: is anybody starved, in what memory?

In virtual time, in which the decoding thread has one processor to itself.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec

from misc_lab.fleet.air import Air, Weather
from misc_lab.fleet.camera import Camera
from misc_lab.fleet.measuring import Ledger, begin_peak, peak_bytes
from misc_lab.fleet.run import FleetSettings, encode_giant, encode_pictures
from misc_lab.fleet.virtual_time import LoopClock
from misc_receiver.decode import FrameDecoder
from misc_receiver.picture_memory import MemoryShares, PictureMemory
from misc_receiver.pipeline import ReceiveOptions, ReceivePipeline
from misc_receiver.sinks.pictures import PictureFolder
from misc_receiver.sinks.retention import Retention
from misc_receiver.view.gallery import Gallery
from misc_shared.companions import end_tasks
from misc_shared.packs import load_pack
from misc_shared.reports import Report

__all__ = ["GiantsSettings", "run_giants"]

_BEGAN = 1_750_000_000.0
_CALM = Weather(loss=0.001, repeated=0.0, delay=0.05, jitter=0.02, outage_every=1e9)
_MTU = 1100


@dataclass(frozen=True, kw_only=True)
class GiantsSettings:
    """What is run.

    Attributes:
        seconds: of virtual time.
        cameras: real ones.
        every: seconds between two pictures of a camera.
        giants: hostile names, each with a picture of 4096x4096 pixels a second.
        memory: bytes, as `--memory`.
        keep: bytes, as `--keep`.
        write_rate: bytes a second, as `--write-rate`.
        folder: whether pictures are kept in a folder; PNG takes most of the time of giants.
    """

    seconds: float = 60.0
    cameras: int = 200
    every: float = 5.0
    giants: int = 64
    memory: int = 1 << 30
    keep: int = 200 << 20
    write_rate: int = 2 << 20
    folder: bool = True


class _Noting:
    """Writes reports down with virtual times, and tells the page."""

    def __init__(self, ledger: Ledger, gallery: Gallery) -> None:
        self._ledger = ledger
        self._gallery = gallery
        self._loop = asyncio.get_running_loop()

    def report(self, report: Report) -> None:
        """Note one report."""
        self._gallery.report(report)
        self._ledger.note(msgspec.to_builtins(report), now=self._loop.time())

    def close(self) -> None:
        """Do nothing."""


async def run_giants(settings: GiantsSettings) -> dict[str, Any]:
    """Run it; give what was measured, JSON-ready. For `run_in_virtual_time` with `computing`."""
    with tempfile.TemporaryDirectory() as folder:
        return await _run(settings, Path(folder))


async def _run(settings: GiantsSettings, place: Path) -> dict[str, Any]:
    streams = settings.cameras + settings.giants
    air = Air(_CALM, clock=LoopClock(began=_BEGAN), limit=streams)
    shares = MemoryShares.of(settings.memory, streams=streams)
    memory = PictureMemory(shares.pictures)
    loop = asyncio.get_running_loop()
    folder = PictureFolder(
        place,
        retention=Retention(total_bytes=settings.keep),
        write_rate=settings.write_rate,
        clock=loop.time,
    )
    gallery, ledger = Gallery(memory=memory), Ledger()
    decoder = FrameDecoder(load_pack("nano"), threads=1, memory=memory, layer_bytes=shares.each)
    pipeline = ReceivePipeline(
        listener=air,
        new_decoder=decoder.sibling,
        load_refinery=None,
        options=ReceiveOptions(
            many=True,
            sinks=[folder, gallery] if settings.folder else [gallery],
            waiting_bytes=shares.each,
        ),
        reporter=_Noting(ledger, gallery),
    )
    cameras = _open(settings, air)
    begin_peak()  # encoding took more
    tasks = [asyncio.create_task(pipeline.run())]
    tasks += [asyncio.create_task(camera.run()) for camera in cameras]
    try:
        done, _ = await asyncio.wait(
            tasks, timeout=settings.seconds, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()
    finally:
        await end_tasks(*tasks)
        gallery.close()
    names = [f"camera-{number:03}" for number in range(settings.cameras)]
    giants = [shown for name, shown in ledger.shown.items() if name.startswith("giant")]
    return {
        "settings": asdict(settings),
        "sent_each": settings.seconds / settings.every,
        **ledger.summary(names),
        "giants_shown": sum(map(len, giants)),
        "peak_memory_mb": round(peak_bytes(os.getpid()) / 1e6, 1),
        "decoded_pictures_mb": round(memory.nbytes / 1e6, 1),
        "dropped_for_want_of_memory": memory.dropped,
        "folder": asdict(folder.status()),
    }


def _open(settings: GiantsSettings, air: Air) -> list[Camera]:
    pack = load_pack("nano")
    packs = {name: pack.component(name).digest for name in ("codec", "text")}
    small = encode_pictures(FleetSettings(port=0))
    giant = [encode_giant(pack)]
    opened = []
    for kind, count, pictures, every in (
        ("camera", settings.cameras, small, settings.every),
        ("giant", settings.giants, giant, 1.0),
    ):
        for number in range(count):
            transport = air.open_camera(f"{kind}-{number:03}", mtu=_MTU)
            begin = every * number / count
            opened.append(
                Camera(transport, packs=packs, pictures=pictures, every=every, begin=begin)
            )
    return opened
