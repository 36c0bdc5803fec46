"""How a stream that is being sent stands at this moment, for metrics and health."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["SenderStatus"]


@dataclass(frozen=True, kw_only=True)
class SenderStatus:
    """A snapshot of the stream; all numbers count since it began.

    Attributes:
        datagrams: handed to the link.
        bytes: of those.
        repeats: chunks sent again.
        waiting: frames under way or waiting for the link.
        skipped: pictures that the encoder had no time for.
    """

    datagrams: int = 0
    bytes: int = 0
    repeats: int = 0
    waiting: int = 0
    skipped: int = 0
