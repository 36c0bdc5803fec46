"""What a receiver makes of datagrams, and what it forgets."""

import pytest
from tests.shared.session.receiving import (
    BASE,
    DETAIL1,
    DETAIL2,
    MAPS,
    TEXT,
    answers,
    data,
    layers_of,
)
from tests.shared.session.virtual_link import make_receiver

from misc_shared.errors import (
    LimitError,
    ProtocolError,
    RemoteError,
)
from misc_shared.session import (
    FrameComplete,
    FrameExpired,
    FrameId,
    FrameStarted,
    LayerReceived,
    ReceiverLimits,
)
from misc_shared.wire import (
    KINDS,
    Ack,
    Bye,
    FrameReport,
    Pair,
    Reason,
    Refresh,
    Wanted,
    write,
)


class TestLayers:
    """protocol.md, Reassembly."""

    def test_base_is_given_out_before_and_without_hello(self) -> None:
        """With its capture time since the epoch's start, and what it cost."""
        frame = FrameId(7, 8)
        assert make_receiver().receive(data(), 0.0) == [
            FrameStarted(frame, 1.0, None, frozenset({BASE})),
            LayerReceived(frame, 1.0, None, BASE, b"base", 11),
            FrameComplete(frame),
        ]

    def test_layers_come_in_any_order_as_soon_as_they_are_whole(self) -> None:
        """DETAIL2 before BASE, a late middle chunk, a pair."""
        receiver = make_receiver()
        layers = (BASE, TEXT, DETAIL1, MAPS, DETAIL2)
        pair = Pair.of((TEXT, b"cat"), (MAPS, b"map"), layers=layers, epoch=7, frame=8)
        steps = [
            (data(DETAIL2, b"sharp", layers=layers), [(DETAIL2, b"sharp")]),
            (data(DETAIL1, b"C", chunk=2, layers=layers), []),
            (data(DETAIL1, b"A", chunk=0, last=False, layers=layers), []),
            (write(pair), [(TEXT, b"cat"), (MAPS, b"map")]),
            (data(DETAIL1, b"B", chunk=1, last=False, layers=layers), [(DETAIL1, b"ABC")]),
            (data(layers=layers), [(BASE, b"base")]),
        ]
        for number, (datagram, expected) in enumerate(steps):
            events = receiver.receive(datagram, 0.1 * number)
            assert layers_of(events) == expected
            assert (FrameComplete(FrameId(7, 8)) in events) == (number == len(steps) - 1)

    def test_a_layer_costs_what_its_datagrams_cost(self) -> None:
        """All bytes are counted once, whichever layer they are billed to."""
        receiver = make_receiver()
        layers = (BASE, TEXT, MAPS)
        pair = Pair.of((TEXT, b"cat"), (MAPS, b"map"), layers=layers, epoch=7, frame=8)
        datagrams = [
            data(chunk=0, last=False, layers=layers),
            data(chunk=1, layers=layers),
            write(pair),
        ]
        events = [event for datagram in datagrams for event in receiver.receive(datagram, 0)]
        costs = [event.wire_bytes for event in events if isinstance(event, LayerReceived)]
        assert sum(costs) == sum(map(len, datagrams)) == receiver.counters.bytes

    def test_duplicates_bring_nothing(self) -> None:
        """Neither of a whole layer nor of a part."""
        receiver = make_receiver()
        receiver.receive(data(layers=(BASE, TEXT)), 0)
        assert receiver.receive(data(layers=(BASE, TEXT)), 0) == []
        receiver.receive(data(TEXT, b"a", last=False), 0)
        assert receiver.receive(data(TEXT, b"a", last=False), 0) == []
        assert receiver.counters.duplicates == 2

    @pytest.mark.parametrize(
        ("first", "second"),
        [
            (data(chunk=1), data(chunk=2, last=False)),  # behind the end
            (data(chunk=1), data(chunk=0)),  # an end before the end
            (data(chunk=2, last=False), data(chunk=1)),  # an end before what is known
            (data(chunk=1), data(chunk=1, last=False)),  # the end is none
            (data(), data(layers=(BASE, TEXT))),  # another set of layers
        ],
    )
    def test_contradictions_are_errors_and_change_nothing(
        self, first: bytes, second: bytes
    ) -> None:
        """The first one heard is believed."""
        receiver = make_receiver()
        receiver.receive(first, 0)
        buffered = receiver.bytes_buffered
        with pytest.raises(ProtocolError):
            receiver.receive(second, 0)
        assert receiver.bytes_buffered == buffered
        assert receiver.tick(0) == []

    @pytest.mark.parametrize(
        "message",
        [
            Ack(KINDS[Ack], 7, 1, 0, 0, 0, ()),
            Refresh(KINDS[Refresh], 7, Wanted.HELLO, 0),
            Bye(KINDS[Bye], 7, Reason.PACKS, ""),
        ],
    )
    def test_what_only_a_receiver_may_say_is_refused(self, message: Ack | Refresh | Bye) -> None:
        """Somebody else receives on our channel."""
        with pytest.raises(ProtocolError):
            make_receiver().receive(write(message), 0)


