"""What `--refiner sd` runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

if TYPE_CHECKING:
    from misc_receiver.refine.stable_diffusion.settings import SdSettings

__all__ = ["StableDiffusionSettings"]

_NONE = "none"


@dataclass(frozen=True, kw_only=True)
class StableDiffusionSettings:
    """Models by name on the hub or by folder; nothing is downloaded."""

    panel: ClassVar[str] = "Refiner sd"

    sd_model: Annotated[
        str, typer.Option(help="Stable Diffusion 1.x or 2.x: a name on the hub, or a folder.")
    ] = "stable-diffusion-v1-5/stable-diffusion-v1-5"
    sd_controlnet: Annotated[str, typer.Option(help="A tile ControlNet for it.")] = (
        "lllyasviel/control_v11f1e_sd15_tile"
    )
    sd_lora: Annotated[
        str, typer.Option(help="LCM adapter for few steps; none for a model without need of it.")
    ] = "latent-consistency/lcm-lora-sdv1-5"
    sd_preview: Annotated[
        str, typer.Option(help="Tiny autoencoder that shows each step, or none.")
    ] = "madebyollin/taesd"
    sd_strength: Annotated[
        float, typer.Option(help="Noise laid over the coarse picture, up to 1.")
    ] = 0.5
    sd_control: Annotated[float, typer.Option(help="Weight of the ControlNet, 0 to 2.")] = 1.0
    sd_guidance: Annotated[
        float, typer.Option(help="Classifier-free guidance; 1 is none, more doubles the time.")
    ] = 1.0
    sd_memory: Annotated[
        str, typer.Option(help="plain, slices (less memory) or offload (least GPU memory).")
    ] = "plain"

    def models(self) -> SdSettings:
        """What to load.

        Raises:
            ConfigError: a dial is out of range.
        """
        from misc_receiver.refine.stable_diffusion.settings import SdSettings

        return SdSettings(
            model=self.sd_model,
            controlnet=self.sd_controlnet,
            lora=None if self.sd_lora == _NONE else self.sd_lora,
            preview=None if self.sd_preview == _NONE else self.sd_preview,
            strength=self.sd_strength,
            control=self.sd_control,
            guidance=self.sd_guidance,
            memory=self.sd_memory,
        )
