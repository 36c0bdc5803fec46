"""Where pictures go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from misc_shared.settings.sizes import parse_size

if TYPE_CHECKING:
    from misc_receiver.sinks.pictures import PictureFolder

__all__ = ["OutputSettings"]


@dataclass(frozen=True, kw_only=True)
class OutputSettings:
    """What becomes of the pictures."""

    panel: ClassVar[str] = "Output"

    out: Annotated[Path | None, typer.Option(help="Folder for the pictures.")] = None
    format: Annotated[
        Literal["png", "jpeg", "webp"],
        typer.Option(help="Of the files; JPEG and WebP take about a tenth of the room."),
    ] = "png"
    keep: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            help="The most that the folder's pictures may take, those of earlier runs included; "
            "the oldest go first. none for no limit.",
        ),
    ] = "2GiB"
    keep_days: Annotated[
        float | None, typer.Option(min=0.0, help="Days after which pictures are deleted.")
    ] = None
    keep_count: Annotated[
        int | None, typer.Option(min=1, help="The most pictures in the folder.")
    ] = None
    write_rate: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            help="Bytes a second that one of many streams may write on average; what is above "
            "is shown and not kept. none for no limit.",
        ),
    ] = "2MiB"
    mqtt_image: Annotated[
        str | None,
        typer.Option(
            help="Broker that gets each stream's newest picture as JPEG on PREFIX/STREAM/image, "
            "for Home Assistant too: mqtt://[USER:PASSWORD@]HOST[/PREFIX]. It sees the pictures."
        ),
    ] = None

    def folder(self, *, many: bool) -> PictureFolder | None:
        """The folder that pictures are kept in; None if nobody asked for one.

        Args:
            many: whether anybody may add streams, so that each has to be bounded.

        Raises:
            ConfigError: a size makes no sense.
            LocalError: the folder cannot be made.
        """
        total, rate = parse_size("--keep", self.keep), parse_size("--write-rate", self.write_rate)
        if self.out is None:
            return None
        from misc_receiver.sinks.pictures import PictureFolder
        from misc_receiver.sinks.retention import Retention

        return PictureFolder(
            self.out,
            kind=self.format,
            retention=Retention(total_bytes=total, days=self.keep_days, count=self.keep_count),
            write_rate=rate if many else None,
        )
