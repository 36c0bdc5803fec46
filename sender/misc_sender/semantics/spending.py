"""Limits what a paid server may cost: requests and tokens in any hour."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from misc_shared.errors import SemanticsError

__all__ = ["UNREPORTED_TOKENS", "Expense", "HourlyLimit"]

UNREPORTED_TOKENS = 2000
"""What a request counts as while nobody says what it cost: an answer to a small picture."""

_HOUR = 3600.0


@dataclass
class Expense:
    """One request.

    Attributes:
        at: when it was made, in seconds of the limit's clock.
        tokens: what it cost; correct it once the server says.
    """

    at: float
    tokens: int = UNREPORTED_TOKENS


class HourlyLimit:
    """Lets requests through until the last hour has cost enough.

    Args:
        requests: the most in any hour, every retry counted; None for no limit.
        tokens: after this many in an hour, no more requests; None for no limit.
        clock: seconds that never run backwards.
    """

    def __init__(
        self, *, requests: int | None, tokens: int | None, clock: Callable[[], float]
    ) -> None:
        self._requests = requests
        self._tokens = tokens
        self._clock = clock
        self._expenses: deque[Expense] = deque()

    def spend(self) -> Expense:
        """Count a request before it is made.

        Raises:
            SemanticsError: the hour's limit is reached; the message says when there is more.
        """
        now = self._clock()
        while self._expenses and self._expenses[0].at <= now - _HOUR:
            self._expenses.popleft()
        if self._requests is not None and len(self._expenses) >= self._requests:
            raise SemanticsError(self._refusal(f"{self._requests} requests", now))
        if self._tokens is not None and self._spent() >= self._tokens:
            raise SemanticsError(self._refusal(f"{self._tokens} tokens", now))
        self._expenses.append(Expense(now))
        return self._expenses[-1]

    def _spent(self) -> int:
        return sum(expense.tokens for expense in self._expenses)

    def _refusal(self, limit: str, now: float) -> str:
        oldest = self._expenses[0].at if self._expenses else now
        wait = max(0, round(oldest + _HOUR - now))
        return f"the spending limit of {limit} an hour is reached; the next is due in {wait} s"
