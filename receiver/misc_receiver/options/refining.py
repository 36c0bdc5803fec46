"""How pictures are decoded and refined."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

if TYPE_CHECKING:
    from misc_receiver.options.stable_diffusion import StableDiffusionSettings
    from misc_receiver.refinery import RefinerySettings

__all__ = ["RefiningSettings"]


@dataclass(frozen=True, kw_only=True)
class RefiningSettings:
    """The models, and how far refinement goes."""

    panel: ClassVar[str] = "Decoding and refinement"

    gpu: Annotated[bool, typer.Option("--gpu", help="Refine on a CUDA device.")] = False
    no_refine: Annotated[
        bool, typer.Option("--no-refine", help="Coarse pictures only; needs no torch.")
    ] = False
    refiner: Annotated[str, typer.Option(help="Who refines: nano, sd or none.")] = "nano"
    steps: Annotated[int, typer.Option(help="Refinement steps; each gives a preview.")] = 2
    fidelity: Annotated[
        float, typer.Option(help="0 shows the refined picture, 1 the coarse one.")
    ] = 0.0
    refine_every: Annotated[
        float, typer.Option(help="Least seconds between two refinements of a live stream.")
    ] = 0.0
    refine_within: Annotated[
        float | None,
        typer.Option(help="Refine a live picture only if done so many seconds after decoding."),
    ] = None
    pack: Annotated[str, typer.Option(help="Model pack: nano, or a folder.")] = "nano"

    def refinery(self, sd: StableDiffusionSettings) -> RefinerySettings | None:
        """How to refine, or None for coarse pictures only.

        Args:
            sd: the group of the refiner `sd`.

        Raises:
            ConfigError: the options contradict each other, or make no sense.
        """
        from misc_receiver.refine.interface import check_dials
        from misc_receiver.refinery import RefinerySettings
        from misc_shared.errors import ConfigError

        if self.gpu and self.no_refine:
            raise ConfigError("--gpu speeds up what --no-refine leaves out: drop one of them")
        if self.refine_every < 0 or (self.refine_within is not None and self.refine_within <= 0):
            raise ConfigError("give --refine-every 0 seconds or more, --refine-within more than 0")
        if self.no_refine:
            return None
        check_dials(steps=self.steps, fidelity=self.fidelity)
        device = "cuda" if self.gpu else "cpu"
        return RefinerySettings(
            refiner=self.refiner,
            steps=self.steps,
            fidelity=self.fidelity,
            device=device,
            sd=sd.models() if self.refiner == "sd" else None,
        )
