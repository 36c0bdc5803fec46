"""What strangers may do to a real HTTP server, over real sockets."""

import asyncio
import contextlib
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from misc_shared.web import connection as connections
from misc_shared.web import server as servers
from misc_shared.web.server import ConnectionLimits, HttpServer

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
_GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
_POST = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"


async def _echo(request: web.Request) -> web.Response:
    return web.Response(body=await request.read() or b"hello")


async def _flood(request: web.Request) -> web.StreamResponse:
    """Send for ever."""
    response = web.StreamResponse()
    await response.prepare(request)
    while True:
        await response.write(bytes(1 << 16))


async def _fault(_: web.Request) -> web.Response:
    raise RuntimeError("a fault of ours")


@asynccontextmanager
async def _serving(
    handler: _Handler = _echo, *, total: int = 8, per_address: int = 8
) -> AsyncIterator[int]:
    application = web.Application(client_max_size=100)
    application.router.add_route("*", "/", handler)
    limits = ConnectionLimits(total=total, per_address=per_address)
    server = HttpServer(application, name="the test", limits=limits)
    await server.start("127.0.0.1", 0)
    try:
        yield server.port
    finally:
        await server.close()


async def _say(
    port: int, text: bytes, *, source: str = "127.0.0.1"
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(source, 0))
    writer.write(text)
    return reader, writer


