"""Who has a place where many streams may come, and who gives it up when all are taken.

Anybody may invent names on a broker. So a place is kept by what its holder has shown: one that has
ended keeps it no longer, one of which nothing was ever decoded keeps it for as many seconds of
silence as proper datagrams came of it, and one that was shown for a minute of silence.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol, runtime_checkable

from misc_shared.transports.base import Clock, Transport
from misc_shared.transports.liveness import layers_of

__all__ = ["Place", "Placed", "Places", "place_of"]

_log = logging.getLogger(__name__)

_LONGEST_TRY = 30.0
_QUIET = 60.0
"""Seconds of silence for which a place is safe: before anything was decoded at most, and then."""

_CHANGES, _CHANGES_AT_ONCE = 20.0, 64.0
"""Places that change hands a second, and at once: each change costs work and two reports."""

_TELL_EVERY = 60.0
_NAMES = 64
_NAMES_TOLD = 5


class Place:
    """A place, and what its holder has shown; whoever receives the stream keeps it up to date.

    Args:
        stream: the holder's name.
        clock: the time.
        leave: called when the place is given to another stream.

    Attributes:
        whole: whether anything of the stream was ever decoded.
        ended: whether its sender has said that it has finished.
    """

    def __init__(self, stream: str, *, clock: Clock, leave: Callable[[], None]) -> None:
        self.stream = stream
        self.whole = False
        self.ended = False
        self.leave = leave
        self._clock = clock
        self._heard_at = clock.monotonic()
        self._datagrams = 0

    def heard(self) -> None:
        """Note a datagram that was in order."""
        self._heard_at = self._clock.monotonic()
        self._datagrams += 1

    @property
    def silence(self) -> float:
        """Seconds since a datagram was last in order, or since the beginning."""
        return self._clock.monotonic() - self._heard_at

    @property
    def overdue(self) -> float:
        """Seconds by which the place has been held too long; below 0 it is safe."""
        if self.ended:
            return self.silence
        return self.silence - (_QUIET if self.whole else min(self._datagrams, _LONGEST_TRY))

    @property
    def worth(self) -> int:
        """The order in which places are given up: ended, never decoded, silent."""
        return 0 if self.ended else 1 + self.whole


class Places:
    """All places of a listener.

    Args:
        limit: how many there are.
        clock: the time.
    """

    def __init__(self, *, limit: int, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._places: dict[str, Place] = {}
        self._changes_left = _CHANGES_AT_ONCE
        self._changes_at = clock.monotonic()
        self._rejected: OrderedDict[str, float] = OrderedDict()
        self._told_at: float | None = None
        self._since_told: set[str] = set()

    def __len__(self) -> int:
        """Places that are taken."""
        return len(self._places)

    def take(self, stream: str, *, leave: Callable[[], None]) -> Place | None:
        """Give a stream a place, if need be that of another one; None if all are in good use.

        Args:
            stream: which; it has none yet.
            leave: called when the place goes to another stream; `free` need not be called then.
        """
        if len(self._places) >= self._limit and not self._make_room():
            self._reject(stream)
            return None
        place = self._places[stream] = Place(stream, clock=self._clock, leave=leave)
        self._rejected.pop(stream, None)
        return place

    def free(self, place: Place) -> None:
        """Take a place back, unless it was given to another stream."""
        if self._places.get(place.stream) is place:
            del self._places[place.stream]

    def complaints(self) -> list[str]:
        """What is not as it should be, one sentence; may be asked in any thread."""
        now = self._clock.monotonic()
        names = [name for name, at in list(self._rejected.items()) if now - at < _TELL_EVERY]
        return [_sentence(names)] if names else []

    def _make_room(self) -> bool:
        victim = min(
            (place for place in self._places.values() if place.overdue >= 0),
            key=lambda place: (place.worth, -place.overdue),
            default=None,
        )
        if victim is None or not self._may_change():
            return False
        _log.info("stream %s gives its place up", victim.stream)
        del self._places[victim.stream]
        victim.leave()
        return True

    def _may_change(self) -> bool:
        now = self._clock.monotonic()
        earned = (now - self._changes_at) * _CHANGES
        self._changes_left = min(_CHANGES_AT_ONCE, self._changes_left + earned)
        self._changes_at = now
        if self._changes_left < 1:
            return False
        self._changes_left -= 1
        return True

    def _reject(self, stream: str) -> None:
        now = self._clock.monotonic()
        if len(self._since_told) < _NAMES:
            self._since_told.add(stream)
        self._rejected[stream] = now
        self._rejected.move_to_end(stream)
        while len(self._rejected) > _NAMES:
            self._rejected.popitem(last=False)
        if self._told_at is None or now - self._told_at >= _TELL_EVERY:
            self._told_at = now
            _log.warning("%s", _sentence(sorted(self._since_told)))
            self._since_told.clear()


def _sentence(names: list[str]) -> str:
    told = ", ".join(names[:_NAMES_TOLD]) + (", ..." if len(names) > _NAMES_TOLD else "")
    count = f"{len(names)} or more" if len(names) >= _NAMES else str(len(names))
    streams = "stream is" if len(names) == 1 else "streams are"
    return (
        f"{count} {streams} rejected for want of a place ({told}): raise --max-streams, or say by "
        "--allow or --key who may come"
    )


@runtime_checkable
class Placed(Protocol):
    """A transport whose stream holds a place."""

    @property
    def place(self) -> Place:
        """The place."""
        ...


def place_of(transport: Transport) -> Place:
    """The place that a stream holds; one of its own where nobody else could take it."""
    held = (layer.place for layer in layers_of(transport) if isinstance(layer, Placed))
    own = Place(transport.stream, clock=transport.clock, leave=lambda: None)
    return next(held, own)
