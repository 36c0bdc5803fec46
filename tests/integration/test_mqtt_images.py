"""Decoded pictures on a real broker, as Home Assistant reads them."""

import asyncio
import io
import json

import aiomqtt
import msgspec
import numpy as np
import pytest
from PIL import Image
from tests.integration.conftest import Broker

from misc_receiver.reports import FrameSeen, ReceptionEnded, SenderGone, StreamStale
from misc_receiver.sinks.interface import ShownPicture
from misc_receiver.sinks.mqtt_images import MqttImages, image_address
from misc_receiver.sinks.provenance import GENERATED, SOURCE_TYPE
from misc_shared.errors import ConfigError, TransportError
from misc_shared.semantics import Item, Semantics


def picture(kind: str = "coarse", *, stream: str = "garden", shade: int = 90) -> ShownPicture:
    """A picture of one colour."""
    generated = kind != "coarse"
    return ShownPicture(
        stream=stream,
        frame="7.12",
        kind=kind,
        pixels=np.full((48, 64, 3), shade, np.uint8),
        generated=generated,
        label={SOURCE_TYPE: GENERATED} if generated else {},
        semantics=Semantics(items=(Item("dog", "brown"),), caption="A dog."),
        captured=1_700_000_000.5,
    )


async def retained(broker: Broker, topic: str, count: int) -> dict[str, bytes]:
    """What is retained there."""
    found: dict[str, bytes] = {}
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.subscribe(topic, qos=1)
        async with asyncio.timeout(20):
            async for message in client.messages:
                if message.retain and isinstance(message.payload, bytes):
                    found[message.topic.value] = message.payload
                if len(found) == count:
                    break
    return found


async def test_the_newest_picture_and_what_is_known_of_it_are_retained(broker: Broker) -> None:
    """A JPEG that says that it is generated, words, and a description for Home Assistant."""
    images = await MqttImages.open(image_address(broker.url))
    images.show(picture("preview-1", shade=10))
    images.show(picture("coarse", shade=50))
    images.show(picture("refined", shade=200))
    await images.close()
    found = await retained(broker, "misc/#", 4)
    jpeg = found["misc/garden/image"]
    assert b"compositeWithTrainedAlgorithmicMedia" in jpeg
    decoded = np.asarray(Image.open(io.BytesIO(jpeg)))
    assert decoded.shape == (48, 64, 3)
    assert abs(int(decoded.mean()) - 200) < 3
    assert json.loads(found["misc/garden/image/about"]) == {
        "frame": "7.12",
        "kind": "refined",
        "generated": True,
        "captured": "2023-11-14T22:13:20.500+00:00",
        "caption": "A dog.",
        "items": ["dog"],
    }
    assert found["misc/.images/status"] == b"offline"
    ((topic, config),) = (await retained(broker, "homeassistant/#", 1)).items()
    assert topic == "homeassistant/image/misc_garden/config"
    described = json.loads(config)
    assert described["image_topic"] == "misc/garden/image"
    assert described["json_attributes_topic"] == "misc/garden/image/about"
    assert described["availability"] == [
        {"topic": "misc/.images/status"},
        {"topic": "misc/garden/image/status"},
    ]
    assert described["availability_mode"] == "all"


async def test_decoding_never_waits_for_the_broker(broker: Broker) -> None:
    """While it is away pictures replace each other; the newest of each stream comes after."""
    images = await MqttImages.open(image_address(f"{broker.url}/cams"))
    broker.stop()
    await asyncio.sleep(0.3)
    for shade in range(0, 200, 10):
        for stream in ("garden", "porch"):
            images.show(picture(stream=stream, shade=shade))
    broker.start()
    found = await retained_after(broker, "cams/+/image", 2)
    for stream in ("garden", "porch"):
        decoded = np.asarray(Image.open(io.BytesIO(found[f"cams/{stream}/image"])))
        assert abs(int(decoded.mean()) - 190) < 3
    await images.close()


async def retained_after(broker: Broker, topic: str, count: int) -> dict[str, bytes]:
    """What comes to be there."""
    found: dict[str, bytes] = {}
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.subscribe(topic, qos=1)
        async with asyncio.timeout(30):
            async for message in client.messages:
                if isinstance(message.payload, bytes):
                    found[message.topic.value] = message.payload
                if len(found) == count:
                    break
    return found


async def test_a_broker_that_is_not_there_is_one_sentence(broker: Broker) -> None:
    """Before anything is received."""
    broker.stop()
    with pytest.raises(TransportError, match="does not answer"):
        await MqttImages.open(image_address(broker.url))


@pytest.mark.parametrize("url", ["http://host", "file:x", "mqtt://", "mqtts:///misc"])
def test_what_is_no_broker_is_refused(url: str) -> None:
    """And the default prefix is that of streams."""
    with pytest.raises(ConfigError):
        image_address(url)
    assert image_address("mqtt://host").prefix == "misc"
    assert image_address("mqtt://host/a/b/").prefix == "a/b"


async def said(broker: Broker, topic: str, payload: bytes) -> None:
    """Wait until this is retained there."""
    async with aiomqtt.Client("127.0.0.1", broker.port) as client, asyncio.timeout(20):
        await client.subscribe(topic, qos=1)
        async for message in client.messages:
            if message.payload == payload:
                return


async def test_a_camera_that_is_gone_is_unavailable(broker: Broker) -> None:
    """And it is there again once it sends, whatever is decoded late."""
    topic = "misc/garden/image/status"
    images = await MqttImages.open(image_address(broker.url))
    seen = FrameSeen(stream="garden", frame="7.12", layers=["base"])
    images.availability.report(seen)
    images.show(picture("coarse"))
    await said(broker, topic, b"online")
    for gone in (SenderGone(epoch=7), StreamStale(), ended()):
        images.availability.report(msgspec.structs.replace(gone, stream="garden"))
        images.show(picture("refined"))
        await said(broker, topic, b"offline")
        images.availability.report(seen)
        await said(broker, topic, b"online")
    await images.close()


async def test_what_an_earlier_run_left_is_put_right(broker: Broker) -> None:
    """A camera that sends nothing to this run is unavailable, and two receivers do not quarrel."""
    first = await MqttImages.open(image_address(broker.url))
    first.availability.report(FrameSeen(stream="garden", frame="7.12", layers=["base"]))
    first.show(picture("coarse"))
    await said(broker, "misc/garden/image/status", b"online")
    second = await MqttImages.open(image_address(broker.url))
    # The first one still sees the camera, and says so.
    await asyncio.sleep(1.0)
    assert (await retained(broker, "misc/garden/image/status", 1)).popitem()[1] == b"online"
    await first.close()
    await second.close()
    third = await MqttImages.open(image_address(broker.url))
    await said(broker, "misc/garden/image/status", b"offline")
    await third.close()


def ended() -> ReceptionEnded:
    """What is reported of a stream after `--idle`."""
    return ReceptionEnded(
        frames=1, datagrams=1, bytes=1, duplicates=0, refused=0, bad_layers=0, missing_bases=0
    )
