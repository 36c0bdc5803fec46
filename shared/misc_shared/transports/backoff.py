"""How long to wait before the next attempt to reach a peer that does not answer."""

from __future__ import annotations

import random

__all__ = ["Backoff"]


class Backoff:
    """Exponential back-off with full jitter.

    Jitter keeps a fleet of cameras from calling in step when their broker returns.
    Source: "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.

    Args:
        first: seconds; the upper limit of the first wait.
        largest: seconds; no wait is longer.
        seed: fixes the waits, for simulations and tests.
    """

    def __init__(
        self, *, first: float = 0.5, largest: float = 30.0, seed: int | None = None
    ) -> None:
        self._first = first
        self._largest = largest
        self._limit = first
        self._random = random.Random(seed)  # noqa: S311 - spreads load, guards no secret

    def next(self) -> float:
        """Seconds to wait now: between half of the limit and the limit, which then doubles."""
        limit = self._limit
        self._limit = min(limit * 2.0, self._largest)
        return self._random.uniform(limit / 2.0, limit)

    def reset(self) -> None:
        """Begin again at the first wait: the peer has answered."""
        self._limit = self._first
