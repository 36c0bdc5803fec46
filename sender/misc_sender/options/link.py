"""Where pictures go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

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
