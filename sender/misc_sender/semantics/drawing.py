"""Draws the maps of nouns from their patch scores."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from misc_sender.grids import area_weights
from misc_sender.semantics.parting import otsu_threshold
from misc_sender.semantics.vocabulary import Noun

__all__ = ["MAP_SIDE", "MapDrawer"]

MAP_SIDE = 32
"""Cells across and down the maps that are drawn; what the budget has no room for is merged."""

# A mean field over all pairs of cells (dense CRF: Krähenbühl and Koltun 2011).
_COLOUR_REACH = 0.06
_PLACE_REACH = 0.4
_WEIGHT = 2.0
_ROUNDS = 5
_MOSTLY = 0.5
_SMOOTH = 5  # cells
_KIN_SHARE = 0.7
# What lies on the ground is a little likelier with each row, by so many logits from top to bottom.
_DOWNWARD = np.linspace(-2.5, 2.5, MAP_SIDE, dtype=np.float32)[:, None]
_SURE = 0.0  # logits over all rivals from which a cell need not be compared with the others
_NEARLY_ALL = 0.85
_SURFACES_BELOW = frozenset({"grass", "water", "snow", "sand", "road", "floor"})
_SURFACES_ABOVE = frozenset({"sky"})
_FAINTEST = -30.0


class MapDrawer:
    """Draws where nouns are in one picture.

    A thing is where its own scores are highest. Stuff, such as water or grass, has no outline, and
    a word that was only learned from captions scores highest at what tells it apart: "field" at
    the trees behind it, "beach" at the sea. So a cell is given to stuff by how far it and its kin
    (other words for the same surface) score above all their rivals there. That some surfaces lie
    below and the sky above counts too, and cells of like colours agree.

    Args:
        nouns: W of them.
        patches: float32 [W, rows, columns], logits of the nouns at each patch.
        colours: float32 [32, 32, 3], RGB in 0..1, the picture's mean colours.
    """

    def __init__(
        self, nouns: Sequence[Noun], patches: NDArray[np.float32], colours: NDArray[np.float32]
    ) -> None:
        self._nouns, self._patches, self._colours = nouns, patches, colours

    def draw(self, place: int) -> NDArray[np.bool_]:
        """Draw where one noun is, by its place among the nouns.

        Returns:
            bool [32, 32], at least one cell of them True.
        """
        noun = self._nouns[place]
        if noun.surface:
            covered = _smooth(self._agree(self._lead(place)))
            if covered.any():
                return covered
        scores = _enlarge(self._patches[place])
        if noun.placed:
            sure = _sigmoid(scores)
            covered = sure >= noun.inside * sure.max()
        else:
            low, high = np.percentile(scores, [5, 98])
            covered = scores >= low + noun.inside * (high - low)
        smooth = _smooth(covered)
        return smooth if smooth.any() else np.asarray(covered)

    def _lead(self, place: int) -> NDArray[np.float32]:
        """Return by how many logits a surface leads over its rivals in each cell."""
        surface = self._nouns[place].surface
        surfaces = [noun.surface for noun in self._nouns]
        same = np.array([other == surface for other in surfaces])
        kin = same & (np.arange(len(surfaces)) != place)
        # Things that were never shown in place score wherever their pictures are alike.
        known = np.array([noun.placed or noun.surface != "" for noun in self._nouns])
        scores = self._patches[place]
        if kin.any():
            scores = (1 - _KIN_SHARE) * scores + _KIN_SHARE * self._together(kin)
        lead = _enlarge(scores - self._together(known & ~same))
        if surface in _SURFACES_BELOW:
            lead += _DOWNWARD
        if surface in _SURFACES_ABOVE:
            lead -= _DOWNWARD
        return lead

    def _together(self, chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Return the logarithm of the sum of the odds of some nouns, at each patch."""
        if not chosen.any():
            return np.full(self._patches.shape[1:], _FAINTEST, np.float32)
        total: NDArray[np.float32] = np.log(self._odds[chosen].sum(0))
        return total

    @cached_property
    def _odds(self) -> NDArray[np.float32]:
        result: NDArray[np.float32] = np.exp(self._patches.clip(_FAINTEST, -_FAINTEST))
        return result

    def _agree(self, lead: NDArray[np.float32]) -> NDArray[np.bool_]:
        """Let cells of like colours, near each other, agree on where stuff is."""
        raised = (lead - _parting(lead)) / (lead.std() + 1e-6)
        evidence = raised.ravel().astype(np.float32)
        share = _sigmoid(evidence)
        for _ in range(_ROUNDS):
            share = _sigmoid(evidence + _WEIGHT * (self._likeness @ (2 * share - 1)))
        return np.asarray(share >= _MOSTLY).reshape(lead.shape)

    @cached_property
    def _likeness(self) -> NDArray[np.float32]:
        """How much each cell counts for each other one, float32 [1024, 1024], rows sum to 1."""
        red, green, blue = (self._colours[..., channel].ravel() for channel in range(3))
        space = np.stack([(red + green + blue) / 3, red - green, blue - (red + green) / 2], 1)
        lengths = (space**2).sum(1)
        apart = lengths[:, None] + lengths[None] - 2 * space @ space.T
        weights = np.exp(apart / (-2 * _COLOUR_REACH**2) + _nearness())
        result: NDArray[np.float32] = weights / weights.sum(1, keepdims=True)
        return result


def _parting(lead: NDArray[np.float32]) -> float:
    """Return from which lead on a cell speaks for the surface.

    It is said to be in the picture, so that some cells are in it and, mostly, some are not.
    """
    level = otsu_threshold(lead)
    if level < _SURE and (lead > level).mean() > _NEARLY_ALL:  # a person was parted from the rest
        level = otsu_threshold(lead[lead > level])
    return min(level, _SURE)


def _enlarge(patches: NDArray[np.float32]) -> NDArray[np.float32]:
    rows, columns = (area_weights(MAP_SIDE, count) for count in patches.shape)
    return (rows @ patches @ columns.T).astype(np.float32)


def _smooth(covered: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Cover what is mostly covered around: ragged edges and islands cost bytes and tell little."""
    padded = np.pad(covered.astype(np.float32), _SMOOTH // 2, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, (_SMOOTH, _SMOOTH))
    return np.asarray(around.mean((2, 3)) >= _MOSTLY)


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
