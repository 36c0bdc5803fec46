"""The file that a recording is written into: an older one stays until there is a better one.

Until `publish`, a new recording is NAME.tmp and a continued one is not touched. So a run that fails
before its first picture changes nothing.
"""

from __future__ import annotations

import contextlib
import enum
import errno
import fcntl
import os
from pathlib import Path
from typing import BinaryIO

from misc_shared.atomic_file import UNFINISHED, publish
from misc_shared.errors import ConfigError, TransportError
from misc_shared.security import StreamKey
from misc_shared.security.forms import looks_sealed
from misc_shared.security.receiver_seal import ReceiverSeal
from misc_shared.transports.recording import (
    Header,
    RecordingEnd,
    RecordingReader,
    encode_header,
    find_end,
)
from misc_shared.wire import MAX_DATAGRAM

__all__ = [
    "RecordingFile",
    "RecordingMode",
    "check_continued_seal",
    "check_recording",
    "recorded_stream",
]


class RecordingMode(enum.Enum):
    """What may happen to a file that is there already."""

    NEW = "nothing"
    OVERWRITE = "it is replaced once the first picture is in"
    APPEND = "it is continued"


def check_recording(path: Path, mode: RecordingMode) -> None:
    """Refuse a place that a recording may not be written to; touches nothing.

    Raises:
        ConfigError: there is a file already, and it may not be replaced.
    """
    if mode is RecordingMode.NEW and path.is_file():
        raise ConfigError(
            f"{path} is there already: give --overwrite to replace it once the first picture is "
            "in, --append to continue it, or another name"
        )


def recorded_stream(path: Path) -> str:
    """The name of the stream in a recording that is to be continued.

    Raises:
        ConfigError: it cannot be read or is no recording.
    """
    try:
        with path.open("rb") as file:
            return RecordingReader(file, name=str(path)).header.stream
    except OSError as error:
        raise ConfigError(f"cannot read the recording {path}: {error.strerror}") from None
    except TransportError as error:
        raise ConfigError(f"{error}; it cannot be continued, give another name") from None


def check_continued_seal(path: Path, key: StreamKey | None) -> None:
    """Refuse to continue a recording that no key would open as a whole.

    Args:
        path: the recording; one of nothing but a header is anybody's.
        key: what the new pictures are sealed with, or None.

    Raises:
        ConfigError: it is sealed and there is no key, or another one; or it is not sealed.
        TransportError: it cannot be read.
    """
    if not path.is_file():
        return
    with path.open("rb") as file:
        reader = RecordingReader(file, name=str(path))
        entry = next(iter(reader), None)
    if entry is None:
        return
    if looks_sealed(entry.datagram) != (key is not None):
        raise ConfigError(
            f"{path} is {'not sealed' if key else 'sealed'}: continue it "
            f"{'without --key' if key else 'with the --key of its beginning'}, or give another name"
        )
    if key is not None:
        seal = ReceiverSeal(
            key, stream=reader.header.stream, mtu=MAX_DATAGRAM, now=0.0, wall=0.0, live=False
        )
        if seal.open(entry.datagram, now=0.0) is None and seal.counters.forged:
            raise ConfigError(
                f"{path} is sealed with another key: continue it with that one, or give another "
                "name"
            )


def _open_special(path: Path) -> BinaryIO:
    """Open what is no plain file; a pipe without a reader is an error and no reason to wait.

    Raises:
        OSError: it cannot be opened.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
    os.set_blocking(descriptor, True)
    return os.fdopen(descriptor, "wb", buffering=0)


class RecordingFile:
    """One recording while it is written.

    Args:
        path: where. What is no plain file, such as a pipe, is written directly.
        mode: what may happen to a file that is there.
        header: of a new recording.

    Attributes:
        header: the recording's; that of the older one where it is continued.
        last: seconds of the last entry that is there already.

    Raises:
        ConfigError: there is a file already that may not be replaced, or cannot be continued.
        TransportError: the file cannot be read or written.
    """

    def __init__(self, path: Path, *, mode: RecordingMode, header: Header) -> None:
        check_recording(path, mode)
        self.header = header
        self.last = 0.0
        self._path = path.resolve()  # what a link points to is replaced, not the link
        self._waiting: list[bytes] | None = []
        self._unfinished: Path | None = None
        self._cut_at: int | None = None
        try:
            self._file = self._open(mode)
        except OSError as error:
            raise self._failed(error) from None

    @property
    def closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._file.closed

    def write(self, data: bytes) -> None:
        """Add one entry; before `publish` it waits in memory, within the session's bounds.

        Raises:
            TransportError: it cannot be written.
        """
        if self._waiting is not None:
            self._waiting.append(data)
            return
        try:
            written = self._file.write(data)
        except OSError as error:
            raise self._failed(error) from None
        if written != len(data):
            raise TransportError(f"cannot write the recording {self._path}: the disk is full")

    def publish(self) -> None:
        """Give the recording its name with all that was written: the first picture is in.

        Raises:
            TransportError: it cannot be written; an older file is as it was.
        """
        if self._waiting is None:
            return
        data, self._waiting = b"".join(self._waiting), None
        try:
            if self._cut_at is not None:
                self._file.truncate(self._cut_at)
                self._file.seek(self._cut_at)
            self.write(data)
            if self._path.is_file() or self._unfinished is not None:
                os.fsync(self._file.fileno())
            if self._unfinished is not None:
                publish(self._unfinished, self._path)
                self._unfinished = None
        except OSError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """Close the file; what was never published is gone."""
        if self._file.closed:
            return
        with contextlib.suppress(OSError):  # a pipe cannot be synced
            os.fsync(self._file.fileno())
        self._file.close()
        if self._unfinished is not None:
            with contextlib.suppress(OSError):
                self._unfinished.unlink()

    def _open(self, mode: RecordingMode) -> BinaryIO:
        # Unbuffered: an entry is one write, so a crash costs at most the last of them.
        if self._path.exists() and not self._path.is_file():
            file = _open_special(self._path)
            self._waiting = None
            file.write(encode_header(self.header))
            return file
        if mode is RecordingMode.APPEND and self._path.exists():
            return self._open_older()
        self._unfinished = self._path.with_name(self._path.name + UNFINISHED)
        file = self._unfinished.open("ab", buffering=0)
        self._lock(file)
        file.truncate(0)
        self._waiting = [encode_header(self.header)]
        return file

    def _open_older(self) -> BinaryIO:
        file = self._path.open("r+b", buffering=0)
        try:
            self._lock(file)
            end: RecordingEnd = find_end(file, name=str(self._path))
        except TransportError as error:
            file.close()
            raise ConfigError(f"{error}; it cannot be continued, give another name") from None
        self.header, self.last, self._cut_at = end.header, end.seconds, end.offset
        return file

    def _lock(self, file: BinaryIO) -> None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise ConfigError(
                f"another program is writing the recording {self._path}: give another name"
            ) from None

    def _failed(self, error: OSError) -> TransportError:
        if error.errno == errno.ENXIO:
            return TransportError(f"nobody reads the pipe {self._path}: start the reader first")
        return TransportError(f"cannot write the recording {self._path}: {error.strerror}")
