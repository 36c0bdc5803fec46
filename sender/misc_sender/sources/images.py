"""Photographs as a source: one file, a folder of them, or samples."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from PIL import Image

from misc_sender.sources.frame import Frame
from misc_sender.sources.pixels import read_picture
from misc_shared.errors import SourceError

__all__ = ["ImageSource", "find_pictures", "is_picture"]


class ImageSource:
    """Sends picture files one after the other.

    Args:
        paths: the files, in this order.
        name: a short name for all of them.
        fps: pictures per second, or None for as fast as they are taken.
        loop: begin again after the last one, for ever.
        max_side: shrink larger pictures to this many pixels a side.
        clock: seconds; stamps pictures where `fps` does not.
    """

    still = True

    def __init__(
        self,
        paths: Sequence[Path],
        *,
        name: str,
        fps: float | None = None,
        loop: bool = False,
        max_side: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._paths = list(paths)
        self._fps = fps
        self.endless = loop
        self._max_side = max_side
        self._clock = clock

    def frames(self) -> Iterator[Frame]:
        """Read the pictures one at a time."""
        started = self._clock()
        for index, path in enumerate(self._repeated() if self.endless else self._paths):
            pixels = read_picture(path, max_side=self._max_side)
            at = index / self._fps if self._fps else self._clock() - started
            yield Frame(pixels=pixels, captured_at=at, path=path)

    def close(self) -> None:
        """Do nothing: no file stays open between pictures."""

    def _repeated(self) -> Iterator[Path]:
        while True:
            yield from self._paths


def is_picture(path: Path) -> bool:
    """Whether a file's name ends as a picture's does, in a format that Pillow reads."""
    return path.suffix.lower() in Image.registered_extensions()


def find_pictures(folder: Path) -> list[Path]:
    """The pictures in a folder, in the order of their names; not those in folders below it.

    Raises:
        SourceError: there are none, or the folder cannot be read.
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and is_picture(path))
    except OSError as error:
        raise SourceError(f"cannot read the folder {folder}: {error.strerror}") from None
    if not paths:
        raise SourceError(f"the folder {folder} holds no pictures: expected .png, .jpg or the like")
    return paths
