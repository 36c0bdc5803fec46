"""Runs a fleet of cameras against a broker and one `misc-recv`, each in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from misc_lab.fleet.camera import Camera
from misc_lab.fleet.hostile import Hostile
from misc_lab.fleet.measuring import Ledger, resident_bytes
from misc_lab.programs import command
from misc_shared.codec import ImageEncoder
from misc_shared.companions import end_tasks
from misc_shared.packs import load_pack
from misc_shared.transports import open_sender
from misc_shared.wire import LayerKind

__all__ = ["FleetSettings", "encode_pictures", "open_cameras", "run_fleet"]

_SAMPLES = 20
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
    """

    port: int
    streams: int = 50
    every: float = 5.0
    seconds: float = 600.0
    flood: float = 200.0
    width: int = 128
    height: int = 96


async def run_fleet(settings: FleetSettings) -> dict[str, Any]:
    """Run it; give what was measured, JSON-ready."""
    receiver = await _start_receiver(settings)
    ledger = Ledger()
    reading = asyncio.create_task(_read(receiver, ledger))
    cameras = await open_cameras(settings)
    hostile = Hostile("127.0.0.1", settings.port, per_second=max(1.0, settings.flood))
    tasks = [asyncio.create_task(camera.run()) for camera in cameras.values()]
    if settings.flood:
        tasks.append(asyncio.create_task(hostile.run()))
    try:
        memory = await _watch(receiver.pid, settings.seconds, tasks)
        cpu = _cpu_seconds(receiver.pid)
    finally:
        await end_tasks(*tasks)
        receiver.terminate()
        await receiver.wait()
        await reading
    quarter = len(memory) // 4
    return {
        "sent": sum(camera.sent for camera in cameras.values()),
        "delivered": sum(camera.delivered for camera in cameras.values()),
        "garbage": hostile.sent,
        **ledger.summary(list(cameras)),
        "receiver_cpu_seconds": round(cpu, 1),
        "memory_mb": [round(one / 1e6, 1) for one in memory],
        "memory_growth_mb": round(
            (max(memory[-quarter:]) - max(memory[quarter : 2 * quarter])) / 1e6, 1
        ),
    }


async def _start_receiver(settings: FleetSettings) -> Process:
    url = f"mqtt://127.0.0.1:{settings.port}/misc/+"
    receiver = await asyncio.create_subprocess_exec(
        *command("misc-recv", "--from", url, "--no-refine"), stdout=PIPE
    )
    assert receiver.stdout is not None  # noqa: S101 - it was asked for
    first = await receiver.stdout.readline()
    assert b'"listening"' in first  # noqa: S101 - or it has ended with a sentence
    return receiver


async def _read(receiver: Process, ledger: Ledger) -> None:
    assert receiver.stdout is not None  # noqa: S101 - it was asked for
    async for line in receiver.stdout:
        with contextlib.suppress(json.JSONDecodeError):  # the last one may be cut off
            ledger.note(json.loads(line), now=time.monotonic())


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
    from pathlib import Path

    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
