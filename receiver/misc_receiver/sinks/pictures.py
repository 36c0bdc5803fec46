"""Writes received pictures into a folder, each whole or not at all, and lets the oldest go."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from misc_receiver.sinks.encoding import SUFFIXES, PictureFormat, encode_picture
from misc_receiver.sinks.interface import ShownPicture
from misc_receiver.sinks.outage import Outage
from misc_receiver.sinks.retention import KeptFiles, Retention, left_overs
from misc_receiver.sinks.write_rate import WriteRate
from misc_shared.atomic_file import remove_unfinished, write_atomically
from misc_shared.errors import LocalError

__all__ = ["FolderStatus", "PictureFolder"]

_log = logging.getLogger(__name__)

_NAMES_TOLD = 100


@dataclass(frozen=True, kw_only=True)
class FolderStatus:
    """How a folder of pictures stands.

    Attributes:
        files: pictures in it.
        nbytes: their bytes, in whole blocks.
        deleted: pictures so far that made room, or were too old.
        lost: pictures so far that were not kept, by cause: "failed" or "limited".
        failure: why it cannot be written now; None while it can.
    """

    files: int
    nbytes: int
    deleted: int
    lost: Mapping[str, int] = field(default_factory=dict)
    failure: str | None = None


class PictureFolder:
    """A folder with STREAM-FRAME.coarse.png, .preview-K.png and .refined.png for each frame.

    A folder that cannot be written costs the pictures of that time and a sentence: it is tried
    again until it can. `show` and `trim` may be called in different threads.

    Args:
        folder: made if it is not there; what others put there is left alone.
        kind: the format of new files.
        retention: what is kept, of earlier runs too.
        write_rate: bytes a second that each stream may write; None for no limit.
        clock: seconds that never run backwards.

    Raises:
        LocalError: the folder cannot be made or read.
    """

    def __init__(
        self,
        folder: Path,
        *,
        kind: PictureFormat = "png",
        retention: Retention = Retention(),  # noqa: B008 - frozen
        write_rate: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._kind: PictureFormat = kind
        self._retention = retention
        self._rate = WriteRate(write_rate, clock=clock)
        self._outage = Outage(folder, clock=clock)
        self._deleted = 0
        self._lost: Counter[str] = Counter()
        self._told: set[str] = set()
        self._lock = threading.Lock()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            _remove_left_overs(folder)
            self._files = KeptFiles.scan(folder)
        except OSError as error:
            raise LocalError(f"cannot make the folder {folder}: {error.strerror}") from None
        before = len(self._files)
        self.trim()
        if self._deleted:
            _log.warning("%s held %d pictures; %d of them went", folder, before, self._deleted)

    def show(self, picture: ShownPicture) -> Path | None:
        """Write a picture as it gets ready; None if it was not kept.

        One that has a name of its own and is there already is not written again.
        """
        path = self._path(picture.stream, picture.name or picture.frame, picture.kind)
        if picture.name and path.is_file():
            return path
        with self._lock:
            if self._outage.waiting:
                self._lose("failed")
                return None
            if not self._rate.allows(picture.stream):
                self._tell_limit(picture.stream)
                self._lose("limited")
                return None
        data = encode_picture(picture.pixels, picture.label, self._kind)
        with self._lock:
            try:
                self._return()
                self._make_room(len(data))
                write_atomically(path, data)
            except OSError as error:
                self._outage.began(error)
                self._lose("failed")
                return None
            self._outage.ended()
            self._rate.wrote(picture.stream, len(data))
            self._files.add(picture.stream, path, nbytes=len(data), written=time.time())
        return path

    def save(
        self,
        pixels: NDArray[np.uint8],
        *,
        stream: str,
        frame: str,
        kind: str,
        label: Mapping[str, str] | None = None,
    ) -> Path:
        """Write a picture, in place of an earlier one of the same frame and kind, or fail.

        Args:
            pixels: uint8 [H, W, 3], RGB.
            stream: the stream's name.
            frame: the frame's id.
            kind: "coarse", "preview-1", "refined" or the like.
            label: what the file says about itself.

        Returns:
            The file.

        Raises:
            LocalError: it cannot be written.
        """
        path = self._path(stream, frame, kind)
        try:
            write_atomically(path, encode_picture(pixels, label or {}, self._kind))
        except OSError as error:
            raise LocalError(f"cannot write {path}: {error.strerror or error}") from None
        return path

    def trim(self) -> None:
        """Let go of what is too old or too much; call it now and then, in any thread."""
        with self._lock:
            if self._outage.waiting:
                return
            try:
                self._make_room(0)
            except OSError as error:
                self._outage.began(error)

    def status(self) -> FolderStatus:
        """How it stands now; may be asked in any thread."""
        with self._lock:
            return FolderStatus(
                files=len(self._files),
                nbytes=self._files.nbytes,
                deleted=self._deleted,
                lost=dict(self._lost),
                failure=self._outage.reason,
            )

    def _path(self, stream: str, frame: str, kind: str) -> Path:
        return self._folder / f"{stream}-{frame}.{kind}{SUFFIXES[self._kind]}"

    def _return(self) -> None:
        """After an outage, look what is left of the folder; make it if it was taken away.

        Raises:
            OSError: it cannot be read, or what it was in is gone too.
        """
        if self._outage.reason is not None:
            self._folder.mkdir(exist_ok=True)
            self._files = KeptFiles.scan(self._folder)

    def _make_room(self, coming: int) -> None:
        """Delete what has to go.

        Raises:
            OSError: it cannot be deleted; then nothing more may be written either.
        """
        now = time.time()
        while True:
            victim = self._files.next_to_go(self._retention, now=now, coming=coming)
            if victim is None:
                return
            stream, path = victim
            path.unlink(missing_ok=True)
            self._files.drop(stream, path)
            self._deleted += 1

    def _lose(self, cause: str) -> None:
        self._lost[cause] += 1
        if cause == "failed":
            self._outage.lost += 1

    def _tell_limit(self, stream: str) -> None:
        # Names are anybody's choice: the hundredth is told no more.
        if stream not in self._told and len(self._told) < _NAMES_TOLD:
            self._told.add(stream)
            _log.warning("stream %s: pictures above --write-rate are shown and not kept", stream)


def _remove_left_overs(folder: Path) -> None:
    """Remove what a killed run did not finish, but not what a run beside us is writing."""
    for path in left_overs(folder):
        remove_unfinished(path)
