"""Muon: momentum whose steps are orthogonalised, for the matrices of hidden layers.

Jordan et al. 2024, with the step size of Liu et al. 2025, which lets it share AdamW's rates. Few
passes over few photographs are all that a small processor has time for, and its steps go further.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

__all__ = ["Muon", "split_parameters"]

_MOMENTUM = 0.95
_ROUNDS = 4
_QUINTIC = (3.4445, -4.7750, 2.0315)
_LIKE_ADAMW = 0.2  # the usual size of an AdamW step, relative to its rate


class Muon(torch.optim.Optimizer):
    """Steps for weights of two or more dimensions, the first of which counts outputs.

    Args:
        parameters: float32 weights.
        lr: the rate.
        weight_decay: share of the rate by which weights shrink.
    """

    def __init__(self, parameters: Iterable[Tensor], lr: float, *, weight_decay: float) -> None:
        super().__init__(list(parameters), {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """Take one step; a closure is not supported."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].lerp_(weight.grad, 1 - _MOMENTUM)
                ahead = weight.grad.lerp(state["momentum"], _MOMENTUM)
                rows = ahead.reshape(len(ahead), -1)
                step = _orthogonal(rows) * (_LIKE_ADAMW * max(rows.shape) ** 0.5)
                weight.mul_(1 - group["lr"] * group["weight_decay"])
                weight.add_(step.reshape(weight.shape), alpha=-group["lr"])


def _orthogonal(matrix: Tensor) -> Tensor:
    """Bring all singular values of [M, N] near 1 (Newton-Schulz)."""
    first, second, third = _QUINTIC
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    for _ in range(_ROUNDS):
        square = x @ x.T
        x = first * x + (second * square + third * square @ square) @ x
    return x.T if tall else x


def split_parameters(
    module: nn.Module, outputs: Iterable[nn.Module]
) -> tuple[list[Tensor], list[Tensor]]:
    """Return the weights of dense convolutions that are not within `outputs`, and all others."""
    last = {id(weight) for layer in outputs for weight in layer.parameters()}
    dense = [
        layer.weight
        for layer in module.modules()
        if isinstance(layer, nn.Conv2d) and layer.groups == 1 and id(layer.weight) not in last
    ]
    chosen = {id(weight) for weight in dense}
    return dense, [one for one in module.parameters() if id(one) not in chosen]
