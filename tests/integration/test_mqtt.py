"""The MQTT transport on a real mosquitto."""

import asyncio
import gc
import time
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from tests.integration.conftest import Broker, running_broker

from misc_shared.errors import TransportError
from misc_shared.transports import Transport, open_receiver, open_sender


async def _both_ends(url: str) -> tuple[Transport, Transport]:
    return await open_receiver(url), await open_sender(url)


async def test_datagrams_arrive_in_order_and_unchanged(broker: Broker) -> None:
    """Every byte value crosses, in order."""
    receiver, sender = await _both_ends(broker.url)
    datagrams = [bytes(range(k, k + 8)) for k in range(0, 256, 8)]
    for datagram in datagrams:
        await sender.send(datagram)
    received = [await asyncio.wait_for(receiver.receive(), 20) for _ in datagrams]
    assert received == datagrams
    await sender.close()
    await receiver.close()


async def test_both_directions(broker: Broker) -> None:
    """What the receiver sends reaches the sender, and not itself."""
    receiver, sender = await _both_ends(broker.url)
    await receiver.send(b"acknowledged")
    await sender.send(b"picture")
    assert await asyncio.wait_for(sender.receive(), 20) == b"acknowledged"
    assert await asyncio.wait_for(receiver.receive(), 20) == b"picture"
    await sender.close()
    await receiver.close()


async def test_streams_keep_apart(broker: Broker) -> None:
    """A receiver of one stream sees nothing of another."""
    receiver = await open_receiver(f"{broker.url}/misc/porch")
    other = await open_sender(f"{broker.url}/misc/garden")
    own = await open_sender(broker.url, stream="porch")
    await other.send(b"not for you")
    await own.send(b"for you")
    assert await asyncio.wait_for(receiver.receive(), 20) == b"for you"
    for transport in (other, own, receiver):
        await transport.close()


async def test_oversize_datagram_is_refused_before_publishing(broker: Broker) -> None:
    """A datagram over the MTU is our own mistake and says so."""
    sender = await open_sender(broker.url, mtu=100)
    with pytest.raises(TransportError, match="101 bytes does not fit the MTU of 100"):
        await sender.send(bytes(101))
    await sender.close()


async def test_status_is_retained_and_turns_offline(broker: Broker) -> None:
    """Whoever comes later learns whether the sender is there, from its close and its death."""
    sender = await open_sender(broker.url)
    assert await _retained_status(broker) == b"online"
    await sender.close()
    assert await _retained_status(broker) == b"offline"


async def test_expired_datagrams_are_not_delivered(broker: Broker) -> None:
    """The broker drops what is past its deadline while the subscriber is away."""
    keep = {"identifier": "late", "clean_start": False, "protocol": aiomqtt.ProtocolVersion.V5}
    properties = _session_for_a_minute()
    async with aiomqtt.Client("127.0.0.1", broker.port, properties=properties, **keep) as client:
        await client.subscribe("misc/camera/data", qos=1)
    sender = await open_sender(broker.url, expiry=1.0)
    await sender.send(b"too late")
    await sender.close()
    await asyncio.sleep(2.2)
    sender = await open_sender(broker.url, expiry=60.0)
    await sender.send(b"in time")
    await sender.close()
    async with aiomqtt.Client("127.0.0.1", broker.port, properties=properties, **keep) as client:
        message = await asyncio.wait_for(anext(client.messages), 20)
    assert message.payload == b"in time"


async def test_reconnects_after_a_broker_restart(broker: Broker) -> None:
    """Both ends come back by themselves and datagrams flow again within seconds."""
    receiver, sender = await _both_ends(broker.url)
    await sender.send(b"before")
    assert await asyncio.wait_for(receiver.receive(), 20) == b"before"
    broker.stop()
    await asyncio.sleep(1.0)
    broker.start()
    # The receiver may subscribe later than the sender publishes, so keep sending as a session does.
    started = time.monotonic()
    arrived = asyncio.create_task(receiver.receive())
    while not arrived.done():
        assert time.monotonic() - started < 30
        await sender.send(b"after")
        await asyncio.wait({arrived}, timeout=0.2)
    assert arrived.result() == b"after"
    await sender.close()
    await receiver.close()


