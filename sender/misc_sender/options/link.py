"""Where pictures go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

if TYPE_CHECKING:
    from misc_shared.transports.recording_file import RecordingMode

__all__ = ["LinkSettings"]


@dataclass(frozen=True, kw_only=True)
class LinkSettings:
    """The link, and how pictures go over it."""

    panel: ClassVar[str] = "Link"

    to: Annotated[
        str,
        typer.Option(
            help="mqtt://[USER:PASSWORD@]HOST[/misc/STREAM], mqtts://..., "
            "webrtc+http[s]://HOST[:PORT][/whip/STREAM], file:PATH."
        ),
    ]
    stream: Annotated[str | None, typer.Option(help="The stream's name.")] = None
    kbps: Annotated[
        float | None, typer.Option(help="Rate of the link in kbit/s; never send faster.")
    ] = None
    mtu: Annotated[int, typer.Option(help="Bytes of the largest datagram.")] = 1100
    deadline: Annotated[float, typer.Option(help="Seconds after which a picture is given up.")] = (
        60.0
    )
    ca_file: Annotated[
        Path | None, typer.Option(help="Certificates to trust, for mqtts and webrtc+https.")
    ] = None
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace a recording that is there, once the first new picture is in.",
        ),
    ] = False
    append: Annotated[
        bool, typer.Option("--append", help="Continue a recording that is there.")
    ] = False

    def recording(self) -> RecordingMode:
        """What may happen to a recording that is there already.

        Raises:
            ConfigError: both is asked for, or --to names no recording.
        """
        from misc_shared.errors import ConfigError
        from misc_shared.transports.recording_file import RecordingMode

        if self.overwrite and self.append:
            raise ConfigError("--overwrite and --append exclude each other: drop one of them")
        if (self.overwrite or self.append) and not self.to.startswith("file:"):
            raise ConfigError("--overwrite and --append are for recordings, --to file:PATH")
        if self.append:
            return RecordingMode.APPEND
        return RecordingMode.OVERWRITE if self.overwrite else RecordingMode.NEW
