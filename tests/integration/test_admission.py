"""Which of many streams on one broker are heard."""

import asyncio

from tests.integration.conftest import Broker

from misc_shared.security import KeyRing, StreamKey
from misc_shared.transports import open_sender
from misc_shared.transports.guarding import ReceiverGuard
from misc_shared.transports.listening import open_listener
from misc_shared.transports.sealed import SealedTransport


async def test_streams_without_a_key_take_no_place_among_many(broker: Broker) -> None:
    """A hundred invented names neither fill the list nor reach the decoder; the camera does."""
    key = StreamKey.generate()
    url = f"{broker.url}/misc/+"
    guard = ReceiverGuard(url=url, keys=KeyRing({"garden": key}))
    inner = await open_listener(url, limit=2, admits=guard.admits)
    listener = guard.listen(inner, many=True)
    accepted = asyncio.create_task(listener.accept())
    intruder = await open_sender(f"{broker.url}/misc/porch")
    for _ in range(100):
        await intruder.send(b"\x95\x00\x07\x00\x01\xc4\x01a")
    camera = await open_sender(f"{broker.url}/misc/garden")
    await SealedTransport.for_sender(camera, key).send(b"\x95a picture")
    stream = await asyncio.wait_for(accepted, 20)
    assert stream is not None
    assert stream.stream == "garden"
    assert await asyncio.wait_for(stream.receive(), 20) == b"\x95a picture"
    for transport in (intruder, camera, stream, listener):
        await transport.close()
