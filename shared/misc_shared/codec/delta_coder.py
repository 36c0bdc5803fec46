"""One layer of a delta: which integers differ from the base's, and what they are.

protocol.md, Layer payloads: Deltas. Cells in which nothing changed cost next to nothing. In the
others each integer is first coded as changed or not, by `change_model`, then, if it changed, with
the intra tables, out of which the base's integer is cut. The context nets read what is decoded;
places in the skipped cells hold the base's integers there.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from misc_shared.codec.change_model import (
    chance,
    chances,
    observe,
    place_scores,
    place_weights,
    score,
)
from misc_shared.codec.change_weights import CELLS
from misc_shared.codec.entropy_model import TABLE_BITS, EntropyModel
from misc_shared.codec.layout import PHASES
from misc_shared.coding.symbols import AdaptiveChoice, SymbolCoder

__all__ = ["CodedLayer", "DeltaCoder", "Pass", "count_moves"]

Integers = NDArray[np.int64]
Mask = NDArray[np.bool_]

_WHOLE: Final = 1 << TABLE_BITS
_EVEN: Final = (0, _WHOLE // 2, _WHOLE)
# An integer that moved by less than this is noise, unless more in its cell moved further: half a
# step is rounding, the rest is what sensor noise adds (a sigma of 2 of 255 was tried), by layer.
_NOISE: Final = (0.6, 0.6, 0.7)
# Squared steps that each bit of a move must gain, by layer. Where rates are high a bit gains .12
# (2 ln 2 / 12); a stale integer of a coarse layer, though, shows in all finer ones, and one of the
# finest is soon overtaken by the next picture.
_GAIN_PER_BIT: Final = (0.03, 0.06, 0.17)
# Squared steps that a cell must gain in all before any of it is sent again, by layer.
_LEAST_GAIN: Final = (0.3, 0.8, 1.0)


@dataclass(frozen=True, eq=False)
class CodedLayer:
    """A layer and what is new in it.

    Attributes:
        integers: int64 [C, H, W].
        changed: How many integers differ from the base's at each place, [H, W].
        cells: Which 64x64 cells hold a change, bool [rows, columns].
    """

    integers: Integers
    changed: Integers
    cells: Mask

    @classmethod
    def compare(cls, integers: Integers, base: Integers, layer: int) -> "CodedLayer":
        """Find what is new."""
        changed = np.asarray((integers != base).sum(0), np.int64)
        return cls(integers, changed, _per_cell(changed, layer) > 0)

    @classmethod
    def new(cls, integers: Integers, layer: int) -> "CodedLayer":
        """Take a layer that the base has not: all of it is new."""
        changed = np.full(integers.shape[1:], len(integers), np.int64)
        return cls(integers, changed, _per_cell(changed, layer) > 0)


@dataclass(frozen=True, eq=False)
class Pass:
    """A quarter of a layer's places: what is known of them before they are decoded, [C, h, w].

    Attributes:
        base: The base's integers.
        nearest: Rounded means.
        table: Numbers of the intra tables.
        certain: Where the integer is either the base's or the rounded mean.
        bins: What was observed of each integer, channels before left out.
        score: The sums of its weights.
        places: Where cells are open, bool [h, w].
    """

    base: Integers
    nearest: Integers
    table: Integers
    certain: Mask
    bins: tuple[Integers, ...]
    score: Integers
    places: Mask

    @property
    def fixed(self) -> Mask:
        """Where nothing is coded, for there is no choice."""
        return np.asarray(self.certain & (self.nearest == self.base))


class DeltaCoder:
    """Codes layers against a base's.

    Args:
        entropy: The intra nets and tables.
    """

    def __init__(self, entropy: EntropyModel) -> None:
        self._entropy = entropy

    def quantise(
        self,
        values: NDArray[np.float32],
        base: Integers,
        coarser: Sequence[CodedLayer],
        *,
        layer: int,
        quality: int,
        dead_zone: float,
    ) -> tuple[CodedLayer, float]:
        """Round scaled latents to the integers that will be coded.

        The base's integer stays where a change gains too little for its bits, and in all of a cell
        that shows no more than noise. It is always the present picture that decides, so errors do
        not add up from delta to delta.

        Args:
            values: Latents times their gains, float32 [C, H, W].
            base: The base's integers at this quality, int64 [C, H, W].
            coarser: The layers below.
            layer: 0..2.
            quality: 0..31.
            dead_zone: How much a step away from the mean must overshoot one half, 0..0.4.

        Returns:
            The layer, and an estimate of its cost in bits.
        """
        cells = _moved(values, base, layer)
        if not cells.any():
            return CodedLayer.compare(base, base, layer), 1.0
        bits = float(cells.size)
        result = base.copy()
        passes = self.passes(result, base, cells, coarser, layer=layer, quality=quality)
        for (row, column), each in zip(PHASES, passes, strict=True):
            here = values[:, row::2, column::2]
            distance = here - each.nearest
            steps = np.sign(distance) * np.floor(np.abs(distance) + 0.5 - dead_zone)
            steps = np.where(each.certain, 0, np.clip(steps, -255, 255)).astype(np.int64)
            gain = np.square(here - each.base) - np.square(distance - steps)
            price = _GAIN_PER_BIT[layer] * self._price(each, steps)
            moves = (gain > price.clip(0)) & each.places
            chosen = np.where(moves, each.nearest + steps, each.base)
            result[:, row::2, column::2] = chosen
            bits += self._cost(each, chosen, layer)
        return CodedLayer.compare(result, base, layer), bits

    def code(
        self,
        coder: SymbolCoder,
        base: Integers,
        coarser: Sequence[CodedLayer],
        *,
        layer: int,
        quality: int,
        wanted: CodedLayer | None = None,
    ) -> CodedLayer:
        """Write a layer as `quantise` gave it, or read one if `wanted` is None.

        Raises:
            BitstreamError: The bytes are not what an encoder writes.
        """
        changes = wanted is not None and bool(wanted.cells.any())
        if not coder.code(_EVEN, int(changes)):
            return CodedLayer.compare(base, base, layer)
        cells = _code_cells(coder, coarser, base.shape[1] >> layer, base.shape[2] >> layer, wanted)
        result = base.copy() if wanted is None else wanted.integers.copy()
        passes = self.passes(result, base, cells, coarser, layer=layer, quality=quality)
        for (row, column), each in zip(PHASES, passes, strict=True):
            places = each.places
            part = result[:, row::2, column::2]
            part[:, places] = self._code_places(coder, each, part[:, places].T.tolist(), layer).T
        return CodedLayer.compare(result, base, layer)

    def passes(
        self,
        result: Integers,
        base: Integers,
        cells: Mask,
        coarser: Sequence[CodedLayer],
        *,
        layer: int,
        quality: int,
    ) -> Iterator[Pass]:
        """Prepare each pass from what `result` holds of those before it."""
        integers = [below.integers for below in coarser]
        shape = (base.shape[1], base.shape[2])
        prepared = self._entropy.prepare(integers, layer=layer, quality=quality, shape=shape)
        above = _grow(coarser[-1].changed, 1) if coarser else np.zeros(shape, np.int64)
        places = _grow(cells, layer)
        known, changed = np.zeros_like(base), np.zeros_like(base)
        for number, (row, column) in enumerate(PHASES):
            nearest, table = self._entropy.predict(layer, prepared, known, number)
            mine = base[:, row::2, column::2]
            likelihood = self._entropy.widths(mine - nearest, table)
            bins = observe(likelihood, changed, above, number=number)
            yield Pass(
                base=mine,
                nearest=nearest,
                table=table,
                certain=self._entropy.certain(table),
                bins=bins,
                score=score(bins, layer),
                places=places[row::2, column::2],
            )
            decoded = result[:, row::2, column::2]
            known[:, row::2, column::2] = decoded
            changed[:, row::2, column::2] = decoded != mine

    def _code_places(
        self, coder: SymbolCoder, each: Pass, wanted: Sequence[Sequence[int]], layer: int
    ) -> Integers:
        """Write or read the integers at the open places, place by place, [places, C]."""
        columns = (each.base, each.nearest, each.table, each.certain, each.fixed, each.score)
        lists = [column[:, each.places].T.tolist() for column in columns]
        extra = [place_weights(layer, channel) for channel in range(len(each.base))]
        return np.array(
            [
                self._code_place(coder, list(zip(*place, strict=True)), extra)
                for place in zip(wanted, *lists, strict=True)
            ],
            dtype=np.int64,
        )

    def _code_place(
        self,
        coder: SymbolCoder,
        channels: Sequence[tuple[int, int, int, int, bool, bool, int]],
        extra: Sequence[Sequence[int]],
    ) -> list[int]:
        """Write or read all channels of one place."""
        result = []
        changes = 0
        for (wanted, base, nearest, table, certain, fixed, total), weights in zip(
            channels, extra, strict=True
        ):
            value = base
            if not fixed:
                same = _WHOLE - chance(total + weights[changes])
                if coder.code_choice(same, int(wanted != base)):
                    changes += 1
                    value = nearest
                    if not certain:
                        value += self._entropy.code_other(
                            coder, wanted - nearest, table, not_this=base - nearest
                        )
            result.append(value)
        return result

    def _price(self, each: Pass, steps: Integers) -> NDArray[np.float64]:
        """Estimate the bits that each change would cost above none, were it alone at its place."""
        likely = chances(each.score) / _WHOLE
        price = np.log2((1 - likely) / likely)
        price[~each.certain] += self._value_bits(each, each.nearest + steps, ~each.certain)
        return np.asarray(price)

    def _cost(self, each: Pass, chosen: Integers, layer: int) -> float:
        """Estimate the bits of one pass."""
        changes = (chosen != each.base).astype(np.int64)
        total = each.score + place_scores(np.cumsum(changes, 0) - changes, layer)
        likely = chances(total) / _WHOLE
        open_ = each.places & ~each.fixed
        flags = -np.log2(np.where(changes, likely, 1 - likely))[open_].sum()
        coded = (changes > 0) & ~each.certain
        return float(flags + self._value_bits(each, chosen, coded).sum())

    def _value_bits(self, each: Pass, chosen: Integers, coded: Mask) -> NDArray[np.float64]:
        """Bits of the marked integers, which are known not to be the base's."""
        table, nearest = each.table[coded], each.nearest[coded]
        width = self._entropy.widths(chosen[coded] - nearest, table)
        left = np.maximum(_WHOLE - self._entropy.widths(each.base[coded] - nearest, table), width)
        return np.asarray(np.log2(left / width))


