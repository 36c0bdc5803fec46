"""The shipped mosquitto configuration, on mosquitto: who gets in, and who gets through."""

import asyncio
import getpass
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest
from tests.integration.conftest import MOSQUITTO, Broker, free_port, running_broker

from misc_shared.errors import TransportError
from misc_shared.security import StreamKey
from misc_shared.transports import Transport, open_receiver, open_sender
from misc_shared.transports.listening import open_listener
from misc_shared.transports.sealed import SealedTransport

_DEPLOY = Path(__file__).parents[2] / "deploy" / "mosquitto"
_PLUGINS = sorted(Path("/usr/lib").glob("*/mosquitto_dynamic_security.so"))
_USERS = ("garden", "porch", "receiver", "pictures", "homeassistant")


class ShippedBroker(Broker):
    """mosquitto with the shipped files; only places, ports and the Unix user are others."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.tls_port = free_port()
        text = (_DEPLOY / "mosquitto.conf").read_text(encoding="utf-8")
        for was, instead in (
            ("/etc/mosquitto/misc", str(folder)),
            ("listener 8883", f"listener {self.tls_port} 127.0.0.1"),
            ("listener 1883", f"listener {self.port}"),
        ):
            assert was in text
            text = text.replace(was, instead)
        (folder / "mosquitto.conf").write_text(f"user {getpass.getuser()}\n{text}")

    def url_of(self, user: str, stream: str = "garden") -> str:
        """Where a user finds a stream."""
        return f"mqtt://{user}:word-{user}@127.0.0.1:{self.port}/misc/{stream}"


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ShippedBroker]:
    """Give the shipped broker, with certificates and users made as its README says."""
    tools = {name: shutil.which(name) for name in ("openssl", "mosquitto_passwd")}
    if MOSQUITTO is None or None in tools.values():
        pytest.skip("mosquitto or openssl is not installed (Debian: apt-get install mosquitto)")
    folder = tmp_path_factory.mktemp("broker")
    shutil.copy(_DEPLOY / "acl", folder / "acl")
    (folder / "acl").chmod(0o600)
    subprocess.run(
        [_DEPLOY / "make-certificates", "localhost", "127.0.0.1"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    passwords = folder / "passwords"
    passwords.touch(mode=0o600)
    for user in _USERS:
        subprocess.run(
            [str(tools["mosquitto_passwd"]), "-b", str(passwords), user, f"word-{user}"],
            check=True, capture_output=True,
        )  # fmt: skip
    broker = ShippedBroker(folder)
    try:
        broker.start()
        yield broker
    finally:
        broker.stop()


async def test_a_camera_and_a_receiver_reach_each_other(shipped: ShippedBroker) -> None:
    """Both directions, over TLS and a certificate of the shipped script."""
    ca = shipped.folder / "ca.crt"
    url = f"mqtts://receiver:word-receiver@localhost:{shipped.tls_port}/misc/garden"
    receiver = await open_receiver(url, ca_file=ca)
    sender = await open_sender(url.replace("receiver", "garden"), ca_file=ca)
    await sender.send(b"picture")
    assert await asyncio.wait_for(receiver.receive(), 20) == b"picture"
    await receiver.send(b"answer")
    assert await asyncio.wait_for(sender.receive(), 20) == b"answer"
    await sender.close()
    await receiver.close()


async def test_a_receiver_of_all_reads_what_cameras_kept(shipped: ShippedBroker) -> None:
    """The archive of a camera has a name of its own, and its answers reach the camera."""
    every = shipped.url_of("receiver").removesuffix("garden") + "+"
    listener = await open_listener(every, archives=True)
    sender = await open_sender(shipped.url_of("garden").replace("misc/", "misc/archive/"))
    await sender.send(b"picture")
    receiver = await asyncio.wait_for(listener.accept(), 20)
    assert receiver is not None
    assert receiver.stream == "garden~archive"
    assert await asyncio.wait_for(receiver.receive(), 20) == b"picture"
    await receiver.send(b"answer")
    assert await asyncio.wait_for(sender.receive(), 20) == b"answer"
    await sender.close()
    await receiver.close()
    await listener.close()


async def test_a_camera_cannot_speak_for_another(shipped: ShippedBroker) -> None:
    """Its own status topic is the first thing that it may not write."""
    with pytest.raises(
        TransportError, match="does not let the user 'porch' write misc/garden/status"
    ):
        await open_sender(shipped.url_of("porch"))
    assert not await _hears(shipped, user="receiver", publisher="porch", topic="misc/garden/data")


async def test_a_camera_cannot_look_at_another(shipped: ShippedBroker) -> None:
    """Mosquitto takes the subscription, and then delivers nothing."""
    assert not await _hears(shipped, user="porch", publisher="garden", topic="misc/garden/data")
    assert await _hears(shipped, user="receiver", publisher="garden", topic="misc/garden/data")


async def test_a_receiver_cannot_send_pictures(shipped: ShippedBroker) -> None:
    """It may answer, and nothing else."""
    with pytest.raises(TransportError, match="'receiver' write misc/garden/status"):
        await open_sender(shipped.url_of("receiver"))
    assert not await _hears(
        shipped, user="receiver", publisher="receiver", topic="misc/garden/data"
    )


@pytest.mark.parametrize(
    "login", ["", "garden:wrong@", "nobody:word@"], ids=["nameless", "wrong", "unknown"]
)
async def test_nobody_else_gets_in(shipped: ShippedBroker, login: str) -> None:
    """Without a name, with a wrong password, with a name that is not known."""
    url = f"mqtt://{login}127.0.0.1:{shipped.port}/misc/garden"
    for opening in (open_sender, open_receiver):
        with pytest.raises(TransportError, match="does not let this user connect"):
            await opening(url)


async def test_a_right_that_is_withdrawn_ends_the_stream_with_a_sentence(
    shipped: ShippedBroker,
) -> None:
    """A camera that may no longer write says so, instead of sending into nothing."""
    acl = shipped.folder / "acl"
    text = acl.read_text(encoding="utf-8")
    sender = await open_sender(shipped.url_of("garden"))
    try:
        acl.write_text(text.replace("pattern write misc/%u/data\n", ""))
        shipped.reload()
        await asyncio.sleep(0.3)
        with pytest.raises(TransportError, match="'garden' write misc/garden/data"):
            await _send_for_ever(sender)
    finally:
        acl.write_text(text)
        shipped.reload()
        await sender.close()


async def test_past_a_broker_that_lets_all_the_key_refuses(
    broker: Broker, caplog: pytest.LogCaptureFixture
) -> None:
    """An intruder's pictures are not taken, and what he hears says nothing."""
    key = StreamKey.generate()
    receiver = SealedTransport.for_receiver(await open_receiver(broker.url), key)
    sender = SealedTransport.for_sender(await open_sender(broker.url), key)
    plain = await open_sender(broker.url)
    foreign = SealedTransport.for_sender(await open_sender(broker.url), StreamKey.generate())
    listener = await open_receiver(broker.url)
    await plain.send(b"\x95\x00\x01\x00\x01\xc4\x06forged")
    await foreign.send(b"\x95\x00\x01\x00\x01\xc4\x06forged")
    taken = asyncio.create_task(receiver.receive())
    deadline = time.monotonic() + 20
    while receiver.counters.rejected != {"plain": 1, "forged": 1}:
        assert time.monotonic() < deadline, receiver.counters
        await asyncio.wait({taken}, timeout=0.1)
    await sender.send(b"\x95\x00\x01\x00\x01\xc4\x07genuine")
    assert await asyncio.wait_for(taken, 20) == b"\x95\x00\x01\x00\x01\xc4\x07genuine"
    heard = [await asyncio.wait_for(listener.receive(), 20) for _ in range(3)]
    assert not any(one is not None and b"genuine" in one for one in heard)
    assert "seems to have no key" in caplog.text
    for transport in (sender, plain, foreign, receiver, listener):
        await transport.close()


