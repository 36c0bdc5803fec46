"""A listener for offers over WebRTC, and what makes and sends them."""

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from misc_shared.transports import WebrtcAddress, WebrtcOptions
from misc_shared.transports.webrtc.link import DataLink
from misc_shared.transports.webrtc.listener import WebrtcListener


def free_port() -> int:
    """Give a port that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def open_listener(
    options: WebrtcOptions | None = None,
) -> AsyncIterator[tuple[str, WebrtcListener]]:
    """Listen on this machine; give the URL too."""
    address = WebrtcAddress(host="127.0.0.1", port=free_port(), tls=False, stream=None)
    listener = await WebrtcListener.open(address, options=options or WebrtcOptions())
    try:
        yield f"webrtc+http://127.0.0.1:{address.port}", listener
    finally:
        await listener.close()


async def make_offer() -> tuple[DataLink, str]:
    """Give a link and its offer."""
    link = DataLink(
        addresses=["127.0.0.1"],
        ice_servers=[],
        patience=0.02,
        others_patience=0.5,
        on_message=lambda _: None,
        on_change=lambda: None,
    )
    return link, await link.make_offer()


async def post_offer(
    url: str, body: str, *, source: str = "127.0.0.1", **headers: str
) -> tuple[int, str | None]:
    """Send an offer from an address of this machine; give the status and the session's path."""
    sent = {"Content-Type": "application/sdp", **headers}
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(local_addr=(source, 0))) as http,
        http.post(url.removeprefix("webrtc+"), data=body, headers=sent) as reply,
    ):
        return reply.status, reply.headers.get("Location")
