"""How much each of many streams may write: a picture of a few hundred bytes can be a large file."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

__all__ = ["WriteRate"]

_AT_ONCE = 64 << 20
"""Bytes that a stream may write at once, after it has written little for a while."""

_STREAMS = 4096
"""Streams that are remembered; those that wrote longest ago are forgotten."""


class WriteRate:
    """A token bucket for each stream. Not thread-safe.

    Args:
        per_second: bytes a second of each stream; None for no limit.
        clock: seconds that never run backwards.
    """

    def __init__(self, per_second: int | None, *, clock: Callable[[], float]) -> None:
        self._per_second = per_second
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, stream: str) -> bool:
        """Whether a stream may write now."""
        return self._per_second is None or self._tokens(stream) > 0

    def wrote(self, stream: str, nbytes: int) -> None:
        """Charge a stream for what it has written."""
        if self._per_second is not None:
            self._left[stream] = self._tokens(stream) - nbytes, self._clock()
            self._left.move_to_end(stream)
            while len(self._left) > _STREAMS:
                self._left.popitem(last=False)

    def _tokens(self, stream: str) -> float:
        left, since = self._left.get(stream, (float(_AT_ONCE), self._clock()))
        earned = (self._clock() - since) * (self._per_second or 0)
        return min(float(_AT_ONCE), left + earned)
