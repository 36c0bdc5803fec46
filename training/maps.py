"""Count the map coder's chances: `python -m training.maps --data DIR`. Takes a minute.

Counts, on DeepLabv3's masks of the training pictures resized to three grids, how often a cell is
covered in each context, and writes the table as source code: the chances are part of the format.
Prints what a map takes on held-out pictures, and what it would take as run lengths.
"""

from __future__ import annotations

import argparse
import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from training.splits import is_development

_OUT = Path(__file__).parents[1] / "shared/misc_shared/maps/chances.py"
_GRIDS = (8, 16, 32)
_CONTEXTS = 128
_MOST_MAPS = 3
_COVERED = 0.5
_PRIOR = 0.4

Picture: TypeAlias = list[NDArray[np.bool_]]
Run: TypeAlias = tuple[tuple[bool, int, int], int]
"""What a run's length is predicted from (colour, distance to the turn above, room), and it."""


def main() -> None:
    """Count, print the comparison and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with voc-masks.npz")
    data = np.load(parser.parse_args().data / "voc-masks.npz")
    names: list[str] = data["names"].tolist()
    held_out = [_is_held_out(name) for name in names]
    tables = {}
    for grid in _GRIDS:
        pictures = [_maps(mask, grid) for mask in data["masks"]]
        train = [maps for maps, out in zip(pictures, held_out, strict=True) if maps and not out]
        test = [maps for maps, out in zip(pictures, held_out, strict=True) if maps and out]
        tables[grid] = _chances(_count_cells(train))
        count = sum(map(len, test))
        cells = _cell_bits(_count_cells(test), tables[grid]) / count
        runs = _run_bits(train, test) / count
        print(f"{grid}x{grid}: {count} maps, {cells:.1f} bits as cells, {runs:.1f} as runs")
    _OUT.write_text(_source(tables))


def _is_held_out(name: str) -> bool:
    """Hold out the development pictures and a tenth of the photographs."""
    other = not name.startswith("flickr8k/")
    return is_development(name) or (other and hashlib.sha256(name.encode()).digest()[0] < 26)


def _maps(mask: NDArray[np.uint8], grid: int) -> Picture:
    """Return the maps of the largest classes in a 32x32 mask, the largest first."""
    classes = np.unique(mask[mask > 0])
    largest = sorted(classes, key=lambda one: -int(np.count_nonzero(mask == one)))[:_MOST_MAPS]
    step = mask.shape[0] // grid
    shape = (grid, step, grid, step)
    maps = [(mask == one).reshape(shape).mean((1, 3)) >= _COVERED for one in largest]
    return [one for one in maps if one.any()]


def _count_cells(pictures: list[Picture]) -> NDArray[np.int64]:
    """Return how often each context had an uncovered and a covered cell: [128, 2]."""
    counts = np.zeros((_CONTEXTS, 2), np.int64)
    for maps in pictures:
        taken = np.zeros_like(maps[0])
        for one in maps:
            np.add.at(counts, (_contexts(one, taken), one.astype(np.int64)), 1)
            taken = taken | one
    return counts


def _contexts(one: NDArray[np.bool_], taken: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return each cell's context, its bits in the order of `misc_shared.maps.coder`."""
    rows, columns = one.shape
    padded = np.pad(one, 2)
    near = [
        padded[2 - up :, 2 - left :][:rows, :columns]
        for up, left in ((1, 0), (1, 1), (1, -1), (2, 0), (0, 1), (0, 2))
    ]
    near.insert(4, taken)
    return np.sum([bit.astype(np.int64) << place for place, bit in enumerate(near)], axis=0)


def _chances(counts: NDArray[np.int64]) -> list[int]:
    """Return the chance of an uncovered cell in each context, out of 65536."""
    shares = (counts[:, 0] + _PRIOR) / (counts.sum(axis=1) + 2 * _PRIOR)
    return np.clip(np.rint(shares * 65536), 64, 65536 - 64).astype(int).tolist()


def _cell_bits(counts: NDArray[np.int64], chances: list[int]) -> float:
    share = np.array(chances) / 65536
    return float(-(counts[:, 0] * np.log2(share) + counts[:, 1] * np.log2(1 - share)).sum())


def _runs(one: NDArray[np.bool_]) -> Iterator[Run]:
    """Yield the runs of a map, row by row, as fax machines see them."""
    above = [False] * one.shape[1]
    for row in one.tolist():
        start, colour = 0, above[0]
        while start < len(row):
            turn = _run_length(above, start, colour)
            length = _run_length(row, start, colour)
            yield (colour, turn, len(row) - start), length
            start, colour = start + length, not colour
        above = row


def _run_length(row: list[bool], start: int, colour: bool) -> int:
    end = start
    while end < len(row) and row[end] == colour:
        end += 1
    return end - start


def _run_bits(train: list[Picture], test: list[Picture]) -> float:
    """Return the bits of all test maps as run lengths with trained chances."""
    fine: dict[tuple[bool, int, int], Counter[int]] = defaultdict(Counter)
    coarse: dict[tuple[bool, int], Counter[int]] = defaultdict(Counter)
    for context, length in (run for maps in train for one in maps for run in _runs(one)):
        fine[context][length] += 1
        coarse[context[0], context[2]][length] += 1
    bits = 0.0
    for context, length in (run for maps in test for one in maps for run in _runs(one)):
        wide, narrow = coarse[context[0], context[2]], fine[context]
        guess = (wide[length] + 0.05) / (wide.total() + 0.05 * (context[2] + 1))
        bits -= math.log2((narrow[length] + 2 * guess) / (narrow.total() + 2))
    return bits


def _source(tables: dict[int, list[int]]) -> str:
    lines = [
        '"""Chances of an uncovered cell of 65536, by context; `training/maps.py` wrote this."""',
        "",
        "from typing import Final",
        "",
        f"__all__ = {[f'CHANCES_{grid}' for grid in tables]}".replace("'", '"'),
        "",
        "# fmt: off",
    ]
    for grid, chances in tables.items():
        lines.append(f"CHANCES_{grid}: Final = (")
        rows = (chances[start : start + 12] for start in range(0, len(chances), 12))
        lines.extend("    " + " ".join(f"{chance}," for chance in row) for row in rows)
        lines.append(")")
    return "\n".join([*lines, "# fmt: on", ""])


if __name__ == "__main__":
    main()
