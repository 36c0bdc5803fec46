"""Where few-step denoising starts and which steps it takes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from misc_receiver.torch_door import diffusers, torch
from misc_shared.errors import ConfigError

__all__ = ["Schedule"]

_LCM_TRAINED_STEPS = 50


class Schedule:
    """One walk of a batch from noise over the coarse latents to the picture.

    A model with an LCM adapter, or whose own scheduler is LCM's, walks by that; any other by
    UniPC, which needs few steps too.

    Args:
        config: the scheduler's, as the model has it.
        lcm: whether the model was made a latent consistency model.
        steps: to take.
        strength: share of the way that is walked, above 0 and up to 1.

    Raises:
        ConfigError: so many steps do not fit into so little of the way.
    """

    def __init__(self, config: Any, *, lcm: bool, steps: int, strength: float) -> None:  # noqa: ANN401 - diffusers ships no types
        self._lcm = lcm
        if lcm:
            self._scheduler = diffusers.LCMScheduler.from_config(config)
            self._set_lcm(steps, strength)
        else:
            self._scheduler = diffusers.UniPCMultistepScheduler.from_config(config)
            total = math.ceil(steps / strength)
            self._scheduler.set_timesteps(total)
            self._scheduler.set_begin_index(len(self._scheduler.timesteps) - steps)
        self.timesteps: torch.Tensor = self._scheduler.timesteps[-steps:]

    def start(self, latents: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
        """Lay noise over clean latents, as much as the first step expects."""
        first = self.timesteps[:1].expand(len(latents)).to(latents.device)
        started: torch.Tensor = self._scheduler.add_noise(latents, noise, first)
        return started

    def clean(self, sample: torch.Tensor, noise: torch.Tensor, timestep: torch.Tensor) -> Any:  # noqa: ANN401 - a tensor
        """Estimate the clean latents from a sample and the network's output."""
        share = self._scheduler.alphas_cumprod[int(timestep)].to(sample.device)
        if self._scheduler.config.prediction_type == "v_prediction":
            return share.sqrt() * sample - (1 - share).sqrt() * noise
        return (sample - (1 - share).sqrt() * noise) / share.sqrt()

    def step(
        self,
        sample: torch.Tensor,
        noise: torch.Tensor,
        timestep: torch.Tensor,
        generators: Sequence[torch.Generator],
    ) -> torch.Tensor:
        """Take one step; each row draws from its own generator."""
        # Only LCM draws between steps.
        drawing = {"generator": list(generators)} if self._lcm else {}
        following: torch.Tensor = self._scheduler.step(
            noise, timestep, sample, **drawing
        ).prev_sample
        return following

    def _set_lcm(self, steps: int, strength: float) -> None:
        whole = int(_LCM_TRAINED_STEPS * strength)
        if steps > whole:
            raise ConfigError(
                f"{steps} steps are more than LCM has at strength {strength:g}: give at most "
                f"{whole}, or more strength"
            )
        self._scheduler.set_timesteps(
            steps, original_inference_steps=_LCM_TRAINED_STEPS, strength=strength
        )
