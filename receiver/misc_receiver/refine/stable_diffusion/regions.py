"""Which words act where: the caption everywhere, each item's in its own map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from misc_receiver.torch_door import torch
from misc_shared.semantics import Semantics

__all__ = ["Region", "mix", "regions", "soft_masks"]

_MANNER = "photograph, natural colours, sharp focus"
_STEEPNESS = 4.0


@dataclass(frozen=True, eq=False)
class Region:
    """One prompt and where it acts.

    Attributes:
        prompt: the words.
        map: bool [rows, columns] over the whole picture, or None for all of it.
    """

    prompt: str
    map: NDArray[np.bool_] | None = None


def regions(semantics: Semantics | None) -> list[Region]:
    """Say what acts where in one picture; the whole picture comes first.

    An item whose map has not come, or is empty, adds its words to those of the whole picture.
    """
    if semantics is None:
        return [Region(_MANNER)]
    placed = [one for one in semantics.items if one.map is not None and one.map.any()]
    unplaced = [one for one in semantics.items if not any(one is other for other in placed)]
    whole = _joined(semantics.caption, *(_said(one.name, one.detail) for one in unplaced))
    own = [Region(_joined(_said(one.name, one.detail), whole, _MANNER), one.map) for one in placed]
    return [Region(_joined(whole, _MANNER)), *own]


def soft_masks(found: Sequence[Region], size: tuple[int, int]) -> torch.Tensor:
    """Paint where each region acts, soft inside its edge and nought from the edge on.

    Args:
        found: from `regions`.
        size: height and width of the picture in pixels.

    Returns:
        float32 [R, 1, H, W] in 0..1, all ones for a region without map; where items overlap,
        they share.
    """
    masks = torch.ones(len(found), 1, *size)
    for mask, region in zip(masks, found, strict=True):
        if region.map is not None:
            cells = torch.from_numpy(region.map.astype(np.float32))[None, None]
            smooth = torch.nn.functional.interpolate(cells, size=size, mode="bilinear")[0]
            # A bilinear map is one half at a cell's edge.
            mask[:] = ((smooth - 0.5) * _STEEPNESS).clamp(0, 1)
    items = [number for number, region in enumerate(found) if region.map is not None]
    masks[items] /= masks[items].sum(0, keepdim=True).clamp(min=1)
    return masks


def mix(rows: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """Lay each item's picture over the whole one's.

    Args:
        rows: [R, C, H, W] of one picture, the whole one first.
        masks: [R, 1, H, W], from `soft_masks`.

    Returns:
        [C, H, W].
    """
    whole: torch.Tensor = rows[0] + ((rows[1:] - rows[:1]) * masks[1:]).sum(0)
    return whole


def _said(name: str, detail: str) -> str:
    return _joined(name, detail)


def _joined(*parts: str) -> str:
    return ", ".join(part.strip(" ,.") for part in parts if part.strip(" ,."))
