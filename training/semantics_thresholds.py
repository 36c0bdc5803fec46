"""Sets what the nano semantics dares to say, from photographs kept for that purpose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from misc_sender.semantics.items import MAP_SIDE, draw_map
from misc_sender.semantics.networks import Sight, SightNetwork
from misc_sender.semantics.vocabulary import Noun, Vocabulary
from misc_shared.packs import Component
from training.semantics import Recipe

__all__ = ["choose_thresholds", "coarse_grid", "watch"]

_PRECISION = 0.75
_LEAST = 0.5  # people are in most calibration photographs, but not in most others
_FEWEST = 12  # a noun named in fewer training photographs than this is not said on its own word
_STRENGTH = 20.0  # how many photographs of the average noun steady each noun's own record
_SMALLEST = 0.02  # share of the picture; fewer cells say nothing of a map
_INSIDE_STUFF = 0.65
_INSIDE_TRIALS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
_SUPPORT = 0.2
_FLUENCY = -1.6
_NOT_ITEMS = ("camera", "light", "room", "animal")


def watch(recipe: Recipe, pack: Path, places: NDArray[np.int64]) -> list[Sight]:
    """Look at photographs with the exported network, as the sender would."""
    files = {"sight.onnx": ""}
    network = SightNetwork(Component("semantics", pack, {"files": files}, b""), threads=1)
    return [network(recipe.cache.pictures[place]) for place in places]


def choose_thresholds(recipe: Recipe, sights: Sequence[Sight]) -> Vocabulary:
    """Make the vocabulary with its thresholds.

    Args:
        recipe: nouns, tokens and targets.
        sights: of the calibration photographs, in their order.
    """
    targets = recipe.targets
    present = np.stack([sight.present for sight in sights])
    named = np.array(
        [[noun in targets.mentions[place] for noun in range(len(recipe.nouns.names))]
         for place in targets.calibration]
    )  # fmt: skip
    frequent = (targets.present[targets.train] > 0.5).sum(0) >= _FEWEST
    common = _accept(present[:, frequent].ravel(), named[:, frequent].ravel())
    nouns = []
    for place, name in enumerate(recipe.nouns.names):
        own = _accept_own(present[:, place], named[:, place], common)
        sayable = frequent[place] and name not in _NOT_ITEMS
        nouns.append(
            Noun(
                name=name,
                accept=round(own, 3) if sayable else 2.0,
                implies=recipe.nouns.implied[place],
                placed=place in targets.placed,
                inside=_INSIDE_STUFF,
            )
        )
    spellings = {
        spelling: known
        for spelling, known in recipe.nouns.spellings.items()
        if any(frequent[place] for place in known)
    }
    inside = _inside(recipe, nouns, sights)
    return Vocabulary(
        nouns=tuple(
            Noun(
                one.name, one.accept, one.implies, one.placed, inside if one.placed else one.inside
            )
            for one in nouns
        ),
        tokens=tuple(recipe.tokens),
        spellings=spellings,
        support=_SUPPORT,
        fluency=_FLUENCY,
    )


def _accept(present: NDArray[np.float32], named: NDArray[np.bool_]) -> float:
    """Return the least probability from which nouns are right often enough."""
    order = np.argsort(-present)
    precision = np.cumsum(named[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(precision >= _PRECISION)
    return float(present[order[enough[-1]]]) if len(enough) else 2.0


def _accept_own(present: NDArray[np.float32], named: NDArray[np.bool_], common: float) -> float:
    """Return one noun's threshold: its own record, steadied by what holds for all nouns."""
    thresholds = np.linspace(max(_LEAST, common * 0.5), 0.95, 16)
    for threshold in thresholds:
        said = present >= threshold
        expected = _PRECISION + (threshold - common) * 0.5
        record = (named[said].sum() + _STRENGTH * expected) / (said.sum() + _STRENGTH)
        if record >= _PRECISION:
            return float(threshold)
    return 2.0


def _inside(recipe: Recipe, nouns: list[Noun], sights: Sequence[Sight]) -> float:
    """Return the share of the surest cell that draws the best maps of the nouns with grids."""
    places = {place: row for row, place in enumerate(recipe.targets.calibration.tolist())}
    pairs = [
        (grid, places[image], int(recipe.targets.placed[noun]))
        for grid, image, noun in zip(
            recipe.targets.grids, recipe.targets.grid_image, recipe.targets.grid_noun, strict=True
        )
        if image in places and coarse_grid(grid).mean() >= _SMALLEST
    ]
    merits = []
    for trial in _INSIDE_TRIALS:
        overlaps = []
        for grid, row, place in pairs:
            noun = Noun(nouns[place].name, 0.0, (), placed=True, inside=trial)
            drawn, wanted = draw_map(noun, sights[row].patches[place]), coarse_grid(grid)
            overlaps.append((drawn & wanted).sum() / max(1, (drawn | wanted).sum()))
        merits.append(float(np.mean(overlaps)))
    print("map thresholds", dict(zip(_INSIDE_TRIALS, np.round(merits, 3).tolist(), strict=True)))
    return _INSIDE_TRIALS[int(np.argmax(merits))]


def coarse_grid(grid: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Turn a stored grid [32, 32] of 0..255 into a map, bool [16, 16]."""
    small = Image.fromarray(grid).resize((MAP_SIDE, MAP_SIDE), Image.Resampling.BOX)
    return np.asarray(small) >= 128
