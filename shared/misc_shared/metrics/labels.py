"""Keeps the number of series bounded: whoever sends may choose a stream's name."""

from __future__ import annotations

__all__ = ["StreamLabels"]

_OTHERS = "others"


class StreamLabels:
    """The label of each stream: its name, and "others" for those that come too late.

    Args:
        limit: the most names.
    """

    def __init__(self, limit: int = 256) -> None:
        self._limit = limit
        self._names: set[str] = set()

    def __call__(self, stream: str) -> str:
        """The label."""
        if stream not in self._names and len(self._names) >= self._limit:
            return _OTHERS
        self._names.add(stream)
        return stream
