"""The sealed transport over the in-process link and over recordings."""

import asyncio
from pathlib import Path

import pytest

from misc_shared.errors import ConfigError, TransportError
from misc_shared.security import KeyRing, StreamKey
from misc_shared.transports import memory_pair, open_receiver, open_sender
from misc_shared.transports.file import publish_recording
from misc_shared.transports.guarding import ReceiverGuard, choose_key, guard_sender
from misc_shared.transports.sealed import SealedTransport, sealing_of
from misc_shared.transports.single import SingleListener

KEY = StreamKey(bytes(range(32)))
OTHER = StreamKey(bytes(32))


async def test_both_directions_and_the_bytes_between() -> None:
    """What crosses the link is none of what was sent."""
    outer, inner = memory_pair(mtu=200)
    sender, receiver = (
        SealedTransport.for_sender(outer, KEY),
        SealedTransport.for_receiver(inner, KEY),
    )
    assert (sender.mtu, sender.overhead, receiver.mtu) == (182, 18, 182)
    await sender.send(b"\x95a picture")
    assert await receiver.receive() == b"\x95a picture"
    await receiver.send(b"\x96an answer")
    assert await sender.receive() == b"\x96an answer"
    await sender.send(b"\x95secret")
    crossed = await inner.receive()
    assert crossed is not None
    assert b"secret" not in crossed
    with pytest.raises(TransportError, match="183 bytes does not fit"):
        await sender.send(bytes(183))
    await sender.close()
    await receiver.close()


@pytest.mark.parametrize(
    ("sending", "sentence"), [(None, "seems to have no key"), (OTHER, "seems to have another key")]
)
async def test_a_receiver_with_a_key_takes_nothing_else_and_says_so_once(
    sending: StreamKey | None, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Plain datagrams and those of another key: dropped, counted, told once."""
    outer, inner = memory_pair()
    sender = outer if sending is None else SealedTransport.for_sender(outer, sending)
    receiver = SealedTransport.for_receiver(inner, KEY)
    for _ in range(20):
        await sender.send(b"\x95\x00\x01\x00\x01\xc4\x01\x61")
    await outer.close()
    assert await receiver.receive() is None
    assert sum(receiver.counters.rejected.values()) == 20
    assert caplog.text.count(sentence) == 1
    assert "AAEC" not in caplog.text


async def test_a_sender_with_a_key_takes_no_plain_answer(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody on the way can acknowledge what did not come."""
    outer, inner = memory_pair()
    sender = SealedTransport.for_sender(outer, KEY)
    await inner.send(b"\x96\x06\x01\x00\x00\x00\x90")
    await inner.close()
    assert await sender.receive() is None
    assert "the receiver seems to have no key" in caplog.text


async def test_a_receiver_in_the_middle_of_a_stream_hears_within_two_datagrams() -> None:
    """It asks by itself, and the sender introduces itself although it has nothing to send."""
    outer, inner = memory_pair()
    sender = SealedTransport.for_sender(outer, KEY)
    first = SealedTransport.for_receiver(inner, KEY)
    await sender.send(b"\x95one")
    assert await first.receive() == b"\x95one"
    await first.send(b"\x96heard")
    assert await sender.receive() == b"\x96heard"
    with pytest.raises(TimeoutError):  # only the echo comes, and is the seal's own
        await asyncio.wait_for(first.receive(), 0.2)
    second = SealedTransport.for_receiver(inner, KEY)
    await sender.send(b"\x95two")
    answers = asyncio.create_task(sender.receive())
    taken = asyncio.create_task(second.receive())
    await asyncio.wait({taken, answers}, timeout=0.2)
    assert second.counters.rejected == {"unknown": 1}
    assert second.counters.opened >= 1  # the echoes of its question and of its answer
    await sender.send(b"\x95three")
    assert await asyncio.wait_for(taken, 10) == b"\x95three"
    answers.cancel()
    await sender.close()
    await second.close()


async def test_recordings_are_sealed_and_stay_readable(tmp_path: Path) -> None:
    """A recording is old and may be; one introduction is enough for all of it."""
    url = f"file:{tmp_path / 'garden.misc'}"
    sender = guard_sender(await open_sender(url, stream="garden"), url=url, key=KEY)
    datagrams = [b"\x95%d" % k for k in range(300)]
    for datagram in datagrams:
        await sender.send(datagram)
    publish_recording(sender)
    await sender.close()
    for _ in range(2):
        receiver = ReceiverGuard(url=url, keys=KeyRing({"garden": KEY})).protect(
            await open_receiver(url)
        )
        assert [await receiver.receive() for _ in datagrams] == datagrams
        assert await receiver.receive() is None
        sealing = sealing_of(receiver)
        assert sealing is not None
        assert sealing.rejected == {}
        await receiver.close()
    size = (tmp_path / "garden.misc").stat().st_size
    plain = sum(map(len, datagrams))
    assert size - plain < 300 * (18 + 7) + 100


async def test_only_allowed_streams_and_those_with_a_key_are_heard() -> None:
    """The list says names; a file of keys is one, too."""
    named = KeyRing({"garden": KEY})
    for guard in (
        ReceiverGuard(url="mqtt://localhost", allow=frozenset({"garden"})),
        ReceiverGuard(url="mqtt://localhost", keys=named),
        ReceiverGuard(
            url="mqtt://localhost", keys=KeyRing(default=KEY), allow=frozenset({"garden"})
        ),
    ):
        assert guard.admits("garden")
        assert not guard.admits("porch")
        _, transport = memory_pair(stream="porch")
        with pytest.raises(ConfigError, match="porch"):
            await guard.listen(SingleListener(transport), many=False).accept()
        _, transport = memory_pair(stream="porch")
        assert await guard.listen(SingleListener(transport), many=True).accept() is None
        _, transport = memory_pair(stream="garden")
        assert await guard.listen(SingleListener(transport), many=True).accept() is not None


def test_a_sender_without_its_key_does_not_start() -> None:
    """Before anything is opened."""
    with pytest.raises(ConfigError, match="no key of the stream 'porch'"):
        choose_key(KeyRing({"garden": KEY}), stream="porch", mtu=1100)
    with pytest.raises(ConfigError, match="too small with a key"):
        choose_key(KeyRing(default=KEY), stream="porch", mtu=50)
    assert choose_key(None, stream="porch", mtu=33) is None


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("mqtt://broker.example/misc/a", True),
        ("mqtt://user:word@192.0.2.7:1883/misc/+", True),
        ("webrtc+http://[2001:db8::1]:8889", True),
        ("mqtt://localhost/misc/a", False),
        ("mqtt://127.0.0.1", False),
        ("mqtt://[::1]", False),
        ("file:a.misc", False),
    ],
)
def test_without_a_key_a_warning_unless_it_stays_on_this_host(
    url: str, *, warned: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Once, and without the password."""
    transport, _ = memory_pair()
    assert guard_sender(transport, url=url, key=None) is transport
    ReceiverGuard(url=url).listen(SingleListener(transport), many=False)
    assert caplog.text.count("pictures are not sealed") == 2 * warned
    assert "word@" not in caplog.text
