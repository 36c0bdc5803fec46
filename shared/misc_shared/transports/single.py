"""A transport as a listener: for a receiver of one stream."""

from __future__ import annotations

from misc_shared.transports.base import Transport
from misc_shared.transports.liveness import is_up

__all__ = ["SingleListener"]


class SingleListener:
    """Gives one transport, and then no more.

    Args:
        transport: the receiving end of a stream.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport: Transport | None = transport
        self._given = transport

    @property
    def connected(self) -> bool:
        """Whether the transport is up."""
        return is_up(self._given)

    async def accept(self) -> Transport | None:
        """Give the transport the first time, None afterwards."""
        transport, self._transport = self._transport, None
        return transport

    async def close(self) -> None:
        """Close the transport if nobody took it."""
        if self._transport is not None:
            await self._transport.close()
            self._transport = None
