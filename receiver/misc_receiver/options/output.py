"""Where pictures go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

__all__ = ["OutputSettings"]


@dataclass(frozen=True, kw_only=True)
class OutputSettings:
    """What becomes of the pictures."""

    panel: ClassVar[str] = "Output"

    out: Annotated[Path | None, typer.Option(help="Folder for the pictures.")] = None
    mqtt_image: Annotated[
        str | None,
        typer.Option(
            help="Broker that gets each stream's newest picture as JPEG on PREFIX/STREAM/image, "
            "for Home Assistant too: mqtt://[USER:PASSWORD@]HOST[/PREFIX]. It sees the pictures."
        ),
    ] = None
