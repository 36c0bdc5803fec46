"""Many streams to one receiver over links in memory that lose, repeat, delay and reorder."""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from misc_lab.links.loss import GilbertElliott, LossModel
from misc_shared.errors import TransportError
from misc_shared.stream_names import STREAM_NAME_PATTERN
from misc_shared.transports import Clock
from misc_shared.transports.places import Place, Places

__all__ = ["Air", "AirEnd", "Weather"]

_WAITING = 64
"""Datagrams of one stream that wait, as at `MqttListener`; further ones push out the oldest."""


@dataclass(frozen=True, kw_only=True)
class Weather:
    """What happens to datagrams, in either direction.

    Attributes:
        loss: share that is lost, in bursts of `burst` on average.
        burst: datagrams.
        repeated: share that comes twice.
        delay: seconds that each takes at least.
        jitter: seconds on top, drawn evenly for each: what is sent in one go is reordered.
        outage_every: seconds between two outages of one link, on average.
        outage: seconds that each lasts.
    """

    loss: float = 0.05
    burst: float = 3.0
    repeated: float = 0.02
    delay: float = 0.3
    jitter: float = 0.4
    outage_every: float = 1800.0
    outage: float = 90.0


class AirEnd:
    """One end of a stream's link: a `Transport`; made by `Air`."""

    duplex = True
    overhead = 0
    reconnects = 0

    def __init__(
        self,
        stream: str,
        *,
        mtu: int,
        clock: Clock,
        place: Place,
        send: Callable[[bytes], None],
        let_go: Callable[[], None],
    ) -> None:
        self.stream = stream
        self.place = place
        self.mtu = mtu
        self.clock = clock
        self._send = send
        self._let_go = let_go
        self._incoming: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=_WAITING)
        self._closed = False

    async def ready(self) -> None:
        """Return at once: the air takes everything."""
        self._refuse_if_closed()

    async def send(self, datagram: bytes) -> None:
        """Hand one datagram to the air."""
        if len(datagram) > self.mtu:
            raise TransportError(
                f"a datagram of {len(datagram)} bytes does not fit the MTU of {self.mtu}"
            )
        self._refuse_if_closed()
        self._send(datagram)

    async def receive(self) -> bytes | None:
        """Wait for the next datagram."""
        self._refuse_if_closed()
        return await self._incoming.get()

    async def close(self) -> None:
        """Take nothing more."""
        if not self._closed:
            self._closed = True
            self._let_go()

    def deliver(self, datagram: bytes | None) -> None:
        """Let a datagram wait, in place of the oldest if too many do."""
        if self._incoming.full():
            self._incoming.get_nowait()
        self._incoming.put_nowait(datagram)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise TransportError(f"the stream {self.stream} is closed")


class _Link:
    """One direction of one stream's link."""

    def __init__(self, weather: Weather, draw: random.Random) -> None:
        self._weather = weather
        self._draw = draw
        r = 1 / weather.burst
        p = weather.loss * r / (1 - weather.loss)
        self._losing: LossModel = GilbertElliott(p, r, generator=draw)
        self._loop = asyncio.get_running_loop()
        self._out_from = self._next_outage()

    def carry(self, datagram: bytes, deliver: Callable[[bytes], None]) -> None:
        """Have it delivered once, twice or never."""
        weather, now = self._weather, self._loop.time()
        if now >= self._out_from + weather.outage:
            self._out_from = self._next_outage()
        if now >= self._out_from or self._losing.loses_next():
            return
        copies = 2 if self._draw.random() < weather.repeated else 1
        for _ in range(copies):
            late = weather.delay + weather.jitter * self._draw.random()
            self._loop.call_later(late, deliver, datagram)

    def _next_outage(self) -> float:
        return self._loop.time() + self._draw.expovariate(1 / self._weather.outage_every)


class Air:
    """Where cameras send to, and a `Listener` at the other side of it.

    Args:
        weather: what happens to datagrams.
        clock: both sides'.
        limit: the most streams that are received at a time.
        seed: of all draws.

    Attributes:
        refused: datagrams of misnamed streams, and of those for which there was no place.
    """

    def __init__(self, weather: Weather, *, clock: Clock, limit: int = 64, seed: int = 0) -> None:
        self.refused = 0
        self._weather = weather
        self._clock = clock
        self._places = Places(limit=limit, clock=clock)
        self._draw = random.Random(seed)
        self._cameras: dict[str, AirEnd] = {}
        self._streams: dict[str, AirEnd] = {}
        self._new: asyncio.Queue[AirEnd | None] = asyncio.Queue()

    def tables(self) -> dict[str, int]:
        """Entries of each table here."""
        return {
            "air.cameras": len(self._cameras),
            "air.streams": len(self._streams),
            "air.places": len(self._places),
            "air.new": self._new.qsize(),
        }

    def open_camera(self, stream: str, *, mtu: int) -> AirEnd:
        """The sending end of a stream; a second one of the same name takes its place."""
        link = self._link()
        camera = AirEnd(
            stream,
            mtu=mtu,
            clock=self._clock,
            place=Place(stream, clock=self._clock, leave=lambda: None),
            send=lambda datagram: link.carry(
                datagram, lambda arrived: self._take(stream, arrived, mtu=mtu)
            ),
            let_go=lambda: self._forget_camera(stream, camera),
        )
        self._cameras[stream] = camera
        return camera

    def inject(self, stream: str, datagram: bytes) -> None:
        """A datagram from anybody."""
        self._take(stream, datagram, mtu=1100)

    async def accept(self) -> AirEnd | None:
        """Wait for the first datagram of a stream that is not here, or was closed."""
        return await self._new.get()

    def stop(self) -> None:
        """Have the receiver see the end of the listener and of all streams."""
        self._new.put_nowait(None)
        for stream in list(self._streams.values()):
            stream.deliver(None)

    async def close(self) -> None:
        """Take no more streams."""
        self._streams.clear()

    def _take(self, name: str, datagram: bytes, *, mtu: int) -> None:
        stream = self._streams.get(name) or self._admit(name, mtu=mtu)
        if stream is None:
            self.refused += 1
        else:
            stream.deliver(datagram)

    def _admit(self, name: str, *, mtu: int) -> AirEnd | None:
        if not re.match(STREAM_NAME_PATTERN, name):
            return None
        place = self._places.take(name, leave=lambda: self._dismiss(name))
        if place is None:
            return None
        link = self._link()
        stream = AirEnd(
            name,
            mtu=mtu,
            clock=self._clock,
            place=place,
            send=lambda answer: link.carry(answer, lambda arrived: self._answer(name, arrived)),
            let_go=lambda: self._forget_stream(place),
        )
        self._streams[name] = stream
        self._new.put_nowait(stream)
        return stream

    def _link(self) -> _Link:
        return _Link(self._weather, random.Random(self._draw.random()))

    def _answer(self, name: str, datagram: bytes) -> None:
        camera = self._cameras.get(name)
        if camera is not None:
            camera.deliver(datagram)

    def _forget_camera(self, name: str, camera: AirEnd) -> None:
        if self._cameras.get(name) is camera:
            del self._cameras[name]

    def _dismiss(self, name: str) -> None:
        self._streams.pop(name).deliver(None)

    def _forget_stream(self, place: Place) -> None:
        self._places.free(place)
        stream = self._streams.get(place.stream)
        if stream is not None and stream.place is place:
            del self._streams[place.stream]
