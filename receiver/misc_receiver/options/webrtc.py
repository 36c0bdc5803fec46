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
    """What senders have to show, and how media get through."""

    panel: ClassVar[str] = "WebRTC"

    webrtc_token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the bearer token that senders show; made if it is missing. Beyond "
            "this host there always is one; or it is in MISC_WEBRTC_TOKEN."
        ),
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
        typer.Option(help="This machine's address for media; by default where we listen."),
    ] = None
    tls_certificate: Annotated[
        Path | None, typer.Option(help="PEM file to show on webrtc+https.")
    ] = None
    tls_key: Annotated[
        Path | None, typer.Option(help="PEM file with its key, if that is in another file.")
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
            certificate=self.tls_certificate,
            private_key=self.tls_key,
        )
        options.check()
        return options
