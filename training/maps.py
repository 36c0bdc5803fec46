"""Fit the map coder's chances: `python -m training.maps --data DIR --semantics FILE`.

Takes minutes. Fits how likely a cell is covered in each context, on DeepLabv3's masks of the
training pictures and on maps that the nano semantics drew for them (`training.semantics_eval --said
FILE`), both resized to three grids. Writes the tables as source code: the chances are part of the
format. Each cell's log odds are the sum of two tables' entries, by its neighbours and by its place,
found by logistic regression. Prints what a map takes on held-out pictures, and what it would take
as run lengths.

The tables at hand saw maps of 1,600 training photographs, drawn by the network before the present
one with its thresholds lowered to about a third, so that most pictures had three.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from misc_sender.grids import coarser
from training.splits import is_development

_OUT = Path(__file__).parents[1] / "shared/misc_shared/maps/chances.py"
_GRIDS = (8, 16, 32)
_SIDE = 32
_NEAR, _PLACE = 512, 96
_MOST_MAPS = 3
_UNIT = 1 / 16  # of the tables, in nats
_MOST = 110  # of those units, either way
_STEPS = 300
_RATE = 0.1
_SHRINK = 1e-6

Picture: TypeAlias = list[NDArray[np.bool_]]
Run: TypeAlias = tuple[tuple[bool, int, int], int]
"""What a run's length is predicted from (colour, distance to the turn above, room), and it."""


@dataclass(frozen=True)
class _Tables:
    """Log odds of "covered", in sixteenths of a nat: int [512] by neighbours, [96] by place."""

    near: NDArray[np.int64]
    place: NDArray[np.int64]


def main() -> None:
    """Fit, print the comparison and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with voc-masks.npz")
    parser.add_argument("--semantics", type=Path, help="what a backend said, as JSON lines")
    options = parser.parse_args()
    torch.manual_seed(0)
    kinds = {"masks": _read_masks(options.data / "voc-masks.npz")}
    if options.semantics:
        kinds["drawn"] = _read_drawn(options.semantics)
    tables = {}
    for grid in _GRIDS:
        train = {kind: _resized(pictures[0], grid) for kind, pictures in kinds.items()}
        tables[grid] = _fit([_count_cells(pictures) for pictures in train.values()])
        for kind, (_, held_out) in kinds.items():
            test = _resized(held_out, grid)
            count = sum(map(len, test))
            cells = _cell_bits(_count_cells(test), tables[grid]) / count
            runs = _run_bits(train[kind], test) / count
            print(f"{grid}x{grid} {kind}: {count} maps, {cells:.1f} bits as cells, {runs:.1f} runs")
    _OUT.write_text(_source(tables))


def _read_masks(path: Path) -> tuple[list[Picture], list[Picture]]:
    """Return the maps of the largest classes in each mask, the largest first; some held out."""
    data = np.load(path)
    split: tuple[list[Picture], list[Picture]] = [], []
    for name, mask in zip(data["names"].tolist(), data["masks"], strict=True):
        classes = np.unique(mask[mask > 0])
        largest = sorted(classes, key=lambda one: -int(np.count_nonzero(mask == one)))
        split[_is_held_out(name)].append([mask == one for one in largest[:_MOST_MAPS]])
    return split


def _read_drawn(path: Path) -> tuple[list[Picture], list[Picture]]:
    """Return the maps that were drawn for each photograph; some held out."""
    split: tuple[list[Picture], list[Picture]] = [], []
    for line in path.read_text().splitlines():
        said = json.loads(line)
        bits = [np.frombuffer(bytes.fromhex(item["map"]), np.uint8) for item in said["items"]]
        maps = [np.unpackbits(one).reshape(_SIDE, _SIDE).astype(np.bool_) for one in bits]
        split[_is_held_out(said["image"])].append(maps)
    return split


def _is_held_out(name: str) -> bool:
    """Hold out the development pictures and a tenth of the others."""
    return is_development(name) or hashlib.sha256(name.encode()).digest()[0] < 26


def _resized(pictures: list[Picture], grid: int) -> list[Picture]:
    """Return the pictures' maps as they are sent on a coarser grid, those without any left out."""
    resized = [[coarser(one, grid) for one in maps] for maps in pictures]
    kept = [[one for one in maps if one.any()] for maps in resized]
    return [maps for maps in kept if maps]


