"""How WebRTC connections are made."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

if TYPE_CHECKING:
    from misc_shared.transports import WebrtcOptions

__all__ = ["WebrtcSettings"]

_VARIABLE = "MISC_WEBRTC_TOKEN"


@dataclass(frozen=True, kw_only=True)
class WebrtcSettings:
    """What the receiver wants to see, and how to get through."""

    panel: ClassVar[str] = "WebRTC"

    webrtc_token_file: Annotated[
        Path | None,
        typer.Option(help="File with the receiver's bearer token; or it is in MISC_WEBRTC_TOKEN."),
    ] = None
    ice_server: Annotated[
        list[str],
        typer.Option(
            help="stun:HOST[:PORT] or turn:USER:PASSWORD@HOST[:PORT]; may be repeated. None by "
            "default: nobody else is asked."
        ),
    ] = field(default_factory=list)
    ice_address: Annotated[
        str | None,
        typer.Option(help="This machine's address for media; by default what leads there."),
    ] = None

    def options(self) -> WebrtcOptions:
        """How connections are made.

        Raises:
            ConfigError: an option makes no sense.
        """
        from misc_shared.transports import WebrtcOptions

        options = WebrtcOptions(
            token_file=self.webrtc_token_file,
            # Not a setting: those can be printed.
            token=None if self.webrtc_token_file else os.environ.get(_VARIABLE),
            ice_servers=tuple(self.ice_server),
            ice_address=self.ice_address,
        )
        options.check()
        return options
