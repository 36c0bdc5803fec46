"""Whether anybody receives what is sent: told once when it seems not, and again when it does."""

from __future__ import annotations

from misc_sender.reports import AudienceFound, AudienceMissing
from misc_shared.reports import Reporter
from misc_shared.session import LinkState

__all__ = ["Audience"]

_PATIENCE = 8.0
"""Seconds without an answer; whoever looks every second tells it within ten."""
_ROUND_TRIPS = 6
"""Without an answer, on links that need longer."""


class Audience:
    """Watches a sender's answers.

    Args:
        stream: the stream's name.
        reporter: who is told.
    """

    def __init__(self, stream: str, reporter: Reporter) -> None:
        self._stream = stream
        self._reporter = reporter
        self._heard_at: float | None = None
        self._unanswered_since: float | None = None
        self._missing = False
        self._silent_since = 0.0

    def sent(self, now: float) -> None:
        """Note that a datagram has left."""
        if self._unanswered_since is None:
            self._unanswered_since = now

    def look(self, link: LinkState, now: float) -> None:
        """Tell what has changed.

        Args:
            link: what the session knows of it.
            now: seconds on the session's clock.
        """
        if link.answered_at is not None and link.answered_at != self._heard_at:
            self._answered(link.answered_at)
        since = self._unanswered_since
        if since is None or self._missing:
            return
        if now - since >= max(_PATIENCE, _ROUND_TRIPS * (link.round_trip or 0.0)):
            self._missing = True
            self._silent_since = since if self._heard_at is None else self._heard_at
            self._reporter.report(
                AudienceMissing(
                    stream=self._stream,
                    seconds=round(now - since, 3),
                    lost=self._heard_at is not None,
                )
            )

    def _answered(self, at: float) -> None:
        first = self._heard_at is None
        began = self._unanswered_since
        self._heard_at = at
        self._unanswered_since = None
        if first or self._missing:
            since = self._silent_since if self._missing else (at if began is None else began)
            self._missing = False
            after = round(max(0.0, at - since), 3)
            self._reporter.report(AudienceFound(stream=self._stream, after=after))
