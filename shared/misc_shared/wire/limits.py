"""Limits of the wire format. protocol.md, Limits. A parser checks them before it spends memory."""

__all__ = [
    "DIGEST_BYTES",
    "MAX_CHUNKS",
    "MAX_DATAGRAM",
    "MAX_DETAIL",
    "MAX_EPOCH",
    "MAX_NAME",
    "MAX_OVERHEAD",
    "MAX_PACKS",
    "MAX_PAIR",
    "MAX_PARITY_LAYER",
    "MAX_PAYLOAD",
    "MAX_REPORTS",
    "MIN_MTU",
    "PARITY_EXTRA",
    "VERSION",
    "payload_room",
]

VERSION = 1
"""The version of the protocol that this package speaks."""

MAX_DATAGRAM = 65_535
"""Bytes of the largest datagram."""

MAX_OVERHEAD = 12
"""Bytes of a data datagram that are not payload, whatever its ids and its size."""

MAX_PAYLOAD = MAX_DATAGRAM - MAX_OVERHEAD
"""Bytes of the largest payload."""

MAX_CHUNKS = 64
"""Chunks of one layer: with the last-flag they fill a one-byte number, and a bitmap of 64 bits."""

MAX_PAIR = 255
"""Payload bytes of a pair: above them its length would take a second byte."""

MAX_PARITY_LAYER = 8_191
"""Bytes of the largest layer that a parity can protect: with the layer's number in 16 bits."""

PARITY_EXTRA = 2
"""Bytes by which a parity's overhead exceeds a chunk's; the layer's chunks leave room for them."""

MAX_REPORTS = 4
"""Frames that one acknowledgement reports on."""

MAX_EPOCH = 65_535
"""The largest epoch."""

MAX_NAME = 64
"""Characters of a stream's or a pack's name."""

MAX_PACKS = 6
"""Packs that one HELLO names."""

DIGEST_BYTES = 8
"""Bytes of a pack's or a profile's digest."""

MAX_DETAIL = 200
"""Characters of a BYE's explanation."""

MIN_MTU = 33
"""The smallest MTU in bytes: what a seal leaves of LoRaWAN's 51. Every message but a long HELLO and
a long BYE fits it, an ACK if it says less."""

_SHORT_PAYLOAD = 255  # msgpack gives a byte string up to here a one-byte length


def payload_room(mtu: int) -> int:
    """Payload bytes that a data datagram of at most `mtu` bytes carries for sure."""
    room = mtu - (MAX_OVERHEAD - 1)
    return room if room <= _SHORT_PAYLOAD else max(_SHORT_PAYLOAD, mtu - MAX_OVERHEAD)
