"""Bytes to integers: the part of decoding that every machine must do alike, and needs no network.

Kept apart from the decoder so that it can run, and be checked, where ONNX Runtime is not installed.
"""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from misc_shared.codec.layout import HEADER_BYTES, LATENT_CHANNELS, Header
from misc_shared.codec.models import open_entropy
from misc_shared.errors import BitstreamError
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

    def read(self, layers: Sequence[bytes]) -> tuple[Header, list[Integers]]:
        """Read header and integers, without making a picture.

        Raises:
            BitstreamError: Some layer is not what an encoder writes.
        """
        if not 1 <= len(layers) <= len(LATENT_CHANNELS):
            message = f"found {len(layers)} image layers, expected 1..{len(LATENT_CHANNELS)}"
            raise BitstreamError(message)
        header = Header.unpack(layers[0])
        integers: list[Integers] = []
        for number, data in enumerate([layers[0][HEADER_BYTES:], *layers[1:]]):
            if number and not data:
                break
            integers.append(
                self._entropy.decode(
                    data, integers, layer=number, quality=header.quality, shape=header.grid(number)
                )
            )
        return header, integers

    def digest(self, layers: Sequence[bytes]) -> str:
        """Give the SHA-256, in hex, of the integers that layers hold: the same on every machine.

        Raises:
            BitstreamError: Some layer is not what an encoder writes.
        """
        return digest_integers(self.read(layers)[1])


def digest_integers(integers: Sequence[Integers]) -> str:
    """Give the SHA-256, in hex, of integers, little-endian int32."""
    return hashlib.sha256(b"".join(part.astype("<i4").tobytes() for part in integers)).hexdigest()
