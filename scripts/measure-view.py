# ruff: noqa: INP001 - a program, not a package
"""The live page under load: first tile, delay of pictures, memory, viewers that do not read.

    python scripts/measure-view.py --out docs/results/viewer.json               # 16 minutes
    python scripts/measure-view.py --minutes 2 --streams 5 --out viewer.json    # for a look
    python scripts/measure-view.py --part watch --out viewer.json               # one part anew

Needs mosquitto, chromium and the project's environment. One process sends pictures that were
encoded beforehand, so that the page and the receiver are measured, and not the encoder. The page's
memory is that of a second browser, which nobody drives: in one that is driven, the debugger keeps
every response (some 18 kB a picture) whatever the page does. Exit code 1 if a bar is missed.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import socket
import statistics
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page
from view_stage import Stage, chromium, plain_chromium, stage

_BARS = {
    "first_tile_ms": 1000.0,
    "coarse_visible_p95_ms": 150.0,
    "page_growth_mb": 50.0,
    "receiver_growth_mb": 20.0,
    "crowd_change": 0.05,
}
_OPENINGS = 5
_SAMPLE_EVERY = 15.0
_SETTLING = 3.0
"""Seconds after the opening of a page; the pictures that it finds there are older than itself."""

_LISTEN = """
  window.shown = [];
  document.addEventListener("picture-shown", ({ detail }) => {
    window.firstTile ??= performance.now();
    if (detail.kind === "coarse") window.shown.push([detail.decoded, detail.shown]);
  });
"""


def _cameras(on: Stage, url: str, *, streams: int, every: float) -> None:
    """Start them, and wait until each has shown a picture."""
    on.start(
        "cameras", "misc_lab.fleet", "--port", on.port, "--streams", streams, "--every", every
    ).wait_for("sending", seconds=120)
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        with urllib.request.urlopen(f"{url}streams") as answer:  # noqa: S310 - our own receiver
            shown = [one for one in json.load(answer)["streams"] if one.get("shown")]
        if len(shown) == streams:
            return
        time.sleep(1)
    raise TimeoutError(f"only {len(shown)} of {streams} streams have shown a picture")


def _resident(pid: int) -> float:
    """Megabytes of memory that a process has."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmRSS"))


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _heap(session: CDPSession) -> float:
    """Megabytes of a page's heap, after rubbish was collected."""
    session.send("HeapProfiler.collectGarbage")
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(one["value"]) / 1e6 for one in metrics if one["name"] == "JSHeapUsedSize")


