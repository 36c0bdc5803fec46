"""What a picture shows: the data types that both ends exchange as text and maps.

The contract is the paper's (arXiv 2402.16749): up to a few items, each with a short name, a
detail and a binary map of where it is, and one caption for the whole picture. The types carry
no behaviour; `misc_shared.text` and `misc_shared.maps` turn them into bytes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MAX_CAPTION_WORDS",
    "MAX_DETAIL_WORDS",
    "MAX_ITEMS",
    "MAX_NAME_WORDS",
    "MAX_TEXT_CHARACTERS",
    "Item",
    "Semantics",
]

MAX_ITEMS = 8
"""Items that one picture may have; the text and map layers refuse more."""

MAX_TEXT_CHARACTERS = 4000
"""Characters that names, details and caption may have together; the text layer refuses more."""

# What a semantics backend aims at. The coders carry longer text too: a backend is asked to stay
# below these so that the text pays for itself, not because the bytes could not hold more.
MAX_NAME_WORDS = 3
MAX_DETAIL_WORDS = 10
MAX_CAPTION_WORDS = 50


@dataclass(frozen=True, eq=False)
class Item:
    """One thing in the picture.

    Attributes:
        name: what it is, such as "dog"; at most `MAX_NAME_WORDS` words.
        detail: what it looks like and where, such as "brown, large, center"; may be empty.
        map: where it is: bool [rows, columns], True in the cells it covers, or None if unknown.
    """

    name: str
    detail: str = ""
    map: NDArray[np.bool_] | None = None

    def __eq__(self, other: object) -> bool:
        """Compare by value; arrays have no truth value, so the generated one can't."""
        if not isinstance(other, Item):
            return NotImplemented
        same_text = (self.name, self.detail) == (other.name, other.detail)
        return same_text and _same_map(self.map, other.map)

    def __hash__(self) -> int:
        """Hash the text alone: equal items have equal text."""
        return hash((self.name, self.detail))


@dataclass(frozen=True)
class Semantics:
    """All that is said about one picture.

    Attributes:
        items: the things in it, the most important first; at most `MAX_ITEMS`.
        caption: one description of the whole; may be empty.
    """

    items: tuple[Item, ...] = ()
    caption: str = ""


def _same_map(one: NDArray[np.bool_] | None, other: NDArray[np.bool_] | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one, other)
