"""Finds where a msgpack object ends, so that a file of them can be read piece by piece.

Only the types that recordings use are known: small maps and arrays, strings, byte strings,
unsigned integers and floats. Nothing is decoded and nothing is copied here.
"""

from __future__ import annotations

from misc_shared.errors import WireError

__all__ = ["object_length"]

_MAX_DEPTH = 1  # a header or an entry, and plain values in it

# First byte -> bytes that follow it, for types of fixed size.
_FIXED = {0xCA: 4, 0xCB: 8, 0xCC: 1, 0xCD: 2, 0xCE: 4, 0xCF: 8}
# First byte -> bytes of the length that follows it, for byte strings and strings.
_SIZED = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}


def object_length(data: bytes | bytearray, start: int = 0) -> int | None:
    """Bytes that the msgpack object at `start` takes.

    Returns:
        The length, which may reach past the end of `data`; None if even that is cut off.

    Raises:
        WireError: the object has a type or a depth that recordings do not use.
    """
    end = _skip(data, start, depth=0)
    return None if end is None else end - start


def _skip(data: bytes | bytearray, position: int, *, depth: int) -> int | None:
    if position >= len(data):
        return None
    first = data[position]
    children = _children(first)
    if children is not None:
        return _skip_children(data, position + 1, count=children, depth=depth + 1)
    if first <= 0x7F:  # noqa: PLR2004 - positive fixint
        return position + 1
    if first in _FIXED:
        return position + 1 + _FIXED[first]
    if 0xA0 <= first <= 0xBF:  # noqa: PLR2004 - fixstr
        return position + 1 + (first & 0x1F)
    if first in _SIZED:
        return _skip_sized(data, position + 1, width=_SIZED[first])
    raise WireError(f"a recording holds no msgpack type 0x{first:02x} (at byte {position})")


def _children(first: int) -> int | None:
    if 0x80 <= first <= 0x8F:  # noqa: PLR2004 - fixmap: a key and a value each
        return 2 * (first & 0x0F)
    if 0x90 <= first <= 0x9F:  # noqa: PLR2004 - fixarray
        return first & 0x0F
    return None


def _skip_children(data: bytes | bytearray, position: int, *, count: int, depth: int) -> int | None:
    if depth > _MAX_DEPTH:
        raise WireError(f"a recording's objects nest at most {_MAX_DEPTH} deep")
    end: int | None = position
    for _ in range(count):
        if end is None:
            return None
        end = _skip(data, end, depth=depth)
    return end


def _skip_sized(data: bytes | bytearray, position: int, *, width: int) -> int | None:
    if position + width > len(data):
        return None
    return position + width + int.from_bytes(data[position : position + width], "big")