def _descendants(parent: int) -> Iterator[int]:
    for task in Path(f"/proc/{parent}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            yield child
            yield from _descendants(child)


def _renderers(browser: int) -> float:
    """Megabytes of memory that the renderers of a browser have."""
    total = 0.0
    for pid in _descendants(browser):
        try:
            if b"--type=renderer" in Path(f"/proc/{pid}/cmdline").read_bytes():
                total += _resident(pid)
        except (OSError, StopIteration):
            continue  # it has just ended
    return total


def _open_page(browser: Browser, url: str) -> tuple[Page, float]:
    """Open the page; milliseconds from the start of that until its first picture was painted."""
    page = browser.new_context(viewport={"width": 1600, "height": 1200}).new_page()
    page.add_init_script(_LISTEN)
    page.goto(url, wait_until="commit")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        first = page.evaluate("window.firstTile ?? null")
        if first is not None:
            return page, float(first)
        page.wait_for_timeout(100)
    raise TimeoutError("no tile within a minute")


def _watch(on: Stage, *, streams: int, minutes: float) -> dict[str, Any]:
    """One page over many streams: first tile, delays, memory."""
    receiver, url = on.receive("--no-refine")
    _cameras(on, url, streams=streams, every=1.0)
    with chromium() as browser:
        _open_page(browser, url)[0].context.close()  # the first one starts the browser's own parts
        firsts = []
        for _ in range(_OPENINGS):
            page, first = _open_page(browser, url)
            firsts.append(first)
            page.context.close()
        page, _ = _open_page(browser, url)
        with plain_chromium(url) as plain:
            page.wait_for_timeout(1000 * _SETTLING)
            begun, cpu = time.time(), _cpu_seconds(receiver.process.pid)
            before = len(receiver.reports("picture"))
            samples = list(_memory(page, plain, receiver.process.pid, seconds=60 * minutes))
        cpu = (_cpu_seconds(receiver.process.pid) - cpu) / (time.time() - begun)
        decoded = receiver.reports("picture")[before:]
        shown = [one for one in page.evaluate("window.shown") if one[0] >= begun]
    return {
        "minutes": minutes,
        "first_tile_ms": [round(one) for one in firsts],
        "coarse_visible": {
            # A frame is decoded again when more of its layers have come.
            "decoded": len(decoded),
            "frames_decoded": len({(one["stream"], one["frame"]) for one in decoded}),
            "shown": len(shown),
            **_spread([1000 * (at - decoded) for decoded, at in shown]),
        },
        "receiver_cpu_cores": round(cpu, 3),
        **_growth(samples),
    }


def _spread(delays: Sequence[float]) -> dict[str, int]:
    ordered = sorted(delays)
    return {
        f"{name}_ms": round(ordered[int(part * (len(ordered) - 1))])
        for name, part in (("median", 0.5), ("p95", 0.95), ("p99", 0.99), ("worst", 1.0))
    }


def _memory(page: Page, plain: int, receiver: int, *, seconds: float) -> Iterator[dict[str, float]]:
    """Megabytes of a page's heap, of the plain browser's renderers and of the receiver."""
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable")
    start = time.monotonic()
    while (passed := time.monotonic() - start) < seconds:
        yield {
            "seconds": round(passed),
            "page_heap": round(_heap(session), 2),
            "renderers": round(_renderers(plain), 1),
            "receiver": round(_resident(receiver), 1),
            "load": os.getloadavg()[0],
        }
        page.wait_for_timeout(1000 * min(_SAMPLE_EVERY, seconds - passed))


def _growth(samples: Sequence[dict[str, float]]) -> dict[str, Any]:
    """How much more memory there is at most later than after the first minute."""
    after = next((one for one in samples if one["seconds"] >= 60), samples[-1])  # noqa: PLR2004
    later = samples[samples.index(after) :]
    return {
        "growth_after_first_minute_mb": {
            part: round(max(one[part] for one in later) - after[part], 1)
            for part in ("page_heap", "renderers", "receiver")
        },
        "load_average": {
            "median": statistics.median(one["load"] for one in samples),
            "most": max(one["load"] for one in samples),
        },
        "memory_mb": [
            {key: value for key, value in one.items() if key != "load"} for one in samples
        ],
    }


def _asking(number: int) -> bytes:
    """Half of the viewers follow pictures, half what the page is told."""
    path = "/live" if number % 2 else "/streams/camera-00/live.mjpg"
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def _deaf(port: int, number: int) -> socket.socket:
    """A viewer that asks, and reads nothing."""
    link = socket.socket()
    link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    link.connect(("127.0.0.1", port))
    link.sendall(_asking(number))
    return link


async def _view(port: int, *, reading: int, deaf: int, seconds: float) -> int:
    """Follow with many viewers; bytes that the reading ones got."""
    silent = [_deaf(port, number) for number in range(deaf)]
    got = 0

    async def read(number: int) -> None:
        nonlocal got
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            writer.write(_asking(number))
            while data := await reader.read(1 << 16):
                got += len(data)
        finally:
            writer.transport.abort()

    tasks = [asyncio.create_task(read(number)) for number in range(reading)]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    for link in silent:
        link.close()
    wrong = [one for one in ended if not isinstance(one, asyncio.CancelledError)]
    if wrong:
        raise RuntimeError(f"{len(wrong)} viewers were sent away: {wrong[0]!r}")
    return got


def _crowd(on: Stage, *, streams: int, seconds: float, turns: int) -> dict[str, Any]:
    """Frames decoded a second without viewers and with 100, in turns: load falls on both."""
    receiver, url = on.receive("--no-refine")
    _cameras(on, url, streams=streams, every=1.0)
    port = int(url.rstrip("/").rpartition(":")[2])
    rates: dict[str, list[float]] = {"none": [], "crowd": []}
    cores: dict[str, list[float]] = {"none": [], "crowd": []}
    read = 0
    with ThreadPoolExecutor(1) as pool:
        for turn in range(2 * turns):
            name = "crowd" if turn % 2 else "none"
            viewers = {"reading": 50, "deaf": 50} if turn % 2 else {"reading": 0, "deaf": 0}
            # They come before and leave after what is counted.
            viewing = pool.submit(asyncio.run, _view(port, seconds=seconds + 4, **viewers))
            time.sleep(2)
            decoded, cpu = len(receiver.reports("picture")), _cpu_seconds(receiver.process.pid)
            start = time.monotonic()
            time.sleep(seconds)
            passed = time.monotonic() - start
            rates[name].append(round((len(receiver.reports("picture")) - decoded) / passed, 2))
            cores[name].append(round((_cpu_seconds(receiver.process.pid) - cpu) / passed, 3))
            read += viewing.result()
    none, crowd = statistics.mean(rates["none"]), statistics.mean(rates["crowd"])
    return {
        "viewers": 100,
        "of_which_deaf": 50,
        "megabytes_read": round(read / 1e6, 1),
        "decoded_per_second": rates,
        "receiver_cpu_cores": cores,
        "change": round(crowd / none - 1, 4),
        "load_average": os.getloadavg()[0],
    }


def _bars(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    growth = result["growth_after_first_minute_mb"]
    measured = {
        "first_tile_ms": max(result["first_tile_ms"]),
        "coarse_visible_p95_ms": result["coarse_visible"]["p95_ms"],
        "page_growth_mb": max(growth["page_heap"], growth["renderers"]),
        "receiver_growth_mb": growth["receiver"],
        "crowd_change": abs(result["crowd"]["change"]),
    }
    return {
        name: {"measured": measured[name], "at_most": most, "kept": measured[name] <= most}
        for name, most in _BARS.items()
    }


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part", choices=("watch", "crowd"), help="keep the other of --out")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--turn", type=float, default=30, help="seconds of each turn of the crowd")
    parser.add_argument("--turns", type=int, default=3, help="with and without the crowd, each")
    return parser.parse_args()


def main() -> int:
    """Measure and write."""
    options = _options()
    kept = json.loads(options.out.read_text()) if options.part else {}
    result: dict[str, Any] = kept | {
        "command": "python scripts/measure-view.py " + " ".join(sys.argv[1:]),
        "machine": f"{platform.machine()}, {len(os.sched_getaffinity(0))} cores",
        "streams": options.streams,
        "pictures_per_second_each": 1,
        "picture": [128, 96],
        "load_average_before": os.getloadavg()[0],
    }
    if options.part != "crowd":
        with stage() as on:
            result |= _watch(on, streams=options.streams, minutes=options.minutes)
        options.out.write_text(json.dumps(result, indent=1) + "\n")  # half is worth keeping
    if options.part != "watch":
        with stage() as on:
            result["crowd"] = _crowd(
                on, streams=options.streams, seconds=options.turn, turns=options.turns
            )
    result["bars"] = _bars(result)
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({**result, "memory_mb": "..."}, indent=1))  # noqa: T201 - what it is for
    return 0 if all(one["kept"] for one in result["bars"].values()) else 1


if __name__ == "__main__":
    sys.exit(main())
