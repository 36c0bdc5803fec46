"""What a picture may cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

from misc_sender.shares import MAP_SHARE

__all__ = ["BudgetSettings"]


@dataclass(frozen=True, kw_only=True)
class BudgetSettings:
    """Bytes and quality of a picture."""

    panel: ClassVar[str] = "Budget"

    max_bytes: Annotated[
        int | None,
        typer.Option("--bytes", help="Bytes per picture on the wire; by default 0.024 bpp."),
    ] = None
    quality: Annotated[
        int | None,
        typer.Option(help="0 (smallest) to 31 (best); with --bytes, the most to use."),
    ] = None
    map_share: Annotated[
        float,
        typer.Option(help="Share of a picture's bytes for maps; more makes them finer."),
    ] = MAP_SHARE
    key_every: Annotated[
        int | None,
        typer.Option(min=1, help="Let every Nth picture stand alone, 1 for all; else as needed."),
    ] = None
