"""Datagrams that share a message."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from misc_shared.errors import WireError
from misc_shared.transports.webrtc.bundling import MAX_BUNDLE, Bundle, unbundle

_DATAGRAMS = st.lists(st.binary(min_size=1, max_size=1100), max_size=40)


@given(_DATAGRAMS)
def test_nothing_is_lost_or_altered(datagrams: list[bytes]) -> None:
    """Whatever is bundled comes out, in order, in messages that fit."""
    bundle, messages = Bundle(limit=MAX_BUNDLE), []
    for datagram in datagrams:
        if not bundle.fits(len(datagram)):
            messages.append(bundle.take())
        bundle.add(datagram)
    messages.append(bundle.take())
    assert all(len(message) <= MAX_BUNDLE for message in messages)
    assert [one for message in messages for one in unbundle(message)] == datagrams


@given(st.binary(max_size=300))
@example(b"\x00")
@example(b"\x02a")
@example(b"\x80")
@example(b"\x80\x05abcde")
@example(b"\xff\xff")
def test_any_message_is_read_or_refused(message: bytes) -> None:
    """Bytes from outside give datagrams or one typed error; what is read writes the same."""
    try:
        datagrams = unbundle(message)
    except WireError:
        return
    bundle = Bundle(limit=len(message))
    for datagram in datagrams:
        bundle.add(datagram)
    assert bundle.take() == message


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (b"\x00", "has 0 bytes"),
        (b"\x03ab", "has 3 bytes and 2 are left"),
        (b"\x01a\x81", "ends within a length"),
        (b"\x80\x01a", "expected one"),
    ],
)
def test_what_is_wrong_is_said(message: bytes, complaint: str) -> None:
    """Each kind of damage has its sentence."""
    with pytest.raises(WireError, match=complaint):
        unbundle(message)


def test_what_does_not_fit_is_our_own_mistake() -> None:
    """A bundle takes nothing empty and nothing beyond its limit."""
    bundle = Bundle(limit=10)
    with pytest.raises(ValueError, match="do not fit"):
        bundle.add(b"")
    with pytest.raises(ValueError, match="do not fit"):
        bundle.add(bytes(10))
