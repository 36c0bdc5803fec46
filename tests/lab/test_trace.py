"""Trace-driven links depart exactly as mahimahi's."""

from collections import deque
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from misc_lab.links import Fate, TraceSchedule, find_profile, open_link, read_trace
from misc_shared.errors import ConfigError

TRACES = (
    st.lists(st.integers(0, 40), min_size=1, max_size=8).map(sorted).filter(lambda t: t[-1] > 0)
)
TRAFFIC = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 1504)), min_size=1, max_size=25)


def mahimahi(trace: list[int], traffic: list[tuple[int, int]]) -> list[int]:
    """Departures in ms by the letter of mahimahi's queue: walk each opportunity in turn.

    Args:
        trace: Opportunities in ms.
        traffic: Arrival in ms and size of each packet.
    """
    waiting = deque(traffic)
    departures: list[int] = []
    left_of_packet = waiting[0][1]
    base, index = 0, 0
    while waiting:
        opportunity, room = base + trace[index], 1504
        while room and waiting and waiting[0][0] < opportunity:
            used = min(room, left_of_packet)
            room, left_of_packet = room - used, left_of_packet - used
            if left_of_packet == 0:
                departures.append(opportunity)
                waiting.popleft()
                left_of_packet = waiting[0][1] if waiting else 0
        index += 1
        if index == len(trace):
            base, index = base + trace[-1], 0
    return departures


def departures_ms(trace: list[int], traffic: list[tuple[int, int]]) -> list[int]:
    """Departures of our schedule in ms."""
    schedule = TraceSchedule(trace)
    return [round(schedule.depart(size, arrival / 1000)[1] * 1000) for arrival, size in traffic]


@given(trace=TRACES, steps=TRAFFIC)
def test_departures_equal_mahimahis(trace: list[int], steps: list[tuple[int, int]]) -> None:
    """Any trace, any traffic, to the millisecond."""
    traffic, now = [], 0
    for pause, size in steps:
        now += pause
        traffic.append((now, size))
    assert departures_ms(trace, traffic) == mahimahi(trace, traffic)


def test_small_packets_share_an_opportunity_and_large_ones_span_two() -> None:
    """1504 bytes each, across packet borders."""
    traffic = [(0, 500), (0, 1004), (0, 1000), (0, 1000)]
    assert departures_ms([10, 25], traffic) == [10, 10, 25, 35]


def test_unused_opportunities_are_wasted() -> None:
    """Nobody was waiting at 5 and 10 ms."""
    assert departures_ms([5, 10, 15], [(11, 1504)]) == [15]


def test_an_opportunity_at_the_moment_of_sending_is_gone() -> None:
    """Mahimahi empties it before it takes the packet."""
    assert departures_ms([5, 10], [(5, 100)]) == [10]


def test_the_trace_wraps_after_its_last_line() -> None:
    """The second round is shifted by the last line's time."""
    assert departures_ms([3, 10], [(t, 1504) for t in (0, 0, 0, 0, 0)]) == [3, 10, 13, 20, 23]


def test_a_long_silence_keeps_the_phase_of_the_trace() -> None:
    """A day of silence costs no time and no phase."""
    day_ms = 86_400_000
    assert departures_ms([3, 10], [(day_ms + 1, 10)]) == [day_ms + 3]


def test_a_paced_sender_uses_the_whole_capacity() -> None:
    """Asking when the link is free wastes nothing."""
    schedule = TraceSchedule([10])
    now, last = 0.0, 0.0
    for _ in range(1504):
        now = schedule.free_at(now)
        last = schedule.depart(100, now)[1]
    assert last == pytest.approx(100 * 1504 / 1504 * 0.01)


def test_free_at_always_allows_progress() -> None:
    """What was accepted decides when more is."""
    schedule = TraceSchedule([10, 20])
    for _ in range(1000):
        schedule.depart(1100, schedule.free_at(0.0))
    assert schedule.free_at(0.0) == pytest.approx(1000 * 1100 / 1504 * 0.01, rel=0.01)


def test_a_trace_replaces_the_rate_of_a_profile() -> None:
    """Delay and loss stay the profile's."""
    link = open_link(find_profile("geo"), seed=1, trace=[500])
    passage = link.up.send(bytes(100), 0)
    assert passage.departed == 0.5
    assert passage.fate is Fate.DELIVERED


def test_a_trace_file_is_read(tmp_path: Path) -> None:
    """One millisecond a line, repeats allowed."""
    path = tmp_path / "link.up"
    path.write_text("0\n5\n5\n12\n")
    assert read_trace(path) == (0, 5, 5, 12)


@pytest.mark.parametrize("text", ["12\nx\n", "1.5\n", "\n"])
def test_what_is_not_a_trace_is_refused(text: str, tmp_path: Path) -> None:
    """The message says what a line must be."""
    path = tmp_path / "link.up"
    path.write_text(text)
    with pytest.raises(ConfigError, match="millisecond"):
        read_trace(path)


def test_a_missing_trace_is_named(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(ConfigError, match=r"absent\.up cannot be read"):
        read_trace(tmp_path / "absent.up")


@pytest.mark.parametrize("trace", [[], [0], [5, 3], [-1, 4]])
def test_impossible_traces_are_refused(trace: list[int]) -> None:
    """Empty, falling, negative, or over before it began."""
    with pytest.raises(ConfigError):
        TraceSchedule(trace)
