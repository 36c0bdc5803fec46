"""The small captioner: a recurrent network that is told what the picture shows."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["BEGIN", "END", "UNKNOWN", "CaptionStart", "CaptionStep", "Captioner"]

END, BEGIN, UNKNOWN = 0, 1, 2
"""Places of the three tokens that are no words."""

_EMBEDDING = 160
_CONTEXT = 192
_STATE = 320


class Captioner(nn.Module):
    """Predicts the next word from the words so far, the pooled features and the noun scores.

    Args:
        tokens: size of the caption vocabulary.
        inputs: channels of the picture's description (pooled features and noun scores).
    """

    def __init__(self, tokens: int, inputs: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(tokens, _EMBEDDING)
        self.context = nn.Sequential(nn.Linear(inputs, _CONTEXT), nn.SiLU())
        self.first = nn.Linear(_CONTEXT, _STATE)
        self.cell = nn.GRU(_EMBEDDING + _CONTEXT, _STATE, batch_first=True)
        self.out = nn.Sequential(nn.Dropout(0.3), nn.Linear(_STATE, _EMBEDDING))
        self.bias = nn.Parameter(torch.zeros(tokens))
        self.drop = nn.Dropout(0.2)

    def start(self, description: Tensor) -> tuple[Tensor, Tensor]:
        """Turn descriptions [B, inputs] into contexts [B, 192] and first states [B, 320]."""
        context = self.context(description)
        return context, torch.tanh(self.first(context))

    def forward(self, tokens: Tensor, description: Tensor) -> Tensor:
        """Score every next word of captions [B, T]: logits [B, T, tokens]."""
        context, state = self.start(description)
        embedded = self.drop(self.embedding(tokens))
        spread = self.drop(context)[:, None].expand(-1, tokens.shape[1], -1)
        out, _ = self.cell(torch.cat([embedded, spread], 2), state[None])
        return self.score(out)

    def score(self, out: Tensor) -> Tensor:
        """Turn states [..., 320] into logits [..., tokens] by the words' embeddings."""
        return self.out(out) @ self.embedding.weight.T + self.bias


class CaptionStart(nn.Module):
    """What the sender runs once for a picture."""

    def __init__(self, captioner: Captioner) -> None:
        super().__init__()
        self.captioner = captioner

    def forward(self, description: Tensor) -> tuple[Tensor, Tensor]:
        """Turn a description [1, inputs] into its context [1, 192] and first state [1, 320]."""
        return self.captioner.start(description)


class CaptionStep(nn.Module):
    """What the sender runs once for a word: the recurrence written out, free of a sequence."""

    def __init__(self, captioner: Captioner) -> None:
        super().__init__()
        self.captioner = captioner

    def forward(self, token: Tensor, context: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Advance by one word.

        Args:
            token: int64 [B], the word before.
            context: float [B, 192].
            state: float [B, 320].

        Returns:
            Log probabilities [B, tokens] of the next word, and the next states [B, 320].
        """
        cell = self.captioner.cell
        told = torch.cat([self.captioner.embedding(token), context], 1)
        given = functional.linear(told, cell.weight_ih_l0, cell.bias_ih_l0).chunk(3, 1)
        kept = functional.linear(state, cell.weight_hh_l0, cell.bias_hh_l0).chunk(3, 1)
        reset = torch.sigmoid(given[0] + kept[0])
        update = torch.sigmoid(given[1] + kept[1])
        fresh = torch.tanh(given[2] + reset * kept[2])
        following = (1 - update) * fresh + update * state
        return torch.log_softmax(self.captioner.score(following), 1), following
