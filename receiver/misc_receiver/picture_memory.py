"""One budget for everything large that is kept of decoded pictures, over all streams.

A stream of a few hundred bytes may say that its pictures have 16 million pixels. So whatever keeps
pixels or integers keeps them here, where they may be let go at any time: of the stream that takes
most, the oldest. What a stream sent is small, and is not kept here.
"""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict, deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from weakref import ref

from numpy.typing import NDArray

__all__ = ["Kept", "MemoryShares", "PictureMemory"]

_Content = TypeVar("_Content")


_LEAST_EACH, _MOST_EACH = 128 << 10, 4 << 20


@dataclass(frozen=True, kw_only=True)
class MemoryShares:
    """How the memory for streams is divided.

    Attributes:
        pictures: bytes for what was decoded of all streams.
        each: bytes of one stream's layers on their way, as many of layers that wait for the
            decoder, and as many of layers that later ones build on.
    """

    pictures: int
    each: int

    @classmethod
    def of(cls, total: int, *, streams: int) -> MemoryShares:
        """Divide a number of bytes between decoded pictures and so many streams' layers."""
        each = max(_LEAST_EACH, min(_MOST_EACH, total // (8 * streams)))
        return cls(pictures=max(total // 2, total - 3 * each * streams), each=each)


class Kept(Generic[_Content]):
    """Something large that is there until room is needed; made by `PictureMemory.keep`.

    Attributes:
        content: it; None once it was let go.
    """

    def __init__(self, content: _Content) -> None:
        self.content: _Content | None = content


@dataclass(frozen=True, eq=False)
class _Entry:
    """What is accounted for one `Kept`: sizes of arrays, by their identity while they are held."""

    stream: str
    sizes: dict[int, int]
    nbytes: int
    kept: ref[Kept[Any]]


class PictureMemory:
    """Keeps pictures within a number of bytes; may be used in any thread.

    An array that several hold is counted once; what nobody holds any more counts no more.

    Args:
        limit: bytes of all arrays; None for no limit.

    Attributes:
        dropped: how often something was let go because room was needed.
    """

    def __init__(self, limit: int | None = None) -> None:
        self.dropped = 0
        self._limit = limit
        self._nbytes = 0
        self._entries: dict[str, OrderedDict[int, _Entry]] = {}
        self._totals: Counter[str] = Counter()
        self._holders: Counter[int] = Counter()
        self._forgotten: deque[tuple[str, int]] = deque()
        self._number = 0
        self._lock = threading.Lock()

    @property
    def nbytes(self) -> int:
        """Bytes that are kept now."""
        with self._lock:
            self._settle()
            return self._nbytes

    @property
    def crowded(self) -> bool:
        """Whether more than half of the room is taken."""
        return self._limit is not None and self.nbytes > self._limit // 2

    def keep(
        self, content: _Content, *, stream: str, arrays: Iterable[NDArray[Any]]
    ) -> Kept[_Content]:
        """Keep something until it is dropped by its holder, or here for want of room.

        Args:
            content: it; larger than the whole limit, it is let go at once.
            stream: whose it is.
            arrays: what of it takes memory.
        """
        kept = Kept(content)
        sizes = {id(array): array.nbytes for array in arrays}
        with self._lock:
            self._settle()
            number = self._number = self._number + 1
            # The callback may run in any thread, and while the lock is held: it only takes a note.
            gone = ref(kept, lambda _: self._forgotten.append((stream, number)))
            entry = _Entry(stream, sizes, sum(sizes.values()), gone)
            self._entries.setdefault(stream, OrderedDict())[number] = entry
            self._totals[stream] += entry.nbytes
            for array, nbytes in sizes.items():
                if not self._holders[array]:
                    self._nbytes += nbytes
                self._holders[array] += 1
            self._make_room()
        return kept

    def _make_room(self) -> None:
        while self._limit is not None and self._nbytes > self._limit:
            stream = self._largest()
            number, entry = next(iter(self._entries[stream].items()))
            kept = entry.kept()
            if kept is not None:
                kept.content = None
            self.dropped += 1
            self._remove(stream, number)

    def _largest(self) -> str:
        """The stream that takes most; of several, the one that has kept something for longest."""
        most = max(self._totals.values())
        largest = (name for name, total in self._totals.items() if total == most)
        return min(largest, key=lambda name: next(iter(self._entries[name])))

    def _settle(self) -> None:
        """Account for what its holders have dropped."""
        while self._forgotten:
            self._remove(*self._forgotten.popleft())

    def _remove(self, stream: str, number: int) -> None:
        entries = self._entries.get(stream, OrderedDict())
        entry = entries.pop(number, None)
        if entry is None:
            return  # it was let go before its holder dropped it
        self._totals[stream] -= entry.nbytes
        for array, nbytes in entry.sizes.items():
            self._holders[array] -= 1
            if not self._holders[array]:
                del self._holders[array]
                self._nbytes -= nbytes
        if not entries:
            del self._entries[stream], self._totals[stream]
