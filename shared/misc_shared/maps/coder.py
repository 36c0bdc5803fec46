"""The maps layer: where each item is, a few bits a map.

All maps of a picture share one grid. Each is coded cell by cell in reading order; a cell's chance
of being covered depends on six neighbours already known and on whether an earlier map covers the
cell, since items rarely overlap:

          N2               (N2: two above, W2: two to the left)
      NW  N  NE
    W2 W  ?                outside the grid nothing is covered

Why cells and not run lengths: both were measured on held-out DeepLabv3 masks (`training/maps.py`,
which prints both). Runs conditioned on the row above, their lengths entropy-coded, take 24.9 bits
for an 8x8 map and 55.8 for a 16x16 one; cells take 23.0 and 52.2 with a smaller table and less
code. A run is a row of equal cells either way: this is its length coded in unary, each step
with the neighbours' context.

The chances are constants of the format, so the coder needs no pack and adapts to nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from misc_shared.coding.symbols import SymbolCoder, SymbolReader, SymbolWriter
from misc_shared.errors import BitstreamError, ConfigError, LimitError
from misc_shared.maps.chances import CHANCES_8, CHANCES_16, CHANCES_32
from misc_shared.semantics import MAX_ITEMS

__all__ = ["MAX_SIDE", "MIN_SIDE", "cell_contexts", "decode_maps", "encode_maps", "maps_need_base"]

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


def cell_contexts(above: Sequence[Sequence[int]], taken: Sequence[int]) -> list[int]:
    """Return the part of each cell's context in a row that is known before the row is.

    Args:
        above: the two rows above, the upper one first; 0 or 1 for each column.
        taken: 1 in the columns that an earlier map covers.

    Returns:
        For each column N + 2 NW + 4 NE + 8 N2 + 16 taken; a cell adds 32 W + 64 W2.
    """
    upper, lower = above
    padded = [0, *lower, 0]
    return [
        padded[x + 1] | padded[x] << 1 | padded[x + 2] << 2 | upper[x] << 3 | taken[x] << 4
        for x in range(len(lower))
    ]


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
    taken = blank
    maps: list[NDArray[np.bool_]] = []
    for place in range(count):
        maps.append(_code_map(coder, wanted[place] if wanted else blank, taken))
        taken = taken | maps[-1]
    return maps


def _code_rest(coder: SymbolCoder, base: _Maps, wanted: _Maps | None) -> list[NDArray[np.bool_]]:
    """Write or read those maps that are not the base's."""
    taken = np.zeros_like(base[0])
    maps: list[NDArray[np.bool_]] = []
    for place, old in enumerate(base):
        new = old if wanted is None else wanted[place]
        other = coder.code(_EVEN, int(not np.array_equal(new, old)))
        maps.append(_code_map(coder, new, taken) if other else old)
        taken = taken | maps[-1]
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


def _code_map(
    coder: SymbolCoder, wanted: NDArray[np.bool_], taken: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Write or read one map; a reader's `wanted` gives the shape alone."""
    filling = _MIXED if wanted.any() != wanted.all() else _FULL if wanted.all() else _EMPTY
    filling = coder.code(_FILLINGS, filling)
    if filling != _MIXED:
        return np.full(wanted.shape, filling == _FULL)
    chances = _chances(wanted.shape)
    upper = lower = [0] * wanted.shape[1]
    cells: list[list[int]] = []
    for wanted_row, taken_row in zip(wanted.tolist(), taken.astype(int).tolist(), strict=True):
        contexts = cell_contexts((upper, lower), taken_row)
        upper, lower = lower, _code_row(coder, wanted_row, contexts, chances)
        cells.append(lower)
    return np.array(cells, np.bool_)


def _code_row(
    coder: SymbolCoder, wanted: list[int], contexts: list[int], chances: Sequence[int]
) -> list[int]:
    row: list[int] = []
    west = 0  # W + 2 W2
    for cell, context in zip(wanted, contexts, strict=True):
        bit = coder.code((0, chances[context | west << 5], 65536), int(cell))
        row.append(bit)
        west = (west << 1 | bit) & 0b11
    return row


def _chances(shape: tuple[int, ...]) -> Sequence[int]:
    """Return the chance of an uncovered cell by context: the finer the grid, the smoother."""
    if sum(shape) < 8 + 16:
        return CHANCES_8
    return CHANCES_16 if sum(shape) < 16 + 32 else CHANCES_32


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
