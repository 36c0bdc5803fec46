"""The recording format and the transports that write and read it."""

import io
import itertools
import logging
from pathlib import Path

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from misc_shared.errors import ConfigError, TransportError
from misc_shared.transports import open_receiver, open_sender
from misc_shared.transports.file import RecordingSender, publish_recording
from misc_shared.transports.recording import (
    Entry,
    Header,
    RecordingReader,
    encode_entry,
    encode_header,
)
from misc_shared.transports.recording_file import RecordingMode

HEADER = Header(stream="porch", started=1_700_000_000.25)
ENTRIES = [Entry(0.0, b""), Entry(0.5, b"abc"), Entry(70.0, bytes(300)), Entry(71.0, bytes(70_00))]
WHOLE = encode_header(HEADER) + b"".join(map(encode_entry, ENTRIES))


def _read(data: bytes) -> list[Entry]:
    return list(RecordingReader(io.BytesIO(data), name="test.misc"))


def test_what_was_written_is_read() -> None:
    """Header, times and bytes survive."""
    reader = RecordingReader(io.BytesIO(WHOLE), name="test.misc")
    assert reader.header == HEADER
    assert list(reader) == ENTRIES


def test_another_msgpack_reads_it() -> None:
    """The file is plain msgpack: an independent implementation agrees."""
    objects = list(msgpack.Unpacker(io.BytesIO(WHOLE)))
    assert objects[0] == {"misc": 1, "stream": "porch", "started": 1_700_000_000.25}
    assert objects[1:] == [[round(entry.seconds * 1000), entry.datagram] for entry in ENTRIES]


def test_we_read_what_another_msgpack_wrote() -> None:
    """And the other way round."""
    header = msgpack.packb({"misc": 1, "stream": "porch", "started": 5.0})
    assert _read(header + msgpack.packb([1500, b"abc"])) == [Entry(1.5, b"abc")]


