"""Runs a semantics backend on pictures, and counts what is right and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from misc_lab.semantics.annotations import Annotations, Known
from misc_lab.semantics.labels import VOC_NOUNS
from misc_lab.semantics.naming import Naming, words
from misc_sender.grids import area_weights, coarser
from misc_sender.semantics import SemanticsBackend
from misc_sender.sources.pixels import read_picture
from misc_shared.maps import decode_maps, encode_maps
from misc_shared.semantics import Semantics
from misc_shared.text import TextCoder

__all__ = ["Locator", "Measured", "Measurement", "measure"]

_TIMED_SIZE = (512, 384)
_TIMED_PICTURES = 20
_MAP_SIDE = 16
_LEAST_SHARE = 0.02  # of the picture; a class on less of it is not asked for
_HALF = 0.5
_MAPS_TOGETHER = 3


class Locator(Protocol):
    """Finds where named things are."""

    def locate(
        self, image: NDArray[np.uint8], names: Sequence[str]
    ) -> Sequence[NDArray[np.bool_] | None]:
        """Return a map, bool [rows, columns], for each name, or None where it can't."""


@dataclass(frozen=True)
class Measurement:
    """What one picture gave.

    Attributes:
        picture: its file.
        said: what the backend said.
        right: for each item, whether a caption or a box names it.
        references: the captions that people wrote.
        overlaps: IoU at 16 x 16 by VOC noun, for those on the picture.
        text_bytes, caption_bytes: of the whole text layer, and of the caption alone.
        map_bytes: of the maps layer by grid side, only if there are three items.
        coding_seconds: to encode and decode text and maps.
    """

    picture: Path
    said: Semantics
    right: tuple[bool, ...]
    references: tuple[str, ...]
    overlaps: dict[str, float]
    text_bytes: int
    caption_bytes: int
    map_bytes: dict[int, int]
    coding_seconds: float


@dataclass(frozen=True)
class Measured:
    """All pictures.

    Attributes:
        rows: a picture each.
        describe_seconds: of pictures of 512 x 384, description alone.
    """

    rows: list[Measurement] = field(default_factory=list)
    describe_seconds: list[float] = field(default_factory=list)


def measure(
    pictures: Sequence[Path],
    backend: SemanticsBackend,
    *,
    locator: Locator | None,
    text: TextCoder,
    naming: Naming,
    annotations: Annotations,
    on_picture: Callable[[int, int], None],
) -> Measured:
    """Describe every picture, compare with the annotations, and code what was said.

    Args:
        pictures: files.
        backend: what is measured.
        locator: what places the classes of the masks; None leaves maps out.
        text: coder of the text layer.
        naming: which names mean the same.
        annotations: what is known.
        on_picture: told how many are done, and of how many.
    """
    result = Measured()
    for place, path in enumerate(pictures):
        pixels = read_picture(path)
        known = annotations.of(path)
        said = backend.describe(pixels, path=path)
        named = naming.named(known.captions, known.boxed)
        overlaps = _overlaps(pixels, known, locator) if locator is not None else {}
        result.rows.append(
            Measurement(
                picture=path,
                said=said,
                right=tuple(item.name in named for item in said.items),
                references=known.captions,
                overlaps=overlaps,
                text_bytes=len(text.encode(said)),
                caption_bytes=len(text.encode(Semantics(caption=said.caption))),
                map_bytes=_map_bytes(said),
                coding_seconds=_code(said, text),
            )
        )
        if place < _TIMED_PICTURES:
            result.describe_seconds.append(_describe_seconds(backend, pixels, path))
        on_picture(place + 1, len(pictures))
    return result


def _overlaps(pixels: NDArray[np.uint8], known: Known, locator: Locator) -> dict[str, float]:
    """Compare the maps of all VOC nouns that the masks have at least somewhere."""
    wanted = {}
    for noun in VOC_NOUNS:
        mask = known.mask_of(noun)
        shrink = area_weights(_MAP_SIDE, len(mask))
        cells = shrink @ mask @ shrink.T >= _HALF
        if cells.mean() >= _LEAST_SHARE:
            wanted[noun] = cells
    found = locator.locate(pixels, list(wanted))
    return {
        noun: 0.0 if one is None else _overlap(coarser(one, _MAP_SIDE), cells)
        for (noun, cells), one in zip(wanted.items(), found, strict=True)
    }


def _overlap(one: NDArray[np.bool_], other: NDArray[np.bool_]) -> float:
    return float((one & other).sum() / max(1, (one | other).sum()))


def _map_bytes(said: Semantics) -> dict[int, int]:
    maps = [item.map for item in said.items[:_MAPS_TOGETHER] if item.map is not None]
    if len(maps) < _MAPS_TOGETHER:
        return {}
    return {side: len(encode_maps([coarser(one, side) for one in maps])) for side in (8, 16)}


def _code(said: Semantics, text: TextCoder) -> float:
    """Time a round trip of text and maps, which must lose nothing."""
    maps = [coarser(item.map, _MAP_SIDE) for item in said.items if item.map is not None]
    began = time.perf_counter()
    heard, seen = text.decode(text.encode(said)), decode_maps(encode_maps(maps))
    took = time.perf_counter() - began
    if words(heard.caption) != words(said.caption) or not all(map(np.array_equal, seen, maps)):
        raise AssertionError(f"coding lost something of {said}")
    return took


def _describe_seconds(backend: SemanticsBackend, pixels: NDArray[np.uint8], path: Path) -> float:
    size = Image.fromarray(pixels).resize(_TIMED_SIZE, Image.Resampling.BICUBIC)
    picture = np.asarray(size)
    began = time.perf_counter()
    backend.describe(picture, path=path)
    return time.perf_counter() - began
