"""The nano refiner: a few flow-matching steps from the coarse picture towards the original."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from misc_receiver.refine.conditioning import gather_clues
from misc_receiver.refine.guard import guard
from misc_receiver.refine.interface import RefineRequest, RefineStep, check_dials
from misc_receiver.refine.network import Guidance, NanoNetwork
from misc_receiver.refine.tiling import tiles
from misc_receiver.torch_door import diffusers, torch

__all__ = ["TILE_SIDE", "NanoRefiner"]

TILE_SIDE = 1024
"""Longest side in pixels that the network sees at once; larger pictures go in tiles."""

_TILE_OVERLAP = 128


class NanoRefiner:
    """Refines with a `NanoNetwork`.

    Args:
        network: trained, on its device, in evaluation mode.
        scheduler: gives the steps' places on the bridge and takes the steps.
        tile_side: longest side in pixels that the network sees at once.
    """

    def __init__(
        self,
        network: NanoNetwork,
        scheduler: diffusers.FlowMatchEulerDiscreteScheduler,
        *,
        tile_side: int = TILE_SIDE,
    ) -> None:
        self._network = network
        self._schedule = dict(scheduler.config)
        self._tile_side = tile_side

    def refine(
        self, request: RefineRequest, *, steps: int, seed: int, fidelity: float = 0.0
    ) -> Iterator[RefineStep]:
        """See `Refiner.refine`."""
        check_dials(steps=steps, fidelity=fidelity)
        for number, estimate in enumerate(self._estimates(request, steps, seed), start=1):
            verdict = guard(estimate, request.coarse, fidelity=fidelity)
            yield RefineStep(verdict.pixels, number, steps, number == steps, verdict.passed)

    def _estimates(
        self, request: RefineRequest, steps: int, seed: int
    ) -> Iterator[NDArray[np.float32]]:
        """Walk the bridge; give the estimate of the original, [H, W, 3] in 0..255, at each step."""
        scheduler = diffusers.FlowMatchEulerDiscreteScheduler.from_config(self._schedule)
        scheduler.set_timesteps(sigmas=list(np.linspace(1, 1 / steps, steps)))
        height, width = request.coarse.shape[:2]
        with torch.inference_mode():
            guidance = self._network.guide(gather_clues([request], self._network))
            sample = guidance.coarse + self._network.noise_spread * self._noise(guidance, seed)
        for timestep, sigma in zip(scheduler.timesteps, scheduler.sigmas, strict=False):
            with torch.inference_mode():
                clean = self._estimate(sample, sigma, guidance)
                velocity = (sample - clean) / sigma
                sample = scheduler.step(velocity, timestep, sample).prev_sample
                shown = torch.nn.functional.pixel_shuffle(clean, self._network.factor)[0]
            pixels: NDArray[np.float32] = ((shown.permute(1, 2, 0) + 1) * 127.5).cpu().numpy()
            yield pixels[:height, :width]

    def _noise(self, guidance: Guidance, seed: int) -> torch.Tensor:
        """Draw on the CPU by a fixed algorithm, so that every machine starts at the same point."""
        random = np.random.Generator(np.random.Philox(seed))
        drawn = random.standard_normal(tuple(guidance.coarse.shape), dtype=np.float32)
        return torch.from_numpy(drawn).to(guidance.coarse.device)

    def _estimate(
        self, sample: torch.Tensor, sigma: torch.Tensor, guidance: Guidance
    ) -> torch.Tensor:
        """Estimate the original from one point of the bridge, tile by tile if need be."""
        height, width = sample.shape[-2:]
        factor = self._network.factor
        blended = torch.zeros_like(sample)
        for tile in tiles(
            height,
            width,
            side=self._tile_side // factor,
            overlap=min(_TILE_OVERLAP, self._tile_side // 2) // factor,
            multiple=self._network.multiple // factor,
        ):
            window = (..., tile.rows, tile.columns)
            part = guidance.window(tile.rows, tile.columns)
            weight = torch.from_numpy(tile.weight).to(sample.device)
            sigmas = sigma.to(sample.device).expand(len(sample))
            blended[window] += weight * self._network(sample[window], sigmas, part)
        return blended
