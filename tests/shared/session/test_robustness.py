"""Whatever comes, well-formed or not: only typed errors, and bounded memory."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.shared.session.virtual_link import PACKS, make_receiver, make_sender, picture
from tests.shared.wire.messages import SAMPLES

from misc_shared.errors import RemoteError
from misc_shared.session import ReceiverLimits, ReceiverSession, SenderSession
from misc_shared.wire import (
    KINDS,
    Ack,
    Bye,
    Data,
    FrameReport,
    LayerKind,
    Reason,
    Refresh,
    ShortHello,
    Wanted,
    data_kind,
    parse,
    write,
)

EPOCH = 0x1234
LIMITS = ReceiverLimits(frames=3, layer_bytes=60, total_bytes=100)

# Few values, so that messages meet: the same frames, the same chunks, two epochs.
_epochs = st.sampled_from([EPOCH, EPOCH + 1])
_frames = st.sampled_from([2, 3, 4, 5, 6, 65_535])
_bitmaps = st.sampled_from([-2, -1, 0, 1, 2, 3, 1 << 63])


@st.composite
def _data(draw: st.DrawFn) -> bytes:
    layers = draw(st.sampled_from([(LayerKind.BASE,), (LayerKind.BASE, LayerKind.DETAIL1)]))
    kind = data_kind(draw(st.sampled_from(layers)), layers)
    payload = bytes(draw(st.sampled_from([1, 30, 50])))
    place = draw(st.integers(0, 7))
    return write(Data(kind, draw(_epochs), draw(_frames), place, payload))


_reports = st.builds(FrameReport, _frames, _bitmaps, _bitmaps, _bitmaps, _bitmaps, _bitmaps)
_acks = st.lists(_reports, max_size=3).flatmap(
    lambda reports: st.builds(
        lambda epoch, status: write(Ack(KINDS[Ack], epoch, 1, status, 0, 0, tuple(reports))),
        _epochs,
        st.integers(0, 3),
    )
)
_wishes = st.builds(
    lambda epoch, wanted: write(Refresh(KINDS[Refresh], epoch, wanted, 0)),
    _epochs,
    st.sampled_from(Wanted),
)
_hellos = st.builds(
    lambda epoch, started: write(
        ShortHello(KINDS[ShortHello], 1, 1, epoch, started, started, bytes(8))
    ),
    _epochs,
    st.integers(0, 3),
)
_byes = st.builds(
    lambda epoch, reason: write(Bye(KINDS[Bye], epoch, reason, "")),
    _epochs,
    st.sampled_from(Reason),
)
_anything = st.sampled_from(SAMPLES).map(write)
_steps = st.lists(
    st.tuples(
        st.one_of(_data(), _acks, _wishes, _hellos, _byes, _anything, st.binary(max_size=30)),
        st.sampled_from([0.0, 0.3, 5.0, 100.0]),
    ),
    max_size=25,
)


def feed(
    end: SenderSession | ReceiverSession,
    steps: list[tuple[bytes, float]],
    check: Callable[[], None],
) -> None:
    """Give an end everything, take all that it says, and let time pass."""
    now = 0.0
    for datagram, pause in steps:
        try:
            end.receive(datagram, now)
        except RemoteError as error:
            check_error(error)
        for _ in range(40):
            answer = end.next_datagram(now)
            if answer is None:
                break
            parse(answer)
        else:
            raise AssertionError("an end never stops talking")
        end.tick(now)
        timer = end.next_timer(now)
        assert timer is None or timer > now, "an end that has done all goes to sleep"
        now += pause
        end.tick(now)
        check()


def check_error(error: RemoteError) -> None:
    """An error without words helps nobody."""
    assert str(error)


@settings(max_examples=40)
@given(steps=_steps)
def test_a_receiver_survives_anything(steps: list[tuple[bytes, float]]) -> None:
    """Within its limits at every moment."""
    receiver = make_receiver(packs=PACKS, limits=LIMITS)

    def check() -> None:
        assert receiver.frames_remembered <= LIMITS.frames * LIMITS.runs
        assert receiver.bytes_buffered <= LIMITS.total_bytes

    feed(receiver, steps, check)


@settings(max_examples=40)
@given(steps=_steps)
def test_a_sender_survives_anything(steps: list[tuple[bytes, float]]) -> None:
    """And never delivers what it did not send."""
    sender = make_sender()
    for second in range(4):
        sender.submit(picture(second / 8, base=300, text=20, detail1=300, lifetime=50), 0.0)
    feed(sender, steps, lambda: None)
    assert sender.frames_in_flight <= 4
    assert sender.bytes_in_flight == 620 * sender.frames_in_flight
