"""Gives decoded pictures to a broker as JPEG, for home automation and whoever else reads topics.

    PREFIX/STREAM/image         the newest picture, retained
    PREFIX/STREAM/image/about   what is known of it, as JSON, retained
    PREFIX/STREAM/image/status  "online" while its camera sends, else "offline"; retained
    PREFIX/.images/status       "online" or "offline", retained; kept honest by the last will
    homeassistant/image/...     how Home Assistant finds it, retained

A picture that the broker has no time for is replaced by the next one of its stream: decoding never
waits. Refined pictures say that they are, in the JPEG's XMP and in `about`.

Source: MQTT image and MQTT discovery, Home Assistant's documentation, 2025.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import logging
import re
import threading
from datetime import UTC, datetime
from pathlib import Path

import aiomqtt
from PIL import Image

from misc_receiver.picture_memory import Kept, PictureMemory
from misc_receiver.sinks.interface import ShownPicture
from misc_receiver.sinks.mqtt_availability import OFFLINE, ONLINE, Availability
from misc_receiver.sinks.provenance import xmp_packet
from misc_shared.companions import end_tasks
from misc_shared.errors import ConfigError, TransportError
from misc_shared.stream_names import is_archive
from misc_shared.transports.address import MqttAddress, parse_address
from misc_shared.transports.mqtt_connection import BrokerConnection, tls_context

__all__ = ["MqttImages", "image_address"]

_log = logging.getLogger(__name__)

_DISCOVERY = "homeassistant"
_QUALITIES = (85, 70, 50, 30)
_LARGEST = 1 << 20
_MAX_STREAMS = 256
_MAX_INCOMING = 16


def image_address(url: str) -> MqttAddress:
    """Read the URL of `--mqtt-image`: mqtt://[USER:PASSWORD@]HOST[:PORT][/PREFIX].

    Raises:
        ConfigError: it is no such URL.
    """
    # Streams have names of their own, so all of the URL's path is the prefix.
    address = parse_address(f"{url.rstrip('/')}/any") if url.startswith("mqtt") else None
    if not isinstance(address, MqttAddress):
        raise ConfigError(f"{url.partition(':')[0]!r} cannot take pictures: expected mqtt://HOST")
    return address


class MqttImages:
    """A picture sink; made by `MqttImages.open`.

    Args:
        address: the broker, and who we are; its stream's name is not used.
        ca_file: certificates to trust in place of the system's, for mqtts.
        memory: where pixels that wait are kept; None for as much as there is.

    Attributes:
        availability: a reporter, to be told of what happens to streams.
    """

    def __init__(
        self,
        address: MqttAddress,
        *,
        ca_file: Path | None = None,
        memory: PictureMemory | None = None,
    ) -> None:
        self._memory = memory or PictureMemory()
        self._prefix = address.prefix
        self._status = f"{self._prefix}/.images/status"
        self._wake = asyncio.Event()
        self.availability = Availability(self._prefix, changed=self._wake.set)
        self._connection = BrokerConnection(
            address,
            topics=(f"{_DISCOVERY}/status",),
            deliver=self._hear,
            kept=(self.availability.pattern,),
            found=self._find,
            welcome=self._welcome,
            ended=lambda: None,
            window=1,
            incoming=_MAX_INCOMING,
            will=aiomqtt.Will(self._status, OFFLINE, qos=1, retain=True),
            tls=tls_context(ca_file) if address.tls else None,
        )
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._newest: dict[str, Kept[ShownPicture]] = {}
        self._announced: set[str] = set()
        self._busy = asyncio.Lock()
        self._publishing: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        address: MqttAddress,
        *,
        ca_file: Path | None = None,
        memory: PictureMemory | None = None,
    ) -> MqttImages:
        """Reach the broker, or say in one sentence why not.

        Raises:
            TransportError: it does not answer, or refuses us.
        """
        images = cls(address, ca_file=ca_file, memory=memory)
        await images._connection.start()
        images._publishing = asyncio.create_task(images._publish())
        return images

    def show(self, picture: ShownPicture) -> None:
        """Take one picture, in place of one of its stream that still waits; in any thread."""
        if picture.kind.startswith("preview") or is_archive(picture.stream):
            return
        with self._lock:
            if picture.stream in self._newest or len(self._newest) < _MAX_STREAMS:
                self._newest[picture.stream] = self._keep(picture)
        self._loop.call_soon_threadsafe(self._wake.set)

    async def close(self) -> None:
        """Say that no more will come, and disconnect."""
        if self._publishing is not None:
            # What was decoded last is worth a moment, where the broker is there.
            with contextlib.suppress(TransportError, TimeoutError):
                async with asyncio.timeout(5.0):
                    await self._publish_waiting()
            await end_tasks(self._publishing)

        async def say_goodbye() -> None:
            await self._connection.retain(self._status, OFFLINE)

        await self._connection.close(last_words=say_goodbye)

    async def _publish(self) -> None:
        """Publish what waits, for as long as the broker lets us."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._publish_waiting()
            except TransportError as error:
                _log.warning("no more pictures for the broker: %s", error)
                return

    async def _publish_waiting(self) -> None:
        async with self._busy:
            while (picture := self._take()) is not None:
                try:
                    await self._connection.ready()
                    await self._publish_one(picture)
                except aiomqtt.MqttError as error:
                    _log.info("a picture did not reach the broker: %s", error)
                    self._put_back(picture)
            await self._tell_availability()

    async def _tell_availability(self) -> None:
        while (told := self.availability.next_to_tell()) is not None:
            topic, payload = told
            try:
                await self._connection.ready()
                await self._connection.retain(topic, payload)
            except aiomqtt.MqttError:
                self.availability.take_back(topic)

    def _take(self) -> ShownPicture | None:
        with self._lock:
            # The stream that waits longest; a new picture of it goes to the end again.
            while self._newest:
                picture = self._newest.pop(next(iter(self._newest))).content
                if picture is not None:
                    return picture
            return None

    def _keep(self, picture: ShownPicture) -> Kept[ShownPicture]:
        return self._memory.keep(picture, stream=picture.stream, arrays=[picture.pixels])

    def _put_back(self, picture: ShownPicture) -> None:
        with self._lock:
            self._newest.setdefault(picture.stream, self._keep(picture))

    async def _publish_one(self, picture: ShownPicture) -> None:
        topic = f"{self._prefix}/{picture.stream}/image"
        limit = self._connection.largest(topic, mtu=_LARGEST)
        jpeg = await asyncio.to_thread(_jpeg, picture, limit)
        if jpeg is None:
            size = f"{picture.pixels.shape[1]}x{picture.pixels.shape[0]}"
            _log.warning("a picture of %s does not fit %d bytes as JPEG", size, limit)
            return
        if picture.stream not in self._announced:
            await self._announce(picture.stream)
        # The picture last: whoever sees a new one finds what is known of it.
        await self._connection.retain(f"{topic}/about", _about(picture))
        await self._connection.retain(topic, jpeg)
        self.availability.announce(picture.stream)

    async def _announce(self, stream: str) -> None:
        name = re.sub(r"[^A-Za-z0-9_-]", "_", f"{self._prefix}_{stream}")
        topic = f"{_DISCOVERY}/image/{name}/config"
        await self._connection.retain(topic, self._discovery(stream, name))
        self._announced.add(stream)

    def _discovery(self, stream: str, name: str) -> bytes:
        topic = f"{self._prefix}/{stream}/image"
        return json.dumps(
            {
                "name": "Picture",
                "unique_id": f"{name}_image",
                "image_topic": topic,
                "content_type": "image/jpeg",
                "json_attributes_topic": f"{topic}/about",
                "availability": [
                    {"topic": self._status},
                    {"topic": self.availability.topic(stream)},
                ],
                "availability_mode": "all",
                "device": {
                    "identifiers": [name],
                    "name": stream,
                    "manufacturer": "MISC streaming",
                },
                "origin": {"name": "misc-streaming"},
            }
        ).encode()

    async def _welcome(self) -> None:
        # The broker may be another one, or have lost what it retained.
        self._announced.clear()
        self.availability.forget_told()
        await self._connection.retain(self._status, ONLINE)
        self._wake.set()

    async def _hear(self, topic: str, payload: bytes) -> None:
        if topic == f"{_DISCOVERY}/status":
            if payload == ONLINE:
                self._announced.clear()
        elif payload == OFFLINE:  # another receiver does not know that we see this camera
            await self._find(topic, payload)

    async def _find(self, topic: str, payload: bytes) -> None:
        self.availability.found(topic, payload)


def _jpeg(picture: ShownPicture, limit: int) -> bytes | None:
    """The best JPEG within a limit of bytes; None if there is none."""
    image = Image.fromarray(picture.pixels)
    xmp = xmp_packet(picture.label).encode()
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.save(buffer, format="JPEG", quality=quality, optimize=True, xmp=xmp)
        if buffer.tell() <= limit:
            return buffer.getvalue()
    return None


def _about(picture: ShownPicture) -> bytes:
    captured = picture.captured
    return json.dumps(
        {
            "frame": picture.frame,
            "kind": picture.kind,
            "generated": picture.generated,
            "captured": None
            if captured is None
            else datetime.fromtimestamp(captured, tz=UTC).isoformat(timespec="milliseconds"),
            "caption": picture.semantics.caption,
            "items": [item.name for item in picture.semantics.items],
        },
        ensure_ascii=False,
    ).encode()
