"""A received picture as the viewer keeps it: pixels while it is new, a JPEG file afterwards."""

from __future__ import annotations

import threading
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from misc_receiver.picture_memory import Kept, PictureMemory
from misc_receiver.sinks.encoding import encode_picture
from misc_receiver.sinks.interface import ShownPicture

__all__ = ["FileKind", "KeptPicture"]

FileKind = Literal["jpg", "png"]


class KeptPicture:
    """One picture, encoded once when somebody first asks, in whatever thread that happens.

    Args:
        picture: as it was shown.
        decoded: Unix seconds of that.
        memory: where its pixels are kept.

    Attributes:
        kind: "coarse", "preview" or "refined".
        version: a number that no other picture of the same frame and kind has.
        decoded: Unix seconds at which it was shown.
        generated: whether a model has invented part of it.
        note: what its label says of a refinement that was rejected; mostly empty.
        width: pixels.
        height: pixels.
    """

    def __init__(self, picture: ShownPicture, *, decoded: float, memory: PictureMemory) -> None:
        self.kind = picture.kind.partition("-")[0]
        self.version = int(decoded * 1000)
        self.decoded = decoded
        self.generated = picture.generated
        self.note = picture.label.get("Refined", "")
        self.height, self.width = picture.pixels.shape[:2]
        self._label = picture.label
        self._kept: Kept[NDArray[np.uint8]] | None = memory.keep(
            picture.pixels, stream=picture.stream, arrays=[picture.pixels]
        )
        self._files: dict[FileKind, bytes] = {}
        self._lock = threading.Lock()

    @property
    def weight(self) -> int:
        """Bytes of memory that it takes."""
        pixels = self._pixels
        return (0 if pixels is None else pixels.nbytes) + sum(map(len, list(self._files.values())))

    @property
    def _pixels(self) -> NDArray[np.uint8] | None:
        return None if self._kept is None else self._kept.content

    def ready(self, kind: FileKind) -> bytes | None:
        """The file if it was encoded already; returns at once."""
        return self._files.get(kind)

    def file(self, kind: FileKind) -> bytes | None:
        """The file, encoded now if need be; None if only the other kind is kept."""
        with self._lock:
            pixels = self._pixels
            if kind not in self._files and pixels is not None:
                form: Literal["jpeg", "png"] = "jpeg" if kind == "jpg" else "png"
                self._files[kind] = encode_picture(pixels, self._label, form)
            return self._files.get(kind)

    def shelve(self) -> None:
        """Keep the JPEG file alone: a newer picture is there."""
        self.file("jpg")
        self.drop_pixels()

    def forget(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept = None
            self._files.clear()

    def drop_pixels(self) -> None:
        """Keep what was encoded as JPEG, if anything."""
        with self._lock:
            self._kept = None
            self._files.pop("png", None)
