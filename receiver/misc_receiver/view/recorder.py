"""The newest part of a stream as a recording that `misc-recv --from file:` plays."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass

from misc_shared.errors import WireError
from misc_shared.transports.recording import Entry, Header, encode_entry, encode_header
from misc_shared.wire import Hello, ShortHello, parse

__all__ = ["StreamRecorder"]

_LIMIT = 1 << 20
"""Bytes of datagrams kept: 20 minutes at 6 kbit/s."""

_ENTRY_BYTES = 120
"""Memory that an entry takes beside its datagram."""


@dataclass(frozen=True, slots=True)
class _Datagram:
    number: int
    wall: float
    data: bytes


class StreamRecorder:
    """Keeps datagrams from a picture that stands alone onwards, and the last introduction.

    A delta says nothing without its base. So where old datagrams have to go, those up to another
    picture that stands alone go with them; if there is none, the recording begins anew.

    Args:
        stream: the stream's name.
        limit: bytes to keep.
    """

    def __init__(self, stream: str, *, limit: int = _LIMIT) -> None:
        self._stream = stream
        self._limit = limit
        self._kept: deque[_Datagram] = deque()
        self._bytes = 0
        self._count = 0
        self._introduction: _Datagram | None = None
        self._starts: dict[str, int] = {}
        self._keys: deque[int] = deque()
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Bytes of the datagrams kept."""
        return self._bytes

    def datagram(self, data: bytes, *, wall: float) -> None:
        """Keep a datagram.

        Args:
            data: as the session takes it in.
            wall: Unix seconds, by the clock of its transport.
        """
        with self._lock:
            one = _Datagram(self._count, wall, data)
            self._count += 1
            self._kept.append(one)
            self._bytes += len(data) + _ENTRY_BYTES
            if _introduces(data):
                self._introduction = one
            if self._bytes > self._limit:
                self._trim()

    def frame_begins(self, frame: str) -> None:
        """Note that the last datagram was the first of a frame."""
        with self._lock:
            self._starts[frame] = self._count - 1
            while len(self._starts) > 64:  # noqa: PLR2004 - a picture is decoded soon or never
                del self._starts[next(iter(self._starts))]

    def stands_alone(self, frame: str) -> None:
        """Note that a frame is no delta: a recording can begin with it."""
        with self._lock:
            start = self._starts.pop(frame, None)
            if start is not None:
                self._keys.append(start)

    def file(self) -> bytes:
        """The recording, as protocol.md has it under Recordings."""
        with self._lock:
            kept, introduction = list(self._kept), self._introduction
        if introduction is not None and kept and introduction.number < kept[0].number:
            kept.insert(0, _Datagram(introduction.number, kept[0].wall, introduction.data))
        started = kept[0].wall if kept else 0.0
        entries = [
            encode_entry(Entry(seconds=max(0.0, one.wall - started), datagram=one.data))
            for one in kept
        ]
        return encode_header(Header(stream=self._stream, started=started)) + b"".join(entries)

    def _trim(self) -> None:
        """Drop what lies before the first key that leaves a quarter of the room free."""
        keys, freed, drop_to = set(self._keys), 0, self._count
        for one in self._kept:
            if freed >= self._limit // 4 and one.number in keys:
                drop_to = one.number
                break
            freed += len(one.data) + _ENTRY_BYTES
        while self._kept and self._kept[0].number < drop_to:
            self._bytes -= len(self._kept.popleft().data) + _ENTRY_BYTES
        while self._keys and self._keys[0] < drop_to:
            self._keys.popleft()


def _introduces(data: bytes) -> bool:
    try:
        return isinstance(parse(data), Hello | ShortHello)
    except WireError:
        return False
