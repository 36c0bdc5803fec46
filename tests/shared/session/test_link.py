"""Both ends together over a scripted link: each loss has the consequence that it should."""

import pytest
from tests.shared.session.virtual_link import (
    Direction,
    Simulation,
    make_receiver,
    make_sender,
    picture,
)

from misc_shared.session import (
    DropReason,
    FrameDropped,
    HelloAcknowledged,
    LayerReceived,
    PeerHello,
    ReceiverReport,
    Refused,
    Stale,
    StreamEnded,
)
from misc_shared.wire import Ack, Data, LayerKind, Reason, ShortHello, parse

LOST, ARRIVES = True, False


def run(
    *, up: Direction, down: Direction | None = None, frames: int = 1, until: float = 100.0
) -> Simulation:
    """Frames of three layers, one a second, in five datagrams each."""
    simulation = Simulation(make_sender(), make_receiver(), up=up, down=down or Direction())
    for second in range(frames):
        simulation.at(second, picture(second, base=300, text=20, detail1=300))
    simulation.run(until=until)
    return simulation


def sent_layers(simulation: Simulation) -> list[str]:
    """What went up, in order."""
    messages = [parse(datagram) for _, datagram in simulation.up.sent]
    return [
        message.layer.name if isinstance(message, Data) else type(message).__name__
        for message in messages
    ]


PLAIN = ["BASE", "BASE", "ShortHello", "TEXT", "DETAIL1", "DETAIL1"]


def test_without_loss_nothing_is_sent_twice() -> None:
    """Six datagrams for the frame, two small answers."""
    simulation = run(up=Direction())
    assert sent_layers(simulation) == PLAIN
    assert len(simulation.layers_received()) == 3
    assert simulation.sender.frames_in_flight == 0
    acks = [parse(datagram) for _, datagram in simulation.down.sent]
    assert [type(ack) for ack in acks] == [Ack]
    assert sum(len(datagram) for _, datagram in simulation.down.sent) < 25


@pytest.mark.parametrize("place", range(6))
def test_any_one_lost_datagram_is_repeated_once(place: int) -> None:
    """That one and no other."""
    simulation = run(up=Direction(pattern=[index == place for index in range(6)]))
    assert sent_layers(simulation)[:6] == PLAIN
    assert sorted(sent_layers(simulation)) == sorted([*PLAIN, PLAIN[place]])
    assert len(simulation.layers_received()) == 3


def test_a_lost_acknowledgement_is_made_good_by_the_next() -> None:
    """With a second frame before the time-out, nothing is repeated."""
    simulation = run(up=Direction(), down=Direction(pattern=[LOST]), frames=2)
    assert simulation.sender.counters.repeats == 0
    assert simulation.sender.frames_in_flight == 0


def test_a_lost_hello_costs_no_picture() -> None:
    """It is said again, and layers do not wait for it."""
    pattern = [ARRIVES, ARRIVES, LOST]
    simulation = run(up=Direction(pattern=pattern), frames=3)
    received = [
        time for time, event in simulation.receiver_events if isinstance(event, LayerReceived)
    ]
    (hello,) = [time for time, event in simulation.receiver_events if isinstance(event, PeerHello)]
    assert received[0] == pytest.approx(0.1)
    assert hello > 0.1
    assert any(isinstance(event, HelloAcknowledged) for _, event in simulation.sender_events)


def test_a_dead_return_channel_costs_repeats_but_no_picture() -> None:
    """The sender goes on with newer frames and drops the old ones at their deadline."""
    simulation = run(up=Direction(), down=Direction(loss=1.0), frames=3)
    assert len(simulation.layers_received()) == 9
    reasons = [e.reason for _, e in simulation.sender_events if isinstance(e, FrameDropped)]
    assert reasons == [DropReason.DEADLINE] * 3
    assert simulation.receiver.counters.duplicates > 0


@pytest.mark.parametrize(("delay", "most"), [(1.8, 2), (10.0, 8)])
def test_a_delay_above_the_first_time_out_is_learned(delay: float, most: int) -> None:
    """The first picture is repeated too early, and those after it never again."""
    simulation = Simulation(
        make_sender(mtu=1100),
        make_receiver(),
        up=Direction(delay=delay),
        down=Direction(delay=delay),
    )
    for number in range(10):
        simulation.at(60.0 * number, picture(60.0 * number, lifetime=58, base=150, detail1=600))
    simulation.run(until=59)
    early = simulation.sender.counters.repeats
    assert 0 < early <= most
    simulation.run(until=700)
    assert simulation.sender.counters.repeats == early
    assert len(simulation.layers_received()) == 20


