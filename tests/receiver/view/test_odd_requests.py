"""Requests that no browser makes: each has an answer that blames who asks."""

import asyncio
import random

import pytest
from tests.receiver.view.serving import TOKEN, filled_gallery, serving

_METHODS = ["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "CONNECT", "X"]
_PATHS = [
    "/", "/login", "/logout", "/live?x=%ff", "/events?stream=%00", "/static/%2e%2e",
    "/openapi.json", "/streams/%ff%fe/latest.jpg",
    "/streams/garden/latest.jpg?v=%", "//evil/", "/\\", "*",
    "/streams/garden/frames/%0a/coarse.jpg", "/streams/garden/live.mjpg?picture=%",
    "/streams/" + "a" * 3000, "http://evil/streams", "/streams/garden/recording.misc",
]  # fmt: skip
_HEADERS = [
    "Accept", "Authorization", "Connection", "Content-Encoding", "Content-Length", "Content-Type",
    "Cookie", "Expect", "Host", "If-Modified-Since", "If-None-Match", "Last-Event-ID", "Origin",
    "Range", "Sec-Fetch-Site", "Transfer-Encoding", "Upgrade",
]  # fmt: skip
_VALUES = [
    "", "http://[", "null", "*", '"', 'W/"', "9" * 400, "-1", "\xff", "Basic !", "Basic //8=",
    "Bearer", f"Bearer {TOKEN}", "chunked", "gzip", "100-continue", "multipart/form-data",
    "application/x-www-form-urlencoded; charset=x", 'misc_view="\\1', "misc_view=" + "a" * 3000,
    "Thu, 99 Foo 9999", "websocket", "Upgrade, keep-alive", "%00", "::::", "localhost:99999999",
    "[::1", "@", "localhost@evil", "127.0.0.1#", "bytes=99999999999999999999-",
]  # fmt: skip


def _request(rng: random.Random) -> bytes:
    lines = [f"{rng.choice(_METHODS)} {rng.choice(_PATHS)} HTTP/1.{rng.choice('0111')}"]
    if rng.random() < 0.8:
        lines.append("Host: localhost")
    lines += [f"{rng.choice(_HEADERS)}: {rng.choice(_VALUES)}" for _ in range(rng.randrange(4))]
    if rng.random() < 0.5:
        lines.append(f"Authorization: Bearer {TOKEN}")
    head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
    return head + rng.randbytes(rng.choice([0, 0, 5, 200]))


async def _head(port: int, request: bytes) -> bytes:
    """The answer's first part; nothing if the server still waits for the rest, or ended it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    try:
        async with asyncio.timeout(1):
            return await reader.readuntil(b"\r\n\r\n")
    except (TimeoutError, ConnectionError, asyncio.IncompleteReadError):
        return b""
    finally:
        writer.transport.abort()


@pytest.mark.parametrize("token", [False, True])
async def test_no_request_is_a_fault_of_ours(
    *, token: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """No status of 500 and more, no traceback in the log, no version of what serves it."""
    rng = random.Random(21)
    async with serving(filled_gallery(), token=token) as (client, _):
        port = client._base_url.port  # type: ignore[union-attr]  # noqa: SLF001
        assert port is not None
        for _ in range(20):
            requests = [_request(rng) for _ in range(25)]
            heads = await asyncio.gather(*(_head(port, request) for request in requests))
            for request, head in zip(requests, heads, strict=True):
                assert not head.startswith((b"HTTP/1.1 5", b"HTTP/1.0 5")), request
                assert b"aiohttp" not in head, request
    assert not caplog.records
