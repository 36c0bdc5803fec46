"""How WebRTC connections are made."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from misc_shared.settings.webrtc import WebrtcGroup

if TYPE_CHECKING:
    from misc_shared.transports import WebrtcOptions

__all__ = ["WebrtcSettings"]


@dataclass(frozen=True, kw_only=True)
class WebrtcSettings(WebrtcGroup):
    """What senders have to show, and how media get through."""

    webrtc_token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the bearer token that senders show; made if it is missing. Beyond "
            "this host there always is one; or it is in MISC_WEBRTC_TOKEN."
        ),
    ] = None
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

    def check_for(self, origin: str) -> None:
        """Refuse options that make no sense, or that these streams have no use for.

        Args:
            origin: the URL that they come from.

        Raises:
            ConfigError: which.
        """
        options = self.options()
        if not origin.startswith("webrtc+https:"):
            options.refuse_tls(origin.partition("://")[0] + "://")

    def _options(self) -> WebrtcOptions:
        return replace(
            super()._options(), certificate=self.tls_certificate, private_key=self.tls_key
        )
