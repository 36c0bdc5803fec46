"""Words that stay as long as the picture does: near-identical pictures are described once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from misc_sender.semantics.backend import SemanticsBackend
from misc_sender.semantics.views import View
from misc_shared.semantics import Semantics

__all__ = ["SteadySemantics"]


class SteadySemantics:
    """Asks a backend again only when the picture has changed since it was asked last.

    Noise would make it choose other words now and then, each of which costs bytes.

    Args:
        backend: one that takes no longer than a picture may wait.
    """

    def __init__(self, backend: SemanticsBackend) -> None:
        self._backend = backend
        self._last: tuple[View, Semantics] | None = None

    def describe(self, image: NDArray[np.uint8], *, path: Path | None = None) -> Semantics:
        """Describe a picture, uint8 [H, W, 3] RGB, or repeat what was said of the same scene.

        Raises:
            LocalError: the backend cannot do its work.
        """
        view = View.of(image, path)
        if self._last is None or not self._last[0].same(view):
            self._last = view, self._backend.describe(image, path=path)
        return self._last[1]

    def close(self) -> None:
        """Close the backend."""
        self._backend.close()
