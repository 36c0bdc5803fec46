"""The small captioner: a recurrent network that is told what the picture shows."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["BEGIN", "END", "UNKNOWN", "Captioner"]

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

    def step(self, token: Tensor, context: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Advance by one word.

        Args:
            token: int64 [B], the word before.
            context: float [B, 192].
            state: float [B, 320].

        Returns:
            Log probabilities [B, tokens] of the next word, and the next state.
        """
        logits, following = self._run(token[:, None], context, state)
        return torch.log_softmax(logits[:, 0], 1), following

    def forward(self, tokens: Tensor, description: Tensor) -> Tensor:
        """Score every next word of captions [B, T]: logits [B, T, tokens]."""
        context, state = self.start(description)
        return self._run(tokens, self.drop(context), state)[0]

    def _run(self, tokens: Tensor, context: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        embedded = self.drop(self.embedding(tokens))
        spread = context[:, None].expand(-1, tokens.shape[1], -1)
        out, following = self.cell(torch.cat([embedded, spread], 2), state[None])
        return self.out(out) @ self.embedding.weight.T + self.bias, following[0]
