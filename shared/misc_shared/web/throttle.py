"""Slows down who tries too often: to guess a secret, or to take a place."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

__all__ = ["Throttle", "login_throttle"]

_ADDRESSES = 4096
"""Addresses remembered; each takes some 200 bytes."""


class Throttle:
    """Counts what each address has done, as the generic cell rate algorithm does (ITU-T I.371).

    Every operation takes constant time.

    Args:
        burst: how often something may be done at once.
        every: seconds that each further time costs.
        clock: seconds that never go back.
    """

    def __init__(
        self, *, burst: int, every: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tolerance = burst * every
        self._every = every
        self._clock = clock
        # The time at which an address is as good as new; who was counted longest ago comes first.
        self._clean_at: dict[str, float] = {}

    def wait(self, address: str) -> int:
        """Whole seconds until an address may go on, 0 for now.

        Args:
            address: see `address_group`.
        """
        left = self._clean_at.get(address, 0.0) - self._tolerance - self._clock()
        return max(0, math.ceil(left))

    def count(self, address: str) -> None:
        """Count something that an address did."""
        now = self._clock()
        self._clean_at[address] = max(now, self._clean_at.pop(address, 0.0)) + self._every
        if len(self._clean_at) > _ADDRESSES:
            del self._clean_at[next(iter(self._clean_at))]


def login_throttle(*, clock: Callable[[], float] = time.monotonic) -> Throttle:
    """For wrong secrets: eight are free, for people mistype, then 900 an hour.

    While an address has to wait, its attempts are refused unseen, right ones too: else guessing
    would cost nothing. They do not lengthen the wait.

    Args:
        clock: see `Throttle`.
    """
    return Throttle(burst=8, every=4.0, clock=clock)
