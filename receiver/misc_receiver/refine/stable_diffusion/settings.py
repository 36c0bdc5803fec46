"""Which models `--refiner sd` runs, and how."""

from __future__ import annotations

from dataclasses import dataclass

from misc_shared.errors import ConfigError

__all__ = ["MEMORY_MODES", "SdSettings"]

MEMORY_MODES = ("plain", "slices", "offload")
"""Fast; attention and pictures in slices; and besides, only the model at work on the GPU."""

_MOST_GUIDANCE = 30.0


@dataclass(frozen=True, kw_only=True)
class SdSettings:
    """Names on the hub, or folders as `save_pretrained` writes them, and dials.

    Attributes:
        model: Stable Diffusion 1.x or 2.x.
        controlnet: a ControlNet of the kind "tile" for it.
        lora: adapter that makes it a few-step model (LCM), or None if it needs none.
        preview: tiny autoencoder (TAESD) that shows each step, or None for no previews.
        strength: how much noise is laid over the coarse picture, above 0 and up to 1.
        control: weight of the ControlNet.
        guidance: classifier-free guidance; 1 is none, and saves half of the time.
        memory: one of `MEMORY_MODES`.
    """

    model: str = "stable-diffusion-v1-5/stable-diffusion-v1-5"
    controlnet: str = "lllyasviel/control_v11f1e_sd15_tile"
    lora: str | None = "latent-consistency/lcm-lora-sdv1-5"
    preview: str | None = "madebyollin/taesd"
    strength: float = 0.5
    control: float = 1.0
    guidance: float = 1.0
    memory: str = "plain"

    def __post_init__(self) -> None:
        if not 0.0 < self.strength <= 1.0:
            raise ConfigError(f"found strength {self.strength:g}; give a number above 0, up to 1")
        if not 0.0 <= self.control <= 2.0:  # noqa: PLR2004 - the range in which ControlNets work
            raise ConfigError(f"found ControlNet weight {self.control:g}; give one from 0 to 2")
        if not 1.0 <= self.guidance <= _MOST_GUIDANCE:
            raise ConfigError(
                f"found guidance {self.guidance:g}; give a number from 1 (none) to "
                f"{_MOST_GUIDANCE:g}"
            )
        if self.memory not in MEMORY_MODES:
            raise ConfigError(
                f"found memory mode {self.memory!r}; use one of {', '.join(MEMORY_MODES)}"
            )
