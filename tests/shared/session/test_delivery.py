"""How fast the link is and how much it loses, learned from acknowledgements alone."""

import pytest
from tests.shared.session.virtual_link import (
    Direction,
    Simulation,
    make_receiver,
    make_sender,
    picture,
)

from misc_shared.session.delivery import DeliveryRate, Departure
from misc_shared.wire import LayerKind


def answer(
    link: DeliveryRate,
    departure: Departure,
    received: int,
    at: float,
    *,
    round_trip: float,
    receiver: int = 1,
) -> None:
    """The receiver confirms a datagram."""
    same = link.count(receiver, received)
    link.answered(departure, at, round_trip=round_trip, same_receiver=same)


def burst(link: DeliveryRate, *, at: float, sizes: list[int], rate: float, delay: float) -> float:
    """Send datagrams back to back over an ideal link, answer each; give the last answer's time."""
    departures, free = [], at
    for size in sizes:
        departures.append(link.sent(size, free))
        free += size * 8 / rate
    link.starve()
    received = getattr(link, "received_by_test", 0)
    arrived = at
    for departure, size in zip(departures, sizes, strict=True):
        arrived = departure.at + size * 8 / rate + delay
        received += size
        answer(link, departure, received, arrived, round_trip=2 * delay)
    link.received_by_test = received  # type: ignore[attr-defined]
    return arrived


def run(rate: float, *, loss: float = 0.0, frames: int = 30, gap: float = 2.0) -> Simulation:
    """Pictures of 1.5 kB over a link of this rate."""
    up = Direction(rate=rate, delay=0.3, loss=loss)
    simulation = Simulation(make_sender(), make_receiver(), up=up, down=Direction(delay=0.3))
    for number in range(frames):
        simulation.at(
            number * gap, picture(number * gap, base=200, text=50, detail1=max(1250, int(rate / 8)))
        )
    simulation.run(until=frames * gap)
    return simulation


class TestRate:
    """protocol.md, Rate."""

    def test_nothing_is_known_at_first(self) -> None:
        """A sender that has measured nothing limits nothing."""
        link = DeliveryRate()
        assert link.rate is None
        assert link.limited_at is None
        assert link.loss == 0.0

    def test_a_burst_shorter_than_the_round_trip_tells_the_rate(self) -> None:
        """Ten datagrams of 100 bytes at 10 kbit/s take 0.8 s, the round trip 4 s."""
        link = DeliveryRate()
        burst(link, at=0.0, sizes=[100] * 10, rate=10_000, delay=2.0)
        assert link.rate == pytest.approx(10_000)

    def test_a_single_datagram_tells_nothing(self) -> None:
        """It was limited by what there was to send: its sample says how long the way is."""
        link = DeliveryRate()
        burst(link, at=0.0, sizes=[100], rate=10_000, delay=2.0)
        assert link.rate is None

    def test_single_datagrams_do_not_lower_what_is_known(self) -> None:
        """An idle camera does not forget how fast its link is."""
        link = DeliveryRate()
        now = burst(link, at=0.0, sizes=[100] * 10, rate=10_000, delay=0.5)
        for _ in range(50):
            now = burst(link, at=now + 5, sizes=[100], rate=10_000, delay=0.5)
        assert link.rate == pytest.approx(10_000)

    def test_a_slower_link_is_noticed_once_the_old_samples_are_past(self) -> None:
        """The estimate is the largest of a few seconds, no longer."""
        link = DeliveryRate()
        now = burst(link, at=0.0, sizes=[300] * 10, rate=62_000, delay=0.2)
        assert link.rate == pytest.approx(62_000)
        for _ in range(4):
            now = burst(link, at=now + 1, sizes=[100] * 10, rate=6_000, delay=0.2)
        assert link.rate == pytest.approx(6_000)
        burst(link, at=now + 1, sizes=[300] * 10, rate=62_000, delay=0.2)
        assert link.rate == pytest.approx(62_000)

    def test_another_receiver_counts_anew(self) -> None:
        """A restarted receiver has fewer bytes than the one before: that is no sample."""
        link = DeliveryRate()
        burst(link, at=0.0, sizes=[100] * 10, rate=10_000, delay=0.1)
        departure = link.sent(100, 50.0)
        answer(link, departure, 100, 51.0, round_trip=0.2, receiver=2)
        assert link.rate == pytest.approx(10_000)
        assert link.loss == 0.0

    def test_a_receiver_that_claims_more_than_was_sent_is_not_believed(self) -> None:
        """It could otherwise make the sender flood the link."""
        link = DeliveryRate()
        first = link.sent(100, 0.0)
        second = link.sent(100, 0.1)
        answer(link, first, 1_000_000, 0.2, round_trip=0.1)
        answer(link, second, 2_000_000, 0.3, round_trip=0.1)
        assert (link.rate or 0.0) <= 200 * 8 / 0.1


@pytest.mark.parametrize("rate", [1_760, 6_000, 20_000, 62_000])
def test_a_whole_session_finds_the_rate_of_its_link(rate: float) -> None:
    """Within a quarter, whether pictures fill the link or not."""
    found = run(rate).sender.link.rate
    assert found is not None
    assert 0.75 * rate <= found <= 1.02 * rate


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.3])
def test_a_whole_session_finds_the_loss_of_its_link(loss: float) -> None:
    """From the bytes that acknowledgements count."""
    assert run(20_000, loss=loss, frames=60).sender.link.loss == pytest.approx(loss, abs=0.1)


def test_no_queue_grows_behind_a_sender_that_is_never_held_back() -> None:
    """A broker takes everything at once; what is under way stays near what the link carries."""
    receiver = make_receiver()
    sender = make_sender()
    slow = Direction(rate=0, delay=0.3)  # takes all at once ...
    simulation = Simulation(sender, receiver, up=slow, down=Direction(delay=0.3))
    queued_until = 0.0
    arrivals = slow.arrivals

    def queueing(datagram: bytes, now: float, rng: object) -> list[tuple[float, bytes]]:
        nonlocal queued_until  # ... and delivers it at 6 kbit/s
        arrivals(datagram, now, rng)  # type: ignore[arg-type]
        queued_until = max(queued_until, now) + len(datagram) * 8 / 6_000
        waits.append(queued_until - now)
        return [(queued_until + 0.3, datagram)]

    waits: list[float] = []
    slow.arrivals = queueing  # type: ignore[method-assign, assignment]
    for number in range(40):
        simulation.at(number, picture(number, base=200, text=50, detail1=2_000))
    simulation.run(until=60)
    assert max(waits) < 5.0


def test_where_the_air_loses_much_the_first_layer_goes_twice_and_time_outs_do_not_double() -> None:
    """Bursts of ten among datagrams would outlast a sender that waits longer and longer."""
    pattern = ([False] * 12 + [True] * 8) * 40
    up = Direction(rate=6_000, delay=0.5, pattern=pattern)
    simulation = Simulation(make_sender(), make_receiver(), up=up, down=Direction(delay=0.5))
    for number in range(40):
        simulation.at(number * 5.0, picture(number * 5.0, lifetime=20, base=100, detail1=400))
    simulation.run(until=230)
    first = {frame for frame, layer in simulation.layers_received() if layer is LayerKind.BASE}
    assert len(first) == 40
    assert simulation.sender.link.loss > 0.1
