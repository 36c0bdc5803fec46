"""Nothing that others have named or said reaches a terminal or a log raw.

A control character or an escape sequence in a stream's name, a caption, the text of a BYE, a
broker's reason or a file's name could move the cursor, retitle the window or forge a line of a log.
So all that a program prints goes through here: `harmless_output` stands around every command, and
`misc_shared.terminal_text.Console` draws through `harmless` what it draws.
"""

from __future__ import annotations

import io
import logging
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

__all__ = ["escaped_json", "harmless", "harmless_line", "harmless_output", "raw"]

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"


def harmless(text: str) -> str:
    """Text without control characters, but for line ends and tabs.

    What has no shape of its own, such as marks that turn the direction of writing, goes too.
    """
    return text if text.isprintable() else "".join(map(_harmless_character, text))


def harmless_line(text: str) -> str:
    """The same on one line."""
    return harmless(text).replace("\n", _REPLACEMENT).replace("\t", " ")


def escaped_json(text: str) -> str:
    """JSON with its strings' unprintable characters as escapes, of which JSON demands only some."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else _escape(one) for one in text)


class _HarmlessText(io.TextIOBase):
    """A text stream through which only harmless text passes."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        self.stream.write(harmless(text))
        return len(text)

    def flush(self) -> None:
        self.stream.flush()

    def isatty(self) -> bool:
        return self.stream.isatty()

    def fileno(self) -> int:
        return self.stream.fileno()

    def writable(self) -> bool:
        return True

    def close(self) -> None:
        """Leave the stream open: it is the program's."""

    @property
    def encoding(self) -> str:  # type: ignore[override]  # typeshed has an attribute
        return self.stream.encoding


class _LogHandler(logging.Handler):
    """Writes warnings to standard error, each message on a line of its own."""

    def emit(self, record: logging.LogRecord) -> None:
        # Looked up each time: a live display puts its own in place of it.
        sys.stderr.write(self.format(record) + "\n")


class _OneLine(logging.Formatter):
    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        return harmless_line(super().formatMessage(record))


@contextmanager
def harmless_output() -> Iterator[None]:
    """Let nothing but harmless text through standard output, standard error and logging."""
    outputs, errors = sys.stdout, sys.stderr
    root = logging.getLogger()
    handler = _LogHandler(logging.WARNING)
    handler.setFormatter(_OneLine())
    added = not root.handlers
    if added:
        root.addHandler(handler)
    sys.stdout, sys.stderr = _wrapped(outputs), _wrapped(errors)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = outputs, errors
        if added:
            root.removeHandler(handler)


def raw(stream: TextIO) -> TextIO:
    """The stream behind a harmless one, for what writes escape sequences of its own."""
    return stream.stream if isinstance(stream, _HarmlessText) else stream


def _wrapped(stream: TextIO) -> TextIO:
    return stream if isinstance(stream, _HarmlessText) else _HarmlessText(stream)  # type: ignore[return-value]  # typeshed's TextIO is no base class


def _harmless_character(one: str) -> str:
    shown = one.isprintable() or one in "\n\t" or unicodedata.category(one) == "Zs"
    return one if shown else _REPLACEMENT


def _escape(one: str) -> str:
    units = one.encode("utf-16-be", "surrogatepass")
    pairs = (units[at : at + 2].hex() for at in range(0, len(units), 2))
    return "".join(f"\\u{pair}" for pair in pairs)
