"""Whether two pictures show the same, near enough for the same words."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["View"]

_SIDE = 16  # pictures are compared as thumbnails of 16x16 RGB pixels, each the mean of its cell
_SAME = 8  # largest difference of a cell, of 255: nothing but noise
_SIMILAR = 16.0  # mean difference, of 255: the same scene, though something may have moved


@dataclass(frozen=True)
class View:
    """What tells one picture from another.

    Attributes:
        thumbnail: int16 [16, 16, 3].
        path: the file that the picture came from, if it came from one.
    """

    thumbnail: NDArray[np.int16]
    path: Path | None

    @classmethod
    def of(cls, image: NDArray[np.uint8], path: Path | None) -> View:
        """Look at a picture, uint8 [H, W, 3] RGB."""
        size = (_SIDE, _SIDE)
        small = Image.fromarray(image).resize(size, Image.Resampling.BOX, reducing_gap=2.0)
        return cls(np.asarray(small, np.int16), path)

    def same(self, other: View) -> bool:
        """Whether nothing but noise differs."""
        return self.path == other.path and bool(self._differences(other).max() <= _SAME)

    def similar(self, other: View) -> bool:
        """Whether the scene is the same, though something may have moved."""
        return self.path == other.path and bool(self._differences(other).mean() <= _SIMILAR)

    def _differences(self, other: View) -> NDArray[np.int16]:
        return np.asarray(np.abs(self.thumbnail - other.thumbnail))
