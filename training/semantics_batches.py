"""Cuts the same random window out of a photograph, its teacher features and its grids."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.semantics_cache import Cache
from training.semantics_targets import Targets

__all__ = ["Batch", "Batches"]

_SMALLEST_WINDOW = 0.7


@dataclass(frozen=True)
class Batch:
    """One training batch of B photographs.

    Attributes:
        pictures: float [B, 3, side, side] in 0..1.
        teacher: float [B, 320, 7, 7], standardised.
        present, known: float [B, W].
        grids: float [B, P, side / 8, side / 8] in 0..1.
        placed_known: float [B, P].
    """

    pictures: Tensor
    teacher: Tensor
    present: Tensor
    known: Tensor
    grids: Tensor
    placed_known: Tensor


class Batches:
    """Makes batches from the cache.

    Args:
        cache: pictures and teacher features.
        targets: what to say about them.
        seed: of the random windows.
    """

    def __init__(self, cache: Cache, targets: Targets, *, seed: int) -> None:
        self.cache = cache
        self.targets = targets
        self.random = np.random.default_rng(seed)
        sample = cache.teacher[targets.train[::8]].astype(np.float32)
        self.mean = torch.from_numpy(sample.mean((0, 2, 3)))[None, :, None, None]
        self.deviation = torch.from_numpy(sample.std((0, 2, 3)) + 1e-3)[None, :, None, None]
        order = np.argsort(targets.grid_image, kind="stable")
        bounds = np.searchsorted(targets.grid_image[order], np.arange(len(cache.names) + 1))
        self.grids_of = [order[one:two] for one, two in pairwise(bounds)]

    def epoch(self, size: int) -> list[NDArray[np.int64]]:
        """Split the shuffled training photographs into whole batches."""
        order = self.random.permutation(self.targets.train)
        return [order[start : start + size] for start in range(0, len(order) - size + 1, size)]

    def make(self, places: NDArray[np.int64], *, side: int, varied: bool) -> Batch:
        """Make one batch.

        Args:
            places: which photographs.
            side: of the pictures, a multiple of 16.
            varied: random windows, mirroring and exposure, or the whole picture as it is.
        """
        windows = self._windows(len(places), varied=varied)
        order = np.sort(places)
        targets = self.targets
        pictures = torch.from_numpy(self.cache.pictures[order]).permute(0, 3, 1, 2).float() / 255
        pictures = _cut(pictures, windows, side).contiguous(memory_format=torch.channels_last)
        if varied:
            pictures = self._exposed(pictures)
        teacher = torch.from_numpy(self.cache.teacher[order].astype(np.float32))
        return Batch(
            pictures,
            _cut((teacher - self.mean) / self.deviation, windows, teacher.shape[-1]),
            torch.from_numpy(targets.present[order].astype(np.float32)),
            torch.from_numpy(targets.known[order].astype(np.float32)),
            self._grids(order, windows, side // 8),
            torch.from_numpy(targets.placed_known[order].astype(np.float32)),
        )

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

    def _exposed(self, pictures: Tensor) -> Tensor:
        draw = self.random.uniform
        gain = torch.from_numpy(draw(0.8, 1.2, (len(pictures), 1, 1, 1))).float()
        tint = torch.from_numpy(draw(0.95, 1.05, (len(pictures), 3, 1, 1))).float()
        return (pictures * (gain * tint)).clamp_(0, 1)

    def _grids(self, order: NDArray[np.int64], windows: Tensor, side: int) -> Tensor:
        result = torch.zeros(len(order), len(self.targets.placed), side, side)
        chosen = [self.grids_of[place] for place in order]
        rows = np.repeat(np.arange(len(order)), [len(one) for one in chosen])
        grids = np.concatenate(chosen) if len(rows) else np.zeros(0, np.int64)
        if len(rows):
            cells = torch.from_numpy(self.targets.grids[grids])[:, None].float() / 255
            result[rows, self.targets.grid_noun[grids]] = _cut(cells, windows[rows], side)[:, 0]
        return result


def _cut(values: Tensor, windows: Tensor, side: int) -> Tensor:
    """Sample windows of values [B, C, h, w] on a side x side raster."""
    shape = [len(values), values.shape[1], side, side]
    raster = functional.affine_grid(windows, shape, align_corners=False)
    return functional.grid_sample(values, raster, padding_mode="border", align_corners=False)