async def _status(port: int, text: bytes, *, source: str = "127.0.0.1") -> int:
    """The status of the answer; 0 if the connection was ended instead."""
    reader, writer = await _say(port, text, source=source)
    try:
        line = await reader.readline()
    except ConnectionError:
        return 0
    finally:
        writer.transport.abort()
    return int(line.split()[1]) if line else 0


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all times pass a hundred times as fast, or nearly."""
    monkeypatch.setattr(connections, "_REQUEST_TIME", 0.3)
    monkeypatch.setattr(connections, "_UNREAD_TIME", 0.4)
    monkeypatch.setattr(servers, "_CHECK_EVERY", 0.05)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize(
    ("said", "end"),
    [
        (b"", b""),
        (b"GET / HT", b"408"),
        (b"GET / HTTP/1.1\r\nHost: local", b"408"),
        (_POST + b"half", b"408"),
        (_GET, b"hello"),
    ],
)
async def test_half_a_request_ends(said: bytes, end: bytes) -> None:
    """Whatever of it is missing; and so does a connection that is only kept open."""
    async with _serving() as port, asyncio.timeout(10):
        reader, writer = await _say(port, said)
        answer = await reader.read()
        assert end in answer
        assert bool(answer) == bool(end)
        writer.close()


@pytest.mark.usefixtures("hasty")
async def test_a_trickle_is_no_request() -> None:
    """A byte now and then does not keep a connection."""
    async with _serving() as port, asyncio.timeout(10):
        reader, writer = await _say(port, b"GET / HTTP/1.1\r\nHost: ")
        answer = asyncio.create_task(_drain(reader))
        while not answer.done():
            writer.write(b"x")
            await asyncio.sleep(0.05)
        writer.transport.abort()


@pytest.mark.usefixtures("hasty")
async def test_who_does_not_read_is_let_go() -> None:
    """And who does gets more, however slowly the rest goes."""
    gone = asyncio.Event()

    async def flood(request: web.Request) -> web.StreamResponse:
        try:
            return await _flood(request)
        finally:
            gone.set()

    async with _serving(flood) as port, asyncio.timeout(20):
        reader, writer = await _say(port, _GET)
        await reader.readexactly(1 << 20)
        await asyncio.sleep(0.2)
        await reader.readexactly(1 << 20)
        assert not gone.is_set()
        await gone.wait()
        writer.transport.abort()


async def test_who_waits_makes_room() -> None:
    """Silent connections of one address and of several: somebody new is answered at once."""
    async with _serving(total=8, per_address=4) as port, asyncio.timeout(10):
        idle = [
            await _say(port, half, source=f"127.0.0.{number % 4 + 2}")
            for number in range(40)
            for half in (b"", _POST)
        ]
        assert await _status(port, _GET, source="127.0.0.9") == 200
        assert await _status(port, _GET, source="127.0.0.2") == 200
        for _, writer in idle:
            writer.transport.abort()


async def test_an_address_that_works_hard_leaves_room_for_others() -> None:
    """All places are taken by answers that do not end: a new address gets one, the old does not."""
    async with _serving(_flood, total=4, per_address=4) as port, asyncio.timeout(10):
        busy = [await _say(port, _GET, source="127.0.0.2") for _ in range(4)]
        reading = [asyncio.create_task(_drain(reader)) for reader, _ in busy]
        await asyncio.sleep(0.2)
        assert await _status(port, _GET, source="127.0.0.2") == 503
        assert await _status(port, _GET, source="127.0.0.3") == 200
        for task in reading:
            task.cancel()
        for _, writer in busy:
            writer.transport.abort()


async def _drain(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        while await reader.read(1 << 20):
            pass


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01", 400),
        (b"GET\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nBad Header: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 10_000 + b"\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\n" + bytes(200), 413),
        (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
        (
            b"POST / HTTP/1.1\r\nHost: a\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n\r\nx",
            200,
        ),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: \xff\r\n\r\n", 400),
        (b"GET /none HTTP/1.1\r\nHost: a\r\n\r\n", 404),
    ],
)
async def test_nonsense_is_answered_and_not_logged(
    said: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """By its own status, without a word of what serves it, and without a traceback."""
    async with _serving() as port, asyncio.timeout(10):
        reader, writer = await _say(port, said)
        head = await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()
    assert int(head.split()[1]) == status
    assert b"Server: misc\r\n" in head
    assert b"aiohttp" not in head
    assert not caplog.records


async def test_our_own_faults_are_logged_and_not_told(caplog: pytest.LogCaptureFixture) -> None:
    """The client gets a status, the log the traceback."""
    async with _serving(_fault) as port:
        reader, writer = await _say(port, _GET)
        answer = await reader.read()
        writer.close()
    assert answer.startswith(b"HTTP/1.1 500")
    assert json.loads(answer.partition(b"\r\n\r\n")[2]) == {"error": "internal server error"}
    assert "a fault of ours" in caplog.text


async def test_a_handshake_that_does_not_end_takes_no_place_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """TLS too: who only connects makes room."""
    application = web.Application()
    server = HttpServer(
        application,
        name="the test",
        limits=ConnectionLimits(total=2, per_address=2),
        tls=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
    )
    monkeypatch.setattr(connections, "_REQUEST_TIME", 0.3)
    monkeypatch.setattr(servers, "_CHECK_EVERY", 0.05)
    await server.start("127.0.0.1", 0)
    async with asyncio.timeout(10):
        silent = [await _say(server.port, b"") for _ in range(5)]
        for reader, writer in silent:
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            writer.close()
    await server.close()


@pytest.mark.parametrize("host", ["::1", "localhost", "0.0.0.0"])  # noqa: S104 - for a moment
async def test_every_kind_of_address_is_served(host: str) -> None:
    """All addresses of a name, by the same port."""
    application = web.Application()
    application.router.add_get("/", _echo)
    limits = ConnectionLimits(total=2, per_address=2)
    server = HttpServer(application, name="the test", limits=limits)
    try:
        await server.start(host, 0)
    except OSError:
        pytest.skip(f"this machine has no {host}")
    async with asyncio.timeout(10):
        reader, writer = await asyncio.open_connection(
            "127.0.0.1" if host == "0.0.0.0" else host,  # noqa: S104 - likewise
            server.port,
        )
        writer.write(_GET)
        assert b"200" in await reader.readline()
        writer.close()
    await server.close()


async def test_an_address_that_is_taken_is_an_os_error() -> None:
    """And a name that is none."""
    async with _serving() as port:
        for host, complaint in (("127.0.0.1", "in use"), ("x" * 80, "no host name")):
            server = HttpServer(
                web.Application(), name="another", limits=ConnectionLimits(total=2, per_address=1)
            )
            with pytest.raises(OSError, match=complaint):
                await server.start(host, port)
