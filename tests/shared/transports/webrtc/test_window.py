"""How much may be in flight over links of all kinds."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from misc_shared.transports.webrtc.window import DelayWindow

MESSAGE = 1100
SMALL = 60


def _fill(*, kbps: float, round_trip: float, seconds: float) -> DelayWindow:
    """Send full messages over a link of this rate for as long as the window lets us."""
    window, now = DelayWindow(message=MESSAGE), 0.0
    on_air = (MESSAGE + 80) * 8 / (kbps * 1000)
    generator, probe_at = random.Random(1), 0.0
    free_at = 0.0
    in_flight: list[tuple[float, float]] = []
    while now < seconds:
        if now >= probe_at:  # a consent check, which finds a message on air or not
            waited = generator.uniform(0, on_air) if now else 0.0
            window.probed(round_trip + waited + SMALL * 8 / (kbps * 1000), now)
            probe_at += 12.0
        while window.allows(len(in_flight) * MESSAGE):
            free_at = max(free_at, now) + on_air
            in_flight.append((free_at + round_trip, now))
        arrived, sent_at = in_flight[0]
        now = arrived
        before = len(in_flight) * MESSAGE
        in_flight.pop(0)
        window.acknowledged(MESSAGE, in_flight=before, round_trip=now - sent_at, now=now)
    return window


@pytest.mark.parametrize("kbps", [2.4, 6, 20, 64])
@pytest.mark.parametrize("round_trip", [0.05, 0.6, 1.2])
def test_a_slow_link_has_one_message(kbps: float, round_trip: float) -> None:
    """At 64 kbit/s and below there never is a second message in flight."""
    assert _fill(kbps=kbps, round_trip=round_trip, seconds=300).nbytes == MESSAGE


def test_a_long_fast_link_is_filled() -> None:
    """At 1 Mbit/s and 600 ms, more than half of what fits the link is in flight."""
    window = _fill(kbps=1000, round_trip=0.6, seconds=120)
    assert window.nbytes > 0.5 * 1_000_000 / 8 * 0.6


def test_a_loss_halves_it_once_a_round_trip() -> None:
    """One loss and its echoes count once."""
    window = _fill(kbps=1000, round_trip=0.6, seconds=60)
    before = window.nbytes
    for _ in range(3):
        window.lost(now=61.0)
    assert window.nbytes == before / 2


def test_messages_are_spread_over_the_round_trip() -> None:
    """A window of many messages is no burst; a window of one waits for nothing."""
    window = _fill(kbps=1000, round_trip=0.6, seconds=60)
    window.sent(MESSAGE, now=61.0)
    assert 0.0 < window.wait(61.0) < 0.6
    single = DelayWindow(message=MESSAGE)
    single.sent(MESSAGE, now=61.0)
    assert single.wait(61.0) == 0.0


@given(st.lists(st.tuples(st.floats(0, 100), st.integers(1, 100_000), st.booleans()), max_size=50))
def test_one_message_may_always_go(history: list[tuple[float, int, bool]]) -> None:
    """Whatever happened, the window is within its bounds and lets a message go on an idle link."""
    window, now = DelayWindow(message=MESSAGE), 0.0
    for round_trip, nbytes, lost in history:
        now += round_trip
        if lost:
            window.lost(now)
        window.acknowledged(nbytes, in_flight=nbytes, round_trip=round_trip, now=now)
        assert MESSAGE <= window.nbytes <= 64 * MESSAGE
        assert window.allows(0)
