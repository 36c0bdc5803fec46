"""Words for a terminal that rich draws: harmless wherever they come from, and in good grammar."""

from __future__ import annotations

from rich.markup import escape

__all__ = ["counted", "printable"]


def printable(text: str) -> str:
    """Make text from outside harmless: it can neither move the cursor nor change the style."""
    return escape("".join(character if character.isprintable() else "�" for character in text))


def counted(number: int, noun: str) -> str:
    """A number and its noun: 1 frame, 2 frames."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
