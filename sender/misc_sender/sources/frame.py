"""A captured picture, and what every source of pictures offers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Frame", "Source"]


@dataclass(frozen=True, eq=False)
class Frame:
    """One captured picture.

    Attributes:
        pixels: uint8 [H, W, 3], RGB, sides of 16 to 4096.
        captured_at: seconds since the stream began. A source that plays back runs ahead of the
            clock: wait until then before using the picture.
        path: the file that holds the picture, if one does.
    """

    pixels: NDArray[np.uint8]
    captured_at: float
    path: Path | None = None


class Source(Protocol):
    """Pictures, one after the other.

    Attributes:
        name: a short name for the pictures, such as "photo" or "camera0".
        still: True for photographs, of which each one counts; False for motion, where a newer
            picture makes an older one worthless.
        endless: whether it never ends by itself.
    """

    name: str
    still: bool
    endless: bool

    def frames(self) -> Iterator[Frame]:
        """Yield the pictures in the order of their capture; blocks on a camera.

        Raises:
            SourceError: a picture cannot be read.
        """
        ...

    def close(self) -> None:
        """Let go of the device or file."""
        ...
