"""Latents to a delta: quality, quantisation and streams of all layers against a base."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from misc_shared.codec.delta_coder import CodedLayer, DeltaCoder, count_moves
from misc_shared.codec.entropy_model import EntropyModel
from misc_shared.codec.layout import LATENT_CHANNELS, Header
from misc_shared.codec.models import Gains
from misc_shared.codec.reference import DELTA_HEADER_BYTES, DeltaHeader, Reference, rescale
from misc_shared.coding.symbols import SymbolWriter

__all__ = ["Base", "DeltaEncoder", "DeltaStreams"]

# Quality is raised only where it costs little and brings much: the base's integers fit another
# quality less well, so each small step would be paid for with nearly as many bytes as a large one.
_SPARE_SHARE: Final = 0.5
_LEAST_RISE: Final = 3

Layers = tuple[bytes, bytes, bytes]
Latents = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Base:
    """What a delta is made against.

    Attributes:
        reference: Header and integers of the layers that the receiver has.
        frame: Id of that frame as on the wire, 0..65535.
        same_text: Let the delta say that its text is the base's.
        same_maps: The same for the maps.
    """

    reference: Reference
    frame: int
    same_text: bool = False
    same_maps: bool = False


@dataclass(frozen=True, eq=False)
class DeltaStreams:
    """A delta as bytes.

    Attributes:
        layers: Base, detail 1, detail 2; b"" for what is joined to the base layer or left out.
        header: Size, working size and quality.
        coded: The three layers.
    """

    layers: Layers
    header: Header
    coded: tuple[CodedLayer, ...]

    @property
    def nbytes(self) -> int:
        """Bytes of all layers."""
        return sum(map(len, self.layers))

    @property
    def changed(self) -> float:
        """Share of the 64x64 cells in which anything is new."""
        cells = np.logical_or.reduce([layer.cells for layer in self.coded])
        return float(cells.mean())


class DeltaEncoder:
    """Chooses the quality of deltas and writes them.

    Args:
        entropy: The intra nets and tables.
        gains: Of each layer by quality.
        dead_zone: How much a step away from the mean must overshoot one half.
    """

    def __init__(self, entropy: EntropyModel, gains: Gains, *, dead_zone: float) -> None:
        self._entropy = entropy
        self._coder = DeltaCoder(entropy)
        self._gains = gains
        self._dead_zone = dead_zone

    def encode(
        self,
        latents: Latents,
        base: Base,
        *,
        max_bytes: int | None,
        quality: int | None,
        join: int,
    ) -> DeltaStreams | None:
        """Write a delta.

        Args:
            latents: The picture's, at the base's working size.
            base: What to write it against.
            max_bytes: Budget for all layers together; without it the quality is kept.
            quality: With a budget, the most to use; without, the quality. None for the base's.
            join: Largest base layer, in bytes, into which finer layers are joined.

        Returns:
            The streams; None if not even the lowest quality fits the budget.
        """
        old = base.reference.header.quality
        if max_bytes is None:
            chosen = old if quality is None else quality
            return self._write(self._quantise(latents, base, chosen)[0], base, chosen, join)
        for chosen in self._qualities(latents, base, max_bytes, quality):
            streams = self._write(self._quantise(latents, base, chosen)[0], base, chosen, join)
            if streams.nbytes <= max_bytes:
                return streams
        return None

    def distance(self, latents: Latents, reference: Reference) -> int:
        """Say how much a delta would have to tell: the least is the best base."""
        quality = reference.header.quality
        return sum(
            count_moves(latents[layer] * self._gains[layer][quality][:, None, None], base, layer)
            for layer, base in enumerate(reference.integers)
        )

    def _qualities(
        self, latents: Latents, base: Base, max_bytes: int, ceiling: int | None
    ) -> Sequence[int]:
        """Qualities to try in turn: the best that should fit, then lower ones."""
        most = len(self._gains[0]) - 1 if ceiling is None else ceiling
        old = min(base.reference.header.quality, most)

        def fits(quality: int, share: float = 1.0) -> bool:
            _, bits = self._quantise(latents, base, quality)
            return DELTA_HEADER_BYTES + bits / 8 <= share * max_bytes

        best = old
        if fits(old, _SPARE_SHARE):
            risen = _highest(fits, old, most)
            best = risen if risen >= old + _LEAST_RISE or risen == most else old
        elif not fits(old):
            best = _highest(fits, -1, max(0, old - 1))
        return range(max(best, 0), -1, -1)

    def _quantise(
        self, latents: Latents, base: Base, quality: int
    ) -> tuple[tuple[CodedLayer, ...], float]:
        """All layers at a quality, and their estimated bits."""
        integers = self._rescaled(base, quality)
        coded: list[CodedLayer] = []
        total = 0.0
        for layer, latent in enumerate(latents):
            values = latent * self._gains[layer][quality][:, None, None]
            if layer < len(integers):
                one, bits = self._coder.quantise(
                    values,
                    integers[layer],
                    coded,
                    layer=layer,
                    quality=quality,
                    dead_zone=self._dead_zone,
                )
            else:
                below = [each.integers for each in coded]
                found = self._entropy.quantise(
                    values, below, layer=layer, quality=quality, dead_zone=self._dead_zone
                )
                one, bits = CodedLayer.new(found.integers, layer), found.bits
            coded.append(one)
            total += bits
        return tuple(coded), total

    def _rescaled(self, base: Base, quality: int) -> tuple[NDArray[np.int64], ...]:
        reference = base.reference
        return rescale(reference.integers, self._gains, old=reference.header.quality, new=quality)

    def _write(
        self, coded: tuple[CodedLayer, ...], base: Base, quality: int, join: int
    ) -> DeltaStreams:
        """Write the streams, with as many layers joined to the first as `join` allows."""
        header = replace(base.reference.header, quality=quality)
        integers = self._rescaled(base, quality)
        streams: tuple[bytes, ...] = ()
        for joined in range(len(integers), 0, -1):
            streams = self._streams(coded, integers, quality, joined)
            if joined == 1 or DELTA_HEADER_BYTES + len(streams[0]) <= join:
                break
        head = DeltaHeader(
            quality=quality,
            base=base.frame,
            base_layers=len(integers),
            digest=base.reference.digest(len(integers)),
            joined=joined,
            same_text=base.same_text,
            same_maps=base.same_maps,
        )
        layers = (head.pack() + streams[0], streams[1], streams[2])
        return DeltaStreams(layers, header, coded)

    def _streams(
        self,
        coded: Sequence[CodedLayer],
        integers: Sequence[NDArray[np.int64]],
        quality: int,
        joined: int,
    ) -> tuple[bytes, ...]:
        streams = []
        writer = SymbolWriter()
        for layer in range(len(LATENT_CHANNELS)):
            if layer >= joined:
                writer = SymbolWriter()
            if layer < len(integers):
                self._coder.code(
                    writer,
                    integers[layer],
                    coded[:layer],
                    layer=layer,
                    quality=quality,
                    wanted=coded[layer],
                )
            if layer < joined - 1:
                continue
            if layer < len(integers):
                # A layer of its own is never empty: an empty one means that it was left out.
                streams.append(writer.finish() or (b"" if layer < joined else b"\0"))
            else:
                below = [each.integers for each in coded[:layer]]
                streams.append(
                    self._entropy.encode(coded[layer].integers, below, layer=layer, quality=quality)
                )
        empty = [b""] * (joined - 1)
        return (streams[0], *empty, *streams[1:])


def _highest(fits: Callable[[int], bool], low: int, high: int) -> int:
    """The highest of low..high that fits, by bisection; `low` is taken to fit."""
    while low < high:
        middle = (low + high + 1) // 2
        if fits(middle):
            low = middle
        else:
            high = middle - 1
    return low
