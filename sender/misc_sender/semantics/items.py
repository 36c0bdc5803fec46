"""Chooses which nouns to say."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from misc_sender.semantics.drawing import MapDrawer
from misc_sender.semantics.networks import Sight
from misc_sender.semantics.vocabulary import Vocabulary

__all__ = ["Choice", "choose_items"]

_FEWEST_CELLS = 8
_SAME_PLACE = 0.97  # overlap (intersection over union) from which two nouns mean one thing


@dataclass(frozen=True)
class Choice:
    """A noun to say and where it is: bool [32, 32], at least eight cells."""

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
    present = _present(vocabulary, sight)
    accepted = [place for place, noun in enumerate(nouns) if present[place] >= noun.accept]
    implied = {more for place in accepted for more in nouns[place].implies}
    drawer = MapDrawer(nouns, sight.patches, sight.colours)
    chosen: list[Choice] = []
    for place in sorted(accepted, key=lambda place: -present[place]):
        where = drawer.draw(place)
        if place in implied or where.sum() < _FEWEST_CELLS:
            continue
        if all(_overlap(where, other.where) < _SAME_PLACE for other in chosen):
            chosen.append(Choice(nouns[place].name, float(present[place]), where))
        if len(chosen) == limit:
            break
    return chosen


def _present(vocabulary: Vocabulary, sight: Sight) -> NDArray[np.float32]:
    """Believe less of a picture of an unfamiliar kind, where what is usual says little."""
    if sight.familiar >= vocabulary.familiar:
        return sight.present
    rarer = np.float32(np.exp(-vocabulary.caution))
    doubted: NDArray[np.float32] = sight.present * rarer / (1 - sight.present * (1 - rarer))
    return doubted


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))
