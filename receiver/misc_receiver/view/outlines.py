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
    """A quadratic curve at each corner, between the middles of the sides that meet there."""
    pairs = zip(ring, [*ring[1:], ring[0]], strict=True)
    middles = [((ax + bx) / 2, (ay + by) / 2) for (ax, ay), (bx, by) in pairs]
    corners = [*ring[1:], ring[0]]
    path = [f"M{_point(middles[0])}"]
    for corner, middle in zip(corners, [*middles[1:], middles[0]], strict=True):
        path.append(f"Q{_point(corner)} {_point(middle)}")
    return "".join(path) + "Z"


def _point(point: tuple[float, float]) -> str:
    return f"{point[0]:g} {point[1]:g}"
