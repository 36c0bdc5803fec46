"""How often and how late live pictures are refined, so that a slow machine stays up to date."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["RefinementPace"]

_Key = TypeVar("_Key", bound=Hashable)

_MEMORY = 0.5
"""Weight of the latest refinement in the estimate of how long the next one takes."""

_PATIENCE = 0.9
"""By this the estimate falls with every picture that it kept from being refined: the machine may
have more time again."""


class RefinementPace(Generic[_Key]):
    """Says which live streams may be refined now.

    Args:
        every: least seconds between the beginnings of two refinements of one stream.
        within: seconds after decoding by which a picture has to be refined, or None. One that
            would be late is not begun.
        clock: seconds that only rise.
    """

    def __init__(
        self,
        *,
        every: float = 0.0,
        within: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._every = every
        self._within = within
        self._clock = clock
        self._began: dict[_Key, float] = {}
        self._takes = 0.0

    def wait(self, stream: _Key) -> float:
        """Seconds until a stream may be refined again; 0 for now."""
        began = self._began.get(stream)
        return 0.0 if began is None else max(0.0, began + self._every - self._clock())

    def in_time(self, decoded_at: float) -> bool:
        """Whether a picture that was decoded then would be refined soon enough."""
        if self._within is None or self._clock() - decoded_at + self._takes <= self._within:
            return True
        self._takes *= _PATIENCE
        return False

    def begin(self, stream: _Key) -> None:
        """Note that a stream is refined now."""
        self._began[stream] = self._clock()

    def took(self, seconds: float) -> None:
        """Note how long a whole refinement took."""
        self._takes += (_MEMORY if self._takes else 1.0) * (seconds - self._takes)

    def drop(self, stream: _Key) -> None:
        """Forget a stream."""
        self._began.pop(stream, None)
