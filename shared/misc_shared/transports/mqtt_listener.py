"""Many streams from one MQTT broker, over one connection: PREFIX/+/data.

Each stream has a queue of its own, so that a flood of one pushes out its own datagrams and nobody
else's. A name is a stream once a datagram of it came; there are at most so many at a time, and who
has shown least makes room (`Places`).
"""

from __future__ import annotations

import asyncio
import dataclasses
import re
import ssl
from collections.abc import Callable
from pathlib import Path

from misc_shared.errors import TransportError
from misc_shared.stream_names import STREAM_NAME_PATTERN
from misc_shared.transports.address import MqttAddress
from misc_shared.transports.base import DEFAULT_MTU, Clock, SystemClock
from misc_shared.transports.mqtt_connection import BrokerConnection, tls_context
from misc_shared.transports.places import Place, Places

__all__ = ["ListenerCounters", "MqttListener", "MqttStream"]

_WINDOW = 16
_INCOMING_LIMIT = 1024
_STREAM_LIMIT = 64
"""Datagrams of one stream that wait: more than a sender has under way."""
_STREAM_BYTES = 256 << 10
"""Bytes of those."""


@dataclasses.dataclass
class ListenerCounters:
    """What a listener did not pass on.

    Attributes:
        misnamed: datagrams on a topic whose name no stream may have.
        unwanted: datagrams of streams that are not admitted.
        rejected: datagrams of streams for which there was no place.
        overflowed: datagrams that came faster than their stream took them.
    """

    misnamed: int = 0
    unwanted: int = 0
    rejected: int = 0
    overflowed: int = 0


class MqttStream:
    """The receiving end of one stream of many; made by `MqttListener`.

    Args:
        name: the stream's name.
        connection: what it shares with the others.
        topic: where its answers go.
        counters: the listener's.
        place: that it holds.
        let_go: called when it is closed.
    """

    duplex = True
    overhead = 0

    def __init__(
        self,
        name: str,
        *,
        connection: BrokerConnection,
        topic: str,
        counters: ListenerCounters,
        place: Place,
        let_go: Callable[[], None],
    ) -> None:
        self.stream = name
        self.place = place
        self.mtu = connection.largest(topic, mtu=DEFAULT_MTU)
        self.clock: Clock = SystemClock()
        self._connection = connection
        self._topic = topic
        self._counters = counters
        self._let_go = let_go
        self._incoming: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._waiting = 0
        self._closed = False

    @property
    def reconnects(self) -> int:
        """How often the broker came back."""
        return self._connection.reconnects

    async def ready(self) -> None:
        """Wait until connected with room for one more datagram in flight."""
        self._refuse_if_closed()
        await self._connection.ready()

    async def send(self, datagram: bytes) -> None:
        """Publish one datagram; returns once it is in flight."""
        if len(datagram) > self.mtu:
            raise TransportError(
                f"a datagram of {len(datagram)} bytes does not fit the MTU of {self.mtu}"
            )
        self._refuse_if_closed()
        await self._connection.send(self._topic, datagram)

    async def receive(self) -> bytes | None:
        """Wait for the next datagram, through any number of reconnections."""
        self._refuse_if_closed()
        datagram = self._taken(await self._incoming.get())
        if datagram is None:
            self._connection.refuse_if_closed()
        return datagram

    async def close(self) -> None:
        """Take nothing more; the connection stays for the others."""
        if not self._closed:
            self._closed = True
            self._let_go()

    def deliver(self, payload: bytes | None) -> None:
        """Let a datagram wait, in place of the oldest if too many do; None is the end."""
        size = 0 if payload is None else len(payload)
        while self._incoming.qsize() >= _STREAM_LIMIT or (
            self._waiting and self._waiting + size > _STREAM_BYTES
        ):
            self._taken(self._incoming.get_nowait())
            self._counters.overflowed += 1
        self._waiting += size
        self._incoming.put_nowait(payload)

    def _taken(self, payload: bytes | None) -> bytes | None:
        self._waiting -= 0 if payload is None else len(payload)
        return payload

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise TransportError(f"the stream {self.stream} is closed")


