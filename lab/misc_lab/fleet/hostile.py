"""A client of the broker that means no good."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Iterator

import aiomqtt

from misc_shared.wire import LayerKind

__all__ = ["Hostile"]

_BURST = 20


class Hostile:
    """Floods a stream's topic with garbage, and others with names that no stream may have.

    Args:
        host: the broker.
        port: its TCP port.
        per_second: datagrams.
        prefix: the streams' topics begin with it.

    Attributes:
        sent: datagrams so far.
    """

    def __init__(self, host: str, port: int, *, per_second: float, prefix: str = "misc") -> None:
        self.sent = 0
        self._host = host
        self._port = port
        self._pause = _BURST / per_second
        self._prefix = prefix

    async def run(self) -> None:
        """Flood until cancelled."""
        with contextlib.suppress(aiomqtt.MqttError):
            async with aiomqtt.Client(self._host, self._port) as client:
                for topic, payload in self._garbage():
                    await client.publish(topic, payload, qos=0)
                    self.sent += 1
                    if self.sent % _BURST == 0:
                        await asyncio.sleep(self._pause)

    def _garbage(self) -> Iterator[tuple[str, bytes]]:
        """Noise, bombs and headers that promise much; one in twenty under a bad name."""
        source = random.Random(1)
        flood = f"{self._prefix}/flood/data"
        while True:
            yield flood, source.randbytes(source.randrange(1, 1100))
            yield flood, b"\xdd\xff\xff\xff\xff" + source.randbytes(40)
            yield flood, b"\x80" * 1000
            for _ in range(16):
                # Shaped like a datagram, with a run and a frame that change all the time.
                layer = source.choice(list(LayerKind))
                head = bytes([0x96, 1, 0xCD]) + source.randbytes(2) + b"\xcd" + source.randbytes(2)
                yield flood, head + bytes([layer, 0, 0xC4, 60]) + source.randbytes(60)
            yield f"{self._prefix}/..{source.randrange(10**6)}/data", b"x"
