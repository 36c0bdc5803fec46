"""Which pictures of a folder are kept, and which make room."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["KeptFiles", "Retention", "left_overs", "stream_of"]

_OURS = re.compile(
    r"(?:(?P<stream>[A-Za-z0-9_-][A-Za-z0-9._-]{0,63})-[0-9a-f]{4}-\d{6,}"
    r"|(?P<archive>[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}~archive)-\d{8}T\d{6}\.\d{3}Z)"
    r"\.(?:coarse|preview-\d+|refined)(?P<suffix>\.png|\.jpg|\.webp|(?:\.png|\.jpg|\.webp)?\.tmp)"
)
_UNFINISHED = ".tmp"
_BLOCK = 4096
"""Bytes in which file systems give room."""
_DAY = 86_400.0


@dataclass(frozen=True, kw_only=True)
class Retention:
    """Bounds of a folder of pictures; None for none.

    Attributes:
        total_bytes: of all files, each counted in whole blocks of 4096 bytes.
        days: after which a picture goes.
        count: files.
    """

    total_bytes: int | None = None
    days: float | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class _File:
    nbytes: int
    written: float


class KeptFiles:
    """The pictures in a folder, by stream, oldest first. Not thread-safe; touches no file.

    Room is made by the stream that takes most of it, with its oldest picture: so of one camera, or
    of many alike, the oldest go, and a flood of one pushes out its own pictures.

    Attributes:
        nbytes: bytes of all, in whole blocks.
    """

    def __init__(self) -> None:
        self.nbytes = 0
        self._streams: dict[str, OrderedDict[Path, _File]] = {}
        self._sizes: dict[str, int] = {}

    def __len__(self) -> int:
        """Files."""
        return sum(map(len, self._streams.values()))

    def add(self, stream: str, path: Path, *, nbytes: int, written: float) -> None:
        """Note a file that was written, in place of an earlier one of its name.

        Args:
            stream: whose it is.
            path: the file.
            nbytes: its size.
            written: Unix seconds.
        """
        self.drop(stream, path)
        size = -(-nbytes // _BLOCK) * _BLOCK
        self._streams.setdefault(stream, OrderedDict())[path] = _File(size, written)
        self._sizes[stream] = self._sizes.get(stream, 0) + size
        self.nbytes += size

    def drop(self, stream: str, path: Path) -> None:
        """Note that a file is gone."""
        files = self._streams.get(stream, OrderedDict())
        file = files.pop(path, None)
        if file is not None:
            self._sizes[stream] -= file.nbytes
            self.nbytes -= file.nbytes
            if not files:
                del self._streams[stream], self._sizes[stream]

    def next_to_go(
        self, limits: Retention, *, now: float, coming: int = 0
    ) -> tuple[str, Path] | None:
        """The stream and the file that has to go next; None if all may stay.

        Args:
            limits: the bounds.
            now: Unix seconds.
            coming: bytes of a file that is about to be written.
        """
        aged = None if limits.days is None else self._older_than(now - limits.days * _DAY)
        if aged is not None or not self._streams:
            return aged
        extra = 1 if coming else 0
        if limits.count is not None and len(self) + extra > limits.count:
            return self._oldest_of(max(self._streams, key=lambda name: len(self._streams[name])))
        if limits.total_bytes is not None and self.nbytes + coming > limits.total_bytes:
            return self._oldest_of(max(self._sizes, key=self._sizes.__getitem__))
        return None

    def _older_than(self, moment: float) -> tuple[str, Path] | None:
        for stream, files in self._streams.items():
            path, file = next(iter(files.items()))
            if file.written < moment:
                return stream, path
        return None

    def _oldest_of(self, stream: str) -> tuple[str, Path]:
        return stream, next(iter(self._streams[stream]))

    @classmethod
    def scan(cls, folder: Path) -> KeptFiles:
        """Find what is in a folder; of other files than ours nothing is noted.

        Raises:
            OSError: it cannot be read.
        """
        found = [
            (status.st_mtime, stream, Path(entry.path), status.st_size)
            for entry in _ours(folder)
            if not entry.name.endswith(_UNFINISHED)
            and (stream := stream_of(entry.name)) is not None
            and (status := _status(entry)) is not None
        ]
        kept = cls()
        for written, stream, path, nbytes in sorted(found):
            kept.add(stream, path, nbytes=nbytes, written=written)
        return kept


def stream_of(name: str) -> str | None:
    """The stream whose picture a file's name says that it is; None if it is no name of ours."""
    match = _OURS.fullmatch(name)
    return None if match is None else match["stream"] or match["archive"]


def left_overs(folder: Path) -> list[Path]:
    """Files of ours that were never finished.

    Raises:
        OSError: the folder cannot be read.
    """
    return [Path(entry.path) for entry in _ours(folder) if entry.name.endswith(_UNFINISHED)]


def _ours(folder: Path) -> Iterator[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if stream_of(entry.name) is not None and entry.is_file(follow_symlinks=False):
                yield entry


def _status(entry: os.DirEntry[str]) -> os.stat_result | None:
    """What is known of a file; None if it has gone meanwhile."""
    try:
        return entry.stat(follow_symlinks=False)
    except FileNotFoundError:
        return None
