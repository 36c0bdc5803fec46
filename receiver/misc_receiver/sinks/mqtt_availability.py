"""Which cameras can be seen now, for whoever shows their pictures: PREFIX/STREAM/image/status.

A camera is there from a frame's first datagram until its sender has finished, nothing more comes,
or its place is given to another. What an earlier run left as "online" is put right.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

from misc_receiver.reports import (
    FrameSeen,
    ReceptionEnded,
    SenderGone,
    StreamFailed,
    StreamStale,
)
from misc_shared.reports import Report

__all__ = ["OFFLINE", "ONLINE", "Availability"]

ONLINE, OFFLINE = b"online", b"offline"
_SUFFIX = "/image/status"
_MOST = 1024
"""Names are anybody's choice: no more of them are remembered."""


class Availability:
    """A reporter that knows what each stream's topic should say, and was told last. For one thread.

    Args:
        prefix: what stands before a stream's name.
        changed: called when something may have to be told.
    """

    def __init__(self, prefix: str, *, changed: Callable[[], None]) -> None:
        self._changed = changed
        self.pattern = f"{prefix}/+{_SUFFIX}"
        self._prefix = prefix
        self._there: set[str] = set()
        self._told: OrderedDict[str, bool | None] = OrderedDict()

    def topic(self, stream: str) -> str:
        """Where a stream's availability is said."""
        return f"{self._prefix}/{stream}{_SUFFIX}"

    def report(self, report: Report) -> None:
        """Take in a report."""
        match report:
            case FrameSeen():
                self._there.add(report.stream)
            case SenderGone() | StreamStale() | ReceptionEnded() | StreamFailed():
                self._there.discard(report.stream)
            case _:
                return
        self._changed()

    def close(self) -> None:
        """Do nothing: the broker is told that we are gone as a whole."""

    def announce(self, stream: str) -> None:
        """A picture of this stream is on the broker, so it is told from now on."""
        if stream not in self._told:
            self._told[stream] = None
            if len(self._told) > _MOST:
                self._told.popitem(last=False)

    def found(self, topic: str, payload: bytes) -> None:
        """Another run has left this on the broker, or another receiver says it."""
        stream = topic.removeprefix(f"{self._prefix}/").removesuffix(_SUFFIX)
        if stream in self._told or (payload == ONLINE and len(self._told) < _MOST):
            self._told[stream] = payload == ONLINE
            self._changed()

    def forget_told(self) -> None:
        """The broker may be another one: all is to be told again."""
        for stream in self._told:
            self._told[stream] = None

    def next_to_tell(self) -> tuple[str, bytes] | None:
        """A topic and what it should say; None if all is said."""
        for stream, told in self._told.items():
            there = stream in self._there
            if told is not there:
                self._told[stream] = there
                return self.topic(stream), ONLINE if there else OFFLINE
        return None

    def take_back(self, topic: str) -> None:
        """It was not told after all."""
        self._told[topic.removeprefix(f"{self._prefix}/").removesuffix(_SUFFIX)] = None
