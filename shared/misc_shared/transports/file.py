"""Recordings as transports: a sender's datagrams into a file, a file's datagrams to a receiver."""

from __future__ import annotations

import time
from pathlib import Path

from misc_shared.errors import ConfigError, TransportError
from misc_shared.transports.address import DEFAULT_STREAM
from misc_shared.transports.base import DEFAULT_MTU, Clock, SystemClock, Transport
from misc_shared.transports.liveness import layers_of
from misc_shared.transports.recording import (
    Entry,
    Header,
    RecordingReader,
    encode_entry,
)
from misc_shared.transports.recording_file import RecordingFile, RecordingMode

__all__ = ["RecordingClock", "RecordingReceiver", "RecordingSender", "publish_recording"]

_ONE_WAY = "a recording goes one way"


class RecordingSender:
    """Writes every datagram of a stream to a file.

    An older file stays as it is until `publish_recording`: see `RecordingFile`.

    Args:
        path: the recording to write.
        stream: the stream's name; None takes that of the recording that is continued.
        mtu: bytes of the largest datagram.
        mode: what may happen to a file that is there.

    Raises:
        ConfigError: there is a file already that may not be replaced, or cannot be continued, or
            it holds another stream.
        TransportError: the file cannot be written.
    """

    duplex = False
    overhead = 0
    reconnects = 0

    def __init__(
        self,
        path: Path,
        *,
        stream: str | None,
        mtu: int = DEFAULT_MTU,
        mode: RecordingMode = RecordingMode.NEW,
    ) -> None:
        self.mtu = mtu
        self.clock: Clock = SystemClock()
        self._path = path
        header = Header(stream=stream or DEFAULT_STREAM, started=time.time())
        self._file = RecordingFile(path, mode=mode, header=header)
        self.stream = self._file.header.stream
        if stream is not None and stream != self.stream:
            self._file.close()
            raise ConfigError(
                f"{path} holds the stream {self.stream!r} and this is {stream!r}: give another "
                f"file, or --stream {self.stream}"
            )
        # Times never decrease in a recording, also where a clock was set back between two runs.
        since = max(self._file.last, time.time() - self._file.header.started)
        self._zero = time.monotonic() - since

    async def ready(self) -> None:
        """Return at once: a file always takes one more."""
        if self._file.closed:
            raise TransportError(f"the recording {self._path} is closed")

    async def send(self, datagram: bytes) -> None:
        """Append one datagram with the time since the recording began."""
        await self.ready()
        if len(datagram) > self.mtu:
            raise TransportError(
                f"a datagram of {len(datagram)} bytes does not fit the MTU of {self.mtu}"
            )
        seconds = time.monotonic() - self._zero
        self._file.write(encode_entry(Entry(seconds=seconds, datagram=datagram)))

    async def receive(self) -> bytes | None:
        """Return None: nothing comes back from a file."""
        return None

    async def close(self) -> None:
        """Close the file; if no picture is in, nothing of it stays."""
        self._file.close()

    def publish(self) -> None:
        """Give the file its name: the first picture is in."""
        self._file.publish()


def publish_recording(transport: Transport) -> None:
    """Say that the first picture is in, where a transport writes a recording.

    Raises:
        TransportError: it cannot be written.
    """
    for layer in layers_of(transport):
        if isinstance(layer, RecordingSender):
            layer.publish()


class RecordingClock:
    """The time inside a recording: it stands at the entry last read.

    Args:
        started: Unix seconds at which the recording began.
    """

    def __init__(self, *, started: float) -> None:
        self._started = started
        self.elapsed = 0.0

    def monotonic(self) -> float:
        """Seconds since the recording began."""
        return self.elapsed

    def wall(self) -> float:
        """Unix seconds, as they were at the sender."""
        return self._started + self.elapsed


class RecordingReceiver:
    """Gives a recording's datagrams as fast as they are taken, at the times recorded.

    Args:
        path: the recording to read.
        stream: the name to give the stream, or None for the recorded one.

    Raises:
        TransportError: the file cannot be read or is no recording.
    """

    duplex = False
    overhead = 0
    reconnects = 0
    mtu = DEFAULT_MTU

    def __init__(self, path: Path, *, stream: str | None = None) -> None:
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise TransportError(f"cannot read the recording {path}: {error.strerror}") from None
        try:
            reader = RecordingReader(self._file, name=str(path))
        except TransportError:
            self._file.close()
            raise
        self.stream = stream or reader.header.stream
        self._recorded = RecordingClock(started=reader.header.started)
        self.clock: Clock = self._recorded
        self._entries = iter(reader)

    async def ready(self) -> None:
        """Refuse: nobody listens at the other end of a recording."""
        raise TransportError(f"{_ONE_WAY}: nothing can be sent back to it")

    async def send(self, datagram: bytes) -> None:
        """Refuse: nobody listens at the other end of a recording."""
        raise TransportError(f"{_ONE_WAY}: {len(datagram)} bytes cannot be sent back to it")

    async def receive(self) -> bytes | None:
        """Take the next datagram and move the clock to its time; None at the end."""
        entry = next(self._entries, None)
        if entry is None:
            return None
        self._recorded.elapsed = entry.seconds
        return entry.datagram

    async def close(self) -> None:
        """Close the file."""
        self._file.close()
