"""The recording format: exactly the datagrams of one stream, with the time of each.

protocol.md, Recordings. A file is a sequence of msgpack objects:

    {"misc": 1, "stream": NAME, "started": UNIX SECONDS}      the header, once
    [MILLISECONDS SINCE STARTED, DATAGRAM]                    one entry per datagram

Each entry is written at once, so a crash or a full disk costs at most the last one: a reader
takes all that is whole and warns of the rest. A file that is still being written reads likewise.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, BinaryIO, Literal

import msgspec

from misc_shared.errors import TransportError, WireError
from misc_shared.transports.address import STREAM_NAME_PATTERN
from misc_shared.transports.framing import object_length
from misc_shared.wire import MAX_DATAGRAM

__all__ = [
    "Entry",
    "Header",
    "RecordingEnd",
    "RecordingReader",
    "encode_entry",
    "encode_header",
    "find_end",
]

_MAX_HEADER = 512
_MAX_OBJECT = MAX_DATAGRAM + 32  # an entry's own framing takes at most 16 bytes
_READ_SIZE = 1 << 16
_HEADER_STARTS = b"\x83\xa4misc"  # a map of three whose first key is "misc"

_log = logging.getLogger(__name__)


class _HeaderFields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    misc: Literal[1]
    stream: Annotated[str, msgspec.Meta(pattern=STREAM_NAME_PATTERN)]
    started: float


class _EntryFields(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    milliseconds: Annotated[int, msgspec.Meta(ge=0, lt=1 << 48)]
    datagram: bytes


@dataclass(frozen=True)
class Header:
    """What a recording says about itself.

    Attributes:
        stream: the stream's name.
        started: Unix seconds at which the recording began.
    """

    stream: str
    started: float


@dataclass(frozen=True)
class Entry:
    """One datagram of a recording.

    Attributes:
        seconds: since the recording began; never less than the entry before.
        datagram: the bytes exactly as they were sent.
    """

    seconds: float
    datagram: bytes


@dataclass(frozen=True)
class RecordingEnd:
    """Where a recording can be continued.

    Attributes:
        header: what it says about itself.
        offset: byte after its last whole entry; what follows is an entry that was cut off.
        seconds: of that entry; 0 if there is none.
    """

    header: Header
    offset: int
    seconds: float


class _CutOffError(WireError):
    """The file ends within an object."""


def encode_header(header: Header) -> bytes:
    """Write the object that opens a recording."""
    return msgspec.msgpack.encode(
        _HeaderFields(misc=1, stream=header.stream, started=header.started)
    )


def encode_entry(entry: Entry) -> bytes:
    """Write one datagram with its time.

    Raises:
        TransportError: the datagram is larger than any transport carries.
    """
    if len(entry.datagram) > MAX_DATAGRAM:
        raise TransportError(
            f"a datagram of {len(entry.datagram)} bytes is above the limit of {MAX_DATAGRAM}"
        )
    return msgspec.msgpack.encode(
        _EntryFields(milliseconds=max(0, round(entry.seconds * 1000)), datagram=entry.datagram)
    )


class RecordingReader:
    """Reads a recording piece by piece; memory stays below two of its largest objects.

    Args:
        file: the recording, opened for binary reading.
        name: what to call it in messages.

    Attributes:
        header: what the recording says about itself.
        seconds: of the entry last read.
        offset: the byte after it.

    Raises:
        TransportError: the file does not begin as a recording does.
    """

    def __init__(self, file: BinaryIO, *, name: str) -> None:
        self._file = file
        self._name = name
        self._buffer = bytearray()
        self._offset = 0
        self.seconds = 0.0
        self.header = self._read_header()
        self.offset = self._offset

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries in order; a damaged or cut-off tail ends it with a warning."""
        try:
            yield from self.read()
        except WireError as error:
            _log.warning("%s is damaged, what came before was read: %s", self._name, error)

    def read(self) -> Iterator[Entry]:
        """Yield the entries in order.

        Raises:
            WireError: the rest is damaged or cut off.
        """
        while (data := self._next_object()) is not None:
            fields = _decode_entry(data)
            self.seconds = max(self.seconds, fields.milliseconds / 1000.0)
            self.offset = self._offset
            yield Entry(seconds=self.seconds, datagram=fields.datagram)

    def only_zeros_follow(self) -> bool:
        """Whether the rest of the file says nothing: a power cut leaves such a tail."""
        while not any(self._buffer):
            self._buffer = bytearray(self._file.read(_READ_SIZE))
            if not self._buffer:
                return True
        return False

    def _read_header(self) -> Header:
        self._fill(_MAX_HEADER)
        if not self._buffer.startswith(_HEADER_STARTS):
            found = bytes(self._buffer[:6]).hex(" ") or "nothing"
            raise TransportError(
                f"{self._name} is no MISC recording: expected a header, found {found}"
            )
        try:
            data = self._next_object(limit=_MAX_HEADER)
            fields = msgspec.msgpack.decode(data or b"", type=_HeaderFields)
        except (WireError, msgspec.MsgspecError) as error:
            raise TransportError(
                f"{self._name} is a MISC recording of another version, or damaged: {error}"
            ) from None
        return Header(stream=fields.stream, started=fields.started)

    def _next_object(self, *, limit: int = _MAX_OBJECT) -> bytes | None:
        """Bytes of the next whole object, or None at the end of the file."""
        self._fill(limit)
        if not self._buffer:
            return None
        length = object_length(self._buffer)
        if length is None or length > len(self._buffer):
            if length is not None and length > limit:
                raise WireError(
                    f"an object of {length} bytes at byte {self._offset}, at most {limit} expected"
                )
            raise _CutOffError(f"the last entry, at byte {self._offset}, is cut off")
        data = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._offset += length
        return data

    def _fill(self, size: int) -> None:
        while len(self._buffer) < size:
            data = self._file.read(_READ_SIZE)
            if not data:
                return
            self._buffer += data


def find_end(file: BinaryIO, *, name: str) -> RecordingEnd:
    """Find where a recording ends, to continue it.

    Args:
        file: the recording, at its beginning.
        name: what to call it in messages.

    Raises:
        TransportError: it is no recording, or damaged before its end: there may be more pictures
            behind the damage.
    """
    reader = RecordingReader(file, name=name)
    try:
        for _ in reader.read():
            pass
    except _CutOffError:
        pass
    except WireError as error:
        if not reader.only_zeros_follow():
            raise TransportError(f"{name} is damaged: {error}") from None
    return RecordingEnd(header=reader.header, offset=reader.offset, seconds=reader.seconds)


def _decode_entry(data: bytes) -> _EntryFields:
    try:
        return msgspec.msgpack.decode(data, type=_EntryFields)
    except msgspec.MsgspecError as error:
        raise WireError(f"an entry is not [milliseconds, datagram]: {error}") from None
