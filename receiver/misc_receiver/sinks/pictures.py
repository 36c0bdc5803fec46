"""Writes received pictures into a folder, each whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from misc_receiver.sinks.interface import ShownPicture
from misc_receiver.sinks.provenance import xmp_packet
from misc_shared.errors import LocalError

__all__ = ["PictureFolder", "png_text"]

_COMPRESSION = 4  # of 9; beyond it PNG takes three times as long for 2 % fewer bytes


class PictureFolder:
    """A folder with STREAM-FRAME.coarse.png, .preview-K.png and .refined.png for each frame.

    Args:
        folder: made if it is not there.

    Raises:
        LocalError: the folder cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LocalError(f"cannot make the folder {folder}: {error.strerror}") from None

    def show(self, picture: ShownPicture) -> Path:
        """Write a picture as it gets ready; see `save`."""
        return self.save(
            picture.pixels,
            stream=picture.stream,
            frame=picture.frame,
            kind=picture.kind,
            label=picture.label,
        )

    def save(
        self,
        pixels: NDArray[np.uint8],
        *,
        stream: str,
        frame: str,
        kind: str,
        label: Mapping[str, str] | None = None,
    ) -> Path:
        """Write a picture, in place of an earlier one of the same frame and kind.

        Args:
            pixels: uint8 [H, W, 3], RGB.
            stream: the stream's name.
            frame: the frame's id.
            kind: "coarse", "preview-1", "refined" or the like.
            label: what the file says about itself, as PNG text.

        Returns:
            The file.

        Raises:
            LocalError: it cannot be written.
        """
        path = self._folder / f"{stream}-{frame}.{kind}.png"
        # Replaced in one step, so that a viewer never reads half a picture.
        unfinished = path.with_suffix(".tmp")
        try:
            Image.fromarray(pixels).save(
                unfinished, format="PNG", pnginfo=png_text(label or {}), compress_level=_COMPRESSION
            )
            unfinished.replace(path)
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise LocalError(f"cannot write {path}: {error.strerror or error}") from None
        return path


def png_text(label: Mapping[str, str]) -> PngInfo:
    """What a PNG file says about itself: who wrote it, its label, and the same as XMP."""
    info = PngInfo()
    info.add_text("Software", "misc-streaming")
    for key, value in label.items():
        info.add_text(key, value)
    info.add_itxt("XML:com.adobe.xmp", xmp_packet(label))
    return info
