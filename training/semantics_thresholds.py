"""Sets what the nano semantics dares to say, from photographs kept for that purpose."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.nn import functional

from misc_lab.semantics.naming import words
from misc_lab.semantics.scores import cider
from misc_sender.grids import coarser
from misc_sender.semantics.captions import find_caption
from misc_sender.semantics.drawing import MapDrawer
from misc_sender.semantics.items import choose_items
from misc_sender.semantics.nano import ITEMS
from misc_sender.semantics.networks import CaptionNetwork, Sight, SightNetwork
from misc_sender.semantics.vocabulary import Noun, Vocabulary
from misc_shared.packs import Component
from training.semantics import Recipe
from training.semantics_words import SURFACE_OF

__all__ = ["MAP_SIDE", "choose_thresholds", "coarse_grid", "watch"]

MAP_SIDE = 16
"""Side of the maps that are measured, as the bars say."""

_PRECISION = 0.715  # of all items; the bar is at 0.70, and the calibration photographs are few
_NARROW = 0.95  # chance from which a noun may take the place of a wider one ("man", "person")
_CHANCES = (0.5, 0.45, 0.4, 0.36, 0.34, 0.32, 0.31, 0.3, 0.29, 0.28, 0.27, 0.26, 0.25)
_STEADY = 1.0  # pull of each noun's own correction towards none
_LEAST_LOGIT = -5.0  # below, whether a noun is named says nothing of nouns that might be said
_NEVER = 2.0
_FEWEST = 12  # a noun named in fewer training photographs than this is not said on its own word
_SMALLEST = 0.02  # share of the picture; fewer cells say nothing of a map
_INSIDE_STUFF = 0.65
_INSIDE_TRIALS = (0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5)
_SUPPORTS = (0.03, 0.08, 0.15, 0.22, 0.3, 0.4, 0.5)
_NO_WORSE = 0.01  # of CIDEr: so much is the strictest support worth
_SILENT = 0.04  # share of the calibration photographs whose captions are the least sure
_STRANGE = (0.0, 0.02, 0.04, 0.07, 0.1, 0.14, 0.18)  # trials: share of them that is unfamiliar
_CAUTION = 1.0  # of what is said of unfamiliar pictures, .77 agrees with detectors, not .61
_UNFAMILIAR = 0.1  # share of the calibration photographs in which nouns are believed less
_CARE = 0.97  # of CIDEr; so much of it has to remain when unfamiliar pictures get no caption
_NOT_ITEMS = ("camera", "light", "room", "animal")


def watch(recipe: Recipe, pack: Path, places: NDArray[np.int64]) -> list[Sight]:
    """Look at photographs with the exported network, as the sender would."""
    network = SightNetwork(_component(pack, "sight.onnx"), threads=1)
    return [network(recipe.cache.pictures[place]) for place in places]


def choose_thresholds(
    recipe: Recipe, pack: Path, sights: Sequence[Sight], places: NDArray[np.int64]
) -> Vocabulary:
    """Make the vocabulary with its thresholds.

    Args:
        recipe: nouns, tokens and targets.
        pack: folder with the exported captioner.
        sights: of the calibration photographs.
        places: which photographs these are.
    """
    inside = _inside(recipe, sights, places)
    familiarity = [sight.familiar for sight in sights]
    vocabulary = Vocabulary(
        nouns=(),
        tokens=tuple(recipe.tokens),
        spellings=recipe.nouns.spellings,
        support=_SUPPORTS[0],
        fluency=0.0,
        speak=0.0,
        familiar=round(float(np.quantile(familiarity, _UNFAMILIAR)), 3),
        caution=_CAUTION,
    )
    vocabulary = _most_items(recipe, vocabulary, sights, places, inside)
    return _best_captions(recipe, vocabulary, pack, sights, places)


def _most_items(
    recipe: Recipe,
    vocabulary: Vocabulary,
    sights: Sequence[Sight],
    places: NDArray[np.int64],
    inside: float,
) -> Vocabulary:
    """Say the most that is right, as long as enough of all that is said is right."""
    mentions, names = recipe.targets.mentions, recipe.nouns.names
    correction = _correction(recipe, sights, places)
    best, most = vocabulary, -1.0
    for chance in _CHANCES:
        nouns = _nouns(recipe, correction, chance=chance, inside=inside)
        trial = msgspec.structs.replace(vocabulary, nouns=nouns)
        right = [
            names.index(choice.name) in mentions[place]
            for sight, place in zip(sights, places, strict=True)
            for choice in choose_items(trial, sight, limit=ITEMS)
        ]
        count, precision = sum(right) / len(sights), float(np.mean(right)) if right else 1.0
        print(f"chance {chance}: precision {precision:.3f}, {count:.3f} right a picture")
        if precision < _PRECISION:
            break
        if count > most:
            best, most = trial, count
    if not best.nouns:
        raise ValueError("no thresholds make enough of the items right; train longer")
    return best


def _correction(
    recipe: Recipe, sights: Sequence[Sight], places: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Return by how many nats each noun is likelier named than the network says, float [W].

    A logistic regression with one term for all nouns and one for each (Platt 1999): the chance
    that counts is that of one more noun, so a threshold on it says the most for its precision.
    """
    present = torch.from_numpy(np.stack([sight.present for sight in sights])).double()
    said = torch.logit(present.clamp(1e-5, 1 - 1e-5))
    named = torch.zeros_like(said)
    for row, place in enumerate(places):
        named[row, sorted(recipe.targets.mentions[place])] = 1
    common = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    own = torch.zeros(said.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([common, own], max_iter=60)

    def wrong() -> torch.Tensor:
        optimizer.zero_grad()
        loss = functional.binary_cross_entropy_with_logits(
            said + common + own, named, reduction="none"
        )
        total = loss[said > _LEAST_LOGIT].sum() + _STEADY * own.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(wrong)  # type: ignore[no-untyped-call]
    correction: NDArray[np.float64] = (common + own).detach().numpy()
    return correction


def _nouns(
    recipe: Recipe, correction: NDArray[np.float64], *, chance: float, inside: float
) -> tuple[Noun, ...]:
    """Set each noun's threshold so that from there on it is named with at least this chance."""
    targets, names = recipe.targets, recipe.nouns.names
    said = np.bincount(
        [noun for place in targets.train for noun in targets.mentions[place]], minlength=len(names)
    )
    nouns = []
    for place, name in enumerate(names):
        least = _NARROW if recipe.nouns.implied[place] else chance
        accept = 1 / (1 + np.exp(correction[place]) * (1 - least) / least)
        sayable = said[place] >= _FEWEST and name not in _NOT_ITEMS
        placed = place in targets.placed
        nouns.append(
            Noun(
                name=name,
                accept=round(float(accept), 3) if sayable else _NEVER,
                implies=recipe.nouns.implied[place],
                placed=placed,
                inside=inside if placed else _INSIDE_STUFF,
                surface=SURFACE_OF.get(name, ""),
            )
        )
    return tuple(nouns)


def _best_captions(
    recipe: Recipe,
    vocabulary: Vocabulary,
    pack: Path,
    sights: Sequence[Sight],
    places: NDArray[np.int64],
) -> Vocabulary:
    """Choose how much must speak for a noun in a caption, and how sure a caption must be."""
    network = CaptionNetwork(_component(pack, "caption_start.onnx", "caption_step.onnx"), threads=1)
    references = [[words(text) for text in recipe.targets.captions[place]] for place in places]
    trials = []
    for support in _SUPPORTS:
        trial = msgspec.structs.replace(vocabulary, support=support)
        found = [find_caption(network, trial, sight) for sight in sights]
        merit = cider([words(sentence) for sentence, _ in found], references)
        fluency = float(np.quantile([fluency for _, fluency in found], _SILENT))
        print(f"support {support}: CIDEr {merit:.3f}, silent below {fluency:.2f} a word")
        trials.append((merit, support, fluency, found))
    enough = max(merit for merit, *_ in trials) - _NO_WORSE
    _, support, fluency, found = max(
        (one for one in trials if one[0] >= enough), key=lambda one: one[1]
    )
    said = [words(sentence if sure >= fluency else "") for sentence, sure in found]
    speak = _least_familiar([sight.familiar for sight in sights], said, references)
    return msgspec.structs.replace(
        vocabulary, support=support, fluency=round(fluency, 2), speak=round(speak, 3)
    )


def _least_familiar(
    familiar: list[float], said: list[list[str]], references: list[list[list[str]]]
) -> float:
    """Return the most that may be asked at little cost of what captions are worth."""
    enough, best = _CARE * cider(said, references), 0.0
    for share in _STRANGE:
        least = float(np.quantile(familiar, share))
        left = [one if sure >= least else [] for one, sure in zip(said, familiar, strict=True)]
        merit = cider(left, references)
        print(f"silent where less familiar than {least:.3f} ({share:.0%}): CIDEr {merit:.3f}")
        if merit >= enough:
            best = least
    return best


def _component(pack: Path, *files: str) -> Component:
    return Component("semantics", pack, {"files": dict.fromkeys(files, "")}, b"")


def _inside(recipe: Recipe, sights: Sequence[Sight], places: NDArray[np.int64]) -> float:
    """Return the share of the surest cell that draws the best maps of the nouns with grids."""
    rows = {place: row for row, place in enumerate(places.tolist())}
    targets = recipe.targets
    pairs = [
        (coarse_grid(grid), sights[rows[image]], noun)
        for grid, image, noun in zip(
            targets.grids, targets.grid_image, targets.placed[targets.grid_noun], strict=True
        )
        if image in rows and coarse_grid(grid).mean() >= _SMALLEST
    ]
    merits = []
    for trial in _INSIDE_TRIALS:
        noun = Noun("", 0.0, (), placed=True, inside=trial)
        overlaps = []
        for wanted, sight, place in pairs:
            drawer = MapDrawer([noun], sight.patches[place, None], sight.colours)
            drawn = coarser(drawer.draw(0), MAP_SIDE)
            overlaps.append((drawn & wanted).sum() / max(1, (drawn | wanted).sum()))
        merits.append(float(np.mean(overlaps)))
    print("map thresholds", dict(zip(_INSIDE_TRIALS, np.round(merits, 3).tolist(), strict=True)))
    return _INSIDE_TRIALS[int(np.argmax(merits))]


def coarse_grid(grid: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Turn a stored grid [32, 32] of 0..255 into a map, bool [16, 16]."""
    small = Image.fromarray(grid).resize((MAP_SIDE, MAP_SIDE), Image.Resampling.BOX)
    return np.asarray(small) >= 128
