"""Linear probes of the teacher's features: what is there, and where.

One logistic regression from the teacher's pooled features to the nouns of the captions. As pooling
is a mean, the same weights score every single patch (class activation maps: Zhou et al. 2016), so
a picture whose caption says "snow" shows where the snow lies. Only training photographs are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

__all__ = ["Probe", "WordProbe"]

_STEPS = 150
_DECAY = 2e-3
_FEWEST_PATCH_LOGITS = 1.5  # a noun that no patch raises by this much is not to be found
_EDGE = 0.4  # share of the highest patch's rise from which a patch belongs to the noun
_STEEPNESS = 6.0
_WORD_BATCH = 128
_WORD_PASSES = 12
_WORD_RATE = 1e-3
_WORD_DECAY = 0.3


@dataclass(frozen=True)
class Probe:
    """Weights of the regression for K nouns.

    Attributes:
        mean, deviation: float [320], of the teacher's features.
        weights: float [320, K].
        bias: float [K].
    """

    mean: Tensor
    deviation: Tensor
    weights: Tensor
    bias: Tensor

    @classmethod
    def fit(cls, teacher: NDArray[np.int8], named: NDArray[np.bool_]) -> Probe:
        """Fit to features [N, 7, 7, 320] and which of K nouns each caption names, [N, K]."""
        pooled = torch.stack(
            [torch.from_numpy(one.astype(np.float32)).mean((0, 1)) for one in teacher]
        )
        mean, deviation = pooled.mean(0), pooled.std(0) + 1e-3
        inputs, wanted = (pooled - mean) / deviation, torch.from_numpy(named).float()
        share = wanted.mean(0).clamp(1e-4, 1 - 1e-4)
        weights = torch.zeros(inputs.shape[1], wanted.shape[1], requires_grad=True)
        bias = torch.logit(share).clone().requires_grad_()
        optimizer = torch.optim.Adam([weights, bias], 0.03)
        for _ in range(_STEPS):
            wrong = functional.binary_cross_entropy_with_logits(inputs @ weights + bias, wanted)
            loss = wrong + _DECAY * weights.square().sum() / wanted.shape[1]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        return cls(mean, deviation, weights.detach(), bias.detach())

    def present(self, teacher: NDArray[np.int8]) -> NDArray[np.float32]:
        """Return the probability of each noun in one picture [7, 7, 320]: float32 [K]."""
        rises = self._rises(teacher).mean((1, 2))
        return torch.sigmoid(rises + self.bias).numpy()

    def where(self, teacher: NDArray[np.int8], noun: int, side: int) -> NDArray[np.uint8] | None:
        """Place a noun in a picture that is known to show it.

        Args:
            teacher: features [7, 7, 320].
            noun: its place among the K.
            side: of the grid to draw.

        Returns:
            uint8 [side, side], 0..255 how surely it is in the cell, or None if it is not found.
        """
        rises = self._rises(teacher)[noun]
        if rises.max() < _FEWEST_PATCH_LOGITS:
            return None
        share = functional.interpolate(
            (rises / rises.max())[None, None], (side, side), mode="bilinear", align_corners=False
        )[0, 0]
        cells: NDArray[np.uint8] = (
            (255 * torch.sigmoid(_STEEPNESS * (share - _EDGE))).byte().numpy()
        )
        return cells

    def _rises(self, teacher: NDArray[np.int8]) -> Tensor:
        """Return by how many logits each patch raises each noun, [K, 7, 7]."""
        features = torch.from_numpy(teacher.astype(np.float32))
        scaled = (features - self.mean) / self.deviation
        return torch.einsum("hwc,ck->khw", scaled, self.weights)


@dataclass(frozen=True)
class WordProbe:
    """A logistic regression from what the teacher's classifier reads to K words.

    Attributes:
        mean, deviation: float [1280], of the features.
        layer: from standardised features to logits.
    """

    mean: Tensor
    deviation: Tensor
    layer: torch.nn.Linear

    @classmethod
    def fit(cls, whole: NDArray[np.int8], named: NDArray[np.floating[Any]]) -> WordProbe:
        """Fit to features [N, 1280] and how surely each of K words is said, [N, K] in 0..1."""
        inputs = torch.from_numpy(whole.astype(np.float32))
        mean, deviation = inputs.mean(0), inputs.std(0) + 1.0
        inputs, wanted = (inputs - mean) / deviation, torch.from_numpy(named.astype(np.float32))
        layer = torch.nn.Linear(inputs.shape[1], wanted.shape[1])
        torch.nn.init.zeros_(layer.weight)
        with torch.no_grad():
            layer.bias.copy_(torch.logit(wanted.mean(0).clamp(1e-4, 1 - 1e-4)))
        optimizer = torch.optim.AdamW(layer.parameters(), _WORD_RATE, weight_decay=_WORD_DECAY)
        order = np.random.default_rng(0)
        for _ in range(_WORD_PASSES):
            for chosen in torch.from_numpy(order.permutation(len(inputs))).split(_WORD_BATCH):
                said = layer(functional.dropout(inputs[chosen], 0.3))
                loss = functional.binary_cross_entropy_with_logits(said, wanted[chosen])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return cls(mean, deviation, layer)

    @torch.no_grad()
    def present(self, whole: NDArray[np.int8]) -> NDArray[np.float32]:
        """Return the probability of each word, float32 [..., K], from features [..., 1280]."""
        inputs = (torch.from_numpy(whole.astype(np.float32)) - self.mean) / self.deviation
        said: NDArray[np.float32] = torch.sigmoid(self.layer(inputs)).numpy()
        return said
