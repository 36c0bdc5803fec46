"""Datagrams that go together: one message of the data channel. protocol.md, WebRTC.

Each message costs some 160 bytes in both directions besides its own, so the small datagrams that a
session has to say at one moment share one.
"""

from __future__ import annotations

from collections.abc import Iterable

from misc_shared.errors import WireError

__all__ = ["MAX_BUNDLE", "Bundle", "length_bytes", "unbundle"]

MAX_BUNDLE = 1102
"""Bytes of the largest message: with all headers 1,212 bytes, which every IPv6 path carries."""

_SHORT = 0x80
_LONGEST = 0x7FFF


def length_bytes(nbytes: int) -> int:
    """Bytes of the length in front of a datagram of `nbytes` bytes: 1 or 2."""
    return 1 if nbytes < _SHORT else 2


class Bundle:
    """Collects datagrams up to a size.

    Args:
        limit: bytes of the largest message, lengths included.
    """

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self.nbytes = 0

    def __len__(self) -> int:
        """How many datagrams wait."""
        return len(self._parts) // 2

    def fits(self, nbytes: int) -> bool:
        """Whether a datagram of `nbytes` bytes can still be added."""
        return self.nbytes + length_bytes(nbytes) + nbytes <= self._limit

    def add(self, datagram: bytes) -> None:
        """Add a datagram that fits; empty ones are none.

        Raises:
            ValueError: it is empty or does not fit.
        """
        if not datagram or not self.fits(len(datagram)):
            raise ValueError(f"{len(datagram)} bytes do not fit a bundle of {self.nbytes}")
        self._parts += (_length(len(datagram)), datagram)
        self.nbytes += length_bytes(len(datagram)) + len(datagram)

    def take(self) -> bytes:
        """The message, after which the bundle is empty again."""
        message = b"".join(self._parts)
        self._parts, self.nbytes = [], 0
        return message


def _length(nbytes: int) -> bytes:
    if nbytes < _SHORT:
        return bytes((nbytes,))
    return (nbytes | _SHORT << 8).to_bytes(2, "big")


def unbundle(message: bytes) -> list[bytes]:
    """The datagrams of a message, none of them empty.

    Raises:
        WireError: a length is zero, not in its shortest form, or reaches past the end.
    """
    return list(_split(message))


def _split(message: bytes) -> Iterable[bytes]:
    position = 0
    while position < len(message):
        nbytes, position = _read_length(message, position)
        if not 0 < nbytes <= len(message) - position:
            raise WireError(
                f"a bundle's datagram has {nbytes} bytes and {len(message) - position} are left"
            )
        yield message[position : position + nbytes]
        position += nbytes


def _read_length(message: bytes, position: int) -> tuple[int, int]:
    first = message[position]
    if first < _SHORT:
        return first, position + 1
    if position + 1 == len(message):
        raise WireError("a bundle ends within a length")
    nbytes = int.from_bytes(message[position : position + 2], "big") & _LONGEST
    if nbytes < _SHORT:
        raise WireError(f"a bundle has the length {nbytes} in two bytes: expected one")
    return nbytes, position + 2
