"""When a sender repeats what was lost."""

import pytest
from tests.shared.session.sending import ack, drain, names
from tests.shared.session.virtual_link import PACKS, make_sender, picture

from misc_shared.session import (
    Event,
    FrameSent,
    ReceiverReport,
    SenderSession,
    SenderTiming,
)
from misc_shared.wire import (
    Data,
    FrameReport,
    Hello,
)


def _measured(events: list[Event]) -> float | None:
    return next(event.round_trip for event in events if isinstance(event, ReceiverReport))


class TestRepeats:
    """protocol.md, Repeats and Timing."""

    def start(self, *, lifetime: float = 15.0) -> tuple[SenderSession, int]:
        """A sender with a round trip of 1 s and one frame of two layers in flight."""
        sender = make_sender()
        sender.submit(picture(0, base=9), 0)
        drain(sender, 0)
        sender.receive(ack(FrameReport(2, -1, 0, 0, 0, 0)), 1.0)
        frame = sender.submit(picture(10, base=150, detail1=150, lifetime=lifetime), 10)
        assert names(drain(sender, 10)) == ["BASE", "DETAIL1"]
        return sender, frame.on_wire

    def test_what_is_not_confirmed_in_time_goes_again(self) -> None:
        """After 1 s + 4 x 0.5 s + 0.3 s, and no sooner."""
        sender, frame = self.start()
        sender.receive(ack(FrameReport(frame, 1, 0, 0, 0, 0)), 11)
        due = sender.next_timer(11)
        assert due is not None
        assert due == pytest.approx(10 + 1 + 4 * 0.375 + 0.3)
        assert drain(sender, due - 0.01) == []
        sender.tick(due)
        assert names(drain(sender, due)) == ["DETAIL1"]
        assert sender.counters.repeats == 1

    def test_nothing_goes_again_when_the_deadline_is_nearer_than_the_round_trip(self) -> None:
        """The repeat would come too late; the deadline is all that is left to wait for."""
        sender, _ = self.start(lifetime=4.0)
        assert sender.next_timer(10) == 14.0
        sender.tick(13.5)
        assert drain(sender, 13.5) == []

    def test_a_time_out_that_an_answer_moved_into_the_past_wakes_nobody_in_vain(self) -> None:
        """Its repeat would have paid then and does not now: only the deadline is left."""
        sender = make_sender()
        sender.submit(picture(0, base=9, lifetime=3.05), 0)
        drain(sender, 0)
        sender.submit(picture(2.7, base=9, lifetime=9), 2.7)
        drain(sender, 2.7)
        sender.receive(ack(FrameReport(21, 0, 0, 0, 0, 0), FrameReport(23, -1, 0, 0, 0, 0)), 2.9)
        assert sender.tick(2.9) == []
        assert drain(sender, 2.9) == []
        assert sender.next_timer(2.9) == 3.05

    def test_three_datagrams_that_overtake_one_have_it_sent_again_at_once(self) -> None:
        """Without waiting for the time-out."""
        sender = make_sender()
        frame = sender.submit(picture(0, base=5 * 211), 0).on_wire
        assert names(drain(sender, 0)) == ["BASE"] * 5 + ["ShortHello"]
        sender.receive(ack(FrameReport(frame, 0b10110, 0, 0, 0, 0)), 0.5)
        again = drain(sender, 0.5)
        assert [message.chunk for message in again if isinstance(message, Data)] == [0]

    def test_a_copy_that_arrives_overtakes_nothing(self) -> None:
        """Its first copy may be what came, which left before all the others."""
        sender = make_sender()
        frame = sender.submit(picture(0, base=9, lifetime=500), 0).on_wire
        drain(sender, 0)
        sender.submit(picture(1, base=9, detail1=800, lifetime=500), 1)
        drain(sender, 1)
        sender.tick(3)
        assert names(drain(sender, 3))[0] == "BASE"
        sender.receive(ack(FrameReport(frame, -1, 0, 0, 0, 0), FrameReport(10, 0, 0, 0, 0, 0)), 3.1)
        assert sender.link.waiting == 0

    def test_waits_double_while_nobody_answers(self) -> None:
        """And an answer ends that."""
        sender = make_sender()
        sender.submit(picture(0, base=9, lifetime=500), 0)
        drain(sender, 0)
        now = 0.0
        times: list[float] = []
        while len(times) < 4 and (timer := sender.next_timer(now)) is not None:
            now = timer
            sender.tick(now)
            if "BASE" in names(drain(sender, now)):
                times.append(now)
        assert times == [3.0, 9.0, 21.0, 45.0]

    def test_a_repeat_in_vain_measures_the_first_sending(self) -> None:
        """Once the bytes of both have arrived: so nothing was lost."""
        sender = make_sender()
        frame = sender.submit(picture(0, base=9), 0).on_wire
        drain(sender, 0)
        before = sender.counters.bytes
        sender.tick(3)
        drain(sender, 3)
        report = FrameReport(frame, -1, 0, 0, 0, 0)
        assert _measured(sender.receive(ack(report, received=before), 3.5)) is None
        assert _measured(sender.receive(ack(received=sender.counters.bytes), 6.5)) == 3.5

    def test_a_receiver_that_came_late_measures_nothing(self) -> None:
        """It has only the repeat, however many bytes that are."""
        sender = make_sender()
        frame = sender.submit(picture(0, base=9), 0).on_wire
        drain(sender, 0)
        before = sender.counters.bytes
        sender.tick(3)
        drain(sender, 3)
        report = FrameReport(frame, -1, 0, 0, 0, 0)
        received = sender.counters.bytes - before
        assert _measured(sender.receive(ack(report, received=received), 3.1)) is None
        assert _measured(sender.receive(ack(received=received), 9.5)) is None

    def test_one_way_repeats_each_base_once_and_hello_for_ever(self) -> None:
        """Nobody can ask for either, nor for HELLO's long form."""
        sender = make_sender(one_way=True)
        frame = sender.submit(picture(0, base=9, detail1=9), 0)
        assert names(drain(sender, 0)) == ["BASE", "ShortHello", "DETAIL1"]
        assert sender.next_timer(0) == 1.0
        assert sender.tick(1.0) == []
        assert names(drain(sender, 1.0)) == ["BASE"]
        assert sender.tick(1.0) == [FrameSent(frame)]
        assert sender.next_timer(1.0) is None  # one in twenty bytes at most is HELLO's
        sender.submit(picture(20, base=9, detail1=2000), 20)
        assert "Hello" not in names(drain(sender, 20))
        assert sender.next_timer(22) == 22
        sender.tick(22)
        drain(sender, 22)
        sender.tick(22)
        assert sender.next_timer(22) == 30.0
        sender.tick(30.0)
        (message,) = drain(sender, 30.0)
        assert isinstance(message, Hello)
        assert message.stream == "camera"
        assert {pack.name: pack.digest for pack in message.packs} == PACKS

    def test_one_way_without_repeats_is_done_at_once(self) -> None:
        """As recordings want it."""
        sender = make_sender(one_way=True, timing=SenderTiming(base_repeats=0))
        frame = sender.submit(picture(0, base=9, detail1=9), 0)
        drain(sender, 0)
        assert sender.tick(0) == [FrameSent(frame)]

    def test_one_way_takes_no_acknowledgement(self) -> None:
        """What comes back on such a link is not ours."""
        sender = make_sender(one_way=True)
        frame = sender.submit(picture(0, base=9), 0)
        drain(sender, 0)
        sender.receive(ack(FrameReport(frame.on_wire, -1, 0, 0, 0, 0)), 0.5)
        assert sender.frames_in_flight == 1
