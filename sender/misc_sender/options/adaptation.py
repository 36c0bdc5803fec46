"""How pictures follow the link."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

__all__ = ["AdaptationSettings"]


@dataclass(frozen=True, kw_only=True)
class AdaptationSettings:
    """Whether pictures become smaller and fewer where the link is slow."""

    panel: ClassVar[str] = "Adaptation"

    adapt: Annotated[
        bool,
        typer.Option(
            help="Where things move and answers come back: smaller pictures, then fewer, as the "
            "link becomes slower. --bytes, --kbps and --fps stay the most."
        ),
    ] = True
    spool: Annotated[
        Path | None,
        typer.Option(
            help="Keep pictures in this folder while the broker cannot be reached, and send them "
            "later to the stream's archive, misc/archive/STREAM."
        ),
    ] = None
    spool_every: Annotated[
        float, typer.Option(min=0.1, help="Seconds between two pictures that are kept.")
    ] = 10.0
    spool_mib: Annotated[
        float, typer.Option(min=0.01, help="Size of the spool; above it, the oldest lose detail.")
    ] = 64.0
    spool_hours: Annotated[
        float, typer.Option(min=0.01, help="Hours after which a kept picture is worth nothing.")
    ] = 24.0
