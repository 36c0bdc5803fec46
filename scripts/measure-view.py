# ruff: noqa: INP001 - a program, not a package
"""The live page under load: first tile, delay of pictures, memory, viewers that do not read.

python scripts/measure-view.py --out docs/results/viewer.json               # 25 minutes
python scripts/measure-view.py --minutes 2 --streams 5 --out viewer.json    # for a look
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page
from view_stage import Stage, chromium, stage

_TINY = 96
"""Pixels of a picture's longer side: the page is measured, not the codec."""

_LISTEN = """() => {
  window.delays = [];
  document.addEventListener("picture-shown", ({ detail }) => {
    if (detail.kind === "coarse") window.delays.push(detail.shown - detail.decoded);
  });
}"""

_FIRST_TILE = """() => new Promise((done) => {
  const look = () => document.querySelector(".tile img")?.complete
    ? requestAnimationFrame(() => done(performance.now())) : requestAnimationFrame(look);
  look();
})"""


def _cameras(on: Stage, *, streams: int, fps: float, seconds: float) -> None:
    for number in range(streams):
        on.start(
            f"camera{number}", "misc-send", "pattern", "--fps", fps, "--max-side", _TINY,
            "--count", int(fps * seconds), "--semantics", "none", "--quality", 8, "--no-adapt",
            "--to", f"{on.broker}/misc/camera{number}",
        )  # fmt: skip


def _resident(pid: int) -> float:
    """Megabytes of memory that a process has."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def _heap(session: CDPSession) -> float:
    """Megabytes of a page's heap, after rubbish was collected."""
    session.send("HeapProfiler.collectGarbage")
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(one["value"] / 1e6 for one in metrics if one["name"] == "JSHeapUsedSize")


def _renderers() -> float:
    """Megabytes of memory that all of chromium's renderers have."""
    total = 0.0
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"--type=renderer" in path.read_bytes():
                total += _resident(int(path.parent.name))
        except (OSError, StopIteration):
            continue
    return total


def _open_page(browser: Browser, url: str) -> tuple[Page, float]:
    """Open the page; milliseconds until its first tile was painted."""
    page = browser.new_context(viewport={"width": 1600, "height": 1200}).new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(f"({_LISTEN})()")
    page.goto(url, wait_until="commit")
    page.wait_for_selector(".tile img", state="attached")
    return page, float(page.evaluate(_FIRST_TILE))


def _watch(on: Stage, *, streams: int, minutes: float) -> dict[str, Any]:
    """One page over many streams: first tile, delays, memory."""
    receiver, url = on.receive("--no-refine")
    _cameras(on, streams=streams, fps=1, seconds=60 * minutes + 240)
    on.wait_for(f"camera{streams - 1}", "done")
    time.sleep(10)
    with chromium() as browser:
        _open_page(browser, url)[0].close()  # a browser that has just started is not the page
        firsts = []
        for _ in range(5):
            page, first = _open_page(browser, url)
            firsts.append(first)
            page.close()
        page, _ = _open_page(browser, url)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        samples = []
        ends = time.monotonic() + 60 * minutes
        while time.monotonic() < ends:
            page.wait_for_timeout(30_000)
            samples.append((_heap(session), _renderers(), _resident(receiver.pid)))
        delays = sorted(1000 * delay for delay in page.evaluate("window.delays"))
    after_a_minute, last = samples[min(1, len(samples) - 1)], samples[-1]
    return {
        "first_tile_ms": {"median": statistics.median(firsts), "worst": max(firsts)},
        "coarse_visible_ms": {
            "pictures": len(delays),
            "median": statistics.median(delays),
            "p95": delays[int(0.95 * (len(delays) - 1))],
        },
        "growth_after_first_minute_mb": {
            "page_heap": last[0] - after_a_minute[0],
            "renderer_processes": last[1] - after_a_minute[1],
            "receiver": last[2] - after_a_minute[2],
        },
        "minutes": minutes,
    }


async def _view(url: str, *, reading: int, deaf: int, seconds: float) -> int:
    """Follow pictures with many viewers; bytes that the reading ones got."""
    host, _, port = url.removeprefix("http://").rstrip("/").rpartition(":")
    ask = b"GET /streams/camera0/live.mjpg HTTP/1.1\r\nHost: localhost\r\n\r\n"
    links = [await asyncio.open_connection(host, int(port)) for _ in range(reading + deaf)]
    for _, writer in links:
        writer.write(ask)
    got = 0

    async def read(reader: asyncio.StreamReader) -> None:
        nonlocal got
        while data := await reader.read(1 << 16):
            got += len(data)

    tasks = [asyncio.create_task(read(reader)) for reader, _ in links[:reading]]
    await asyncio.sleep(seconds)
    for task in tasks:
        task.cancel()
    for _, writer in links:
        writer.transport.abort()
    return got


def _decoded(on: Stage) -> int:
    return on.log("receiver").read_text().count('"kind":"coarse"')


def _crowd(on: Stage, *, seconds: float) -> dict[str, Any]:
    """Frames decoded a second without viewers and with 100, in turns: load falls on both."""
    _, url = on.receive("--no-refine")
    _cameras(on, streams=4, fps=2, seconds=seconds * 8 + 120)
    on.wait_for("camera3", "done")
    time.sleep(10)
    rates: dict[str, list[float]] = {"none": [], "crowd": []}
    with ThreadPoolExecutor(1) as pool:
        for turn in range(6):
            crowd = turn % 2 == 1
            viewing = pool.submit(
                lambda: asyncio.run(_view(url, reading=50, deaf=50, seconds=seconds))
            ) if crowd else None  # fmt: skip
            before, start = _decoded(on), time.monotonic()
            time.sleep(seconds)
            rates["crowd" if crowd else "none"].append(
                (_decoded(on) - before) / (time.monotonic() - start)
            )
            if viewing is not None:
                viewing.result()
    none, crowd = statistics.mean(rates["none"]), statistics.mean(rates["crowd"])
    return {"viewers": 100, "of_which_deaf": 50, "frames_per_second": rates, "ratio": crowd / none}


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--streams", type=int, default=20)
    parser.add_argument("--turn", type=float, default=30, help="seconds of each turn of the crowd")
    options = parser.parse_args()
    result: dict[str, Any] = {
        "command": f"python scripts/measure-view.py --minutes {options.minutes:g} "
        f"--streams {options.streams}",
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "load_before": os.getloadavg(),
        "streams": options.streams,
    }
    with stage() as on:
        result |= _watch(on, streams=options.streams, minutes=options.minutes)
    result["load_between"] = os.getloadavg()
    options.out.write_text(json.dumps(result, indent=1) + "\n")  # half of it is worth keeping
    with stage() as on:
        result["crowd"] = _crowd(on, seconds=options.turn)
    result["load_after"] = os.getloadavg()
    options.out.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps(result, indent=1))  # noqa: T201 - what it is for


if __name__ == "__main__":
    main()
