"""Chooses which nouns to say, and draws their maps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from misc_sender.semantics.networks import Sight
from misc_sender.semantics.vocabulary import Noun, Vocabulary

__all__ = ["MAP_SIDE", "Choice", "choose_items"]

MAP_SIDE = 16
_FEWEST_CELLS = 2
_SAME_PLACE = 0.75  # overlap (intersection over union) from which two nouns mean one thing


@dataclass(frozen=True)
class Choice:
    """A noun to say and where it is: bool [16, 16], at least two cells."""

    name: str
    probability: float
    where: NDArray[np.bool_]


def choose_items(vocabulary: Vocabulary, sight: Sight, *, limit: int) -> list[Choice]:
    """Choose the nouns that are sure enough, the surest first.

    Nouns that a chosen one implies are left out, and so are second names for the same place.

    Args:
        vocabulary: the nouns with the probabilities from which each may be said.
        sight: what is seen.
        limit: the most items to choose.
    """
    nouns = vocabulary.nouns
    accepted = [place for place, noun in enumerate(nouns) if sight.present[place] >= noun.accept]
    implied = {more for place in accepted for more in nouns[place].implies}
    chosen: list[Choice] = []
    for place in sorted(accepted, key=lambda place: -sight.present[place]):
        where = draw_map(nouns[place], sight.patches[place])
        if place in implied or where.sum() < _FEWEST_CELLS:
            continue
        if all(_overlap(where, other.where) < _SAME_PLACE for other in chosen):
            chosen.append(Choice(nouns[place].name, float(sight.present[place]), where))
        if len(chosen) == limit:
            break
    return chosen


def draw_map(noun: Noun, patches: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Turn a noun's patch scores [20, 20] into its map, bool [16, 16]."""
    scores = _RESAMPLE @ patches @ _RESAMPLE.T
    if noun.placed:
        sure = 1 / (1 + np.exp(-scores.clip(-30, 30)))
        return np.asarray(sure >= noun.inside * sure.max())
    low, high = np.percentile(scores, [5, 98])
    return np.asarray(scores >= low + noun.inside * (high - low))


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))


def _area_resampling(outputs: int, inputs: int) -> NDArray[np.float32]:
    """Return the matrix [outputs, inputs] that averages by covered length."""
    edges = np.linspace(0, inputs, outputs + 1)
    cells = np.arange(inputs)
    covered = np.minimum(edges[1:, None], cells + 1) - np.maximum(edges[:-1, None], cells)
    weights = covered.clip(0)
    result: NDArray[np.float32] = (weights / weights.sum(1, keepdims=True)).astype(np.float32)
    return result


_RESAMPLE = _area_resampling(MAP_SIDE, 20)
