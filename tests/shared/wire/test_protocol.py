"""protocol.md is true: each of its examples is what the code reads and writes."""

import io
import re
from pathlib import Path
from typing import Any

import msgpack
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from misc_shared import errors
from misc_shared.security import StreamKey
from misc_shared.security.receiver_seal import ReceiverSeal
from misc_shared.security.sender_seal import SenderSeal
from misc_shared.transports.recording import Entry, Header, RecordingReader
from misc_shared.transports.recording import encode_entry as write_entry
from misc_shared.transports.recording import encode_header as write_header
from misc_shared.wire import FrameReport, OtherVersion, PackId, parse, write

_TEXT = (Path(__file__).parents[3] / "protocol.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[tuple[str, list[str]]]:
    """Each block of a kind: what stands behind the kind, and the lines."""
    found = re.findall(rf"^```{kind}(?: (\w+))?\n(.*?)^```$", _TEXT, re.MULTILINE | re.DOTALL)
    return [(title, body.splitlines()) for title, body in found]


def shown(value: object) -> str:
    """A field's value as protocol.md writes it."""
    match value:
        case bytes():
            return value.hex()
        case tuple():
            return ",".join(shown(item) for item in value)
        case FrameReport():
            return f"{value.frame}:" + ",".join(str(bits) for bits in value.by_layer.values())
        case PackId():
            return f"{value.name}:{value.digest.hex()}"
        case str():
            return value.replace(" ", "_")
        case _:
            return str(int(value))  # type: ignore[call-overload]


def test_no_example_has_vanished() -> None:
    """A renamed fence would otherwise take its examples out of the tests in silence."""
    assert len(blocks("datagram")) == 14
    assert len(blocks("refused")) == 21
    assert len(blocks("recording")) == 1
    assert len(blocks("sealed")) == 5


@pytest.mark.parametrize(("name", "lines"), blocks("datagram"))
def test_datagram_reads_as_the_text_says_and_writes_as_the_hex(name: str, lines: list[str]) -> None:
    """Both ways, and an independent msgpack agrees."""
    datagram = bytes.fromhex(lines[0])
    message: Any = parse(datagram)
    assert type(message).__name__ == name
    for field in lines[1].split():
        key, _, value = field.partition("=")
        assert shown(getattr(message, key)) == value, key
    if not isinstance(message, OtherVersion):
        assert write(message) == datagram
    assert msgpack.packb(msgpack.unpackb(datagram)) == datagram


@pytest.mark.parametrize(("name", "lines"), blocks("refused"))
def test_refused_datagram_is_refused_for_the_reason_given(name: str, lines: list[str]) -> None:
    """The error is of the type and says the words."""
    with pytest.raises(getattr(errors, name), match=re.escape(lines[1])):
        parse(bytes.fromhex(lines[0]))


def test_recording_reads_and_writes_as_the_text_says() -> None:
    """The reader, the writer and an independent msgpack agree."""
    ((_, lines),) = blocks("recording")
    header, entry = bytes.fromhex(lines[0]), bytes.fromhex(lines[1])
    said = dict(field.split("=") for field in lines[2].split())
    reader = RecordingReader(io.BytesIO(header + entry), name="example")
    assert reader.header == Header(said["stream"], float(said["started"]))
    (found,) = reader
    assert found.seconds == int(said["milliseconds"]) / 1000
    assert write_header(reader.header) == header
    assert write_entry(Entry(found.seconds, found.datagram)) == entry
    assert msgpack.unpackb(entry) == [int(said["milliseconds"]), found.datagram]


@pytest.mark.parametrize(("purpose", "lines"), blocks("sealed"))
def test_sealed_datagram_opens_as_the_text_says(purpose: str, lines: list[str]) -> None:
    """By the rules of the text alone, without our own code."""
    sealed = bytes.fromhex(lines[0])
    said = dict(field.split("=") for field in lines[1].split())
    info = f"misc seal 2 {purpose} garden ".encode() + bytes.fromhex(said["runs"])
    key = HKDF(algorithm=SHA256(), length=64, salt=None, info=info).derive(bytes(range(32)))
    nonce, header = int(said["counter"]).to_bytes(12, "big"), sealed[: int(said["header"])]
    opened = AESSIV(key).decrypt(sealed[len(header) :], [header, nonce])
    assert opened == bytes.fromhex(said["opened"])


def test_both_seals_write_the_sealed_examples() -> None:
    """What they seal is what the text shows, byte for byte."""
    key, wall = StreamKey(bytes(range(32))), 1_700_000_000.0
    examples = [bytes.fromhex(lines[0]) for _, lines in blocks("sealed")]
    base, ack = bytes.fromhex("9500010001c403616263"), bytes.fromhex("9706cdbeefcd1234011d0090")
    senders, receivers = bytes(range(0xA0, 0xAC)), bytes(range(0xB0, 0xBC))
    sender = SenderSeal(key, stream="garden", mtu=1100, entropy=lambda _: senders)
    out = [one for now in (0.0, 0.5) for one in sender.seal(base, now=now, wall=wall)]
    heard, late = (
        ReceiverSeal(
            key, stream="garden", mtu=1100, now=0.0, wall=wall, entropy=lambda _: receivers
        )
        for _ in range(2)
    )
    assert [heard.open(one, now=0.5) for one in out] == [base, base]
    out += heard.seal(ack, now=0.6, wall=wall)
    assert sender.open(out[-1], now=0.7) == ack
    out += sender.pending(now=0.7, wall=wall)
    late.open(out[1], now=0.0)
    out += late.pending(now=0.0, wall=wall)
    assert out == examples
