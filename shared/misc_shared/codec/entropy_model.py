"""Lossless coding of the latent integers: integer nets choose tables, the range coder uses them.

For each integer the net gives a mean (in eighths) and a scale index. The integer is coded as its
distance from the rounded mean, with the table of (fraction of the mean, scale). Tables were counted
on training pictures. Where a table is all but certain the integer is not coded at all: the encoder
sets it to the rounded mean, which costs nothing visible and saves the time of most symbols.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from misc_shared.codec.integer_net import MEAN_BITS, SCALE_COUNT, FirstSums, IntegerNet
from misc_shared.codec.layout import LATENT_CHANNELS, PHASES
from misc_shared.coding import RangeDecoder, RangeEncoder
from misc_shared.coding.symbols import SymbolCoder
from misc_shared.errors import BitstreamError

__all__ = ["FRACTIONS", "TABLE_BITS", "EntropyModel", "QuantisedLayer", "split_mean"]

FRACTIONS: Final = 1 << MEAN_BITS
TABLE_BITS: Final = 16
# An escaped distance is written in Elias-gamma form; more bits than this cannot be a real picture.
_MAX_ESCAPE_BITS: Final = 12

Integers = NDArray[np.int64]


def split_mean(mean: Integers) -> tuple[Integers, Integers]:
    """Split means in eighths into the nearest integer and what is left, 0..7 standing for -4..3."""
    nearest = (mean + FRACTIONS // 2) >> MEAN_BITS
    return nearest, mean - (nearest << MEAN_BITS) + FRACTIONS // 2


def _upsample(coarser: Sequence[Integers], layer: int) -> Integers | None:
    """Coarser layers on the grid of `layer`, nearest layer first; None for layer 0."""
    if layer == 0:
        return None
    grown = [
        coarser[i].repeat(1 << (layer - i), axis=1).repeat(1 << (layer - i), axis=2)
        for i in reversed(range(layer))
    ]
    return np.concatenate(grown)


@dataclass(frozen=True, eq=False)
class QuantisedLayer:
    """A layer's integers, and all that it takes to write them.

    Attributes:
        integers: int64 [C, H, W].
        bits: An estimate of their cost.
        passes: Distances from the rounded means and table numbers of each pass, [C, h, w].
    """

    integers: Integers
    bits: float
    passes: Sequence[tuple[Integers, Integers]]


class EntropyModel:
    """Integer nets and tables of all three layers.

    Args:
        arrays: Contents of the pack's entropy.npz: `net{0,1,2}.*`; `tables`, uint16
            [320, longest + 1], rows of cumulative counts; `reach`, [40], how far from the mean the
            tables of a scale go; `certain`, bool [320].
    """

    def __init__(self, arrays: Mapping[str, NDArray[np.generic]]) -> None:
        """Take the arrays."""
        self._nets = [IntegerNet.load(arrays, layer) for layer in range(3)]
        self._reach = arrays["reach"].astype(np.int64)
        self._certain = arrays["certain"].astype(bool)
        tables = arrays["tables"].astype(np.int64)
        # 1 << 16 does not fit a uint16: it is stored as 0.
        self._cumulative = np.where(
            (tables == 0) & (np.arange(tables.shape[1]) > 0), 1 << TABLE_BITS, tables
        )
        self._rows = [
            tuple(row[: 2 * int(self._reach[number % SCALE_COUNT]) + 4].tolist())
            for number, row in enumerate(self._cumulative)
        ]

    def quantise(
        self,
        values: NDArray[np.float32],
        coarser: Sequence[Integers],
        *,
        layer: int,
        quality: int,
        dead_zone: float,
    ) -> QuantisedLayer:
        """Round scaled latents to the integers that will be coded.

        Args:
            values: Latents times their gains, float32 [C, H, W].
            coarser: Integers of the layers below.
            layer: 0..2.
            quality: 0..31.
            dead_zone: How much a step away from the mean must overshoot one half, 0..0.4.
        """
        result = np.zeros(values.shape, dtype=np.int64)
        prepared = self._nets[layer].prepare(_upsample(coarser, layer), quality, values.shape[1:])
        bits = 0.0
        passes: list[tuple[Integers, Integers]] = []
        for number, (row, column) in enumerate(PHASES):
            nearest, table = self._model(layer, prepared, result, number)
            distance = values[:, row::2, column::2] - nearest
            steps = np.sign(distance) * np.floor(np.abs(distance) + 0.5 - dead_zone)
            steps = np.where(self._certain[table], 0, np.clip(steps, -255, 255)).astype(np.int64)
            result[:, row::2, column::2] = nearest + steps
            bits += self._cost(steps, table)
            passes.append((steps, table))
        return QuantisedLayer(result, bits, passes)

    def encode(
        self, integers: Integers, coarser: Sequence[Integers], *, layer: int, quality: int
    ) -> bytes:
        """Write one layer's integers, int64 [C, H, W] as `quantise` gave them."""
        return self.write(self.distances(integers, coarser, layer=layer, quality=quality))

    def write(self, passes: Iterable[tuple[Integers, Integers]]) -> bytes:
        """Write one layer from its distances and tables, without running the nets again."""
        coder = RangeEncoder()
        for steps, table in passes:
            coded = ~self._certain[table]
            self._write(coder, steps[coded], table[coded])
        # A layer that is there is never empty: an empty one means that it was left out.
        return coder.finish() or b"\0"

    def distances(
        self, integers: Integers, coarser: Sequence[Integers], *, layer: int, quality: int
    ) -> Iterator[tuple[Integers, Integers]]:
        """Give each pass's distances from the rounded means, and its table numbers, [C, h, w]."""
        known = np.zeros_like(integers)
        prepared = self._nets[layer].prepare(_upsample(coarser, layer), quality, integers.shape[1:])
        for number, (row, column) in enumerate(PHASES):
            nearest, table = self._model(layer, prepared, known, number)
            yield integers[:, row::2, column::2] - nearest, table
            known[:, row::2, column::2] = integers[:, row::2, column::2]

    def decode(
        self,
        data: bytes,
        coarser: Sequence[Integers],
        *,
        layer: int,
        quality: int,
        shape: tuple[int, int],
    ) -> Integers:
        """Read back one layer's integers, int64 [C, *shape].

        Raises:
            BitstreamError: The bytes are not what an encoder writes.
        """
        coder = RangeDecoder(data)
        result = np.zeros((LATENT_CHANNELS[layer], *shape), dtype=np.int64)
        prepared = self._nets[layer].prepare(_upsample(coarser, layer), quality, shape)
        for number, (row, column) in enumerate(PHASES):
            nearest, table = self._model(layer, prepared, result, number)
            coded = ~self._certain[table]
            nearest[coded] += self._read(coder, table[coded])
            result[:, row::2, column::2] = nearest
        if coder.unused:
            message = (
                f"image layer {layer}: found {coder.unused} bytes after its end, expected none"
            )
            raise BitstreamError(message)
        return result

    def prepare(
        self, coarser: Sequence[Integers], *, layer: int, quality: int, shape: tuple[int, int]
    ) -> FirstSums:
        """Evaluate what all passes of a layer share."""
        return self._nets[layer].prepare(_upsample(coarser, layer), quality, shape)

    def predict(
        self, layer: int, prepared: FirstSums, known: Integers, number: int
    ) -> tuple[Integers, Integers]:
        """Give one pass's rounded means and table numbers, int64 [C, h, w]."""
        return self._model(layer, prepared, known, number)

    def certain(self, table: Integers) -> NDArray[np.bool_]:
        """Where nothing is coded, because the rounded mean is all but sure."""
        return np.asarray(self._certain[table])

    def widths(self, steps: Integers, table: Integers) -> Integers:
        """Chances, out of 65536, of the symbols that stand for distances."""
        symbols, _ = self._symbols(steps, table)
        return np.asarray(
            self._cumulative[table, symbols + 1] - self._cumulative[table, symbols], np.int64
        )

    def code_other(self, coder: SymbolCoder, step: int, table: int, *, not_this: int) -> int:
        """Write or read a distance that is known not to be `not_this`."""
        row = self._rows[table]
        escape = (len(row) >> 1) - 1  # what stands for all distances beyond reach, on either side
        symbol = min(max(step + escape, 0), 2 * escape)
        gone = not_this + escape
        if 0 < gone < 2 * escape:  # an escape stands for many distances, so it stays
            symbol = coder.code_without(row, gone, symbol)
        else:
            symbol = coder.code_of(row, symbol)
        found, reach = symbol - escape, escape - 1
        if -reach <= found <= reach:
            return found
        excess = _code_excess(coder, abs(step) - reach)
        return reach + excess if found > 0 else -reach - excess

    def _model(
        self, layer: int, prepared: FirstSums, known: Integers, number: int
    ) -> tuple[Integers, Integers]:
        """Rounded means and table numbers of one pass's positions."""
        mean, scale = self._nets[layer].run(prepared, known, number)
        nearest, fraction = split_mean(mean)
        return nearest, fraction * SCALE_COUNT + scale

    def _symbols(self, steps: Integers, table: Integers) -> tuple[Integers, Integers]:
        """Symbols of distances (beyond reach: the first or last one), and the reach of each."""
        reach = self._reach[table % SCALE_COUNT]
        return np.clip(steps, -reach - 1, reach + 1) + reach + 1, reach

    def _cost(self, steps: Integers, table: Integers) -> float:
        coded = ~self._certain[table]
        symbols, _ = self._symbols(steps[coded], table[coded])
        width = (
            self._cumulative[table[coded], symbols + 1] - self._cumulative[table[coded], symbols]
        )
        return float((TABLE_BITS - np.log2(width)).sum())

    def _write(self, coder: RangeEncoder, steps: Integers, table: Integers) -> None:
        symbols, reach = self._symbols(steps, table)
        lows = self._cumulative[table, symbols].tolist()
        highs = self._cumulative[table, symbols + 1].tolist()
        beyond = np.abs(steps) - reach
        done = 0
        for place in np.flatnonzero(beyond > 0).tolist():
            coder.encode_all(lows[done : place + 1], highs[done : place + 1])
            excess = int(beyond[place])
            length = excess.bit_length()
            coder.encode(length - 1, length, 4)
            coder.encode_bits(excess, length)
            done = place + 1
        coder.encode_all(lows[done:], highs[done:])

    def _read(self, coder: RangeDecoder, table: Integers) -> Integers:
        rows = [self._rows[number] for number in table.tolist()]
        reach = self._reach[table % SCALE_COUNT]
        symbols: list[int] = []
        excesses: list[tuple[int, int]] = []
        left = iter(rows)
        while len(symbols) < len(rows):
            symbols += coder.decode_run(left)
            if symbols[-1] in (0, len(rows[len(symbols) - 1]) - 2):
                excesses.append((len(symbols) - 1, _read_excess(coder)))
        steps = np.array(symbols, dtype=np.int64) - reach - 1
        for place, excess in excesses:
            steps[place] = np.sign(steps[place]) * (reach[place] + excess)
        return steps


def _code_excess(coder: SymbolCoder, excess: int) -> int:
    """Write or read what an escaped distance is beyond reach, at least 1."""
    length = coder.code_bits(max(0, excess.bit_length() - 1), 4) + 1
    _check_length(length)
    value = coder.code_bits(excess, length)
    _check_leading_bit(value, length)
    return value


def _read_excess(coder: RangeDecoder) -> int:
    length = coder.decode_bits(4) + 1
    _check_length(length)
    value = coder.decode_bits(length)
    _check_leading_bit(value, length)
    return value


def _check_length(length: int) -> None:
    if length > _MAX_ESCAPE_BITS:
        message = (
            f"image layer: found an escape of {length} bits, expected at most {_MAX_ESCAPE_BITS}"
        )
        raise BitstreamError(message)


def _check_leading_bit(value: int, length: int) -> None:
    if value >> (length - 1) != 1:
        message = f"image layer: found an escape of {length} bits that needs fewer"
        raise BitstreamError(message)
