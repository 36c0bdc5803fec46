"""The figures of a measurement on a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from misc_lab.semantics.bars import Bar
from misc_shared.terminal_text import Console

__all__ = ["show_bars"]


def show_bars(compared: Sequence[Bar], *, out: Path) -> None:
    """Print a line for each figure: measured, asked, and whether that holds."""
    table = Table(title="Semantics beside what is asked of them")
    table.add_column("figure")
    table.add_column("measured", justify="right")
    table.add_column("asked", justify="right")
    table.add_column("holds")
    words = {True: "yes", False: "no", None: "not measured"}
    for bar in compared:
        value = "" if bar.value is None else f"{bar.value:.{bar.digits}f}"
        asked = f"{'at least' if bar.least else 'at most'} {bar.bound:g}"
        table.add_row(bar.name, value, asked, words[bar.held])
    console = Console()
    console.print(table)
    console.print(f"Written: {out / 'semantics.json'}")
