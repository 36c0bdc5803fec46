"""Brokers that misbehave: each is a socket of the test's own that speaks just enough MQTT 5."""

import asyncio
import logging
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from tests.integration.conftest import Broker

from misc_shared.errors import TransportError
from misc_shared.transports import open_sender
from misc_shared.transports.mqtt_retry import Retry

CONNACK = bytes([0x20, 3, 0, 0, 0])
HUGE = bytes([0x30, 0xFF, 0xFF, 0xFF, 0x7F])  # PUBLISH, 268,435,455 bytes to follow
_Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def hostile(behaviour: _Behaviour) -> AsyncIterator[str]:
    """Serve, and give the URL."""
    server = await asyncio.start_server(behaviour, "127.0.0.1", 0)
    try:
        yield f"mqtt://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Accept a connection and its subscription."""
    await packet(reader)
    writer.write(CONNACK)
    identifier = (await packet(reader))[:2]
    writer.write(bytes([0x90, 5]) + identifier + bytes([0, 1, 1]))
    await writer.drain()


async def packet(reader: asyncio.StreamReader) -> bytes:
    """The body of the next packet; ours are shorter than 128 bytes, or CONNECT's two-byte form."""
    header = await reader.readexactly(2)
    length = header[1]
    if length > 127:
        length = length - 128 + 128 * (await reader.readexactly(1))[0]
    return await reader.readexactly(length)


@pytest.mark.parametrize("before", ["before CONNACK", ""])
async def test_a_packet_above_the_announced_maximum_is_not_read(
    before: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in place of CONNACK nor later: the connection ends at its header."""
    taken = 0
    ended = asyncio.Event()

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        if not before:
            await accept(reader, writer)
            await packet(reader)  # "online"
        writer.write(HUGE)
        try:
            for _ in range(64):
                writer.write(bytes(1 << 20))
                await asyncio.wait_for(writer.drain(), 5)
                taken += 1
        except (OSError, TimeoutError):
            ended.set()
        writer.close()

    tracemalloc.start()
    async with hostile(flood) as url:
        if before:
            with pytest.raises(TransportError, match="268435455 bytes: at most"):
                await open_sender(url)
        else:
            opening = asyncio.create_task(open_sender(url))
            await asyncio.wait_for(ended.wait(), 20)
            opening.cancel()
            await asyncio.wait({opening})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < 16  # what the sockets' own buffers hold
    assert peak < 64 << 20
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_a_connection_that_is_dropped_at_once_is_tried_more_and_more_seldom() -> None:
    """Two a second for ever is what a broker with a full disk, or a copy of us, would get."""
    tried: list[float] = []
    loop = asyncio.get_running_loop()

    async def drop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        tried.append(loop.time())
        if len(tried) == 1:
            await accept(reader, writer)
            identifier = await packet(reader)
            length = int.from_bytes(identifier[:2])
            writer.write(bytes([0x40, 2]) + identifier[2 + length : 4 + length])
            await writer.drain()
            await asyncio.sleep(0.2)
        else:
            await packet(reader)
            writer.write(CONNACK)
        writer.close()

    async with hostile(drop) as url:
        sender = await open_sender(url)
        await asyncio.sleep(7.5)
        await sender.close()
    assert 3 <= len(tried) <= 6


def test_pauses_grow_until_a_connection_has_held() -> None:
    """Ten drops at once end at half a minute; a broker that is away is found within seconds."""
    retry = Retry()
    pauses = []
    for now in range(10):
        retry.connected(float(now))
        pauses.append(retry.failed("dropped", refused=False, now=now + 0.1))
    assert pauses[0] <= 0.5
    assert 15 <= pauses[-1] <= 30
    retry.connected(100.0)
    assert retry.failed("dropped", refused=False, now=111.0) <= 0.5
    assert all(retry.failed("away", refused=False, now=200.0) <= 4.0 for _ in range(10))


async def test_a_password_that_is_changed_meanwhile_is_told_once(
    guarded_broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """It is tried again, for the password may be put right; the console hears of it once."""
    url = f"mqtt://camera:s3%3Acret%2F@127.0.0.1:{guarded_broker.port}"
    sender = await open_sender(url)
    guarded_broker.stop()
    (guarded_broker.folder / "passwords").write_text("")
    guarded_broker.start()
    with caplog.at_level(logging.WARNING, logger="misc_shared"):
        await asyncio.sleep(8.0)
    await sender.close()
    (told,) = caplog.messages
    assert "does not let this user connect; check the URL's user and password" in told
