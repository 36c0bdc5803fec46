"""Integer n-gram model: interpolated Kneser-Ney smoothing (Chen and Goodman 1999), exactly.

A distribution starts with a mass of 2^32. The longest known context hands each of its successors
a part for its count less a discount; what the discounts leave goes on to the next shorter context,
and the last remainder is spread evenly. All of it is floor division of integers, so both ends get
the same intervals on any machine. No list over the vocabulary is ever built: the mass below a
symbol is a sum of a few binary searches, which is all that arithmetic coding needs.

A range coder step resolves 1/65536. A vocabulary of thousands would waste much of that on words
that never come, so a symbol is coded in two steps: its group, then itself within the group. The
groups double in size, as words are numbered by frequency: most searches are short.
"""

from __future__ import annotations

import itertools
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from misc_shared.coding.symbols import SymbolCoder

__all__ = ["Distribution", "NgramTable", "Share"]

_MASS: Final = 1 << 32
_NEGLIGIBLE: Final = _MASS >> 10  # what is not worth asking a shorter context for
_FIRST_GROUP: Final = 64
_BITS: Final = 16

Share: TypeAlias = tuple[Sequence[int], Sequence[int], int, int, int]
"""Successors of one context: ids, running counts, first and last place, discount in 1/256.

The ids rise between the two places; the running count at a place is the sum of all counts before
it, and there is one more of them than of the ids.
"""

_Part: TypeAlias = tuple[Sequence[int], Sequence[int], int, int, int, int, int, int]
# Ids, running counts, first and last place to search, first place of all, discount, the mass that
# is handed out, and what that is divided by.


class NgramTable:
    """Counts of what follows each context of one length.

    Args:
        keys: uint32 [contexts], rising; see `misc_shared.text.model.context_key`.
        sizes: uint16 [contexts], how many successors each has.
        ids: uint16 [successors], rising within a context.
        counts: uint16 [successors], at least 1.
        discount: what smoothing takes off each count, in 1/256.
    """

    def __init__(
        self,
        keys: NDArray[np.uint32],
        sizes: NDArray[np.uint16],
        ids: NDArray[np.uint16],
        counts: NDArray[np.uint16],
        *,
        discount: int,
    ) -> None:
        # bisect reads an array.array several times faster than a NumPy array.
        self._keys = array("I", keys.astype(np.uint32).tobytes())
        self._starts = _running_sums(sizes)
        self._ids = array("H", ids.astype(np.uint16).tobytes())
        self._sums = _running_sums(counts)
        self._discount = discount

    def share(self, context: int) -> Share | None:
        """Return what follows a context, or None if it never came in training."""
        place = bisect_left(self._keys, context)
        if place == len(self._keys) or self._keys[place] != context:
            return None
        return self._ids, self._sums, self._starts[place], self._starts[place + 1], self._discount


def _running_sums(values: NDArray[np.uint16]) -> array[int]:
    sums = np.zeros(len(values) + 1, np.uint32)
    np.cumsum(values, dtype=np.uint32, out=sums[1:])
    return array("I", sums.tobytes())


class Distribution:
    """The chances of the next symbol, as intervals of integers.

    Args:
        shares: what follows each context, the longest context first.
        size: number of symbols.
    """

    def __init__(self, shares: Iterable[Share], size: int) -> None:
        mass = _MASS
        parts: list[_Part] = []
        for ids, sums, first, last, discount in shares:
            scale = (sums[last] - sums[first]) << 8
            parts.append((ids, sums, first, last, first, discount, mass, scale))
            mass -= mass * (scale - discount * (last - first)) // scale
            if mass < _NEGLIGIBLE:
                break
        self._parts = parts
        self._rest = mass
        self._size = size

    def code(self, coder: SymbolCoder, symbol: int = 0) -> int:
        """Write or read a symbol; return it."""
        bounds = _group_bounds(self._size)
        outer = _Steps(self, self._parts, bounds, mass=_MASS + self._size)
        group = coder.code(outer, bisect_right(bounds, symbol) - 1)
        first, last = bounds[group], bounds[group + 1]
        within = self._parts_within(first, last)
        inner = _Steps(self, within, range(first, last + 1), mass=outer.mass(group))
        return first + coder.code(inner, symbol - first)

    def mass_below(self, symbol: int, parts: Iterable[_Part]) -> int:
        """Return the mass that some parts give to all symbols before `symbol`."""
        # One for each symbol, so that none is impossible.
        total = self._rest * symbol // self._size + symbol
        for ids, sums, low, high, first, discount, mass, scale in parts:
            place = bisect_left(ids, symbol, low, high)
            taken = ((sums[place] - sums[first]) << 8) - discount * (place - first)
            total += mass * taken // scale
        return total

    def _parts_within(self, first: int, last: int) -> list[_Part]:
        """Return the parts that have a symbol in [first, last), their search confined to it."""
        within: list[_Part] = []
        for ids, sums, low, high, start, discount, mass, scale in self._parts:
            lower = bisect_left(ids, first, low, high)
            upper = bisect_left(ids, last, lower, high)
            if lower < upper:
                within.append((ids, sums, lower, upper, start, discount, mass, scale))
        return within


class _Steps(Sequence[int]):
    """The cumulative frequencies of one range coder step, worked out only where asked for.

    Args:
        distribution: where the masses come from.
        parts: those of its parts that differ between the bounds.
        bounds: where each choice begins, and the last one ends.
        mass: the mass of all choices together.
    """

    def __init__(
        self,
        distribution: Distribution,
        parts: list[_Part],
        bounds: Sequence[int],
        *,
        mass: int,
    ) -> None:
        self._distribution = distribution
        self._parts = parts
        self._bounds = bounds
        self._mass = mass
        self._base = distribution.mass_below(bounds[0], parts)
        self._known = {0: 0, len(bounds) - 1: mass}
        self._spare = (1 << _BITS) - (len(bounds) - 1)

    def __len__(self) -> int:
        return len(self._bounds)

    def __getitem__(self, place: int) -> int:  # type: ignore[override]
        # One for each choice here too: a small mass may round to nothing.
        return self._mass_below(place) * self._spare // self._mass + place

    def mass(self, choice: int) -> int:
        """Return the mass of one choice."""
        return self._mass_below(choice + 1) - self._mass_below(choice)

    def _mass_below(self, place: int) -> int:
        mass = self._known.get(place)
        if mass is None:
            mass = self._distribution.mass_below(self._bounds[place], self._parts) - self._base
            self._known[place] = mass
        return mass


@cache
def _group_bounds(size: int) -> tuple[int, ...]:
    """Return where the groups begin, and the last one ends."""
    return 0, *itertools.takewhile(lambda bound: bound < size, _doubling()), size


def _doubling() -> Iterator[int]:
    return (_FIRST_GROUP << step for step in itertools.count())
