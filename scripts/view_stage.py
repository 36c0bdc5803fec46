# ruff: noqa: INP001 - part of programs, not of a package
"""A broker, senders, a receiver and a browser for the live page's pictures and measurements."""

from __future__ import annotations

import getpass
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

from misc_lab.programs import Program

__all__ = ["Stage", "chromium", "plain_chromium", "stage"]

_PATIENCE = 300.0
"""Seconds: a busy machine takes minutes to load torch."""


class Stage:
    """Real programs round a real broker.

    Args:
        folder: for logs.
        port: the broker's.

    Attributes:
        folder: see above.
        port: see above.
        broker: its URL.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.port = port
        self.broker = f"mqtt://127.0.0.1:{port}"
        self._programs: list[Program] = []

    def start(self, name: str, program: str, *arguments: object) -> Program:
        """Start a program; its lines go to NAME.log."""
        started = Program(self.folder / f"{name}.log", program, *arguments)
        self._programs.append(started)
        return started

    def receive(self, *options: object) -> tuple[Program, str]:
        """Start a receiver of all streams; give it and its page's URL."""
        receiver = self.start(
            "receiver", "misc-recv", "--from", f"{self.broker}/misc/+", "--view", 0, *options
        )
        return receiver, str(receiver.wait_for("page", seconds=_PATIENCE)["url"])

    def stop(self) -> None:
        """End all programs."""
        for program in self._programs:
            program.stop()


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
        settings.write_text(
            f"user {getpass.getuser()}\nlistener {port} 127.0.0.1\nallow_anonymous true\n"
            "max_queued_messages 5000\n"
        )
        broker = subprocess.Popen(
            [mosquitto, "-c", str(settings)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        stack.callback(broker.wait)
        stack.callback(broker.kill)
        time.sleep(1)
        one = Stage(folder, port)
        stack.callback(one.stop)
        yield one


def _chromium() -> str:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        sys.exit("chromium is not installed; install it with: apt-get install chromium")
    return path


@contextmanager
def plain_chromium(url: str) -> Iterator[int]:
    """Open a page in a browser that nobody drives; gives its process id."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        options = ("--headless=new", "--no-sandbox", f"--user-data-dir={profile}")
        browser = subprocess.Popen(
            [_chromium(), *options, "--window-size=1600,1200", url],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield browser.pid
        finally:
            browser.terminate()
            browser.wait()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the system's browser."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=_chromium(), args=["--no-sandbox", "--enable-precise-memory-info"]
        )
        yield browser
        browser.close()
