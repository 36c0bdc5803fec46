"""Teaches the last layer of words anew, on what the finished network sees.

Few passes leave the last layer behind the features that it reads. One look at each photograph and
its mirror image is enough to catch up: the features are kept, and the layer is small.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.semantics_batches import Batches
from training.semantics_network import SemanticsNetwork

__all__ = ["Seen", "look", "refit_words"]

_GROUP = 64
_BATCH = 256
_PASSES = 8
_RATE = 1e-3
_DECAY = 0.1
_DROPPED = 0.2
_KEPT_BACK = 10  # one photograph in so many tells whether it helps


@dataclass(frozen=True)
class Seen:
    """What the network sees in N photographs and their mirror images.

    Attributes:
        places: int64 [N], which photographs.
        summary: float16 [2, N, 768].
        patches: float16 [2, N, W], logits of the nouns by patches alone.
    """

    places: NDArray[np.int64]
    summary: Tensor
    patches: Tensor

    def only(self, chosen: NDArray[np.bool_]) -> Seen:
        """Return some of the photographs: bool [N]."""
        rows = torch.from_numpy(chosen)
        return Seen(self.places[chosen], self.summary[:, rows], self.patches[:, rows])

    def descriptions(self, network: SemanticsNetwork) -> Tensor:
        """Return what the captioner is told, float16 [2, N, 768 + W]."""
        with torch.no_grad():
            words = self.patches.float() + network.whole_words(self.summary.float())
        return torch.cat([self.summary, torch.sigmoid(words).half()], 2)


@torch.no_grad()
def look(network: SemanticsNetwork, batches: Batches, places: NDArray[np.int64]) -> Seen:
    """Look at photographs and their mirror images once."""
    network.eval()
    summaries: tuple[list[Tensor], list[Tensor]] = ([], [])
    patches: tuple[list[Tensor], list[Tensor]] = ([], [])
    for start in range(0, len(places), _GROUP):
        pictures = batches.pictures(places[start : start + _GROUP])
        for view, one in enumerate((pictures, pictures.flip(3))):
            seen = network.look(one)
            summary = network.summary(seen)
            words = network.words(network.patches(seen), summary) - network.whole_words(summary)
            summaries[view].append(summary.half())
            patches[view].append(words.half())
    return Seen(
        places,
        torch.stack([torch.cat(parts) for parts in summaries]),
        torch.stack([torch.cat(parts) for parts in patches]),
    )


def refit_words(network: SemanticsNetwork, batches: Batches, seen: Seen) -> None:
    """Train `whole_words` alone; keep it as it was if photographs kept back tell so."""
    targets, layer = batches.targets, network.whole_words
    present = torch.from_numpy(targets.present[seen.places].astype(np.float32))
    known = torch.from_numpy(targets.known[seen.places].astype(np.float32))
    rows = np.arange(len(seen.places))
    back, taught = rows[::_KEPT_BACK], np.delete(rows, np.s_[::_KEPT_BACK])

    def wrong(chosen: NDArray[np.int64], view: int, dropped: float) -> Tensor:
        summary = functional.dropout(seen.summary[view, chosen].float(), dropped)
        said = seen.patches[view, chosen].float() + layer(summary)
        loss = functional.binary_cross_entropy_with_logits(said, present[chosen], reduction="none")
        return (loss * known[chosen]).sum(1).mean()

    best = float(wrong(back, 0, 0.0).detach())
    print(f"words: loss {best:.3f} before", flush=True)
    kept = {name: value.clone() for name, value in layer.state_dict().items()}
    optimizer = torch.optim.AdamW(layer.parameters(), _RATE, weight_decay=_DECAY)
    for _ in range(_PASSES):
        order = batches.random.permutation(taught)
        for start in range(0, len(order), _BATCH):
            loss = wrong(order[start : start + _BATCH], int(batches.random.integers(2)), _DROPPED)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            now = float(wrong(back, 0, 0.0))
        print(f"words: loss {now:.3f}", flush=True)
        if now < best:
            best, kept = now, {name: value.clone() for name, value in layer.state_dict().items()}
    layer.load_state_dict(kept)
