"""Takes the disk away from under a receiver of many streams, in the ways in which disks go.

    cameras ──> mosquitto ──> misc-recv --out DISK/out --metrics     DISK: a tmpfs of a few MB

The disk is filled, mounted read-only, and its folder removed, each for a while, and mended again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from misc_lab.fleet.measuring import Ledger
from misc_lab.fleet.run import FleetSettings, open_cameras
from misc_lab.programs import command
from misc_shared.companions import end_tasks

__all__ = ["FAULTS", "DiskSettings", "run_disk_faults", "small_disk"]

_PATIENCE = 60.0
"""Seconds that anything is waited for."""

_MOUNT, _UNMOUNT = "/usr/bin/mount", "/usr/bin/umount"

FAULTS = ("full", "read-only", "removed", "in the way")
"""The last two: the folder is taken away, and a file stands where it was."""


@dataclass(frozen=True, kw_only=True)
class DiskSettings:
    """What is run.

    Attributes:
        port: TCP port of the broker on this machine.
        disk: where a tmpfs is mounted; see `small_disk`.
        streams: cameras.
        every: seconds between two pictures of a camera.
        lasting: seconds that each fault lasts.
        faults: which of `FAULTS`.
    """

    port: int
    disk: Path
    streams: int = 5
    every: float = 1.0
    lasting: float = 10.0
    faults: tuple[str, ...] = FAULTS


@contextlib.contextmanager
def small_disk(folder: Path, *, megabytes: int = 8) -> Iterator[Path]:
    """Mount a tmpfs for a while; for root alone.

    Raises:
        CalledProcessError: it cannot be mounted.
    """
    size = f"size={megabytes}m"
    subprocess.run([_MOUNT, "-t", "tmpfs", "-o", size, "tmpfs", folder], check=True)
    try:
        yield folder
    finally:
        subprocess.run([_UNMOUNT, "--lazy", folder], check=True)


class _Receiver:
    """A `misc-recv` of many streams that keeps pictures on the disk."""

    def __init__(self, process: Process, *, metrics_port: int) -> None:
        self.process = process
        self.ledger = Ledger()
        self.said: list[str] = []
        self._metrics_port = metrics_port
        self._tasks = [
            asyncio.create_task(self._read_reports()),
            asyncio.create_task(self._read_log()),
        ]

    @classmethod
    async def start(cls, settings: DiskSettings, out: Path) -> _Receiver:
        """Start it, and wait until it listens."""
        metrics_port = _free_port()
        process = await asyncio.create_subprocess_exec(
            *command("misc-recv", "--from", f"mqtt://127.0.0.1:{settings.port}/misc/+"),
            *("--no-refine", "--out", str(out), "--metrics", str(metrics_port)),
            stdout=PIPE,
            stderr=PIPE,
        )
        assert process.stdout is not None  # noqa: S101 - it was asked for
        assert b'"listening"' in await process.stdout.readline()  # noqa: S101 - or it has ended
        return cls(process, metrics_port=metrics_port)

    def health(self) -> dict[str, Any]:
        """What `/healthz` says."""
        url = f"http://127.0.0.1:{self._metrics_port}/healthz"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found: dict[str, Any] = json.load(answer)
        except urllib.error.HTTPError as error:
            found = json.load(error)
        except OSError:  # it is about to end
            return {"status": "gone", "reasons": []}
        return found

    async def stop(self) -> None:
        """End it, and read what it still says."""
        if self.process.returncode is None:
            self.process.terminate()
        await self.process.wait()
        await asyncio.gather(*self._tasks)

    async def _read_reports(self) -> None:
        assert self.process.stdout is not None  # noqa: S101 - it was asked for
        async for line in self.process.stdout:
            with contextlib.suppress(json.JSONDecodeError):  # the last one may be cut off
                self.ledger.note(json.loads(line), now=time.monotonic())

    async def _read_log(self) -> None:
        assert self.process.stderr is not None  # noqa: S101 - it was asked for
        async for line in self.process.stderr:
            self.said.append(line.decode(errors="replace").rstrip())


async def run_disk_faults(settings: DiskSettings) -> dict[str, Any]:
    """Run it; give what was measured, JSON-ready, one row for each fault."""
    out = settings.disk / "out"
    receiver = await _Receiver.start(settings, out)
    fleet = FleetSettings(port=settings.port, streams=settings.streams, every=settings.every)
    cameras = await open_cameras(fleet)
    tasks = [asyncio.create_task(camera.run()) for camera in cameras.values()]
    rows: list[dict[str, Any]] = []
    try:
        await _until(lambda: len(receiver.ledger.shown) == settings.streams, receiver)
        for fault in settings.faults:
            rows.append(await _suffer(fault, settings, receiver, out))
            if receiver.process.returncode is not None:
                break
    finally:
        await end_tasks(*tasks)
        await receiver.stop()
    return {
        "faults": rows,
        "exit_status": receiver.process.returncode,
        "said": receiver.said,
        "traceback": any("Traceback" in line for line in receiver.said),
    }


async def _suffer(
    fault: str, settings: DiskSettings, receiver: _Receiver, out: Path
) -> dict[str, Any]:
    """Have one fault, mend it, and wait for new files."""
    lines = len(receiver.said)
    _break(fault, settings.disk, out)
    began = time.monotonic()
    shown = {name: len(frames) for name, frames in receiver.ledger.shown.items()}
    degraded = await _until(lambda: receiver.health()["status"] == "degraded", receiver)
    degraded_after = time.monotonic() - began
    reasons = receiver.health()["reasons"] if degraded else []
    await asyncio.sleep(settings.lasting)
    went_on = [len(receiver.ledger.shown[name]) - count for name, count in shown.items()]
    sentences = sum("cannot write" in line for line in receiver.said[lines:])
    mended = time.time()
    _mend(fault, settings.disk)
    written = await _until(lambda: _newest(out) > mended, receiver)
    recovered_after = time.time() - mended
    well = await _until(lambda: receiver.health()["status"] == "ok", receiver)
    return {
        "fault": fault,
        "degraded": degraded,
        "degraded_after_seconds": round(degraded_after, 1),
        "reasons": reasons,
        "sentences": sentences,
        "fewest_pictures_meanwhile": min(went_on, default=0),
        "streams": len(went_on),
        "written_again": written,
        "written_after_seconds": round(recovered_after, 1),
        "healthy_again": well,
    }


def _break(fault: str, disk: Path, out: Path) -> None:
    match fault:
        case "full":
            with (disk / "filler").open("wb", buffering=0) as filler, contextlib.suppress(OSError):
                while True:
                    filler.write(bytes(4096))
        case "read-only":
            subprocess.run([_MOUNT, "-o", "remount,ro", disk], check=True)
        case "removed":
            shutil.rmtree(out)
        case "in the way":
            shutil.rmtree(out)
            out.write_bytes(b"")


def _mend(fault: str, disk: Path) -> None:
    match fault:
        case "full":
            (disk / "filler").unlink()
        case "read-only":
            subprocess.run([_MOUNT, "-o", "remount,rw", disk], check=True)
        case "in the way":
            (disk / "out").unlink()


def _newest(folder: Path) -> float:
    """When the newest picture was written; 0 if there is none."""
    try:
        return max((one.stat().st_mtime for one in folder.glob("*.png")), default=0.0)
    except OSError:
        return 0.0


async def _until(what: Callable[[], bool], receiver: _Receiver | None = None) -> bool:
    """Wait for something; whether it came, in time and before the receiver's end."""
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        if receiver is not None and receiver.process.returncode is not None:
            return False
        if await asyncio.to_thread(what):
            return True
        await asyncio.sleep(0.2)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