def _count_cells(pictures: list[Picture]) -> NDArray[np.int64]:
    """Return how often each context had an uncovered and a covered cell: [512, 96, 2].

    Uniform maps are left out: they have a symbol of their own.
    """
    counts = np.zeros((_NEAR, _PLACE, 2), np.int64)
    for maps in pictures:
        taken = np.zeros_like(maps[0])
        for number, one in enumerate(maps):
            if not one.all():
                near, place = _contexts(one, taken, later=number > 0)
                np.add.at(counts, (near, place, one.astype(np.int64)), 1)
            taken = taken | one
    return counts


def _contexts(
    one: NDArray[np.bool_], taken: NDArray[np.bool_], *, later: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each cell's contexts, their bits in the order of `misc_shared.maps.coder`."""
    rows, columns = one.shape
    padded = np.pad(one, 2)

    def beside(up: int, left: int) -> NDArray[np.int64]:
        return padded[2 - up :, 2 - left :][:rows, :columns].astype(np.int64)

    offsets = ((1, 0), (1, 1), (1, -1), (2, 0), (1, -2), (1, 2))
    near = [*(beside(*offset) for offset in offsets), taken.astype(np.int64)]
    near += [beside(0, 1), beside(0, 2)]
    y, x = np.mgrid[:rows, :columns]
    edge = (x > 0).astype(np.int64) + (x == columns - 1)
    place = y * 4 // rows + 4 * edge + 12 * later + 24 * beside(0, 1) + 48 * beside(1, 0)
    return np.sum([bit << shift for shift, bit in enumerate(near)], axis=0), place


def _fit(kinds: Sequence[NDArray[np.int64]]) -> _Tables:
    """Fit both tables to counts of several kinds of maps, each kind of the same weight."""
    weights = sum(counts / counts.sum() for counts in kinds)
    seen = np.argwhere(weights.sum(2) > 0)
    near, place = torch.from_numpy(seen[:, 0]), torch.from_numpy(seen[:, 1])
    share = torch.from_numpy(weights[seen[:, 0], seen[:, 1]]) / len(kinds)
    first = torch.zeros(_NEAR, dtype=torch.float64, requires_grad=True)
    second = torch.zeros(_PLACE, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([first, second], _RATE)
    for step in range(_STEPS):
        optimizer.param_groups[0]["lr"] = _RATE * (1.01 - step / _STEPS)
        odds = first[near] + second[place]
        wrong = functional.softplus(odds) * share.sum(1) - odds * share[:, 1]
        loss: Tensor = wrong.sum() + _SHRINK * (first.square().sum() + second.square().sum())
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    rounded = [np.rint(one.detach().numpy() / _UNIT).astype(np.int64) for one in (first, second)]
    return _Tables(*rounded)


def _uncovered() -> list[int]:
    """Return the chance of an uncovered cell, out of 65536, for each sum of log odds."""
    return [round(65536 / (1 + math.exp(odds * _UNIT))) for odds in range(-_MOST, _MOST + 1)]


def _cell_bits(counts: NDArray[np.int64], tables: _Tables) -> float:
    odds = (tables.near[:, None] + tables.place).clip(-_MOST, _MOST)
    share = np.array(_uncovered())[odds + _MOST] / 65536
    return float(-(counts[..., 0] * np.log2(share) + counts[..., 1] * np.log2(1 - share)).sum())


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


def _source(tables: dict[int, _Tables]) -> str:
    named = {"UNCOVERED": _uncovered()}
    for grid, one in tables.items():
        named[f"NEAR_{grid}"] = one.near.tolist()
        named[f"PLACE_{grid}"] = one.place.tolist()
    names = sorted(named, key=lambda name: (name.split("_")[0], len(name), name))
    lines = [
        '"""Log odds of a covered cell, in 1/16 nat, and the chances of an uncovered one."""',
        "",
        "# training/maps.py wrote this.",
        "",
        "from typing import Final",
        "",
        f"__all__ = {names}".replace("'", '"'),
        "",
        "# fmt: off",
    ]
    for name, values in named.items():
        lines.append(f"{name}: Final = (")
        rows = (values[start : start + 12] for start in range(0, len(values), 12))
        lines.extend("    " + " ".join(f"{value}," for value in row) for row in rows)
        lines.append(")")
    return "\n".join([*lines, "# fmt: on", ""])


if __name__ == "__main__":
    main()
