"""How a stream that is being received stands at this moment, for metrics and health."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["StreamStatus"]


@dataclass(frozen=True, kw_only=True)
class StreamStatus:
    """A snapshot of one stream; all numbers count since it was opened.

    Attributes:
        stream: its name.
        datagrams: that were in order.
        bytes: of those.
        duplicates: of those, the ones that brought nothing new: repeats.
        late: of those, the ones of frames that were given up.
        foreign: of those, the ones of runs that are over or were refused.
        refused: datagrams that were not in order, by cause.
        waiting: frames that wait for the decoder.
        skipped: frames that the decoder had no time for.
        silence: seconds since a datagram was last in order, or since the beginning.
        ended: whether the sender said that it has finished.
        proven: whether a datagram was ever in order.
    """

    stream: str
    datagrams: int
    bytes: int
    duplicates: int
    late: int
    foreign: int
    refused: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0
    skipped: int = 0
    silence: float = 0.0
    ended: bool = False
    proven: bool = True
