"""Words for a terminal that rich draws: harmless wherever they come from, and in good grammar."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import IO

from rich import console as rich_console
from rich.markup import escape
from rich.segment import Segment

from misc_shared.harmless import harmless, harmless_line, raw

__all__ = ["Console", "counted", "printable"]


class Console(rich_console.Console):  # noqa: TID251 - the one place
    """Rich's console, which lets no control characters through but its own.

    Args:
        file: where to draw; None for standard output.
        stderr: draw on standard error instead.
        width: columns, or None for those that the terminal has.
    """

    def __init__(
        self, *, file: IO[str] | None = None, stderr: bool = False, width: int | None = None
    ) -> None:
        super().__init__(file=file or raw(sys.stderr if stderr else sys.stdout), width=width)

    def render(
        self,
        renderable: rich_console.RenderableType,
        options: rich_console.ConsoleOptions | None = None,
    ) -> Iterable[Segment]:
        """Draw; text in it can neither move the cursor nor change the style."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(harmless(segment.text), segment.style)


def printable(text: str) -> str:
    """Make text from outside a part of a line of rich's markup."""
    return escape(harmless_line(text))


def counted(number: int, noun: str) -> str:
    """A number and its noun: 1 frame, 2 frames."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
