"""What a sender hands to the link, in which order, and what it gives up."""

import pytest
from tests.shared.session.sending import drain, names
from tests.shared.session.virtual_link import PACKS, STARTED, make_sender, picture

from misc_shared.errors import ConfigError
from misc_shared.session import (
    DropReason,
    FrameDropped,
    HelloConfig,
    SenderLimits,
)
from misc_shared.session.profiles import profile_digest
from misc_shared.wire import (
    Data,
    LayerKind,
    ShortHello,
    parse,
    write,
)


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
        """Recordings begin with it."""
        hello = HelloConfig(stream="camera", packs=PACKS, started=STARTED, first=True)
        sender = make_sender(hello=hello, one_way=True)
        (message,) = drain(sender, 0)
        assert isinstance(message, ShortHello)
        assert message.profile == profile_digest(PACKS)
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
        sender = make_sender(mtu=33)
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
            ({"mtu": 32}, "MTU is 32: expected 33 to 65535"),
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
