"""Writes and reads names, details and captions with the n-gram model.

A word costs what it surprises: its id after the two ids before it, then its case and the space
before it, both of which adapt within a message, so that a text with habits of its own pays for them
once. A caption tends to name the items, so their names' words get a part of each distribution.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from enum import IntEnum
from typing import Final

from misc_shared.coding.symbols import AdaptiveChoice, SymbolCoder
from misc_shared.errors import BitstreamError, LimitError
from misc_shared.text.lexer import Case, Word, expects_space, join_words, split_words
from misc_shared.text.model import END, UNKNOWN, Field, TextModel
from misc_shared.text.ngram import Distribution, Share

__all__ = ["FieldCoder", "Style", "plan_words"]

_NO_WORD: Final = Word("")
_SENTENCE_ENDS: Final = frozenset(".!?\n")
_MOST_NEW_WORDS: Final = 256
_PART_PER_WORD: Final = 16  # of each distribution, in 1/256, for each word the items named
_MOST_PARTS: Final = 96


class Style(IntEnum):
    """How a field begins and ends."""

    PLAIN = 0  # a dog runs
    SENTENCE = 1  # A dog runs.
    CAPITAL = 2  # A dog runs
    SPACED = 3  # A dog runs .


# Guesses to start from, as counts; see AdaptiveChoice.
_STYLE_COUNTS: Final = {
    Field.NAME: (400, 1, 8, 1),
    Field.DETAIL: (400, 4, 4, 1),
    Field.CAPTION: (60, 200, 4, 4),
}
_MIDDLE_CASES: Final = {Case.AS_IS: (600, 2, 1), Case.CAPITAL: (8, 8, 1), Case.UPPER: (12, 2, 8)}
_FIRST_CASES: Final = (6, 30, 1)
_SPACE_COUNTS: Final = (600, 1)


class FieldCoder:
    """Writes or reads the fields of one message, one after another.

    Args:
        model: vocabulary and tables.
        coder: where the symbols go or come from.
        limit: characters that all fields together may have.
    """

    def __init__(self, model: TextModel, coder: SymbolCoder, *, limit: int) -> None:
        self._model = model
        self._coder = coder
        self._limit = limit
        self._left = limit
        self._new: list[str] = []
        self._expected: set[int] = set()
        self._styles = {field: AdaptiveChoice(counts) for field, counts in _STYLE_COUNTS.items()}
        self._spaces = {expected: AdaptiveChoice(_SPACE_COUNTS) for expected in (False, True)}
        self._first_cases = AdaptiveChoice(_FIRST_CASES)
        self._middle_cases = {case: AdaptiveChoice(n) for case, n in _MIDDLE_CASES.items()}

    def expect(self, text: str) -> None:
        """Let the words of a text be likelier in what follows, each until it comes."""
        self._expected.update(self._identify(word.core) for word in split_words(text))
        self._expected.discard(UNKNOWN)

    def code(self, field: Field, text: str | None = None, *, after: str = "") -> str:
        """Write or read a field.

        Args:
            field: its kind.
            text: what to write; None to read.
            after: the text whose last word is the context of the first.

        Returns:
            The text.

        Raises:
            LimitError: a reader found more characters than the limit.
            BitstreamError: a reader found what no writer writes.
        """
        style, plan = plan_words(text or "")
        # A reader has no words to offer, and goes on until it reads the end.
        wanted = itertools.repeat(_NO_WORD) if text is None else itertools.chain(plan, [_NO_WORD])
        style = Style(self._styles[field].code(self._coder, style))
        history = [self._last_word(after), END]
        words: list[Word] = []
        for word in wanted:
            identifier = self._code_identifier(field, history, word)
            if identifier == END:
                break
            words.append(self._code_writing(self._core(identifier, word), word, words))
            self._spend(len(words[-1].core) + words[-1].spaced)
            history = [history[-1], identifier]
        result = join_words(_finish(words, style))
        self._spend(len(result) - sum(len(word.core) + word.spaced for word in words))
        return result

    def _code_identifier(self, field: Field, history: list[int], word: Word) -> int:
        """Write or read which word comes next."""
        shares = self._model.shares(field, history)
        if field is Field.CAPTION and self._expected:
            shares = itertools.chain([_even_share(sorted(self._expected))], shares)
        size = self._model.size + len(self._new)
        identifier = Distribution(shares, size).code(self._coder, self._identify(word.core))
        self._expected.discard(identifier)
        return identifier

    def _core(self, identifier: int, word: Word) -> str:
        """Return the word of an id; write or read how to spell it if it has none yet."""
        if identifier != UNKNOWN:
            known = identifier < self._model.size
            core = (
                self._model.word(identifier) if known else self._new[identifier - self._model.size]
            )
        else:
            core = self._model.spell(self._coder, word.core, limit=self._left)
            if not core:
                raise BitstreamError("text: found a word without letters; the layer is damaged")
            if len(self._new) < _MOST_NEW_WORDS:
                self._new.append(core)
        return core

    def _code_writing(self, core: str, word: Word, words: list[Word]) -> Word:
        """Write or read how a word is written and whether a space stands before it."""
        previous = words[-1] if words else _NO_WORD
        usual = expects_space(previous.core, core)
        spaced = usual != bool(self._spaces[usual].code(self._coder, word.spaced != usual))
        case = Case.AS_IS
        if "a" <= core[:1] <= "z":
            first = previous.core in _SENTENCE_ENDS
            cases = self._first_cases if first else self._middle_cases[previous.case]
            case = Case(cases.code(self._coder, word.case))
        return Word(core, case, spaced=spaced)

    def _spend(self, characters: int) -> None:
        """Count characters against the limit."""
        self._left -= characters
        if self._left < 0:
            raise LimitError(
                f"text: found more than {self._limit} characters, the most that a picture may have"
            )

    def _identify(self, core: str) -> int:
        """Return the id of a word, UNKNOWN if it has none, END for no word."""
        if not core:
            return END
        if core in self._new:
            return self._model.size + self._new.index(core)
        return self._model.ids.get(core, UNKNOWN)

    def _last_word(self, text: str) -> int:
        """Return the id of a text's last word, END if it has none."""
        core = ""
        for word in split_words(text):
            core = word.core
        # Words new to this message are in no table.
        return self._model.ids.get(core, UNKNOWN) if core else END


def plan_words(text: str) -> tuple[Style, list[Word]]:
    """Return the style of a text, and its words without what the style says."""
    words = list(split_words(text))
    style = _find_style(words)
    if style is not Style.PLAIN:
        words[0] = Word(words[0].core, spaced=words[0].spaced)
    if style in {Style.SENTENCE, Style.SPACED}:
        words.pop()
    return style, words


def _find_style(words: list[Word]) -> Style:
    if not words or words[0].case is not Case.CAPITAL:
        return Style.PLAIN
    if len(words) == 1 or words[-1].core != ".":
        return Style.CAPITAL
    return Style.SPACED if words[-1].spaced else Style.SENTENCE


def _finish(words: list[Word], style: Style) -> Iterator[Word]:
    """Yield the words as the style has them."""
    if style is not Style.PLAIN and words:
        yield Word(words[0].core, Case.CAPITAL, spaced=words[0].spaced)
        yield from words[1:]
        if style is not Style.CAPITAL:
            yield Word(".", spaced=style is Style.SPACED)
    else:
        yield from words


def _even_share(identifiers: list[int]) -> Share:
    """Return a share that gives each of a few ids the same part."""
    count = len(identifiers)
    part = min(_MOST_PARTS, _PART_PER_WORD * count)
    return identifiers, range(count + 1), 0, count, 256 - part
