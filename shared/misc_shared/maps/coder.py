"""The maps layer: where each item is, a few bits a map.

All maps of a picture share one grid. Each is coded cell by cell in reading order. How likely a cell
is covered depends on eight neighbours already known and on whether an earlier map covers the cell,
since items rarely overlap; and on the cell's place, since the sky is above and grass below:

          N2               (N2: two above, W2: two to the left, NWW and NEE a knight's move)
  NWW NW  N  NE  NEE
    W2 W  ?                outside the grid nothing is covered

Each of the two speaks in log odds and they are added, as in logistic regression. One table of both
together would be ten times as large and had too few maps to be counted from.

Why cells and not run lengths: both were measured on held-out maps (`training/maps.py`, which prints
both). Runs conditioned on the row above, their lengths entropy-coded, take 27 bits for an 8x8 map
that the nano semantics drew and 62 for a 16x16 one; cells take 25 and 53.
A run is a row of equal cells either way: this is its length coded in unary, each step with the
neighbours' context.

The chances are constants of the format, so the coder needs no pack and adapts to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from misc_shared.coding.symbols import SymbolCoder, SymbolReader, SymbolWriter
from misc_shared.errors import BitstreamError, ConfigError, LimitError
from misc_shared.maps.chances import (
    NEAR_8,
    NEAR_16,
    NEAR_32,
    PLACE_8,
    PLACE_16,
    PLACE_32,
    UNCOVERED,
)
from misc_shared.semantics import MAX_ITEMS

__all__ = ["MAX_SIDE", "MIN_SIDE", "decode_maps", "encode_maps", "maps_need_base"]

_Maps = Sequence[NDArray[np.bool_]]
_AXES: Final = 2
MIN_SIDE: Final = 4
MAX_SIDE: Final = 32

# Cumulative frequencies out of 65536, by the count of maps, the grid and the filling.
_COUNTS: Final = (0, 8192, 20480, 32768, 57344, 59392, 61440, 63488, 64512, 65280, 65536)
_AS_BASE: Final = 9  # instead of a count: as many as the base has, some of them the same
_EVEN: Final = (0, 32768, 65536)
_COMMON_GRIDS: Final = (8, 16, 32)
_GRIDS: Final = (0, 32768, 53248, 57344, 65536)  # the common ones, then any other
_SIDES: Final = tuple(
    65536 * place // (MAX_SIDE - MIN_SIDE + 1) for place in range(MAX_SIDE - MIN_SIDE + 2)
)
_FILLINGS: Final = (0, 16384, 24576, 65536)  # empty, full, some of both
_EMPTY, _FULL, _MIXED = range(3)
_MOST: Final = len(UNCOVERED) // 2  # log odds either way
_QUARTERS: Final = 4
_LATER: Final = 12  # added to a place for all maps but the first


class _Odds(NamedTuple):
    """Log odds of a covered cell by its neighbours and by its place."""

    near: Sequence[int]
    place: Sequence[int]


def encode_maps(maps: _Maps, base: _Maps = ()) -> bytes:
    """Code the maps of a picture.

    Args:
        maps: at most `MAX_ITEMS` arrays, bool [rows, columns], all of one shape with sides from
            `MIN_SIDE` to `MAX_SIDE`; True in the cells that the item covers.
        base: maps of another picture that the receiver has; those that are the same are left out.

    Returns:
        The layer's bytes, empty for no maps.

    Raises:
        ConfigError: the maps are not as above.
    """
    _check(maps)
    writer = SymbolWriter()
    _code(writer, maps, max_items=MAX_ITEMS)
    whole = writer.finish()
    if not maps or len(maps) != len(base) or maps[0].shape != base[0].shape:
        return whole
    writer = SymbolWriter()
    writer.code(_COUNTS, _AS_BASE)
    _code_rest(writer, base, maps)
    return min(whole, writer.finish(), key=len)


def decode_maps(
    data: bytes, *, max_items: int = MAX_ITEMS, base: _Maps = ()
) -> list[NDArray[np.bool_]]:
    """Decode a maps layer.

    Args:
        data: what `encode_maps` returned.
        max_items: the most maps to accept.
        base: the maps of the base; needed if `maps_need_base` says so.

    Returns:
        Arrays, bool [rows, columns], all of one shape.

    Raises:
        BitstreamError: no coder writes these bytes, or with another base.
        LimitError: there are more maps than accepted.
    """
    reader = SymbolReader(data)
    maps = _code(reader, None, max_items=max_items, base=base)
    reader.end()
    return maps


def maps_need_base(data: bytes) -> bool:
    """Whether a maps layer leaves out maps that the base has; False for what does not decode."""
    try:
        return SymbolReader(data).code(_COUNTS, 0) == _AS_BASE
    except BitstreamError:
        return False


def _code(
    coder: SymbolCoder, wanted: _Maps | None, *, max_items: int, base: _Maps = ()
) -> list[NDArray[np.bool_]]:
    """Write the wanted maps, or read maps if None; return them."""
    count = coder.code(_COUNTS, len(wanted or ()))
    if count == _AS_BASE:
        if not base:
            raise BitstreamError("maps: found some left out, expected a base that has them")
        return _code_rest(coder, base, None)
    if count > max_items:
        raise LimitError(f"maps: found {count}, expected at most {max_items}")
    if count == 0:
        return []
    rows, columns = _code_grid(coder, *(wanted[0].shape if wanted else (MIN_SIDE, MIN_SIDE)))
    blank = np.zeros((rows, columns), np.bool_)
    maps: list[NDArray[np.bool_]] = []
    for place in range(count):
        maps.append(_code_map(coder, wanted[place] if wanted else blank, maps))
    return maps


def _code_rest(coder: SymbolCoder, base: _Maps, wanted: _Maps | None) -> list[NDArray[np.bool_]]:
    """Write or read those maps that are not the base's."""
    maps: list[NDArray[np.bool_]] = []
    for place, old in enumerate(base):
        new = old if wanted is None else wanted[place]
        other = coder.code(_EVEN, int(not np.array_equal(new, old)))
        maps.append(_code_map(coder, new, maps) if other else old)
    return maps


