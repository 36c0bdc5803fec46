"""Both ends' seals against each other, without I/O."""

import itertools
import random

import pytest

from misc_shared.errors import ConfigError, TransportError
from misc_shared.security import StreamKey
from misc_shared.security.forms import (
    COUNTER_LIMIT,
    LONG_OVERHEAD,
    MAX_ECHO,
    SHORT_OVERHEAD,
    LongForm,
    parse_form,
)
from misc_shared.security.receiver_seal import ReceiverSeal
from misc_shared.security.sender_seal import SenderSeal
from misc_shared.security.window import WINDOW

KEY = StreamKey(bytes(range(32)))
MTU = 1100
WALL = 1_800_000_000.0


def sender(*, key: StreamKey = KEY, stream: str = "garden", mtu: int = MTU) -> SenderSeal:
    """A camera that starts."""
    return SenderSeal(key, stream=stream, mtu=mtu)


def receiver(*, key: StreamKey = KEY, stream: str = "garden", wall: float = WALL) -> ReceiverSeal:
    """Somebody who begins to listen at time 0."""
    return ReceiverSeal(key, stream=stream, mtu=MTU, now=0.0, wall=wall)


def sealed(seal: SenderSeal, *datagrams: bytes, now: float = 0.0) -> list[bytes]:
    """Datagrams sealed one after the other."""
    return [out for one in datagrams for out in seal.seal(one, now=now, wall=WALL + now)]


def opened(seal: ReceiverSeal, datagrams: list[bytes], now: float = 0.0) -> list[bytes | None]:
    """What becomes of each."""
    return [seal.open(one, now=now) for one in datagrams]


def test_what_is_sealed_opens_and_costs_18_bytes() -> None:
    """The first datagram introduces the run for 20 bytes more."""
    out = sealed(sender(), b"\x95first", b"\x95second")
    assert [len(one) for one in out] == [6 + LONG_OVERHEAD, 7 + SHORT_OVERHEAD]
    assert opened(receiver(), out) == [b"\x95first", b"\x95second"]
    assert (SHORT_OVERHEAD, LONG_OVERHEAD, MAX_ECHO) == (18, 38, 51)


def test_reordered_ones_within_the_window_are_taken_once() -> None:
    """In any order, and each a second time not."""
    first, *rest = sealed(sender(), *[b"\x95%d" % k for k in range(WINDOW)])
    random.Random(1).shuffle(rest)
    heard = receiver()
    heard.open(first, now=0.0)
    assert None not in opened(heard, rest)
    assert set(opened(heard, [first, *rest])) == {None}
    assert heard.counters.replayed == WINDOW


def test_older_than_the_window_is_outdated() -> None:
    """Its bit is forgotten, so it may have come before."""
    out = sealed(sender(), *[b"\x95"] * (WINDOW + 2))
    heard = receiver()
    opened(heard, [out[0], *out[2:]])
    assert heard.open(out[1], now=0.0) is None
    assert heard.counters.rejected == {"outdated": 1}


