"""How WebRTC connections are made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from misc_shared.settings.webrtc import WebrtcGroup

__all__ = ["WebrtcSettings"]


@dataclass(frozen=True, kw_only=True)
class WebrtcSettings(WebrtcGroup):
    """What the receiver wants to see, and how to get through."""

    webrtc_token_file: Annotated[
        Path | None,
        typer.Option(help="File with the receiver's bearer token; or it is in MISC_WEBRTC_TOKEN."),
    ] = None
    ice_address: Annotated[
        str | None,
        typer.Option(help="This machine's address for media; by default what leads there."),
    ] = None
