"""Counts what follows what, as the text coder's Kneser-Ney tables want it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from misc_shared.text.model import END, context_key

__all__ = ["SuccessorCounts", "count_orders", "pack_tables"]


@dataclass
class SuccessorCounts:
    """How often each symbol followed each context of one length.

    Attributes:
        bits: width of one symbol in a context's key.
        discount: what the reader takes off each count, in 1/256.
        counts: by context and successor.
    """

    bits: int
    discount: int
    counts: dict[tuple[int, ...], Counter[int]] = field(default_factory=dict)

    def add(self, context: tuple[int, ...], symbol: int, count: int = 1) -> None:
        """Count a successor."""
        self.counts.setdefault(context, Counter())[symbol] += count

    def rows(self) -> list[tuple[int, list[tuple[int, int]]]]:
        """Return each context's key with its successors and their counts, all rising."""
        keyed = ((context_key(key, bits=self.bits), row) for key, row in self.counts.items())
        return sorted((key, sorted(row.items())) for key, row in keyed)


def pack_tables(tables: Iterable[SuccessorCounts]) -> dict[str, NDArray[np.generic]]:
    """Return the arrays that `misc_shared.text.model` reads, for tables in its order."""
    layout: list[tuple[int, int, int]] = []
    every: list[tuple[int, list[tuple[int, int]]]] = []
    for table in tables:
        rows = table.rows()
        layout.append((len(rows), sum(len(row) for _, row in rows), table.discount))
        every.extend(rows)
    successors = [pair for _, row in every for pair in row]
    return {
        "layout": np.array(layout, np.int64),
        "keys": np.array([key for key, _ in every], np.uint32),
        "sizes": np.array([len(row) for _, row in every], np.uint16),
        "ids": np.array([symbol for symbol, _ in successors], np.uint16),
        "counts": np.array([min(count, 65535) for _, count in successors], np.uint16),
    }


def count_orders(
    sequences: Iterable[tuple[Sequence[int], Sequence[int]]],
    *,
    bits: int,
    discounts: Sequence[int],
) -> list[SuccessorCounts]:
    """Count sequences at every context length.

    The longest contexts count occurrences; the shorter ones count in how many different contexts
    one symbol longer a successor came (Kneser and Ney 1995), which is what backing off asks for.

    Args:
        sequences: pairs of what stands before (as many symbols as the longest context has) and
            the symbols themselves, without the END that follows them.
        bits: width of one symbol in a context's key.
        discounts: in 1/256, for contexts of 0, 1, 2, ... symbols.

    Returns:
        The counts, for contexts of 0, 1, 2, ... symbols.
    """
    orders = [SuccessorCounts(bits, discount) for discount in discounts]
    longest = orders[-1]
    for before, symbols in sequences:
        history = list(before)
        for symbol in [*symbols, END]:
            longest.add(tuple(history), symbol)
            history = [*history[1:], symbol]
    for shorter, longer in zip(orders[-2::-1], orders[:0:-1], strict=True):
        for context, row in longer.counts.items():
            for symbol in row:
                shorter.add(context[1:], symbol)
    return orders
