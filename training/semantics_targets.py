"""What the semantics network shall say about each photograph, from captions, boxes and masks."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from misc_lab.semantics.labels import VOC_NOUNS
from training.semantics_cache import Cache
from training.semantics_probe import Probe, WordProbe
from training.semantics_words import (
    COCO_NOUNS,
    PERSON_NOUNS,
    SURFACE_OF,
    WORN_NOUNS,
    Nouns,
)
from training.splits import is_development

__all__ = ["GRID_SIDE", "Targets", "build_targets"]

GRID_SIDE = 32
"""Side of the stored "where it is" grids."""

_FEWEST_TO_PROBE = 40  # captions that name a noun, for a probe to learn it
_FEWEST_TO_SOFTEN = 8  # the same, for a probe to give its opinion
_OPINION = 0.5  # weight of the probe's opinion beside the captions' word
_FOREIGN = 0.3  # weight of the probe's opinion on pictures without captions
_SURELY_ABSENT = 0.02  # probability from which a noun that is not named may still be there
_VOC_PERSON = 15
_BOX_SURE = 0.5  # a detector's score from which a box counts as naming the noun
_BOX_INSIDE = 0.8  # how sure a cell within a box's ellipse is, as boxes are not outlines


@dataclass
class Targets:
    """Targets of N photographs for W nouns, P of which are placed on a grid.

    Attributes:
        present: float16 [N, W], how surely the noun is named or detected.
        known: float16 [N, W], weight of that knowledge; 0 where nothing is known.
        placed: int64 [P], which nouns have grids.
        placed_known: bool [N, P], whether a missing grid means "nowhere in the picture".
        grid_image, grid_noun: int64 [G], which photograph and which placed noun a grid is of.
        grids: uint8 [G, 32, 32], 0..255 how surely the noun is in the cell.
        captions: the five captions of each photograph, or none.
        mentions: the nouns that its captions or boxes name (without ImageNet's guesses).
        train, calibration, development: int64, places of the photographs of each split.
    """

    present: NDArray[np.float16]
    known: NDArray[np.float16]
    placed: NDArray[np.int64]
    placed_known: NDArray[np.bool_]
    grid_image: NDArray[np.int64]
    grid_noun: NDArray[np.int64]
    grids: NDArray[np.uint8]
    captions: list[list[str]]
    mentions: list[set[int]]
    train: NDArray[np.int64]
    calibration: NDArray[np.int64]
    development: NDArray[np.int64]


def build_targets(cache: Cache, data: Path, labels: Path, nouns: Nouns) -> Targets:
    """Collect everything known about the cached photographs.

    Args:
        cache: the photographs' names and the teacher's features.
        data: folder with captions, pseudo-labels and masks.
        labels: the file of ImageNet labels (first line: background).
        nouns: the vocabulary.
    """
    names = cache.names
    captions_of = {row["image"]: row["captions"] for row in _rows(data / "flickr8k-captions.jsonl")}
    labels_of = {row["image"]: row for row in _rows(data / "pseudo-labels.jsonl")}
    captions = [captions_of.get(name, []) for name in names]
    guesses = _ImageNet(labels, nouns)
    said = [set().union(*(nouns.mentioned(text) for text in texts)) for texts in captions]
    boxed = [_boxed(labels_of[name]["boxes"], nouns) for name in names]
    labels_in_order = [labels_of[name] for name in names]
    count = len(nouns.names)
    # The detector looked for all its nouns in every picture.
    looked_for = sorted({*guesses.reachable, *map(nouns.index, COCO_NOUNS.values())})
    present, known = _presence(
        names, said, boxed, labels_in_order, guesses, looked_for=looked_for, count=count
    )
    splits = np.array([_split(name) for name in names])
    _soften(cache, said, splits, present, known)
    boxable = {nouns.index(noun) for noun in (*COCO_NOUNS.values(), *PERSON_NOUNS)}
    probed = _probed(said, splits, boxable, count)
    placed = sorted(boxable | set(probed))
    grids = _Grids(data, nouns, placed)
    for place, name in enumerate(names):
        grids.add(place, name, labels_of[name]["boxes"], said[place])
    placed_known = grids.known(names, said)
    _place_probed(cache, said, probed, splits, grids, placed_known)
    return Targets(
        present=present,
        known=known,
        placed=np.array(placed),
        placed_known=placed_known,
        grid_image=np.array(grids.image),
        grid_noun=np.array(grids.noun),
        grids=np.stack(grids.cells),
        captions=captions,
        mentions=[one | set(other) for one, other in zip(said, boxed, strict=True)],
        train=np.flatnonzero(splits == "train"),
        calibration=np.flatnonzero(splits == "calibration"),
        development=np.flatnonzero(splits == "development"),
    )


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _split(name: str) -> str:
    if not name.startswith("flickr8k/"):
        return "train"
    if is_development(name):
        return "development"
    # One in sixteen is kept to set thresholds without looking at the development images.
    return "calibration" if hashlib.sha256(name.encode()).hexdigest()[-1] == "0" else "train"


class _ImageNet:
    """From the classifier's labels to our nouns."""

    def __init__(self, labels: Path, nouns: Nouns) -> None:
        classes = labels.read_text().splitlines()[1:]
        found = {label: nouns.of_imagenet(number, label) for number, label in enumerate(classes)}
        self.noun_of = {label: noun for label, noun in found.items() if noun is not None}
        self.reachable = sorted(set(self.noun_of.values()))

    def guesses(self, ranked: list[tuple[str, float]]) -> dict[int, float]:
        sums: dict[int, float] = {}
        for label, probability in ranked:
            noun = self.noun_of.get(label)
            if noun is not None:
                sums[noun] = sums.get(noun, 0.0) + probability
        return sums


def _boxed(boxes: list[list[Any]], nouns: Nouns) -> dict[int, float]:
    scores: dict[int, float] = {}
    for label, score, *_ in boxes:
        noun = nouns.index(COCO_NOUNS[label])
        scores[noun] = max(scores.get(noun, 0.0), score)
    return {noun: score for noun, score in scores.items() if score > _BOX_SURE}


def _presence(
    names: list[str],
    said: list[set[int]],
    boxed: list[dict[int, float]],
    labels: list[dict[str, Any]],
    guesses: _ImageNet,
    *,
    looked_for: list[int],
    count: int,
) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    present = np.zeros((len(names), count), np.float16)
    known = np.zeros((len(names), count), np.float16)
    written = np.bincount([noun for one in said for noun in one], minlength=count) >= 8
    for place, name in enumerate(names):
        sums = guesses.guesses(labels[place]["imagenet"])
        captioned = name.startswith("flickr8k/")
        # Captions tell of all nouns that captions use, a classifier only of its own.
        known[place, looked_for] = 0.3 if captioned else 1.0
        known[place, written & captioned] = 1.0
        for noun, probability in sums.items():
            if not (captioned and written[noun]):
                present[place, noun] = min(1.0, probability)
        for noun in (*said[place], *boxed[place]):
            present[place, noun] = known[place, noun] = 1.0
    return present, known


def _soften(
    cache: Cache,
    said: list[set[int]],
    splits: NDArray[np.str_],
    present: NDArray[np.float16],
    known: NDArray[np.float16],
) -> None:
    """Mix the opinion of a probe of the teacher's features into what captions say.

    Captions leave out much of what is there, and most pictures have none. Only training
    photographs are read, and changed.
    """
    train = np.flatnonzero(splits == "train")
    told = np.array([place for place in train if said[place]])
    counts = np.bincount([noun for place in told for noun in said[place]], minlength=len(known[0]))
    nouns = np.flatnonzero(counts >= _FEWEST_TO_SOFTEN)
    probe = WordProbe.fit(cache.teacher["whole"][told], present[np.ix_(told, nouns)])
    for place in train:
        opinion = probe.present(cache.teacher["whole"][place])
        if said[place]:
            present[place, nouns] += _OPINION * (opinion - present[place, nouns])
        else:
            unknown = known[place, nouns] == 0
            present[place, nouns[unknown]] = opinion[unknown]
            known[place, nouns[unknown]] = _FOREIGN


def _probed(
    said: list[set[int]], splits: NDArray[np.str_], boxable: set[int], count: int
) -> list[int]:
    """Return the nouns that captions of training photographs name often, and no detector knows."""
    named = [
        noun for one, split in zip(said, splits, strict=True) if split == "train" for noun in one
    ]
    often = np.flatnonzero(np.bincount(named, minlength=count) >= _FEWEST_TO_PROBE)
    return [noun for noun in often.tolist() if noun not in boxable]


def _place_probed(
    cache: Cache,
    said: list[set[int]],
    probed: list[int],
    splits: NDArray[np.str_],
    grids: _Grids,
    placed_known: NDArray[np.bool_],
) -> None:
    """Add grids for nouns that only captions know, and withhold judgement where they may be."""
    taught = [place for place, one in enumerate(said) if one and splits[place] == "train"]
    named = np.array([[noun in said[place] for noun in probed] for place in taught])
    probe = Probe.fit(cache.teacher["deep"][taught], named)
    slots = np.array([grids.slot[noun] for noun in probed])
    for place, split in enumerate(splits):
        if split == "train":
            features = cache.teacher["deep"][place]
            placed_known[place, slots] = probe.present(features) < _SURELY_ABSENT
            for number in [n for n, noun in enumerate(probed) if noun in said[place]]:
                cells = probe.where(features, number, GRID_SIDE)
                placed_known[place, slots[number]] = cells is not None
                if cells is not None:
                    grids.add_probed(place, cache.names[place], probed[number], cells)


class _Grids:
    """Collects where things are: masks for the VOC classes, ellipses in boxes for the others."""

    def __init__(self, data: Path, nouns: Nouns, placed: list[int]) -> None:
        with np.load(data / "voc-masks.npz") as stored:
            self.mask_of = dict(zip(stored["names"].tolist(), stored["masks"], strict=True))
        self.nouns = nouns
        self.voc = [nouns.index(noun) for noun in VOC_NOUNS]
        self.people = [nouns.index(noun) for noun in PERSON_NOUNS]
        self.slot = {noun: slot for slot, noun in enumerate(placed)}
        self.image: list[int] = []
        self.noun: list[int] = []
        self.cells: list[NDArray[np.uint8]] = []

    def add(self, place: int, name: str, boxes: list[list[Any]], said: set[int]) -> None:
        found: dict[int, NDArray[np.float32]] = {}
        for label, score, *corners in boxes:
            noun = self.nouns.index(COCO_NOUNS[label])
            ellipse = _ellipse(corners) * min(1.0, _BOX_INSIDE + score - 0.5)
            found[noun] = np.maximum(found.get(noun, np.float32(0)), ellipse)
        mask = self.mask_of[name]
        for number in set(np.unique(mask).tolist()) - {0}:
            found[self.voc[number - 1]] = (mask == number).astype(np.float32)
        person = found.get(self.nouns.index("person"))
        if person is not None:
            # Several kinds of people share one mask, so each is less sure than the whole.
            kinds = [noun for noun in self.people if noun in said]
            found |= dict.fromkeys(kinds, person * (0.9 if len(kinds) == 1 else 0.6))
        for noun, cells in found.items():
            self.image.append(place)
            self.noun.append(self.slot[noun])
            self.cells.append(np.round(cells * 255).astype(np.uint8))

    def add_probed(self, place: int, name: str, noun: int, cells: NDArray[np.uint8]) -> None:
        """Add what a probe found; its patches are wide, so masks say what lies before what."""
        mask = self.mask_of[name]
        if self.nouns.names[noun] in SURFACE_OF:
            cells = np.where(mask == 0, cells, 0).astype(np.uint8)
        elif self.nouns.names[noun] in WORN_NOUNS:
            cells = np.where(mask == _VOC_PERSON, cells, 0).astype(np.uint8)
        self.image.append(place)
        self.noun.append(self.slot[noun])
        self.cells.append(cells)

    def known(self, names: list[str], said: list[set[int]]) -> NDArray[np.bool_]:
        """A detector looks for its own classes everywhere; for kinds of people, captions decide."""
        result = np.ones((len(names), len(self.slot)), bool)
        slots = [self.slot[noun] for noun in self.people]
        for place, name in enumerate(names):
            if not name.startswith("flickr8k/"):
                result[place, slots] = False
            for noun in said[place] & self.slot.keys():
                result[place, self.slot[noun]] = False
        result[self.image, self.noun] = True
        return result


def _ellipse(corners: list[float]) -> NDArray[np.float32]:
    left, top, right, bottom = corners
    centers = (np.arange(GRID_SIDE, dtype=np.float32) + 0.5) / GRID_SIDE
    across = (centers - (left + right) / 2) / max(right - left, 1e-3) * 2
    down = (centers - (top + bottom) / 2) / max(bottom - top, 1e-3) * 2
    return (across[None] ** 2 + down[:, None] ** 2 <= 1).astype(np.float32)
