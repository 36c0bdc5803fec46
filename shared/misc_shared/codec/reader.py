"""Bytes to integers: the part of decoding that every machine must do alike, and needs no network.

Kept apart from the decoder so that it can run, and be checked, where ONNX Runtime is not installed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from misc_shared.codec.delta_coder import CodedLayer, DeltaCoder
from misc_shared.codec.layout import HEADER_BYTES, LATENT_CHANNELS, Header
from misc_shared.codec.models import open_entropy
from misc_shared.codec.reference import (
    DELTA_HEADER_BYTES,
    DeltaHeader,
    Reference,
    is_delta,
    rescale,
)
from misc_shared.codec.texture import TEXTURE_BYTES, TEXTURE_LAYER
from misc_shared.coding.symbols import SymbolReader
from misc_shared.errors import BitstreamError, MissingBaseError
from misc_shared.packs import Component

__all__ = ["LayerReader", "digest_integers"]

Integers = NDArray[np.int64]


class LayerReader:
    """Reads the integers of image layers.

    Args:
        component: The pack's "codec".
    """

    def __init__(self, component: Component) -> None:
        """Open the entropy model."""
        self._entropy, self._gains = open_entropy(component)
        self._deltas = DeltaCoder(self._entropy)

    def read(self, layers: Sequence[bytes], *, reference: Reference | None = None) -> Reference:
        """Read header, integers and texture, without making a picture.

        Args:
            layers: Base, detail 1, detail 2, or a prefix. An empty one ends the prefix, unless
                the base layer of a delta holds it.
            reference: What a delta was made against; a picture that stands alone needs none. If
                it has fewer layers than the delta was made against, so has the result.

        Raises:
            BitstreamError: Some layer is not what an encoder writes.
            MissingBaseError: It is a delta, and made against something else altogether.
        """
        if not 1 <= len(layers) <= len(LATENT_CHANNELS):
            message = f"found {len(layers)} image layers, expected 1..{len(LATENT_CHANNELS)}"
            raise BitstreamError(message)
        if is_delta(layers[0]):
            return self._read_delta(layers, reference)
        header = Header.unpack(layers[0])
        integers: list[Integers] = []
        texture = b""
        for number, layer in enumerate(layers):
            if number and not layer:
                break
            data = layer[HEADER_BYTES:] if number == 0 else layer
            if number == TEXTURE_LAYER:
                texture, data = _part_texture(layer)
            integers.append(
                self._entropy.decode(
                    data, integers, layer=number, quality=header.quality, shape=header.grid(number)
                )
            )
        return Reference(header, tuple(integers), texture)

    def _read_delta(self, layers: Sequence[bytes], reference: Reference | None) -> Reference:
        """Read a delta's layers; protocol.md, Layer payloads: Deltas."""
        delta = DeltaHeader.unpack(layers[0])
        agreeing = 0 if reference is None else reference.agreeing(delta.base_layers, delta.digest)
        if reference is None or not agreeing:
            message = f"delta: made against frame {delta.base}, which is not here"
            raise MissingBaseError(message)
        old = reference.header.quality
        header = replace(reference.header, quality=delta.quality)
        known = reference.integers[:agreeing]
        base = rescale(known, self._gains, old=old, new=delta.quality)
        if delta.joined > delta.base_layers:
            message = (
                f"delta: found {delta.joined} joined layers, expected at most {delta.base_layers}"
            )
            raise BitstreamError(message)
        coded: list[CodedLayer] = []
        coder = SymbolReader(layers[0][DELTA_HEADER_BYTES:])
        # Without all of the base's layers, those that need them are left out.
        readable = len(LATENT_CHANNELS) if agreeing == delta.base_layers else agreeing
        for number in range(readable):
            if number >= delta.joined:
                data = layers[number] if number < len(layers) else b""
                if not data:
                    break
                if number >= len(base):
                    coded.append(self._read_intra(data, coded, header))
                    continue
                coder = SymbolReader(data)
            coded.append(
                self._deltas.code(coder, base[number], coded, layer=number, quality=header.quality)
            )
            if number >= delta.joined - 1:
                coder.end()
        return Reference(header, tuple(one.integers for one in coded), reference.texture)

    def _read_intra(self, data: bytes, coarser: Sequence[CodedLayer], header: Header) -> CodedLayer:
        number = len(coarser)
        integers = self._entropy.decode(
            data,
            [one.integers for one in coarser],
            layer=number,
            quality=header.quality,
            shape=header.grid(number),
        )
        return CodedLayer.new(integers, number)

    def digest(self, layers: Sequence[bytes]) -> str:
        """Give the SHA-256, in hex, of the integers that layers hold: the same on every machine.

        Raises:
            BitstreamError: Some layer is not what an encoder writes.
        """
        return digest_integers(self.read(layers).integers)


def _part_texture(layer: bytes) -> tuple[bytes, bytes]:
    """Split a key's layer into its texture and its stream."""
    if len(layer) <= TEXTURE_BYTES:
        raise BitstreamError(
            f"detail layer: found {len(layer)} bytes, expected more than {TEXTURE_BYTES}"
        )
    return bytes(layer[:TEXTURE_BYTES]), layer[TEXTURE_BYTES:]


def digest_integers(integers: Sequence[Integers]) -> str:
    """Give the SHA-256, in hex, of integers, little-endian int32."""
    return hashlib.sha256(b"".join(part.astype("<i4").tobytes() for part in integers)).hexdigest()
