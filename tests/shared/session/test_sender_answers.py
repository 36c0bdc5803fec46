"""What a sender makes of answers, and how it ends."""

import pytest
from tests.shared.session.sending import EPOCH, ack, drain, names
from tests.shared.session.virtual_link import make_sender, picture

from misc_shared.errors import ConfigError, ProtocolError
from misc_shared.session import (
    DropReason,
    FrameDelivered,
    FrameDropped,
    HelloAcknowledged,
    OutgoingFrame,
    ReceiverReport,
    RefreshRequested,
    Refused,
)
from misc_shared.wire import (
    KINDS,
    Bye,
    Data,
    FrameReport,
    LayerKind,
    Reason,
    Refresh,
    ShortHello,
    Wanted,
    write,
)


class TestAnswers:
    """protocol.md, ACK, REFRESH, HELLO rules, BYE."""

    def test_a_confirmed_frame_is_forgotten_and_reported(self) -> None:
        """With what the receiver tells of itself."""
        sender = make_sender()
        frame = sender.submit(picture(0, base=9, text=9), 0)
        drain(sender, 0)
        report = FrameReport(frame.on_wire, 1, -1, 0, 0, 0)
        events = sender.receive(ack(report, status=7, received=99, delay=250), 1.0)
        assert events == [HelloAcknowledged(), FrameDelivered(frame), ReceiverReport(99, 3, 0.75)]
        assert sender.frames_in_flight == 0

    @pytest.mark.parametrize(
        "report",
        [
            FrameReport(2, 0b10, 0, 0, 0, 0),  # BASE has one chunk
            FrameReport(2, 0, 0, 0b1, 0, 0),  # DETAIL1 was not sent yet
            FrameReport(2, 0, 0b1, 0, 0, 0),  # there is no TEXT
        ],
    )
    def test_confirming_what_was_never_sent_changes_nothing(self, report: FrameReport) -> None:
        """It is an error of the receiver's."""
        sender = make_sender()
        sender.submit(picture(0, base=9, detail1=9), 0)
        sender.next_datagram(0)
        with pytest.raises(ProtocolError, match="expected only chunks that were sent"):
            sender.receive(ack(FrameReport(2, 1, 0, 0, 0, 0), report), 1.0)
        assert sender.tick(1.0) == []
        assert sender.frames_in_flight == 1

    def test_a_frame_that_the_receiver_gave_up_is_dropped(self) -> None:
        """Its unsent layers would be wasted."""
        sender = make_sender()
        frame = sender.submit(picture(0, base=9, detail1=9), 0)
        sender.next_datagram(0)
        events = sender.receive(ack(FrameReport(frame.on_wire, *[-2] * 5), status=0), 1.0)
        assert isinstance(events[0], FrameDropped)
        assert events[0].reason is DropReason.RECEIVER
        assert names(drain(sender, 1.0)) == ["ShortHello"]

    def test_hello_is_said_until_it_is_confirmed(self) -> None:
        """With waits that grow, and again when the transport reconnects."""
        sender = make_sender()
        sender.submit(picture(0, base=9), 0)
        drain(sender, 0)
        sender.receive(ack(FrameReport(2, -1, 0, 0, 0, 0), status=0), 0.2)
        timer = sender.next_timer(0.2)
        assert timer is not None
        assert names(drain(sender, timer)) == ["ShortHello"]
        sender.receive(ack(), timer)
        assert sender.next_timer(timer) is None
        sender.reconnected(1.0)
        assert names(drain(sender, timer)) == ["ShortHello"]

    def test_hello_is_said_in_full_to_a_receiver_that_asks(self) -> None:
        """At once, but not again for each copy of the question."""
        sender = make_sender()
        sender.submit(picture(0, base=9), 0)
        drain(sender, 0)
        question = write(Refresh(KINDS[Refresh], EPOCH, Wanted.FULL_HELLO, 0))
        for _ in range(3):
            sender.receive(question, 0.5)
        assert names(drain(sender, 0.5)) == ["Hello"]
        sender.receive(question, 0.6)
        assert names(drain(sender, 0.6)) == []
        sender.receive(question, 2.6)
        assert names(drain(sender, 2.6)) == ["Hello"]

    def test_a_full_hello_that_does_not_fit_stays_short(self) -> None:
        """On the narrowest links."""
        sender = make_sender(mtu=48, one_way=True)
        sender.submit(picture(0, base=9), 0)
        (hello,) = [m for m in drain(sender, 0) if not isinstance(m, Data)]
        assert isinstance(hello, ShortHello)

    def test_a_wish_for_a_picture_is_passed_on_but_not_too_often(self) -> None:
        """One event in 2 s."""
        sender = make_sender()
        wish = write(Refresh(KINDS[Refresh], EPOCH, Wanted.PICTURE, 40))
        assert sender.receive(wish, 0.0) == [RefreshRequested(40)]
        assert sender.receive(wish, 1.9) == []
        assert sender.receive(wish, 2.0) == [RefreshRequested(40)]

    def test_a_refusal_is_told_and_ends_nothing(self) -> None:
        """Anybody may refuse us; another receiver may understand what goes on."""
        sender = make_sender()
        sender.submit(picture(0, base=9), 0)
        refusal = write(Bye(KINDS[Bye], EPOCH, Reason.VERSION, "too old"))
        assert sender.receive(refusal, 0) == [Refused(Reason.VERSION, "too old")]
        assert sender.receive(refusal, 9) == []
        assert sender.receive(refusal, 10) == [Refused(Reason.VERSION, "too old")]
        assert not sender.finished
        assert {"BASE", "Hello"} <= set(names(drain(sender, 10)))
        assert sender.receive(refusal, 29) == []
        assert sender.receive(refusal, 30) == [Refused(Reason.VERSION, "too old")]

    def test_another_receiver_has_not_what_the_first_one_confirmed(self) -> None:
        """It lacks a chunk that the first had: that goes again, and only then is it delivered."""
        sender = make_sender(mtu=60)
        frame = sender.submit(picture(0, base=9, detail1=80), 0)
        assert names(drain(sender, 0)) == ["BASE", "ShortHello", "DETAIL1", "DETAIL1"]
        first = ack(FrameReport(frame.on_wire, -1, 0, 1, 0, 0), receiver=1)
        sender.receive(first, 0.5)
        assert sender.delivered(frame) == {LayerKind.BASE}
        second = ack(FrameReport(frame.on_wire, 0, 0, 2, 0, 0), receiver=2)
        events = sender.receive(second, 1.0)
        assert RefreshRequested(frame.on_wire) in events
        assert sender.delivered(frame) == frozenset()
        assert sender.frames_in_flight == 1
        sender.tick(9)
        assert names(drain(sender, 9)) == ["BASE", "DETAIL1"]
        whole = ack(FrameReport(frame.on_wire, -1, 0, -1, 0, 0), receiver=2)
        assert FrameDelivered(frame) in sender.receive(whole, 9.5)

    def test_two_receivers_that_both_answer_cost_no_repeat(self) -> None:
        """Each says what it has; the later answer only comes later."""
        sender = make_sender(mtu=60)
        frame = sender.submit(picture(0, base=9, detail1=80), 0)
        drain(sender, 0)
        for receiver, detail1 in ((1, 1), (2, 2), (1, 1), (2, 2)):
            report = FrameReport(frame.on_wire, -1, 0, detail1, 0, 0)
            sender.receive(ack(report, receiver=receiver), 0.5)
        assert names(drain(sender, 0.6)) == []
        whole = FrameReport(frame.on_wire, -1, 0, -1, 0, 0)
        assert FrameDelivered(frame) in sender.receive(ack(whole, receiver=2), 0.7)

    def test_answers_to_another_run_are_ignored(self) -> None:
        """They are counted, not obeyed."""
        sender = make_sender()
        sender.submit(picture(0, base=9), 0)
        refusal = write(Bye(KINDS[Bye], EPOCH + 1, Reason.PACKS, ""))
        assert sender.receive(refusal, 0) == []
        assert not sender.finished
        assert sender.counters.foreign == 1

    @pytest.mark.parametrize(
        "message",
        [
            Data(0, EPOCH, 0, 1, b"x"),
            Bye(KINDS[Bye], EPOCH, Reason.END, ""),
            ShortHello(KINDS[ShortHello], 1, 1, EPOCH, 0, 0, bytes(8)),
        ],
    )
    def test_what_only_a_sender_may_say_is_refused(self, message: Data | Bye | ShortHello) -> None:
        """Somebody else sends on our channel."""
        with pytest.raises(ProtocolError):
            make_sender().receive(write(message), 0)


