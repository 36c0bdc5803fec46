"""Chooses how fine a picture's maps are, and whether they go along: as the budget allows."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
from numpy.typing import NDArray

from misc_sender.shares import MAP_SHARE
from misc_shared.maps import encode_maps
from misc_shared.semantics import Semantics
from misc_shared.wire import MAX_OVERHEAD

__all__ = ["GRIDS", "area_weights", "coarser", "fit_maps"]

GRIDS = (32, 16, 8)
"""Cells across and down a map, the finest first; the map coder knows these best."""

_MOSTLY = 0.5


def fit_maps(semantics: Semantics, limit: int | None, *, share: float = MAP_SHARE) -> Semantics:
    """Make all maps as fine as their share of the budget allows, and no finer than they were.

    Args:
        semantics: items whose maps may have any shapes.
        limit: bytes that the picture may take; None for any number.
        share: how much of them the maps may take with the datagram that carries them.

    Returns:
        The same with maps of one square grid, or without maps if even 8 x 8 takes more than its
        share. Nothing changes where some item has no map, since maps travel together or not at all.
    """
    maps = [item.map for item in semantics.items if item.map is not None]
    if limit is None or not maps or len(maps) < len(semantics.items):
        return semantics
    finest = min(min(one.shape) for one in maps)
    grids = ([coarser(one, side) for one in maps] for side in GRIDS if side <= finest)
    ways = itertools.chain(grids, [maps] if finest < min(GRIDS) else [])
    affordable = (way for way in ways if len(encode_maps(way)) + MAX_OVERHEAD <= share * limit)
    fitted = next(affordable, [None] * len(maps))
    items = (
        dataclasses.replace(item, map=one)
        for item, one in zip(semantics.items, fitted, strict=True)
    )
    return dataclasses.replace(semantics, items=tuple(items))


def coarser(cells: NDArray[np.bool_], side: int) -> NDArray[np.bool_]:
    """Redraw a map on a square grid: a cell is covered if most of it was.

    Args:
        cells: bool [rows, columns].
        side: cells across and down the new grid.

    Returns:
        bool [side, side]; the most covered cell is always among the covered, if there is any.
    """
    if cells.shape == (side, side):
        return cells
    rows, columns = cells.shape
    covered = area_weights(side, rows) @ cells @ area_weights(side, columns).T
    highest = covered.max()
    return np.asarray((covered >= min(_MOSTLY, highest)) & (covered > 0))


def area_weights(outputs: int, inputs: int) -> NDArray[np.float32]:
    """Return the matrix [outputs, inputs] that averages by covered length."""
    edges = np.linspace(0, inputs, outputs + 1)
    cells = np.arange(inputs)
    covered = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    weights = covered.clip(0)
    result: NDArray[np.float32] = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    return result
