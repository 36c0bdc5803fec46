"""The outline of an item's map as an SVG path."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

__all__ = ["outline"]

_Corner = tuple[int, int]


def outline(cells: NDArray[np.bool_]) -> str:
    """Draw round the cells of a map, with rounded corners.

    A map is coarse, so its corners say nothing: the path runs through the middles of the cells'
    sides and bends at their corners, holes included.

    Args:
        cells: bool [rows, columns].

    Returns:
        The `d` of an SVG path in a viewBox of "0 0 columns rows"; empty for an empty map.
    """
    return "".join(_rounded(ring) for ring in _rings(cells))


def _rings(cells: NDArray[np.bool_]) -> Iterator[list[_Corner]]:
    """Closed chains of corners (x, y), one unit apart, with the item on their right."""
    follows: dict[_Corner, list[_Corner]] = {}
    for start, end in _sides(cells):
        follows.setdefault(start, []).append(end)
    while follows:
        start = next(iter(follows))
        ring, before, corner = [], start, start
        while corner in follows:
            ring.append(corner)
            before, corner = corner, _turn(follows, before, corner)
        yield ring


def _turn(follows: dict[_Corner, list[_Corner]], before: _Corner, corner: _Corner) -> _Corner:
    """Take the next corner; where two cells touch at one, the turn that keeps them apart."""
    ahead = follows[corner]
    if len(ahead) > 1:
        come = corner[0] - before[0], corner[1] - before[1]
        right = corner[0] - come[1], corner[1] + come[0]
        ahead.sort(key=lambda end: end == right)
    after = ahead.pop()
    if not ahead:
        del follows[corner]
    return after


def _sides(cells: NDArray[np.bool_]) -> Iterator[tuple[_Corner, _Corner]]:
    """Sides between a cell in the map and one that is not, clockwise round the map's cells."""
    padded = np.pad(cells, 1)
    for row, column in np.argwhere(padded[1:-1, 1:-1]).tolist():
        if not padded[row, column + 1]:
            yield (column, row), (column + 1, row)
        if not padded[row + 1, column + 2]:
            yield (column + 1, row), (column + 1, row + 1)
        if not padded[row + 2, column + 1]:
            yield (column + 1, row + 1), (column, row + 1)
        if not padded[row + 1, column]:
            yield (column, row + 1), (column, row)


def _rounded(ring: list[_Corner]) -> str:
    """A quadratic curve at each bend, between the middles of the sides that meet there."""
    path: list[str] = []
    for before, corner, after in zip([ring[-1], *ring], ring, [*ring[1:], ring[0]], strict=False):
        straight = before[0] == after[0] or before[1] == after[1]
        if not straight:
            path.append(
                f"{'L' if path else 'M'}{_middle(before, corner)}"
                f"Q{corner[0]} {corner[1]} {_middle(corner, after)}"
            )
    return "".join(path) + "Z"


def _middle(one: _Corner, other: _Corner) -> str:
    return f"{(one[0] + other[0]) / 2:g} {(one[1] + other[1]) / 2:g}"
