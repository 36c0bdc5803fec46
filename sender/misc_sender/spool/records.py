"""What a spool holds of one picture, and how damage to it is noticed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from misc_sender.spool.moments import Moment
from misc_shared.session.ticks import TICKS_PER_SECOND
from misc_shared.wire import LayerKind

__all__ = [
    "SpooledFrame",
    "digest",
    "layers_of",
    "moment_digest",
    "packs_from",
    "packs_to_bytes",
]

_DIGEST = 8


@dataclass(frozen=True, slots=True)
class SpooledFrame:
    """A picture that waits.

    Attributes:
        number: its place in the order of capture.
        tick: Unix time of capture in ticks of 1/8 s. No two pictures of a stream share it, and it
            is the same each time that the picture is sent: by it a receiver knows it again.
        packs: digests of the models that coded it.
        layers: all that is left of it; BASE always.
    """

    number: int
    tick: int
    packs: Mapping[str, bytes]
    layers: Mapping[LayerKind, bytes]

    @property
    def captured(self) -> float:
        """Unix seconds, to 1/8 s."""
        return self.tick / TICKS_PER_SECOND


def digest(*parts: bytes | str | float) -> bytes:
    """What changes with each bit: SQLite notices a torn page, but not a bit that flipped."""
    hashed = hashlib.blake2b(digest_size=_DIGEST)
    hashed.update(msgspec.msgpack.encode(parts))
    return hashed.digest()


def layers_of(
    picture: int, rows: Iterable[tuple[int, bytes, bytes]]
) -> dict[LayerKind, bytes] | None:
    """The layers of a picture; None if they are damaged, or BASE is not among them.

    Args:
        picture: its number.
        rows: kind, data and digest of each layer.
    """
    layers: dict[LayerKind, bytes] = {}
    for kind, data, found in rows:
        if digest(picture, kind, data) != found:
            return None
        layers[LayerKind(kind)] = data
    return layers if layers.get(LayerKind.BASE) else None


def packs_to_bytes(packs: Mapping[str, bytes]) -> bytes:
    """Digests of models, in one column."""
    return msgspec.msgpack.encode(dict(packs))


def packs_from(data: bytes) -> dict[str, bytes]:
    """The same, read again.

    Raises:
        MsgspecError: they are damaged.
    """
    return msgspec.msgpack.decode(data, type=dict[str, bytes])


def moment_digest(picture: int, at: Moment, tick: int, stream: str, packs: bytes) -> bytes:
    """The digest of what a spool knows of a picture beside its layers."""
    known = (at.boot, at.since_boot, at.wall, int(at.synchronised))
    return digest(picture, *known, tick, stream, packs)
