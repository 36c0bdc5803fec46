"""How WebRTC connections are made: what both ends can set."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

if TYPE_CHECKING:
    from misc_shared.transports import WebrtcOptions

__all__ = ["WebrtcGroup"]

_VARIABLE = "MISC_WEBRTC_TOKEN"


@dataclass(frozen=True, kw_only=True)
class WebrtcGroup:
    """A group to inherit from: each end says in its own words what token and address are."""

    panel: ClassVar[str] = "WebRTC"

    webrtc_token_file: Path | None = None
    ice_server: Annotated[
        list[str],
        typer.Option(
            help="stun:HOST[:PORT] or turn:USER:PASSWORD@HOST[:PORT]; may be repeated. None by "
            "default: nobody else is asked."
        ),
    ] = field(default_factory=list)
    ice_address: str | None = None

    def options(self) -> WebrtcOptions:
        """How connections are made.

        Raises:
            ConfigError: an option makes no sense.
        """
        options = self._options()
        options.check()
        return options

    def _options(self) -> WebrtcOptions:
        """What the settings of both ends say, unchecked."""
        from misc_shared.transports import WebrtcOptions

        return WebrtcOptions(
            token_file=self.webrtc_token_file,
            # Not a setting: those can be printed.
            token=None if self.webrtc_token_file else os.environ.get(_VARIABLE),
            ice_servers=tuple(self.ice_server),
            ice_address=self.ice_address,
        )
