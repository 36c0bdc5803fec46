"""Runs a fleet of cameras against a broker and one `misc-recv`, each in a process of its own."""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from misc_lab.fleet.camera import Camera
from misc_lab.fleet.hostile import Hostile
from misc_lab.fleet.measuring import Ledger, peak_bytes, resident_bytes
from misc_lab.programs import command
from misc_shared.codec import ImageEncoder
from misc_shared.codec.layout import MAX_SIDE, SCALES
from misc_shared.companions import end_tasks
from misc_shared.packs import Pack, load_pack
from misc_shared.transports import open_sender
from misc_shared.wire import LayerKind

__all__ = ["FleetSettings", "encode_giant", "encode_pictures", "open_cameras", "run_fleet"]

_SAMPLES = 20
_LOOK_EVERY = 0.5
_IMAGE_LAYERS = (LayerKind.BASE, LayerKind.DETAIL1, LayerKind.DETAIL2)


@dataclass(frozen=True, kw_only=True)
class FleetSettings:
    """What is run.

    Attributes:
        port: TCP port of the broker on this machine.
        streams: cameras.
        every: seconds between two pictures of a camera.
        seconds: how long.
        flood: garbage datagrams a second from one client; 0 for none.
        width: pixels.
        height: pixels.
        giants: hostile names that send pictures of 4096x4096 pixels in a few hundred bytes, one a
            second each.
        everything: whether the receiver also serves the page, and keeps pictures in a folder.
    """

    port: int
    giants: int = 0
    everything: bool = False
    streams: int = 50
    every: float = 5.0
    seconds: float = 600.0
    flood: float = 200.0
    width: int = 128
    height: int = 96


async def run_fleet(settings: FleetSettings) -> dict[str, Any]:
    """Run it; give what was measured, JSON-ready."""
    with tempfile.TemporaryDirectory() as folder:
        return await _run(settings, Path(folder))


async def _run(settings: FleetSettings, folder: Path) -> dict[str, Any]:
    receiver = await _start_receiver(settings, folder)
    ledger = Ledger()
    reading = asyncio.create_task(_read(folder / "reports", ledger))
    cameras = await open_cameras(settings)
    giants = await _open_giants(settings)
    hostile = Hostile("127.0.0.1", settings.port, per_second=max(1.0, settings.flood))
    tasks = [asyncio.create_task(one.run()) for one in [*giants, *cameras.values()]]
    if settings.flood:
        tasks.append(asyncio.create_task(hostile.run()))
    try:
        memory = await _watch(receiver.pid, settings.seconds, tasks)
        cpu, peak = _cpu_seconds(receiver.pid), peak_bytes(receiver.pid)
    finally:
        await end_tasks(*tasks)
        receiver.terminate()
        await receiver.wait()
        await asyncio.sleep(2 * _LOOK_EVERY)
        await end_tasks(reading)
    quarter = len(memory) // 4
    return {
        "sent": sum(camera.sent for camera in cameras.values()),
        "delivered": sum(camera.delivered for camera in cameras.values()),
        "garbage": hostile.sent,
        "giants_sent": sum(giant.sent for giant in giants),
        "giants_shown": sum(
            len(shown) for name, shown in ledger.shown.items() if name.startswith("giant")
        ),
        **ledger.summary(list(cameras)),
        "receiver_cpu_seconds": round(cpu, 1),
        "memory_mb": [round(one / 1e6, 1) for one in memory],
        "peak_memory_mb": round(peak / 1e6, 1),
        "memory_growth_mb": round(
            (max(memory[-quarter:]) - max(memory[quarter : 2 * quarter])) / 1e6, 1
        ),
    }


async def _start_receiver(settings: FleetSettings, folder: Path) -> Process:
    url = f"mqtt://127.0.0.1:{settings.port}/misc/+"
    places = str(max(64, settings.streams + settings.giants + 1))
    everything = ("--out", str(folder / "out"), "--keep", "200MiB", "--view", "0")
    with (folder / "reports").open("wb") as reports:
        receiver = await asyncio.create_subprocess_exec(
            *command("misc-recv", "--from", url, "--no-refine", "--max-streams", places),
            *(everything if settings.everything else ()),
            stdout=reports,
        )
    while b'"listening"' not in (folder / "reports").read_bytes():
        assert receiver.returncode is None  # noqa: S101 - it has said why
        await asyncio.sleep(_LOOK_EVERY)
    return receiver


