"""How far a decoded picture is from the original, as the codec's training counts it."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from pytorch_msssim import ms_ssim
from torch import Tensor

from training.teachers import load_by_path

__all__ = ["Perceptual", "area_error", "locked_error", "random_view"]

_CELL = 8
# Sides and shares: errors of smaller areas are larger and would be all that counts.
_AREAS = ((8, 0.5), (16, 1.0), (32, 2.0), (64, 2.0))
# Period of the pattern and side of the window, in pixels of the coded picture: to1 shuffles by 4,
# `direct` by 16. Over n cells an error that does not repeat still leaves 1 / n of its square: of 16
# cells that was an MSE by another name, and all texture went.
_LOCKS = ((4, 64), (16, 192))
VIEW_SIDE = 176


class Perceptual(torch.nn.Module):
    """SqFD, 1 - MS-SSIM and SqTD of a batch of windows.

    Args:
        teachers: Folder of sqfd.py and its weights.
        half: Whether features are bfloat16: faster where a processor multiplies such matrices.
    """

    def __init__(self, teachers: Path, *, half: bool = False) -> None:
        super().__init__()
        self.net = load_by_path(teachers / "sqfd.py").SqueezeNet()
        for name, weight in self.net.named_buffers():
            if weight.ndim == len("OIHW"):
                setattr(self.net, name, weight.contiguous(memory_format=torch.channels_last))
        self.kind = torch.bfloat16 if half else torch.float32
        self.net.to(self.kind)

    def forward(
        self, shown: Tensor, picture: Tensor, *, structure: bool = True, texture: bool = False
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Compare [N, 3, S, S] pictures in [0, 1]; give three distances [N].

        MS-SSIM and SqTD cost time: where `structure` or `texture` does not ask for them, nan stands
        in their place.
        """
        aim = self._prepared(picture)
        with torch.no_grad():
            targets = self.net(aim)
        found = self.net(self._prepared(shown))
        pairs = zip(found, targets, strict=True)
        far = torch.stack([UnlikeFeatures.apply(u, v) for u, v in pairs]).mean(0)
        unlike = lost = torch.full_like(far, torch.nan)
        if structure:
            unlike = 1 - ms_ssim(shown.float(), picture, data_range=1.0, size_average=False)
        if texture:
            pairs = zip([shown, *found], [picture, *targets], strict=True)
            lost = torch.stack([_lost_texture(u.float(), v.float()) for u, v in pairs]).mean(0)
        return far, unlike, lost

    def _prepared(self, picture: Tensor) -> Tensor:
        return picture.to(self.kind).contiguous(memory_format=torch.channels_last)


