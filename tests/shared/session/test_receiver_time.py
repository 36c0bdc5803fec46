"""What a receiver does as time passes and as senders start anew."""

import pytest
from tests.shared.session.receiving import (
    BASE,
    TEXT,
    answers,
    data,
    full_hello,
    layers_of,
    short_hello,
)
from tests.shared.session.virtual_link import make_receiver

from misc_shared.session import (
    FrameComplete,
    FrameId,
    FrameStarted,
    LayerReceived,
    PeerHello,
    Refused,
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

    def test_a_new_run_is_shown_at_once_and_ends_no_other(self) -> None:
        """Whoever claims to be new may be a restarted camera, or nobody."""
        receiver = make_receiver()
        receiver.receive(data(layers=(BASE, TEXT), epoch=7), 0)
        events = receiver.receive(data(epoch=9, frame=0), 1)
        assert layers_of(events) == [(BASE, b"base")]
        late = receiver.receive(data(TEXT, b"late", epoch=7, layers=(BASE, TEXT)), 2)
        assert layers_of(late) == [(TEXT, b"late")]

    def test_claimed_runs_keep_no_camera_away(self) -> None:
        """A hundred HELLOs and first chunks of runs that never were, between two pictures."""
        receiver = make_receiver()
        receiver.receive(data(epoch=7), 0)
        receiver.receive(short_hello(epoch=7), 0)
        receiver.receive(data(epoch=7, frame=16, layers=(BASE, TEXT)), 1)
        for claimed in range(100, 200):
            receiver.receive(short_hello(epoch=claimed, started=5000), 1.5)
            receiver.receive(data(epoch=claimed, last=False), 1.5)
        events = receiver.receive(data(TEXT, b"text", epoch=7, frame=16, layers=(BASE, TEXT)), 2)
        assert FrameComplete(FrameId(7, 16)) in events
        assert layers_of(receiver.receive(data(epoch=7, frame=24), 3)) == [(BASE, b"base")]

    def test_claimed_runs_get_few_answers_and_few_words(self) -> None:
        """An answer would take the link from the right run, a refusal a line of the log."""
        receiver = make_receiver()
        receiver.receive(data(epoch=7), 0)
        said, refused = 0, 0
        for turn in range(100):
            now = 1 + turn / 10
            for claimed in range(8):
                epoch = 100 + 8 * turn + claimed
                events = receiver.receive(full_hello({"codec": b"another!"}, epoch=epoch), now)
                refused += sum(isinstance(event, Refused) for event in events)
            said += len(answers(receiver, now))
        assert said <= 10 / 0.25 + 2
        assert refused == 1

    def test_the_run_that_has_shown_least_makes_room(self) -> None:
        """Whoever sends one whole picture of each claimed run pushes out only those."""
        receiver = make_receiver()
        for second in range(5):
            receiver.receive(data(epoch=7, frame=8 * second), second)
        receiver.receive(data(epoch=7, frame=48, layers=(BASE, TEXT)), 6)
        for claimed in range(100, 120):
            receiver.receive(data(epoch=claimed), 6.5)
        events = receiver.receive(data(TEXT, b"text", epoch=7, frame=48, layers=(BASE, TEXT)), 7)
        assert FrameComplete(FrameId(7, 48)) in events

    def test_runs_that_restarted_often_make_room(self) -> None:
        """Of a camera that restarts every minute the last run is always followed."""
        receiver = make_receiver()
        for run in range(20):
            begun = 100.0 * run
            for second in range(3):
                events = receiver.receive(data(epoch=run, frame=8 * second), begun + second)
                assert layers_of(events) == [(BASE, b"base")]
        assert receiver.frames_remembered <= 4 * 3

    @pytest.mark.parametrize("claimed", [999, 3000])
    def test_a_hello_that_claims_a_run_which_goes_on_is_ignored(self, claimed: int) -> None:
        """Somebody heard the number; what is half there stays."""
        receiver = make_receiver()
        receiver.receive(short_hello(started=1000), 0)
        receiver.receive(data(layers=(BASE, TEXT)), 1)
        assert receiver.receive(short_hello(started=claimed), 2) == []
        assert receiver.counters.foreign == 1
        late = receiver.receive(data(TEXT, b"text", layers=(BASE, TEXT)), 3)
        assert FrameComplete(FrameId(7, 8)) in late

    def test_a_run_that_drew_the_number_of_an_old_one_is_new(self) -> None:
        """Its HELLO started later, and nothing came of the old one for 5 s."""
        receiver = make_receiver()
        receiver.receive(short_hello(epoch=7, started=1000), 0)
        receiver.receive(data(epoch=7), 1)
        assert PeerHello(7, 3000.0, None) in receiver.receive(short_hello(started=3000), 6)
        assert layers_of(receiver.receive(data(epoch=7), 6.5)) == [(BASE, b"base")]

    def test_frames_that_were_named_in_advance_silence_nobody_for_long(self) -> None:
        """Sixteen forged ids of the next hour; the camera is shown again after 5 s."""
        receiver = make_receiver()
        receiver.receive(data(frame=8), 0)
        for ahead in range(16):
            receiver.receive(data(frame=20_000 + ahead), 0.5)
        shown = [
            second
            for second in range(1, 9)
            if layers_of(receiver.receive(data(frame=8 + 8 * second), second))
        ]
        assert shown == [6, 7, 8]

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

    def test_both_are_shown(self) -> None:
        """Nobody can tell which of them is the right one, so neither is kept away."""
        receiver = make_receiver()
        for second in range(0, 8, 2):
            for epoch in (7, 9):
                frame = 8 * second + epoch
                events = receiver.receive(data(epoch=epoch, frame=frame), second)
                assert layers_of(events) == [(BASE, b"base")]

    def test_the_end_of_one_is_not_the_end_of_the_stream(self) -> None:
        """As long as the other one goes on."""
        receiver = make_receiver()
        receiver.receive(data(epoch=7), 0)
        receiver.receive(data(epoch=9), 1)
        assert receiver.receive(write(Bye(KINDS[Bye], 7, Reason.END, "")), 2) == []
        assert receiver.receive(write(Bye(KINDS[Bye], 9, Reason.END, "")), 3) == [StreamEnded(9)]
