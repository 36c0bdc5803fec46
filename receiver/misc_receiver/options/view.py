"""The live page."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

if TYPE_CHECKING:
    from misc_receiver.picture_memory import PictureMemory
    from misc_receiver.view.viewer import Viewer

__all__ = ["ViewSettings"]


@dataclass(frozen=True, kw_only=True)
class ViewSettings:
    """Where pictures can be looked at, and by whom."""

    panel: ClassVar[str] = "Live page"

    view: Annotated[
        str | None,
        typer.Option(
            metavar="[HOST:]PORT",
            help="Serve a live page there; without HOST for this machine alone.",
        ),
    ] = None
    view_token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the token that viewers need; made if it is not there. Other machines "
            "always need one (~/.local/state/misc/view-token), this one if a file is given."
        ),
    ] = None
    view_name: Annotated[
        list[str],
        typer.Option(help="Another host name by which the page may be asked for; repeatable."),
    ] = field(default_factory=list)

    def viewer(self, *, memory: PictureMemory) -> Viewer | None:
        """What serves the page, or None if nobody asked for it.

        Args:
            memory: where pixels are kept.

        Raises:
            ConfigError: the address makes no sense, or the token cannot be had.
            MissingExtraError: aiohttp is not installed.
        """
        if self.view is None:
            return None
        from misc_receiver.view.viewer import open_viewer

        return open_viewer(
            self.view, token_file=self.view_token_file, names=self.view_name, memory=memory
        )
