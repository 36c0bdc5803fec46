"""Simulated links keep to their rate, their losses and their clock."""

import random
from itertools import groupby, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from misc_lab.links import (
    PROFILES,
    Fate,
    GilbertElliott,
    NoLoss,
    Passage,
    Profile,
    RateSchedule,
    ScriptedLoss,
    SimulatedLink,
    find_profile,
    open_link,
)
from misc_shared.errors import ConfigError

BUSY_LINKS = st.sampled_from([name for name in PROFILES if not name.startswith("lorawan")])
TRAFFIC = st.lists(
    st.tuples(st.floats(0, 2, allow_nan=False), st.integers(0, 1500)), min_size=1, max_size=60
)


def drive(link: SimulatedLink, traffic: list[tuple[float, int]]) -> list[Passage]:
    """Send datagrams of the given sizes, each some seconds after the one before."""
    now = 0.0
    for pause, size in traffic:
        now += pause
        link.send(bytes(size), now)
    return link.log


def plain_link(**changes: object) -> SimulatedLink:
    """A link of 8 kbit/s and 0.25 s that loses nothing, with changes."""
    properties = {
        "schedule": RateSchedule(8_000),
        "loss": NoLoss(),
        "delay": 0.25,
        "mtu": 1000,
        "queue_bytes": 3000,
        "generator": random.Random(1),
    }
    return SimulatedLink(**(properties | changes))  # type: ignore[arg-type]


@given(name=BUSY_LINKS, traffic=TRAFFIC, seed=st.integers(0, 9))
def test_nothing_is_invented_and_nothing_arrives_before_it_was_sent(
    name: str, traffic: list[tuple[float, int]], seed: int
) -> None:
    """One passage a datagram, and physics holds for each."""
    profile = PROFILES[name]
    log = drive(open_link(profile, seed=seed).up, traffic)
    assert [passage.size for passage in log] == [size for _, size in traffic]
    for passage in log:
        assert (passage.arrived is not None) == (passage.fate is Fate.DELIVERED)
        if passage.arrived is not None and passage.departed is not None:
            on_air = passage.size * 8 / profile.rate
            assert passage.departed >= passage.sent + on_air * 0.999
            assert passage.arrived >= passage.departed + profile.delay


@given(name=BUSY_LINKS, traffic=TRAFFIC)
def test_the_same_seed_gives_the_same_log(name: str, traffic: list[tuple[float, int]]) -> None:
    """Losses, jitter and times are all repeatable."""
    first, second = (drive(open_link(PROFILES[name], seed=5).up, traffic) for _ in range(2))
    assert first == second


def test_another_seed_gives_other_losses() -> None:
    """The seed matters."""
    traffic = [(0.1, 100)] * 400
    logs = [drive(open_link(PROFILES["wifi-bad"], seed=seed).up, traffic) for seed in (1, 2)]
    assert logs[0] != logs[1]


@given(name=BUSY_LINKS, traffic=TRAFFIC)
def test_order_is_kept_and_the_rate_is_never_exceeded(
    name: str, traffic: list[tuple[float, int]]
) -> None:
    """First in, first out, one on air at a time."""
    log = drive(open_link(PROFILES[name], seed=3).up, traffic)
    arrivals = [passage.arrived for passage in log if passage.arrived is not None]
    assert PROFILES[name].reorders or arrivals == sorted(arrivals)
    on_air = [(p.started, p.departed) for p in log if p.started is not None]
    assert all(after[0] >= before[1] for before, after in pairwise(on_air))  # type: ignore[operator]


def test_a_full_link_carries_its_rate() -> None:
    """Two hundred datagrams take their bits over the rate, plus the delay once."""
    link = plain_link(queue_bytes=10**6)
    log = drive(link, [(0, 500)] * 200)
    assert log[-1].departed == pytest.approx(200 * 500 * 8 / 8_000)
    assert log[-1].arrived == pytest.approx(200 * 500 * 8 / 8_000 + 0.25)


def test_the_queue_drops_the_newest() -> None:
    """Three fit a queue of three; the fourth and fifth are dropped."""
    fates = [passage.fate for passage in drive(plain_link(), [(0, 1000)] * 5)]
    assert fates == [Fate.DELIVERED] * 3 + [Fate.QUEUE_FULL] * 2


def test_the_queue_empties_with_time() -> None:
    """What has left makes room."""
    link = plain_link()
    drive(link, [(0, 1000)] * 3)
    assert link.backlog(1.5) == 2000
    assert link.send(bytes(1000), 1.5).fate is Fate.DELIVERED


def test_what_exceeds_the_mtu_goes_nowhere() -> None:
    """Too large a datagram takes no time on air."""
    link = plain_link()
    assert link.send(bytes(1001), 0).fate is Fate.TOO_LARGE
    assert link.free_at(0) == 0


def test_overhead_takes_time_but_is_not_ours() -> None:
    """The transport's bytes count for the rate alone."""
    passage = plain_link(overhead=100).send(bytes(900), 0)
    assert passage.size == 900
    assert passage.departed == pytest.approx(1.0)


