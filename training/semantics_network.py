"""The network that looks at the picture: words for every patch, and for the whole."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["INPUT_SIDE", "PATCH_SIDE", "SemanticsNetwork"]

INPUT_SIDE = 160
PATCH_SIDE = 20
_PATCH_CHANNELS = 96
_WIDTH = 192
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

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 5, 1, 2, groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, 2 * channels, 1),
            nn.SiLU(inplace=True),
            nn.Conv2d(2 * channels, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C, h, w] to the same shape."""
        return x + self.body(x)


class SemanticsNetwork(nn.Module):
    """About 75 M multiplications for a picture of 160 x 160.

    Args:
        nouns: how many nouns.
        placed: the places of the nouns whose whereabouts are taught.
        teacher_channels: channels of the features to agree with while training.
    """

    placed: Tensor

    def __init__(self, nouns: int, placed: Tensor, teacher_channels: int) -> None:
        super().__init__()
        self.register_buffer("placed", placed, persistent=False)
        self.stem = nn.Sequential(nn.PixelUnshuffle(4), _Convolution(48, 24))
        self.eighth = nn.Sequential(_Convolution(24, 64, stride=2), _Near(64), _Near(64))
        self.sixteenth = nn.Sequential(
            _Convolution(64, _WIDTH, stride=2), _Wide(_WIDTH), _Wide(_WIDTH), _Wide(_WIDTH)
        )
        self.from_eighth = nn.Conv2d(64, _PATCH_CHANNELS, 1)
        self.from_sixteenth = nn.Conv2d(_WIDTH, _PATCH_CHANNELS, 1)
        self.patch_words = nn.Conv2d(_PATCH_CHANNELS, nouns, 1)
        self.whole_words = nn.Linear(2 * _WIDTH, nouns)
        self.teacher = nn.Conv2d(_WIDTH, teacher_channels, 1)
        nn.init.constant_(self.patch_words.bias, -4.0)
        nn.init.zeros_(self.whole_words.bias)
        nn.init.normal_(self.whole_words.weight, std=0.01)

    def features(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        """Look at pictures.

        Args:
            pictures: float [B, 3, 160, 160], RGB in 0..1.

        Returns:
            Patch features [B, 96, 20, 20] and deep features [B, 192, 10, 10].
        """
        eighth = self.eighth(self.stem(pictures * 4 - 2))
        deep = self.sixteenth(eighth)
        coarse = functional.interpolate(self.from_sixteenth(deep), scale_factor=2.0, mode="nearest")
        return functional.silu(self.from_eighth(eighth) + coarse), deep

    def summary(self, deep: Tensor) -> Tensor:
        """Pool deep features [B, 192, 10, 10] to [B, 384]: their means and maxima."""
        return torch.cat([deep.mean((2, 3)), deep.amax((2, 3))], 1)

    def words(self, patches: Tensor, summary: Tensor) -> Tensor:
        """Score each noun for the whole picture: logits [B, W].

        A noun is there if some patches say so (soft maximum over a 10 x 10 grid) or the whole does.
        """
        scores = self.patch_words(functional.avg_pool2d(patches, 2)).flatten(2)
        # Written with a mean, so that it fits pictures of any size.
        highest = scores.amax(2, keepdim=True)
        mean = torch.exp((scores - highest) * _SHARPNESS).mean(2)
        return highest[..., 0] + torch.log(mean) / _SHARPNESS + self.whole_words(summary)
