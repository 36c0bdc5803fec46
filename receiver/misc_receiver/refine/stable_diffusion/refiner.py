"""Stable Diffusion from the coarse picture, held to it by a tile ControlNet.

Every picture is several rows of one batch: the whole picture under its caption, and one row for
each item under the item's words. An item's row takes its own noise prediction inside its map and
the whole picture's outside of it, so that it stays the whole picture there, step after step; and
the whole picture never sees an item. At the end the rows are laid over each other by the same
maps. So an item's words change its own place and nothing else, which neither cross-attention masks
nor predictions blended in one row achieve: there the network's own attention carries them on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from misc_receiver.refine.batching import in_step
from misc_receiver.refine.guard import Verdict, coarse_planes, guard
from misc_receiver.refine.interface import Refiner, RefineRequest, RefineStep, check_dials
from misc_receiver.refine.stable_diffusion.canvas import Canvas, decode, encode
from misc_receiver.refine.stable_diffusion.regions import mix, regions, soft_masks
from misc_receiver.refine.stable_diffusion.schedule import Schedule
from misc_receiver.refine.stable_diffusion.settings import SdSettings
from misc_receiver.refine.tiling import tiles
from misc_receiver.torch_door import torch

__all__ = ["SdModels", "SdRefiner"]

_TILE_SIDE, _TILE_OVERLAP = 96, 16
"""Latent cells that the network sees at once, and that neighbouring tiles share."""

_ROWS_AT_ONCE = 8


@dataclass(frozen=True, eq=False)
class SdModels:
    """What was loaded.

    Attributes:
        pipeline: a diffusers pipeline with unet, controlnet, vae, text encoder and tokenizer.
        preview: tiny autoencoder, or None.
        lcm: whether the model is one for few steps by LCM.
        names: of all of them, with their versions.
    """

    pipeline: Any
    preview: Any
    lcm: bool
    names: str


@dataclass(frozen=True, eq=False)
class _Batch:
    """Pictures of one size as rows.

    Attributes:
        words: float [R, tokens, channels], the encoded prompts.
        none: the same of no words, for guidance, or None.
        picture: which request each row belongs to.
        whole: [R], the row of the whole picture that each row stands on.
        masks: [R, 1, H, W] on the canvas.
        control: [N, 3, H, W] in 0..1, what the ControlNet sees of each request.
    """

    words: torch.Tensor
    none: torch.Tensor | None
    picture: list[int]
    whole: torch.Tensor
    masks: torch.Tensor
    control: torch.Tensor


class SdRefiner(Refiner):
    """Refines with Stable Diffusion.

    Args:
        models: on their device.
        settings: how.
    """

    def __init__(self, models: SdModels, settings: SdSettings) -> None:
        self._pipeline = models.pipeline
        self._models = models
        self.models = models.names
        self._settings = settings
        unet = models.pipeline.unet.config
        self._stride = int(models.pipeline.vae_scale_factor)
        self._halvings = 2 ** (len(unet.block_out_channels) - 1)
        self._least = int(unet.sample_size) * self._stride

    def refine_batch(
        self,
        requests: Sequence[RefineRequest],
        *,
        steps: int,
        seeds: Sequence[int],
        fidelity: float = 0.0,
    ) -> Iterator[tuple[RefineStep, ...]]:
        """See `Refiner.refine_batch`; without a preview model, the last step alone is shown."""
        check_dials(steps=steps, fidelity=fidelity)

        def walk(
            some: Sequence[RefineRequest], their_seeds: Sequence[int]
        ) -> Iterator[tuple[int, Sequence[Verdict]]]:
            coarse = coarse_planes([one.coarse for one in some], self._device)
            for number, shown in self._pictures(some, coarse, steps, their_seeds):
                yield number, guard((shown + 1) * 127.5, coarse, fidelity=fidelity)

        yield from in_step(requests, seeds, steps=steps, walk=walk)
        self._pipeline.maybe_free_model_hooks()

    @property
    def _device(self) -> torch.device:
        # With offloading, it is not where the models are.
        return torch.device(self._pipeline._execution_device)  # noqa: SLF001

    def _pictures(
        self,
        requests: Sequence[RefineRequest],
        coarse: torch.Tensor,
        steps: int,
        seeds: Sequence[int],
    ) -> Iterator[tuple[int, torch.Tensor]]:
        """Denoise; give [N, 3, H, W] in about [-1, 1] with the number of the step."""
        schedule = Schedule(
            self._pipeline.scheduler.config,
            lcm=self._models.lcm,
            steps=steps,
            strength=self._settings.strength,
        )
        canvas = Canvas.fitting(
            *coarse.shape[-2:], least=self._least, multiple=self._stride * self._halvings
        )
        with torch.inference_mode():
            placed = canvas.place(coarse / 127.5 - 1)
            batch = self._batch(requests, canvas, placed)
            clean = encode(self._pipeline.vae, placed)
            sample = schedule.start(clean, _noise(clean, seeds))[batch.picture]
            small = torch.nn.functional.avg_pool2d(batch.masks, self._stride)
        draws = [torch.Generator().manual_seed(seeds[one]) for one in batch.picture]
        for number, timestep in enumerate(schedule.timesteps, start=1):
            with torch.inference_mode():
                said = self._predict(sample, timestep, batch)
                said = said[batch.whole] + small * (said - said[batch.whole])
                estimate = schedule.clean(sample, said, timestep)
                sample = schedule.step(sample, said, timestep, draws)
                vae = self._pipeline.vae if number == steps else self._models.preview
                if vae is None:
                    continue
                shown = sample if number == steps else estimate
                pictures = canvas.take(_laid_over(decode(vae, shown), batch))
            yield number, pictures

    def _batch(
        self, requests: Sequence[RefineRequest], canvas: Canvas, placed: torch.Tensor
    ) -> _Batch:
        found = [regions(request.semantics) for request in requests]
        starts = np.cumsum([0, *(len(some) for some in found)])
        size = (canvas.height, canvas.width)
        masks = torch.cat([soft_masks(some, size) for some in found])
        prompts = [region.prompt for some in found for region in some]
        guided = self._settings.guidance > 1
        words, none = self._pipeline.encode_prompt(
            prompts, self._device, 1, guided, negative_prompt=[""] * len(prompts)
        )
        return _Batch(
            words=words,
            none=none if guided else None,
            picture=[number for number, some in enumerate(found) for _ in some],
            whole=torch.tensor(
                [int(start) for start, some in zip(starts, found, strict=False) for _ in some],
                device=placed.device,
            ),
            masks=canvas.place(masks).to(placed.device),
            control=placed / 2 + 0.5,
        )

    def _predict(self, sample: torch.Tensor, timestep: torch.Tensor, batch: _Batch) -> torch.Tensor:
        """Predict the noise of every row, a few rows and one tile at a time."""
        blended = torch.zeros_like(sample)
        height, width = sample.shape[-2:]
        for tile in tiles(
            height, width, side=_TILE_SIDE, overlap=_TILE_OVERLAP, multiple=self._halvings
        ):
            window = (..., tile.rows, tile.columns)
            weight = torch.from_numpy(tile.weight).to(sample.device)
            seen = (..., _scaled(tile.rows, self._stride), _scaled(tile.columns, self._stride))
            for rows in torch.split(torch.arange(len(sample)), _ROWS_AT_ONCE):
                control = batch.control[seen][[batch.picture[row] for row in rows.tolist()]]
                part = sample[rows][window]
                said = self._ask(part, timestep, batch.words[rows], control)
                if batch.none is not None:
                    unsaid = self._ask(part, timestep, batch.none[rows], control)
                    said = unsaid + self._settings.guidance * (said - unsaid)
                blended[(rows, slice(None), tile.rows, tile.columns)] += weight * said
        return blended

    def _ask(
        self,
        sample: torch.Tensor,
        timestep: torch.Tensor,
        words: torch.Tensor,
        control: torch.Tensor,
    ) -> torch.Tensor:
        dtype = self._pipeline.unet.dtype
        sample = sample.to(dtype)
        at = timestep.to(sample.device)
        down, middle = self._pipeline.controlnet(
            sample,
            at,
            encoder_hidden_states=words,
            controlnet_cond=control.to(dtype),
            conditioning_scale=self._settings.control,
            return_dict=False,
        )
        said: torch.Tensor = self._pipeline.unet(
            sample,
            at,
            encoder_hidden_states=words,
            down_block_additional_residuals=down,
            mid_block_additional_residual=middle,
        ).sample
        return said.float()


def _laid_over(rows: torch.Tensor, batch: _Batch) -> torch.Tensor:
    """Make one picture of each request's rows: [N, 3, H, W]."""
    pictures = []
    for number in range(len(batch.control)):
        mine = [row for row, owner in enumerate(batch.picture) if owner == number]
        pictures.append(mix(rows[mine], batch.masks[mine]))
    return torch.stack(pictures)


def _noise(latents: torch.Tensor, seeds: Sequence[int]) -> torch.Tensor:
    """Draw on the CPU by a fixed algorithm, so that every machine starts at the same point."""
    drawn = [
        np.random.Generator(np.random.Philox(seed)).standard_normal(
            tuple(latents.shape[1:]), dtype=np.float32
        )
        for seed in seeds
    ]
    return torch.from_numpy(np.stack(drawn)).to(latents.device)


def _scaled(span: slice, factor: int) -> slice:
    return slice(span.start * factor, span.stop * factor)
