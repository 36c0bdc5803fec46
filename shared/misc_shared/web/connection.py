"""One connection of an HTTP server: what it does now, and when that has taken too long."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus

from aiohttp import web

__all__ = ["SERVER_NAME", "Connection"]

SERVER_NAME = "misc"
"""What answers say of who made them: no version, which would tell which faults it has."""

_REQUEST_TIME = 20.0
"""Seconds in which a request has to be here whole, from the first wait for it: 2 kB, the largest
offer, take 14 s at 1.2 kbit/s."""

_UNREAD_TIME = 60.0
"""Seconds after which a client that reads nothing is let go."""

_STALLED_TIME = 5.0
"""Seconds after which such a client gives its place to others."""

_PROGRESS = 4096
"""Bytes that a client reads at once if it reads at all, for the system hands on no less."""

_LINGER = 5.0
"""Seconds in which the rest of a body that nobody wants may come."""

_TIMED_OUT = "\r\n".join(
    [
        "HTTP/1.1 408 Request Timeout",
        f"Server: {SERVER_NAME}",
        "Connection: close",
        "Content-Length: 0",
        "\r\n",
    ]
).encode()

# A whole request then has at most 256 KiB of headers, so 400 connections 100 MiB.
_LINE_LIMIT = 4096
_HEADERS_LIMIT = 64


class Connection(web.RequestHandler):
    """aiohttp's connection, which can be watched and ended from outside.

    It waits for a request, whole with its body, or it answers one. `begin` tells it that a request
    is whole; the end of the answer it notes by itself.

    Args:
        server: hands on requests.
        on_end: called once it is over.
    """

    def __init__(self, server: web.Server, *, on_end: Callable[[Connection], None]) -> None:
        self._own_loop = asyncio.get_running_loop()
        super().__init__(
            server,
            loop=self._own_loop,
            access_log=None,  # type: ignore[arg-type]  # which it tests
            # Ours ends it before; none at all would be 0, which means at once.
            keepalive_timeout=2 * _REQUEST_TIME,
            lingering_time=_LINGER,
            max_line_size=_LINE_LIMIT,
            max_field_size=_LINE_LIMIT,
            max_headers=_HEADERS_LIMIT,
            # What is sent packed could be a thousand times its size.
            auto_decompress=False,
        )
        self._on_end = on_end
        self._wire: asyncio.Transport | None = None
        self._opening: asyncio.Task[None] | None = None
        self._since = self._own_loop.time()
        self._answering = False
        self._begun = False
        self._closing = False
        self._unread = 0
        self._unread_since: float | None = None

    @property
    def rank(self) -> int | None:
        """How easily it makes room for another; see `FairPlaces`."""
        if not self._answering:
            return 0
        stalled = self._unread_since
        return 1 if stalled is not None and self._now() - stalled >= _STALLED_TIME else None

    @property
    def connected(self) -> bool:
        """Whether it came about, whatever became of it."""
        return self._wire is not None

    def open(self, opening: asyncio.Task[None]) -> None:
        """Note what connects it: a TLS handshake can take long."""
        self._opening = opening

    def begin(self) -> None:
        """Note that a request is here with its body, and is being answered."""
        self._answering = True

    def abort(self) -> None:
        """End it now."""
        if self._wire is not None:
            self._wire.abort()
        elif self._opening is not None:
            self._opening.cancel()

    def check(self) -> None:
        """End it if it has taken too long; to be called about once a second."""
        wire, now = self._wire, self._now()
        if wire is None or self._closing:
            # Connecting takes no longer than a request; and a farewell is read at once or never.
            if self._closing or now - self._since > _REQUEST_TIME:
                self.abort()
            return
        self._watch_reading(wire.get_write_buffer_size(), now)
        if self._unread_since is not None:
            if now - self._unread_since > _UNREAD_TIME:
                wire.abort()
        elif not self._answering and now - self._since > _REQUEST_TIME:
            self._closing = True
            if self._begun:
                wire.write(_TIMED_OUT)
            wire.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there: of `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - TCP and TLS are
        self._wire, self._since = transport, self._now()
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        """It is over: of `asyncio.Protocol`."""
        self._on_end(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Something came: of `asyncio.Protocol`."""
        self._begun = True
        super().data_received(data)

    def resume_writing(self) -> None:
        """The client has read what waited: of `asyncio.Protocol`."""
        self._unread, self._unread_since = 0, None
        super().resume_writing()

    async def finish_response(
        self, request: web.BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        """Send the rest of an answer, and wait for the next request: of `RequestHandler`."""
        try:
            return await super().finish_response(request, resp, start_time)
        finally:
            self._answering, self._begun = False, False
            self._since = self._now()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what is no request in a line, and log faults of our own alone."""
        del message  # it quotes the request
        if request.writer.output_size > 0:
            raise ConnectionError("half of the answer is sent already")
        if isinstance(exc, UnicodeError):
            # Bytes of a request that are no UTF-8, which somebody has tried to quote.
            status = HTTPStatus.BAD_REQUEST
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            self.log_exception("A request failed", exc_info=exc)
        sentence = HTTPStatus(status).phrase.lower()
        answer = web.json_response({"error": sentence}, status=status)
        answer.headers["Server"] = SERVER_NAME
        answer.force_close()
        return answer

    def _watch_reading(self, unread: int, now: float) -> None:
        if not unread:
            self._unread, self._unread_since = 0, None
        elif self._unread_since is None or unread <= self._unread - _PROGRESS:
            self._unread, self._unread_since = unread, now
        else:
            self._unread = max(self._unread, unread)

    def _now(self) -> float:
        return self._own_loop.time()
