"""A place that cannot be written for a while: told once, tried again, and told when it is back."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

__all__ = ["Outage"]

_log = logging.getLogger(__name__)

_FIRST, _LONGEST = 1.0, 16.0
"""Seconds between two tries: at first, and at last."""


class Outage:
    """Says when a folder may be tried again. Not thread-safe.

    Args:
        folder: that is written.
        clock: seconds that never run backwards.

    Attributes:
        reason: why it cannot be written now; None while it can.
        lost: pictures that were not kept in this outage.
    """

    def __init__(self, folder: Path, *, clock: Callable[[], float]) -> None:
        self.reason: str | None = None
        self.lost = 0
        self._folder = folder
        self._clock = clock
        self._pause = _FIRST
        self._try_at = 0.0

    @property
    def waiting(self) -> bool:
        """Whether a try would come too early."""
        return self.reason is not None and self._clock() < self._try_at

    def began(self, error: OSError) -> None:
        """Note a failure; the first one is told."""
        if self.reason is None:
            self.reason = f"cannot write into {self._folder}: {error.strerror or error}"
            self._pause = _FIRST
            _log.warning(
                "%s; pictures are shown and not kept, until it can be written again", self.reason
            )
        self._try_at = self._clock() + self._pause
        self._pause = min(2 * self._pause, _LONGEST)

    def ended(self) -> None:
        """Note a success."""
        if self.reason is not None:
            _log.warning(
                "%s can be written again; %d pictures were not kept", self._folder, self.lost
            )
            self.reason, self.lost = None, 0
