"""Refines what was decoded, and says of each result how it was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from misc_receiver.decode import FrameContents
from misc_receiver.refine import Refiner, RefineRequest, RefineStep, load_refiner
from misc_shared.packs import Component, Pack

__all__ = ["Refinery", "RefinerySettings", "open_refinery"]

GENERATED = "compositeWithTrainedAlgorithmicMedia"
"""IPTC's term for a picture of which a model has invented part."""


@dataclass(frozen=True, kw_only=True)
class RefinerySettings:
    """How pictures are refined.

    Attributes:
        refiner: "nano" or "none".
        steps: diffusion steps; each gives a preview.
        fidelity: 0 shows the refined picture, 1 the coarse one, between them a blend.
        device: "cpu" or "cuda".
    """

    refiner: str = "nano"
    steps: int = 2
    fidelity: float = 0.0
    device: str = "cpu"


class Refinery:
    """A refiner with its settings.

    Args:
        refiner: what refines.
        component: the models that it runs, or None if it runs none.
        settings: how.
    """

    def __init__(
        self, refiner: Refiner, *, component: Component | None, settings: RefinerySettings
    ) -> None:
        self._refiner = refiner
        self._component = component
        self._settings = settings

    def refine(self, contents: FrameContents) -> Iterator[RefineStep]:
        """Refine a frame step by step; stop reading to cancel. Yields nothing without a picture."""
        if contents.coarse is None:
            return
        request = RefineRequest(
            coarse=contents.coarse.pixels,
            features=contents.coarse.features,
            semantics=contents.semantics,
            quality=contents.coarse.quality,
        )
        yield from self._refiner.refine(
            request,
            steps=self._settings.steps,
            seed=contents.seed,
            fidelity=self._settings.fidelity,
        )

    def label(self, contents: FrameContents, step: RefineStep) -> Mapping[str, str]:
        """What to write into the file of a result, so that nobody takes it for a photograph."""
        if self._component is None:
            return {}
        return {
            "DigitalSourceType": GENERATED,
            "Refiner": self._settings.refiner,
            "RefinerDigest": self._component.digest.hex(),
            "Seed": str(contents.seed),
            "Steps": f"{step.step} of {step.steps}",
            "Fidelity": f"{self._settings.fidelity:g}",
        }


def open_refinery(pack: Pack, settings: RefinerySettings) -> Refinery:
    """Load a refiner; the first one of a process imports torch, which takes seconds.

    Raises:
        ConfigError: there is no such refiner, or no such device on this machine.
        MissingExtraError: torch or diffusers is not installed.
        PackError: the pack has no refiner, or it is damaged.
    """
    component = None if settings.refiner == "none" else pack.component("refiner")
    refiner = load_refiner(settings.refiner, component=component, device=settings.device)
    return Refinery(refiner, component=component, settings=settings)
