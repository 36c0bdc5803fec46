"""A real browser, real programs and a real broker for the live page's tests and screenshots."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

_PROGRAMS = {"misc-send": "misc_sender.cli", "misc-recv": "misc_receiver.cli"}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's browser; CI has to have one, elsewhere the tests are skipped."""
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("CI runs the page's tests: install chromium")
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Program:
    """`misc-send` or `misc-recv` in a process of its own; its lines go to a file."""

    def __init__(self, folder: Path, program: str, *arguments: object) -> None:
        start = (
            f"import sys; sys.argv[0] = {program!r}; from {_PROGRAMS[program]} import app; app()"
        )
        self._log = folder / f"{program}-{time.monotonic_ns()}.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", start, *map(str, arguments)],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_for(self, event: str, *, seconds: float = 90) -> dict[str, object]:
        """Give its first report of a kind."""
        deadline = time.monotonic() + seconds
        ended = False
        while time.monotonic() < deadline and not ended:
            ended = self.process.poll() is not None  # before the look, which then sees all lines
            for line in self._log.read_text().splitlines():
                report = json.loads(line) if line.startswith("{") and line.endswith("}") else {}
                if report.get("event") == event:
                    return report
            time.sleep(0.3)
        raise AssertionError(f"no {event!r} in: {self._log.read_text()}")

    def stop(self) -> None:
        """End it in any case."""
        self.process.kill()
        self.process.wait()
