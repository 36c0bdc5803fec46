# ruff: noqa: INP001 - a program, not a package
"""The live page under clients that finish nothing, with 1,024 descriptors.

    python scripts/slow-clients.py --out docs/results/slow-clients.json      # two minutes
    python scripts/slow-clients.py --seconds 10 --out /tmp/slow.json         # for a look

2,000 connections that say nothing or a byte a second, 256 readers of pictures and events that never
read, 64 logins of which half comes, from ten addresses of this machine; who is sent away is back
after a second. Meanwhile a visitor comes anew every second: the page, the streams, a picture, the
first event of the live feed. Needs mosquitto and the project's environment. Exit code 1 if a bar is
missed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import platform
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from view_stage import Stage, stage

from misc_lab.programs import Program
from misc_lab.slow_clients import Crowd, SlowClients, half_login, reader

_DESCRIPTORS = 1024
_TOKEN = "the-token-of-this-measurement"  # noqa: S105 - of this alone
_ADDRESSES = [f"127.0.0.{number}" for number in range(2, 12)]
_STREAMS = 5
_EVERY = 1.0
_SLOWEST = 1.0
_VISIT = ("/", "/streams", "/streams/camera-00/latest.jpg", "/live")


def _crowds(share: float) -> list[Crowd]:
    feed = reader("/live", token=_TOKEN)
    video = reader("/streams/camera-00/live.mjpg", token=_TOKEN)
    events = reader("/events", token=_TOKEN)
    return [
        Crowd(int(1500 * share)),
        Crowd(int(500 * share), trickles=True),
        Crowd(int(100 * share), says=feed),
        Crowd(int(100 * share), says=video),
        Crowd(int(56 * share), says=events),
        Crowd(int(64 * share), says=half_login()),
    ]


def _attack(port: int, share: float, end: Connection) -> None:
    """Be the slow clients until told to end: of a process of its own."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with SlowClients(port, _crowds(share), addresses=_ADDRESSES) as clients:
        end.recv()
        end.send(clients.figures)


@contextmanager
def _crowd(port: int, share: float) -> Iterator[dict[str, int]]:
    """Run the slow clients; afterwards what it gives holds their figures."""
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    process = processes.Process(target=_attack, args=(port, share, theirs))
    process.start()
    figures: dict[str, int] = {}
    try:
        time.sleep(2)  # until it runs
        yield figures
        ours.send("end")
        figures |= ours.recv()
    finally:
        process.terminate()
        process.join()


def _ask(port: int, path: str) -> None:
    """Ask for something; of a feed, the first event."""
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        link.request("GET", path, headers={"Authorization": f"Bearer {_TOKEN}"})
        answer = link.getresponse()
        if answer.status != http.client.OK:
            raise http.client.HTTPException(f"{path} answers {answer.status}")
        if path == "/live":
            answer.fp.readline()
        else:
            answer.read()
    finally:
        link.close()


def _visit(port: int) -> tuple[dict[str, float], str | None]:
    """Come as somebody new; seconds of each answer, and what went wrong."""
    took: dict[str, float] = {}
    for path in _VISIT:
        began = time.monotonic()
        try:
            _ask(port, path)
        except (OSError, http.client.HTTPException) as error:
            return took, f"{path}: {error!r}"
        finally:
            took[path] = round(time.monotonic() - began, 3)
    return took, None


def _visits(port: int, pid: int, *, seconds: float) -> Iterator[dict[str, Any]]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        took, wrong = _visit(port)
        slowest = max(took.values())
        yield {
            "took": took,
            "seconds": slowest,
            "wrong": wrong,
            "descriptors": sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir()),
        }
        time.sleep(max(0.0, 1.0 - slowest))


def _pictures(receiver: Program) -> dict[str, list[int]]:
    """Numbers of the frames that were decoded, by stream."""
    found: dict[str, set[int]] = {}
    for one in receiver.reports("picture"):
        found.setdefault(one["stream"], set()).add(int(one["frame"].partition("-")[2]))
    return {stream: sorted(numbers) for stream, numbers in found.items()}


