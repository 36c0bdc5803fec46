"""What is known about a training photograph, in the form in which a sender would say it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from misc_shared.semantics import Item, Semantics

__all__ = ["Labels"]

_MAP_SIDE = 8
_MOST_ITEMS = 3
_SURE = 0.35
_VOC = (
    *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus"),
    *("car", "cat", "chair", "cow", "table", "dog", "horse"),
    *("motorbike", "person", "plant", "sheep", "sofa", "train", "monitor"),
)


class Labels:
    """Captions, boxes, masks and classes of the photographs, read once.

    Args:
        data: folder with flickr8k-captions.jsonl, pseudo-labels.jsonl and voc-masks.npz.
    """

    def __init__(self, data: Path) -> None:
        captions = _rows(data / "flickr8k-captions.jsonl")
        self._captions = {row["image"]: row["captions"] for row in captions}
        self._labels = {row["image"]: row for row in _rows(data / "pseudo-labels.jsonl")}
        with np.load(data / "voc-masks.npz") as stored:
            self._masks = dict(zip(stored["names"].tolist(), stored["masks"], strict=True))

    def semantics(self, name: str, rng: np.random.Generator) -> Semantics:
        """Describe one photograph.

        Args:
            name: such as "flickr8k/1000268201_693b08cb0e.webp".
            rng: picks among the captions, and which boxes or masks become items.

        Returns:
            Up to three items with 8x8 maps, and a caption where one is known.
        """
        captions = self._captions.get(name, [])
        caption = str(rng.choice(captions)) if captions else ""
        found = self._boxed(name) if rng.random() < 0.5 else self._masked(name)
        items = found or self._boxed(name) or self._masked(name) or self._classified(name)
        return Semantics(tuple(items[:_MOST_ITEMS]), caption)

    def _boxed(self, name: str) -> list[Item]:
        boxes = self._labels.get(name, {}).get("boxes", [])
        return [Item(box[0], map=_box_map(box[2:])) for box in boxes if box[1] > _SURE]

    def _masked(self, name: str) -> list[Item]:
        if name not in self._masks:
            return []
        mask = self._masks[name]
        found, areas = np.unique(mask[mask > 0], return_counts=True)
        return [Item(_VOC[kind], map=_shrink(mask == kind)) for kind in found[np.argsort(-areas)]]

    def _classified(self, name: str) -> list[Item]:
        guesses = self._labels.get(name, {}).get("imagenet", [])
        whole = np.ones((_MAP_SIDE, _MAP_SIDE), dtype=np.bool_)
        return [Item(text.split(",")[0], map=whole) for text, sure in guesses[:1] if sure > _SURE]


def _rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def _box_map(box: list[float]) -> NDArray[np.bool_]:
    centres = (np.arange(_MAP_SIDE) + 0.5) / _MAP_SIDE
    left, top, right, bottom = box
    half = 0.5 / _MAP_SIDE
    rows = (centres > top - half) & (centres < bottom + half)
    columns = (centres > left - half) & (centres < right + half)
    return np.outer(rows, columns)


def _shrink(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    step = mask.shape[0] // _MAP_SIDE
    shares = mask.reshape(_MAP_SIDE, step, _MAP_SIDE, step).mean((1, 3))
    return shares > min(0.5, float(shares.max()) * 0.9)
