"""How far a decoded picture is from the original, as the codec's training counts it."""

from pathlib import Path

import torch
from pytorch_msssim import ms_ssim
from torch import Tensor

from training.teachers import load_by_path

__all__ = ["Perceptual"]


class Perceptual(torch.nn.Module):
    """SqFD, 1 - MS-SSIM and SqTD of a batch of windows.

    Args:
        teachers: Folder of sqfd.py and its weights.
    """

    def __init__(self, teachers: Path) -> None:
        super().__init__()
        self.net = load_by_path(teachers / "sqfd.py").SqueezeNet()
        self.to(memory_format=torch.channels_last)

    def forward(
        self, shown: Tensor, picture: Tensor, *, texture: bool = False
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Compare [N, 3, S, S] pictures in [0, 1]; give three distances [N].

        SqTD is zeros unless `texture` asks for it.
        """
        with torch.no_grad():
            targets = self.net(picture)
        found = self.net(shown.contiguous(memory_format=torch.channels_last))
        far = torch.stack(
            [_unlike_features(u.float(), v.float()) for u, v in zip(found, targets, strict=True)]
        ).mean(0)
        unlike = 1 - ms_ssim(shown.float(), picture, data_range=1.0, size_average=False)
        lost = torch.zeros_like(far)
        if texture:
            pairs = zip([shown, *found], [picture, *targets], strict=True)
            lost = torch.stack([_lost_texture(u.float(), v.float()) for u, v in pairs]).mean(0)
        return far, unlike, lost


def _unlike_features(found: Tensor, target: Tensor) -> Tensor:
    """One layer's part of SqFD, without full-size normalised copies.

    |u/|u| - v/|v||^2 = 2 - 2 u.v / (|u| |v|), which is three sums instead of six large temporaries.
    """
    product = (found * target).sum(1)
    lengths = (found.square().sum(1) * target.square().sum(1) + 1e-12).sqrt()
    return (2 - 2 * product / lengths).mean((1, 2))


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