def test_a_dead_link_is_noticed_at_the_receiver() -> None:
    """What is shown is old."""
    simulation = run(up=Direction(pattern=[ARRIVES] * 6 + [LOST] * 1000), frames=3)
    (stale,) = [e for _, e in simulation.receiver_events if isinstance(e, Stale)]
    assert stale.since == pytest.approx(0.1)


def test_reordering_costs_no_layer() -> None:
    """Everything of a frame may overtake everything else."""
    simulation = run(up=Direction(delay=0.1, jitter=0.8), frames=20)
    assert len(simulation.layers_received()) == 60


def test_the_first_picture_takes_its_bytes_and_the_delay() -> None:
    """Issue 2's bar at nb-iot: nothing goes before BASE."""
    simulation = Simulation(
        make_sender(mtu=1100),
        make_receiver(),
        up=Direction(rate=6_000, delay=1.6),
        down=Direction(),
    )
    simulation.at(0.0, picture(0, base=150, text=30, detail1=600, maps=20))
    simulation.run(until=60)
    time, event = next(
        (time, event)
        for time, event in simulation.receiver_events
        if isinstance(event, LayerReceived)
    )
    assert event.layer is LayerKind.BASE
    assert time == pytest.approx(len(simulation.up.sent[0][1]) * 8 / 6_000 + 1.6)
    assert len(simulation.up.sent[0][1]) <= 150 + 12


def test_the_round_trip_is_measured_without_the_receivers_delay() -> None:
    """100 ms there, 150 ms back."""
    simulation = run(up=Direction(delay=0.1), down=Direction(delay=0.15), frames=10)
    reports = [e for _, e in simulation.sender_events if isinstance(e, ReceiverReport)]
    assert reports[-1].round_trip == pytest.approx(0.25, abs=0.01)
    assert reports[-1].received == simulation.sender.counters.bytes


def test_a_mismatch_is_an_error_at_both_ends() -> None:
    """The short form is unknown, and the long one names the model."""
    simulation = Simulation(
        make_sender(),
        make_receiver(packs={"codec": b"another!"}),
        up=Direction(),
        down=Direction(),
    )
    for second in range(4):
        simulation.at(second * 0.05, picture(second, base=50))
    simulation.run(until=30)
    for events in (simulation.sender_events, simulation.receiver_events):
        refused, *_ = [event for _, event in events if isinstance(event, Refused)]
        assert refused.reason is Reason.PACKS
        assert "codec model" in refused.detail
    assert not simulation.sender.finished


def test_a_receiver_that_restarts_is_introduced_again() -> None:
    """It asks, since the sender thinks that it is known."""
    simulation = run(up=Direction(), frames=1, until=50)
    simulation.receiver = make_receiver()
    for second in range(50, 55):
        simulation.at(second, picture(second, base=50))
    simulation.run(until=100)
    hellos = [event for _, event in simulation.receiver_events if isinstance(event, PeerHello)]
    assert len(hellos) == 2
    said = [parse(datagram) for _, datagram in simulation.up.sent]
    assert sum(isinstance(message, ShortHello) for message in said) == 2


def test_a_sender_that_restarts_is_followed() -> None:
    """A new epoch, and pictures go on."""
    simulation = run(up=Direction(), frames=1, until=50)
    simulation.sender = make_sender(epoch=0x4321)
    simulation.at(50, picture(50, base=50))
    simulation.run(until=100)
    epochs = {frame.epoch for frame, _ in simulation.layers_received()}
    assert epochs == {0x1234, 0x4321}


def test_a_stream_that_is_closed_ends_at_the_other_end() -> None:
    """After everything was delivered, over a link that loses."""
    simulation = Simulation(
        make_sender(),
        make_receiver(),
        up=Direction(pattern=[LOST, ARRIVES, LOST]),
        down=Direction(pattern=[LOST]),
    )
    simulation.at(0, picture(0, base=300, text=20))
    simulation.run(until=0)
    simulation.sender.close()
    simulation.run(until=60)
    assert len(simulation.layers_received()) == 2
    assert isinstance(simulation.receiver_events[-1][1], StreamEnded)
    assert simulation.sender.finished


def test_one_way_a_burst_of_losses_spares_the_repeated_base() -> None:
    """Each BASE goes out twice, a second apart, and a parity with it; TEXT is gone."""
    simulation = Simulation(
        make_sender(one_way=True),
        make_receiver(one_way=True),
        up=Direction(pattern=[LOST] * 4),
        down=Direction(),
    )
    simulation.at(0, picture(0, base=50, text=20, detail1=300))
    simulation.run(until=29)
    assert [layer for _, layer in simulation.layers_received()] == [
        LayerKind.BASE,
        LayerKind.DETAIL1,
    ]
    assert simulation.down.sent == []
