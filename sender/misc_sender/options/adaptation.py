"""How pictures follow the link."""

from __future__ import annotations

from dataclasses import dataclass
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
