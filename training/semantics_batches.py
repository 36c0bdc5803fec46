"""Cuts the same random window out of a photograph, its teacher features and its grids.

Half of the windows are two photographs side by side (CutMix, Yun et al. 2019), cut where the
coarsest features have a border: there are few photographs, and each is seen a dozen times.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.semantics_cache import TEACHER_SHAPES, Cache
from training.semantics_network import INPUT_SIDE
from training.semantics_targets import Targets

__all__ = ["Batch", "Batches"]

_SMALLEST_WINDOW = 0.7
_MIXED = 0.5  # share of batches
_CELL = 32  # pixels of a cell of the coarsest features
_BRIGHTER, _STRONGER, _GREYER = 0.25, 0.25, 0.4


@dataclass(frozen=True)
class Batch:
    """One training batch of B photographs.

    Attributes:
        pictures: float [B, 3, S, S] in 0..1.
        teacher: the teacher's standardised features: near [B, 32, S/8, S/8], mid
            [B, 96, S/16, S/16], deep [B, 320, S/32, S/32] and whole [B, 1280].
        present, known: float [B, W].
        grids: float [B, P, S/8, S/8] in 0..1.
        placed_known: float [B, P].
    """

    pictures: Tensor
    teacher: dict[str, Tensor]
    present: Tensor
    known: Tensor
    grids: Tensor
    placed_known: Tensor


class Batches:
    """Makes batches from the cache.

    Args:
        cache: pictures and teacher features.
        targets: what to say about them.
        seed: of the order and the windows.
    """

    def __init__(self, cache: Cache, targets: Targets, *, seed: int) -> None:
        self.cache = cache
        self.targets = targets
        self.random = np.random.default_rng(seed)
        self.mean, self.deviation = {}, {}
        for name in TEACHER_SHAPES:
            sample = cache.teacher[name][targets.train[::16]]
            rows = torch.from_numpy(sample).flatten(0, -2).float()
            self.mean[name] = rows.mean(0)
            self.deviation[name] = rows.std(0) + 1e-3
        order = np.argsort(targets.grid_image, kind="stable")
        bounds = np.searchsorted(targets.grid_image[order], np.arange(len(cache.names) + 1))
        self.grids_of = [order[one:two] for one, two in pairwise(bounds)]

    def epoch(self, size: int) -> list[NDArray[np.int64]]:
        """Split the shuffled training photographs into whole batches."""
        order = self.random.permutation(self.targets.train)
        return [order[start : start + size] for start in range(0, len(order) - size + 1, size)]

    def pictures(self, places: NDArray[np.int64]) -> Tensor:
        """Return whole photographs, float [B, 3, 160, 160] in 0..1."""
        return _cut(self._stored(places), self._windows(len(places), varied=False), INPUT_SIDE)

    def make(self, places: NDArray[np.int64], *, side: int = INPUT_SIDE) -> Batch:
        """Make one batch of random windows, side x side, mirrored and mixed at random."""
        batch = self._windowed(places, side)
        if self.random.random() < _MIXED:
            batch = self._mixed(batch)
        pictures = self._recoloured(batch.pictures).contiguous(memory_format=torch.channels_last)
        return dataclasses.replace(batch, pictures=pictures)

    def _windowed(self, places: NDArray[np.int64], side: int) -> Batch:
        windows = self._windows(len(places), varied=True)
        order = np.sort(places)
        targets = self.targets
        return Batch(
            _cut(self._stored(order), windows, side),
            {
                "near": _cut(self._teacher("near", order), windows, side // 8),
                "mid": _cut(self._teacher("mid", order), windows, side // 16),
                "deep": _cut(self._teacher("deep", order), windows, side // 32),
                "whole": self._teacher("whole", order),
            },
            torch.from_numpy(targets.present[order].astype(np.float32)),
            torch.from_numpy(targets.known[order].astype(np.float32)),
            self._grids(order, windows, side // 8),
            torch.from_numpy(targets.placed_known[order].astype(np.float32)),
        )

    def _mixed(self, batch: Batch) -> Batch:
        """Replace one side of each photograph by that of another one."""
        cells = batch.pictures.shape[2] // _CELL
        taken = int(self.random.integers(1, cells))
        share = taken / cells
        axis = int(self.random.integers(2, 4))
        known = (1 - share) * batch.known + share * batch.known.roll(1, 0)
        present = (1 - share) * batch.known * batch.present
        present += share * (batch.known * batch.present).roll(1, 0)

        def join(values: Tensor) -> Tensor:
            if values.ndim == 2:  # means over the photograph
                return (1 - share) * values + share * values.roll(1, 0)
            border = values.shape[axis] * taken // cells
            other = values.roll(1, 0).narrow(axis, 0, border)
            rest = values.narrow(axis, border, values.shape[axis] - border)
            return torch.cat([other, rest], axis)

        return Batch(
            join(batch.pictures),
            {name: join(values) for name, values in batch.teacher.items()},
            present / known.clamp(min=1e-6),
            known,
            join(batch.grids),
            batch.placed_known * batch.placed_known.roll(1, 0),
        )

    def _recoloured(self, pictures: Tensor) -> Tensor:
        """Vary brightness, contrast and saturation, as light and cameras do."""

        def factor(reach: float) -> Tensor:
            drawn = self.random.uniform(1 - reach, 1 + reach, (len(pictures), 1, 1, 1))
            return torch.from_numpy(drawn).float()

        grey = pictures.mean(1, keepdim=True)
        coloured = grey + (pictures - grey) * factor(_GREYER)
        middle = coloured.mean((1, 2, 3), keepdim=True)
        varied = middle + (coloured - middle) * factor(_STRONGER)
        return (varied * factor(_BRIGHTER)).clamp(0, 1)

    def _stored(self, order: NDArray[np.int64]) -> Tensor:
        pictures = torch.from_numpy(self.cache.pictures[order])
        # Channels stay last in memory, as convolutions like them.
        return pictures.permute(0, 3, 1, 2).float() / 255

    def _teacher(self, name: str, order: NDArray[np.int64]) -> Tensor:
        stored = torch.from_numpy(self.cache.teacher[name][order]).float()
        standard = (stored - self.mean[name]) / self.deviation[name]
        return standard if standard.ndim == 2 else standard.permute(0, 3, 1, 2)

    def _windows(self, count: int, *, varied: bool) -> Tensor:
        """Draw affine maps [B, 2, 3] from the window to the picture, in -1..1."""
        windows = torch.zeros(count, 2, 3)
        windows[:, 0, 0] = windows[:, 1, 1] = 1
        if varied:
            scale = self.random.uniform(_SMALLEST_WINDOW, 1, (count, 2))
            mirror = np.where(self.random.random(count) < 0.5, -1.0, 1.0)
            shift = self.random.uniform(-1, 1, (count, 2)) * (1 - scale)
            windows[:, 0, 0] = torch.from_numpy(scale[:, 0] * mirror)
            windows[:, 1, 1] = torch.from_numpy(scale[:, 1])
            windows[:, :, 2] = torch.from_numpy(shift)
        return windows

    def _grids(self, order: NDArray[np.int64], windows: Tensor, side: int) -> Tensor:
        result = torch.zeros(len(order), len(self.targets.placed), side, side)
        chosen = [self.grids_of[place] for place in order]
        rows = np.repeat(np.arange(len(order)), [len(one) for one in chosen])
        grids = np.concatenate(chosen)
        if len(rows):
            cells = torch.from_numpy(self.targets.grids[grids])[:, None].float() / 255
            small = _cut(cells, windows[rows], side)
            result[rows, self.targets.grid_noun[grids]] = small[:, 0]
        return result


def _cut(values: Tensor, windows: Tensor, side: int) -> Tensor:
    """Sample windows of values [B, C, h, w] on a side x side raster."""
    shape = [len(values), values.shape[1], side, side]
    raster = functional.affine_grid(windows, shape, align_corners=False)
    cut = functional.grid_sample(values, raster, padding_mode="border", align_corners=False)
    return cut.contiguous(memory_format=torch.channels_last)