class MqttListener:
    """Gives a Transport for each stream below a prefix; made by `MqttListener.connect`.

    Args:
        address: the broker and the prefix; its stream is not looked at.
        limit: the most streams at a time.
        admits: whether a stream of this name is wanted at all.
        archives: whether to give the streams' archives too.
        tls: the TLS settings, or None for plain TCP.

    Attributes:
        counters: what was not passed on.
    """

    def __init__(
        self,
        address: MqttAddress,
        *,
        limit: int,
        admits: Callable[[str], bool] | None = None,
        archives: bool = False,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.counters = ListenerCounters()
        self._address = address
        self._places = Places(limit=limit, clock=SystemClock())
        self._admits = admits
        self._streams: dict[str, MqttStream] = {}
        self._new: asyncio.Queue[MqttStream | None] = asyncio.Queue()
        places = [address.prefix] + [f"{address.prefix}/archive"] * archives
        self._connection = BrokerConnection(
            address,
            topics=[f"{place}/+/data" for place in places],
            deliver=self._take,
            welcome=_nothing,
            ended=self._end,
            window=_WINDOW,
            incoming=_INCOMING_LIMIT,
            tls=tls,
        )

    @classmethod
    async def connect(
        cls,
        address: MqttAddress,
        *,
        limit: int,
        admits: Callable[[str], bool] | None = None,
        archives: bool = False,
        ca_file: Path | None = None,
    ) -> MqttListener:
        """Reach the broker for the first time, or say in one sentence why not.

        Raises:
            TransportError: the broker does not answer, or refuses us.
        """
        tls = tls_context(ca_file) if address.tls else None
        listener = cls(address, limit=limit, admits=admits, archives=archives, tls=tls)
        await listener._connection.start()
        return listener

    @property
    def connected(self) -> bool:
        """Whether the broker is there at this moment."""
        return self._connection.up

    def turned_away(self) -> dict[str, int]:
        """Datagrams that no stream got, by cause."""
        return dataclasses.asdict(self.counters)

    def complaints(self) -> list[str]:
        """What is not as it should be; may be asked in any thread."""
        return self._places.complaints()

    async def accept(self) -> MqttStream | None:
        """Wait for the first datagram of a stream that is not here, or was closed."""
        stream = await self._new.get()
        if stream is None:
            self._connection.refuse_if_closed()
        return stream

    async def close(self) -> None:
        """Disconnect; the streams end with it."""
        await self._connection.close()

    async def _take(self, topic: str, payload: bytes) -> None:
        place, _, name = topic.removesuffix("/data").rpartition("/")
        address = dataclasses.replace(self._address, prefix=place, stream=name)
        stream = self._streams.get(address.received_as)
        if stream is None:
            stream = self._admit(address)
        if stream is not None:
            stream.deliver(payload)

    def _admit(self, address: MqttAddress) -> MqttStream | None:
        if not re.match(STREAM_NAME_PATTERN, address.stream):
            self.counters.misnamed += 1
            return None
        name = address.received_as
        if self._admits is not None and not self._admits(name):
            self.counters.unwanted += 1
            return None
        place = self._places.take(name, leave=lambda: self._dismiss(name))
        if place is None:
            self.counters.rejected += 1
            return None
        stream = MqttStream(
            name,
            connection=self._connection,
            topic=address.topic("back"),
            counters=self.counters,
            place=place,
            let_go=lambda: self._forget(place),
        )
        self._streams[name] = stream
        self._new.put_nowait(stream)
        return stream

    def _dismiss(self, name: str) -> None:
        """Another stream gets the place: what came of this one is still shown."""
        self._streams.pop(name).deliver(None)

    def _forget(self, place: Place) -> None:
        self._places.free(place)
        stream = self._streams.get(place.stream)
        # By now the name may have come back, with another place.
        if stream is not None and stream.place is place:
            del self._streams[place.stream]

    def _end(self) -> None:
        self._new.put_nowait(None)
        for stream in self._streams.values():
            stream.deliver(None)


async def _nothing() -> None:
    """There is nothing to say to the broker: each stream's status is its sender's."""
