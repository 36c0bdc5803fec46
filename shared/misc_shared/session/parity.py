"""A sum of a layer's chunks, out of which a lost one follows. protocol.md, Parity.

The simplest forward error correction there is, one XOR packet (RFC 5109, level 0): it costs one
chunk however many there are, and gives back any one of them.
"""

from collections.abc import Collection, Mapping
from functools import reduce
from operator import xor

from misc_shared.errors import ProtocolError
from misc_shared.wire import MAX_CHUNKS, MAX_PARITY_LAYER, PARITY_EXTRA

__all__ = ["missing_chunk", "parity_of", "protected_room"]


def protected_room(nbytes: int, room: int) -> int | None:
    """Bytes of a chunk where a parity, which is as long, should fit the link too.

    The chunks are as few as can be, and as equal as can be: that makes the parity short.

    Args:
        nbytes: Of the layer.
        room: What a chunk without parity may have.

    Returns:
        None if the layer gets no parity: one chunk holds it, or a parity can't.
    """
    most = room - PARITY_EXTRA
    if not room < nbytes <= min(MAX_PARITY_LAYER, MAX_CHUNKS * most):
        return None
    count = -(-nbytes // most)
    return -(-nbytes // count)


def parity_of(chunks: Collection[bytes], *, room: int) -> bytes:
    """The sum without carry of chunks of at most `room` bytes, as if zeros followed short ones."""
    return reduce(xor, (_number(chunk, room) for chunk in chunks), 0).to_bytes(room, "big")


def missing_chunk(
    chunks: Mapping[int, bytes], parity: bytes, *, nbytes: int
) -> tuple[int, bytes] | None:
    """The only chunk that is missing, from all others and their parity.

    Args:
        chunks: Index -> the chunks that came.
        parity: Of all chunks of the layer.
        nbytes: Of the layer.

    Returns:
        Index and bytes; None while more than one is missing, or none.

    Raises:
        ProtocolError: these chunks can't be the parity's.
    """
    room = len(parity)
    sizes = [min(room, nbytes - start) for start in range(0, nbytes, room)]
    if any(index >= len(sizes) or len(one) != sizes[index] for index, one in chunks.items()):
        raise ProtocolError(
            f"a parity of {len(sizes)} chunks of {room} bytes contradicts those that came"
        )
    missing = [index for index in range(len(sizes)) if index not in chunks]
    if len(missing) != 1:
        return None
    found = parity_of([parity, *chunks.values()], room=room)
    size = sizes[missing[0]]
    if any(found[size:]):
        raise ProtocolError("a parity contradicts the chunks that came: the rest is not zero")
    return missing[0], found[:size]


def _number(chunk: bytes, room: int) -> int:
    return int.from_bytes(chunk.ljust(room, b"\0"), "big")
