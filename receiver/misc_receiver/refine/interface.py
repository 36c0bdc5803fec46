"""What a refiner takes and gives."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from misc_shared.codec import DecodedImage
from misc_shared.errors import ConfigError
from misc_shared.semantics import Semantics

__all__ = ["MAX_STEPS", "RefineRequest", "RefineStep", "Refiner", "check_dials"]

MAX_STEPS = 64
"""More steps than any few-step refiner gains from; a typing error costs a sentence, not an hour."""


@dataclass(frozen=True, eq=False)
class RefineRequest:
    """One picture to refine, with all that was received about it.

    Attributes:
        coarse: the codec's picture, uint8 [H, W, 3] RGB, any size.
        features: the codec's dequantised latents, float32 [channels, h, w] over the whole
            picture, or None where there are none.
        semantics: what the sender said is in the picture, or None.
        quality: the codec's quality, 0 (worst) to 31 (best).
        texture: the original's contrasts, float32 [4], as misc_shared.codec.texture measures them,
            or None where they are not known.
    """

    coarse: NDArray[np.uint8]
    features: NDArray[np.float32] | None = None
    semantics: Semantics | None = None
    quality: int = 0
    texture: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, decoded: DecodedImage, semantics: Semantics | None = None) -> RefineRequest:
        """Take over all that a decoder found."""
        return cls(decoded.pixels, decoded.features, semantics, decoded.quality, decoded.texture)


@dataclass(frozen=True, eq=False)
class RefineStep:
    """The picture as it stands after one step.

    Attributes:
        pixels: uint8 [H, W, 3] RGB, the size of the coarse picture.
        step: number of the step, from 1.
        steps: how many there will be.
        final: whether this is the last one.
        passed_guard: whether the picture still agrees with what was received; one that does not
            must not be shown.
    """

    pixels: NDArray[np.uint8]
    step: int
    steps: int
    final: bool
    passed_guard: bool


class Refiner(Protocol):
    """Adds detail to coarse pictures, step by step. Implementations inherit from it.

    Attributes:
        models: the models that run and their versions, for the files that they make; empty where
            they are those of the model pack.
    """

    models: str = ""

    @abstractmethod
    def refine_batch(
        self,
        requests: Sequence[RefineRequest],
        *,
        steps: int,
        seeds: Sequence[int],
        fidelity: float = 0.0,
    ) -> Iterator[tuple[RefineStep, ...]]:
        """Refine several pictures at once, of any streams; stop reading to cancel them all.

        Pictures of one size share the network's passes.

        Args:
            requests: the pictures and what is known about each.
            steps: 1 or more.
            seeds: one a picture. The same seed gives the same picture on the same device; in
                another batch it may round otherwise, by a level of 255 in a few pixels.
            fidelity: 0 is the refined picture, 1 the coarse one, between them a blend.

        Yields:
            One `RefineStep` a request, in their order: a preview after each step, the finished
            pictures last. A refiner whose previews would cost too much leaves some out.

        Raises:
            ConfigError: steps or fidelity is out of range.
        """
        ...

    def refine(
        self, request: RefineRequest, *, steps: int, seed: int, fidelity: float = 0.0
    ) -> Iterator[RefineStep]:
        """Refine one picture: see `refine_batch`."""
        for (step,) in self.refine_batch([request], steps=steps, seeds=[seed], fidelity=fidelity):
            yield step


def check_dials(*, steps: int, fidelity: float) -> None:
    """Refuse settings that no refiner can follow.

    Raises:
        ConfigError: steps is not in 1..`MAX_STEPS`, or fidelity is not in 0..1.
    """
    if not 1 <= steps <= MAX_STEPS:
        raise ConfigError(f"found {steps} refinement steps; give a number from 1 to {MAX_STEPS}")
    if not 0.0 <= fidelity <= 1.0:
        raise ConfigError(
            f"found fidelity {fidelity}; give a number from 0 (refined) to 1 (coarse)"
        )
