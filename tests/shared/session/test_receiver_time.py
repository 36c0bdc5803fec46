"""What a receiver does as time passes and as senders start anew."""

import pytest
from tests.shared.session.receiving import (
    BASE,
    TEXT,
    answers,
    data,
    layers_of,
    short_hello,
)
from tests.shared.session.virtual_link import make_receiver

from misc_shared.session import (
    FrameExpired,
    FrameId,
    FrameStarted,
    LayerReceived,
    PeerHello,
    Stale,
    StreamEnded,
)
from misc_shared.wire import (
    KINDS,
    Bye,
    Reason,
    write,
)


class TestTime:
    """protocol.md, Frame ids."""

    def test_capture_times_become_unix_times_with_hello(self) -> None:
        """The epoch's start plus eighths of a second."""
        receiver = make_receiver()
        receiver.receive(short_hello(started=1000), 0)
        (_, layer, _) = receiver.receive(data(frame=12), 1)
        assert isinstance(layer, LayerReceived)
        assert (layer.captured_at, layer.captured_unix) == (1.5, 1001.5)

    def test_ticks_go_on_where_ids_wrap(self) -> None:
        """Even after a pause of many turns, by our own clock."""
        receiver = make_receiver()
        ticks = []
        for now in (8191.0, 8192.5, 8192.0 * 5 + 1):
            events = receiver.receive(data(frame=int(now * 8) & 0xFFFF), now)
            ticks += [event.frame.tick for event in events if isinstance(event, FrameStarted)]
        assert ticks == [8191 * 8, 8192 * 8 + 4, 8192 * 40 + 8]

    def test_a_receiver_that_comes_late_learns_the_true_time_from_hello(self) -> None:
        """Ids that it gave out before stay as they are."""
        receiver = make_receiver()
        receiver.receive(data(frame=100), 5.0)
        receiver.receive(short_hello(started=1000, tick=2 * 65_536 + 108), 6.0)
        (started, *_) = receiver.receive(data(frame=116), 7.0)
        assert isinstance(started, FrameStarted)
        assert started.frame == FrameId(7, 116)
        assert started.captured_unix == 1000 + (2 * 65_536 + 116) / 8

    def test_hello_may_come_first_even_hours_into_the_run(self) -> None:
        """Then ids are right from the start."""
        receiver = make_receiver()
        receiver.receive(short_hello(tick=65_540), 0)
        (started, *_) = receiver.receive(data(frame=3), 0)
        assert isinstance(started, FrameStarted)
        assert started.frame.tick == 65_539

    def test_silence_makes_the_stream_stale_once(self) -> None:
        """And the next datagram fresh again."""
        receiver = make_receiver()
        assert receiver.next_timer(0) is None
        receiver.receive(data(), 5.0)
        answers(receiver, 5.0)
        receiver.tick(14.9)
        assert receiver.next_timer(14.9) == 15.0
        assert receiver.tick(15.0) == [Stale(5.0)]
        assert receiver.tick(16.0) == []
        receiver.receive(data(), 17.0)
        assert receiver.tick(27.0) == [Stale(17.0)]


class TestEpochs:
    """protocol.md, Epochs."""

    def test_a_new_run_ends_the_old_one(self) -> None:
        """Whose unfinished frames expire, and whose stragglers are ignored."""
        receiver = make_receiver()
        receiver.receive(data(layers=(BASE, TEXT), epoch=7), 0)
        events = receiver.receive(data(epoch=9, frame=0), 1)
        assert FrameExpired(FrameId(7, 8), frozenset({BASE}), frozenset({TEXT})) in events
        assert layers_of(events) == [(BASE, b"base")]
        assert receiver.receive(data(TEXT, b"late", epoch=7), 2) == []
        assert receiver.receive(short_hello(epoch=7), 2) == []
        assert receiver.counters.foreign == 2

    def test_an_older_hello_is_ignored(self) -> None:
        """It was delayed, or two senders share a channel."""
        receiver = make_receiver()
        receiver.receive(short_hello(started=1000), 0)
        assert receiver.receive(short_hello(epoch=9, started=999), 1) == []
        assert layers_of(receiver.receive(data(epoch=7), 2)) == [(BASE, b"base")]

    @pytest.mark.parametrize("other", [7, 9])
    def test_a_run_that_drew_the_number_of_an_old_one_is_new(self, other: int) -> None:
        """Its HELLO started later; its frames begin anew."""
        receiver = make_receiver()
        receiver.receive(short_hello(epoch=7, started=1000), 0)
        receiver.receive(data(epoch=7), 1)
        receiver.receive(short_hello(epoch=other, started=2000), 2)
        assert PeerHello(7, 3000.0, None) in receiver.receive(short_hello(started=3000), 3)
        assert layers_of(receiver.receive(data(epoch=7), 4)) == [(BASE, b"base")]

    def test_the_end_is_told_and_is_no_silence(self) -> None:
        """Only that of the present run."""
        receiver = make_receiver()
        receiver.receive(data(), 0)
        assert receiver.receive(write(Bye(KINDS[Bye], 9, Reason.END, "")), 1) == []
        end = write(Bye(KINDS[Bye], 7, Reason.END, ""))
        assert receiver.receive(end, 1) == [StreamEnded(7)]
        assert receiver.tick(100) == []


class TestTwoSenders:
    """protocol.md, Epochs: two runs under one name."""

    def test_the_one_that_is_left_is_followed_again(self) -> None:
        """The later one is followed while it lives; 5 s after its end the other one is back."""
        receiver = make_receiver()
        assert layers_of(receiver.receive(data(epoch=7), 0)) == [(BASE, b"base")]
        receiver.receive(short_hello(epoch=7, started=1000), 0)
        assert layers_of(receiver.receive(data(epoch=9), 1)) == [(BASE, b"base")]
        receiver.receive(short_hello(epoch=9, started=1100), 1)
        assert receiver.receive(data(epoch=7, frame=16), 2) == []
        receiver.receive(data(epoch=9, frame=24), 3)
        assert receiver.receive(data(epoch=7, frame=32), 7.9) == []
        assert layers_of(receiver.receive(data(epoch=7, frame=40), 8)) == [(BASE, b"base")]
        receiver.receive(short_hello(epoch=7, started=1000), 8)
        assert receiver.receive(data(epoch=9, frame=48), 9) == []
