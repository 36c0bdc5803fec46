"""A vision server in a process of its own."""

import itertools
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

_numbers = itertools.count()


class VisionServer:
    """The address of one, and what it was asked."""

    def __init__(self, port: int) -> None:
        self._root = f"http://127.0.0.1:{port}"

    def url(self, behaviour: str) -> str:
        """Return an API root that behaves so and that nobody used before."""
        return f"{self._root}/{behaviour}/{next(_numbers)}/v1"

    def requests(self, url: str) -> list[dict[str, Any]]:
        """Return the requests that came to an API root."""
        log = httpx2.get(url.removesuffix("v1") + "log")
        requests: list[dict[str, Any]] = log.json()
        return requests


@pytest.fixture(scope="session")
def vision_server() -> Iterator[VisionServer]:
    """Give a running one."""
    program = Path(__file__).with_name("vision_server.py")
    with subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield VisionServer(int(process.stdout.readline()))
        finally:
            process.kill()


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxy a developer's machine has, these tests go to their own server."""
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail the test if anything asks for an address or a connection."""

    def refuse(*_: object) -> None:
        pytest.fail("it reached for the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
