"""What people, a detector and a segmenter said of the pictures of a folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from misc_lab.semantics.labels import BOX_NOUNS, VOC_NOUNS
from misc_shared.errors import ConfigError

__all__ = ["Annotations", "Known", "read_annotations"]

_SURE = 0.5  # a detector's score from which a box counts


@dataclass(frozen=True)
class Known:
    """What is known of one picture.

    Attributes:
        captions: what people wrote, or none.
        boxed: nouns that the detector is sure of.
        masks: VOC class per cell, uint8 [32, 32], 0 for background; None if nobody drew any.
    """

    captions: tuple[str, ...] = ()
    boxed: frozenset[str] = frozenset()
    masks: NDArray[np.uint8] | None = None

    def mask_of(self, noun: str) -> NDArray[np.bool_]:
        """Return where a noun of `VOC_NOUNS` is, bool [32, 32]; nowhere if nobody drew masks."""
        if self.masks is None:
            return np.zeros((32, 32), np.bool_)
        return np.asarray(self.masks == VOC_NOUNS.index(noun) + 1)


class Annotations:
    """Finds what is known of a picture by its file's name without folder and suffix."""

    def __init__(self, known: dict[str, Known]) -> None:
        self._known = known

    def of(self, picture: Path) -> Known:
        """Return what is known of a picture, perhaps nothing."""
        return self._known.get(picture.stem, Known())


def read_annotations(captions: Path | None, boxes: Path | None, masks: Path | None) -> Annotations:
    """Read the files that there are.

    Args:
        captions: JSON lines {"image": NAME, "captions": [TEXT, ...]}.
        boxes: JSON lines {"image": NAME, "boxes": [[LABEL, SCORE, ...], ...]}.
        masks: NumPy archive of `names` [N] and `masks` uint8 [N, 32, 32].

    Raises:
        ConfigError: a file is missing or not of this form.
    """
    texts = {_stem(row["image"]): tuple(row["captions"]) for row in _rows(captions, "captions")}
    boxed = {
        _stem(row["image"]): frozenset(
            BOX_NOUNS.get(label, label) for label, score, *_ in row["boxes"] if score > _SURE
        )
        for row in _rows(boxes, "boxes")
    }
    drawn = _masks(masks)
    return Annotations(
        {
            stem: Known(texts.get(stem, ()), boxed.get(stem, frozenset()), drawn.get(stem))
            for stem in texts.keys() | boxed.keys() | drawn.keys()
        }
    )


def _rows(path: Path | None, field: str) -> Iterator[dict[str, Any]]:
    if path is None:
        return
    try:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            row = json.loads(line)
            if not isinstance(row.get("image"), str) or not isinstance(row.get(field), list):
                raise ConfigError(
                    f"{path}, line {number}: found no image and {field}; "
                    f'expected {{"image": NAME, "{field}": [...]}}'
                )
            yield row
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigError(f"the annotations {path} do not read ({error})") from error


def _masks(path: Path | None) -> dict[str, NDArray[np.uint8]]:
    if path is None:
        return {}
    try:
        with np.load(path) as stored:
            names, masks = stored["names"].tolist(), stored["masks"]
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"the masks {path} do not read ({error})") from error
    return {_stem(name): mask for name, mask in zip(names, masks, strict=True)}


def _stem(name: str) -> str:
    return PurePosixPath(name).stem
