"""Clients that hold connections of an HTTP server and finish nothing, from several addresses."""

from __future__ import annotations

import contextlib
import errno
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Self

__all__ = ["Crowd", "SlowClients", "half_login", "reader"]

_LOOK_EVERY = 0.2
_AWAY = 1.0
"""Seconds until somebody who was sent away is back."""

_GONE = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
_BIND_ADDRESS_NO_PORT = 24  # of Linux; Python has no name for it yet
_TRICKLE_EVERY = 1.0
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


@dataclass(eq=False)
class _Client:
    crowd: Crowd
    address: str
    link: socket.socket = field(init=False)
    said: bool = False
    trickled: int = 0
    back_at: float = 0.0


class SlowClients:
    """Keeps crowds connected: who is sent away is back after a second. None of them ever reads.

    Args:
        port: of the server, on this machine.
        crowds: who comes.
        addresses: where they come from, in turns, such as 127.0.0.2.
    """

    def __init__(self, port: int, crowds: Sequence[Crowd], *, addresses: Sequence[str]) -> None:
        self._port = port
        everybody = [crowd for crowd in crowds for _ in range(crowd.count)]
        self._away = deque(
            _Client(crowd, addresses[number % len(addresses)])
            for number, crowd in enumerate(everybody)
        )
        self._connected: dict[int, _Client] = {}
        self._trickled_at = 0.0
        self._opened = self._ended = 0
        self._lock = threading.Lock()
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
        with self._lock:
            return {"opened": self._opened, "ended": self._ended}

    def _run(self) -> None:
        with select.epoll() as events:
            try:
                while not self._end.is_set():
                    self._come(events)
                    self._trickle()
                    for descriptor, happened in events.poll(_LOOK_EVERY):
                        self._go_on(self._connected[descriptor], happened)
            finally:
                for client in self._connected.values():
                    client.link.close()

    def _come(self, events: select.epoll) -> None:
        """Connect whoever is due."""
        now = time.monotonic()
        while self._away and self._away[0].back_at <= now:
            client = self._away.popleft()
            if self._connect(client):
                self._connected[client.link.fileno()] = client
                # Once for each change: what is connected costs nothing.
                events.register(client.link, _GONE | select.EPOLLOUT | select.EPOLLET)
            else:
                self._leave(client)

    def _go_on(self, client: _Client, happened: int) -> None:
        if happened & _GONE:
            del self._connected[client.link.fileno()]
            self._leave(client)
            with self._lock:
                self._ended += 1
        elif not client.said:
            client.said = True
            with contextlib.suppress(OSError):
                client.link.send(client.crowd.says)

    def _leave(self, client: _Client) -> None:
        client.link.close()
        client.back_at = time.monotonic() + _AWAY
        self._away.append(client)

    def _trickle(self) -> None:
        now = time.monotonic()
        if now < self._trickled_at + _TRICKLE_EVERY:
            return
        self._trickled_at = now
        for client in self._connected.values():
            if client.crowd.trickles and client.said:
                with contextlib.suppress(OSError):
                    client.link.send(_TRICKLE[client.trickled : client.trickled + 1])
                client.trickled = min(client.trickled + 1, len(_TRICKLE) - 1)

    def _connect(self, client: _Client) -> bool:
        link = client.link = socket.socket()
        link.setblocking(False)  # noqa: FBT003 - its only argument
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        # The port is chosen on connecting, else each address would soon have none left.
        link.setsockopt(socket.IPPROTO_IP, _BIND_ADDRESS_NO_PORT, 1)
        link.bind((client.address, 0))
        client.said, client.trickled = False, 0
        with self._lock:
            self._opened += 1
        return link.connect_ex(("127.0.0.1", self._port)) in {0, errno.EINPROGRESS}


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
