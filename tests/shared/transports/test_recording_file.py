"""Where a recording may be written to, and what it may be continued with."""

import os
from pathlib import Path

import pytest

from misc_shared.errors import ConfigError, TransportError
from misc_shared.security import StreamKey
from misc_shared.security.sender_seal import SenderSeal
from misc_shared.transports.recording import Entry, Header, encode_entry, encode_header
from misc_shared.transports.recording_file import (
    RecordingFile,
    RecordingMode,
    check_continued_seal,
)

HEADER = Header("garden", 1_700_000_000.0)
PLAIN = bytes.fromhex("9500010001c403616263")


def _key(number: int) -> StreamKey:
    return StreamKey(bytes([number]) * 32)


def _recorded(folder: Path, key: StreamKey | None) -> Path:
    datagram = PLAIN
    if key is not None:
        (datagram,) = SenderSeal(key, stream="garden", mtu=1100).seal(PLAIN, now=0.0, wall=0.0)
    path = folder / "x.misc"
    path.write_bytes(encode_header(HEADER) + encode_entry(Entry(0.0, datagram)))
    return path


@pytest.mark.parametrize("key", [None, _key(1)])
def test_a_recording_goes_on_with_the_key_of_its_beginning(
    tmp_path: Path, key: StreamKey | None
) -> None:
    """So that one key opens all of it."""
    check_continued_seal(_recorded(tmp_path, key), key)
    check_continued_seal(tmp_path / "new.misc", key)


@pytest.mark.parametrize(
    ("begun", "continued", "words"),
    [
        (None, _key(1), "is not sealed"),
        (_key(1), None, "is sealed: continue it with the --key"),
        (_key(1), _key(2), "sealed with another key"),
    ],
)
def test_another_key_is_refused(
    tmp_path: Path, begun: StreamKey | None, continued: StreamKey | None, words: str
) -> None:
    """Half of it would open with neither."""
    with pytest.raises(ConfigError, match=words):
        check_continued_seal(_recorded(tmp_path, begun), continued)


def test_a_pipe_that_nobody_reads_is_an_error(tmp_path: Path) -> None:
    """It would keep the program, and its end, waiting for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(TransportError, match="nobody reads the pipe"):
        RecordingFile(pipe, mode=RecordingMode.NEW, header=HEADER)


def test_a_link_is_followed(tmp_path: Path) -> None:
    """What it points to is replaced."""
    older, link = tmp_path / "older.misc", tmp_path / "link.misc"
    older.write_bytes(b"older")
    link.symlink_to(older)
    file = RecordingFile(link, mode=RecordingMode.OVERWRITE, header=HEADER)
    file.publish()
    file.close()
    assert link.is_symlink()
    assert older.read_bytes() == encode_header(HEADER)