def test_scripted_losses_hit_exactly_the_script() -> None:
    """After the script, everything arrives."""
    link = plain_link(loss=ScriptedLoss([True, False, False, True]))
    fates = [passage.fate is Fate.LOST for passage in drive(link, [(2, 10)] * 6)]
    assert fates == [True, False, False, True, False, False]


def test_a_repeating_script_begins_again() -> None:
    """A repeating script never ends."""
    loss = ScriptedLoss([True, False], repeat=True)
    assert [loss.loses_next() for _ in range(5)] == [True, False, True, False, True]


@pytest.mark.parametrize(("p", "r"), [(0.005, 0.5), (0.02, 0.2), (0.05, 0.1)])
def test_gilbert_elliott_has_the_analytic_rate_and_burst_length(p: float, r: float) -> None:
    """Loss is p / (p + r), bursts are 1 / r long."""
    loss = GilbertElliott(p, r, generator=random.Random(1))
    lost = [loss.loses_next() for _ in range(200_000)]
    bursts = [len(list(run)) for value, run in groupby(lost) if value]
    assert sum(lost) / len(lost) == pytest.approx(p / (p + r), rel=0.06)
    assert sum(bursts) / len(bursts) == pytest.approx(1 / r, rel=0.05)


def test_the_duty_cycle_holds_over_an_hour() -> None:
    """One per cent on air, used in full."""
    link = open_link(PROFILES["lorawan-dr5"], seed=1).up
    now = 0.0
    while (now := link.free_at(now)) < 3600:
        link.send(bytes(200), now)
    on_air = sum((p.departed or 0) - (p.started or 0) for p in link.log)
    assert on_air / 3600 == pytest.approx(0.01, rel=0.02)


def test_jitter_may_reorder_where_allowed() -> None:
    """Only a link that may reorder does."""

    def arrivals(*, reorders: bool) -> list[float]:
        link = plain_link(jitter=2.0, reorders=reorders, schedule=RateSchedule(10**6))
        return [p.arrived or 0 for p in drive(link, [(0.01, 10)] * 50)]

    assert arrivals(reorders=False) == sorted(arrivals(reorders=False))
    assert arrivals(reorders=True) != sorted(arrivals(reorders=True))


def test_jitter_stays_within_its_bound() -> None:
    """Uniform between nothing and the bound."""
    log = drive(plain_link(jitter=0.5, reorders=True), [(2, 10)] * 500)
    extra = [(p.arrived or 0) - (p.departed or 0) - 0.25 for p in log]
    assert min(extra) >= 0
    assert max(extra) <= 0.5
    assert sum(extra) / len(extra) == pytest.approx(0.25, abs=0.03)


def test_time_cannot_run_backwards() -> None:
    """A caller's mistake is told, not mended."""
    link = plain_link()
    link.send(b"a", 2.0)
    with pytest.raises(ValueError, match="backwards"):
        link.send(b"b", 1.0)


@pytest.mark.parametrize("profile", PROFILES.values(), ids=str)
def test_every_profile_opens_and_carries_a_datagram_of_its_mtu(profile: Profile) -> None:
    """No profile contradicts itself, and each has a source."""
    link = open_link(profile, seed=0, loss=NoLoss())
    passage = link.up.send(bytes(profile.mtu), 0)
    assert passage.fate is Fate.DELIVERED
    assert profile.source


def test_lorawan_has_no_return_channel() -> None:
    """So the session repeats instead of waiting."""
    assert open_link(PROFILES["lorawan-dr5"], seed=0).down is None


def test_an_unknown_profile_is_named_with_the_known_ones() -> None:
    """The message lists what there is."""
    with pytest.raises(ConfigError, match=r"'nbiot'; choose one of: .*nb-iot"):
        find_profile("nbiot")


@pytest.mark.parametrize(
    "changes", [{"delay": -1.0}, {"mtu": 0}, {"queue_bytes": 10}, {"jitter": -0.1}]
)
def test_impossible_links_are_refused(changes: dict[str, object]) -> None:
    """Negative times and a queue below one MTU."""
    with pytest.raises(ConfigError):
        plain_link(**changes)


@settings(max_examples=20)
@given(rate=st.sampled_from([0.0, -5.0]), duty=st.sampled_from([1.0, 0.0, 1.5]))
def test_impossible_schedules_are_refused(rate: float, duty: float) -> None:
    """No rate, or a duty cycle outside (0, 1]."""
    with pytest.raises(ConfigError):
        RateSchedule(rate, duty_cycle=duty)


@pytest.mark.parametrize(("p", "r"), [(-0.1, 0.5), (0.1, 0.0), (1.1, 0.5)])
def test_impossible_losses_are_refused(p: float, r: float) -> None:
    """Probabilities are probabilities."""
    with pytest.raises(ConfigError):
        GilbertElliott(p, r, generator=random.Random(0))
