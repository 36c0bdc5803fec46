"""Sessions over simulated links: what arrives, when, and what is repeated."""

import random
from collections.abc import Sequence

import pytest

from misc_lab.links import DuplexLink, NoLoss, RateSchedule, ScriptedLoss, SimulatedLink
from misc_lab.simulation.exchange import Exchange, TimedFrame
from misc_lab.simulation.loop import VirtualLoop
from misc_lab.simulation.timeline import frame_timelines, link_use
from misc_shared.session import HelloConfig, ReceiverSession, SenderSession, StreamEnded
from misc_shared.wire import LayerKind

PACKS = {"codec": bytes(8)}
LAYERS = {LayerKind.BASE: bytes(60), LayerKind.TEXT: bytes(30), LayerKind.DETAIL1: bytes(700)}
RATE, DELAY = 8_000, 0.5


def one_way(loss: Sequence[bool] = ()) -> SimulatedLink:
    """A link of 8 kbit/s and 0.5 s that loses by a script."""
    return SimulatedLink(
        schedule=RateSchedule(RATE),
        loss=ScriptedLoss(loss) if loss else NoLoss(),
        delay=DELAY,
        mtu=400,
        queue_bytes=4_000,
        generator=random.Random(0),
    )


def carry(frames: Sequence[TimedFrame], loss: Sequence[bool] = ()) -> tuple[Exchange, DuplexLink]:
    """Carry frames over such a link in both directions."""
    hello = HelloConfig(stream="test", packs=PACKS, started=0.0)
    link = DuplexLink(one_way(loss), one_way())
    exchange = Exchange(
        sender=SenderSession(epoch=1, mtu=400, hello=hello, now=0.0),
        receiver=ReceiverSession(packs=PACKS, instance=1, mtu=400),
        link=link,
    )
    exchange.run(frames, until=300.0)
    return exchange, link


def frame_at(second: float) -> TimedFrame:
    """A frame that is ready when it is captured."""
    return TimedFrame(second, second, LAYERS, second + 200)


def test_layers_arrive_whole_in_the_order_of_priority() -> None:
    """The receiver gets exactly what was submitted, base first."""
    exchange, link = carry([frame_at(0.0)])
    (timeline,) = frame_timelines(
        exchange.submitted,
        sent=exchange.sent_events,
        received=exchange.received_events,
        log=link.up.log,
    )
    by_time = sorted(timeline.arrivals.items(), key=lambda entry: entry[1].at)
    assert [kind for kind, _ in by_time] == [LayerKind.BASE, LayerKind.TEXT, LayerKind.DETAIL1]
    assert {kind: one.event.data for kind, one in timeline.arrivals.items()} == LAYERS
    assert timeline.outcome == "delivered"


def test_the_base_takes_its_bytes_at_the_links_rate() -> None:
    """Nothing delays the first layer."""
    exchange, link = carry([frame_at(0.0)])
    (timeline,) = frame_timelines(
        exchange.submitted,
        sent=exchange.sent_events,
        received=exchange.received_events,
        log=link.up.log,
    )
    base = timeline.arrivals[LayerKind.BASE]
    assert base.bytes_until == base.event.wire_bytes
    assert base.at == pytest.approx(base.bytes_until * 8 / RATE + DELAY)


def test_what_is_lost_is_repeated() -> None:
    """Every third datagram lost costs time, not layers."""
    exchange, link = carry([frame_at(0.0), frame_at(5.0)], loss=[False, False, True] * 4)
    timelines = frame_timelines(
        exchange.submitted,
        sent=exchange.sent_events,
        received=exchange.received_events,
        log=link.up.log,
    )
    assert all(set(timeline.arrivals) == set(LAYERS) for timeline in timelines)
    assert link_use(link.up).lost > 0
    assert exchange.refused == 0


def test_a_newer_base_overtakes_older_detail() -> None:
    """A frame that comes while another is under way shows first."""
    exchange, link = carry([frame_at(0.0), frame_at(0.3)])
    first, second = frame_timelines(
        exchange.submitted,
        sent=exchange.sent_events,
        received=exchange.received_events,
        log=link.up.log,
    )
    assert second.arrivals[LayerKind.BASE].at < first.arrivals[LayerKind.DETAIL1].at


def test_the_run_ends_with_the_stream() -> None:
    """The receiver hears the farewell, and no virtual time is wasted after it."""
    exchange, _ = carry([frame_at(0.0)])
    assert any(isinstance(one.event, StreamEnded) for one in exchange.received_events)
    assert exchange.ended_at < 30


def test_a_link_is_busy_for_as_long_as_its_bytes_take() -> None:
    """Bytes over rate is the busy time."""
    _, link = carry([frame_at(0.0)])
    use = link_use(link.up)
    assert use.busy_seconds == pytest.approx(use.bytes * 8 / RATE)


def test_the_loop_runs_in_order_of_time_then_of_asking() -> None:
    """Equal times keep the order in which they were asked for."""
    loop, seen = VirtualLoop(), ""

    def note(letter: str) -> None:
        nonlocal seen
        seen += letter

    for time, letter in ((2.0, "c"), (1.0, "a"), (1.0, "b"), (9.0, "late")):
        loop.at(time, lambda letter=letter: note(letter))  # type: ignore[misc]
    loop.run(until=5.0, finished=lambda: False)
    assert seen == "abc"
    assert loop.now == 2.0
