"""What was received stays true: made small, refined and coarse picture are the same.

Small means the mean colour of each cell of about 16x16 pixels, which the codec did send. A refined
picture is first moved so that its cells agree (back-projection, as in super-resolution), then
checked. Two faults make a picture unfit to show: it had strayed far before it was moved, so that
the refiner is not to be trusted with it, or it still disagrees afterwards.

All of it runs where the picture is, so that a GPU does not wait for NumPy.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from misc_receiver.torch_door import torch

__all__ = [
    "CELL",
    "MAX_DISAGREEMENT",
    "MAX_DRIFT",
    "Verdict",
    "cell_means",
    "coarse_planes",
    "guard",
    "spread",
]

CELL = 16
"""Least edge of a cell in pixels; cells grow a little so that they fill a side evenly."""

MAX_DISAGREEMENT = 1.0
"""Root mean square difference of cells that is allowed at the end, in levels of 255."""

MAX_DRIFT = 8.0
"""The same before back-projection: how far a refiner may have strayed."""

_ROUNDS = 4


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


def guard(refined: torch.Tensor, coarse: torch.Tensor, *, fidelity: float = 0.0) -> list[Verdict]:
    """Hold refined pictures to what was received.

    Args:
        refined: [N, 3, H, W], about 0..255, any floating type.
        coarse: float32 [N, 3, H, W] on the same device, whole numbers, as decoded.
        fidelity: 0 keeps all that was added, 1 nothing, between them a blend.

    Returns:
        The pictures to show and how well each agrees.
    """
    with torch.inference_mode():
        refined = refined.float()
        size = (coarse.shape[-2], coarse.shape[-1])
        wanted = cell_means(coarse)
        finite = refined.isfinite()
        moved = torch.where(finite, refined, torch.zeros_like(refined))
        drifts = _rms(cell_means(moved) - wanted)
        moved = moved.clamp(0, 255)
        for _ in range(_ROUNDS):
            moved = (moved + spread(wanted - cell_means(moved), size)).clamp(0, 255)
        blend = (coarse + (1 - fidelity) * (moved - coarse)).round()
        left = _rms(cell_means(blend) - wanted)
        pictures = blend.to(torch.uint8).permute(0, 2, 3, 1).contiguous().cpu().numpy()
        whole = finite.flatten(1).all(1).tolist()
    return [
        Verdict(pixels, drift if sound else math.inf, disagreement)
        for pixels, sound, drift, disagreement in zip(
            pictures, whole, drifts.tolist(), left.tolist(), strict=True
        )
    ]


def coarse_planes(pictures: list[NDArray[np.uint8]], device: torch.device) -> torch.Tensor:
    """Stack decoded pictures for `guard`.

    Args:
        pictures: uint8 [H, W, 3] each, of one size.
        device: where the refined ones are.

    Returns:
        float32 [N, 3, H, W], 0..255.
    """
    return torch.from_numpy(np.stack(pictures)).to(device).permute(0, 3, 1, 2).float()


def cell_means(picture: torch.Tensor) -> torch.Tensor:
    """Average each cell.

    Args:
        picture: float32 [..., H, W].

    Returns:
        float32 [..., rows, columns].
    """
    down, across = (_on(picture, _averaging(side)) for side in picture.shape[-2:])
    return down @ picture @ across.T


def spread(cells: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """Interpolate cells linearly to pixels.

    Args:
        cells: float32 [..., rows, columns].
        size: height and width in pixels.

    Returns:
        float32 [..., H, W].
    """
    down, across = (_on(cells, _interpolating(side)) for side in size)
    return down @ cells @ across.T


def _on(like: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    return matrix.to(like.device)


@functools.lru_cache(maxsize=16)
def _averaging(length: int) -> torch.Tensor:
    """Give [cells, length]: each row averages the pixels of one cell."""
    count = max(1, length // CELL)
    cell = np.arange(length) * count // length
    members = (cell == np.arange(count)[:, None]).astype(np.float32)
    return torch.from_numpy(members / members.sum(1, keepdims=True))


@functools.lru_cache(maxsize=16)
def _interpolating(length: int) -> torch.Tensor:
    """Give [length, cells]: each row mixes the two cells nearest to one pixel."""
    centres = _averaging(length).numpy() @ np.arange(length, dtype=np.float32)
    peaks = np.eye(len(centres), dtype=np.float32)
    mixed = [np.interp(np.arange(length), centres, peak) for peak in peaks]
    return torch.from_numpy(np.stack(mixed, axis=1).astype(np.float32))


def _rms(differences: torch.Tensor) -> torch.Tensor:
    """Root mean square of each picture [N, ...]."""
    return differences.double().square().flatten(1).mean(1).sqrt()
