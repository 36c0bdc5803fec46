"""From pictures of any size to latents and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from misc_receiver.torch_door import torch

__all__ = ["Canvas", "decode", "encode"]

_MOST_ENLARGED = 4.0


@dataclass(frozen=True)
class Canvas:
    """The plane on which pictures of one size are worked.

    Small pictures are enlarged, for the model knows nothing smaller than it was trained on, and
    made small again afterwards. Edges go on outwards until the network can halve them.

    Attributes:
        height: of the pictures.
        width: likewise.
        inner: height and width that they are enlarged to.
        outer: the same with the margin, multiples of what the network needs.
    """

    height: int
    width: int
    inner: tuple[int, int]
    outer: tuple[int, int]

    @classmethod
    def fitting(cls, height: int, width: int, *, least: int, multiple: int) -> Canvas:
        """Find the plane for a size.

        Args:
            height: of the pictures.
            width: likewise.
            least: what the shorter side is enlarged to, at most by a factor of 4.
            multiple: what both outer sides are multiples of.
        """
        scale = min(_MOST_ENLARGED, max(1.0, least / min(height, width)))
        inner = (round(height * scale), round(width * scale))
        outer = (-(-inner[0] // multiple) * multiple, -(-inner[1] // multiple) * multiple)
        return cls(height, width, inner, outer)

    def place(self, planes: torch.Tensor) -> torch.Tensor:
        """Put planes [N, C, height, width] onto the canvas: [N, C, *outer]."""
        if planes.shape[-2:] != self.inner:
            planes = torch.nn.functional.interpolate(
                planes, size=self.inner, mode="bilinear", antialias=True
            )
        margin = (0, self.outer[1] - self.inner[1], 0, self.outer[0] - self.inner[0])
        placed: torch.Tensor = torch.nn.functional.pad(planes, margin, mode="replicate")
        return placed

    def take(self, planes: torch.Tensor) -> torch.Tensor:
        """Take the pictures [N, C, height, width] off the canvas."""
        inside = planes[..., : self.inner[0], : self.inner[1]]
        if self.inner == (self.height, self.width):
            return inside
        return torch.nn.functional.interpolate(
            inside, size=(self.height, self.width), mode="bilinear", antialias=True
        )


def encode(vae: Any, pictures: torch.Tensor) -> torch.Tensor:  # noqa: ANN401 - diffusers ships no types
    """Make latents of pictures [N, 3, H, W] in [-1, 1]; the same each time, nothing is drawn."""
    found = vae.encode(pictures.to(vae.dtype)).latent_dist.mode()
    latents: torch.Tensor = found.float() * vae.config.scaling_factor
    return latents


def decode(vae: Any, latents: torch.Tensor) -> torch.Tensor:  # noqa: ANN401 - diffusers ships no types
    """Make pictures of latents one by one: [N, 3, H, W] in about [-1, 1]."""
    scaled = (latents / vae.config.scaling_factor).to(vae.dtype)
    pictures = [vae.decode(one[None]).sample.float() for one in scaled]
    return torch.cat(pictures)
