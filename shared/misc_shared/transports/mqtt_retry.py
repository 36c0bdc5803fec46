"""When to try a broker again, and what to say of its faults, once each."""

from __future__ import annotations

import logging

from misc_shared.transports.backoff import Backoff

__all__ = ["Retry"]

_log = logging.getLogger(__name__)

_STEADY = 10.0
"""Seconds that a connection has to hold before earlier faults are forgotten."""
_LONGEST_AWAY = 4.0
"""A broker that does not answer may be back any moment, and asking costs little."""
_LONGEST_REFUSED = 30.0
"""One that answers and drops or refuses us costs a whole handshake each time."""
_MOST_TOLD = 16


class Retry:
    """Counts what happens to connections.

    Two back-offs: a broker that accepts and drops at once is asked more and more seldom, while one
    behind a link that was away is found again within seconds.
    """

    def __init__(self) -> None:
        self._away = Backoff(largest=_LONGEST_AWAY)
        self._refused = Backoff(largest=_LONGEST_REFUSED)
        self._since: float | None = None
        self._ever = False
        self._told: set[str] = set()

    def connected(self, now: float) -> None:
        """The broker has accepted us."""
        self._since = now
        self._ever = True
        self._away.reset()

    def failed(self, sentence: str, *, refused: bool, now: float) -> float:
        """A connection has ended, or an attempt has failed.

        Args:
            sentence: why. A refusal is told once, until a connection has held, and so is what
                keeps us from the first one.
            refused: whether the broker answered, and did not want us.
            now: monotonic seconds.

        Returns:
            Seconds to wait before the next attempt.
        """
        answered = refused or self._since is not None
        if self._since is not None and now - self._since >= _STEADY:
            self._refused.reset()
            self._told.clear()
        self._since = None
        news = refused or not self._ever
        if news and sentence not in self._told and len(self._told) < _MOST_TOLD:
            self._told.add(sentence)
            _log.warning("%s; trying again", sentence)
        else:
            _log.info("%s; trying again", sentence)
        return (self._refused if answered else self._away).next()
