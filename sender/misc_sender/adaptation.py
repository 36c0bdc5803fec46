"""How often and how large pictures are, so that they fit the link as it is now.

Pure: what is known of the link and the time go in. The link's rate is what its deliveries show
(protocol.md, Rate). Where it is too little for all pictures at full size, pictures become smaller;
where they would become too small to be of use, fewer. What the link has no room for is never coded:
the next picture is the newest at the moment when the queue is empty.
"""

from __future__ import annotations

import math

from misc_shared.session import LinkState

__all__ = ["Adaptation"]

_SHARE = 0.85
"""Of the link's rate; the rest is for repeats, and lets a queue drain that an estimate let grow."""
_LEAST = 0.25
"""Share of its full size below which a picture is not made smaller, but waited for."""
_GROWTH = 1.5
"""What may be sent grows by this where the link was not seen at its limit, to find the limit."""
_FASTEST = 1e9
_LATE = 1.2
"""Intervals between pictures after which one that is still queued says how fast the link is."""
_RECOVERY = 1.25
"""The rate that was said so grows by this with each picture that is not late."""
_MOST_TOO_HIGH = 8.0
"""So many times too high may deliveries say the rate to be: what seems slower was an outage."""
_GROWTH_EVERY = 5.0
_GROWTH_ROUND_TRIPS = 4.0
_LEAST_BYTES = 256
"""The same where only the quality is given."""
_AHEAD = 0.05
"""Seconds of queue that may be left when the next picture is coded, which takes about as long."""
_LONGEST_PAUSE = 60.0


class Adaptation:
    """Decides when the next picture is coded and how many bytes it may take.

    Args:
        fps: pictures per second that are wanted; never more are sent.

    Attributes:
        reserve: share of the link, in [0, 1), that is left to something else.
    """

    def __init__(self, *, fps: float) -> None:
        self.reserve = 0.0
        self._fps = fps
        self._allowed: float | None = None
        self._decided_at = 0.0
        self._free_at = 0.0
        self._latest: tuple[int, float] | None = None
        self._achieved = math.inf

    def update(self, link: LinkState, now: float) -> None:
        """Take in what is known of the link."""
        if link.rate is None or link.limited_at is None:
            return
        patience = max(_GROWTH_EVERY, _GROWTH_ROUND_TRIPS * (link.round_trip or 0.0))
        at_limit = _SHARE * (1 - self.reserve) * min(link.rate, self._achieved)
        if self._allowed is None or now < link.limited_at + patience:
            self._allowed, self._decided_at = at_limit, now
        elif now >= self._decided_at + patience:
            self._allowed, self._decided_at = min(_GROWTH * self._allowed, _FASTEST), now

    @property
    def allowed(self) -> float | None:
        """Bits a second that pictures may take; None while the link is no limit."""
        return self._allowed

    def limit(self, full: int | None) -> int | None:
        """Bytes that the next picture may take.

        Args:
            full: bytes that the user allows it; None where the quality alone decides.

        Returns:
            As many or less; None for any number.
        """
        if self._allowed is None:
            return full
        share = int(self._allowed / 8 / self._fps)
        if full is None:
            return max(share, _LEAST_BYTES)
        return min(full, max(share, int(_LEAST * full), 1))

    def pause(self, link: LinkState, now: float) -> float:
        """Seconds until the next picture should be coded; 0 for now."""
        if self._allowed is None:
            return 0.0
        # What a modem or a broker took is not gone: it is what the next first layer waits behind.
        answered = now < link.queued_until or not link.queued
        waiting = link.waiting + (link.queued if answered else 0)
        drained = 8 * waiting / self._allowed - _AHEAD
        if drained <= 0:
            self._learn(link, now, answered=answered)
        return min(max(0.0, drained, self._free_at - now), _LONGEST_PAUSE)

    def coded(self, nbytes: int, now: float) -> None:
        """Note a picture that takes these bytes."""
        self._latest = nbytes, now
        if self._allowed is not None:
            self._free_at = max(self._free_at, now) + 8 * nbytes / self._allowed

    def _learn(self, link: LinkState, now: float, *, answered: bool) -> None:
        """Learn from a whole picture how fast the link is, if it was too slow for it.

        Deliveries lie close together where a bucket of tokens or TCP lets them through in a heap,
        and then show more than the link has: up to five times of 6 kbit/s, behind tc's tbf.
        """
        latest, self._latest = self._latest, None
        if latest is None or not answered or link.rate is None:
            return
        nbytes, at = latest
        if now - at > _LATE / self._fps:
            self._achieved = max(8 * nbytes / (now - at), link.rate / _MOST_TOO_HIGH)
        else:
            self._achieved *= _RECOVERY
