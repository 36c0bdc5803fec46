"""Where pictures come from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import typer

__all__ = ["LinkSettings"]


@dataclass(frozen=True, kw_only=True)
class LinkSettings:
    """The link, and when to stop listening to it."""

    panel: ClassVar[str] = "Link"

    origin: Annotated[
        str,
        typer.Option(
            "--from",
            help="mqtt://[USER:PASSWORD@]HOST[/misc/STREAM], mqtts://..., "
            "webrtc+http[s]://HOST[:PORT][/whip/STREAM], file:PATH; "
            "mqtt://HOST/misc/+ for all streams there.",
        ),
    ]
    stream: Annotated[str | None, typer.Option(help="The stream's name.")] = None
    ca_file: Annotated[Path | None, typer.Option(help="Certificates to trust, for mqtts.")] = None
    once: Annotated[bool, typer.Option("--once", help="Stop after one frame.")] = False
    count: Annotated[int | None, typer.Option(help="Stop after this many frames.")] = None

    def limit(self) -> int | None:
        """Frames after which to stop, or None for no end.

        Raises:
            ConfigError: it is said twice, or makes no sense.
        """
        from misc_shared.errors import ConfigError

        if self.once and self.count is not None:
            raise ConfigError("--once and --count say the same in two ways: drop one of them")
        if self.count is not None and self.count < 1:
            raise ConfigError(f"{self.count} frames to receive: give at least 1")
        return 1 if self.once else self.count
