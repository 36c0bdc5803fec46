"""Words stay while nothing but noise changes."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from misc_sender.semantics import SteadySemantics
from misc_sender.semantics.backend import QuickBackend
from misc_shared.semantics import Semantics


class Numbered(QuickBackend):
    """Says something else each time."""

    def __init__(self) -> None:
        self.asked = 0

    def describe(self, image: NDArray[np.uint8], *, path: Path | None = None) -> Semantics:  # noqa: ARG002
        """Count."""
        self.asked += 1
        return Semantics(caption=f"picture {self.asked}")


def test_noise_changes_no_words(photo: NDArray[np.uint8]) -> None:
    """Sigma 2, ten times; then something moves."""
    backend = Numbered()
    steady = SteadySemantics(backend)
    noise = np.random.default_rng(0)
    for _ in range(10):
        noisy = photo + noise.normal(0, 2, photo.shape)
        said = steady.describe(noisy.round().clip(0, 255).astype(np.uint8))
        assert said.caption == "picture 1"
    moved = np.roll(photo, 64, axis=1)
    assert steady.describe(moved).caption == "picture 2"
    assert steady.describe(photo).caption == "picture 3"


def test_another_file_is_another_picture(photo: NDArray[np.uint8]) -> None:
    """Even if it looks the same: its words may be in a file of its own."""
    steady = SteadySemantics(Numbered())
    said = [steady.describe(photo, path=Path(name)).caption for name in ("a", "a", "b")]
    assert said == ["picture 1", "picture 1", "picture 2"]
