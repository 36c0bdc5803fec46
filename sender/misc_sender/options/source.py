"""Which pictures to send."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

if TYPE_CHECKING:
    from misc_sender.sources import SourceOptions

__all__ = ["SourceSettings"]


@dataclass(frozen=True, kw_only=True)
class SourceSettings:
    """Where pictures come from, and how many."""

    panel: ClassVar[str] = "Pictures"

    source: Annotated[
        str,
        typer.Argument(
            help="camera0, a picture, a folder of pictures, a video, sample:NAME or pattern."
        ),
    ]
    fps: Annotated[
        float | None,
        typer.Option(help="Pictures per second; 1 by default where things move."),
    ] = None
    count: Annotated[int | None, typer.Option(help="Stop after this many pictures.")] = None
    loop: Annotated[bool, typer.Option("--loop", help="Begin again at the end.")] = False
    max_side: Annotated[
        int | None, typer.Option(help="Shrink larger pictures to this many pixels a side.")
    ] = None

    def taking(self) -> SourceOptions:
        """How to take pictures."""
        from misc_sender.sources import SourceOptions

        return SourceOptions(fps=self.fps, loop=self.loop, max_side=self.max_side)
