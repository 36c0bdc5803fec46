"""Trains the captioner on what the finished network sees."""

from __future__ import annotations

import collections
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.loop import cosine, save_whole
from training.semantics_batches import Batches
from training.semantics_captioner import BEGIN, END, UNKNOWN, Captioner
from training.semantics_network import SemanticsNetwork
from training.semantics_refit import Seen
from training.semantics_words import caption_words

__all__ = ["CaptionTrainer", "caption_tokens"]

_BATCH = 128
_RATE = 2e-3
_DECAY = 0.02
_WARM_UP = 100
_LONGEST = 20
_RAREST = 5
_SMOOTHING = 0.05


def caption_tokens(captions: list[str]) -> list[str]:
    """Return the caption vocabulary: end, begin, unknown, then words by falling frequency."""
    counts = collections.Counter(word for text in captions for word in caption_words(text))
    known = [word for word, count in counts.most_common() if count >= _RAREST]
    return ["<end>", "<begin>", "<unknown>", *known]


@dataclass(frozen=True)
class _Pairs:
    """Descriptions of both views [2, N, C], captions [M, 20], and each caption's picture [M]."""

    descriptions: Tensor
    captions: Tensor
    picture: NDArray[np.int64]


class CaptionTrainer:
    """The captioner, its optimiser, and where the clock stands.

    Args:
        captioner: trained in place.
        network: finished; it stays as it is.
        batches: the data.
        tokens: the caption vocabulary.
        seen: what the network sees in the training photographs that have captions.
        file: checkpoint; training goes on from it if it is there.
        minutes: by the clock, over all runs of this checkpoint.
    """

    def __init__(
        self,
        captioner: Captioner,
        network: SemanticsNetwork,
        batches: Batches,
        tokens: list[str],
        seen: Seen,
        file: Path,
        *,
        minutes: float,
    ) -> None:
        self.captioner = captioner
        self.step, self.spent = 0, 0.0
        self._file, self._seconds, self._random = file, 60 * minutes, batches.random
        parameters = captioner.parameters()
        self._optimizer = torch.optim.AdamW(parameters, _RATE, weight_decay=_DECAY, fused=True)
        if file.exists():
            state = torch.load(file, weights_only=True)
            captioner.load_state_dict(state["captioner"])
            self._optimizer.load_state_dict(state["optimizer"])
            self.step, self.spent = state["step"], state["spent"]
            print(f"captioner goes on from step {self.step}", flush=True)
        self._pairs = _pairs(network, batches, tokens, seen)
        self._chosen = self._endless()
        captioner.train()

    def remaining(self) -> float:
        """Give the seconds left."""
        return self._seconds - self.spent

    def add_time(self, seconds: float) -> None:
        """Count time as spent."""
        self.spent += seconds

    def train_step(self) -> dict[str, float]:
        """Take one step on one batch of captions."""
        share = cosine(self.spent / self._seconds, self.step, warm_up=_WARM_UP)
        for group in self._optimizer.param_groups:
            group["lr"] = _RATE * share
        loss = _loss(self.captioner, self._pairs, next(self._chosen), self._random)
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.captioner.parameters(), 3.0)
        self._optimizer.step()
        self.step += 1
        return {"loss": loss.item()}

    def save(self) -> None:
        """Write the checkpoint."""
        state = {
            "captioner": self.captioner.state_dict(),
            "optimizer": self._optimizer.state_dict(),
        }
        save_whole({**state, "step": self.step, "spent": self.spent}, self._file)

    def _endless(self) -> Iterator[NDArray[np.int64]]:
        while True:
            order = self._random.permutation(len(self._pairs.captions))
            for start in range(0, len(order) - _BATCH + 1, _BATCH):
                yield order[start : start + _BATCH]


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
    return functional.cross_entropy(logits, wanted, label_smoothing=_SMOOTHING)


def _pairs(network: SemanticsNetwork, batches: Batches, tokens: list[str], seen: Seen) -> _Pairs:
    targets = batches.targets
    number_of = {word: number for number, word in enumerate(tokens)}
    captions, picture = [], []
    for row, place in enumerate(seen.places):
        for text in targets.captions[place]:
            numbers = [number_of.get(word, UNKNOWN) for word in caption_words(text)][: _LONGEST - 1]
            captions.append(numbers + [END] * (_LONGEST - len(numbers)))
            picture.append(row)
    return _Pairs(seen.descriptions(network), torch.tensor(captions), np.array(picture))
