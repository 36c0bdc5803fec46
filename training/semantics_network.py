"""The network that looks at the picture: words for every patch, and for the whole."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["INPUT_SIDE", "PATCH_SIDE", "Features", "SemanticsNetwork"]

INPUT_SIDE = 160
PATCH_SIDE = 20
_PATCH_CHANNELS = 96
_WIDTH = 192
_DEEP = 256
_POOLED = 384
_SHARPNESS = 4.0
"""Between the mean over patches (0) and their maximum (large)."""


class _Convolution(nn.Sequential):
    """3x3 convolution, batch normalisation, SiLU."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.SiLU(inplace=True),
        )


class _Near(nn.Module):
    """Residual 3x3 convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = _Convolution(channels, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C, h, w] to the same shape."""
        return x + self.body(x)


class _Wide(nn.Module):
    """Residual 5x5 depthwise convolution and two pointwise ones (ConvNeXt's order)."""

    def __init__(self, channels: int, *, wider: int = 2) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 5, 1, 2, groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, wider * channels, 1),
            nn.SiLU(inplace=True),
            nn.Conv2d(wider * channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C, h, w] to the same shape."""
        return x + self.body(x)


@dataclass(frozen=True)
class Features:
    """What the three stages see.

    Attributes:
        near: float [B, 64, 20, 20].
        mid: float [B, 192, 10, 10].
        deep: float [B, 256, 5, 5].
    """

    near: Tensor
    mid: Tensor
    deep: Tensor


class SemanticsNetwork(nn.Module):
    """About 110 M multiplications for a picture of 160 x 160.

    Args:
        nouns: how many nouns.
        placed: the places of the nouns whose whereabouts are taught.
        teacher: channels of the teacher's features by the names of `TEACHER_SHAPES`.
    """

    placed: Tensor

    def __init__(self, nouns: int, placed: Tensor, teacher: dict[str, int]) -> None:
        super().__init__()
        self.register_buffer("placed", placed, persistent=False)
        self.stem = nn.Sequential(nn.PixelUnshuffle(4), _Convolution(48, 24))
        self.eighth = nn.Sequential(_Convolution(24, 64, stride=2), _Near(64), _Near(64))
        self.sixteenth = nn.Sequential(
            _Convolution(64, _WIDTH, stride=2), _Wide(_WIDTH), _Wide(_WIDTH), _Wide(_WIDTH)
        )
        self.deep = nn.Sequential(
            _Convolution(_WIDTH, _DEEP, stride=2), _Wide(_DEEP, wider=3), _Wide(_DEEP, wider=3)
        )
        self.pooled = nn.Sequential(nn.Conv2d(_DEEP, _POOLED, 1), nn.SiLU())
        self.from_eighth = nn.Conv2d(64, _PATCH_CHANNELS, 1)
        self.from_sixteenth = nn.Conv2d(_WIDTH, _PATCH_CHANNELS, 1)
        self.from_deep = nn.Conv2d(_DEEP, _PATCH_CHANNELS, 1, bias=False)
        self.patch_words = nn.Conv2d(_PATCH_CHANNELS, nouns, 1)
        self.whole_words = nn.Linear(2 * _WIDTH + _POOLED, nouns)
        self.hints = nn.ModuleDict(
            {
                "near": nn.Conv2d(64, teacher["near"], 1),
                "mid": nn.Conv2d(_WIDTH, teacher["mid"], 1),
                "deep": nn.Conv2d(_DEEP, teacher["deep"], 1),
                "whole": nn.Linear(2 * _WIDTH + _POOLED, teacher["whole"]),
            }
        )
        nn.init.constant_(self.patch_words.bias, -4.0)
        nn.init.zeros_(self.from_deep.weight)
        nn.init.zeros_(self.whole_words.bias)
        nn.init.normal_(self.whole_words.weight, std=0.01)

    def look(self, pictures: Tensor) -> Features:
        """Look at pictures, float [B, 3, 160, 160], RGB in 0..1."""
        near = self.eighth(self.stem(pictures * 4 - 2))
        mid = self.sixteenth(near)
        return Features(near, mid, self.deep(mid))

    def patches(self, seen: Features) -> Tensor:
        """Join the three stages: patch features [B, 96, 20, 20]."""
        wide = functional.interpolate(self.from_deep(seen.deep), scale_factor=2.0, mode="nearest")
        wide = functional.interpolate(
            wide + self.from_sixteenth(seen.mid), scale_factor=2.0, mode="nearest"
        )
        return functional.silu(wide + self.from_eighth(seen.near))

    def summary(self, seen: Features) -> Tensor:
        """Pool the two later stages to [B, 768]: means and maxima, and means of the last."""
        pooled = self.pooled(seen.deep).mean((2, 3))
        return torch.cat([seen.mid.mean((2, 3)), seen.mid.amax((2, 3)), pooled], 1)

    def words(self, patches: Tensor, summary: Tensor) -> Tensor:
        """Score each noun for the whole picture: logits [B, W].

        A noun is there if some patches say so (soft maximum over a 10 x 10 grid) or the whole does.
        """
        scores = self.patch_words(functional.avg_pool2d(patches, 2)).flatten(2)
        highest = scores.amax(2, keepdim=True)
        mean = torch.exp((scores - highest) * _SHARPNESS).mean(2)
        return highest[..., 0] + torch.log(mean) / _SHARPNESS + self.whole_words(summary)
