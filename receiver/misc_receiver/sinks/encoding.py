"""Pictures as PNG, JPEG and WebP files, which say what they are."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from misc_receiver.sinks.provenance import xmp_packet

__all__ = ["SUFFIXES", "PictureFormat", "encode_picture"]

PictureFormat = Literal["png", "jpeg", "webp"]

SUFFIXES: Final[Mapping[PictureFormat, str]] = {"png": ".png", "jpeg": ".jpg", "webp": ".webp"}

_COMPRESSION: Final = 4  # of 9; beyond it PNG takes three times as long for 2 % fewer bytes
_QUALITY: Final = 90
"""Of JPEG, without chroma subsampling, and of WebP: what is kept differs from what was decoded by
nothing that one sees, in a tenth of PNG's bytes and of its time."""


def encode_picture(
    pixels: NDArray[np.uint8], label: Mapping[str, str], kind: PictureFormat = "png"
) -> bytes:
    """Write a picture as the bytes of a file.

    Args:
        pixels: uint8 [H, W, 3], RGB.
        label: what the file says about itself: as XMP, in PNG as text and in JPEG as comment too.
        kind: the format.
    """
    file = io.BytesIO()
    image = Image.fromarray(pixels)
    xmp = xmp_packet(label).encode()
    match kind:
        case "png":
            image.save(file, format="PNG", pnginfo=_png_text(label), compress_level=_COMPRESSION)
        case "jpeg":
            comment = "; ".join(f"{key}: {value}" for key, value in label.items()).encode()
            image.save(
                file, format="JPEG", quality=_QUALITY, subsampling=0, comment=comment, xmp=xmp
            )
        case "webp":
            image.save(file, format="WEBP", quality=_QUALITY, method=2, xmp=xmp)
    return file.getvalue()


def _png_text(label: Mapping[str, str]) -> PngInfo:
    """Who wrote it, its label, and the same as XMP."""
    info = PngInfo()
    info.add_text("Software", "misc-streaming")
    for key, value in label.items():
        info.add_text(key, value)
    info.add_itxt("XML:com.adobe.xmp", xmp_packet(label))
    return info
