"""Trains the captioner on what the finished network sees."""

from __future__ import annotations

import collections
import math
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.semantics_batches import Batches
from training.semantics_captioner import BEGIN, END, UNKNOWN, Captioner
from training.semantics_network import INPUT_SIDE, SemanticsNetwork
from training.semantics_words import caption_words

__all__ = ["caption_tokens", "describe", "train_captioner"]

_BATCH = 128
_RATE = 2e-3
_LONGEST = 20
_RAREST = 5
_SAVE_SECONDS = 120
_VIEWS = 3


def caption_tokens(captions: list[str]) -> list[str]:
    """Return the caption vocabulary: end, begin, unknown, then words by falling frequency."""
    counts = collections.Counter(word for text in captions for word in caption_words(text))
    known = [word for word, count in counts.most_common() if count >= _RAREST]
    return ["<end>", "<begin>", "<unknown>", *known]


@torch.no_grad()
def describe(network: SemanticsNetwork, pictures: Tensor) -> Tensor:
    """Turn pictures [B, 3, 160, 160] into what the captioner is told: [B, 384 + W]."""
    patches, deep = network.features(pictures)
    summary = network.summary(deep)
    return torch.cat([summary, torch.sigmoid(network.words(patches, summary))], 1)


@dataclass(frozen=True)
class _Pairs:
    """Descriptions of several views [V, N, C], captions [M, 20], and each caption's picture [M]."""

    descriptions: Tensor
    captions: Tensor
    picture: NDArray[np.int64]


def train_captioner(
    captioner: Captioner,
    network: SemanticsNetwork,
    batches: Batches,
    tokens: list[str],
    file: Path,
    *,
    minutes: float,
) -> int:
    """Train until the minutes are used up, going on from `file` if it is there.

    Args:
        captioner: trained in place.
        network: finished; it stays as it is.
        batches: the data.
        tokens: the caption vocabulary.
        file: checkpoint, written every two minutes.
        minutes: of processor time over all runs of this checkpoint.

    Returns:
        The steps taken in all.
    """
    began, spent, step = time.process_time(), 0.0, 0
    optimizer = torch.optim.AdamW(captioner.parameters(), _RATE, weight_decay=0.02, fused=True)
    if file.exists():
        state = torch.load(file, weights_only=True)
        captioner.load_state_dict(state["captioner"])
        optimizer.load_state_dict(state["optimizer"])
        spent, step = state["spent"], state["step"]
        print(f"captioner goes on from step {step}", flush=True)
    began -= spent
    pairs = _pairs(network, batches, tokens)
    captioner.train()
    saved, smooth = time.process_time(), 6.0
    while True:
        order = batches.random.permutation(len(pairs.captions))
        for start in range(0, len(order) - _BATCH + 1, _BATCH):
            progress = (time.process_time() - began) / (60 * minutes)
            if progress >= 1 or time.process_time() - saved > _SAVE_SECONDS:
                saved = time.process_time()
                state = {"captioner": captioner.state_dict(), "optimizer": optimizer.state_dict()}
                torch.save({**state, "step": step, "spent": saved - began}, file)
            if progress >= 1:
                return step
            for group in optimizer.param_groups:
                group["lr"] = _rate(step, progress)
            loss = _loss(captioner, pairs, order[start : start + _BATCH], batches.random)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(captioner.parameters(), 3.0)
            optimizer.step()
            step += 1
            smooth = 0.98 * smooth + 0.02 * loss.item()
            if step % 50 == 0:
                print(f"captioner {step} {progress:4.0%} loss {smooth:.4f}", flush=True)


def _rate(step: int, progress: float) -> float:
    return _RATE * min(1, (step + 1) / 100) * (0.02 + 0.98 * (1 + math.cos(math.pi * progress)) / 2)


def _loss(
    captioner: Captioner, pairs: _Pairs, chosen: NDArray[np.int64], random: np.random.Generator
) -> Tensor:
    captions = pairs.captions[chosen]
    view = random.integers(len(pairs.descriptions), size=len(chosen))
    description = pairs.descriptions[view, pairs.picture[chosen]].float()
    begin = torch.full((len(captions), 1), BEGIN)
    longest = int((captions != END).sum(1).max()) + 1
    told = torch.cat([begin, captions[:, :-1]], 1)[:, :longest]
    logits = captioner(told, description).flatten(0, 1)
    wanted = captions[:, :longest]
    # After the first end there is nothing more to learn.
    ended = functional.pad((wanted == END).cumsum(1)[:, :-1], (1, 0)) > 0
    wanted = wanted.masked_fill(ended, -100).flatten()
    return functional.cross_entropy(logits, wanted, label_smoothing=0.05)


def _pairs(network: SemanticsNetwork, batches: Batches, tokens: list[str]) -> _Pairs:
    targets = batches.targets
    places = np.array([place for place in targets.train if targets.captions[place]])
    number_of = {word: number for number, word in enumerate(tokens)}
    captions, picture = [], []
    for row, place in enumerate(np.sort(places)):
        for text in targets.captions[place]:
            numbers = [number_of.get(word, UNKNOWN) for word in caption_words(text)][: _LONGEST - 1]
            captions.append(numbers + [END] * (_LONGEST - len(numbers)))
            picture.append(row)
    network.eval()
    views = []
    for view in range(_VIEWS):
        parts = []
        for start in range(0, len(places), 64):
            chosen = np.sort(places)[start : start + 64]
            batch = batches.make(chosen, side=INPUT_SIDE, varied=view > 0)
            parts.append(describe(network, batch.pictures).half())
        views.append(torch.cat(parts))
        print(f"captioner: view {view + 1} of {_VIEWS} described", flush=True)
    return _Pairs(torch.stack(views), torch.tensor(captions), np.array(picture))
