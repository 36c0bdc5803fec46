"""Writes a caption with a beam search, and only about things that are seen.

Of what the search finds, that is said which the others agree with most (minimum Bayes risk: Kumar
and Byrne 2004): the likeliest sentence alone is often one that nobody would write.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from misc_sender.semantics.networks import CaptionNetwork, Sight
from misc_sender.semantics.vocabulary import Vocabulary

__all__ = ["find_caption", "write_caption"]

_END, _BEGIN, _UNKNOWN = 0, 1, 2
_BEAM = 8
_LONGEST = 18
_LENGTH_BONUS = 0.9  # log probabilities are divided by length to this power
_TRUST = 4.0  # how much more a likelier draft counts when they are compared


_Parts = Counter[int | tuple[int, int]]


@dataclass(frozen=True)
class _Draft:
    words: tuple[int, ...]
    likelihood: float
    finished: bool = False

    @property
    def merit(self) -> float:
        return float(self.likelihood / max(1, len(self.words)) ** _LENGTH_BONUS)

    @property
    def fluency(self) -> float:
        return self.likelihood / max(1, len(self.words) + 1)


def write_caption(network: CaptionNetwork, vocabulary: Vocabulary, sight: Sight) -> str:
    """Write the most likely caption that names only nouns that are seen, or none.

    Args:
        network: the captioner.
        vocabulary: its words.
        sight: what is seen.

    Returns:
        A sentence such as "A dog runs through the grass.", or "" if none is sure enough.
    """
    if sight.familiar < vocabulary.speak:
        return ""
    sentence, fluency = find_caption(network, vocabulary, sight)
    return sentence if fluency >= vocabulary.fluency else ""


def find_caption(
    network: CaptionNetwork, vocabulary: Vocabulary, sight: Sight
) -> tuple[str, float]:
    """Return the most likely caption, sure enough or not, and its mean log probability a word."""
    unseen = _unseen(vocabulary, sight)
    best = _most_agreed(_search(network, sight, unseen))
    if best is None or not best.words:
        return "", -np.inf
    sentence = " ".join(vocabulary.tokens[word] for word in best.words)
    return f"{sentence[:1].upper()}{sentence[1:]}.", best.fluency


def _most_agreed(drafts: list[_Draft]) -> _Draft | None:
    """Return the draft that shares most with all of them, the likelier counting more."""
    if not drafts:
        return None
    merits = np.array([draft.merit for draft in drafts])
    trust = np.exp(_TRUST * (merits - merits.max()))
    parts = [_Parts([*draft.words, *pairwise(draft.words)]) for draft in drafts]
    agreed = [
        sum(weight * _shared(one, other) for weight, other in zip(trust, parts, strict=True))
        for one in parts
    ]
    return drafts[int(np.argmax(agreed))]


def _shared(one: _Parts, other: _Parts) -> float:
    """Return the F1 measure of two bags of words and pairs of words."""
    return 2 * (one & other).total() / max(1, one.total() + other.total())


def _unseen(vocabulary: Vocabulary, sight: Sight) -> NDArray[np.int64]:
    """Return the words that name nothing but nouns that are not seen."""
    places = [vocabulary.spellings.get(token, ()) for token in vocabulary.tokens]
    unseen = [
        word
        for word, nouns in enumerate(places)
        if nouns and max(sight.present[list(nouns)]) < vocabulary.support
    ]
    return np.array([_BEGIN, _UNKNOWN, *unseen])


def _search(network: CaptionNetwork, sight: Sight, unseen: NDArray[np.int64]) -> list[_Draft]:
    """Return finished captions without the unseen words; the beam stops when it is full of them."""
    context, state = network.start(sight)
    drafts, finished = [_Draft((), 0.0)], list[_Draft]()
    for _ in range(_LONGEST):
        last = np.array([draft.words[-1] if draft.words else _BEGIN for draft in drafts])
        contexts = np.repeat(context, len(drafts), 0)
        likelihoods, state = network.step(last, contexts, state)
        likelihoods[:, unseen] = -np.inf
        parents, extended = _extend(drafts, likelihoods)
        finished += [draft for draft in extended if draft.finished]
        going = [place for place, draft in enumerate(extended) if not draft.finished]
        drafts = [extended[place] for place in going]
        state = state[parents[going]]
        if len(finished) >= _BEAM or not drafts:
            break
    return finished


def _extend(
    drafts: list[_Draft], likelihoods: NDArray[np.float32]
) -> tuple[NDArray[np.int64], list[_Draft]]:
    """Return the best continuations, and which draft each continues."""
    sums = likelihoods + np.array([draft.likelihood for draft in drafts], np.float32)[:, None]
    best = np.argsort(-sums, axis=None, kind="stable")[:_BEAM]
    parents, words = np.unravel_index(best, sums.shape)
    extended = [
        _Draft(drafts[parent].words, float(sums[parent, word]), finished=True)
        if word == _END
        else _Draft((*drafts[parent].words, int(word)), float(sums[parent, word]))
        for parent, word in zip(parents.tolist(), words.tolist(), strict=True)
    ]
    return parents.astype(np.int64), extended
