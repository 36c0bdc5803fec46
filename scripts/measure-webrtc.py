# ruff: noqa: INP001 - a program, not a package
"""WebRTC over long and slow links: does it stay up, and what does it cost?

Runs misc-send and misc-recv as processes, with a box between them that delays, limits and counts
every packet (IP and UDP headers included, both directions):

    python scripts/measure-webrtc.py --out docs/results/webrtc.json            # 5 minutes and a bit

With --transport no pictures are made: both transports run in this process and carry what a session
would say, a picture in four datagrams and an answer of 25 bytes. That costs next to no computing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import random
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from misc_lab.links.link import SimulatedLink
from misc_lab.links.loss import NoLoss
from misc_lab.links.schedule import RateSchedule
from misc_lab.links.udp_box import IP_AND_UDP, SignallingBox, UdpBox
from misc_shared.transports import Transport, open_receiver, open_sender

_STARTS = {"misc-send": "misc_sender.cli", "misc-recv": "misc_receiver.cli"}


@dataclass(frozen=True, kw_only=True)
class Case:
    """One link and what is sent over it.

    Attributes:
        name: of the case.
        round_trip: seconds, the time on air not counted.
        kbps: rate of either direction.
        seconds: how long.
        fps: pictures a second that the source gives.
        nbytes: bytes that a picture may have.
    """

    name: str
    round_trip: float
    kbps: float
    seconds: float
    fps: float
    nbytes: int


CASES = (
    Case(name="600 ms", round_trip=0.6, kbps=256, seconds=300, fps=0.5, nbytes=800),
    Case(name="1200 ms", round_trip=1.2, kbps=256, seconds=300, fps=0.5, nbytes=800),
    Case(name="20 kbit/s", round_trip=0.1, kbps=20, seconds=120, fps=2.0, nbytes=1080),
    Case(
        name="20 kbit/s, small pictures", round_trip=0.1, kbps=20, seconds=120, fps=2.0, nbytes=500
    ),
    Case(name="20 kbit/s, 600 ms", round_trip=0.6, kbps=20, seconds=120, fps=1.0, nbytes=1080),
)


async def measure(case: Case) -> dict[str, Any]:
    """Send a moving picture over the link for a while, and say what became of it."""
    box = UdpBox(forward=_one_way(case), back=_one_way(case))
    port = _free_port()
    signalling = SignallingBox(f"http://127.0.0.1:{port}", box, delay=case.round_trip / 2)
    await signalling.start()
    address = f"webrtc+http://localhost:{port}/whip/bar"
    shown: Counter[str] = Counter()
    receiver = await _start("misc-recv", "--from", address, "--no-refine")
    listening = asyncio.create_task(_read(receiver, lambda report: shown.update([report["event"]])))
    await _until_listening(port)
    sender = await _start(
        "misc-send", "pattern", "--to", f"webrtc+http://localhost:{signalling.port}/whip/bar",
        "--fps", case.fps, "--bytes", case.nbytes, "--max-side", 256, "--semantics", "none",
        "--count", int(case.seconds * case.fps), "--deadline", 20, "--key-every", 1,
    )  # fmt: skip
    setup: dict[str, int] = {}
    ended: dict[str, Any] = {}

    def hear(report: dict[str, Any]) -> None:
        shown.update([f"sender {report['event']} {report.get('outcome', '')}".strip()])
        if report["event"] == "started":
            setup.update(sent=box.sent.bytes, returned=box.returned.bytes)
        elif report["event"] == "end":
            ended.update(report)

    began = time.monotonic()
    await _read(sender, hear)
    lasted = time.monotonic() - began
    receiver.kill()  # it would wait for the sender's return
    await asyncio.gather(listening, receiver.wait(), sender.wait())
    await signalling.close()
    print(f"{case.name}: done after {lasted:.0f} s", file=sys.stderr)  # noqa: T201 - progress
    if not ended:
        raise SystemExit(f"{case.name}: misc-send ended with {sender.returncode} and {shown}")
    wire = box.sent.bytes + box.returned.bytes - sum(setup.values())
    return {
        **asdict(case),
        "lasted_seconds": round(lasted, 1),
        "connections": signalling.connections,
        "setup_bytes": {"media": sum(setup.values()), "descriptions": signalling.setup_bytes},
        "payload_bytes": ended["bytes"],
        "datagrams": ended["datagrams"],
        "repeats": ended["repeats"],
        "wire_bytes": {
            "there": box.sent.bytes - setup["sent"],
            "back": box.returned.bytes - setup["returned"],
        },
        "packets": {"there": box.sent.packets, "back": box.returned.packets},
        "wire_over_payload": round(wire / ended["bytes"], 3),
        "reports": dict(sorted(shown.items())),
    }


async def measure_transport(case: Case) -> dict[str, Any]:
    """Carry what a session would say over the link for a while, without pictures."""
    box = UdpBox(forward=_one_way(case), back=_one_way(case))
    port = _free_port()
    signalling = SignallingBox(f"http://127.0.0.1:{port}", box, delay=case.round_trip / 2)
    await signalling.start()
    receiver = await open_receiver(f"webrtc+http://localhost:{port}")
    sender = await open_sender(f"webrtc+http://localhost:{signalling.port}")
    setup = {"sent": box.sent.bytes, "returned": box.returned.bytes}
    arrived: Counter[str] = Counter()
    companions = [
        asyncio.create_task(_answer(receiver, arrived)),
        asyncio.create_task(_swallow(sender)),
    ]
    sizes = [int(case.nbytes * share) for share in (0.35, 0.25, 0.25, 0.15)]
    payload, began, pictures = 0, time.monotonic(), 0
    while time.monotonic() < began + case.seconds:
        for size in sizes:
            await sender.send(bytes(size))
            payload += size
        pictures += 1
        await asyncio.sleep(max(0.0, began + pictures / case.fps - time.monotonic()))
    lasted = time.monotonic() - began
    await asyncio.sleep(2 * case.round_trip + 3)
    wire = box.sent.bytes + box.returned.bytes - sum(setup.values())
    for companion in companions:
        companion.cancel()
    result = {
        **asdict(case),
        "lasted_seconds": round(lasted, 1),
        "connections": signalling.connections,
        "setup_bytes": {"media": sum(setup.values()), "descriptions": signalling.setup_bytes},
        "payload_bytes": payload,
        "datagrams": {"sent": len(sizes) * pictures, "arrived": arrived["datagrams"]},
        "wire_bytes": {
            "there": box.sent.bytes - setup["sent"],
            "back": box.returned.bytes - setup["returned"],
        },
        "packets": {"there": box.sent.packets, "back": box.returned.packets},
        "wire_over_payload": round(wire / payload, 3),
    }
    await sender.close()
    await receiver.close()
    await signalling.close()
    return result


async def _answer(receiver: Transport, arrived: Counter[str]) -> None:
    while await receiver.receive() is not None:
        arrived["datagrams"] += 1
        if arrived["datagrams"] % 4 == 0:
            await receiver.send(bytes(25))


async def _swallow(sender: Transport) -> None:
    while await sender.receive() is not None:
        pass


def _one_way(case: Case) -> SimulatedLink:
    return SimulatedLink(
        schedule=RateSchedule(case.kbps * 1000),
        loss=NoLoss(),
        delay=case.round_trip / 2,
        mtu=1500,
        queue_bytes=65_536,
        overhead=IP_AND_UDP,
        generator=random.Random(1),  # noqa: S311 - jitter, of which there is none
    )


async def _start(program: str, *arguments: object) -> asyncio.subprocess.Process:
    start = f"import sys; sys.argv[0] = {program!r}; from {_STARTS[program]} import app; app()"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", start, *map(str, arguments),
        stdout=asyncio.subprocess.PIPE, env=environment,
    )  # fmt: skip


async def _read(
    process: asyncio.subprocess.Process, hear: Callable[[dict[str, Any]], None]
) -> None:
    assert process.stdout is not None  # noqa: S101 - asked for above
    async for line in process.stdout:
        hear(json.loads(line))


async def _until_listening(port: int) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(1.0)
        else:
            writer.close()
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def _all(cases: list[Case], *, transport: bool) -> list[dict[str, Any]]:
    return list(await asyncio.gather(*map(measure_transport if transport else measure, cases)))


def main() -> None:
    """Measure all cases at once: they sleep most of the time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--only", help="measure the case of this name, or those that contain it")
    parser.add_argument("--transport", action="store_true", help="without pictures")
    options = parser.parse_args()
    cases = [case for case in CASES if case.name == options.only]
    cases = cases or [case for case in CASES if options.only is None or options.only in case.name]
    results = asyncio.run(_all(cases, transport=options.transport))
    document = {
        "python": platform.python_version(),
        "made_by": "pictures from misc-send" if not options.transport else "the transport alone",
        "load_average": os.getloadavg(),
        "cases": results,
    }
    options.out.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for one in results:
        print(  # noqa: T201 - a program's output
            f"{one['name']}: {one['lasted_seconds']} s, {one['connections']} connection(s), "
            f"wire {one['wire_over_payload']} x payload"
        )


if __name__ == "__main__":
    main()
