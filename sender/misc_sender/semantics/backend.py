"""The one thing that every semantics backend does."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from misc_shared.semantics import Semantics

__all__ = ["NoSemantics", "QuickBackend", "SemanticsBackend"]


class SemanticsBackend(Protocol):
    """Says what a picture shows."""

    def describe(self, image: NDArray[np.uint8], *, path: Path | None = None) -> Semantics:
        """Describe a picture.

        Args:
            image: uint8 [H, W, 3], RGB.
            path: the file that the picture came from, if it came from one.

        Returns:
            Items with maps, the most certain first, and a caption; less where it is unsure.

        Raises:
            LocalError: the backend can't do its work; the message says what to do.
            SemanticsError: it has no usable words for this picture.
        """

    def close(self) -> None:
        """End a `describe` that is under way in another thread as soon as may be."""


class QuickBackend:
    """What backends have in common that take no time, or little: there is nothing to end."""

    def close(self) -> None:
        """Do nothing."""


class NoSemantics(QuickBackend):
    """Says nothing: the picture travels alone."""

    def describe(self, image: NDArray[np.uint8], *, path: Path | None = None) -> Semantics:  # noqa: ARG002
        """Return no items and no caption."""
        return Semantics()