def count_moves(values: NDArray[np.float32], base: Integers, layer: int) -> int:
    """Say how far scaled latents are from a base: integers that moved, and cells with any.

    A cell counts as much as three integers, times the layer's resolution: about what it costs.
    """
    cells = _moved(values, base, layer)
    moved = np.abs(values - base) > _NOISE[layer]
    return int((moved & _grow(cells, layer)).sum() + (3 << layer) * cells.sum())


def _moved(values: NDArray[np.float32], base: Integers, layer: int) -> Mask:
    """Which cells show more than noise, bool [rows, columns]."""
    distance = np.abs(values - base)
    gain = np.square(distance) - np.square(values - np.rint(values))
    real = np.where(distance > _NOISE[layer], gain, 0).sum(0)
    return np.asarray(_per_cell(real, layer) > _LEAST_GAIN[layer])


def _code_cells(
    coder: SymbolCoder,
    coarser: Sequence[CodedLayer],
    rows: int,
    columns: int,
    wanted: CodedLayer | None,
) -> Mask:
    """Write or read which cells hold a change, in reading order."""
    choices = [AdaptiveChoice(counts) for counts in CELLS[len(coarser)]]
    below = np.zeros((rows, columns), np.int64)
    for one in coarser:
        below += one.cells
    cells = np.zeros((rows, columns), np.bool_)
    for row in range(rows):
        for column in range(columns):
            west = column > 0 and bool(cells[row, column - 1])
            north = row > 0 and bool(cells[row - 1, column])
            choice = choices[3 * int(below[row, column]) + west + north]
            mark = wanted is not None and bool(wanted.cells[row, column])
            cells[row, column] = choice.code(coder, int(mark))
    return cells


def _per_cell(planes: NDArray[Any], layer: int) -> NDArray[Any]:
    """Sum over each 64x64 cell: [H, W] to [rows, columns]."""
    side = 1 << layer
    height, width = planes.shape
    blocks = planes.reshape(height // side, side, width // side, side)
    return np.asarray(blocks.sum((1, 3)))


def _grow(planes: NDArray[Any], doublings: int) -> NDArray[Any]:
    return planes.repeat(1 << doublings, axis=0).repeat(1 << doublings, axis=1)
