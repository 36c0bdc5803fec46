"""How a receiver meets a sender."""

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
from tests.shared.session.virtual_link import PACKS, make_receiver

from misc_shared.errors import (
    ConfigError,
    PackMismatchError,
    ProtocolError,
)
from misc_shared.session import (
    FrameExpired,
    PeerHello,
    ReceiverLimits,
    Refused,
)
from misc_shared.wire import (
    KINDS,
    Ack,
    Bye,
    Reason,
    Refresh,
    Wanted,
    write,
)


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

    def test_a_lie_about_models_that_were_agreed_on_changes_nothing(self) -> None:
        """Neither while the run goes on, nor after silence, nor when the run was let go."""
        receiver = make_receiver()
        receiver.receive(short_hello(started=1000), 0)
        receiver.receive(data(), 0)
        lie = full_hello({"codec": b"another!"}, started=3000)
        for now in (1, 20):
            with pytest.raises(ProtocolError, match="contradicts"):
                receiver.receive(lie, now)
        for other in range(100, 110):
            receiver.receive(data(epoch=other), 90)
        with pytest.raises(ProtocolError, match="contradicts"):
            receiver.receive(lie, 91)
        assert layers_of(receiver.receive(data(frame=800), 100)) == [(BASE, b"base")]

    def test_a_lie_that_came_first_ends_with_the_right_hello(self) -> None:
        """The sender says it again when it hears of the refusal."""
        receiver = make_receiver()
        receiver.receive(data(), 0)
        receiver.receive(full_hello({"codec": b"another!"}), 0)
        assert receiver.receive(data(frame=16), 1) == []
        assert PeerHello(7, 1000.0, None) in receiver.receive(short_hello(started=1000), 2)
        assert layers_of(receiver.receive(data(frame=24), 3)) == [(BASE, b"base")]

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
        receiver = make_receiver(mtu=33)
        receiver.receive(full_hello({"codec": b"another!"}), 0)
        datagram = receiver.next_datagram(0)
        assert datagram == write(Bye(KINDS[Bye], 7, Reason.PACKS, ""))
        assert len(full_hello()) > 33

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
