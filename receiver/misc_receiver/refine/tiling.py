"""Large planes in overlapping windows that blend into one without seams."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Tile", "tiles"]


@dataclass(frozen=True, eq=False)
class Tile:
    """One window and how much it counts.

    Attributes:
        rows: the rows it covers.
        columns: the columns it covers.
        weight: float32 [rows, columns]; over all tiles the weights of a cell sum to 1.
    """

    rows: slice
    columns: slice
    weight: NDArray[np.float32]


def tiles(height: int, width: int, *, side: int, overlap: int, multiple: int) -> Iterator[Tile]:
    """Cover a plane.

    Args:
        height: rows of the plane, a multiple of `multiple`.
        width: columns, likewise.
        side: largest edge of a tile, a multiple of `multiple`.
        overlap: cells that neighbours share at least; smaller than `side`.
        multiple: what tile edges are multiples of.

    Yields:
        Tiles in reading order; a single one where the plane is small enough.
    """
    across = list(_spans(width, side=side, overlap=overlap, multiple=multiple))
    for rows, down_weight in _spans(height, side=side, overlap=overlap, multiple=multiple):
        for columns, across_weight in across:
            yield Tile(rows, columns, np.outer(down_weight, across_weight))


def _spans(
    length: int, *, side: int, overlap: int, multiple: int
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Cut one axis; inside an overlap the weight goes linearly from one span to the next."""
    count = 1 if length <= side else -(-(length - overlap) // (side - overlap))
    last = max(0, length - side) // multiple
    starts = [round(number * last / max(1, count - 1)) * multiple for number in range(count)]
    spans = [slice(start, min(length, start + side)) for start in starts]
    raw = [_ramps(span, length, overlap) for span in spans]
    total = np.zeros(length, dtype=np.float32)
    for span, weight in zip(spans, raw, strict=True):
        total[span] += weight
    for span, weight in zip(spans, raw, strict=True):
        yield span, weight / total[span]


def _ramps(span: slice, length: int, overlap: int) -> NDArray[np.float32]:
    """Rise over `overlap` cells and fall likewise, but not at the plane's own edges."""
    rise = ((np.arange(span.stop - span.start) + 0.5) / overlap).astype(np.float32)
    weight = np.ones_like(rise)
    if span.start > 0:
        weight = np.minimum(weight, rise)
    if span.stop < length:
        weight = np.minimum(weight, rise[::-1])
    return weight
