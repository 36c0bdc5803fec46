"""A second network for the refiner to answer to: the encoder of a tiny autoencoder.

What one network alone judges is soon made for that network's eyes. The features of an encoder that
was trained to keep a picture, not to name what is in it, object where the first is easily pleased.
The weights are those of `taef2_encoder.pth` (madebyollin/taesd, MIT); no part of them is shipped.
"""

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

__all__ = ["SecondLook"]

# The encoder works at full resolution and costs several times what the rest of the loss does, so
# it sees about so many pixels of a batch.
_PIXELS = 3 * 64**2
_MULTIPLE = 16
# Distances at the first convolution are small, and what is made up shows there first: those of an
# encoder that judged nothing here had risen by 7 % there, and by .5 % at most at its other levels.
_FIRST = 4.0


class SecondLook(torch.nn.Module):
    """Distance between features of an encoder: its first ones, and at full, half and quarter size.

    The encoder is a plain row: a convolution, residual blocks, and halving convolutions without
    bias. It is read up to the first block that pools, past which it sees whole pictures only.

    Args:
        path: of the state dictionary.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        stored: Mapping[str, Tensor] = torch.load(path, weights_only=True, map_location="cpu")
        self._steps: list[list[tuple[Tensor, Tensor | None]]] = []
        for number in sorted({int(name.split(".")[0]) for name in stored}):
            if f"{number}.pool.0.weight" in stored:
                break
            names = [f"{number}.conv.{place}" for place in (0, 2, 4)]
            names = names if f"{names[0]}.weight" in stored else [str(number)]
            self._steps.append([_weights(stored, name) for name in names])

    def forward(self, shown: Tensor, original: Tensor) -> Tensor:
        """Compare one random window of [N, 3, H, W] pictures in 0..1; give distances [N]."""
        edge = round((_PIXELS / len(shown)) ** 0.5 / _MULTIPLE) * _MULTIPLE
        window = (..., *(_part(side, edge) for side in shown.shape[2:]))
        with torch.no_grad():
            aims = self._features(original[window])
        pairs = zip(self._features(shown[window]), aims, strict=True)
        first, *rest = [(u - v).square().sum(1).mean((1, 2)) for u, v in pairs]
        return _FIRST * first + torch.stack(rest).sum(0)

    def _features(self, picture: Tensor) -> list[Tensor]:
        """Features [N, C, h, w] of unit length over channels: first, and at resolutions' ends."""
        value = picture.contiguous(memory_format=torch.channels_last)
        found = []
        for number, weights in enumerate(self._steps):
            if len(weights) > 1:
                value = F.relu(value + _branch(value, weights))
                continue
            if number:
                found.append(F.normalize(value, dim=1))
            value = F.conv2d(value, *weights[0], stride=2 if number else 1, padding=1)
            if not number:
                found.append(F.normalize(F.relu(value), dim=1))
        return found


def _part(side: int, edge: int) -> slice:
    edge = min(edge, side)
    start = int(torch.randint(side - edge + 1, ()))
    return slice(start, start + edge)


def _weights(stored: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor | None]:
    bias = stored.get(f"{name}.bias")
    weight = stored[f"{name}.weight"].float().contiguous(memory_format=torch.channels_last)
    return weight, None if bias is None else bias.float()


def _branch(value: Tensor, weights: list[tuple[Tensor, Tensor | None]]) -> Tensor:
    for index, (weight, bias) in enumerate(weights):
        value = F.conv2d(F.relu(value) if index else value, weight, bias, padding=1)
    return value
