"""What a receiver makes of datagrams, what it answers, and what it forgets."""

import pytest
from tests.shared.session.virtual_link import PACKS, make_receiver

from misc_shared.errors import (
    ConfigError,
    LimitError,
    PackMismatchError,
    ProtocolError,
    RemoteError,
)
from misc_shared.session import (
    Event,
    FrameComplete,
    FrameExpired,
    FrameId,
    FrameStarted,
    LayerReceived,
    PeerHello,
    ReceiverLimits,
    ReceiverSession,
    Refused,
    Stale,
    StreamEnded,
)
from misc_shared.session.profiles import profile_digest
from misc_shared.wire import (
    KINDS,
    MAX_DETAIL,
    Ack,
    Bye,
    Data,
    FrameReport,
    Hello,
    LayerKind,
    Message,
    PackId,
    Pair,
    Reason,
    Refresh,
    ShortHello,
    Wanted,
    data_kind,
    parse,
    write,
)

BASE, TEXT, DETAIL1, MAPS, DETAIL2 = LayerKind


def data(
    layer: LayerKind = BASE,
    payload: bytes = b"base",
    *,
    chunk: int = 0,
    last: bool = True,
    frame: int = 8,
    epoch: int = 7,
    layers: tuple[LayerKind, ...] = (BASE,),
) -> bytes:
    """A datagram with one chunk; by default a whole BASE, the only layer of its frame."""
    kind = data_kind(layer, {*layers, layer})
    return write(Data(kind, epoch, frame, chunk << 1 | last, payload))


def short_hello(
    packs: dict[str, bytes] = PACKS, *, epoch: int = 7, started: int = 1000, tick: int = 8
) -> bytes:
    """A sender's first HELLO."""
    profile = profile_digest(packs)
    return write(ShortHello(KINDS[ShortHello], 1, 1, epoch, started, tick, profile))


def full_hello(
    packs: dict[str, bytes] = PACKS,
    *,
    epoch: int = 7,
    started: int = 1000,
    layer_limit: int = 1000,
) -> bytes:
    """A sender's HELLO after it was asked."""
    ids = tuple(PackId(name, digest) for name, digest in packs.items())
    head = (KINDS[Hello], 1, 1, epoch, started, 8)
    return write(Hello(*head, "camera", ids, 31, 222, layer_limit))


def answers(receiver: ReceiverSession, now: float) -> list[Message]:
    """Everything that the receiver wants to say now."""
    return [parse(datagram) for datagram in iter(lambda: receiver.next_datagram(now), None)]


def layers_of(events: list[Event]) -> list[tuple[LayerKind, bytes]]:
    """The layers that came whole."""
    return [(event.layer, event.data) for event in events if isinstance(event, LayerReceived)]


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
            Ack(KINDS[Ack], 7, 0, 0, 0, ()),
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
        assert ack.reports == (FrameReport(8, -1, 0, 0, 0, 0),)

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
        assert FrameReport(8, -1, -1, -1, -1, -1) in ack.reports

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


