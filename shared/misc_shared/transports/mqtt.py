"""MQTT 5 as a transport: one stream on one broker, surviving the broker's absence.

A stream has three topics: PREFIX/STREAM/data carries the sender's datagrams, PREFIX/STREAM/back
the receiver's, and PREFIX/STREAM/status is retained, "online" or "offline", kept honest by the
sender's last will. Message expiry keeps the broker from delivering what is past its deadline, and
what it retained for a data topic is not asked for.

Source: MQTT Version 5.0, OASIS Standard, 2019.
"""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import aiomqtt

from misc_shared.errors import TransportError
from misc_shared.transports.address import MqttAddress
from misc_shared.transports.base import DEFAULT_MTU, Clock, SystemClock
from misc_shared.transports.mqtt_connection import BrokerConnection, tls_context
from misc_shared.wire import MAX_DATAGRAM

__all__ = ["MqttTransport"]

_WINDOW = 2
_INCOMING_LIMIT = 256
_ONLINE, _OFFLINE = b"online", b"offline"


class MqttTransport:
    """One end of a stream on an MQTT broker; made by `MqttTransport.connect`.

    After the first connection the transport reconnects by itself; `ready` waits meanwhile. What
    was in flight when a connection broke counts as lost, and `reconnects` tells the session's
    owner that it happened.

    Args:
        address: the broker and the stream.
        sending: True for the sender's end, which owns the status topic.
        mtu: bytes of the largest datagram.
        expiry: seconds after which the broker need not deliver a datagram any more, or None.
        tls: the TLS settings, or None for plain TCP.
        patient: the session begins before the broker's limit is known, so it cannot follow it.
    """

    duplex = True

    def __init__(
        self,
        address: MqttAddress,
        *,
        sending: bool,
        mtu: int = DEFAULT_MTU,
        expiry: float | None = None,
        tls: ssl.SSLContext | None = None,
        patient: bool = False,
    ) -> None:
        self._patient = patient
        self.stream = address.stream if sending else address.received_as
        self.mtu = min(mtu, MAX_DATAGRAM)
        self.clock: Clock = SystemClock()
        self.overhead = 0
        self._sending = sending
        self._expiry = expiry
        self._status_topic = address.topic("status")
        self._outgoing_topic = address.topic("data" if sending else "back")
        self._incoming: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=_INCOMING_LIMIT)
        self._largest: int | None = None
        self._overflowed = 0
        incoming_topic = address.topic("back" if sending else "data")
        self._connection = BrokerConnection(
            address,
            topics=[incoming_topic, self._status_topic] if sending else [incoming_topic],
            deliver=self._take,
            welcome=self._introduce,
            ended=lambda: self._deliver(None),
            window=_WINDOW,
            incoming=_INCOMING_LIMIT,
            will=aiomqtt.Will(self._status_topic, _OFFLINE, qos=1, retain=True)
            if sending
            else None,
            tls=tls,
        )

    @classmethod
    async def connect(
        cls,
        address: MqttAddress,
        *,
        sending: bool,
        mtu: int = DEFAULT_MTU,
        expiry: float | None = None,
        ca_file: Path | None = None,
        patient: bool = False,
    ) -> MqttTransport:
        """Reach the broker for the first time, or say in one sentence why not.

        Args:
            address: the broker and the stream.
            sending: True for the sender's end.
            mtu: bytes of the largest datagram.
            expiry: seconds until the broker may drop a datagram, or None for never.
            ca_file: certificates to trust in place of the system's, for mqtts.
            patient: return at once, and try until the broker answers: `ready` waits meanwhile.

        Raises:
            TransportError: the broker does not answer, or refuses us.
        """
        tls = tls_context(ca_file) if address.tls else None
        transport = cls(address, sending=sending, mtu=mtu, expiry=expiry, tls=tls, patient=patient)
        await transport._connection.start(patient=patient)
        return transport

    @property
    def connected(self) -> bool:
        """Whether the broker is there at this moment."""
        return self._connection.up

    @property
    def reconnects(self) -> int:
        """Connections after the first."""
        return self._connection.reconnects

    @property
    def lost(self) -> int:
        """Datagrams that did not arrive for sure, or came faster than they were taken."""
        return self._connection.lost + self._overflowed

    async def ready(self) -> None:
        """Wait until connected with fewer than two datagrams in flight."""
        await self._connection.ready()

    async def send(self, datagram: bytes) -> None:
        """Publish one datagram; returns once it is in flight."""
        # An oversize publish is dropped by the broker without a word: check here.
        if len(datagram) > self.mtu:
            raise TransportError(
                f"a datagram of {len(datagram)} bytes does not fit the MTU of {self.mtu}"
            )
        await self.ready()
        if self._largest is not None and len(datagram) > self._largest:
            raise TransportError(
                f"{self._connection.broker} came back with a limit of {self._largest} bytes, and a "
                f"datagram has {len(datagram)}; start again with --mtu {self._largest}"
            )
        await self._connection.send(self._outgoing_topic, datagram, expiry=self._expiry)

    async def receive(self) -> bytes | None:
        """Wait for the next datagram, through any number of reconnections."""
        self._connection.refuse_if_closed()
        datagram = await self._incoming.get()
        if datagram is None:
            self._connection.refuse_if_closed()
        return datagram

    async def close(self) -> None:
        """Let what is in flight land, say that we are offline, and disconnect."""
        await self._connection.close(last_words=self._say_farewell if self._sending else None)

    async def _introduce(self) -> None:
        """Keep below what this broker takes; the first time, the MTU follows. Say that we live."""
        largest = self._connection.largest(self._outgoing_topic, mtu=self.mtu)
        if self._largest is None and not self._patient:
            self.mtu = largest
        elif largest < self.mtu:
            raise TransportError(
                f"{self._connection.broker} takes datagrams of at most {largest} bytes, and ours "
                f"have up to {self.mtu}; start again with --mtu {largest}"
            )
        self._largest = largest
        if self._sending:
            await self._connection.retain(self._status_topic, _ONLINE)

    async def _say_farewell(self) -> None:
        await self._connection.retain(self._status_topic, _OFFLINE)

    async def _take(self, topic: str, payload: bytes) -> None:
        if topic != self._status_topic:
            self._deliver(payload)
        elif payload == _OFFLINE:
            # Another run of this stream has ended; its last will does not speak for us.
            await self._connection.retain(self._status_topic, _ONLINE)

    def _deliver(self, payload: bytes | None) -> None:
        if self._incoming.full():
            self._incoming.get_nowait()  # the oldest is the least worth keeping
            self._overflowed += 1
        self._incoming.put_nowait(payload)