def test_every_changed_bit_is_noticed() -> None:
    """Header, ciphertext and tag alike; nothing is taken and the window stands as it stood."""
    heard = receiver()
    introduction, short = sealed(sender(), b"\x95abc", b"\x95def")
    for datagram in (introduction, short):
        for bit in range(8 * len(datagram)):
            changed = bytearray(datagram)
            changed[bit // 8] ^= 1 << bit % 8
            assert heard.open(bytes(changed), now=0.0) is None
        for length in range(len(datagram)):
            assert heard.open(datagram[:length], now=0.0) is None
        assert heard.open(datagram + b"\0", now=0.0) is None
        assert heard.open(datagram, now=0.0) is not None


def test_another_key_stream_or_direction_does_not_open() -> None:
    """A camera's key serves its own stream; what it sent does not come back as an answer."""
    out = sealed(sender(), b"\x95abc")
    others = [receiver(key=StreamKey(bytes(32))), receiver(stream="porch")]
    for other in others:
        assert opened(other, out) == [None]
        assert other.counters.rejected == {"forged": 1}
    mirror = sender()
    assert mirror.open(out[0], now=0.0) is None
    assert mirror.counters.rejected == {"forged": 1}


def test_answers_open_and_become_short_once_the_sender_has_heard_us() -> None:
    """The first answer introduces the receiver; the sender's echo says that it came through."""
    camera, heard = sender(), receiver()
    opened(heard, sealed(camera, b"\x95abc"))
    (answer,) = heard.seal(b"\x96ack", now=0.1, wall=WALL)
    assert len(answer) == 4 + LONG_OVERHEAD
    assert camera.open(answer, now=0.2) == b"\x96ack"
    assert camera.open(answer, now=0.2) is None
    (echo,) = camera.pending(now=0.2, wall=WALL)
    assert len(echo) == MAX_ECHO
    assert heard.open(echo, now=0.3) is None
    (answer,) = heard.seal(b"\x96ack", now=0.4, wall=WALL)
    assert len(answer) == 4 + SHORT_OVERHEAD
    assert camera.open(answer, now=0.5) == b"\x96ack"


def test_an_old_run_says_nothing_to_a_receiver_that_starts_anew() -> None:
    """Whoever kept yesterday's datagrams can't show yesterday's pictures after a restart."""
    old = sealed(sender(), *[b"\x95%d" % k for k in range(50)])
    late = ReceiverSeal(KEY, stream="garden", mtu=MTU, now=0.0, wall=WALL + 3600)
    assert set(opened(late, old)) == {None}
    assert late.counters.rejected == {"outdated": 1, "unknown": 49}


def test_a_wrong_clock_costs_a_round_trip() -> None:
    """The receiver asks, and the sender's echo of its run proves that it speaks now."""
    camera, heard = sender(), receiver(wall=WALL + 3600)
    assert opened(heard, sealed(camera, b"\x95abc")) == [None]
    (question,) = heard.pending(now=0.0, wall=WALL + 3600)
    assert camera.open(question, now=0.1) is None
    echo, datagram = sealed(camera, b"\x95def", now=0.1)
    assert opened(heard, [echo, datagram]) == [None, b"\x95def"]


def test_an_echo_of_another_receiver_proves_nothing() -> None:
    """It may be as old as that receiver."""
    camera, other, heard = sender(), receiver(wall=WALL + 3600), receiver(wall=WALL + 7200)
    opened(other, sealed(camera, b"\x95abc"))
    camera.open(other.pending(now=0.0, wall=WALL)[0], now=0.1)
    assert set(opened(heard, sealed(camera, b"\x95def", now=0.1))) == {None}


def test_a_receiver_that_starts_in_the_middle_asks_and_hears() -> None:
    """Short datagrams say nothing to it; its question brings an introduction."""
    camera = sender()
    opened(first := receiver(), sealed(camera, b"\x95abc"))
    camera.open(first.seal(b"\x96", now=0.1, wall=WALL)[0], now=0.1)
    camera.pending(now=0.1, wall=WALL)
    second = ReceiverSeal(KEY, stream="garden", mtu=MTU, now=5.0, wall=WALL + 5)
    before = sealed(camera, b"\x95in the middle", now=5.5)
    assert opened(second, before, now=5.5) == [None]
    assert second.counters.rejected == {"unknown": 1}
    camera.open(second.pending(now=5.5, wall=WALL)[0], now=5.6)
    assert opened(second, sealed(camera, b"\x95next", now=5.6), now=5.6)[-1] == b"\x95next"
    assert second.open(before[0], now=5.6) is None  # of a time before it knew the run


def talk(camera: SenderSeal, heard: ReceiverSeal, *, now: float, wall: float) -> bool:
    """One datagram and its answer, each with what the seals add; whether both were believed."""
    seen = [heard.open(one, now=now) for one in camera.seal(b"\x95", now=now, wall=WALL + now)]
    back = [*heard.pending(now=now, wall=wall), *heard.seal(b"\x96", now=now, wall=wall)]
    taken = [camera.open(one, now=now) for one in back]
    return b"\x95" in seen and b"\x96" in taken


@pytest.mark.parametrize("off", [0.0, 86_400.0, -86_400.0])
def test_every_receiver_that_starts_later_is_believed(off: float) -> None:
    """Whoever asked first is still answered in full, and goes over to short answers later."""
    camera = sender()
    talk(camera, receiver(), now=0.0, wall=WALL)
    for start in (3.0, 3600.0, 7200.0):
        later = ReceiverSeal(KEY, stream="garden", mtu=MTU, now=start, wall=WALL + start + off)
        seconds = [start + second for second in range(12)]
        believed = [talk(camera, later, now=now, wall=WALL + off + now) for now in seconds]
        assert all(believed[3:])
        (answer,) = later.seal(b"\x96", now=start + 12, wall=WALL + off + start + 12)
        assert len(answer) == 1 + SHORT_OVERHEAD
        assert camera.open(answer, now=start + 12) == b"\x96"


@pytest.mark.parametrize(("off", "newcomers"), [(0.0, 0), (86_400.0, 1)])
def test_a_receiver_that_had_to_ask_is_known_as_a_newcomer(off: float, newcomers: int) -> None:
    """Before it has anything to say: what it could not open goes again at once."""
    camera = sender()
    heard = receiver(wall=WALL + off)
    datagrams = sealed(camera, b"\x95base")
    for _ in range(3):
        opened(heard, datagrams)
        for one in heard.pending(now=0.1, wall=WALL + off):
            camera.open(one, now=0.1)
        datagrams = camera.pending(now=0.1, wall=WALL)
    assert camera.newcomers == newcomers


def test_a_clock_that_is_set_back_while_both_run_costs_a_round_trip() -> None:
    """A new run begins, as a copied machine would need it; its freshness is asked for."""
    camera, heard = sender(), receiver()
    assert talk(camera, heard, now=0.0, wall=WALL)
    back = [talk(camera, heard, now=float(now), wall=WALL + now) for now in range(1, 4)]
    assert all(back)
    shifted = []
    for now in (4.0, 5.0, 6.0, 7.0, 8.0):
        wall = WALL - 86_400 + now
        seen = [heard.open(one, now=now) for one in camera.seal(b"\x95", now=now, wall=wall)]
        for one in [*heard.pending(now=now, wall=wall), *heard.seal(b"\x96", now=now, wall=wall)]:
            camera.open(one, now=now)
        shifted.append(b"\x95" in seen)
    assert shifted[-3:] == [True, True, True]


def copies() -> list[SenderSeal]:
    """One camera's machine and a copy of it: they have sealed the same so far."""
    found = []
    for _ in range(2):
        drawn = itertools.chain([bytes(12)], iter(lambda: random.randbytes(12), b""))
        seal = SenderSeal(KEY, stream="garden", mtu=MTU, entropy=lambda _, drawn=drawn: next(drawn))  # type: ignore[misc]
        sealed(seal, b"\x95before")
        found.append(seal)
    return found


def test_a_resumed_copy_of_a_machine_uses_another_run() -> None:
    """Two copies go on from one state: what they seal shares neither run nor key."""
    camera, twin = copies()
    jump = WALL + 3600  # the copy was kept for an hour
    (one,) = camera.seal(b"\x95one", now=0.1, wall=WALL + 0.1)
    (other,) = twin.seal(b"\x95two", now=0.1, wall=jump)
    form = parse_form(other)
    assert isinstance(form, LongForm)
    assert form.counter == 0
    assert parse_form(one) != form


def test_a_copy_that_notices_nothing_gives_nothing_away() -> None:
    """With one counter twice, equal texts look equal, and no more can be learned."""
    camera, twin = copies()
    (one,), (other,) = (sealed(seal, text) for seal, text in ((camera, b"abc"), (twin, b"abd")))
    assert one[:2] == other[:2]
    difference = bytes(a ^ b for a, b in zip(one[-3:], other[-3:], strict=True))
    assert difference != bytes(a ^ b for a, b in zip(b"abc", b"abd", strict=True))


def test_old_questions_do_not_keep_a_new_one_waiting_for_ever() -> None:
    """Sixty old ones that are repeated all the time, and one of a receiver that is there."""
    camera = sender()
    questions = []
    for _ in range(60):
        heard = receiver(wall=WALL + 3600)
        heard.open(sealed(sender(), b"\x95")[0], now=0.0)
        questions += heard.pending(now=0.0, wall=WALL)
    late = receiver(wall=WALL + 3600)
    for now in range(70):
        for question in questions:
            camera.open(question, now=float(now))
        seen = opened(late, sealed(camera, b"\x95", now=float(now)), now=float(now))
        for question in late.pending(now=float(now), wall=WALL + 3600 + now):
            camera.open(question, now=float(now))
        if b"\x95" in seen:
            return
    pytest.fail("the new receiver never had its turn")


def test_questions_become_rare_while_nobody_answers() -> None:
    """A sender with another key costs the link back a few bytes, ever less often."""
    heard = receiver()
    foreign = sealed(sender(key=StreamKey(bytes(32))), *[b"\x95"] * 400)
    asked = 0
    for second, datagram in enumerate(foreign):
        heard.open(datagram, now=float(second))
        asked += len(heard.pending(now=float(second), wall=WALL))
    assert asked == 16


def test_repeated_questions_cost_an_introduction_a_second_at_most() -> None:
    """Somebody may have kept them."""
    camera = sender()
    questions = []
    for _ in range(100):
        heard = receiver(wall=WALL + 3600)
        heard.open(sealed(sender(), b"\x95")[0], now=0.0)
        questions += heard.pending(now=0.0, wall=WALL)
    for question in questions:
        camera.open(question, now=0.0)
    assert len(camera.pending(now=0.0, wall=WALL)) == 1


def test_a_datagram_that_leaves_no_room_is_introduced_separately() -> None:
    """On an MTU of 66 bytes everything still goes through."""
    camera = sender(mtu=66)
    out = sealed(camera, bytes([0x95]) * 48)
    assert [len(one) for one in out] == [LONG_OVERHEAD, 66]
    assert opened(receiver(), out) == [None, bytes([0x95]) * 48]
    assert camera.counters.introduction_bytes == LONG_OVERHEAD


def test_two_senders_of_one_stream_are_both_heard() -> None:
    """The session decides between them; a restarted one is heard at once."""
    one, two, heard = sender(), sender(), receiver()
    for k in range(5):
        assert opened(heard, sealed(one, b"\x95%d" % k))[-1] == b"\x95%d" % k
        assert opened(heard, sealed(two, b"\x95%d" % k))[-1] == b"\x95%d" % k


def test_a_run_that_others_pushed_out_is_over() -> None:
    """Its window is forgotten, so nothing of it may be taken again, were it dated now or not."""
    heard = receiver()
    (kept,) = sealed(sender(), b"\x95old")
    heard.open(kept, now=0.0)
    for _ in range(8):
        heard.open(sealed(sender(), b"\x95")[0], now=0.0)
    assert heard.open(kept, now=0.0) is None
    assert heard.counters.rejected == {"outdated": 1}


def test_counters_run_out_before_a_nonce_returns() -> None:
    """After 2**40 datagrams a run ends."""
    camera = sender()
    camera._run._counter = COUNTER_LIMIT - 1  # noqa: SLF001 - 34 years at a thousand a second
    camera.seal(b"\x95", now=0.0, wall=WALL)
    with pytest.raises(TransportError, match="start again"):
        camera.seal(b"\x95", now=0.0, wall=WALL)


def test_short_counters_turn_without_loss() -> None:
    """15 bits return after 32,768 datagrams; the window tells which turn it is."""
    camera, heard = sender(), receiver()
    for k in itertools.chain(range(3), range(32_760, 32_775), [49_000, 65_000, 65_536]):
        camera._run._counter = k  # noqa: SLF001 - as if all before had been sent
        (out,) = sealed(camera, b"\x95%d" % k)
        assert heard.open(out, now=0.0) == b"\x95%d" % k


def test_a_plain_datagram_is_told_from_a_short_one() -> None:
    """The first byte of a sealed datagram is none of a plain one."""
    heard = receiver()
    opened(heard, [b"\x95\x00\x01\x00\x01\xc4\x01\x61", b"", b"\x00", b"\xff" * 60])
    assert heard.counters.rejected == {"plain": 1, "short": 3}


def test_key_needs_32_bytes() -> None:
    """Nothing shorter is stretched."""
    with pytest.raises(ConfigError, match="expected 32"):
        StreamKey(b"short")
