"""Refines what was decoded, and says of each result how it was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from misc_receiver.decode import FrameContents
from misc_receiver.refine import Refiner, RefineRequest, RefineStep, load_refiner
from misc_receiver.refine.stable_diffusion.settings import SdSettings
from misc_receiver.sinks.provenance import GENERATED, SOURCE_TYPE
from misc_shared.packs import Component, Pack

__all__ = ["GENERATED", "Refinery", "RefinerySettings", "open_refinery"]

_MOST_ON_GPU = 8
"""More share a pass of the network hardly any faster, and wait for each other."""


@dataclass(frozen=True, kw_only=True)
class RefinerySettings:
    """How pictures are refined.

    Attributes:
        refiner: "nano", "sd" or "none".
        steps: diffusion steps; each gives a preview.
        fidelity: 0 shows the refined picture, 1 the coarse one, between them a blend.
        device: "cpu" or "cuda".
        sd: what "sd" runs, or None.
    """

    refiner: str = "nano"
    steps: int = 2
    fidelity: float = 0.0
    device: str = "cpu"
    sd: SdSettings | None = None


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

    @property
    def most_at_once(self) -> int:
        """Frames that are refined together: a GPU has time for several, a CPU for one."""
        return _MOST_ON_GPU if self._settings.device == "cuda" else 1

    def refine(self, contents: FrameContents) -> Iterator[RefineStep]:
        """Refine a frame step by step; stop reading to cancel. Yields nothing without a picture."""
        if contents.coarse is not None:
            for (step,) in self.refine_batch([contents]):
                yield step

    def refine_batch(self, frames: Sequence[FrameContents]) -> Iterator[tuple[RefineStep, ...]]:
        """Refine frames together, step by step; stop reading to cancel.

        Args:
            frames: of any streams, each with a picture.

        Yields:
            One step of each, in their order.
        """
        yield from self._refiner.refine_batch(
            [request for frame in frames for request in _requests(frame)],
            steps=self._settings.steps,
            seeds=[frame.seed for frame in frames],
            fidelity=self._settings.fidelity,
        )

    def label(self, contents: FrameContents, step: RefineStep) -> Mapping[str, str]:
        """What to write into the file of a result, so that nobody takes it for a photograph."""
        if self._component is None and not self._refiner.models:
            return {}
        label = {SOURCE_TYPE: GENERATED, "Refiner": self._settings.refiner}
        if self._refiner.models:
            label["RefinerModels"] = self._refiner.models
        if self._component is not None:
            label["RefinerDigest"] = self._component.digest.hex()
        return label | {
            "Seed": str(contents.seed),
            "Steps": f"{step.step} of {step.steps}",
            "Fidelity": f"{self._settings.fidelity:g}",
        }


def _requests(contents: FrameContents) -> Iterator[RefineRequest]:
    if contents.coarse is not None:
        yield RefineRequest.of(contents.coarse, contents.semantics)


def open_refinery(pack: Pack, settings: RefinerySettings) -> Refinery:
    """Load a refiner; the first one of a process imports torch, which takes seconds.

    Raises:
        ConfigError: there is no such refiner, or no such device on this machine.
        MissingExtraError: torch or diffusers is not installed.
        PackError: the pack has no refiner, or it is damaged.
    """
    component = pack.component("refiner") if settings.refiner == "nano" else None
    refiner = load_refiner(
        settings.refiner, component=component, device=settings.device, sd=settings.sd
    )
    return Refinery(refiner, component=component, settings=settings)
