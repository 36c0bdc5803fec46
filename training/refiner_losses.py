"""How far a refined picture is from the original, as the refiner is taught to see it."""

from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from training.refiner_second_look import SecondLook
from training.teachers import load_by_path

__all__ = ["RefinerLoss"]

_CELL, _FINER_CELL = 16, 4
_SCALES = (0.6, 1.3)
_SHIFT = 8
_AS_IT_IS = 0.7


class RefinerLoss:
    """Weighted sum of pixel error, three distances of features, and low-pass agreement.

    Args:
        teachers: folder of sqfd.py and its weights, and of taef2_encoder.pth.
        pixel: weight of the mean squared error, pixels in 0..1; keeps the loss of PSNR in bounds.
        feature: weight of SqFD.
        texture: weight of SqTD.
        agreement: weight of the squared difference of 16x16 means from the coarse picture's.
        second: weight of the distance that a second network sees.
        low: weight of the squared error of 4x4 means. Detail may be made up, but what is larger
            the coarse picture mostly has right, and features alone would let it drift.
    """

    def __init__(
        self,
        teachers: Path,
        *,
        pixel: float = 25.0,
        feature: float = 2.0,
        texture: float = 4.0,
        agreement: float = 200.0,
        second: float = 0.0,
        low: float = 0.0,
    ) -> None:
        self._teacher = load_by_path(teachers / "sqfd.py")
        self._net = self._teacher.SqueezeNet().to(memory_format=torch.channels_last)
        self._second = SecondLook(teachers / "taef2_encoder.pth") if second else None
        self._weights = (pixel, feature, texture, agreement, second, low)

    def __call__(
        self, refined: Tensor, original: Tensor, coarse: Tensor
    ) -> tuple[Tensor, dict[str, float]]:
        """Measure a batch.

        Args:
            refined: float32 [N, 3, H, W] in about 0..1.
            original: the same shape, in 0..1.
            coarse: the same shape, in 0..1.

        Returns:
            The loss, and its parts by name.
        """
        views = [refined, original]
        if float(torch.rand(())) > _AS_IT_IS:
            views = _looked_at_otherwise(*views)
        far, texture = self.distances(*views)
        parts = {
            "mse": F.mse_loss(refined, original),
            "sqfd": far.mean(),
            "sqtd": texture.mean(),
            "agree": F.mse_loss(F.avg_pool2d(refined, _CELL), F.avg_pool2d(coarse, _CELL)),
            "second": self._second(*views).mean() if self._second else far.new_zeros(()),
            "low": F.mse_loss(*(F.avg_pool2d(one, _FINER_CELL) for one in (refined, original))),
        }
        total = torch.stack(list(parts.values())) @ torch.tensor(self._weights)
        return total, {name: float(value.detach()) for name, value in parts.items()}

    def distances(self, picture: Tensor, original: Tensor) -> tuple[Tensor, Tensor]:
        """Give SqFD and SqTD per picture, [N] each; the features are computed once for both."""
        net = _Remembering(self._net)
        picture, original = (
            image.contiguous(memory_format=torch.channels_last) for image in (picture, original)
        )
        far: Tensor = self._teacher.feature_distance(net, picture, original)
        return far, self._teacher.texture_distance(net, picture, original)


def _looked_at_otherwise(*pictures: Tensor) -> list[Tensor]:
    """Turn, mirror, shift, scale and recolour all pictures in the same random way.

    A network whose features are the only judge is soon cheated in ways that another network sees
    at once. Asked about random views of the pictures it is much harder to cheat (E-LPIPS:
    Kettunen, Harkonen, Lehtinen 2019).
    """
    turns, mirrored = int(torch.randint(4, ())), bool(torch.randint(2, ()))
    top, left = (int(offset) for offset in torch.randint(_SHIFT, (2,)))
    colours = torch.randperm(3)
    scale = float(torch.empty(()).uniform_(*_SCALES))
    views = []
    for picture in pictures:
        view = torch.rot90(picture[:, colours, top:, left:], turns, (2, 3))
        view = view.flip(3) if mirrored else view
        views.append(F.interpolate(view, scale_factor=scale, mode="bilinear", antialias=True))
    return views


class _Remembering:
    """Answers a second call with the same tensor from memory."""

    def __init__(self, net: torch.nn.Module) -> None:
        self._net = net
        self._known: list[tuple[Tensor, Any]] = []

    def __call__(self, image: Tensor) -> Any:  # noqa: ANN401 - whatever the teacher gives
        for seen, answer in self._known:
            if seen is image:
                return answer
        self._known.append((image, self._net(image)))
        return self._known[-1][1]
