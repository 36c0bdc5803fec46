"""How many streams to serve."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

import typer

__all__ = ["StreamsSettings"]


@dataclass(frozen=True, kw_only=True)
class StreamsSettings:
    """Bounds of a receiver of many streams."""

    panel: ClassVar[str] = "Many streams"

    max_streams: Annotated[
        int, typer.Option(min=1, max=1000, help="The most streams at a time; others get no place.")
    ] = 64
    idle: Annotated[
        float,
        typer.Option(min=1.0, help="Seconds of silence after which a stream's place is free."),
    ] = 600.0
    archives: Annotated[
        bool,
        typer.Option(
            help="Where --out keeps pictures, keep those too that cameras kept while they could "
            "reach nobody (misc-send --spool)."
        ),
    ] = True
