"""The figures of a measurement beside what they should be."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path

import brotli
import numpy as np

from misc_lab.result_files import write_result
from misc_lab.semantics.measure import Measured
from misc_lab.semantics.naming import words
from misc_lab.semantics.scores import bleu4, cider
from misc_shared.semantics import Semantics
from misc_shared.text import TextCoder

__all__ = ["Bar", "bars", "example_bars", "figures", "write_results"]

_FEWEST = 5  # pictures with a class, for it to count in the mean over classes


@dataclass(frozen=True)
class Bar:
    """One figure.

    Attributes:
        name: what it tells.
        value: measured, or None if there was nothing to measure.
        bound: the least it may be, or the most.
        least: which of the two.
        digits: after the point, when shown.
    """

    name: str
    value: float | None
    bound: float
    least: bool
    digits: int = 2

    @property
    def held(self) -> bool | None:
        """Whether the figure is on the right side; None if it was not measured."""
        if self.value is None:
            return None
        return self.value >= self.bound if self.least else self.value <= self.bound


def bars(measured: Measured) -> list[Bar]:
    """Compare with what the project asks of its own semantics."""
    rows = measured.rows
    judged = [row for row in rows if row.references]
    candidates = [words(row.said.caption) for row in judged]
    references = [[words(text) for text in row.references] for row in judged]
    right = [one for row in judged for one in row.right]
    overlaps = [one for row in rows for one in row.overlaps.values()]
    grids = {side: [row.map_bytes[side] for row in rows if row.map_bytes] for side in (8, 16)}
    spoken = [row.caption_bytes for row in rows if row.said.caption]
    lengths = [len(row.said.caption.split()) for row in rows]
    coding = [row.coding_seconds * 1000 for row in rows]
    describing = np.array(measured.describe_seconds) * 1000
    return [
        Bar(
            "BLEU-4", bleu4(candidates, references) if judged else None, 0.14, least=True, digits=3
        ),
        Bar("CIDEr", cider(candidates, references) if judged else None, 0.35, least=True, digits=3),
        Bar("words of the longest caption", max(lengths, default=None), 50, least=False, digits=0),
        Bar("items that are right", _mean(right), 0.70, least=True, digits=3),
        Bar("right items a picture", sum(right) / len(judged) if judged else None, 1.5, least=True),
        Bar("map IoU at 16 x 16", _mean(overlaps), 0.45, least=True, digits=3),
        Bar("text bytes", _mean([row.text_bytes for row in rows]), 30, least=False),
        Bar("caption bytes", _mean(spoken), 12, least=False),
        Bar("bytes of three 8 x 8 maps", _mean(grids[8]), 12, least=False),
        Bar("bytes of three 16 x 16 maps", _mean(grids[16]), 26, least=False),
        Bar(
            "milliseconds, 512 x 384",
            float(np.median(describing) + np.median(coding)) if rows else None,
            250,
            least=False,
            digits=0,
        ),
        Bar("milliseconds of a coder round trip", _median(coding), 5, least=False),
    ]


def example_bars(example: Path, text: TextCoder) -> list[Bar]:
    """Compare the text layer with brotli on a longer text.

    Args:
        example: first line names, with commas between; then a detail a line; then the rest.
        text: coder of the text layer.
    """
    plain = example.read_text().strip()
    size = len(text.encode(Semantics(caption=plain)))
    return [
        Bar("bytes of the long example", size, len(brotli.compress(plain.encode())), least=False)
    ]


def figures(measured: Measured) -> dict[str, object]:
    """Return further figures: how often it is silent, and maps by class."""
    rows = measured.rows
    by_class = defaultdict(list)
    for row in rows:
        for noun, one in row.overlaps.items():
            by_class[noun].append(one)
    counted = {noun: ones for noun, ones in sorted(by_class.items()) if len(ones) >= _FEWEST}
    return {
        "pictures": len(rows),
        "items_per_picture": _mean([len(row.said.items) for row in rows]),
        "pictures_without_items": sum(not row.said.items for row in rows),
        "pictures_without_caption": sum(not row.said.caption for row in rows),
        "map_iou_mean_of_classes": _mean([float(np.mean(ones)) for ones in counted.values()]),
        "map_iou_by_class": {
            noun: [round(float(np.mean(ones)), 3), len(ones)] for noun, ones in counted.items()
        },
    }


def write_results(measured: Measured, compared: list[Bar], path: Path) -> None:
    """Write bars, further figures and what was said of each picture as JSON."""
    said = [
        {
            "picture": row.picture.name,
            "items": [item.name for item in row.said.items],
            "right": row.right,
            "caption": row.said.caption,
            "text_bytes": row.text_bytes,
        }
        for row in measured.rows
    ]
    content = {
        "bars": [asdict(bar) | {"held": bar.held} for bar in compared],
        "figures": figures(measured),
        "pictures": said,
    }
    write_result(path, json.dumps(content, indent=1) + "\n")


def _mean(values: list[bool] | list[int] | list[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _median(values: list[float]) -> float | None:
    return float(np.median(values)) if values else None