def area_error(decoded: Tensor, coded: Tensor) -> Tensor:
    """Squared error of the mean colours of areas, weighted and summed over their sizes: [N].

    Features are normalised and their receptive fields small: a wall may turn blue and they hardly
    notice, while the error of its mean is drowned by that of its texture in the MSE. Here texture
    cancels, so a feature loss cannot outbid it. Areas overlap, half of them or more, or colours
    would be right on one grid only.
    """
    means = F.avg_pool2d(decoded - coded, _CELL)
    total = torch.zeros(len(decoded), device=decoded.device)
    for side, share in _AREAS:
        mean = F.avg_pool2d(means, side // _CELL, stride=1)
        total = total + share * mean.square().mean((1, 2, 3))
    return total


def locked_error(decoded: Tensor, coded: Tensor) -> Tensor:
    """Square of that part of the error that repeats from cell to cell of the pixel grid: [N].

    A hatch is one: at each phase of a PixelShuffle the error is alike in all cells around. Errors
    of a picture's own texture are not, so the mean over a window of cells keeps the hatch and
    hardly anything else. The mean over phases is colour, which `area_error` counts.
    """
    error = decoded - coded
    total = torch.zeros(len(decoded), device=decoded.device)
    for period, window in _LOCKS:
        cells = F.pixel_unshuffle(error, period).unflatten(1, (3, period * period))
        pattern = (cells - cells.mean(2, keepdim=True)).flatten(1, 2)
        side = window // period
        means = F.avg_pool2d(pattern, side, stride=side // 2)
        total = total + means.square().mean((1, 2, 3))
    return total


def random_view(shown: Tensor, picture: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """The same window of both, moved, often scaled a little, mirrored and turned: [N, 3, S, S].

    Squeezed through one fixed grid of strides, a hatch at the right phase looks like texture to the
    network. It does not at other phases, scales and turns. Half of the views keep their scale, at
    which pictures are judged. S is VIEW_SIDE: MS-SSIM needs 161 pixels.

    Args:
        shown: [N, 3, H, W], sides of VIEW_SIDE or more.
        picture: Of the same shape.
        rng: Source of randomness.
    """
    pair = torch.cat([shown, picture])
    least = min(pair.shape[2:])
    side = VIEW_SIDE
    if rng.random() < 0.5:
        side = int(rng.integers(round(0.8 * VIEW_SIDE), min(least, round(1.25 * VIEW_SIDE)) + 1))
    top, left = (int(rng.integers(length - side + 1)) for length in pair.shape[2:])
    pair = pair[:, :, top : top + side, left : left + side]
    if side != VIEW_SIDE:
        pair = F.interpolate(pair, size=(VIEW_SIDE, VIEW_SIDE), mode="bilinear", antialias=True)
    pair = pair.rot90(int(rng.integers(4)), (2, 3))
    if rng.random() < 0.5:
        pair = pair.flip(3)
    seen, aim = pair.chunk(2)
    return seen, aim


class UnlikeFeatures(torch.autograd.Function):
    """One layer's part of SqFD: `apply(found, target)`, [N, C, H, W] each, gives [N], float32.

    |u/|u| - v/|v||^2 = 2 - 2 u.v / (|u| |v|): three sums instead of full-size normalised copies,
    and a gradient of u and v alone, each times a number per place.
    """

    @staticmethod
    def forward(ctx: Any, found: Tensor, target: Tensor) -> Tensor:  # noqa: ANN401 - torch's own
        # As they lie in memory where they are channels_last; other layouts would mix in a product.
        found, target = found.permute(0, 2, 3, 1), target.permute(0, 2, 3, 1)
        product, length, aim = (
            (a * b).sum(3, keepdim=True).float()
            for a, b in ((found, target), (found, found), (target, target))
        )
        length, aim = length + 1e-6, aim + 1e-6
        inverse = (length * aim).rsqrt()
        places = found.shape[1] * found.shape[2]
        along, across = 2 / places * product * inverse / length, -2 / places * inverse
        ctx.save_for_backward(found, target, along, across)
        return (2 - 2 * product * inverse).mean((1, 2, 3))

    @staticmethod
    def backward(ctx: Any, slope: Tensor) -> tuple[Tensor, None]:  # noqa: ANN401 - torch's own
        found, target, along, across = ctx.saved_tensors
        factor = slope[:, None, None, None]
        along, across = (factor * along).to(found.dtype), (factor * across).to(found.dtype)
        return torch.addcmul(found * along, target, across).permute(0, 3, 1, 2), None


def _lost_texture(found: Tensor, target: Tensor) -> Tensor:
    """One layer's part of SqTD: how much means, variances and covariances differ."""
    least = 1e-6
    mean, aim = found.mean((2, 3)), target.mean((2, 3))
    spread = found.square().mean((2, 3)) - mean.square()
    aim_spread = target.square().mean((2, 3)) - aim.square()
    together = (found * target).mean((2, 3)) - mean * aim
    texture = (2 * mean * aim + least) / (mean.square() + aim.square() + least)
    structure = (2 * together + least) / (spread + aim_spread + least)
    return 1 - (texture.mean(1) + structure.mean(1)) / 2
