"""Two scores of captions against references: BLEU-4 and CIDEr-D.

BLEU: Papineni et al. 2002, over the corpus, with the brevity penalty of the closest reference.
CIDEr-D: Vedantam et al. 2015, clipped counts, length penalty with sigma 6, times 10; the
document frequencies come from the references given.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

__all__ = ["bleu4", "cider"]

_Words = Sequence[str]
_ORDERS = 4
_SIGMA = 6.0


def bleu4(candidates: Sequence[_Words], references: Sequence[Sequence[_Words]]) -> float:
    """Score candidates [N] against their references [N][R]; 0..1."""
    matches, totals = [0] * _ORDERS, [0] * _ORDERS
    length, closest = 0, 0
    for candidate, others in zip(candidates, references, strict=True):
        length += len(candidate)
        closest += min((abs(len(one) - len(candidate)), len(one)) for one in others)[1]
        for order in range(1, _ORDERS + 1):
            counts = _grams(candidate, order)
            most: Counter[tuple[str, ...]] = Counter()
            for other in others:
                most |= _grams(other, order)
            matches[order - 1] += sum((counts & most).values())
            totals[order - 1] += sum(counts.values())
    if min(matches) == 0:
        return 0.0
    precision = sum(math.log(m / t) for m, t in zip(matches, totals, strict=True)) / _ORDERS
    return math.exp(precision + min(0.0, 1 - closest / length))


def cider(candidates: Sequence[_Words], references: Sequence[Sequence[_Words]]) -> float:
    """Score candidates [N] against their references [N][R]; 0..10, people reach about 1."""
    frequency: Counter[tuple[str, ...]] = Counter()
    for others in references:
        orders = range(1, _ORDERS + 1)
        frequency.update({gram for one in others for n in orders for gram in _grams(one, n)})
    documents = math.log(len(references))
    total = 0.0
    for candidate, others in zip(candidates, references, strict=True):
        similar = [_similarity(candidate, other, frequency, documents) for other in others]
        total += 10 * sum(similar) / len(similar)
    return total / len(candidates)


def _similarity(
    candidate: _Words, other: _Words, frequency: Counter[tuple[str, ...]], documents: float
) -> float:
    penalty = math.exp(-((len(candidate) - len(other)) ** 2) / (2 * _SIGMA**2))
    total = 0.0
    for order in range(1, _ORDERS + 1):
        one = _weighted(candidate, order, frequency, documents)
        two = _weighted(other, order, frequency, documents)
        norm = math.hypot(*one.values()) * math.hypot(*two.values())
        if norm > 0:
            total += sum(min(v, two.get(g, 0.0)) * two.get(g, 0.0) for g, v in one.items()) / norm
    return penalty * total / _ORDERS


def _weighted(
    words: _Words, order: int, frequency: Counter[tuple[str, ...]], documents: float
) -> dict[tuple[str, ...], float]:
    return {
        gram: count * (documents - math.log(max(1, frequency[gram])))
        for gram, count in _grams(words, order).items()
    }


def _grams(words: _Words, order: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[start : start + order]) for start in range(len(words) - order + 1))
