"""What the text coder knows of English: a vocabulary and n-gram tables, read from the pack.

`training/text.py` counts them. Names, details and captions each have tables of their own, because
"brown, large, center" is a language of its own; what those don't know, the captions' tables do. A
word outside the vocabulary is spelled by a second model of the same kind, over characters.
"""

from __future__ import annotations

import itertools
import sys
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from misc_shared.coding.symbols import SymbolCoder
from misc_shared.errors import BitstreamError, PackError
from misc_shared.text.ngram import Distribution, NgramTable, Share

__all__ = ["END", "TABLES", "UNKNOWN", "Field", "TextModel", "context_key", "load_model"]

END: Final = 0
"""The symbol that ends a field or a spelling, and stands for its beginning in contexts.

It is the lowest, so that the zeros which a reader sees past the end of the data read as END.
"""

UNKNOWN: Final = 1
"""The symbol of a word outside the vocabulary, or of a character outside ASCII."""

_FIRST: Final = 2
_CHARACTERS: Final = _FIRST + 128
_SURROGATES: Final = range(0xD800, 0xE000)


_SPELLING: Final = "spelling"


class Field(StrEnum):
    """A kind of text, with tables of its own."""

    NAME = "name"
    DETAIL = "detail"
    CAPTION = "caption"


TABLES: Final = (*itertools.chain(*([field] * 3 for field in Field)), *[_SPELLING] * 4)
"""What each table of the file is for; each kind's shortest contexts come first."""


class TextModel:
    """A vocabulary, the n-gram tables of each kind of text, and those of spelling.

    Args:
        words: the vocabulary; the word at place n has the id n + 2.
        tables: by kind of text, then "spelling", tables for contexts of 0, 1, 2, ... symbols.
    """

    def __init__(self, words: Sequence[str], tables: Mapping[str, Sequence[NgramTable]]) -> None:
        self.words = words
        self.ids = {word: place for place, word in enumerate(words, start=_FIRST)}
        self._tables = tables

    @property
    def size(self) -> int:
        """Number of ids: words, END and UNKNOWN."""
        return _FIRST + len(self.words)

    def word(self, identifier: int) -> str:
        """Return the word of an id."""
        return self.words[identifier - _FIRST]

    def shares(self, field: Field, history: Sequence[int]) -> Iterator[Share]:
        """Yield what may follow the last ids, the longest context first.

        Args:
            field: the kind of text.
            history: at least two ids.
        """
        yield from _shares(self._tables[field], history, bits=16)
        if field is not Field.CAPTION:
            yield from _shares(self._tables[Field.CAPTION], history, bits=16)

    def spell(self, coder: SymbolCoder, word: str = "", *, limit: int) -> str:
        """Write or read a word letter by letter.

        Args:
            coder: where to write or read.
            word: what to write; a reader ignores it.
            limit: the most characters to read.

        Returns:
            The word, at most `limit` + 1 characters of it.
        """
        history = [END] * (len(self._tables[_SPELLING]) - 1)
        spelled: list[str] = []
        while len(spelled) <= limit:
            wanted = ord(word[len(spelled)]) + _FIRST if len(spelled) < len(word) else END
            shares = _shares(self._tables[_SPELLING], history, bits=8)
            symbol = wanted if wanted < _CHARACTERS else UNKNOWN
            symbol = Distribution(shares, _CHARACTERS).code(coder, symbol)
            if symbol == END:
                break
            known = symbol != UNKNOWN
            spelled.append(chr(symbol - _FIRST) if known else _code_rare(coder, wanted - _FIRST))
            history = [*history[1:], symbol]
        return "".join(spelled)


def context_key(context: Sequence[int], *, bits: int) -> int:
    """Pack a context's ids into one number, `bits` for each, the newest in the lowest."""
    key = 0
    for identifier in context:
        key = key << bits | identifier
    return key


def load_model(path: Path) -> TextModel:
    """Read the model from its file.

    Raises:
        PackError: the file is not a text model.
    """
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        words = bytes(arrays.pop("words")).decode().split("\n")
        tables = _split_tables(**arrays)
    except (OSError, EOFError, ValueError, LookupError, TypeError, zipfile.BadZipFile) as error:
        raise PackError(
            f"{path.name} is not a text model ({error}); make it with training/text.py"
        ) from error
    return TextModel(words, tables)


def _split_tables(
    layout: NDArray[np.int64],
    keys: NDArray[np.uint32],
    sizes: NDArray[np.uint16],
    ids: NDArray[np.uint16],
    counts: NDArray[np.uint16],
) -> dict[str, list[NgramTable]]:
    """Part the arrays into tables.

    Args:
        layout: [14, 3], for each table in the order of `TABLES`: contexts, successors, discount.
        keys: the contexts of all tables, one table after another.
        sizes: how many successors each context has.
        ids: the successors.
        counts: their counts.
    """
    tables: dict[str, list[NgramTable]] = {kind: [] for kind in TABLES}
    context = successor = 0
    for kind, (contexts, successors, discount) in zip(TABLES, layout.tolist(), strict=True):
        own = slice(context, context := context + contexts)
        their = slice(successor, successor := successor + successors)
        table = NgramTable(keys[own], sizes[own], ids[their], counts[their], discount=discount)
        tables[kind].append(table)
    return tables


def _shares(tables: Sequence[NgramTable], history: Sequence[int], *, bits: int) -> Iterator[Share]:
    """Yield what follows the ends of a history in each table, the longest first."""
    for length in reversed(range(len(tables))):
        context = context_key(history[len(history) - length :], bits=bits)
        share = tables[length].share(context)
        if share is not None:
            yield share


def _code_rare(coder: SymbolCoder, code_point: int) -> str:
    """Write or read a character outside ASCII as its plain number."""
    code_point = coder.code_bits(code_point, 21)
    if code_point > sys.maxunicode or code_point in _SURROGATES:
        raise BitstreamError(f"text: found {code_point:#x}, which is no Unicode character")
    return chr(code_point)
