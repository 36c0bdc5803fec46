"""A WebRTC connection's way through a simulated link, in real time and without privileges.

    sender ──POST──> SignallingBox ──POST──> receiver         the SDP of both is rewritten, so that
    sender <──UDP──> UdpBox <──UDP──> receiver                each takes the box for the other

Both directions are `SimulatedLink`s: rate, queue, delay and loss are theirs. What packets weigh
is counted with its IP and UDP headers (28 bytes).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
from aiohttp import web

from misc_lab.links.link import SimulatedLink

__all__ = ["IP_AND_UDP", "Place", "SignallingBox", "Traffic", "UdpBox"]

IP_AND_UDP = 28
_HOST = "127.0.0.1"
Place = tuple[str, int]


@dataclass(slots=True)
class Traffic:
    """What went one way.

    Attributes:
        packets: packets that were handed to the link.
        bytes: their bytes, IP and UDP headers included.
        lost: packets of them that went nowhere.
    """

    packets: int = 0
    bytes: int = 0
    lost: int = 0


class UdpBox:
    """Carries packets between senders and receivers that take it for each other.

    Args:
        forward: what happens on the way from sender to receiver.
        back: what happens on the way back.

    Attributes:
        sent: what senders sent.
        returned: what receivers sent.
        cut: while it is true, nothing comes through.
    """

    def __init__(self, *, forward: SimulatedLink, back: SimulatedLink) -> None:
        self.sent, self.returned = Traffic(), Traffic()
        self.cut = False
        self._forward, self._back = forward, back
        self._paths: list[_Path] = []

    async def open_path(self, sender: Place) -> _Path:
        """Open the way of one connection; where it leads is to be set."""
        path = _Path(sender)
        await path.open(
            forward=lambda data: self._pass(data, self._forward, self.sent, path.to_receiver),
            back=lambda data: self._pass(data, self._back, self.returned, path.to_sender),
        )
        self._paths.append(path)
        return path

    def close(self) -> None:
        """Let nothing more through."""
        for path in self._paths:
            path.close()
        self._paths.clear()

    def _pass(
        self, data: bytes, link: SimulatedLink, traffic: Traffic, out: Callable[[bytes], None]
    ) -> None:
        now = time.monotonic()
        passage = link.send(data, now)
        traffic.packets += 1
        traffic.bytes += len(data) + IP_AND_UDP
        if self.cut or passage.arrived is None:
            traffic.lost += 1
        else:
            asyncio.get_running_loop().call_later(passage.arrived - now, out, data)


class _Path:
    """The two sockets of one connection."""

    def __init__(self, sender: Place) -> None:
        self.sender = sender
        self.receiver: Place | None = None

    async def open(
        self, *, forward: Callable[[bytes], None], back: Callable[[bytes], None]
    ) -> None:
        loop = asyncio.get_running_loop()
        where = (_HOST, 0)
        self._front, _ = await loop.create_datagram_endpoint(
            lambda: _Side(forward), local_addr=where
        )
        self._rear, _ = await loop.create_datagram_endpoint(lambda: _Side(back), local_addr=where)

    @property
    def front(self) -> Place:
        """Where the sender finds the receiver."""
        return _place_of(self._front)

    @property
    def rear(self) -> Place:
        """Where the receiver finds the sender."""
        return _place_of(self._rear)

    def to_receiver(self, data: bytes) -> None:
        if self.receiver is not None and not self._rear.is_closing():
            self._rear.sendto(data, self.receiver)

    def to_sender(self, data: bytes) -> None:
        if not self._front.is_closing():
            self._front.sendto(data, self.sender)

    def close(self) -> None:
        self._front.close()
        self._rear.close()


def _place_of(side: asyncio.DatagramTransport) -> Place:
    host, port = side.get_extra_info("sockname")[:2]
    return host, port


class _Side(asyncio.DatagramProtocol):
    def __init__(self, take: Callable[[bytes], None]) -> None:
        self._take = take

    def datagram_received(self, data: bytes, addr: object) -> None:
        del addr
        self._take(data)


class SignallingBox:
    """Stands before a receiver's signalling, and puts a `UdpBox` into each description.

    Args:
        receiver: the receiver's origin, as in "http://127.0.0.1:8889".
        box: the way of the media.
        delay: seconds that each request and each answer takes longer.

    Attributes:
        port: where it listens.
        connections: offers that were answered.
        setup_bytes: bytes of the descriptions that went through.
    """

    def __init__(self, receiver: str, box: UdpBox, *, delay: float = 0.0) -> None:
        self.port = 0
        self.connections = 0
        self.setup_bytes = 0
        self._receiver = receiver
        self._box = box
        self._delay = delay
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._forward)
        self._runner = web.AppRunner(application, access_log=None)

    async def start(self) -> None:
        """Listen on any free port."""
        await self._runner.setup()
        site = web.TCPSite(self._runner, _HOST, 0)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()
        self._box.close()

    async def _forward(self, request: web.Request) -> web.Response:
        if self._box.cut:
            raise web.HTTPBadGateway
        await asyncio.sleep(2 * self._delay)  # its own round trip of TCP, and this one's way there
        body = await request.text()
        headers = {
            name: value
            for name, value in request.headers.items()
            if name in {"Authorization", "Content-Type"}
        }
        if request.method == "POST":
            return await self._invite(request.path, body, headers)
        async with (
            aiohttp.ClientSession() as http,
            http.request(request.method, self._receiver + request.path, headers=headers) as reply,
        ):
            return web.Response(status=reply.status, text=await reply.text())

    async def _invite(self, path: str, offer: str, headers: dict[str, str]) -> web.Response:
        way = await self._box.open_path(_candidate(offer))
        offer = _with_candidate(offer, way.rear)
        async with (
            aiohttp.ClientSession() as http,
            http.post(self._receiver + path, data=offer, headers=headers) as reply,
        ):
            answer = await reply.text()
            if reply.status == HTTPStatus.CREATED:
                way.receiver = _candidate(answer)
                self.connections += 1
                self.setup_bytes += len(offer) + len(answer)
                answer = _with_candidate(answer, way.front)
            await asyncio.sleep(self._delay)
            kept = {k: v for k, v in reply.headers.items() if k in {"Location", "Content-Type"}}
            return web.Response(status=reply.status, body=answer.encode(), headers=kept)


def _candidate(sdp: str) -> Place:
    for line in sdp.splitlines():
        if line.startswith("a=candidate:"):
            words = line.split()
            return words[4], int(words[5])
    raise web.HTTPBadGateway(text="a description has no candidate")


def _with_candidate(sdp: str, place: Place) -> str:
    lines = [line for line in sdp.splitlines() if not line.startswith("a=candidate:")]
    lines.append(f"a=candidate:1 1 udp 2130706431 {place[0]} {place[1]} typ host")
    return "\r\n".join([*lines, ""])
