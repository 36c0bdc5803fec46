"""Pictures to bytes: analysis, rounding, entropy coding, and the choice of size and quality."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from misc_shared.codec.delta_encoder import Base, DeltaEncoder
from misc_shared.codec.entropy_model import QuantisedLayer
from misc_shared.codec.layout import HEADER_BYTES, MAX_CELLS, QUALITIES, SCALES, Header, grid_cells
from misc_shared.codec.models import open_entropy, open_network
from misc_shared.codec.pictures import check_picture, resize, to_network
from misc_shared.codec.rate import DEAD_ZONE, Point, fill_budget, relative_size
from misc_shared.codec.reference import Reference
from misc_shared.codec.texture import TEXTURE_BYTES, TEXTURE_LAYER, contrasts, pack_texture
from misc_shared.errors import ConfigError
from misc_shared.packs import Component

__all__ = ["EncodedImage", "ImageEncoder"]

# Bits per displayed pixel from which each of SCALES pays, as measured on training photographs: a
# pixel of a larger picture shows less that is new.
_SCALE_FROM_BPP: Final = (0.03, 0.018, 0.01, 0.0035, 0.003, 0.0025, 0.0018, 0.0)
_LARGE_SCALE_FROM_BPP: Final = (0.02, 0.01, 0.007, 0.0035, 0.003, 0.0025, 0.0018, 0.0)
_LARGE_SIDE: Final = 480

Latents = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]
Integers = NDArray[np.int64]
Quantised = tuple[QuantisedLayer, QuantisedLayer, QuantisedLayer]


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """A picture as bytes.

    Attributes:
        layers: Base, detail 1, detail 2. A later one is b"" where the budget had no room for it.
        width: Of the picture, in pixels.
        height: Of the picture, in pixels.
        quality: 0..31.
        scale: Displayed over coded size.
        integers: What the layers hold, int64 [C, h, w] each.
        changed: Share of the 64x64 cells in which anything is new; 1 for a key.
        delta: Whether it was made against another picture.
    """

    layers: tuple[bytes, bytes, bytes]
    width: int
    height: int
    quality: int
    scale: float
    integers: tuple[Integers, ...]
    changed: float = 1.0
    delta: bool = False

    @property
    def reference(self) -> Reference:
        """What a later delta may be made against."""
        header = Header(self.quality, SCALES.index(self.scale), self.width, self.height)
        return Reference(header, self.integers)

    @property
    def nbytes(self) -> int:
        """Bytes of all layers."""
        return sum(map(len, self.layers))


class ImageEncoder:
    """The sending half of the codec.

    Args:
        component: The pack's "codec".
        threads: For the analysis network; 0 takes every core.
    """

    def __init__(self, component: Component, *, threads: int = 0) -> None:
        """Open the analysis network and the entropy model."""
        self._network = open_network(component.file("analysis.onnx"), threads=threads)
        self._entropy, self._gains = open_entropy(component)
        self._deltas = DeltaEncoder(self._entropy, self._gains, dead_zone=DEAD_ZONE)
        self._analysed: tuple[bytes, Latents] | None = None
        self._textured: tuple[bytes, bytes] | None = None

    def encode(
        self,
        picture: NDArray[np.uint8],
        *,
        max_bytes: int | None = None,
        quality: int | None = None,
        scale_index: int | None = None,
    ) -> EncodedImage:
        """Encode one picture.

        Args:
            picture: uint8 [H, W, 3] RGB, sides 16..4096.
            max_bytes: Budget for all layers together. Layers that do not fit are left out, the
                finest first.
            quality: 0..31. Without it, the best that fits `max_bytes`, or 16 without a budget.
            scale_index: Into SCALES. Without it, chosen by the budget in bits per pixel and by the
                picture's size.

        Raises:
            ConfigError: The picture or an option is out of range, or not even the smallest base
                layer fits the budget.
        """
        check_picture(picture)
        _check_quality(quality)
        start = self._start(picture, max_bytes, scale_index)
        if max_bytes is None:
            chosen = 16 if quality is None else quality
            quantised = self._quantise(self.analyse(picture, start), Point(chosen))
            return self._write(picture, quantised, start, chosen)
        return self._within(picture, max_bytes, quality, start)

    def nearest(self, picture: NDArray[np.uint8], references: Sequence[Reference]) -> int:
        """Find the reference that a picture differs least from; the first of equals.

        Args:
            picture: uint8 [H, W, 3] RGB.
            references: At least one. Those of another size, with fewer layers or of a lower
                quality than the first are passed over.

        Returns:
            Its place.
        """
        check_picture(picture)
        first = references[0]
        if picture.shape[:2] != (first.header.height, first.header.width):
            return 0
        latents = self.analyse(picture, first.header.scale_index)
        places = [place for place, one in enumerate(references) if _comparable(one, first)]
        return min(places, key=lambda place: self._deltas.distance(latents, references[place]))

    def encode_delta(
        self,
        picture: NDArray[np.uint8],
        base: Base,
        *,
        max_bytes: int | None = None,
        quality: int | None = None,
        join: int = 0,
    ) -> EncodedImage | None:
        """Encode one picture as what differs from another.

        Args:
            picture: uint8 [H, W, 3] RGB.
            base: What to make it against, of the same size.
            max_bytes: Budget for all layers together; without it the quality is kept.
            quality: 0..31. With a budget, the most to use; without, the quality. None for the
                base's.
            join: Largest base layer, in bytes, into which finer layers are joined; each layer of
                its own costs framing.

        Returns:
            The picture; None if it has another size than the base, or does not fit the budget.
        """
        check_picture(picture)
        _check_quality(quality)
        header = base.reference.header
        if picture.shape[:2] != (header.height, header.width):
            return None
        latents = self.analyse(picture, header.scale_index)
        streams = self._deltas.encode(
            latents, base, max_bytes=max_bytes, quality=quality, join=join
        )
        if streams is None:
            return None
        return EncodedImage(
            layers=streams.layers,
            width=header.width,
            height=header.height,
            quality=streams.header.quality,
            scale=SCALES[header.scale_index],
            integers=tuple(layer.integers for layer in streams.coded),
            changed=streams.changed,
            delta=True,
        )

    def analyse(self, picture: NDArray[np.uint8], scale_index: int) -> Latents:
        """Run the network at a working size: three float32 [C, h, w] latents, unscaled.

        The last result is kept: what chooses among sizes, qualities and bases asks again.
        """
        columns, rows = grid_cells(picture.shape[1], picture.shape[0], scale_index)
        key = _digest(picture) + bytes([scale_index])
        if self._analysed is None or self._analysed[0] != key:
            small = resize(picture, columns * 64, rows * 64)
            first, second, third = self._network.run(None, {"picture": to_network(small)})
            self._analysed = key, (first[0], second[0], third[0])
        return self._analysed[1]

    def _texture(self, picture: NDArray[np.uint8]) -> bytes:
        """Measure the texture; kept like latents, as each trial of a search is written."""
        key = _digest(picture)
        if self._textured is None or self._textured[0] != key:
            self._textured = key, pack_texture(contrasts(picture))
        return self._textured[1]

    def quantise(self, latents: Latents, quality: int) -> tuple[tuple[Integers, ...], list[float]]:
        """Integers of all layers at a quality, and the estimated bits of each."""
        found = self._quantise(latents, Point(quality))
        return tuple(layer.integers for layer in found), [layer.bits for layer in found]

    def _quantise(self, latents: Latents, point: Point) -> Quantised:
        found: list[QuantisedLayer] = []
        for layer, latent in enumerate(latents):
            values = latent * self._gains[layer][point.quality][:, None, None]
            below = [one.integers for one in found]
            found.append(
                self._entropy.quantise(
                    values, below, layer=layer, quality=point.quality, dead_zone=point.dead_zone
                )
            )
        return found[0], found[1], found[2]

    def _start(
        self, picture: NDArray[np.uint8], max_bytes: int | None, scale_index: int | None
    ) -> int:
        """Pick the working size: as asked, or as the budget calls for, within the cell limit."""
        height, width = picture.shape[:2]
        index = scale_index
        if index is None:
            bpp = 0.05 if max_bytes is None else max_bytes * 8 / (height * width)
            large = min(height, width) >= _LARGE_SIDE
            thresholds = _LARGE_SCALE_FROM_BPP if large else _SCALE_FROM_BPP
            index = next(i for i, least in enumerate(thresholds) if bpp >= least)
        while not _allowed(picture, index) and index + 1 < len(SCALES):
            index += 1
        return index

    def _within(
        self, picture: NDArray[np.uint8], max_bytes: int, quality: int | None, start: int
    ) -> EncodedImage:
        """Find the best quality that fits; else a smaller working size; else fewer layers."""
        encoded = self._search(picture, start, max_bytes, quality)
        scale_index = start
        while encoded.nbytes > max_bytes and scale_index + 1 < len(SCALES):
            scale_index += 1
            encoded = self._search(picture, scale_index, max_bytes, quality)
        while encoded.quality == QUALITIES - 1 and encoded.nbytes <= max_bytes and scale_index > 0:
            scale_index -= 1
            if not _allowed(picture, scale_index):
                break
            larger = self._search(picture, scale_index, max_bytes, quality)
            if not encoded.nbytes < larger.nbytes <= max_bytes:
                break
            encoded = larger
        if encoded.nbytes <= max_bytes:
            return encoded
        for kept in (2, 1):
            layers = (*encoded.layers[:kept], b"", b"")[:3]
            if sum(map(len, layers)) <= max_bytes:
                fitting = (layers[0], layers[1], layers[2])
                return replace(encoded, layers=fitting, integers=encoded.integers[:kept])
        message = (
            f"found a budget of {max_bytes} bytes, expected at least {len(encoded.layers[0])} for "
            "this picture"
        )
        raise ConfigError(message)

    def _search(
        self,
        picture: NDArray[np.uint8],
        scale_index: int,
        max_bytes: int,
        quality: int | None,
    ) -> EncodedImage:
        """Fill the budget at one working size; the smallest result may be too large for it."""
        latents = self.analyse(picture, scale_index)
        tried: dict[Point, Quantised] = {}
        written: dict[Point, EncodedImage] = {}

        def write(point: Point) -> EncodedImage:
            if point not in written:
                written[point] = self._write(picture, tried[point], scale_index, point.quality)
            return written[point]

        def measure(point: Point) -> float:
            tried[point] = self._quantise(latents, point)
            cost = HEADER_BYTES + TEXTURE_BYTES + sum(layer.bits for layer in tried[point]) / 8
            return cost if cost > max_bytes else write(point).nbytes

        most = QUALITIES - 1 if quality is None else quality
        found = fill_budget(
            partial(relative_size, latents, self._gains), measure, limit=max_bytes, most=most
        )
        if found not in tried:
            tried[found] = self._quantise(latents, found)
        return write(found)

    def _write(
        self, picture: NDArray[np.uint8], quantised: Quantised, scale_index: int, quality: int
    ) -> EncodedImage:
        height, width = picture.shape[:2]
        streams = [self._entropy.write(layer.passes) for layer in quantised]
        streams[TEXTURE_LAYER] = self._texture(picture) + streams[TEXTURE_LAYER]
        return EncodedImage(
            layers=(
                Header(quality, scale_index, width, height).pack() + streams[0],
                streams[1],
                streams[2],
            ),
            width=width,
            height=height,
            quality=quality,
            scale=SCALES[scale_index],
            integers=tuple(layer.integers for layer in quantised),
        )


def _digest(picture: NDArray[np.uint8]) -> bytes:
    """Name a picture."""
    name = hashlib.blake2b(np.ascontiguousarray(picture).data, digest_size=16)
    name.update(repr(picture.shape).encode())
    return name.digest()


def _allowed(picture: NDArray[np.uint8], scale_index: int) -> bool:
    """Tell whether a working size keeps to the cell limit that decoders enforce."""
    columns, rows = grid_cells(picture.shape[1], picture.shape[0], scale_index)
    return columns * rows <= MAX_CELLS


def _check_quality(quality: int | None) -> None:
    if quality is not None and not 0 <= quality < QUALITIES:
        message = f"found quality {quality}, expected 0..{QUALITIES - 1}"
        raise ConfigError(message)


def _comparable(one: Reference, first: Reference) -> bool:
    same_size = replace(one.header, quality=first.header.quality) == first.header
    finer = one.header.quality >= first.header.quality
    return same_size and finer and len(one.integers) == len(first.integers)
