"""MQTT 5 as a transport: one stream on one broker, surviving the broker's absence.

A stream has three topics: PREFIX/STREAM/data carries the sender's datagrams, PREFIX/STREAM/back
the receiver's, and PREFIX/STREAM/status is retained, "online" or "offline", kept honest by the
sender's last will. Datagrams go at QoS 1 with at most two in flight: QoS 0 gives no back-pressure
(forty publishes of 1 kB at 20 kbit/s return at once, and the last arrives 35 s later), and more
in flight would only let old data queue ahead of new. Message expiry keeps the broker from
delivering what is past its deadline, and what it retained for a data topic is not asked for.

Where a client may not write or read a topic, the broker says so in PUBACK or SUBACK, and the
transport ends with that sentence: it would otherwise look as if nothing came.

Source: MQTT Version 5.0, OASIS Standard, 2019.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import ssl
import time
from pathlib import Path

import aiomqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from misc_shared.errors import TransportError
from misc_shared.transports.address import MqttAddress
from misc_shared.transports.backoff import Backoff
from misc_shared.transports.base import DEFAULT_MTU, Clock, SystemClock
from misc_shared.transports.mqtt_client import (
    BrokerClient,
    make_properties,
    publish_properties,
)
from misc_shared.wire import MAX_DATAGRAM, MIN_MTU

__all__ = ["MqttTransport"]

_log = logging.getLogger(__name__)

_WINDOW = 2
_INCOMING_LIMIT = 256
# A kilobyte at 250 bit/s takes 33 s, so the library's own 10 s would declare slow links dead.
_CALL_TIMEOUT = 90.0
_CLOSE_TIMEOUT = 30.0
_ANNOUNCE_TIMEOUT = 15.0
# TCP repeats an unanswered SYN after 1, 3, 7 and 15 s. An attempt that begins while the link is
# away must not sleep through its return, so later ones get not much longer than one took.
_FIRST_CONNECT = 15.0
_SHORTEST_CONNECT = 6.0
_LONGEST_PAUSE = 4.0
# MQTT 5, 3.3: fixed header 5, length of the topic 2, packet id 2, properties 1 + 5.
_PUBLISH_OVERHEAD = 15
_NOT_AUTHORISED = 0x87
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
    `ready` waits meanwhile. What was in flight when a connection broke counts as lost, and
    `reconnects` tells the session's owner that it happened.

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
        self.overhead = 0
        self.reconnects = 0
        self.lost = 0
        self._address = address
        self._sending = sending
        self._expiry = expiry
        self._tls = tls
        self._outgoing_topic = address.topic("data" if sending else "back")
        self._incoming_topic = address.topic("back" if sending else "data")
        self._incoming: asyncio.Queue[bytes | None] = asyncio.Queue(maxsize=_INCOMING_LIMIT)
        self._client: BrokerClient | None = None
        self._window = _WINDOW
        self._largest = self.mtu
        self._connecting_takes = _FIRST_CONNECT / 3
        self._in_flight: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._closed = False
        self._failure: TransportError | None = None
        self._has_connected = False

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
            if self._client is not None and len(self._in_flight) < self._window:
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
        if len(datagram) > self._largest:
            raise TransportError(
                f"{self._broker} came back with a limit of {self._largest} bytes, and a datagram "
                f"has {len(datagram)}; start again with --mtu {self._largest}"
            )
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
        if self._in_flight and not self._closed:
            await asyncio.wait(self._in_flight, timeout=_CLOSE_TIMEOUT)
        client, self._client = self._client, None
        self._end()
        if client is not None and self._sending:
            with contextlib.suppress(aiomqtt.MqttError, TransportError):
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
        backoff = Backoff(largest=_LONGEST_PAUSE)
        while not self._closed:
            try:
                async with self._new_client() as client:
                    await self._on_connected(client)
                    backoff.reset()
                    if first.done():
                        self.reconnects += 1
                    else:
                        first.set_result(None)
                    await self._take_messages(client)
            except aiomqtt.MqttError as error:
                self._on_disconnected()
                if not first.done():
                    first.set_exception(TransportError(self._explain(error)))
                    return
                _log.info("%s; trying again", self._explain(error))
                await asyncio.sleep(backoff.next())
            except TransportError as error:
                if not first.done():
                    first.set_exception(error)
                    return
                self._fail(error)

    def _new_client(self) -> BrokerClient:
        will = aiomqtt.Will(self._status_topic, _OFFLINE, qos=1, retain=True)
        return BrokerClient(
            self._address,
            connect_timeout=max(_SHORTEST_CONNECT, 3 * self._connecting_takes),
            will=will if self._sending else None,
            max_queued_incoming_messages=_INCOMING_LIMIT,
            max_inflight_messages=_WINDOW + 1,  # and the status
            properties=make_properties(
                PacketTypes.CONNECT,
                MaximumPacketSize=MAX_DATAGRAM + 1024,  # topic and properties
                ReceiveMaximum=_INCOMING_LIMIT,
            ),
            tls_context=self._tls,
        )

    async def _on_connected(self, client: BrokerClient) -> None:
        began = time.monotonic()
        self._mind_limits(client)
        topics = [self._incoming_topic]
        if self._sending:
            topics.append(self._status_topic)
        options = SubscribeOptions(qos=1, noLocal=True, retainHandling=2)
        answers = await client.subscribe(
            [(topic, options) for topic in topics], timeout=_CALL_TIMEOUT
        )
        # One round trip, of which a TCP connection takes one and TLS two or three.
        self._connecting_takes = time.monotonic() - began
        if isinstance(answers[0], ReasonCode) and answers[0].is_failure:
            raise TransportError(self._refused("read", self._incoming_topic, answers[0]))
        if self._sending:
            await self._announce(client, _ONLINE)
        self._client = client
        self._has_connected = True
        self._changed.set()

    def _mind_limits(self, client: BrokerClient) -> None:
        """Keep below what this broker takes; the first time, the MTU follows."""
        self._window = min(_WINDOW, client.receive_limit)
        if client.packet_limit is None:
            self._largest = self.mtu
            return
        topic = len(self._outgoing_topic.encode())
        self._largest = min(self.mtu, client.packet_limit - topic - _PUBLISH_OVERHEAD)
        if self._largest < MIN_MTU:
            raise TransportError(
                f"{self._broker} takes packets of at most {client.packet_limit} bytes: expected "
                f"{MIN_MTU + topic + _PUBLISH_OVERHEAD} or more; raise its max_packet_size"
            )
        if not self._has_connected:
            self.mtu = self._largest

    def _on_disconnected(self) -> None:
        self._client = None
        for task in self._in_flight:
            task.cancel()

    async def _announce(self, client: BrokerClient, status: bytes) -> None:
        topic = self._status_topic
        await client.publish(topic, status, qos=1, retain=True, timeout=_ANNOUNCE_TIMEOUT)
        refusal = client.publish_refusal
        if refusal is not None:
            raise TransportError(self._refused("write", topic, refusal))

    async def _take_messages(self, client: BrokerClient) -> None:
        async for message in client.messages:
            payload = message.payload
            if not isinstance(payload, bytes) or len(payload) > MAX_DATAGRAM:
                continue
            if message.topic.value != self._status_topic:
                self._deliver(payload)
            elif payload == _OFFLINE:
                # Another run of this stream has ended; its last will does not speak for us.
                await self._announce(client, _ONLINE)

    def _deliver(self, payload: bytes | None) -> None:
        if self._incoming.full():
            self._incoming.get_nowait()  # the oldest is the least worth keeping
            self.lost += 1
        self._incoming.put_nowait(payload)

    async def _publish(self, client: BrokerClient, datagram: bytes) -> None:
        expiry = None if self._expiry is None else math.ceil(self._expiry)
        topic = self._outgoing_topic
        try:
            await client.publish(
                topic,
                datagram,
                qos=1,
                properties=publish_properties(expiry),
                timeout=_CALL_TIMEOUT,
            )
        except aiomqtt.MqttError as error:
            self.lost += 1
            _log.debug("a datagram was lost: %s", error)
            return
        refusal, client.publish_refusal = client.publish_refusal, None
        if refusal is not None:
            self.lost += 1
            self._refuse(topic, refusal)

    def _refuse(self, topic: str, refusal: ReasonCode) -> None:
        if refusal.value == _NOT_AUTHORISED:
            self._fail(TransportError(self._refused("write", topic, refusal)))
        else:
            _log.warning("%s did not take a datagram: %s", self._broker, refusal)

    def _fail(self, error: TransportError) -> None:
        """End for good, and tell whoever calls next why."""
        self._failure = self._failure or error
        self._end()

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if task.cancelled():
            self.lost += 1
        self._changed.set()

    def _refuse_if_closed(self) -> None:
        if self._failure is not None:
            raise self._failure
        if self._closed:
            raise TransportError(f"the connection to {self._address.host} is closed")

    @property
    def _status_topic(self) -> str:
        return self._address.topic("status")

    @property
    def _broker(self) -> str:
        return f"the MQTT broker at {self._address.host}:{self._address.port}"

    def _refused(self, verb: str, topic: str, reason: ReasonCode) -> str:
        who = self._address.username
        user = "a client without a user name" if who is None else f"the user {who!r}"
        return (
            f"{self._broker} does not let {user} {verb} {topic} ({reason}); log in as another "
            "user, or change the broker's access rules"
        )

    def _explain(self, error: aiomqtt.MqttError) -> str:
        code = getattr(getattr(error, "rc", None), "value", None)
        if code in _REFUSALS:
            return f"{self._broker} {_REFUSALS[code]}; check the URL's user and password"
        return (
            f"{self._broker} does not answer ({error}); check the address, or start a broker there"
        )


def _tls_context(ca_file: Path | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise TransportError(f"cannot use the CA file {ca_file}: {error}") from None
