"""Who watches, and what each of them has not seen yet: never more than the names of streams."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["Watcher", "Watchers"]

_PATIENCE = 1.0
"""Seconds that what is only counted may wait, so that a layer costs the page no message."""


class Watcher:
    """One viewer's slot: the streams that changed since it looked last.

    Args:
        stream: the only one of interest, or None for all.
    """

    def __init__(self, stream: str | None = None) -> None:
        self._stream = stream
        self._changed: set[str] = set()
        self._bell = asyncio.Event()

    def ring(self, stream: str) -> None:
        """Note that a stream changed."""
        if self._stream in {None, stream}:
            self._changed.add(stream)
            self._bell.set()

    def wake(self) -> None:
        """End its wait, with nothing to see."""
        self._bell.set()

    async def changes(self, *, within: float) -> set[str]:
        """Wait until something changes, and give all that did; empty after `within` seconds."""
        try:
            async with asyncio.timeout(within):
                await self._bell.wait()
        except TimeoutError:
            return set()
        self._bell.clear()
        changed, self._changed = self._changed, set()
        return changed


class Watchers:
    """All viewers. `notify` may be called in any thread, everything else in the event loop's.

    Attributes:
        closing: whether the server stops, and everybody should leave.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._all: set[Watcher] = set()
        self._later: dict[str, asyncio.TimerHandle] = {}
        self.closing = False

    @contextmanager
    def watch(self, stream: str | None = None) -> Iterator[Watcher]:
        """Be a watcher for a while."""
        watcher = Watcher(stream)
        self._all.add(watcher)
        try:
            yield watcher
        finally:
            self._all.discard(watcher)

    def notify(self, stream: str, *, urgent: bool) -> None:
        """Tell everybody that a stream changed; at once, or soon."""
        if self._all and not self.closing:
            self._loop.call_soon_threadsafe(self._ring if urgent else self._ring_later, stream)

    def close(self) -> None:
        """Send everybody home."""
        self.closing = True
        for handle in self._later.values():
            handle.cancel()
        self.wake()

    def wake(self) -> None:
        """Let everybody look whether they may stay."""
        for watcher in self._all:
            watcher.wake()

    def _ring_later(self, stream: str) -> None:
        if stream not in self._later:
            self._later[stream] = self._loop.call_later(_PATIENCE, self._ring, stream)

    def _ring(self, stream: str) -> None:
        waiting = self._later.pop(stream, None)
        if waiting is not None:
            waiting.cancel()
        for watcher in self._all:
            watcher.ring(stream)
