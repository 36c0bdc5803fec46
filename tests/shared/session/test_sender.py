"""What a sender hands to the link, in which order, and when it stops."""

import pytest
from tests.shared.session.virtual_link import PACKS, STARTED, make_sender, picture

from misc_shared.errors import ConfigError, ProtocolError
from misc_shared.session import (
    DropReason,
    FrameDelivered,
    FrameDropped,
    FrameSent,
    HelloAcknowledged,
    HelloConfig,
    OutgoingFrame,
    ReceiverReport,
    RefreshRequested,
    Refused,
    SenderLimits,
    SenderSession,
    SenderTiming,
)
from misc_shared.wire import (
    KINDS,
    Ack,
    Bye,
    Data,
    FrameReport,
    Hello,
    LayerKind,
    Message,
    Pair,
    Reason,
    Refresh,
    ShortHello,
    Wanted,
    parse,
    write,
)

EPOCH = 0x1234


def drain(sender: SenderSession, now: float) -> list[Message]:
    """Everything that the sender wants to send now."""
    return [parse(datagram) for datagram in iter(lambda: sender.next_datagram(now), None)]


def names(messages: list[Message]) -> list[str]:
    """What the messages are, in short."""
    return [
        message.layer.name
        if isinstance(message, Data)
        else "+".join(layer.name for layer, _ in message.parts)
        if isinstance(message, Pair)
        else type(message).__name__
        for message in messages
    ]


def ack(*reports: FrameReport, status: int = 1, received: int = 0, delay: int = 0) -> bytes:
    """An acknowledgement of these frames."""
    return write(Ack(KINDS[Ack], EPOCH, status, received, delay, reports))


class TestOrder:
    """protocol.md, Priorities, Pairs and HELLO rules."""

    def test_base_goes_first_then_hello_then_the_layers_by_priority(self) -> None:
        """The first picture waits for nothing."""
        sender = make_sender()
        sender.submit(picture(0, base=50, text=300, detail1=300, maps=300, detail2=300), 0)
        sent = names(drain(sender, 0))
        assert sent == [
            "BASE", "ShortHello", "TEXT", "TEXT", "DETAIL1", "DETAIL1", "MAPS", "MAPS",
            "DETAIL2", "DETAIL2",
        ]  # fmt: skip

    def test_nothing_is_sent_before_the_first_frame(self) -> None:
        """HELLO would only be in the way of the picture that comes next."""
        sender = make_sender()
        assert drain(sender, 0) == []
        assert sender.next_timer(0) is None

    def test_hello_goes_first_where_it_is_wanted(self) -> None:
        """Recordings begin with it, in full."""
        hello = HelloConfig(stream="camera", packs=PACKS, started=STARTED, first=True)
        sender = make_sender(hello=hello, one_way=True)
        (message,) = drain(sender, 0)
        assert isinstance(message, Hello)
        assert message.stream == "camera"
        assert {pack.name: pack.digest for pack in message.packs} == PACKS
        assert message.started == 1_700_000_000

    def test_a_newer_base_overtakes_older_details_and_older_bases(self) -> None:
        """What is most urgent is decided when the link asks."""
        sender = make_sender()
        first = sender.submit(picture(0, base=400, detail1=300), 0)
        assert names([parse(sender.next_datagram(0) or b"")]) == ["BASE"]
        second = sender.submit(picture(1, base=50, detail1=50), 1)
        sent = [message for message in drain(sender, 1) if isinstance(message, Data)]
        assert [(message.frame, message.layer.name) for message in sent] == [
            (second.on_wire, "BASE"),
            (first.on_wire, "BASE"),
            (second.on_wire, "DETAIL1"),
            (first.on_wire, "DETAIL1"),
            (first.on_wire, "DETAIL1"),
        ]

    def test_two_small_layers_share_a_datagram_but_base_stays_alone(self) -> None:
        """TEXT and MAPS go together even where DETAIL1 is too large to join them."""
        sender = make_sender(mtu=1100)
        sender.submit(picture(0, base=50, text=20, detail1=400, maps=15, detail2=10), 0)
        assert names(drain(sender, 0)) == ["BASE", "ShortHello", "TEXT+MAPS", "DETAIL1", "DETAIL2"]

    def test_a_pair_is_only_made_where_both_fit(self) -> None:
        """Both the link and the pair's own limit."""
        sender = make_sender(mtu=48)
        sender.submit(picture(0, base=5, text=20, maps=17), 0)
        assert names(drain(sender, 0)) == ["BASE", "ShortHello", "TEXT", "MAPS"]
        sender = make_sender(mtu=1100)
        sender.submit(picture(0, base=5, text=200, maps=55), 0)
        assert names(drain(sender, 0)) == ["BASE", "ShortHello", "TEXT", "MAPS"]

    def test_every_datagram_says_what_the_frame_has(self) -> None:
        """Empty layers are no layers."""
        sender = make_sender()
        sender.submit(picture(0, base=5, text=0, detail1=700), 0)
        layers = [message.layers for message in drain(sender, 0) if isinstance(message, Data)]
        assert set(layers) == {frozenset({LayerKind.BASE, LayerKind.DETAIL1})}

    def test_a_small_picture_with_semantics_fits_250_bytes(self) -> None:
        """Framing and HELLO included: issue 2's bar for 256 x 256."""
        sender = make_sender(mtu=1100)
        sender.submit(picture(0, base=120, text=40, maps=30), 0)
        drain(sender, 0)
        assert sender.counters.bytes <= 250


