"""aiomqtt's client with what it leaves out: the broker's limits, its refusals, and no leaks.

aiomqtt 2 throws away the properties of CONNACK and the reason codes of PUBACK, fixes the time for
a TCP connection at 5 s, and leaves the socket of an attempt that failed half-way to the garbage
collector. paho reads any packet whole, 256 MB if the broker likes, whatever was announced. The few
methods overridden here are their own names, so the package is pinned below 3, and
tests/integration/test_mqtt.py and test_mqtt_faults.py would notice if they went away.

Source: MQTT Version 5.0, OASIS Standard, 2019, sections 3.2.2.3 and 3.4.2.1.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping
from typing import Any, Self

import aiomqtt
import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from misc_shared.transports.address import MqttAddress

__all__ = ["BrokerClient", "make_properties", "publish_properties"]

_CALL_TIMEOUT = 15.0
_KEEPALIVE = 15
# A link that was cut says nothing. TCP itself would try for a quarter of an hour, and look at the
# link once a minute or less; a new connection looks every few seconds.
_USER_TIMEOUT_MS = 30_000
# Nagle's algorithm holds a small datagram until the one before is acknowledged: 40 ms each.
_SOCKET_OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS),
)

_SAY_AGAIN = 60.0
"""Seconds until the library may say the same again."""

_SENTENCES = 64


class _Sparingly(logging.Filter):
    """Lets each sentence of the library through once a minute: it has one for each lost message."""

    def __init__(self) -> None:
        super().__init__()
        self._said_at: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it; the library's sentences are few, so what is kept is bounded."""
        last = self._said_at.get(str(record.msg))
        if last is not None and record.created < last + _SAY_AGAIN:
            return False
        if len(self._said_at) >= _SENTENCES:
            self._said_at.clear()
        self._said_at[str(record.msg)] = record.created
        return True


_log = logging.getLogger(__name__)
_log.setLevel(logging.WARNING)
_log.addFilter(_Sparingly())


class BrokerClient(aiomqtt.Client):
    """One connection to a broker.

    Args:
        address: the broker, and who we are.
        connect_timeout: seconds that TCP has to connect.
        largest: bytes of the largest packet that we take; the connection ends at the header of a
            larger one.
        properties: of CONNECT, beside the largest packet.
        options: as for `aiomqtt.Client`.

    Attributes:
        packet_limit: bytes of the largest packet that the broker takes, or None if it said none.
        receive_limit: QoS 1 packets that it takes unacknowledged.
        violation: what the broker did against the protocol, or None.
        publish_refusal: why the broker did not take something that we published, or None.
    """

    def __init__(
        self,
        address: MqttAddress,
        *,
        connect_timeout: float,
        largest: int,
        properties: Mapping[str, int],
        **options: Any,  # noqa: ANN401 - aiomqtt's own
    ) -> None:
        super().__init__(
            address.host,
            address.port,
            username=address.username,
            password=address.password,
            logger=_log,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=True,  # the session knows what is missing, not a broker's old queue
            timeout=_CALL_TIMEOUT,
            keepalive=_KEEPALIVE,
            socket_options=_SOCKET_OPTIONS,
            properties=make_properties(
                PacketTypes.CONNECT, MaximumPacketSize=largest, **properties
            ),
            **options,
        )
        self._client._sock_recv = self._limited(largest)  # type: ignore[method-assign,assignment]  # noqa: SLF001 - paho has no limit of its own
        self._client.connect_timeout = connect_timeout
        self.packet_limit: int | None = None
        self.receive_limit = 0xFFFF
        self.publish_refusal: ReasonCode | None = None
        self.violation: str | None = None

    async def __aenter__(self) -> Self:
        """Connect."""
        try:
            return await super().__aenter__()
        except BaseException:
            self._let_go()
            raise

    async def __aexit__(self, *error: Any) -> None:  # noqa: ANN401, PYI036 - aiomqtt's own
        """Disconnect."""
        try:
            await super().__aexit__(*error)
        finally:
            self._let_go()

    def _let_go(self) -> None:
        if self._client.socket() is not None:
            self._client._sock_close()  # noqa: SLF001 - paho has no public call for it

    def _limited(self, largest: int) -> Callable[[int], bytes]:
        receive = self._client._sock_recv  # noqa: SLF001

        def receive_within(nbytes: int) -> bytes:
            # paho asks for all of a packet's body as soon as it has the header.
            if nbytes <= largest:
                return receive(nbytes)
            self.violation = f"sent a packet of {nbytes} bytes: at most {largest} were announced"
            return b""  # as if it had closed the connection

        return receive_within

    def _on_disconnect(self, *details: Any) -> None:  # noqa: ANN401 - aiomqtt's own
        # Before CONNACK, aiomqtt would wait for it to the end of its time-out.
        if not self._connected.done():
            self._connected.set_exception(aiomqtt.MqttError("it closed the connection"))
        super()._on_disconnect(*details)

    def _on_connect(
        self,
        client: paho.Client,
        userdata: Any,  # noqa: ANN401 - paho's own
        flags: paho.ConnectFlags,
        reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:
        self.packet_limit = getattr(properties, "MaximumPacketSize", None)
        self.receive_limit = getattr(properties, "ReceiveMaximum", 0xFFFF)
        super()._on_connect(client, userdata, flags, reason_code, properties)

    def _on_publish(
        self,
        client: paho.Client,
        userdata: Any,  # noqa: ANN401 - paho's own
        mid: int,
        reason_code: ReasonCode,
        properties: Properties,
    ) -> None:
        if reason_code.is_failure:
            self.publish_refusal = reason_code
        super()._on_publish(client, userdata, mid, reason_code, properties)


def make_properties(packet_type: int, **values: int) -> Properties:
    """Properties of an MQTT 5 packet, such as `PacketTypes.PUBLISH`."""
    properties = Properties(packet_type)  # type: ignore[no-untyped-call]  # paho's own gap
    for name, value in values.items():
        setattr(properties, name, value)
    return properties


def publish_properties(expiry: int | None) -> Properties:
    """Properties of a message that the broker may drop after `expiry` seconds."""
    values = {} if expiry is None else {"MessageExpiryInterval": expiry}
    return make_properties(PacketTypes.PUBLISH, **values)
