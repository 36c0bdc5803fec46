"""Teaches what the captioner may speak about: pictures like those whose captions it has read.

It has read captions of snapshots, mostly of people and dogs out of doors. Of a cat or a rocket it
would say what is said most often, fluently and wrongly, so it is better not asked.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from training.semantics_refit import Seen

__all__ = ["teach_familiar"]

_PASSES = 6
_BATCH = 256
_RATE = 2e-3
_DECAY = 0.1
_DROPPED = 0.2
_KEPT_BACK = 10


def teach_familiar(layer: nn.Linear, seen: Seen, captioned: NDArray[np.bool_]) -> None:
    """Teach a logistic regression whether a photograph is of the kind that has captions.

    Args:
        layer: taught in place; from a summary [B, 768] to a logit [B, 1].
        seen: what the network sees in photographs with captions and without.
        captioned: bool [N], which of them have captions; both kinds count the same.
    """
    wanted = torch.from_numpy(captioned.astype(np.float32))
    weight = torch.where(wanted > 0, 0.5 / wanted.mean(), 0.5 / (1 - wanted.mean()))
    rows = np.arange(len(captioned))
    taught = np.delete(rows, np.s_[::_KEPT_BACK])
    optimizer = torch.optim.AdamW(layer.parameters(), _RATE, weight_decay=_DECAY)
    random = np.random.default_rng(0)
    for _ in range(_PASSES):
        order = random.permutation(taught)
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            summary = seen.summary[int(random.integers(2)), chosen].float()
            said = layer(functional.dropout(summary, _DROPPED))[:, 0]
            loss = functional.binary_cross_entropy_with_logits(said, wanted[chosen], weight[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    back = rows[::_KEPT_BACK]
    with torch.no_grad():
        right = (layer(seen.summary[0, back].float())[:, 0] > 0) == (wanted[back] > 0)
    print(f"familiar: right for {float(right.float().mean()):.3f} of those kept back", flush=True)
