"""Messages become bytes. protocol.md, Messages."""

import msgspec

from misc_shared.wire.messages import Writable

__all__ = ["write"]

_ENCODER = msgspec.msgpack.Encoder()


def write(message: Writable) -> bytes:
    """The datagram of a message: msgpack, every number in its shortest form."""
    return _ENCODER.encode(message)