class TestMemory:
    """protocol.md, Reassembly: bounds."""

    def test_a_layer_above_the_limit_is_given_up(self) -> None:
        """And acknowledged as not wanted, so that it is not repeated."""
        receiver = make_receiver(limits=ReceiverLimits(layer_bytes=10))
        receiver.receive(data(payload=b"12345678", last=False), 0)
        with pytest.raises(LimitError, match="larger than 10 bytes"):
            receiver.receive(data(payload=b"123", chunk=1), 0)
        assert receiver.bytes_buffered == 0
        assert receiver.next_timer(0) == 0
        assert receiver.tick(0) == [FrameExpired(FrameId(7, 8), frozenset(), frozenset({BASE}))]
        assert receiver.receive(data(payload=b"12345678", last=False), 0) == []
        (ack,) = answers(receiver, 0)
        assert isinstance(ack, Ack)
        assert ack.reports == (FrameReport(8, -2, 0, 0, 0, 0),)

    def test_the_other_layers_of_such_a_frame_still_come(self) -> None:
        """Then it has expired, for it will never be complete."""
        receiver = make_receiver(limits=ReceiverLimits(layer_bytes=10))
        with pytest.raises(LimitError):
            receiver.receive(data(TEXT, b"x" * 11), 0)
        events = receiver.receive(data(layers=(BASE, TEXT)), 0)
        assert layers_of(events) == [(BASE, b"base")]
        assert events[-1] == FrameExpired(FrameId(7, 8), frozenset({BASE}), frozenset({TEXT}))

    def test_a_newer_frame_makes_room_where_no_older_one_can(self) -> None:
        """The frame that is being added to is never the one that goes."""
        receiver = make_receiver(limits=ReceiverLimits(total_bytes=25))
        receiver.receive(data(payload=b"x" * 10, last=False, frame=8), 0)
        receiver.receive(data(payload=b"x" * 10, last=False, frame=16), 0)
        (event,) = receiver.receive(data(payload=b"x" * 10, chunk=1, last=False, frame=8), 0)
        assert event == FrameExpired(FrameId(7, 16), frozenset(), frozenset({BASE}))
        assert receiver.bytes_buffered == 20

    def test_the_oldest_unfinished_frames_make_room_for_bytes(self) -> None:
        """They expire, and say so."""
        receiver = make_receiver(limits=ReceiverLimits(total_bytes=25))
        for frame in (8, 16):
            receiver.receive(data(payload=b"x" * 10, last=False, frame=frame), 0)
        events = receiver.receive(data(payload=b"x" * 10, last=False, frame=24), 0)
        assert [event.frame.tick for event in events if isinstance(event, FrameExpired)] == [8]
        assert receiver.bytes_buffered == 20

    def test_a_frame_above_all_memory_is_an_error(self) -> None:
        """It alone is too much."""
        receiver = make_receiver(limits=ReceiverLimits(total_bytes=25))
        receiver.receive(data(payload=b"x" * 20, last=False), 0)
        with pytest.raises(LimitError, match="more than 25 bytes of memory"):
            receiver.receive(data(payload=b"x" * 20, chunk=1, last=False), 0)
        assert receiver.bytes_buffered == 20

    def test_the_oldest_frames_make_room_for_new_ones(self) -> None:
        """What comes of them afterwards is late: it is answered, so that it ends."""
        receiver = make_receiver(limits=ReceiverLimits(frames=2))
        receiver.receive(data(layers=(BASE, TEXT)), 0)
        receiver.receive(data(frame=16), 0)
        events = receiver.receive(data(frame=24), 0)
        assert FrameExpired(FrameId(7, 8), frozenset({BASE}), frozenset({TEXT})) in events
        answers(receiver, 0)
        assert receiver.receive(data(TEXT, b"late"), 1) == []
        assert receiver.receive(data(frame=7), 1) == []
        assert receiver.counters.late == 2
        (ack,) = answers(receiver, 1)
        assert isinstance(ack, Ack)
        assert FrameReport(8, -1, -2, -2, -2, -2) in ack.reports

    def test_a_frame_expires_after_its_lifetime(self) -> None:
        """60 s after its last news, with what came and what did not; a whole one never does."""
        receiver = make_receiver()
        receiver.receive(data(frame=4), 0)
        receiver.receive(data(layers=(BASE, TEXT)), 2)
        receiver.receive(data(TEXT, b"c", last=False), 5)
        assert receiver.tick(64.9)[1:] == []
        assert receiver.next_timer(64.9) == 65.0
        expired = FrameExpired(FrameId(7, 8), frozenset({BASE}), frozenset({TEXT}))
        assert receiver.tick(65.0) == [expired]
        assert receiver.next_timer(65.0) is None

    def test_two_thousand_frames_leave_no_trace(self) -> None:
        """Garbage between them included."""
        receiver = make_receiver()
        for frame in range(2000):
            receiver.receive(data(DETAIL1, b"x" * 99, last=False, frame=frame), frame / 8)
            with pytest.raises(RemoteError):
                receiver.receive(bytes([frame % 256]) * 9, frame / 8)
            answers(receiver, frame / 8)
        assert receiver.frames_remembered == 16
        assert receiver.bytes_buffered == 16 * 99
