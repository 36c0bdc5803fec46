"""protocol.md, WebRTC: its examples are what the code reads and writes."""

import re
from pathlib import Path

import pytest

from misc_shared.errors import WireError
from misc_shared.transports.webrtc.bundling import MAX_BUNDLE, Bundle, unbundle

_TEXT = (Path(__file__).parents[4] / "protocol.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[list[str]]:
    """The lines of each block of a kind."""
    found = re.findall(rf"^```{kind}\n(.*?)^```$", _TEXT, re.MULTILINE | re.DOTALL)
    return [body.splitlines() for body in found]


def test_no_example_has_vanished() -> None:
    """A renamed fence would otherwise take its examples out of the tests in silence."""
    assert len(blocks("bundle")) == 1
    assert len(blocks("refused-bundle")) == 3


@pytest.mark.parametrize("lines", blocks("bundle"))
def test_bundles_read_and_write_as_the_text_says(lines: list[str]) -> None:
    """Both ways."""
    message = bytes.fromhex(lines[0])
    datagrams = [bytes.fromhex(word) for word in lines[1].split()]
    assert unbundle(message) == datagrams
    bundle = Bundle(limit=MAX_BUNDLE)
    for datagram in datagrams:
        bundle.add(datagram)
    assert bundle.take() == message


@pytest.mark.parametrize("lines", blocks("refused-bundle"))
def test_what_is_refused(lines: list[str]) -> None:
    """For the reason given."""
    with pytest.raises(WireError, match=lines[1]):
        unbundle(bytes.fromhex(lines[0]))