def test_a_tail_cut_off_anywhere_costs_only_the_last_entry(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whole entries before the cut are read; the rest is one warning."""
    ends = list(
        itertools.accumulate(
            (len(encode_entry(entry)) for entry in ENTRIES), initial=len(encode_header(HEADER))
        )
    )
    for cut in [*range(ends[0], ends[0] + 80), ends[-1] - 1]:
        caplog.clear()
        assert len(_read(WHOLE[:cut])) == sum(end <= cut for end in ends[1:])
        assert len(caplog.records) == (cut not in ends)


@pytest.mark.parametrize(
    "tail",
    [
        b"\xc1",
        b"\x91\x01",
        b"\x93\x01\xc4\x01a\x00",
        b"\x92\x01\x91\x91\x01",
        b"\x92\x01\xa1a",
        b"\x92\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xc4\x00",
        b"\x92\x01\xc6\xff\xff\xff\xff" + bytes(70_000),
    ],
)
def test_damage_ends_the_reading_with_a_warning(
    tail: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """What came before the damage is kept."""
    with caplog.at_level(logging.WARNING):
        assert _read(WHOLE + tail) == ENTRIES
    assert "is damaged" in caplog.text


@given(st.binary(max_size=200))
@example(b"\x92\x01\xc5\x00")
def test_any_bytes_after_the_header_only_warn(tail: bytes) -> None:
    """Garbage never raises once the header was good."""
    assert _read(WHOLE + tail)[: len(ENTRIES)] == ENTRIES


@pytest.mark.parametrize(
    ("start", "complaint"),
    [
        (b"", "found nothing"),
        (b"\xff\xd8\xff\xe0JFIF", "is no MISC recording.*ff d8 ff e0"),
        (msgpack.packb({"misc": 2, "stream": "a", "started": 1.0}), "another version"),
        (msgpack.packb({"misc": 1, "stream": "../a", "started": 1.0}), "another version"),
        (msgpack.packb({"misc": 1, "stream": "a" * 900, "started": 1.0}), "another version"),
        (msgpack.packb({"misc": 1, "stream": "a", "started": 1.0})[:-1], "cut off"),
    ],
)
def test_other_files_are_refused(start: bytes, complaint: str) -> None:
    """A file that is no recording, or one of another version, is named as such."""
    with pytest.raises(TransportError, match=complaint):
        RecordingReader(io.BytesIO(start), name="test.misc")


async def test_through_the_transports(tmp_path: Path) -> None:
    """What a sender sends is what a receiver gets, and then the end."""
    url = f"file:{tmp_path / 'walk.misc'}"
    sender = await open_sender(url, stream="walk")
    for datagram in (b"one", b"two"):
        await sender.ready()
        await sender.send(datagram)
    publish_recording(sender)
    await sender.close()
    receiver = await open_receiver(url)
    assert receiver.stream == "walk"
    assert [await receiver.receive() for _ in range(3)] == [b"one", b"two", None]
    await receiver.close()


async def test_the_clock_is_the_recordings(tmp_path: Path) -> None:
    """Times are those of the recording, not of the reading, and never run back."""
    path = tmp_path / "old.misc"
    entries = [Entry(2.0, b"a"), Entry(1.0, b"b"), Entry(9.5, b"c")]
    path.write_bytes(encode_header(HEADER) + b"".join(map(encode_entry, entries)))
    receiver = await open_receiver(f"file:{path}")
    seen = []
    while await receiver.receive() is not None:
        seen.append((receiver.clock.monotonic(), receiver.clock.wall() - HEADER.started))
    assert seen == [(2.0, 2.0), (2.0, 2.0), (9.5, 9.5)]
    await receiver.close()


async def test_nothing_goes_back_into_a_recording(tmp_path: Path) -> None:
    """A receiver cannot answer a file, and a sender hears nothing from one."""
    url = f"file:{tmp_path / 'x.misc'}"
    sender = await open_sender(url)
    assert not sender.duplex
    assert await sender.receive() is None
    publish_recording(sender)
    receiver = await open_receiver(url)
    with pytest.raises(TransportError, match="one way"):
        await receiver.send(b"hello?")
    await sender.close()
    await receiver.close()


async def test_too_large_is_refused(tmp_path: Path) -> None:
    """The MTU holds for files too: the recording is what a link would have carried."""
    sender = await open_sender(f"file:{tmp_path / 'x.misc'}", mtu=64)
    with pytest.raises(TransportError, match="65 bytes does not fit the MTU of 64"):
        await sender.send(bytes(65))
    await sender.close()


async def test_paths_that_cannot_be_used(tmp_path: Path) -> None:
    """A missing file and an unwritable place are one sentence each."""
    with pytest.raises(TransportError, match=r"cannot read .*none\.misc: No such file"):
        await open_receiver(f"file:{tmp_path / 'none.misc'}")
    with pytest.raises(TransportError, match=r"cannot write .*: Is a directory"):
        await open_sender(f"file:{tmp_path}")


async def test_two_programs_do_not_write_one_recording(tmp_path: Path) -> None:
    """The second is refused, whether the first has begun it or continues it."""
    path = tmp_path / "walk.misc"
    first = RecordingSender(path, stream="walk")
    with pytest.raises(ConfigError, match="another program is writing"):
        RecordingSender(path, stream="walk")
    publish_recording(first)
    with pytest.raises(ConfigError, match="another program is writing"):
        RecordingSender(path, stream="walk", mode=RecordingMode.APPEND)
    await first.close()
    again = RecordingSender(path, stream=None, mode=RecordingMode.APPEND)
    assert again.stream == "walk"
    await again.close()


async def test_a_pipe_is_written_directly() -> None:
    """There is nothing to keep, and nothing to rename."""
    sender = RecordingSender(Path("/dev/null"), stream="walk")
    await sender.send(b"one")
    publish_recording(sender)
    await sender.close()


@pytest.mark.parametrize("cut", range(1, 9))
async def test_a_continued_recording_is_as_if_it_was_never_cut(tmp_path: Path, cut: int) -> None:
    """Whole entries before the cut, then the new ones; times never run back."""
    path = tmp_path / "cut.misc"
    path.write_bytes(WHOLE[:-cut])
    sender = RecordingSender(path, stream="porch", mode=RecordingMode.APPEND)
    await sender.send(b"next")
    assert path.read_bytes() == WHOLE[:-cut]
    publish_recording(sender)
    await sender.close()
    entries = _read(path.read_bytes())
    assert [entry.datagram for entry in entries] == [
        *(entry.datagram for entry in ENTRIES[:-1]),
        b"next",
    ]
    assert entries[-1].seconds >= entries[-2].seconds