class TestClosing:
    """protocol.md, BYE."""

    def test_bye_follows_the_last_confirmation(self) -> None:
        """And no frame is taken meanwhile."""
        sender = make_sender()
        frame = sender.submit(picture(0, base=9), 0)
        sender.close()
        with pytest.raises(ConfigError, match="takes no more frames"):
            sender.submit(OutgoingFrame(1, {LayerKind.BASE: b"x"}, 9), 1)
        assert names(drain(sender, 0)) == ["BASE", "ShortHello"]
        assert not sender.finished
        sender.receive(ack(FrameReport(frame.on_wire, -1, 0, 0, 0, 0)), 1)
        assert names(drain(sender, 1)) == ["Bye"]
        assert sender.finished
        assert sender.next_timer(1) is None

    def test_a_sender_that_nobody_hears_leaves_after_its_last_deadline(self) -> None:
        """Nobody is there whose answer to HELLO could still come."""
        sender = make_sender()
        sender.submit(picture(0, base=9, lifetime=2), 0)
        sender.close()
        sent, now = names(drain(sender, 0)), 0.0
        while (timer := sender.next_timer(now)) is not None and not sender.finished:
            now = timer
            sender.tick(now)
            sent += names(drain(sender, now))
        assert sent == ["BASE", "ShortHello", "Bye"]
        assert now == 2

    def test_an_empty_stream_ends_at_once(self) -> None:
        """There is nothing to introduce."""
        sender = make_sender()
        sender.close()
        assert names(drain(sender, 0)) == ["Bye"]
