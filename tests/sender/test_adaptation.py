"""Pictures that follow the link, in virtual time: real sessions, made-up bytes."""

import dataclasses
from dataclasses import dataclass

import pytest
from tests.shared.session.virtual_link import (
    Direction,
    Simulation,
    make_receiver,
    make_sender,
    picture,
)

from misc_sender.adaptation import Adaptation
from misc_shared.session import FrameId, LayerReceived, LinkState
from misc_shared.wire import LayerKind

FULL = 900
DEADLINE = 15.0


def state(rate: float | None, *, limited_at: float | None = 0.0, waiting: int = 0) -> LinkState:
    """A link of this rate."""
    return LinkState(
        rate=rate,
        limited_at=limited_at,
        loss=0.0,
        round_trip=0.5,
        answered_at=0.0,
        waiting=waiting,
        unconfirmed=0,
    )


def adapted(rate: float, *, fps: float = 1.0) -> Adaptation:
    """What follows from a link that was seen at this limit just now."""
    adaptation = Adaptation(fps=fps)
    adaptation.update(state(rate), 0.0)
    return adaptation


class TestDecisions:
    """When and how large."""

    def test_an_unknown_link_limits_nothing(self) -> None:
        """The first pictures show what it can do."""
        adaptation = Adaptation(fps=1.0)
        adaptation.update(state(None, limited_at=None), 0.0)
        assert adaptation.limit(FULL) == FULL
        assert adaptation.limit(None) is None
        assert adaptation.pause(state(None, waiting=10_000), 0.0) == 0.0

    def test_pictures_become_smaller_with_the_link(self) -> None:
        """0.85 of 6 kbit/s is 637 bytes a second."""
        assert adapted(6_000).limit(FULL) == 637
        assert adapted(6_000, fps=2.0).limit(FULL) == 318
        assert adapted(6_000).limit(None) == 637

    def test_a_fast_link_does_not_make_them_larger(self) -> None:
        """What the user allows stays the most: traffic may cost money."""
        assert adapted(1_000_000).limit(FULL) == FULL

    def test_below_a_quarter_of_the_size_they_become_fewer_instead(self) -> None:
        """At 250 bit/s a picture of 225 bytes takes 8.5 s of the 0.85 that are used."""
        adaptation = adapted(250)
        assert adaptation.limit(FULL) == FULL // 4
        adaptation.coded(FULL // 4, 0.0)
        assert adaptation.pause(state(250), 0.0) == pytest.approx(8 * 225 / (0.85 * 250))

    def test_a_queue_is_let_drain_first(self) -> None:
        """750 bytes at 0.85 of 6 kbit/s, less the time that coding takes anyway."""
        assert adapted(6_000).pause(state(6_000, waiting=750), 0.0) == pytest.approx(
            1.126, abs=0.01
        )

    def test_what_waits_in_the_links_own_queue_counts_until_it_should_have_arrived(self) -> None:
        """After that it is lost, and waiting for it would waste the link."""
        adaptation = adapted(6_000)
        link = dataclasses.replace(state(6_000), queued=750, queued_until=2.0)
        assert adaptation.pause(link, 0.0) == pytest.approx(1.126, abs=0.01)
        assert adaptation.pause(link, 2.1) == 0.0

    def test_a_picture_that_is_late_says_how_fast_the_link_is(self) -> None:
        """Whatever deliveries seem to say; what comes in time takes that back, bit by bit."""
        adaptation = adapted(30_000)
        adaptation.coded(1500, 0.0)
        slow = dataclasses.replace(state(30_000), queued=1000, queued_until=2.5)
        assert adaptation.pause(slow, 1.0) > 0
        adaptation.pause(state(30_000), 2.0)
        adaptation.update(state(30_000, limited_at=2.0), 2.0)
        assert adaptation.allowed == pytest.approx(0.85 * 6_000)
        for _ in range(8):
            adaptation.coded(500, 3.0)
            adaptation.pause(state(30_000), 3.5)
        adaptation.update(state(30_000, limited_at=3.5), 3.5)
        assert adaptation.allowed == pytest.approx(0.85 * 30_000)

    def test_an_outage_says_nothing_of_the_rate(self) -> None:
        """Neither what is never answered, nor what is answered much later."""
        adaptation = adapted(16_000)
        adaptation.coded(1500, 0.0)
        lost = dataclasses.replace(state(16_000, limited_at=60.0), queued=1500, queued_until=9.0)
        assert adaptation.pause(lost, 60.0) == 0.0
        adaptation.update(lost, 60.0)
        assert adaptation.allowed == pytest.approx(0.85 * 16_000)
        adaptation.coded(1500, 60.0)
        adaptation.pause(state(16_000), 120.0)
        adaptation.update(state(16_000, limited_at=120.0), 120.0)
        assert adaptation.allowed == pytest.approx(0.85 * 16_000 / 8)

    def test_it_looks_for_more_where_the_limit_was_not_seen_of_late(self) -> None:
        """By half every 5 s, or every four round trips."""
        adaptation = adapted(6_000)
        for now in (1.0, 4.9, 5.1, 9.0, 10.2, 15.3):
            adaptation.update(state(6_000), now)
        assert adaptation.allowed == pytest.approx(0.85 * 6_000 * 1.5**2)

    def test_a_reserve_is_left(self) -> None:
        """For what is caught up on."""
        adaptation = Adaptation(fps=1.0)
        adaptation.reserve = 0.5
        adaptation.update(state(6_000), 0.0)
        assert adaptation.allowed == pytest.approx(0.5 * 0.85 * 6_000)


@dataclass
class Changing(Direction):
    """A link whose rate changes."""

    rates: tuple[tuple[float, float], ...] = ()

    def arrivals(self, datagram: bytes, now: float, rng: object) -> list[tuple[float, bytes]]:
        """As at the rate of this moment."""
        self.rate = [rate for since, rate in self.rates if now >= since][-1]
        return super().arrivals(datagram, now, rng)  # type: ignore[arg-type]


class Camera:
    """Takes a picture every second; the newest is coded when the link has room for it."""

    def __init__(self, simulation: Simulation, *, full: int, until: int) -> None:
        self.adaptation = Adaptation(fps=1.0)
        self.sizes: dict[FrameId, int] = {}
        self.times: dict[FrameId, float] = {}
        self.queue = 0.0
        self._simulation, self._full, self._until = simulation, full, until
        self._next = 0

    def watch(self, simulation: Simulation) -> None:
        """Called at every moment at which something happens."""
        now, link = simulation.now, simulation.sender.link
        if link.rate is not None:
            self.queue = max(self.queue, 8 * (link.waiting + link.unconfirmed) / link.rate)
        self.adaptation.update(link, now)
        if now < self._next or self.adaptation.pause(link, now) > 0 or now >= self._until:
            return
        size = self.adaptation.limit(self._full)
        assert size is not None
        base = size // 5
        frame = picture(now, base=base, detail1=size - base, lifetime=DEADLINE)
        frame_id = simulation.sender.submit(frame, now)
        self.sizes[frame_id], self.times[frame_id] = size, now
        self.adaptation.coded(size + 33, now)
        self._next = int(now) + 1


def run(rates: tuple[tuple[float, float], ...], *, full: int, until: int) -> Camera:
    """A camera over a link of these rates, each from a second on."""
    up = Changing(delay=0.3, rates=rates)
    simulation = Simulation(
        make_sender(mtu=600), make_receiver(), up=up, down=Direction(rate=20_000, delay=0.3)
    )
    camera = Camera(simulation, full=full, until=until)
    simulation.watch = camera.watch
    for tenth in range(until * 5):  # moments to look at the clock
        simulation._plan(tenth / 5, "look", None)  # noqa: SLF001 - the test's own helper
    simulation.run(until=until + DEADLINE)
    camera.arrived = {  # type: ignore[attr-defined]
        event.frame: at
        for at, event in simulation.receiver_events
        if isinstance(event, LayerReceived) and event.layer is LayerKind.BASE
    }
    return camera


def test_the_stream_follows_a_link_that_falls_and_returns() -> None:
    """From 62 to 6 kbit/s and back: smaller, then full size again; no first layer comes late."""
    camera = run(((0, 62_000), (60, 6_000), (120, 62_000)), full=4_000, until=240)
    arrived: dict[FrameId, float] = camera.arrived  # type: ignore[attr-defined]
    waits = {frame: arrived[frame] - at for frame, at in camera.times.items() if frame in arrived}
    assert len(waits) >= 0.97 * len(camera.times)
    assert max(waits.values()) < DEADLINE
    assert camera.queue < DEADLINE
    sizes = [(at, camera.sizes[frame]) for frame, at in camera.times.items()]
    assert {size for at, size in sizes if 30 < at < 60} == {4_000}
    assert max(size for at, size in sizes if 80 < at < 120) <= 1_500
    assert {size for at, size in sizes if at > 200} == {4_000}
    slow = [wait for frame, wait in waits.items() if 80 < camera.times[frame] < 120]
    assert max(slow) < 4.0
