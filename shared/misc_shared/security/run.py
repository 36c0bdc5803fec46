"""One end's run as it seals: an id of its own and a counter that never goes back."""

from __future__ import annotations

from collections.abc import Callable

from misc_shared.errors import TransportError
from misc_shared.security.forms import COUNTER_LIMIT, RUN_BYTES

__all__ = ["SealRun"]

_JUMP = 5.0
"""Seconds by which the wall clock may leave the steady one; NTP slews by less."""


class SealRun:
    """The id and the counter with which one end seals.

    A copy of a virtual machine that is resumed, and a machine that is set back to a snapshot, would
    count the same numbers again. There the wall clock jumps against the steady one, and a new run
    begins. The copy that notices nothing is why the cipher bears a repeated nonce.

    Args:
        entropy: gives that many random bytes.

    Attributes:
        id: 12 random bytes.
    """

    def __init__(self, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy
        self.id = entropy(RUN_BYTES)
        self._counter = 0
        self._offset: float | None = None

    def next_counter(self) -> int:
        """The counter of the next datagram.

        Raises:
            TransportError: this run has sealed all that it may.
        """
        counter = self._counter
        if counter >= COUNTER_LIMIT:
            raise TransportError("this run has sealed all that it may: start again")
        self._counter += 1
        return counter

    def renew_after_jump(self, *, now: float, wall: float) -> bool:
        """Begin a new run if the wall clock jumped since the last call; returns whether it did.

        Args:
            now: seconds on a clock that never runs back.
            wall: Unix seconds at that moment.
        """
        last, self._offset = self._offset, wall - now
        if last is None or abs(self._offset - last) <= _JUMP:
            return False
        self.id = self._entropy(RUN_BYTES)
        self._counter = 0
        return True
