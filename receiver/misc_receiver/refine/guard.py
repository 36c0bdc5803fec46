"""What was received stays true: made small, refined and coarse picture are the same.

Small means the mean colour of each cell of about 16x16 pixels, which the codec did send. A refined
picture is first moved so that its cells agree (back-projection, as in super-resolution), then
checked. Two faults make a picture unfit to show: it had strayed far before it was moved, so that
the refiner is not to be trusted with it, or it still disagrees afterwards.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["CELL", "MAX_DISAGREEMENT", "MAX_DRIFT", "Verdict", "guard"]

CELL = 16
"""Least edge of a cell in pixels; cells grow a little so that they fill a side evenly."""

MAX_DISAGREEMENT = 1.0
"""Root mean square difference of cells that is allowed at the end, in levels of 255."""

MAX_DRIFT = 8.0
"""The same before back-projection: how far a refiner may have strayed."""

_ROUNDS = 4

_Array = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class Verdict:
    """A refined picture after the guard.

    Attributes:
        pixels: uint8 [H, W, 3], moved to agree with the coarse picture.
        drift: root mean square difference of the cells as the refiner left them, in levels;
            infinite if some pixel was not a number.
        disagreement: the same of `pixels`.
    """

    pixels: NDArray[np.uint8]
    drift: float
    disagreement: float

    @property
    def passed(self) -> bool:
        """Whether the picture may be shown."""
        return self.drift <= MAX_DRIFT and self.disagreement <= MAX_DISAGREEMENT


def guard(refined: _Array, coarse: NDArray[np.uint8], *, fidelity: float = 0.0) -> Verdict:
    """Hold a refined picture to what was received.

    Args:
        refined: float32 [H, W, 3], about 0..255.
        coarse: uint8 [H, W, 3], as decoded.
        fidelity: 0 keeps all that was added, 1 nothing, between them a blend.

    Returns:
        The picture to show and how well it agrees.
    """
    truth = coarse.astype(np.float32)
    wanted = cell_means(truth)
    finite = np.isfinite(refined)
    moved = np.where(finite, refined, 0)
    drift = _rms(cell_means(moved) - wanted) if finite.all() else math.inf
    moved = np.clip(moved, 0, 255)
    for _ in range(_ROUNDS):
        moved = np.clip(moved + spread(wanted - cell_means(moved), coarse.shape[:2]), 0, 255)
    blend = np.rint(truth + (1 - fidelity) * (moved - truth))
    return Verdict(blend.astype(np.uint8), drift, _rms(cell_means(blend) - wanted))


def cell_means(picture: _Array) -> _Array:
    """Average each cell.

    Args:
        picture: float32 [H, W, 3].

    Returns:
        float32 [rows, columns, 3].
    """
    down, across = _averaging(picture.shape[0]), _averaging(picture.shape[1])
    planes: _Array = down @ picture.transpose(2, 0, 1) @ across.T
    return planes.transpose(1, 2, 0)


def spread(cells: _Array, size: tuple[int, int]) -> _Array:
    """Interpolate cells linearly to pixels.

    Args:
        cells: float32 [rows, columns, 3].
        size: height and width in pixels.

    Returns:
        float32 [H, W, 3].
    """
    down, across = _interpolating(size[0]), _interpolating(size[1])
    planes: _Array = down @ cells.transpose(2, 0, 1) @ across.T
    return planes.transpose(1, 2, 0)


@functools.lru_cache(maxsize=16)
def _averaging(length: int) -> _Array:
    """Give [cells, length]: each row averages the pixels of one cell."""
    count = max(1, length // CELL)
    cell = np.arange(length) * count // length
    members = (cell == np.arange(count)[:, None]).astype(np.float32)
    weights: _Array = members / members.sum(1, keepdims=True)
    return weights


@functools.lru_cache(maxsize=16)
def _interpolating(length: int) -> _Array:
    """Give [length, cells]: each row mixes the two cells nearest to one pixel."""
    centres = _averaging(length) @ np.arange(length, dtype=np.float32)
    peaks = np.eye(len(centres), dtype=np.float32)
    mixed: list[_Array] = [np.interp(np.arange(length), centres, peak) for peak in peaks]
    return np.stack(mixed, axis=1).astype(np.float32)


def _rms(differences: _Array) -> float:
    return float(np.sqrt(np.square(differences, dtype=np.float64).mean()))