def _lost(numbers: list[int]) -> int:
    """Frames that are not there: their numbers count eighths of a second.

    A camera that was late takes its next picture earlier, so the count is right in the end only.
    """
    return round((numbers[-1] - numbers[0]) / (8 * _EVERY)) + 1 - len(numbers)


@contextmanager
def _served(on: Stage) -> Iterator[tuple[Program, int]]:
    """A receiver with few descriptors, and cameras; give it and the page's port."""
    token = on.folder / "token"
    token.write_text(_TOKEN + "\n")
    token.chmod(0o600)
    receiver, url = on.receive("--no-refine", "--view-token-file", token)
    resource.prlimit(receiver.process.pid, resource.RLIMIT_NOFILE, (_DESCRIPTORS, _DESCRIPTORS))
    on.start(
        "cameras", "misc_lab.fleet", "--port", on.port, "--streams", _STREAMS, "--every", _EVERY
    )
    deadline = time.monotonic() + 120
    while len(receiver.reports("picture")) < 3 * _STREAMS and time.monotonic() < deadline:
        time.sleep(0.5)
    yield receiver, int(url.rstrip("/").rpartition(":")[2])


def _measure(on: Stage, *, seconds: float, share: float) -> dict[str, Any]:
    with _served(on) as (receiver, port):
        pid = receiver.process.pid
        before = list(_visits(port, pid, seconds=min(10.0, seconds)))
        with _crowd(port, share) as figures:
            during = list(_visits(port, pid, seconds=seconds))
        after = list(_visits(port, pid, seconds=min(10.0, seconds)))
        log = receiver.log.read_text(errors="replace")
    pictures = _pictures(receiver)
    return {
        "clients": dict(figures),
        "visitor": {
            "visits": len(during),
            "failed": [one["wrong"] for one in during if one["wrong"]],
            "slowest_before_s": max(one["seconds"] for one in before),
            "slowest_s": max(one["seconds"] for one in during),
            "slowest_of_each_s": {
                path: max(one["took"].get(path, 0.0) for one in during) for path in _VISIT
            },
            "median_s": sorted(one["seconds"] for one in during)[len(during) // 2],
            "slowest_after_s": max(one["seconds"] for one in after),
        },
        "descriptors": {
            "limit": _DESCRIPTORS,
            "before": before[-1]["descriptors"],
            "most": max(one["descriptors"] for one in during),
            "after": after[-1]["descriptors"],
        },
        "pictures": {
            "decoded": sum(map(len, pictures.values())),
            "lost": {stream: _lost(numbers) for stream, numbers in pictures.items()},
        },
        "tracebacks": log.count("Traceback"),
        "too_many_open_files": log.count("Too many open files"),
        "load_average": os.getloadavg()[0],
    }


def _bars(result: dict[str, Any]) -> dict[str, bool]:
    return {
        "a new visitor is answered within 1 s": not result["visitor"]["failed"]
        and result["visitor"]["slowest_s"] <= _SLOWEST,
        "no picture is lost": not any(result["pictures"]["lost"].values()),
        "no descriptor runs out": not result["too_many_open_files"] and not result["tracebacks"],
    }


def main() -> int:
    """Measure and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=60, help="with the slow clients")
    parser.add_argument("--share", type=float, default=1.0, help="of the slow clients")
    options = parser.parse_args()
    with stage() as on:
        result = _measure(on, seconds=options.seconds, share=options.share)
    result = {
        "command": "python scripts/slow-clients.py " + " ".join(sys.argv[1:]),
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        **result,
        "bars": _bars(result),
    }
    text = json.dumps(result, indent=1)
    options.out.write_text(text + "\n")
    print(text)  # noqa: T201 - what it is for
    return 0 if all(result["bars"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
