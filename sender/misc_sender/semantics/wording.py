"""Holds words that a model wrote to the contract: three for a name, ten for a detail, fifty in all.

The rules, the same for every model:

- White space becomes single spaces. Text with control characters, or with a word of more than 30
  characters, is no description: it is refused.
- A name loses its article and the full stop after it. One of more than three words is dropped with
  its item, because the first three might name another thing. So is a name that came before.
- A detail ends after ten words.
- A caption of more than fifty words ends with the last sentence that fits, or after fifty words.
- Items after the eighth are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from misc_shared.errors import SemanticsError
from misc_shared.semantics import (
    MAX_CAPTION_WORDS,
    MAX_DETAIL_WORDS,
    MAX_ITEMS,
    MAX_NAME_WORDS,
    MAX_TEXT_CHARACTERS,
    Item,
    Semantics,
)

__all__ = ["fit_caption", "fit_items", "fit_semantics", "tidy"]

_LONGEST_WORD = 30
_TRAILING = " .,;:!-"
_ARTICLE = re.compile(r"^(?:an?|the)(?:\s+|$)", re.IGNORECASE)


def fit_semantics(items: Iterable[tuple[str, str]], caption: str) -> Semantics:
    """Hold a whole description to the contract.

    Args:
        items: names with details, the most important first.
        caption: the description of the whole.

    Raises:
        SemanticsError: it is not text, or too long altogether.
    """
    said = Semantics(fit_items(items), fit_caption(caption))
    characters = len(said.caption) + sum(len(item.name + item.detail) for item in said.items)
    if characters > MAX_TEXT_CHARACTERS:
        raise SemanticsError(
            f"the description has {characters} characters; expected at most {MAX_TEXT_CHARACTERS}"
        )
    return said


def fit_items(items: Iterable[tuple[str, str]]) -> tuple[Item, ...]:
    """Hold names and details to the contract.

    Raises:
        SemanticsError: one of them is not text.
    """
    fitting: dict[str, Item] = {}
    for name, detail in items:
        short = _ARTICLE.sub("", tidy(name).rstrip(_TRAILING))
        if 1 <= len(short.split()) <= MAX_NAME_WORDS:
            fitting.setdefault(short.casefold(), Item(short, _fit_detail(detail)))
    return tuple(fitting.values())[:MAX_ITEMS]


def fit_caption(caption: str) -> str:
    """Hold a caption to the contract.

    Raises:
        SemanticsError: it is not text.
    """
    words = tidy(caption).split(" ")
    if len(words) <= MAX_CAPTION_WORDS:
        return " ".join(words)
    fitting = words[:MAX_CAPTION_WORDS]
    ends = [place for place, word in enumerate(fitting, 1) if word.endswith((".", "!", "?"))]
    return " ".join(fitting[: ends[-1]] if ends else fitting)


def _fit_detail(detail: str) -> str:
    return " ".join(tidy(detail).split(" ")[:MAX_DETAIL_WORDS]).rstrip(_TRAILING)


def tidy(text: str) -> str:
    """Make white space single spaces.

    Raises:
        SemanticsError: the text holds control characters or a word that is too long to be one.
    """
    words = text.split()
    if any(len(word) > _LONGEST_WORD for word in words):
        raise SemanticsError(f"a word of the description is longer than {_LONGEST_WORD} characters")
    tidied = " ".join(words)
    if not tidied.isprintable():
        raise SemanticsError("the description holds control characters")
    return tidied
