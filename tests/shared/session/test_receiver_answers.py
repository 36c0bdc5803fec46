"""What a receiver answers."""

from tests.shared.session.receiving import (
    BASE,
    DETAIL1,
    DETAIL2,
    MAPS,
    TEXT,
    answers,
    data,
    full_hello,
    short_hello,
)
from tests.shared.session.virtual_link import make_receiver

from misc_shared.session import (
    ReceiverLimits,
)
from misc_shared.wire import (
    KINDS,
    MAX_DETAIL,
    Ack,
    Bye,
    FrameReport,
    Refresh,
    Wanted,
    write,
)


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

    def test_what_is_not_kept_yet_is_not_acknowledged(self) -> None:
        """protocol.md, Archives; what is unclear is asked all the same."""
        receiver = make_receiver()
        receiver.withholds = True
        receiver.receive(data(), 0.0)
        (asked,) = answers(receiver, 3.0)
        assert isinstance(asked, Refresh)
        assert asked.wanted is Wanted.HELLO
        receiver.withholds = False
        (ack,) = answers(receiver, 3.0)
        assert isinstance(ack, Ack)
        assert ack.reports == (FrameReport(8, -1, 0, 0, 0, 0),)

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
        receiver = make_receiver(mtu=33)
        layers = (BASE, TEXT, DETAIL1, MAPS, DETAIL2)
        for layer in layers:
            for chunk in (0, 63):
                receiver.receive(data(layer, b"x", chunk=chunk, last=False, layers=layers), 0)
        for frame in (16, 24, 32, 40):
            receiver.receive(data(frame=frame), 0)
        frames = set()
        for step in range(20):
            for ack in answers(receiver, step / 4):
                assert len(write(ack)) <= 33  # type: ignore[arg-type]
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
        receiver.request_refresh(7, 0)
        receiver.request_refresh(7, 0)
        wish = Refresh(KINDS[Refresh], 7, Wanted.PICTURE, 40)
        assert [answer for answer in answers(receiver, 0) if answer == wish] == [wish]
        receiver.request_refresh(7, 1)
        assert wish not in answers(receiver, 1.9)
        assert wish in answers(receiver, 2.0)
        assert receiver.counters.answers >= 3

    def test_a_one_way_receiver_says_nothing(self) -> None:
        """Not even that it cannot understand."""
        receiver = make_receiver(one_way=True)
        receiver.receive(data(), 0)
        receiver.request_refresh(7, 0)
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
