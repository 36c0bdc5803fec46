"""Who gives a place up to whom."""

import logging

import pytest

from misc_shared.transports.places import Place, Places


class Clock:
    """A clock that a test sets."""

    now = 0.0

    def monotonic(self) -> float:
        """The time."""
        return self.now

    def wall(self) -> float:
        """The time of day."""
        return self.now


class Hall:
    """Two places, and who has left them."""

    def __init__(self, limit: int = 2) -> None:
        self.clock = Clock()
        self.places = Places(limit=limit, clock=self.clock)
        self.left: list[str] = []

    def take(self, name: str, *, datagrams: int = 0, whole: bool = False) -> Place | None:
        """Have a stream come and show so much."""
        place = self.places.take(name, leave=lambda: self.left.append(name))
        for _ in range(datagrams if place else 0):
            place.heard()
        if place:
            place.whole = whole
        return place


def test_garbage_makes_room_at_once() -> None:
    """A name of which nothing proper came holds nothing up."""
    hall = Hall()
    hall.take("junk")
    hall.take("porch", datagrams=9, whole=True)
    assert hall.take("garden") is not None
    assert hall.left == ["junk"]


def test_the_order_in_which_places_are_given_up() -> None:
    """Ended first, then never decoded, then silent for longest; a returning stream is heard."""
    hall = Hall(limit=4)
    old = hall.take("old", datagrams=9, whole=True)
    hall.take("older", datagrams=9, whole=True)
    hall.take("junk", datagrams=2)
    ended = hall.take("ended", datagrams=9, whole=True)
    assert ended is not None
    ended.ended = True
    hall.clock.now = 20.0
    assert old is not None
    old.heard()
    hall.clock.now = 100.0
    for name in ("a", "b", "c", "d"):
        hall.take(name, datagrams=9, whole=True)
    assert hall.left == ["ended", "junk", "older", "old"]


def test_what_is_shown_is_safe_and_what_begins_gets_its_chance() -> None:
    """Nobody takes the place of a stream at work, or of one whose first picture is on its way."""
    hall = Hall()
    hall.take("porch", datagrams=5, whole=True)
    beginner = hall.take("garden", datagrams=3)
    hall.clock.now = 2.9
    assert hall.take("junk") is None
    assert not hall.left
    hall.clock.now = 3.0
    assert hall.take("gate") is not None
    assert hall.left == ["garden"]
    assert beginner is not None
    hall.places.free(beginner)  # which it has no more
    assert len(hall.places) == 2


def test_rejections_are_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """With names, and for `/healthz` as long as they go on."""
    caplog.set_level(logging.WARNING)
    hall = Hall(limit=1)
    place = hall.take("porch", datagrams=5, whole=True)
    assert place is not None
    for number in range(200):
        assert hall.take(f"junk-{number}") is None
    assert len(caplog.messages) == 1
    (complaint,) = hall.places.complaints()
    assert complaint.startswith("64 or more streams are rejected for want of a place (junk-136, ")
    assert "--max-streams" in complaint
    hall.clock.now = 61.0
    assert not hall.places.complaints()
    place.heard()
    hall.take("gate")
    assert len(caplog.messages) == 2


def test_a_flood_of_names_changes_few_places() -> None:
    """Each change costs work, so there are 64 at once and 20 a second."""
    hall = Hall(limit=1)
    for number in range(500):
        hall.take(f"junk-{number}")
    assert len(hall.left) == 64
    hall.clock.now = 1.0
    for number in range(500):
        hall.take(f"more-{number}")
    assert len(hall.left) == 84
