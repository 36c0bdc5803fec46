"""MQTT 5 as a transport: one stream on one broker, surviving the broker's absence.

A stream has three topics: PREFIX/STREAM/data carries the sender's datagrams, PREFIX/STREAM/back
the receiver's, and PREFIX/STREAM/status is retained, "online" or "offline", kept honest by the
sender's last will. Datagrams go at QoS 1 with at most two in flight: QoS 0 gives no back-pressure
(forty publishes of 1 kB at 20 kbit/s return at once, and the last arrives 35 s later), and more
in flight would only let old data queue ahead of new. Message expiry keeps the broker from
delivering what is past its deadline.

Source: MQTT Version 5.0, OASIS Standard, 2019.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import socket
import ssl
from pathlib import Path

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from misc_shared.errors import TransportError
from misc_shared.transports.address import MqttAddress
from misc_shared.transports.backoff import Backoff
from misc_shared.transports.base import DEFAULT_MTU, Clock, SystemClock
from misc_shared.wire import MAX_DATAGRAM

__all__ = ["MqttTransport"]

_log = logging.getLogger(__name__)

_WINDOW = 2
_INCOMING_LIMIT = 256
# A kilobyte at 250 bit/s takes 33 s, so the library's own 10 s would declare slow links dead.
_CALL_TIMEOUT = 90.0
_CONNECT_TIMEOUT = 15.0
_CLOSE_TIMEOUT = 30.0
_KEEPALIVE = 60
# Nagle's algorithm holds a small datagram until the one before is acknowledged: 40 ms each.
_SOCKET_OPTIONS = ((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),)
_ONLINE, _OFFLINE = b"online", b"offline"
# Reason codes of MQTT 5, 3.2.2.2, that another attempt will not change.
_REFUSALS = {
    0x84: "does not speak MQTT 5",
    0x86: "refuses this user name or password",
    0x87: "does not let this user connect",
    0x8A: "has banned this client",
}


class MqttTransport:
    """One end of a stream on an MQTT broker; made by `MqttTransport.connect`.

    After the first connection the transport reconnects by itself, with back-off and jitter;
    `ready` waits meanwhile. What was in flight when a connection broke counts as lost.

    Args:
        address: the broker and the stream.
        sending: True for the sender's end, which owns the status topic.
        mtu: bytes of the largest datagram.
        expiry: seconds after which the broker need not deliver a datagram any more, or None.
        tls: the TLS settings, or None for plain TCP.
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
    ) -> None:
        self.stream = address.stream
        self.mtu = min(mtu, MAX_DATAGRAM)
        self.clock: Clock = SystemClock()
        self.reconnects = 0
        self.lost = 0
        self._address = address
        self._sending = sending
        self._expiry = expiry
        self._tls = tls
        self._outgoing_topic = address.topic("data" if sending else "back")
        self._incoming_topic = address.topic("back" if sending else "data")
        self._incoming: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=_INCOMING_LIMIT)
        self._client: aiomqtt.Client | None = None
        self._in_flight: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._closed = False

    @classmethod
    async def connect(
        cls,
        address: MqttAddress,
        *,
        sending: bool,
        mtu: int = DEFAULT_MTU,
        expiry: float | None = None,
        ca_file: Path | None = None,
    ) -> MqttTransport:
        """Reach the broker for the first time, or say in one sentence why not.

        Args:
            address: the broker and the stream.
            sending: True for the sender's end.
            mtu: bytes of the largest datagram.
            expiry: seconds until the broker may drop a datagram, or None for never.
            ca_file: certificates to trust in place of the system's, for mqtts.

        Raises:
            TransportError: the broker does not answer, or refuses us.
        """
        tls = _tls_context(ca_file) if address.tls else None
        transport = cls(address, sending=sending, mtu=mtu, expiry=expiry, tls=tls)
        await transport._start()
        return transport

    async def ready(self) -> None:
        """Wait until connected with fewer than two datagrams in flight."""
        while True:
            self._refuse_if_closed()
            if self._client is not None and len(self._in_flight) < _WINDOW:
                return
            self._changed.clear()
            await self._changed.wait()

    async def send(self, datagram: bytes) -> None:
        """Publish one datagram; returns once it is in flight."""
        # An oversize publish is dropped by the broker without a word: check here.
        if len(datagram) > self.mtu:
            raise TransportError(
                f"a datagram of {len(datagram)} bytes does not fit the MTU of {self.mtu}"
            )
        await self.ready()
        assert self._client is not None  # noqa: S101 - what ready() waits for
        task = asyncio.create_task(self._publish(self._client, datagram))
        self._in_flight.add(task)
        task.add_done_callback(self._landed)

    async def receive(self) -> bytes | None:
        """Wait for the next datagram, through any number of reconnections."""
        self._refuse_if_closed()
        datagram = await self._incoming.get()
        if datagram is None:
            self._refuse_if_closed()
        return datagram

    async def close(self) -> None:
        """Let what is in flight land, say that we are offline, and disconnect."""
        if self._closed:
            return
        if self._in_flight:
            await asyncio.wait(self._in_flight, timeout=_CLOSE_TIMEOUT)
        client = self._client
        self._end()
        if client is not None and self._sending:
            with contextlib.suppress(aiomqtt.MqttError):
                await self._announce(client, _OFFLINE)
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper

    async def _start(self) -> None:
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keeper = asyncio.create_task(self._keep_connected(first))
        self._keeper.add_done_callback(lambda _: self._end())
        try:
            await asyncio.wait({first, self._keeper}, return_when=asyncio.FIRST_COMPLETED)
            # Without a word from `first`, the keeper failed in a way nobody foresaw: say which.
            await (first if first.done() else self._keeper)
        except BaseException:
            self._keeper.cancel()
            raise

    def _end(self) -> None:
        """Refuse further use and wake whoever waits."""
        if not self._closed:
            self._closed = True
            self._changed.set()
            self._deliver(None)

    async def _keep_connected(self, first: asyncio.Future[None]) -> None:
        """Hold a connection for as long as the transport lives; `first` tells of the first try."""
        backoff = Backoff()
        while True:
            try:
                async with self._new_client() as client:
                    await self._on_connected(client)
                    backoff.reset()
                    if not first.done():
                        first.set_result(None)
                    await self._take_messages(client)
            except aiomqtt.MqttError as error:
                self._on_disconnected()
                if not first.done():
                    first.set_exception(TransportError(self._explain(error)))
                    return
                self.reconnects += 1
                _log.info("%s; trying again", self._explain(error))
                await asyncio.sleep(backoff.next())

    def _new_client(self) -> aiomqtt.Client:
        address = self._address
        will = aiomqtt.Will(address.topic("status"), _OFFLINE, qos=1, retain=True)
        return aiomqtt.Client(
            address.host,
            address.port,
            username=address.username,
            password=address.password,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=True,  # the session knows what is missing, not a broker's old queue
            will=will if self._sending else None,
            timeout=_CONNECT_TIMEOUT,
            keepalive=_KEEPALIVE,
            max_queued_incoming_messages=_INCOMING_LIMIT,
            max_inflight_messages=_WINDOW + 1,  # and the status
            properties=_properties(
                PacketTypes.CONNECT,
                MaximumPacketSize=MAX_DATAGRAM + 1024,  # topic and properties
                ReceiveMaximum=_INCOMING_LIMIT,
            ),
            tls_context=self._tls,
            socket_options=_SOCKET_OPTIONS,
        )

    async def _on_connected(self, client: aiomqtt.Client) -> None:
        await client.subscribe(self._incoming_topic, qos=1, timeout=_CALL_TIMEOUT)
        if self._sending:
            await self._announce(client, _ONLINE)
        self._client = client
        self._changed.set()

    def _on_disconnected(self) -> None:
        self._client = None
        for task in self._in_flight:
            task.cancel()

    async def _announce(self, client: aiomqtt.Client, status: bytes) -> None:
        topic = self._address.topic("status")
        await client.publish(topic, status, qos=1, retain=True, timeout=_CONNECT_TIMEOUT)

    async def _take_messages(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            payload = message.payload
            if isinstance(payload, bytes) and len(payload) <= MAX_DATAGRAM:
                self._deliver(payload)

    def _deliver(self, payload: bytes | None) -> None:
        if self._incoming.full():
            self._incoming.get_nowait()  # the oldest is the least worth keeping
            self.lost += 1
        self._incoming.put_nowait(payload)

    async def _publish(self, client: aiomqtt.Client, datagram: bytes) -> None:
        expiry = {} if self._expiry is None else {"MessageExpiryInterval": math.ceil(self._expiry)}
        try:
            await client.publish(
                self._outgoing_topic,
                datagram,
                qos=1,
                properties=_properties(PacketTypes.PUBLISH, **expiry),
                timeout=_CALL_TIMEOUT,
            )
        except aiomqtt.MqttError as error:
            self.lost += 1
            _log.debug("a datagram was lost: %s", error)

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if task.cancelled():
            self.lost += 1
        self._changed.set()

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise TransportError(f"the connection to {self._address.host} is closed")

    def _explain(self, error: aiomqtt.MqttError) -> str:
        broker = f"the MQTT broker at {self._address.host}:{self._address.port}"
        code = getattr(getattr(error, "rc", None), "value", None)
        if code in _REFUSALS:
            return f"{broker} {_REFUSALS[code]}; check the URL's user and password"
        return f"{broker} does not answer ({error}); check the address, or start a broker there"


def _properties(packet_type: int, **values: int) -> Properties:
    properties = Properties(packet_type)  # type: ignore[no-untyped-call]  # paho's own gap
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise TransportError(f"cannot use the CA file {ca_file}: {error}") from None
