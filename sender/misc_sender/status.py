"""How a stream that is being sent stands at this moment, for metrics and health."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

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
        foreign: answers to other runs of the stream.
        refused: answers that were not in order, by cause.
        spooled: pictures that wait in the spool.
    """

    datagrams: int = 0
    bytes: int = 0
    repeats: int = 0
    waiting: int = 0
    skipped: int = 0
    foreign: int = 0
    refused: Mapping[str, int] = field(default_factory=dict)
    spooled: int = 0
