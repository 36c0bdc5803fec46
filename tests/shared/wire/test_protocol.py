"""protocol.md is true: each of its examples is what the code reads and writes."""

import io
import re
from pathlib import Path
from typing import Any

import msgpack
import pytest

from misc_shared import errors
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
    assert len(blocks("datagram")) == 13
    assert len(blocks("refused")) == 19
    assert len(blocks("recording")) == 1


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
