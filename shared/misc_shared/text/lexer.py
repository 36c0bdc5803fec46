"""Splits any text into words without losing a character, and puts it together again.

A text is a sequence of words; each says how it is written and whether one space stands before it.
In text of the common kind both follow from the neighbours, so they cost next to nothing:

    "A dog, wet"  ->  a (capital), dog, "," (no space), wet

Only ASCII letters change case here. Unicode's case tables grow with Python's version, and both
ends must agree for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

__all__ = ["Case", "Word", "expects_space", "join_words", "split_words"]

# Letters with hyphens and apostrophes inside, digits, or any single character.
_PATTERN = re.compile(
    r"(?P<space> ?)"
    r"(?P<core>(?:[A-Za-z]|[^\x00-\x7f])+(?:['-](?:[A-Za-z]|[^\x00-\x7f])+)*|[0-9]+|[\x00-\x7f])",
)
_CLOSING = frozenset(".,;:!?)]}'\"%")
_OPENING = frozenset("([{\n\t ")


class Case(IntEnum):
    """How a word is written."""

    AS_IS = 0
    CAPITAL = 1
    UPPER = 2


@dataclass(frozen=True, slots=True)
class Word:
    """A word, a number, or a single other character.

    Attributes:
        core: the word as the vocabulary would have it; lower case unless its case is unusual.
        case: how to write it.
        spaced: whether one space stands before it.
    """

    core: str
    case: Case = Case.AS_IS
    spaced: bool = False

    @property
    def surface(self) -> str:
        """The word as written."""
        match self.case:
            case Case.CAPITAL:
                return self.core[0].upper() + self.core[1:]
            case Case.UPPER:
                return self.core.upper()
            case _:
                return self.core


def split_words(text: str) -> Iterator[Word]:
    """Split a text; `join_words` gives it back exactly."""
    for match in _PATTERN.finditer(text):
        core, case = _separate_case(match["core"])
        yield Word(core, case, spaced=bool(match["space"]))


def join_words(words: Iterable[Word]) -> str:
    """Put words together."""
    return "".join(" " + word.surface if word.spaced else word.surface for word in words)


def expects_space(previous: str, core: str) -> bool:
    """Tell whether a space commonly stands between two words.

    Args:
        previous: the word before; "" at the start of the text.
        core: the word in question.
    """
    return bool(previous) and previous not in _OPENING and core not in _CLOSING


def _separate_case(written: str) -> tuple[str, Case]:
    """Return the core and the case of a word, so that `Word.surface` gives it back."""
    lower = written.lower()
    if not written.isascii() or written == lower:
        return written, Case.AS_IS
    if written == lower[0].upper() + lower[1:]:
        return lower, Case.CAPITAL
    if written == written.upper():
        return lower, Case.UPPER
    return written, Case.AS_IS