class TestHello:
    """protocol.md, HELLO rules."""

    def test_a_sender_with_our_models_is_known_at_once(self) -> None:
        """By the short form, also if it uses only some of them; told once."""
        for packs in (PACKS, {"codec": PACKS["codec"]}, {}):
            receiver = make_receiver()
            assert receiver.receive(short_hello(packs), 0) == [PeerHello(7, 1000.0, None)]
            assert receiver.receive(short_hello(packs), 0) == []
            assert receiver.receive(full_hello(packs), 0) == []
            (ack,) = answers(receiver, 0.2)
            assert isinstance(ack, Ack)
            assert ack.hello_heard

    def test_the_long_form_names_the_stream(self) -> None:
        """Recordings have it."""
        receiver = make_receiver(one_way=True)
        assert receiver.receive(full_hello(), 0) == [PeerHello(7, 1000.0, "camera")]

    def test_an_unknown_profile_is_asked_for_in_full(self) -> None:
        """At once; meanwhile pictures are shown."""
        receiver = make_receiver()
        assert receiver.receive(short_hello({"codec": b"another!"}), 0) == []
        assert answers(receiver, 0) == [Refresh(KINDS[Refresh], 7, Wanted.FULL_HELLO, 0)]
        assert layers_of(receiver.receive(data(), 0.1)) == [(BASE, b"base")]

    def test_a_model_that_differs_is_named_at_both_ends(self) -> None:
        """And nothing of that run is taken any more."""
        receiver = make_receiver()
        receiver.receive(data(layers=(BASE, TEXT)), 0)
        expired, refused = receiver.receive(full_hello({"codec": b"another!"}), 0)
        assert isinstance(expired, FrameExpired)
        assert isinstance(refused, Refused)
        assert refused.reason is Reason.PACKS
        assert refused.detail == (
            "codec model: sender has 616e6f7468657221, receiver has 636f6465632d3031; "
            "install the same pack at both ends"
        )
        assert isinstance(refused.error(), PackMismatchError)
        assert answers(receiver, 0) == [Bye(KINDS[Bye], 7, Reason.PACKS, refused.detail)]
        assert receiver.receive(data(frame=16), 1) == []
        assert receiver.next_timer(1) == 2.0
        assert [type(answer) for answer in answers(receiver, 2)] == [Bye]

    def test_a_model_that_we_lack_is_named(self) -> None:
        """As one that we do not have."""
        receiver = make_receiver(packs={})
        (event,) = receiver.receive(full_hello({"codec": b"another!"}), 0)
        assert isinstance(event, Refused)
        assert "receiver has none" in event.detail

    def test_a_profile_that_stays_unknown_is_refused(self) -> None:
        """After three requests in vain, or at once where we cannot ask."""
        receiver = make_receiver()
        stranger = short_hello({"codec": b"another!"})
        for now in (0, 2, 4):
            assert receiver.receive(stranger, now) == []
            assert [type(answer) for answer in answers(receiver, now)] == [Refresh]
        for refusing in (receiver, make_receiver(one_way=True)):
            (event,) = refusing.receive(stranger, 6)
            assert isinstance(event, Refused)
            assert event.reason is Reason.PACKS

    def test_a_version_that_we_do_not_speak_is_refused(self) -> None:
        """Both sides' versions are named; the error to raise is a protocol's."""
        receiver = make_receiver()
        (event,) = receiver.receive(bytes.fromhex("9516020307c0"), 0)
        assert isinstance(event, Refused)
        assert event.reason is Reason.VERSION
        assert event.detail.startswith("sender speaks protocol 2 to 3, receiver 1")
        assert isinstance(event.error(), ProtocolError)

    def test_layers_larger_than_we_take_are_refused(self) -> None:
        """With both limits."""
        receiver = make_receiver(limits=ReceiverLimits(layer_bytes=999))
        (event,) = receiver.receive(full_hello(layer_limit=1000), 0)
        assert isinstance(event, Refused)
        assert event.reason is Reason.LIMITS
        assert "1000 bytes, receiver takes 999" in event.detail

    def test_a_refusal_is_short_where_the_link_is_narrow(self) -> None:
        """The reason always fits."""
        receiver = make_receiver(mtu=48)
        receiver.receive(full_hello({"codec": b"another!"}), 0)
        datagram = receiver.next_datagram(0)
        assert datagram == write(Bye(KINDS[Bye], 7, Reason.PACKS, ""))
        assert len(full_hello()) > 48

    def test_a_sender_that_does_not_say_hello_is_asked_to(self) -> None:
        """After 2 s, and again while it sends."""
        receiver = make_receiver()
        receiver.receive(data(), 0)
        assert [type(answer) for answer in answers(receiver, 1.9)] == [Ack]
        assert receiver.next_timer(1.9) == 2.0
        assert answers(receiver, 2.0) == [Refresh(KINDS[Refresh], 7, Wanted.HELLO, 8)]
        assert Refresh not in [type(answer) for answer in answers(receiver, 9.0)]
        receiver.receive(data(frame=80), 9.0)
        receiver.receive(short_hello(), 9.5)
        assert Refresh not in [type(answer) for answer in answers(receiver, 20.0)]

    @pytest.mark.parametrize(
        "packs", [{"codec": b"short"}, {str(number): bytes(8) for number in range(7)}]
    )
    def test_packs_that_no_hello_can_name_are_refused(self, packs: dict[str, bytes]) -> None:
        """Our own mistake."""
        with pytest.raises(ConfigError):
            make_receiver(packs=packs)

    def test_an_mtu_out_of_range_is_refused(self) -> None:
        """The same for answers as for data."""
        with pytest.raises(ConfigError, match="MTU is 20"):
            make_receiver(mtu=20)


