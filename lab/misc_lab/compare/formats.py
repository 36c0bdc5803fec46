"""The files that a camera would send today: JPEG, progressive JPEG, WebP and AVIF."""

import io
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from misc_lab.bench.classical import Avif, Jpeg, PillowCodec, WebP
from misc_lab.bench.codec import Pixels

__all__ = ["FORMATS", "FORMAT_LABELS", "scene_bytes", "show_part"]

_END_OF_IMAGE = b"\xff\xd9"
_START_OF_SCAN = b"\xff\xda"


class ProgressiveJpeg(Jpeg):
    """JPEG in libjpeg's standard script of scans, so that a part of it shows the whole picture."""

    series = ("progressive",)

    def options(self, quality: float) -> dict[str, Any]:
        """Optimised tables."""
        return {"quality": int(quality), "optimize": True, "progressive": True}


class QuickAvif(Avif):
    """AVIF at libavif's default speed: some 2 % more bytes in a fifth of the time."""

    def options(self, quality: float) -> dict[str, Any]:
        """Speed 6 of 0..10, one thread."""
        return {"quality": int(quality), "speed": 6, "max_threads": 1}


FORMATS: dict[str, type[PillowCodec]] = {
    codec.series[0]: codec for codec in (QuickAvif, WebP, ProgressiveJpeg, Jpeg)
}
"""By name, the strongest first."""

FORMAT_LABELS = {
    "avif": "AVIF",
    "webp": "WebP",
    "progressive": "Progressive JPEG",
    "jpeg": "JPEG",
}
"""How each is written."""

_SHOWN_IN_PART = ("jpeg", "progressive")


def show_part(name: str, part: bytes, *, width: int, height: int) -> Pixels | None:
    """Decode the beginning of a file and enlarge it by Lanczos, as a browser would show it.

    A JPEG is closed where it was cut, and libjpeg shows what it has: rows from the top, or the
    scans so far. Pillow offers no incremental decoder of WebP; of AVIF nobody does.

    Args:
        name: One of FORMATS.
        part: Its first bytes.
        width: Of the picture to show.
        height: Likewise.

    Returns:
        uint8 [height, width, 3] RGB; None if that many bytes show nothing.
    """
    if name not in _SHOWN_IN_PART:
        return None
    try:
        with Image.open(io.BytesIO(part + _END_OF_IMAGE)) as opened:
            picture = opened.convert("RGB")
    except (OSError, SyntaxError, UnidentifiedImageError):  # what Pillow raises for a cut header
        return None
    return np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))


def scene_bytes(name: str, file: bytes) -> int:
    """How many of a file's first bytes show all of the scene, however roughly.

    Of a progressive JPEG that is its first scan, one colour for each 8x8 pixels; of others, all.
    """
    second_scan = -1
    if name == "progressive":
        second_scan = file.find(_START_OF_SCAN, file.find(_START_OF_SCAN) + 1)
    return len(file) if second_scan < 0 else second_scan
