"""How many streams to serve, and in how much memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from misc_shared.errors import ConfigError
from misc_shared.settings.sizes import parse_size

if TYPE_CHECKING:
    from misc_receiver.picture_memory import MemoryShares

__all__ = ["StreamsSettings"]

_LEAST_MEMORY = 64 << 20
"""Bytes: a picture of 4096x4096 pixels takes 50 MB."""


@dataclass(frozen=True, kw_only=True)
class StreamsSettings:
    """Bounds of a receiver, of many streams above all."""

    panel: ClassVar[str] = "Streams"

    max_streams: Annotated[
        int, typer.Option(min=1, max=1000, help="The most streams at a time; others get no place.")
    ] = 64
    idle: Annotated[
        float,
        typer.Option(min=1.0, help="Seconds of silence after which a stream's place is free."),
    ] = 600.0
    archives: Annotated[
        bool,
        typer.Option(
            help="Where --out keeps pictures, keep those too that cameras kept while they could "
            "reach nobody (misc-send --spool)."
        ),
    ] = True
    memory: Annotated[
        str,
        typer.Option(
            metavar="SIZE",
            help="The most memory for pictures and layers of all streams together; full pictures "
            "are let go first, of the stream that takes most. Models take 200 MB beside it.",
        ),
    ] = "1GiB"

    def shares(self, *, many: bool) -> MemoryShares:
        """How the memory is divided.

        Args:
            many: whether streams come and go.

        Raises:
            ConfigError: it makes no sense, or is too little for anything.
        """
        total = parse_size("--memory", self.memory)
        if total is None or total < _LEAST_MEMORY:
            raise ConfigError(f"--memory {self.memory}: give at least {_LEAST_MEMORY >> 20}MiB")
        from misc_receiver.picture_memory import MemoryShares

        return MemoryShares.of(total, streams=self.max_streams if many else 1)
