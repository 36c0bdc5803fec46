"""An HTTP server that nobody can shut others out of: the page's, the signalling's, the metrics'.

Whoever connects takes one of a limited number of places, which an address cannot have all of. A
connection that waits for its request gives its place up first, then one that does not read its
answer, then one of an address that has more than the newcomer. A request has 20 s to be here whole.
So a flood of connections costs at most the descriptors set aside for it, and pictures, media and
files keep theirs.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import resource
import socket
import ssl
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

from misc_shared.companions import end_tasks
from misc_shared.web.connection import SERVER_NAME, Connection
from misc_shared.web.places import FairPlaces, PlacesTakenError, address_group
from misc_shared.web.throttle import Throttle

__all__ = ["ConnectionLimits", "HttpServer"]

_log = logging.getLogger(__name__)

_DESCRIPTORS = 1024
"""Open files for which the limits are made; with fewer, there are fewer connections."""

_BACKLOG = 1024
"""Clients that wait to be accepted: beyond it the system drops one's first packet, and a second or
more passes until the next."""

_BATCH = 64
"""Clients that are accepted before everything else has its turn."""

_ADMITTED = 16
"""How many of them may get a place: the connection that had it is closed only in the next turn."""

_PUSHES = 32
_PUSH_EVERY = 0.1
"""How often an address may take places from others: that often at once, then every so many seconds.
Beyond it, sending its clients away costs little."""

_CHECK_EVERY = 1.0
_TOLD_EVERY = 60.0
_BREATH = 0.05
"""Seconds without new connections after the system had no descriptor for one."""

_TLS_FAREWELL = 2.0
"""Seconds that a client has to say good-bye."""

_NO_DESCRIPTOR = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_NOT_HERE = {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}

_TURNED_AWAY = (
    b"HTTP/1.1 503 Service Unavailable\r\nServer: misc\r\nConnection: close\r\nRetry-After: 5\r\n"
    b"Content-Length: 0\r\n\r\n"
)


@dataclass(frozen=True)
class ConnectionLimits:
    """How many connections a server has at a time.

    All servers of a process together should have at most half of 1,024.

    Attributes:
        total: in all.
        per_address: from one IPv4 address or /64 network. All clients behind a proxy have one.
    """

    total: int
    per_address: int

    def fitting(self) -> ConnectionLimits:
        """The same, in proportion to the files that this process may open."""
        files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        if files == resource.RLIM_INFINITY or files >= _DESCRIPTORS:
            return self
        return ConnectionLimits(
            max(2, self.total * files // _DESCRIPTORS),
            max(1, self.per_address * files // _DESCRIPTORS),
        )


class HttpServer:
    """Serves an application within limits of connections and of time.

    Args:
        application: answers requests. A request's body, of `client_max_size` at most, is here when
            a handler starts. Handlers are cancelled when their client leaves.
        name: what it serves, for the log.
        limits: how many connections.
        tls: what to show, or None for plain HTTP.
        farewell: seconds that answers get to end when the server stops.
    """

    def __init__(
        self,
        application: web.Application,
        *,
        name: str,
        limits: ConnectionLimits,
        tls: ssl.SSLContext | None = None,
        farewell: float = 0.5,
    ) -> None:
        application.middlewares.insert(0, _receive_whole)
        application.on_response_prepare.append(_hide_version)
        self._runner = web.AppRunner(
            application, handler_cancellation=True, shutdown_timeout=farewell
        )
        self._name = name
        self._tls = tls
        self._limits = limits.fitting()
        self._places: FairPlaces[Connection] = FairPlaces(
            total=self._limits.total,
            per_address=self._limits.per_address,
            rank=lambda connection: connection.rank,
        )
        self._pushing = Throttle(burst=_PUSHES, every=_PUSH_EVERY)
        self._sockets: list[socket.socket] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._turned_away = 0
        self._told_at: float | None = None

    @property
    def port(self) -> int:
        """The TCP port."""
        return int(self._sockets[0].getsockname()[1])

    async def start(self, host: str, port: int) -> None:
        """Listen.

        Args:
            host: a name or an IP address; a name's addresses are all listened on.
            port: 0 for any that is free.

        Raises:
            OSError: the address is taken, or not this machine's.
        """
        await self._runner.setup()
        try:
            self._sockets = await _bind(host, port)
        except OSError:
            await self._runner.cleanup()
            raise
        for listening in self._sockets:
            self._listen(listening)
        self._spawn(self._check_all())

    async def close(self) -> None:
        """Stop listening and end all connections."""
        loop = asyncio.get_running_loop()
        while self._sockets:
            listening = self._sockets.pop()
            loop.remove_reader(listening)
            listening.close()
        await end_tasks(*self._tasks)
        await self._runner.cleanup()

    def _listen(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(listening, self._accept_some, listening)

    def _accept_some(self, listening: socket.socket) -> None:
        """Accept who waits, but no more than leaves others their turn."""
        admitted = 0
        for _ in range(_BATCH):
            if admitted == _ADMITTED:
                return
            try:
                accepted, peer = listening.accept()
            except OSError as error:  # nobody waits any more, or has gone again, or:
                if error.errno in _NO_DESCRIPTOR:
                    self._turned_away += 1
                    loop = asyncio.get_running_loop()
                    loop.remove_reader(listening)
                    loop.call_later(_BREATH, self._listen_again, listening)
                return
            admitted += self._admit(accepted, address_group(peer[0]))

    def _listen_again(self, listening: socket.socket) -> None:
        if listening in self._sockets:  # else it was closed meanwhile
            self._listen(listening)

    def _admit(self, accepted: socket.socket, address: str) -> bool:
        """Give a client a place, or send it away; tells which."""
        if self._pushing.wait(address):
            self._turned_away += 1
            accepted.close()  # a word of explanation would cost as much as all of this
            return False
        server = self._runner.server
        assert server is not None  # noqa: S101 - it was set up before anything is accepted
        accepted.setblocking(False)  # noqa: FBT003 - its only argument
        connection = Connection(server, on_end=self._places.leave)
        try:
            loser = self._places.enter(connection, address)
        except PlacesTakenError:
            self._pushing.count(address)
            self._refuse(accepted)
            return False
        if loser is not None:
            self._pushing.count(address)
            self._turned_away += 1
            loser.abort()
        connection.open(self._spawn(self._connect(accepted, connection)))
        return True

    async def _connect(self, accepted: socket.socket, connection: Connection) -> None:
        loop = asyncio.get_running_loop()
        farewell = None if self._tls is None else _TLS_FAREWELL
        try:
            await loop.connect_accepted_socket(
                lambda: connection, accepted, ssl=self._tls, ssl_shutdown_timeout=farewell
            )
        except OSError as error:  # ssl.SSLError among them
            _log.debug("%s: a client did not get through: %s", self._name, error)
        finally:
            if not connection.connected:
                accepted.close()
                self._places.leave(connection)

    def _refuse(self, accepted: socket.socket) -> None:
        self._turned_away += 1
        with contextlib.suppress(OSError):
            if self._tls is None:
                accepted.send(_TURNED_AWAY)
        accepted.close()

    async def _check_all(self) -> None:
        while True:
            await asyncio.sleep(_CHECK_EVERY)
            for connection in self._places:
                connection.check()
            self._tell_turned_away()

    def _tell_turned_away(self) -> None:
        """Log that clients were sent away, once a minute at most."""
        now = asyncio.get_running_loop().time()
        due = self._told_at is None or now - self._told_at >= _TOLD_EVERY
        if self._turned_away and due:
            _log.warning(
                "%s: ended or refused %d connections, to keep at most %d, and %d of one address",
                self._name,
                self._turned_away,
                self._limits.total,
                self._limits.per_address,
            )
            self._turned_away, self._told_at = 0, now

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


@web.middleware
async def _receive_whole(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Wait for a request's body, so that who sends half of one is known by it."""
    try:
        await request.read()
    except web.RequestPayloadError:
        raise web.HTTPBadRequest(text="the body is not what its headers say") from None
    connection = request.protocol
    assert isinstance(connection, Connection)  # noqa: S101 - HttpServer makes no others
    connection.begin()
    return await handler(request)


async def _hide_version(request: web.Request, response: web.StreamResponse) -> None:
    del request
    response.headers["Server"] = SERVER_NAME


async def _bind(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on each address of a host.

    Raises:
        OSError: there is none.
    """
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except UnicodeError:
        raise OSError(errno.EINVAL, f"{host!r} is no host name") from None
    ready: list[socket.socket] = []
    missing: OSError | None = None
    for family, address in dict.fromkeys((entry[0], entry[4]) for entry in found):
        # The port that the system chose for the first serves the others too.
        chosen = ready[0].getsockname()[1] if ready else port
        try:
            ready.append(_listen(family, (address[0], chosen, *address[2:])))
        except OSError as error:
            missing = error
            if error.errno not in _NOT_HERE:
                break
    if missing is not None and (not ready or missing.errno not in _NOT_HERE):
        for one in ready:
            one.close()
        raise missing
    return ready


def _listen(family: int, address: Sequence[object]) -> socket.socket:
    one = socket.socket(family, socket.SOCK_STREAM)
    try:
        one.setblocking(False)  # noqa: FBT003 - its only argument
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(tuple(address))
        one.listen(_BACKLOG)
    except BaseException:
        one.close()
        raise
    return one
