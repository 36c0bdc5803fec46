"""Bytes to pictures: any prefix of the layers gives a picture, each further layer a sharper one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from misc_shared.codec.layout import FEATURE_CHANNELS, LATENT_CHANNELS, QUALITIES, Header
from misc_shared.codec.models import open_network
from misc_shared.codec.pictures import from_network, resize
from misc_shared.codec.reader import LayerReader, digest_integers
from misc_shared.codec.reference import Reference
from misc_shared.codec.texture import unpack_texture
from misc_shared.packs import Component

__all__ = ["DecodedImage", "ImageDecoder"]

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A picture from one, two or three layers.

    Attributes:
        pixels: uint8 [H, W, 3] RGB at the size of the captured picture.
        coded: uint8 [16h, 16w, 3] RGB at the size it was coded in.
        features: float32 [40, h, w], the dequantised latents on the /16 grid of the coded picture,
            finest layer last; zeros for layers that are missing.
        layers_used: 1..3.
        quality: 0..31.
        integers_sha256: Over the integers; the same on every machine.
        texture: The captured picture's contrasts, float32 [4] (`misc_shared.codec.texture`); None
            where they did not come. A delta has its key's.
    """

    pixels: NDArray[np.uint8]
    coded: NDArray[np.uint8]
    features: NDArray[np.float32]
    layers_used: int
    quality: int
    integers_sha256: str
    texture: NDArray[np.float32] | None = None


class ImageDecoder(LayerReader):
    """The receiving half of the codec.

    Args:
        component: The pack's "codec".
        threads: For the synthesis network; 0 takes every core.
    """

    def __init__(self, component: Component, *, threads: int = 0) -> None:
        """Open the entropy model and the synthesis network."""
        super().__init__(component)
        self._network = open_network(component.file("synthesis.onnx"), threads=threads)

    def decode(
        self, layers: Sequence[bytes], *, reference: Reference | None = None
    ) -> DecodedImage:
        """Decode the base layer and what follows it.

        Args:
            layers: Base, detail 1, detail 2, or a prefix. An empty one ends the prefix, unless
                the base layer of a delta holds it.
            reference: What a delta was made against; a picture that stands alone needs none.

        Raises:
            BitstreamError: Some layer is not what an encoder writes.
            MissingBaseError: It is a delta, and made against something else.
        """
        return self.render(self.read(layers, reference=reference))

    def render(self, content: Reference) -> DecodedImage:
        """Make the picture of what `read` gave."""
        header, integers = content.header, content.integers
        values = self._dequantise(integers, header)
        present = [len(integers) > number for number in range(1, len(LATENT_CHANNELS))]
        controls = np.array([[header.quality / (QUALITIES - 1), *present]], np.float32)
        inputs = {f"layer{number}": value[None] for number, value in enumerate(values)}
        coded = from_network(self._network.run(None, {**inputs, "controls": controls})[0][0])
        return DecodedImage(
            pixels=resize(coded, header.width, header.height),
            coded=coded,
            features=_on_one_grid(values),
            layers_used=len(integers),
            quality=header.quality,
            integers_sha256=digest_integers(integers),
            texture=unpack_texture(content.texture) if content.texture else None,
        )

    def _dequantise(
        self, integers: Sequence[Integers], header: Header
    ) -> list[NDArray[np.float32]]:
        """Integers over gains; zeros where a layer is missing."""
        values = []
        for number, channels in enumerate(LATENT_CHANNELS):
            if number < len(integers):
                gain = self._gains[number][header.quality][:, None, None]
                values.append((integers[number] / gain).astype(np.float32))
            else:
                values.append(np.zeros((channels, *header.grid(number)), dtype=np.float32))
        return values


def _on_one_grid(values: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    finest = len(values) - 1
    grown = [
        value.repeat(1 << (finest - number), axis=1).repeat(1 << (finest - number), axis=2)
        for number, value in enumerate(values)
    ]
    features = np.concatenate(grown)
    assert features.shape[0] == FEATURE_CHANNELS  # noqa: S101 - LATENT_CHANNELS says so
    return features
