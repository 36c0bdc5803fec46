"""How pictures are kept from others on the way."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from misc_shared.settings.security import SecurityGroup

__all__ = ["SecuritySettings"]


@dataclass(frozen=True, kw_only=True)
class SecuritySettings(SecurityGroup):
    """The seal from end to end."""

    key: Annotated[
        Path | None,
        typer.Option(
            help="Seal every datagram with the key in this file; `misc-send keygen FILE` makes "
            "one, and the receiver needs the same."
        ),
    ] = None
