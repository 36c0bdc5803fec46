"""Clients that hold connections of an HTTP server and finish nothing, from several addresses."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

__all__ = ["Crowd", "SlowClients", "half_login", "reader"]

_LOOK_EVERY = 0.2
_AWAY = 1.0
"""Seconds until somebody who was sent away is back."""

_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR
_TRICKLE = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 60


@dataclass(frozen=True)
class Crowd:
    """Clients that do the same.

    Attributes:
        count: how many.
        says: what each sends once it is connected.
        trickles: whether it sends a byte of a header every now and then.
    """

    count: int
    says: bytes = b""
    trickles: bool = False


@dataclass
class _Client:
    crowd: Crowd
    address: str
    link: socket.socket | None = None
    said: bool = False
    trickled: int = 0
    back_at: float = 0.0


@dataclass
class _Tally:
    opened: int = 0
    ended: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)


class SlowClients:
    """Keeps crowds connected: who is sent away is back after a second. None of them ever reads.

    They take much of a core: what is measured beside them belongs into another process.

    Args:
        port: of the server, on this machine.
        crowds: who comes.
        addresses: where they come from, in turns, such as 127.0.0.2.
    """

    def __init__(self, port: int, crowds: Sequence[Crowd], *, addresses: Sequence[str]) -> None:
        self._port = port
        everybody = [crowd for crowd in crowds for _ in range(crowd.count)]
        self._clients = [
            _Client(crowd, addresses[number % len(addresses)])
            for number, crowd in enumerate(everybody)
        ]
        self._tally = _Tally()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="slow clients", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    @property
    def figures(self) -> dict[str, int]:
        """How many connections they have opened, how many of these the server has ended."""
        with self._tally.lock:
            return {"opened": self._tally.opened, "ended": self._tally.ended}

    def _run(self) -> None:
        try:
            while not self._end.is_set():
                began = time.monotonic()
                for client in self._clients:
                    self._go_on(client)
                self._end.wait(max(0.0, _LOOK_EVERY - (time.monotonic() - began)))
        finally:
            for client in self._clients:
                if client.link is not None:
                    client.link.close()

    def _go_on(self, client: _Client) -> None:
        if client.link is None:
            if time.monotonic() >= client.back_at:
                self._connect(client)
            return
        poll = select.poll()
        poll.register(client.link, _GONE | select.POLLOUT)
        found = poll.poll(0)
        happened = found[0][1] if found else 0
        if happened & _GONE:
            client.link.close()
            client.link, client.back_at = None, time.monotonic() + _AWAY
            with self._tally.lock:
                self._tally.ended += 1
        elif happened & select.POLLOUT:
            self._say(client, client.link)

    def _say(self, client: _Client, link: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if not client.said:
                client.said = True
                link.send(client.crowd.says)
            elif client.crowd.trickles and client.trickled < len(_TRICKLE):
                link.send(_TRICKLE[client.trickled : client.trickled + 1])
                client.trickled += 1

    def _connect(self, client: _Client) -> None:
        link = socket.socket()
        link.setblocking(False)  # noqa: FBT003 - its only argument
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        # The port is chosen on connecting, else each address would soon have none left.
        link.setsockopt(socket.IPPROTO_IP, getattr(socket, "IP_BIND_ADDRESS_NO_PORT", 24), 1)
        link.bind((client.address, 0))
        if link.connect_ex(("127.0.0.1", self._port)) not in {0, errno.EINPROGRESS}:
            link.close()
            return
        client.link, client.said, client.trickled = link, False, 0
        with self._tally.lock:
            self._tally.opened += 1


def reader(path: str, *, token: str | None = None) -> bytes:
    """What somebody says who will read nothing of a page."""
    shown = "" if token is None else f"Authorization: Bearer {token}\r\n"
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{shown}\r\n".encode()


def half_login() -> bytes:
    """Half of a form."""
    return (
        b"POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Length: 40\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\ntoken=half"
    )
