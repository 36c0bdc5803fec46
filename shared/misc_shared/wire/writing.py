"""Messages become bytes. protocol.md, Messages."""

import msgspec

from misc_shared.wire.messages import Ack, Bye, Data, Hello, Pair, Refresh, ShortHello

__all__ = ["write"]

_ENCODER = msgspec.msgpack.Encoder()


def write(message: Data | Pair | Ack | Refresh | Hello | ShortHello | Bye) -> bytes:
    """The datagram of a message: msgpack, every number in its shortest form."""
    return _ENCODER.encode(message)
