# ruff: noqa: INP001 - a program, not a package
"""Does a `misc-send` that runs on and on take more and more memory?

    python scripts/sender-memory.py --seconds 900 --out docs/results/sender-memory.json

A looped film over MQTT to a mosquitto on this machine and a `misc-recv`, with nano semantics, each
program in a process of its own. Exit code 1 if the resident memory of the last third of the run
lies more than 2 MB above that of the third before it. With --trace the sender says at its end
which lines of Python hold what was allocated in the second half.
"""

from __future__ import annotations

import argparse
import getpass
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

from misc_lab.fleet.measuring import resident_bytes
from misc_lab.survival.video import write_video

_STARTS = {"misc-send": "misc_sender.cli", "misc-recv": "misc_receiver.cli"}
_EVERY = 5.0
_GROWTH_MB = 2.0

# Runs in the sender beside the program itself: what the second half left behind, by line.
_TRACE = """
import threading, time, tracemalloc
tracemalloc.start(8)
def _watch():
    time.sleep({after})
    before = tracemalloc.take_snapshot()
    time.sleep({after} * 0.9)
    for one in tracemalloc.take_snapshot().compare_to(before, "lineno")[:25]:
        print(one, file=sys.stderr, flush=True)
threading.Thread(target=_watch, daemon=True).start()
"""


def main() -> int:
    """Run it, write what was measured, and say whether memory levels off."""
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        port = _free_port()
        broker = _start_broker(folder, port)
        try:
            measured = _run(options, folder, f"mqtt://127.0.0.1:{port}/misc/memory")
        finally:
            broker.terminate()
            broker.wait()
    result = {
        "command": "python scripts/sender-memory.py " + " ".join(sys.argv[1:]),
        "cores": len(os.sched_getaffinity(0)),
        "load_average": [round(one, 1) for one in os.getloadavg()],
        **measured,
    }
    text = json.dumps(result, indent=1) + "\n"
    if options.out is not None:
        options.out.write_text(text)
    print(text)  # noqa: T201 - a program's result
    return 0 if measured["last_third_over_middle_mb"] <= _GROWTH_MB else 1


def _run(options: argparse.Namespace, folder: Path, url: str) -> dict[str, Any]:
    film = write_video(folder / "film.mp4", rate=options.fps)
    receiver = _start("misc-recv", "--from", url, "--no-refine", stdout=subprocess.DEVNULL)
    sender = _start(
        "misc-send", film, "--loop", "--to", url, "--fps", options.fps,
        "--max-side", options.side, "--semantics", "nano", "--deadline", 20,
        stdout=subprocess.PIPE, trace=options.seconds / 2 if options.trace else None,
    )  # fmt: skip
    told: Counter[str] = Counter()
    reading = threading.Thread(target=_read, args=(sender, told), daemon=True)
    reading.start()
    began = time.monotonic()
    rows: list[dict[str, float]] = []
    try:
        while time.monotonic() < began + options.seconds and sender.poll() is None:
            time.sleep(_EVERY)
            rows.append(_sample(sender.pid, receiver.pid, time.monotonic() - began))
    finally:
        for program in (sender, receiver):
            program.terminate()
            program.wait(30)
    reading.join(5)
    third = len(rows) // 3
    middle, last = (
        statistics.fmean(row["sender_mb"] for row in part)
        for part in (rows[third : 2 * third], rows[2 * third :])
    )
    return {
        "seconds": options.seconds,
        "pictures_per_second": options.fps,
        "longest_side": options.side,
        "reports": dict(sorted(told.items())),
        "last_third_over_middle_mb": round(last - middle, 2),
        "samples": rows,
    }


def _sample(sender: int, receiver: int, at: float) -> dict[str, float]:
    kinds = _rollup(sender)
    return {
        "at": round(at),
        "sender_mb": round(resident_bytes(sender) / 1e6, 2),
        "sender_private_mb": round(kinds["Anonymous"] * 1024 / 1e6, 2),
        "sender_threads": len(list(Path(f"/proc/{sender}/task").iterdir())),
        "receiver_mb": round(resident_bytes(receiver) / 1e6, 2),
    }


def _rollup(pid: int) -> dict[str, int]:
    """Kilobytes of a process's memory by kind."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {line.partition(":")[0]: int(line.split()[1]) for line in lines}


def _read(sender: subprocess.Popen[str], told: Counter[str]) -> None:
    assert sender.stdout is not None  # noqa: S101 - asked for
    for line in sender.stdout:
        report = json.loads(line)
        told[f"{report['event']} {report.get('outcome', '')}".strip()] += 1


def _start(
    program: str, *arguments: object, stdout: int, trace: float | None = None
) -> subprocess.Popen[str]:
    start = f"import sys; sys.argv[0] = {program!r}\n"
    if trace is not None:
        start += _TRACE.format(after=trace)
    start += f"from {_STARTS[program]} import app; app()"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", start, *map(str, arguments)]
    return subprocess.Popen(command, stdout=stdout, text=True, env=environment)


def _start_broker(folder: Path, port: int) -> subprocess.Popen[bytes]:
    broker = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin")
    if broker is None:
        sys.exit("mosquitto is not installed; install it with: apt-get install mosquitto")
    config = folder / "mosquitto.conf"
    config.write_text(
        f"user {getpass.getuser()}\nlistener {port} 127.0.0.1\nallow_anonymous true\n"
    )
    process = subprocess.Popen([broker, "-c", str(config)], stderr=subprocess.DEVNULL)
    time.sleep(1.0)
    return process


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=900.0)
    parser.add_argument("--fps", type=int, default=2, help="pictures a second, of the film too")
    parser.add_argument("--side", type=int, default=128, help="pixels of the longer side")
    parser.add_argument("--trace", action="store_true", help="name lines that hold memory")
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
