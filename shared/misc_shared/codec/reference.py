"""What a delta is made against, and the header that names it.

protocol.md, Layer payloads: Deltas.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from misc_shared.codec.layout import LATENT_CHANNELS, Header
from misc_shared.errors import BitstreamError

__all__ = [
    "DELTA_HEADER_BYTES",
    "DIGEST_BYTES",
    "DeltaHeader",
    "Reference",
    "is_delta",
    "joined_layers",
    "rescale",
]

DIGEST_BYTES: Final = 4
DELTA_HEADER_BYTES: Final = 5 + DIGEST_BYTES
_DIGEST_PARTS: Final = ((4,), (2, 2), (2, 1, 1))
"""Bytes for each layer, by the number of layers."""
_VERSION: Final = 0
# A picture is at least 16 wide, so a key's second and third byte cannot begin with 8 zeros and
# less than 15: width - 1 is at least 15.
_KEY_NIBBLE: Final = 15
_LAYERS: Final = len(LATENT_CHANNELS)

Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Reference:
    """The integers of a picture that both ends hold.

    Attributes:
        header: Its size, working size and quality.
        integers: Of its layers, int64 [C, h, w] each, 1 to 3 of them.
        texture: Of its key, as `pack_texture` wrote it; empty where it is not known. Only a
            receiver keeps it, and no digest covers it.
    """

    header: Header
    integers: tuple[Integers, ...]
    texture: bytes = b""

    def digest(self, layers: int) -> bytes:
        """Name header and integers of the first `layers` layers, in 4 bytes.

        A 16-bit id returns after 8,192 s, and a receiver may have decoded less than was sent: the
        digest makes sure that both ends mean the same integers. It has a part for each layer,
        which names that one and all before it, so that a receiver that lacks the finer layers
        still can use the coarser ones.
        """
        parts = [self.header.pack()]
        digest = b""
        for integers, size in zip(self.integers, _DIGEST_PARTS[layers - 1], strict=False):
            parts.append(integers.astype("<i4").tobytes())
            digest += hashlib.blake2b(b"".join(parts), digest_size=size).digest()
        return digest

    def agreeing(self, layers: int, digest: bytes) -> int:
        """How many of the first `layers` layers are those that a digest names."""
        ours, end = self.digest(layers), 0
        for count, size in enumerate(_DIGEST_PARTS[layers - 1]):
            if ours[end : end + size] != digest[end : end + size]:
                return count
            end += size
        return layers

    def first(self, layers: int) -> "Reference":
        """The same without its layers from number `layers` on."""
        return replace(self, integers=self.integers[:layers])


@dataclass(frozen=True, slots=True)
class DeltaHeader:
    """The first nine bytes of a delta's base layer.

    Attributes:
        quality: 0..31, 31 best.
        base: Id of the frame that it was made against, as on the wire, 0..65535.
        base_layers: Layers of that frame which were used, 1..3.
        digest: Of header and integers of those, as `Reference.digest` gives it.
        joined: Layers whose streams are in the base layer, one after the other, 1..3.
        same_text: The text is that of the base.
        same_maps: The maps are those of the base.
    """

    quality: int
    base: int
    base_layers: int
    digest: bytes
    joined: int
    same_text: bool = False
    same_maps: bool = False

    def pack(self) -> bytes:
        """Write it; the zero second byte tells a delta from a key."""
        first = self.quality << 3 | self.base_layers << 1 | self.same_text
        third = _VERSION << 4 | self.joined << 2 | self.same_maps << 1
        return bytes([first, 0, third]) + self.base.to_bytes(2, "big") + self.digest

    @classmethod
    def unpack(cls, base: bytes) -> "DeltaHeader":
        """Read the header of a delta's base layer.

        Raises:
            BitstreamError: It is cut short, of another version, or says what cannot be.
        """
        if len(base) < DELTA_HEADER_BYTES:
            raise BitstreamError(
                f"delta: found {len(base)} bytes, expected a header of {DELTA_HEADER_BYTES}"
            )
        header = cls(
            quality=base[0] >> 3,
            base=int.from_bytes(base[3:5], "big"),
            base_layers=base[0] >> 1 & 3,
            digest=bytes(base[5:DELTA_HEADER_BYTES]),
            joined=base[2] >> 2 & 3,
            same_text=bool(base[0] & 1),
            same_maps=bool(base[2] >> 1 & 1),
        )
        if base[2] >> 4 != _VERSION or base[2] & 1:
            raise BitstreamError(
                f"delta: found third byte {base[2]:#04x}, which is reserved; update this end"
            )
        if not header.base_layers or not header.joined:
            raise BitstreamError(
                f"delta: found {header.base_layers} layers of the base and {header.joined} joined, "
                f"expected 1..{_LAYERS}"
            )
        return header


def is_delta(base: bytes) -> bool:
    """Whether a base layer is a delta's; False for what is too short to tell."""
    return len(base) > 2 and base[1] == 0 and base[2] >> 4 < _KEY_NIBBLE  # noqa: PLR2004


def joined_layers(base: bytes) -> int:
    """How many layers a base layer holds: 1 for a key; 1 too for what does not decode."""
    return max(1, base[2] >> 2 & 3) if is_delta(base) else 1


def rescale(
    integers: Sequence[Integers],
    gains: Sequence[NDArray[np.float32]],
    *,
    old: int,
    new: int,
) -> tuple[Integers, ...]:
    """Take a base's integers from its quality to another.

    Division, multiplication and rounding to even are exact in IEEE 754, so all machines agree.

    Args:
        integers: int64 [C, h, w] each.
        gains: float32 [32, C] of each layer.
        old: The quality of the integers, 0..31.
        new: That which is wanted.
    """
    if old == new:
        return tuple(integers)
    scaled = []
    for part, gain in zip(integers, gains, strict=False):
        ratio = gain[new].astype(np.float64) / gain[old].astype(np.float64)
        scaled.append(np.rint(part * ratio[:, None, None]).astype(np.int64))
    return tuple(scaled)