async def test_a_subscription_that_a_broker_refuses_is_one_sentence(tmp_path: Path) -> None:
    """Brokers that do check subscriptions say so in SUBACK; mosquitto with another plug-in."""
    if not _PLUGINS:
        pytest.skip("mosquitto came without its dynamic security plug-in")
    rights = {"publishClientSend": True, "publishClientReceive": True, "subscribe": False}
    config = tmp_path / "rights.json"
    config.write_text(json.dumps({"defaultACLAccess": rights}))
    settings = f"allow_anonymous true\nplugin {_PLUGINS[0]}\nplugin_opt_config_file {config}"
    for broker in running_broker(tmp_path, settings=settings):
        with pytest.raises(
            TransportError, match="does not let a client without a user name read misc/camera/data"
        ):
            await open_receiver(broker.url)


async def _send_for_ever(transport: Transport) -> None:
    while True:
        await transport.send(b"picture")
        await asyncio.sleep(0.05)


async def _hears(broker: ShippedBroker, *, user: str, publisher: str, topic: str) -> bool:
    """Whether a user of garden's stream hears what another publishes, whatever both are told."""
    receiver = await open_receiver(broker.url_of(user))
    login = {"username": publisher, "password": f"word-{publisher}", "port": broker.port}
    async with aiomqtt.Client("127.0.0.1", **login) as client:
        await client.publish(topic, b"heard", qos=1)
    try:
        await asyncio.wait_for(receiver.receive(), 0.5)
    except TimeoutError:
        return False
    else:
        return True
    finally:
        await receiver.close()
