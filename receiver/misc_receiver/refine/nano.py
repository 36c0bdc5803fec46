"""The nano refiner: a few flow-matching steps from the coarse picture towards the original."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from misc_receiver.refine.batching import in_step
from misc_receiver.refine.conditioning import gather_clues
from misc_receiver.refine.guard import Verdict, coarse_planes, guard
from misc_receiver.refine.interface import Refiner, RefineRequest, RefineStep, check_dials
from misc_receiver.refine.network import Guidance, NanoNetwork
from misc_receiver.refine.tiling import tiles
from misc_receiver.torch_door import diffusers, torch

__all__ = ["TILE_SIDE", "NanoRefiner"]

TILE_SIDE = 1024
"""Longest side in pixels that the network sees at once; larger pictures go in tiles."""

_TILE_OVERLAP = 128


class NanoRefiner(Refiner):
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

    def refine_batch(
        self,
        requests: Sequence[RefineRequest],
        *,
        steps: int,
        seeds: Sequence[int],
        fidelity: float = 0.0,
    ) -> Iterator[tuple[RefineStep, ...]]:
        """See `Refiner.refine_batch`."""
        check_dials(steps=steps, fidelity=fidelity)

        def walk(
            some: Sequence[RefineRequest], their_seeds: Sequence[int]
        ) -> Iterator[tuple[int, Sequence[Verdict]]]:
            coarse = coarse_planes([one.coarse for one in some], self._network.device)
            estimates = self._estimates(some, steps, their_seeds)
            for number, estimate in enumerate(estimates, start=1):
                yield number, guard(estimate, coarse, fidelity=fidelity)

        yield from in_step(requests, seeds, steps=steps, walk=walk)

    def _estimates(
        self, requests: Sequence[RefineRequest], steps: int, seeds: Sequence[int]
    ) -> Iterator[torch.Tensor]:
        """Walk the bridge; give the estimates, [N, 3, H, W] in 0..255, at each step."""
        scheduler = diffusers.FlowMatchEulerDiscreteScheduler.from_config(self._schedule)
        scheduler.set_timesteps(sigmas=list(np.linspace(1, 1 / steps, steps)))
        height, width = requests[0].coarse.shape[:2]
        with torch.inference_mode():
            guidance = self._network.guide(gather_clues(requests, self._network))
            sample = guidance.coarse + self._network.noise_spread * _noise(guidance, seeds)
        for timestep, sigma in zip(scheduler.timesteps, scheduler.sigmas, strict=False):
            with torch.inference_mode():
                clean = self._estimate(sample, sigma, guidance)
                velocity = (sample - clean) / sigma
                sample = scheduler.step(velocity, timestep, sample).prev_sample
                shown = torch.nn.functional.pixel_shuffle(clean, self._network.factor)
                pixels = (shown[..., :height, :width] + 1) * 127.5
            yield pixels

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


def _noise(guidance: Guidance, seeds: Sequence[int]) -> torch.Tensor:
    """Draw on the CPU by a fixed algorithm, so that every machine starts at the same point."""
    shape = tuple(guidance.coarse.shape[1:])
    drawn = [
        np.random.Generator(np.random.Philox(seed)).standard_normal(shape, dtype=np.float32)
        for seed in seeds
    ]
    return torch.from_numpy(np.stack(drawn)).to(guidance.coarse.device)