class TestAnswers:
    """protocol.md, Acknowledgements and REFRESH."""

    def test_an_acknowledgement_waits_for_more_unless_the_frame_is_whole(self) -> None:
        """0.2 s, or not at all."""
        receiver = make_receiver()
        receiver.receive(short_hello(), 0)
        receiver.queue_depth = 3
        receiver.receive(data(layers=(BASE, TEXT)), 0.1)
        assert answers(receiver, 0.15) == []
        assert receiver.next_timer(0.15) == 0.2
        (ack,) = answers(receiver, 0.2)
        assert isinstance(ack, Ack)
        assert ack.reports == (FrameReport(8, -1, 0, 0, 0, 0),)
        assert (ack.queue_depth, ack.hello_heard, ack.delay) == (3, True, 100)
        assert ack.received == receiver.counters.bytes
        receiver.receive(data(TEXT, b"cat"), 1.0)
        (ack,) = answers(receiver, 1.0)
        assert isinstance(ack, Ack)
        assert ack.reports == (FrameReport(8, -1, -1, 0, 0, 0),)

    def test_acknowledgements_are_a_quarter_second_apart(self) -> None:
        """However much comes."""
        receiver = make_receiver()
        count = 0
        for step in range(100):
            receiver.receive(data(frame=step), step / 50)
            count += len([a for a in answers(receiver, step / 50) if isinstance(a, Ack)])
        assert count == 8

    def test_every_frame_is_reported_and_again_where_there_is_room(self) -> None:
        """At most four at a time, so that no acknowledgement is large."""
        receiver = make_receiver()
        for frame in range(6):
            receiver.receive(data(frame=frame), 0)
        receiver.receive(short_hello(), 0)
        reports = []
        for now in (0.0, 0.25, 0.5, 0.75):
            reports += [
                [report.frame for report in ack.reports]
                for ack in answers(receiver, now)
                if isinstance(ack, Ack)
            ]
        assert reports == [[0, 1, 2, 3], [4, 5, 0, 1]]

    def test_an_acknowledgement_fits_the_narrowest_link(self) -> None:
        """It says less, never nothing."""
        receiver = make_receiver(mtu=48)
        layers = (BASE, TEXT, DETAIL1, MAPS, DETAIL2)
        for layer in layers:
            for chunk in (0, 63):
                receiver.receive(data(layer, b"x", chunk=chunk, last=False, layers=layers), 0)
        for frame in (16, 24, 32, 40):
            receiver.receive(data(frame=frame), 0)
        frames = set()
        for step in range(20):
            for ack in answers(receiver, step / 4):
                assert len(write(ack)) <= 48  # type: ignore[arg-type]
                if isinstance(ack, Ack):
                    assert all(any(report.by_layer.values()) for report in ack.reports)
                    frames |= {report.frame for report in ack.reports}
        assert frames == {8, 16, 24, 32, 40}

    def test_a_flood_of_frames_does_not_fill_the_list_of_reports(self) -> None:
        """The sender repeats what it hears nothing of."""
        receiver = make_receiver(limits=ReceiverLimits(frames=1000))
        for frame in range(500):
            receiver.receive(data(frame=frame), 0)
        said = sum(
            len(ack.reports)
            for now in range(1000)
            for ack in answers(receiver, now)
            if isinstance(ack, Ack)
        )
        assert said <= 40

    def test_a_wish_for_a_picture_is_said_but_not_too_often(self) -> None:
        """Once in 2 s, with the newest frame that we know."""
        receiver = make_receiver()
        assert answers(receiver, 0) == []
        receiver.receive(short_hello(), 0)
        receiver.receive(data(frame=40), 0)
        receiver.request_refresh(0)
        receiver.request_refresh(0)
        wish = Refresh(KINDS[Refresh], 7, Wanted.PICTURE, 40)
        assert [answer for answer in answers(receiver, 0) if answer == wish] == [wish]
        receiver.request_refresh(1)
        assert wish not in answers(receiver, 1.9)
        assert wish in answers(receiver, 2.0)
        assert receiver.counters.answers >= 3

    def test_a_one_way_receiver_says_nothing(self) -> None:
        """Not even that it cannot understand."""
        receiver = make_receiver(one_way=True)
        receiver.receive(data(), 0)
        receiver.request_refresh(0)
        assert answers(receiver, 60) == []
        receiver.tick(60)
        assert receiver.next_timer(60) is None

    def test_details_of_a_refusal_fit_a_bye(self) -> None:
        """Even where a stranger's names are long."""
        receiver = make_receiver()
        receiver.receive(full_hello({"ü" * 64: b"another!"}), 0)
        (bye,) = answers(receiver, 0)
        assert isinstance(bye, Bye)
        assert len(bye.detail) <= MAX_DETAIL
