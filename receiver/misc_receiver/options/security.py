"""Whom to hear."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from misc_shared.settings.security import SecurityGroup

if TYPE_CHECKING:
    from misc_shared.transports.guarding import ReceiverGuard

__all__ = ["SecuritySettings"]


@dataclass(frozen=True, kw_only=True)
class SecuritySettings(SecurityGroup):
    """Which streams are heard, and whether they have to be sealed."""

    key: Annotated[
        Path | None,
        typer.Option(
            help="Take only what is sealed with the key in this file, or with the stream's own in "
            "a file of several or a folder of NAME.key; streams without a key are not heard."
        ),
    ] = None
    allow: Annotated[
        str | None, typer.Option(help="Streams that are heard, by name: garden,porch.")
    ] = None

    def guard(self, url: str) -> ReceiverGuard:
        """Who decides which streams of a URL are heard.

        Raises:
            ConfigError: the keys cannot be read, or a name is none.
        """
        from misc_shared.stream_names import check_stream_name
        from misc_shared.transports.guarding import ReceiverGuard

        names = None
        if self.allow is not None:
            names = frozenset(name.strip() for name in self.allow.split(","))
            for name in names:
                check_stream_name(name)
        return ReceiverGuard(url=url, keys=self.keys(), allow=names)
