"""A folder of pictures that is weighed again and again by what the file system says."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from typing import Any

from misc_receiver.sinks.interface import ShownPicture
from misc_receiver.sinks.pictures import PictureFolder
from misc_receiver.sinks.retention import Retention

__all__ = ["WeighedFolder"]

_WEIGH_EVERY = 20
_EARLIER = 20_000
"""Bytes of a picture of an earlier run."""


class WeighedFolder:
    """A picture sink for virtual time; what an earlier run has left is a fifth more than is kept.

    Args:
        folder: for the pictures.
        keep: bytes that they may take.
    """

    def __init__(self, folder: Path, *, keep: int) -> None:
        loop = asyncio.get_running_loop()
        self._path = folder
        _fill(folder, keep + keep // 5)
        self._folder = PictureFolder(folder, retention=Retention(total_bytes=keep), clock=loop.time)
        self._most = 0
        self._written = 0
        self._written_bytes = 0

    def show(self, picture: ShownPicture) -> Path | None:
        """Keep a picture, and weigh all after every twentieth."""
        path = self._folder.show(picture)
        if path is not None:
            self._written += 1
            self._written_bytes += path.stat().st_size
        if self._written % _WEIGH_EVERY == 0:
            self.weigh()
        return path

    def weigh(self) -> dict[str, Any]:
        """What was measured, JSON-ready."""
        weight = sum(_weight(entry) for entry in os.scandir(self._path))
        self._most = max(self._most, weight)
        status = self._folder.status()
        return {
            "mib": round(weight / (1 << 20), 2),
            "most_mib": round(self._most / (1 << 20), 2),
            "files": status.files,
            "written": self._written,
            "written_mib": round(self._written_bytes / (1 << 20), 1),
            "deleted": status.deleted,
            "lost": dict(status.lost),
        }


def _fill(folder: Path, nbytes: int) -> None:
    """Leave pictures of another camera behind, a second apart, the last one an hour ago."""
    numbers = range(nbytes // _EARLIER)
    end = time.time() - 3600.0 - len(numbers)
    for number in numbers:
        path = folder / f"earlier-0001-{8 * number:06}.coarse.png"
        path.write_bytes(bytes(_EARLIER))
        os.utime(path, (end + number, end + number))


def _weight(entry: os.DirEntry[str]) -> int:
    status = entry.stat()
    return max(status.st_size, status.st_blocks * 512)
