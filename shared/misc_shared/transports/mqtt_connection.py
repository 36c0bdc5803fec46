"""A connection to an MQTT 5 broker that is kept up for as long as somebody wants it.

Datagrams go at QoS 1 with few in flight: QoS 0 gives no back-pressure (forty publishes of 1 kB at
20 kbit/s return at once, and the last arrives 35 s later), and more in flight would only let old
data queue ahead of new. Where a client may not write or read a topic, the broker says so in PUBACK
or SUBACK, and the connection ends with that sentence: it would otherwise look as if nothing came.

Source: MQTT Version 5.0, OASIS Standard, 2019.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

import aiomqtt
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from misc_shared.companions import end_tasks
from misc_shared.errors import TransportError
from misc_shared.transports.address import MqttAddress
from misc_shared.transports.mqtt_client import (
    BrokerClient,
    publish_properties,
)
from misc_shared.transports.mqtt_retry import Retry
from misc_shared.wire import MAX_DATAGRAM, MIN_MTU

__all__ = ["BrokerConnection", "tls_context"]

_log = logging.getLogger(__name__)

# A kilobyte at 250 bit/s takes 33 s, so the library's own 10 s would declare slow links dead.
_CALL_TIMEOUT = 90.0
_CLOSE_TIMEOUT = 30.0
_RETAIN_TIMEOUT = 15.0
# TCP repeats an unanswered SYN after 1, 3, 7 and 15 s. An attempt that begins while the link is
# away must not sleep through its return, so later ones get not much longer than one took.
_FIRST_CONNECT = 15.0
_SHORTEST_CONNECT = 6.0
# MQTT 5, 3.3: fixed header 5, length of the topic 2, packet id 2, properties 1 + 5.
_PUBLISH_OVERHEAD = 15
_NOT_AUTHORISED = 0x87
# Reason codes of MQTT 5, 3.2.2.2, that another attempt will not change.
_REFUSALS = {
    0x84: "does not speak MQTT 5",
    0x86: "refuses this user name or password",
    0x87: "does not let this user connect",
    0x8A: "has banned this client",
}


class BrokerConnection:
    """Reconnects by itself, with back-off and jitter; `ready` waits meanwhile.

    What was in flight when a connection broke counts as lost.

    Args:
        address: the broker, and who we are.
        topics: what to read; the broker has to allow the first of them.
        deliver: takes each message's topic and payload.
        welcome: called each time that the connection is there and reads, before `ready` returns.
        ended: called when it has ended for good.
        window: the most that we have in flight at a time.
        incoming: the most that the broker has in flight to us, and that waits for `deliver`.
        will: what the broker says for us when we are gone, or None.
        tls: the TLS settings, or None for plain TCP.
        kept: topics of which we want to know what the broker has retained.
        found: takes topic and payload of each retained message.

    Attributes:
        reconnects: connections after the first.
        lost: datagrams that did not arrive for sure.
        broker: what to call the broker in a message.
        packet_limit: bytes of the largest packet that it takes, or None if it said none.
    """

    def __init__(  # noqa: PLR0913 - all by name
        self,
        address: MqttAddress,
        *,
        topics: Sequence[str],
        deliver: Callable[[str, bytes], Awaitable[None]],
        welcome: Callable[[], Awaitable[None]],
        ended: Callable[[], None],
        window: int,
        incoming: int,
        will: aiomqtt.Will | None = None,
        tls: ssl.SSLContext | None = None,
        kept: Sequence[str] = (),
        found: Callable[[str, bytes], Awaitable[None]] | None = None,
    ) -> None:
        self._kept = kept
        self._found = found
        self.reconnects = 0
        self.lost = 0
        self.broker = f"the MQTT broker at {address.host}:{address.port}"
        self.packet_limit: int | None = None
        self._address = address
        self._topics = topics
        self._deliver = deliver
        self._welcome = welcome
        self._ended = ended
        self._most = self._window = window
        self._incoming = incoming
        self._will = will
        self._tls = tls
        self._client: BrokerClient | None = None
        self._connecting_takes = _FIRST_CONNECT / 3
        self._in_flight: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._up = False
        self._unread: set[str] = set()
        self._closed = False
        self._failure: TransportError | None = None

    @property
    def up(self) -> bool:
        """Whether the broker is there at this moment."""
        return self._up

    async def start(self, *, patient: bool = False) -> None:
        """Reach the broker for the first time, or say in one sentence why not.

        Args:
            patient: return at once; it is tried again until it answers.

        Raises:
            TransportError: the broker does not answer, or refuses us.
        """
        first: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if patient:
            first.set_result(None)
        self._keeper = asyncio.create_task(self._keep_connected(first))
        self._keeper.add_done_callback(lambda _: self._end())
        try:
            await asyncio.wait({first, self._keeper}, return_when=asyncio.FIRST_COMPLETED)
            # Without a word from `first`, the keeper failed in a way nobody foresaw: say which.
            await (first if first.done() else self._keeper)
        except BaseException:
            self._keeper.cancel()
            raise

    def largest(self, topic: str, *, mtu: int) -> int:
        """Bytes of the largest payload that the broker takes on a topic, at most `mtu`.

        Raises:
            TransportError: it is too small for any datagram.
        """
        if self.packet_limit is None:
            return mtu
        length = len(topic.encode())
        largest = min(mtu, self.packet_limit - length - _PUBLISH_OVERHEAD)
        if largest < MIN_MTU:
            raise TransportError(
                f"{self.broker} takes packets of at most {self.packet_limit} bytes: expected "
                f"{MIN_MTU + length + _PUBLISH_OVERHEAD} or more; raise its max_packet_size"
            )
        return largest

    async def ready(self) -> None:
        """Wait until connected with room for one more in flight.

        Raises:
            TransportError: it is closed, or failed for good.
        """
        while True:
            self.refuse_if_closed()
            if self._up and len(self._in_flight) < self._window:
                return
            self._changed.clear()
            await self._changed.wait()

    async def send(self, topic: str, datagram: bytes, *, expiry: float | None = None) -> None:
        """Publish one datagram; returns once it is in flight.

        Args:
            topic: where.
            datagram: what.
            expiry: seconds after which the broker need not deliver it any more, or None.

        Raises:
            TransportError: it is closed, or failed for good.
        """
        await self.ready()
        assert self._client is not None  # noqa: S101 - what ready() waits for
        task = asyncio.create_task(self._publish(self._client, topic, datagram, expiry))
        self._in_flight.add(task)
        task.add_done_callback(self._landed)

    async def retain(self, topic: str, payload: bytes) -> None:
        """Publish what whoever comes later shall read too; not before there is a connection.

        Raises:
            MqttError: the connection broke.
            TransportError: the broker does not allow it.
        """
        client = self._client
        if client is None:
            return
        await client.publish(topic, payload, qos=1, retain=True, timeout=_RETAIN_TIMEOUT)
        refusal = client.publish_refusal
        if refusal is not None:
            raise TransportError(self._refused("write", topic, refusal))

    async def close(self, *, last_words: Callable[[], Awaitable[None]] | None = None) -> None:
        """Let what is in flight land, say `last_words`, and disconnect."""
        if self._in_flight and not self._closed:
            await asyncio.wait(self._in_flight, timeout=_CLOSE_TIMEOUT)
        self._up = False
        self._end()
        if last_words is not None:
            with contextlib.suppress(aiomqtt.MqttError, TransportError):
                await last_words()
        self._client = None
        if self._keeper is not None:
            await end_tasks(self._keeper)
            if not self._keeper.cancelled():
                self._keeper.result()  # where it failed in a way nobody foresaw

    def refuse_if_closed(self) -> None:
        """Say why nothing can be done any more, if so.

        Raises:
            TransportError: it is closed, or failed for good.
        """
        if self._failure is not None:
            raise self._failure
        if self._closed:
            raise TransportError(f"the connection to {self._address.host} is closed")

    def _end(self) -> None:
        """Refuse further use and wake whoever waits."""
        if not self._closed:
            self._closed = True
            self._changed.set()
            self._ended()

    async def _keep_connected(self, first: asyncio.Future[None]) -> None:
        """Hold a connection; `first` tells of the first try."""
        retry = Retry()
        while not self._closed:
            client = self._new_client()
            try:
                async with client:
                    retry.connected(time.monotonic())
                    await self._on_connected(client)
                    if first.done():
                        self.reconnects += 1
                    else:
                        first.set_result(None)
                    await self._take_messages(client)
            except aiomqtt.MqttError as error:
                self._on_disconnected()
                reason, refused = self._explain(error, client.violation)
                if not first.done():
                    first.set_exception(TransportError(reason))
                    return
                now = time.monotonic()
                await asyncio.sleep(retry.failed(reason, refused=refused, now=now))
            except TransportError as error:
                if not first.done():
                    first.set_exception(error)
                    return
                self._fail(error)

    def _new_client(self) -> BrokerClient:
        return BrokerClient(
            self._address,
            connect_timeout=max(_SHORTEST_CONNECT, 3 * self._connecting_takes),
            will=self._will,
            max_queued_incoming_messages=self._incoming,
            max_inflight_messages=self._most + 1,  # and what is retained
            largest=MAX_DATAGRAM + 1024,  # topic and properties
            properties={"ReceiveMaximum": self._incoming},
            tls_context=self._tls,
        )

    async def _on_connected(self, client: BrokerClient) -> None:
        began = time.monotonic()
        self._window = min(self._most, client.receive_limit)
        self.packet_limit = client.packet_limit
        options = SubscribeOptions(qos=1, noLocal=True, retainHandling=2)
        with_retained = SubscribeOptions(qos=1, noLocal=True, retainHandling=0)
        wanted = [(topic, options) for topic in self._topics]
        wanted += [(topic, with_retained) for topic in self._kept]
        answers = await client.subscribe(wanted, timeout=_CALL_TIMEOUT)
        # One round trip, of which a TCP connection takes one and TLS two or three.
        self._connecting_takes = time.monotonic() - began
        self._check_topics(answers)
        self._client = client
        await self._welcome()
        self._up = True
        self._changed.set()

    def _check_topics(self, answers: Sequence[object]) -> None:
        """Refuse a broker that does not let us read the first topic; tell of the others."""
        for topic, answer in zip(self._topics, answers, strict=False):
            if isinstance(answer, ReasonCode) and answer.is_failure:
                sentence = self._refused("read", topic, answer)
                if topic == self._topics[0]:
                    raise TransportError(sentence)
                if topic not in self._unread:
                    self._unread.add(topic)
                    _log.warning("%s", sentence)

    def _on_disconnected(self) -> None:
        self._client = None
        self._up = False
        for task in self._in_flight:
            task.cancel()

    async def _take_messages(self, client: BrokerClient) -> None:
        async for message in client.messages:
            payload = message.payload
            if isinstance(payload, bytes) and len(payload) <= MAX_DATAGRAM:
                take = self._found if message.retain and self._found else self._deliver
                await take(message.topic.value, payload)

    async def _publish(
        self, client: BrokerClient, topic: str, datagram: bytes, expiry: float | None
    ) -> None:
        try:
            await client.publish(
                topic,
                datagram,
                qos=1,
                properties=publish_properties(None if expiry is None else math.ceil(expiry)),
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
            _log.warning("%s did not take a datagram: %s", self.broker, refusal)

    def _fail(self, error: TransportError) -> None:
        """End for good, and tell whoever calls next why."""
        self._failure = self._failure or error
        self._end()

    def _landed(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        if task.cancelled():
            self.lost += 1
        self._changed.set()

    def _refused(self, verb: str, topic: str, reason: ReasonCode) -> str:
        who = self._address.username
        user = "a client without a user name" if who is None else f"the user {who!r}"
        return (
            f"{self.broker} does not let {user} {verb} {topic} ({reason}); log in as another "
            "user, or change the broker's access rules"
        )

    def _explain(self, error: aiomqtt.MqttError, violation: str | None) -> tuple[str, bool]:
        """Why there is no connection, and whether the broker is there and at fault."""
        code = getattr(getattr(error, "rc", None), "value", None)
        if violation is not None:
            return f"{self.broker} {violation}; the connection was closed", True
        if code in _REFUSALS:
            return f"{self.broker} {_REFUSALS[code]}; check the URL's user and password", True
        cause = error.__cause__ or error.__context__
        # "Connection refused" without its number.
        reason = (cause.strerror if isinstance(cause, OSError) else None) or error
        hint = "check the address, or start a broker there"
        return f"{self.broker} does not answer ({reason}); {hint}", False


def tls_context(ca_file: Path | None) -> ssl.SSLContext:
    """TLS that trusts a CA file, or what the system trusts.

    Raises:
        TransportError: the file cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise TransportError(f"cannot use the CA file {ca_file}: {error}") from None
