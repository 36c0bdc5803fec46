"""Trains the network that looks at the picture.

Beside words it learns what the teacher computes halfway and at the end (hints: Romero et al. 2015),
as that says something of every cell of every picture, with captions or without.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.loop import cosine, save_whole
from training.semantics_batches import Batch, Batches
from training.semantics_muon import Muon, split_parameters
from training.semantics_network import INPUT_SIDE, SemanticsNetwork

__all__ = ["VisionTrainer", "losses"]

_BATCH = 48
_RATE = 2e-3
_DECAY = 0.05
_WARM_UP = 30
_DROPPED = 0.2
_HINTS = {"near": 0.5, "mid": 1.0, "deep": 2.0, "whole": 3.0}
_SMALL_SIDE = 128
_SMALL_SHARE = 0.6  # of the time, with pictures of the small side: more of them in the same time


class VisionTrainer:
    """The network, its optimisers, and where the clock stands.

    Args:
        network: trained in place.
        batches: the data.
        file: checkpoint; training goes on from it if it is there.
        minutes: of processor time, over all runs of this checkpoint.
    """

    def __init__(
        self,
        network: SemanticsNetwork,
        batches: Batches,
        file: Path,
        *,
        minutes: float,
    ) -> None:
        self.network, self.batches = network, batches
        self.step, self.spent = 0, 0.0
        self._file, self._seconds = file, 60 * minutes
        dense, others = split_parameters(network, [network.hints, network.patch_words])
        self._optimizers: list[torch.optim.Optimizer] = [
            Muon(dense, _RATE, weight_decay=_DECAY),
            torch.optim.AdamW(others, _RATE, weight_decay=_DECAY, fused=True),
        ]
        self._places = self._endless()
        if file.exists():
            self._resume()

    def remaining(self) -> float:
        """Give the seconds left."""
        return self._seconds - self.spent

    def add_time(self, seconds: float) -> None:
        """Count time as spent."""
        self.spent += seconds

    def train_step(self) -> dict[str, float]:
        """Take one step on one batch; the figures are 1 for a hint of which nothing is learned."""
        share = cosine(self.spent / self._seconds, self.step, warm_up=_WARM_UP)
        for group in [one for optimizer in self._optimizers for one in optimizer.param_groups]:
            group["lr"] = _RATE * share
        self.network.train()
        small = self.spent < _SMALL_SHARE * self._seconds
        side = _SMALL_SIDE if small else INPUT_SIDE
        parts = losses(self.network, self.batches.make(next(self._places), side=side))
        for optimizer in self._optimizers:
            optimizer.zero_grad(set_to_none=True)
        torch.stack(list(parts.values())).sum().backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 10.0)
        for optimizer in self._optimizers:
            optimizer.step()
        self.step += 1
        return {name: value.item() / _HINTS.get(name, 1.0) for name, value in parts.items()}

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "network": self.network.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self._optimizers],
            "step": self.step,
            "spent": self.spent,
        }
        save_whole(state, self._file)

    def _resume(self) -> None:
        state = torch.load(self._file, weights_only=True)
        self.network.load_state_dict(state["network"])
        for optimizer, stored in zip(self._optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(stored)
        self.step, self.spent = state["step"], state["spent"]
        print(f"vision goes on from step {self.step}", flush=True)

    def _endless(self) -> Iterator[NDArray[np.int64]]:
        while True:
            yield from self.batches.epoch(_BATCH)


def losses(network: SemanticsNetwork, batch: Batch) -> dict[str, Tensor]:
    """Return the losses of a batch: hints (times their weights), nouns named, nouns placed."""
    seen = network.look(batch.pictures)
    patches, summary = network.patches(seen), network.summary(seen)
    words = network.words(patches, functional.dropout(summary, _DROPPED, network.training))
    named = functional.binary_cross_entropy_with_logits(words, batch.present, reduction="none")
    stages = {"near": seen.near, "mid": seen.mid, "deep": seen.deep, "whole": summary}
    return {
        **_hint_losses(network, stages, batch),
        "named": (named * batch.known).sum(1).mean() / 3,
        "placed": _placed_loss(network, patches, batch),
    }


def _hint_losses(
    network: SemanticsNetwork, stages: dict[str, Tensor], batch: Batch
) -> dict[str, Tensor]:
    return {
        name: _HINTS[name] * functional.mse_loss(network.hints[name](seen), batch.teacher[name])
        for name, seen in stages.items()
    }


def _placed_loss(network: SemanticsNetwork, patches: Tensor, batch: Batch) -> Tensor:
    places = network.placed
    scores = functional.conv2d(
        patches, network.patch_words.weight[places], network.patch_words.bias[places]
    )
    wrong = functional.binary_cross_entropy_with_logits(scores, batch.grids, reduction="none")
    return (wrong.mean((2, 3)) * batch.placed_known).sum(1).mean()