class TestChunks:
    """protocol.md, Chunks and Frame ids."""

    @pytest.mark.parametrize("mtu", [48, 51, 222, 267, 268, 1100])
    def test_no_datagram_exceeds_the_link(self, mtu: int) -> None:
        """And together they carry everything."""
        sender = make_sender(mtu=mtu)
        sender.submit(picture(0, base=1500, text=300), 0)
        sent = drain(sender, 0)
        assert max(len(write(message)) for message in sent if isinstance(message, Data)) <= mtu
        base = [m for m in sent if isinstance(m, Data) and m.layer is LayerKind.BASE]
        assert b"".join(message.payload for message in base) == b"\x01" * 1500
        assert [message.chunk for message in base] == list(range(len(base)))
        assert [message.last for message in base] == [False] * (len(base) - 1) + [True]

    def test_the_id_is_the_capture_time_and_strictly_increases(self) -> None:
        """Three frames in one tick take three ticks; tick 0 begins at a whole second."""
        sender = make_sender()  # at a quarter past a whole second
        ticks = [sender.submit(picture(t, base=1), 1.0).tick for t in (0.0, 0.01, 0.02, 1.0)]
        assert ticks == [2, 3, 4, 10]

    def test_ids_wrap_on_the_wire(self) -> None:
        """After 8,192 s."""
        sender = make_sender()
        frame = sender.submit(picture(8192.0, base=1, lifetime=9), 8192.0)
        assert (frame.tick, frame.on_wire) == (65_538, 2)
        message = parse(sender.next_datagram(8192.0) or b"")
        assert isinstance(message, Data)
        assert message.frame == 2


