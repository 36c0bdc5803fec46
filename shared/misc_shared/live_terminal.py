"""A terminal that a person watches: lines that stay, and below them what is going on now."""

from __future__ import annotations

from misc_shared.terminal_text import Console

__all__ = ["LiveTerminal"]


class LiveTerminal:
    """What the terminals of both ends share.

    Args:
        console: where to draw; None takes standard output.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console()
        self._status = self._console.status("starting")
        self._status.start()

    def close(self) -> None:
        """Stop the animation."""
        self._status.stop()

    def _print(self, line: str) -> None:
        """Add a line; rich's markup is read, so text from outside goes through `printable`."""
        self._console.print(line, highlight=False)
