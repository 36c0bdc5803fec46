"""Which models to use, and what to show of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

__all__ = ["ModelSettings"]


@dataclass(frozen=True, kw_only=True)
class ModelSettings:
    """The model pack, and what it made of the pictures."""

    panel: ClassVar[str] = "Models"

    pack: Annotated[str, typer.Option(help="Model pack: nano, or a folder.")] = "nano"
    explain: Annotated[
        Path | None,
        typer.Option(help="Draw the latest picture here, with its words and what they cost."),
    ] = None
