"""Draws a noun's map from its patch scores."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from misc_sender.grids import area_weights
from misc_sender.semantics.vocabulary import Noun

__all__ = ["MAP_SIDE", "draw_map"]

MAP_SIDE = 32
"""Cells across and down the maps that are drawn; what the budget has no room for is merged."""

# A mean field over all pairs of cells (dense CRF: Krähenbühl and Koltun 2011).
_COLOUR_REACH = 0.06
_PLACE_REACH = 0.4
_WEIGHT = 2.0
_ROUNDS = 5
_MOSTLY = 0.5
_SMOOTH = 5  # cells
_EDGE = 0.3  # standard deviations above the median at which scores speak neither for nor against


def draw_map(
    noun: Noun, patches: NDArray[np.float32], colours: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Draw where a noun is.

    Args:
        noun: how sure a cell must be, and whether it is stuff, whose map follows colours.
        patches: its score at each patch, float32 [rows, columns].
        colours: float32 [32, 32, 3], RGB in 0..1, the picture's mean colours.

    Returns:
        bool [32, 32], at least one cell of them True.
    """
    rows, columns = (area_weights(MAP_SIDE, count) for count in patches.shape)
    scores = (rows @ patches @ columns.T).astype(np.float32)
    if noun.stuff:
        covered = _smooth(_follow_colours(scores, colours))
        if covered.any():
            return covered
    if noun.placed:
        sure = _sigmoid(scores)
        covered = sure >= noun.inside * sure.max()
    else:
        low, high = np.percentile(scores, [5, 98])
        covered = scores >= low + noun.inside * (high - low)
    smooth = _smooth(covered)
    return smooth if smooth.any() else np.asarray(covered)


def _follow_colours(scores: NDArray[np.float32], colours: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Let cells of like colours, near each other, agree on where stuff is."""
    likeness = _likeness(colours)
    raised = (scores - np.median(scores)) / (scores.std() + 1e-6) - _EDGE
    evidence = raised.ravel().astype(np.float32)
    share = _sigmoid(evidence)
    for _ in range(_ROUNDS):
        share = _sigmoid(evidence + _WEIGHT * (likeness @ (2 * share - 1)))
    return np.asarray(share >= _MOSTLY).reshape(scores.shape)


def _smooth(covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cover what is mostly covered around: ragged edges and islands cost bytes and tell little."""
    padded = np.pad(covered.astype(np.float32), _SMOOTH // 2, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (_SMOOTH, _SMOOTH))
    return np.asarray(around.mean((2, 3)) >= _MOSTLY)


def _likeness(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much each cell counts for each other one, float32 [1024, 1024], rows sum to 1."""
    red, green, blue = (colours[..., channel].ravel() for channel in range(3))
    space = np.stack([(red + green + blue) / 3, red - green, blue - (red + green) / 2], 1)
    lengths = (space**2).sum(1)
    apart = lengths[:, None] + lengths[None] - 2 * space @ space.T
    weights = np.exp(apart / (-2 * _COLOUR_REACH**2) + _nearness())
    result: NDArray[np.float32] = weights / weights.sum(1, keepdims=True)
    return result


@lru_cache(maxsize=1)
def _nearness() -> NDArray[np.float32]:
    """Return the logarithm of how much two cells count for each other by their places alone."""
    down, across = np.mgrid[:MAP_SIDE, :MAP_SIDE].astype(np.float32) / MAP_SIDE
    apart = (down.ravel()[:, None] - down.ravel()) ** 2
    apart += (across.ravel()[:, None] - across.ravel()) ** 2
    result: NDArray[np.float32] = apart / np.float32(-2 * _PLACE_REACH**2)
    return result


def _sigmoid(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    result: NDArray[np.float32] = 1 / (1 + np.exp(-logits.clip(-30, 30)))
    return result