async def test_ready_waits_while_the_broker_is_away(broker: Broker) -> None:
    """Nothing is queued for a dead link: the scheduler is held back instead."""
    sender = await open_sender(broker.url)
    broker.stop()
    await asyncio.sleep(0.5)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sender.ready(), 0.5)
    broker.start()
    await asyncio.wait_for(sender.ready(), 30)
    await sender.close()


async def test_no_broker_is_one_sentence(broker: Broker) -> None:
    """The first connection fails at once and names the address."""
    broker.stop()
    with pytest.raises(TransportError, match=rf"127\.0\.0\.1:{broker.port} does not answer"):
        await open_sender(broker.url)


async def test_wrong_password_is_one_sentence(guarded_broker: Broker) -> None:
    """A refusal is not taken for an absent broker, and the password is not repeated."""
    url = f"mqtt://camera:wrong@127.0.0.1:{guarded_broker.port}"
    with pytest.raises(TransportError, match="does not let this user connect") as caught:
        await open_sender(url)
    assert "wrong" not in str(caught.value)


async def test_user_and_password_from_the_url(guarded_broker: Broker) -> None:
    """Percent-escapes in the URL are undone before they reach the broker."""
    url = f"mqtt://camera:s3%3Acret%2F@127.0.0.1:{guarded_broker.port}"
    receiver, sender = await _both_ends(url)
    await sender.send(b"let in")
    assert await asyncio.wait_for(receiver.receive(), 20) == b"let in"
    await sender.close()
    await receiver.close()


# paho leaves the socket of a failed handshake to the garbage collector, which complains.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_tls_with_a_certificate_of_ones_own(tls_broker: Broker, tmp_path: Path) -> None:
    """mqtts:// verifies the broker: only whoever trusts its certificate gets through."""
    url = f"mqtts://127.0.0.1:{tls_broker.port}"
    receiver = await open_receiver(url, ca_file=tmp_path / "ca.pem")
    sender = await open_sender(url, ca_file=tmp_path / "ca.pem")
    await sender.send(b"sealed")
    assert await asyncio.wait_for(receiver.receive(), 20) == b"sealed"
    await sender.close()
    await receiver.close()
    with pytest.raises(TransportError, match="CERTIFICATE_VERIFY_FAILED"):
        await open_sender(url)
    gc.collect()
    with pytest.raises(TransportError, match="cannot use the CA file"):
        await open_sender(url, ca_file=tmp_path / "none.pem")


async def test_mtu_follows_what_the_broker_takes(tmp_path: Path) -> None:
    """A broker's Maximum Packet Size comes back with its greeting; too small is one sentence."""
    for limit, mtu in ((400, 400 - len("misc/camera/data") - 15), (2000, 1100)):
        for broker in running_broker(
            tmp_path, settings=f"allow_anonymous true\nmax_packet_size {limit}"
        ):
            receiver, sender = await _both_ends(broker.url)
            assert sender.mtu == mtu
            await sender.send(bytes(mtu))
            assert await asyncio.wait_for(receiver.receive(), 20) == bytes(mtu)
            await sender.close()
            await receiver.close()
    for broker in running_broker(tmp_path, settings="allow_anonymous true\nmax_packet_size 60"):
        with pytest.raises(TransportError, match="packets of at most 60 bytes"):
            await open_sender(broker.url)


async def test_a_dead_twin_does_not_speak_for_us(broker: Broker) -> None:
    """Of two senders of one stream one ends: the other still is there, and says so."""
    first = await open_sender(broker.url)
    second = await open_sender(broker.url)
    await first.close()
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.subscribe("misc/camera/status")
        async for message in client.messages:
            if message.payload == b"online":
                break
    await second.close()
    assert await _retained_status(broker) == b"offline"


async def test_what_a_broker_retained_is_no_datagram(broker: Broker) -> None:
    """Somebody left a message on the data topic: a receiver that comes later does not get it."""
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.publish("misc/camera/data", b"old", qos=1, retain=True)
    receiver, sender = await _both_ends(broker.url)
    await sender.send(b"new")
    assert await asyncio.wait_for(receiver.receive(), 20) == b"new"
    await sender.close()
    await receiver.close()


async def _retained_status(broker: Broker) -> object:
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.subscribe("misc/camera/status")
        message = await asyncio.wait_for(anext(client.messages), 20)
        assert message.retain
        return message.payload


def _session_for_a_minute() -> Properties:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = 60
    return properties