class TestGivingUp:
    """protocol.md, Priorities: deadlines and the window."""

    def test_a_frame_past_its_deadline_is_dropped_and_reported(self) -> None:
        """With what went out of it and what did not."""
        sender = make_sender()
        frame = sender.submit(picture(0, base=50, detail1=600, lifetime=2), 0)
        sender.next_datagram(0)
        assert sender.next_timer(0) == 2.0
        assert sender.tick(1.9) == []
        expected = FrameDropped(
            frame, DropReason.DEADLINE, frozenset(), frozenset({LayerKind.DETAIL1})
        )
        assert sender.tick(2.0) == [expected]
        assert names(drain(sender, 2.0)) == ["ShortHello"]

    def test_a_new_frame_pushes_out_the_oldest(self) -> None:
        """By number and by bytes."""
        for limits in (SenderLimits(frames=2), SenderLimits(total_bytes=120)):
            sender = make_sender(limits=limits)
            first, *_ = [sender.submit(picture(t, base=50), t) for t in (0, 1, 2)]
            (event,) = sender.tick(2)
            assert isinstance(event, FrameDropped)
            assert (event.frame, event.reason) == (first, DropReason.OVERTAKEN)
            assert sender.frames_in_flight == 2
            assert sender.bytes_in_flight == 100

    @pytest.mark.parametrize(
        ("options", "words"),
        [
            ({"epoch": 65_536}, "epoch is 65536"),
            ({"mtu": 47}, "MTU is 47: expected 48 to 65535"),
        ],
    )
    def test_nonsense_options_are_refused(self, options: dict[str, int], words: str) -> None:
        """With what was expected."""
        with pytest.raises(ConfigError, match=words):
            make_sender(**options)

    def test_a_hello_that_cannot_be_written_is_refused(self) -> None:
        """Too many packs, a digest of another length, a name too long."""
        digest = bytes(8)
        for packs, stream in [
            ({str(number): digest for number in range(7)}, "camera"),
            ({"codec": bytes(4)}, "camera"),
            ({"": digest}, "camera"),
            ({"codec": digest}, "c" * 65),
        ]:
            with pytest.raises(ConfigError):
                HelloConfig(stream=stream, packs=packs, started=0.0)

    def test_a_frame_that_cannot_be_sent_is_refused(self) -> None:
        """No BASE, a layer of too many chunks for this link, one above the limit."""
        sender = make_sender(mtu=48, limits=SenderLimits(layer_bytes=3_000))
        with pytest.raises(ConfigError, match="no BASE"):
            sender.submit(picture(0, text=5), 0)
        with pytest.raises(ConfigError, match="at most 2368 of one layer"):
            sender.submit(picture(0, base=2369), 0)
        sender.submit(picture(0, base=2368), 0)
        with pytest.raises(ConfigError, match="at most 3000"):
            make_sender(limits=SenderLimits(layer_bytes=3_000)).submit(picture(0, base=3001), 0)


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

    def test_a_repeated_datagram_measures_nothing(self) -> None:
        """Karn's rule: nobody knows which copy was answered."""
        sender = make_sender()
        frame = sender.submit(picture(0, base=9), 0).on_wire
        drain(sender, 0)
        sender.tick(3)
        drain(sender, 3)
        events = sender.receive(ack(FrameReport(frame, -1, 0, 0, 0, 0)), 3.1)
        report = next(event for event in events if isinstance(event, ReceiverReport))
        assert report.round_trip is None

    def test_one_way_repeats_each_base_once_and_hello_for_ever(self) -> None:
        """Nobody can ask for either."""
        sender = make_sender(one_way=True)
        frame = sender.submit(picture(0, base=9, detail1=9), 0)
        assert names(drain(sender, 0)) == ["BASE", "Hello", "DETAIL1"]
        assert sender.next_timer(0) == 1.0
        assert sender.tick(1.0) == []
        assert names(drain(sender, 1.0)) == ["BASE"]
        assert sender.tick(1.0) == [FrameSent(frame)]
        assert sender.next_timer(1.0) == 30.0
        sender.tick(30.0)
        assert names(drain(sender, 30.0)) == ["Hello"]

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
        events = sender.receive(ack(FrameReport(frame.on_wire, *[-1] * 5), status=0), 1.0)
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
        sender.reconnected()
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

    def test_a_refusal_ends_everything(self) -> None:
        """Frames are dropped, and nothing is sent any more."""
        sender = make_sender()
        frame = sender.submit(picture(0, base=9), 0)
        refusal = write(Bye(KINDS[Bye], EPOCH, Reason.VERSION, "too old"))
        everything = frozenset({LayerKind.BASE})
        assert sender.receive(refusal, 0) == [
            FrameDropped(frame, DropReason.REFUSED, frozenset(), everything),
            Refused(Reason.VERSION, "too old"),
        ]
        assert sender.finished
        assert drain(sender, 1) == []
        assert sender.next_timer(1) is None
        sender.reconnected()
        assert drain(sender, 2) == []
        with pytest.raises(ConfigError, match="was told BYE"):
            sender.submit(picture(2, base=9), 2)

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
        """Four HELLOs without an answer are enough."""
        sender = make_sender()
        sender.submit(picture(0, base=9, lifetime=2), 0)
        sender.close()
        sent, now = names(drain(sender, 0)), 0.0
        while (timer := sender.next_timer(now)) is not None and not sender.finished:
            now = timer
            sender.tick(now)
            sent += names(drain(sender, now))
        assert sent == ["BASE"] + ["ShortHello"] * 4 + ["Bye"]
        assert now < 60

    def test_an_empty_stream_ends_at_once(self) -> None:
        """There is nothing to introduce."""
        sender = make_sender()
        sender.close()
        assert names(drain(sender, 0)) == ["Bye"]
