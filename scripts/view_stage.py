# ruff: noqa: INP001 - part of programs, not of a package
"""A broker, senders, a receiver and a browser for the live page's pictures and measurements."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

__all__ = ["Stage", "chromium", "stage"]

_PROGRAMS = {"misc-send": "misc_sender.cli", "misc-recv": "misc_receiver.cli"}


class Stage:
    """Real programs round a real broker.

    Args:
        folder: for logs.
        port: the broker's.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.broker = f"mqtt://127.0.0.1:{port}"
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, name: str, program: str, *arguments: object) -> subprocess.Popen[bytes]:
        """Start `misc-send` or `misc-recv`; its lines go to NAME.log."""
        start = (
            f"import sys; sys.argv[0] = {program!r}; from {_PROGRAMS[program]} import app; app()"
        )
        with self.log(name).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", start, *map(str, arguments)], stdout=log, stderr=log
            )
        self.processes.append(process)
        return process

    def receive(self, *options: object) -> tuple[subprocess.Popen[bytes], str]:
        """Start a receiver of all streams; give it and its page's URL."""
        receiver = self.start(
            "receiver", "misc-recv", "--from", f"{self.broker}/misc/+", "--view", 0, *options
        )
        return receiver, str(self.wait_for("receiver", "page")["url"])

    def log(self, name: str) -> Path:
        """Where a program's lines go."""
        return self.folder / f"{name}.log"

    def wait_for(self, name: str, event: str, *, seconds: float = 300) -> dict[str, object]:
        """Give a program's first report of a kind.

        Raises:
            TimeoutError: it does not come.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for line in self.log(name).read_text().splitlines():
                if line.startswith("{") and line.endswith("}") and f'"event":"{event}"' in line:
                    found: dict[str, object] = json.loads(line)
                    return found
            time.sleep(0.5)
        raise TimeoutError(f"no {event} from {name}: {self.log(name).read_text()[-2000:]}")


@contextmanager
def stage() -> Iterator[Stage]:
    """Start a broker; end everything afterwards."""
    mosquitto = shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
    if mosquitto is None:
        sys.exit("mosquitto is not installed; install it with: apt-get install mosquitto")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        settings = folder / "mosquitto.conf"
        settings.write_text(f"user root\nlistener {port} 127.0.0.1\nallow_anonymous true\n")
        broker = subprocess.Popen(
            [mosquitto, "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        stack.callback(broker.kill)
        time.sleep(1)
        one = Stage(folder, port)
        try:
            yield one
        finally:
            for process in one.processes:
                process.kill()
                process.wait()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's browser."""
    path = shutil.which("chromium")
    if path is None:
        sys.exit("chromium is not installed; install it with: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--enable-precise-memory-info"]
        )
        yield browser
        browser.close()