def _code_grid(coder: SymbolCoder, rows: int, columns: int) -> tuple[int, int]:
    """Write or read the number of rows and columns."""
    other = len(_COMMON_GRIDS)
    common = rows == columns and rows in _COMMON_GRIDS
    choice = coder.code(_GRIDS, _COMMON_GRIDS.index(rows) if common else other)
    if choice != other:
        return _COMMON_GRIDS[choice], _COMMON_GRIDS[choice]
    rows = MIN_SIDE + coder.code(_SIDES, rows - MIN_SIDE)
    columns = MIN_SIDE + coder.code(_SIDES, columns - MIN_SIDE)
    return rows, columns


def _code_map(coder: SymbolCoder, wanted: NDArray[np.bool_], earlier: _Maps) -> NDArray[np.bool_]:
    """Write or read one map; a reader's `wanted` gives the shape alone."""
    filling = _MIXED if wanted.any() != wanted.all() else _FULL if wanted.all() else _EMPTY
    filling = coder.code(_FILLINGS, filling)
    if filling != _MIXED:
        return np.full(wanted.shape, filling == _FULL)
    rows, columns = wanted.shape
    odds = _odds(wanted.shape)
    taken = np.logical_or.reduce([np.zeros_like(wanted), *earlier]).astype(int).tolist()
    edges = [0] + [4] * (columns - 2) + [8]
    upper = lower = [0] * columns
    cells: list[list[int]] = []
    for y, wanted_row in enumerate(wanted.tolist()):
        first = y * _QUARTERS // rows + _LATER * bool(earlier)
        contexts = _contexts_of_row(upper, lower, taken[y], [first + edge for edge in edges])
        upper, lower = lower, _code_row(coder, wanted_row, contexts, odds)
        cells.append(lower)
    return np.array(cells, np.bool_)


def _contexts_of_row(
    upper: list[int], lower: list[int], taken: list[int], places: list[int]
) -> list[tuple[int, int]]:
    """Return the parts of each cell's contexts that are known before its row is.

    Args:
        upper: the row two above; 0 or 1 for each column.
        lower: the row above.
        taken: 1 in the columns that an earlier map covers.
        places: the rows' quarter, the columns' edges, and whether there is an earlier map.

    Returns:
        For each column N + 2 NW + 4 NE + 8 N2 + 16 NEE + 32 NWW + 64 taken, to which a cell adds
        128 W + 256 W2; and its place + 48 N, to which it adds 24 W.
    """
    above = [0, 0, *lower, 0, 0]
    return [
        (
            above[x + 2]
            | above[x + 1] << 1
            | above[x + 3] << 2
            | upper[x] << 3
            | above[x + 4] << 4
            | above[x] << 5
            | taken[x] << 6,
            place + 48 * above[x + 2],
        )
        for x, place in enumerate(places)
    ]


def _code_row(
    coder: SymbolCoder, wanted: list[int], contexts: list[tuple[int, int]], odds: _Odds
) -> list[int]:
    near_odds, place_odds = odds
    code_choice = coder.code_choice
    row: list[int] = []
    west = 0  # W + 2 W2
    for cell, (near, place) in zip(wanted, contexts, strict=True):
        covered = near_odds[near | west << 7] + place_odds[place + 24 * (west & 1)]
        place_of_chance = (
            0 if covered < -_MOST else 2 * _MOST if covered > _MOST else covered + _MOST
        )
        bit = code_choice(UNCOVERED[place_of_chance], cell)
        row.append(bit)
        west = (west << 1 | bit) & 0b11
    return row


def _odds(shape: tuple[int, ...]) -> _Odds:
    """Return the log odds by context: the finer the grid, the smoother its maps."""
    if sum(shape) < 8 + 16:
        return _Odds(NEAR_8, PLACE_8)
    return _Odds(NEAR_16, PLACE_16) if sum(shape) < 16 + 32 else _Odds(NEAR_32, PLACE_32)


def _check(maps: Sequence[NDArray[np.bool_]]) -> None:
    if len(maps) > MAX_ITEMS:
        raise ConfigError(f"found {len(maps)} maps, expected at most {MAX_ITEMS}")
    for one in maps:
        rows, columns = one.shape[:2] if one.ndim == _AXES else (0, 0)
        if not MIN_SIDE <= min(rows, columns) <= max(rows, columns) <= MAX_SIDE:
            raise ConfigError(
                f"found a map of shape {one.shape}, expected two sides of {MIN_SIDE} to {MAX_SIDE}"
            )
        if one.dtype != np.bool_ or one.shape != maps[0].shape:
            raise ConfigError(
                f"found maps {maps[0].dtype} {maps[0].shape} and {one.dtype} {one.shape}, "
                "expected bool and all of one shape"
            )
