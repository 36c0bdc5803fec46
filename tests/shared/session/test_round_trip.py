"""The round trip and the time-out, against RFC 6298's arithmetic."""

import pytest

from misc_shared.session.round_trip import ACK_ALLOWANCE, RoundTrip


def test_before_the_first_measurement_the_assumption_holds() -> None:
    """Links of this kind may take seconds."""
    round_trip = RoundTrip(first=3.0)
    assert round_trip.measured is None
    assert round_trip.estimate == 3.0
    assert round_trip.timeout == 3.0


def test_samples_are_smoothed_as_the_rfc_says() -> None:
    """2.2 and 2.3 of RFC 6298, with our allowance for the receiver's delay."""
    round_trip = RoundTrip(first=3.0)
    round_trip.measure(1.0)
    assert round_trip.estimate == 1.0
    assert round_trip.timeout == pytest.approx(1.0 + 4 * 0.5 + ACK_ALLOWANCE)
    round_trip.measure(2.0)
    assert round_trip.estimate == pytest.approx(7 / 8 * 1.0 + 1 / 8 * 2.0)
    variation = 3 / 4 * 0.5 + 1 / 4 * 1.0
    assert round_trip.timeout == pytest.approx(1.125 + 4 * variation + ACK_ALLOWANCE)


def test_a_steady_link_still_gets_some_slack() -> None:
    """Down to the granularity, and no sample is negative."""
    round_trip = RoundTrip(first=3.0)
    for _ in range(200):
        round_trip.measure(-0.1)
    assert round_trip.estimate == 0.0
    assert round_trip.timeout == pytest.approx(0.05 + ACK_ALLOWANCE)


def test_waits_double_up_to_a_minute_until_an_answer_comes() -> None:
    """5.5 of RFC 6298."""
    round_trip = RoundTrip(first=3.0)
    waits = []
    for _ in range(8):
        round_trip.back_off()
        waits.append(round_trip.timeout)
    assert waits == [6, 12, 24, 48, 60, 60, 60, 60]
    round_trip.answered()
    assert round_trip.timeout == 3.0
