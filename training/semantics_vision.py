"""Trains the network that looks at the picture."""

from __future__ import annotations

import math
import time
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from training.semantics_batches import Batch, Batches
from training.semantics_network import INPUT_SIDE, SemanticsNetwork

__all__ = ["losses", "train_vision"]

_BATCH = 32
_RATE = 3e-3
_SAVE_SECONDS = 120
_TEACHER = 6.0  # its features tell most about pictures without captions
# Small pictures first: twice the passes for the same time, and convolutions fit any size.
_SIDES = ((0.0, 112), (0.45, 144), (0.75, INPUT_SIDE))


def train_vision(network: SemanticsNetwork, batches: Batches, file: Path, *, minutes: float) -> int:
    """Train until the minutes are used up, going on from `file` if it is there.

    Args:
        network: trained in place.
        batches: the data.
        file: checkpoint, written every two minutes.
        minutes: of processor time over all runs of this checkpoint.

    Returns:
        The steps taken in all.
    """
    optimizer = torch.optim.AdamW(network.parameters(), _RATE, weight_decay=0.05, fused=True)
    step, spent = _resume(network, optimizer, file)
    began, saved = time.process_time() - spent, time.process_time()
    smooth: dict[str, float] = {}
    network.train()
    while True:
        for places in batches.epoch(_BATCH):
            progress = (time.process_time() - began) / (60 * minutes)
            if progress >= 1:
                _save(network, optimizer, file, step, 60 * minutes)
                return step
            side = max(side for start, side in _SIDES if progress >= start)
            parts = losses(network, batches.make(places, side=side, varied=True))
            for group in optimizer.param_groups:
                group["lr"] = _rate(step, progress)
            optimizer.zero_grad(set_to_none=True)
            torch.stack(list(parts.values())).sum().backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 3.0)
            optimizer.step()
            step += 1
            for name, value in parts.items():
                smooth[name] = 0.98 * smooth.get(name, value.item()) + 0.02 * value.item()
            if step % 50 == 0:
                said = " ".join(f"{name} {value:.4f}" for name, value in smooth.items())
                print(f"vision {step} side {side} {progress:4.0%} {said}", flush=True)
            if time.process_time() - saved > _SAVE_SECONDS:
                _save(network, optimizer, file, step, time.process_time() - began)
                saved = time.process_time()


def losses(network: SemanticsNetwork, batch: Batch) -> dict[str, Tensor]:
    """Return the three losses of a batch: teacher's features, nouns named, nouns placed."""
    patches, deep = network.features(batch.pictures)
    words = network.words(patches, network.summary(deep))
    agreed = functional.interpolate(network.teacher(deep), batch.teacher.shape[2:], mode="area")
    named = functional.binary_cross_entropy_with_logits(words, batch.present, reduction="none")
    return {
        "teacher": _TEACHER * _disagreement(agreed, batch.teacher),
        "named": (named * batch.known).sum(1).mean() / 20,
        "placed": _placed_loss(network, patches, batch),
    }


def _disagreement(agreed: Tensor, teacher: Tensor) -> Tensor:
    """Compare features [B, 320, 7, 7] patch by patch, and what is left of them on average."""
    whole = functional.mse_loss(agreed.mean((2, 3)), teacher.mean((2, 3)))
    return functional.smooth_l1_loss(agreed, teacher) + whole


def _placed_loss(network: SemanticsNetwork, patches: Tensor, batch: Batch) -> Tensor:
    places = network.placed
    scores = functional.conv2d(
        patches, network.patch_words.weight[places], network.patch_words.bias[places]
    )
    wrong = functional.binary_cross_entropy_with_logits(scores, batch.grids, reduction="none")
    return (wrong.mean((2, 3)) * batch.placed_known).sum(1).mean()


def _rate(step: int, progress: float) -> float:
    return _RATE * min(1, (step + 1) / 100) * (0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2)


def _save(
    network: SemanticsNetwork, optimizer: torch.optim.Optimizer, file: Path, step: int, spent: float
) -> None:
    state = {"network": network.state_dict(), "optimizer": optimizer.state_dict()}
    partial = file.with_suffix(".partial")
    torch.save({**state, "step": step, "spent": spent}, partial)
    partial.rename(file)


def _resume(
    network: SemanticsNetwork, optimizer: torch.optim.Optimizer, file: Path
) -> tuple[int, float]:
    if not file.exists():
        return 0, 0.0
    state = torch.load(file, weights_only=True)
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    print(f"vision goes on from step {state['step']}", flush=True)
    return state["step"], state["spent"]
