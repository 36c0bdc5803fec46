"""Places for many, and the slowing down of those who guess."""

from dataclasses import dataclass

import pytest

from misc_shared.web.places import FairPlaces, PlacesTakenError, address_group
from misc_shared.web.throttle import login_throttle


@dataclass(eq=False)
class _Client:
    rank: int | None = None


def _places(*, total: int = 4, per_address: int = 3) -> FairPlaces[_Client]:
    return FairPlaces(total=total, per_address=per_address, rank=lambda one: one.rank)


def test_who_waits_makes_room_before_who_works() -> None:
    """The lowest rank first, of the address with most places, the oldest of it."""
    places = _places()
    busy, idle, stalled = _Client(None), _Client(0), _Client(1)
    for client in (busy, stalled, idle):
        assert places.enter(client, "a") is None
    other = _Client(0)
    assert places.enter(other, "b") is None
    assert [places.enter(_Client(None), "c") for _ in range(3)] == [idle, other, stalled]
    assert len(places) == 4


def test_an_address_has_its_limit() -> None:
    """Beyond it, it can displace only what it has itself."""
    places = _places()
    mine = [_Client(None) for _ in range(3)]
    for client in mine:
        places.enter(client, "a")
    with pytest.raises(PlacesTakenError):
        places.enter(_Client(), "a")
    mine[1].rank = 0
    assert places.enter(_Client(), "a") is mine[1]


def test_who_has_few_places_gets_one_of_who_has_many() -> None:
    """Even if all of them work; but two with as many do not take turns."""
    places = _places()
    first = _Client(None)
    places.enter(first, "a")
    for _ in range(2):
        places.enter(_Client(None), "a")
    places.enter(_Client(None), "b")
    assert places.enter(_Client(None), "c") is first
    with pytest.raises(PlacesTakenError):
        places.enter(_Client(None), "c")


def test_a_place_that_was_lost_is_given_back_once() -> None:
    """Leaving twice is no fault, and makes no room twice."""
    places = _places(total=1, per_address=1)
    one = _Client(0)
    places.enter(one, "a")
    assert places.enter(_Client(None), "b") is one
    places.leave(one)
    places.leave(one)
    with pytest.raises(PlacesTakenError):
        places.enter(_Client(), "c")


@pytest.mark.parametrize(
    ("address", "group"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_what_one_user_has_alone(address: str, group: str) -> None:
    """All of an IPv4 address, half of an IPv6 address."""
    assert address_group(address) == group


def test_guessing_is_slow() -> None:
    """Eight mistakes are free; then one every four seconds, for that address alone."""
    now = 0.0
    throttle = login_throttle(clock=lambda: now)
    tries = 0
    while now < 3600:
        if not throttle.wait("192.0.2.1"):
            throttle.count("192.0.2.1")
            tries += 1
        else:
            now += 0.5
    assert 900 <= tries <= 910
    throttle.count("192.0.2.1")
    assert throttle.wait("192.0.2.1") > 0
    assert throttle.wait("192.0.2.2") == 0
    now += 60
    assert throttle.wait("192.0.2.1") == 0


def test_little_is_remembered() -> None:
    """However many addresses there are."""
    throttle = login_throttle(clock=lambda: 0.0)
    for number in range(10_000):
        throttle.count(f"10.0.{number // 256}.{number % 256}")
    assert len(throttle._clean_at) == 4096  # noqa: SLF001 - memory is what this is about