async def _read(reports: Path, ledger: Ledger) -> None:
    """Note what is written into a file of reports, until cancelled.

    Not from a pipe: whoever reads it too slowly would hold the receiver up.
    """
    with reports.open("rb") as file:
        rest = b""
        while True:
            *lines, rest = (rest + file.read()).split(b"\n")
            for line in lines:
                ledger.note(json.loads(line), now=time.monotonic())
            await asyncio.sleep(_LOOK_EVERY)


async def open_cameras(settings: FleetSettings) -> dict[str, Camera]:
    """Connect the cameras, without starting them; by the names of their streams."""
    pack = load_pack("nano")
    pictures = encode_pictures(settings)
    packs = {name: pack.component(name).digest for name in ("codec", "text")}
    cameras = {}
    for number in range(settings.streams):
        name = f"camera-{number:02}"
        transport = await open_sender(f"mqtt://127.0.0.1:{settings.port}/misc/{name}", expiry=20.0)
        begin = settings.every * number / settings.streams
        cameras[name] = Camera(
            transport, packs=packs, pictures=pictures, every=settings.every, begin=begin
        )
    return cameras


async def _open_giants(settings: FleetSettings) -> list[Camera]:
    """Connect those whose pictures are as large as any may be."""
    pack = load_pack("nano")
    pictures = [encode_giant(pack)] if settings.giants else []
    packs = {name: pack.component(name).digest for name in ("codec", "text")}
    giants = []
    for number in range(settings.giants):
        name = f"giant-{number:02}"
        transport = await open_sender(f"mqtt://127.0.0.1:{settings.port}/misc/{name}", expiry=20.0)
        begin = number / settings.giants
        giants.append(Camera(transport, packs=packs, pictures=pictures, every=1.0, begin=begin))
    return giants


def encode_giant(pack: Pack) -> Mapping[LayerKind, bytes]:
    """A picture of the largest size in the fewest bytes."""
    ramp = (np.arange(MAX_SIDE) * 255 // MAX_SIDE).astype(np.uint8)
    image = np.zeros((MAX_SIDE, MAX_SIDE, 3), np.uint8)
    image[..., 0], image[..., 1] = ramp, ramp[:, None]
    encoder = ImageEncoder(pack.component("codec"), threads=1)
    encoded = encoder.encode(image, quality=0, scale_index=len(SCALES) - 1)
    return {LayerKind.BASE: encoded.layers[0]}


def encode_pictures(settings: FleetSettings) -> Sequence[Mapping[LayerKind, bytes]]:
    """A few pictures of smooth shapes, encoded."""
    encoder = ImageEncoder(load_pack("nano").component("codec"), threads=1)
    y, x = np.mgrid[: settings.height, : settings.width] / settings.width
    waves = [
        np.stack([np.sin((3 + k) * x + c) + np.cos((5 - k) * y * (1 + c)) for c in range(3)], -1)
        for k in range(4)
    ]
    images = [((wave + 2) * 63).astype(np.uint8) for wave in waves]
    encoded = [encoder.encode(image, quality=10).layers for image in images]
    return [dict(zip(_IMAGE_LAYERS, layers, strict=True)) for layers in encoded]


async def _watch(pid: int, seconds: float, tasks: Sequence[asyncio.Task[None]]) -> list[int]:
    """Sample the receiver's memory until the time is over; what fails meanwhile is raised."""
    memory = []
    for _ in range(_SAMPLES):
        done, _ = await asyncio.wait(
            tasks, timeout=seconds / _SAMPLES, return_when=asyncio.FIRST_EXCEPTION
        )
        for task in done:
            task.result()
        memory.append(resident_bytes(pid))
    return memory


def _cpu_seconds(pid: int) -> float:
    import os

    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
