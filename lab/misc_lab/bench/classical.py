"""JPEG, WebP, AVIF, JPEG XL and JPEG 2000, each at its best envelope.

At a few hundred bytes every one of them does best on a reduced picture. So each is tried at five
sizes, with the finest quantiser that fits the budget, and the benchmark keeps the best.
The size to enlarge to is told to the decoder and not billed: a gift to them, not to us.
"""

import io
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from misc_lab.bench.codec import CodedFile, Pixels
from misc_shared.errors import MissingExtraError

__all__ = [
    "CLASSICAL",
    "Avif",
    "ClassicalCodec",
    "Jpeg",
    "Jpeg2000",
    "JpegXl",
    "WebP",
    "finest_fit",
]

SCALES = {"1": 1.0, "1/1.5": 1.5, "1/2": 2.0, "1/3": 3.0, "1/4": 4.0}
"""Divisors of both sides, by the name they have in reports."""


class ClassicalCodec(ABC):
    """A codec of Pillow, with its quantisers in order from coarsest to finest."""

    series: tuple[str, ...]
    container: ClassVar[str]
    qualities: ClassVar[Sequence[float]]

    def files(self, image: Pixels, *, max_bytes: int) -> Iterator[CodedFile]:
        """One file a scale: the finest that fits."""
        full = Image.fromarray(image)
        for scale, divisor in SCALES.items():
            size = (max(1, round(full.width / divisor)), max(1, round(full.height / divisor)))
            small = full.resize(size, Image.Resampling.LANCZOS)
            fit = self._finest(small, max_bytes)
            if fit is not None:
                quality, data = fit
                yield CodedFile((data,), f"{scale} quality {quality:g}")

    def decode(self, parts: tuple[bytes, ...], *, width: int, height: int) -> Mapping[str, Pixels]:
        """Decode with Pillow and enlarge by Lanczos."""
        with Image.open(io.BytesIO(b"".join(parts))) as opened:
            picture = opened.convert("RGB").resize((width, height), Image.Resampling.LANCZOS)
        return {self.series[0]: np.asarray(picture)}

    @abstractmethod
    def options(self, quality: float) -> dict[str, Any]:
        """Pillow's save options for a quality."""

    def encode(self, picture: Image.Image, quality: float) -> bytes:
        """The whole file."""
        buffer = io.BytesIO()
        picture.save(buffer, self.container, **self.options(quality))
        return buffer.getvalue()

    def _finest(self, picture: Image.Image, max_bytes: int) -> tuple[float, bytes] | None:
        coded: dict[int, bytes] = {}

        def size(index: int) -> int:
            coded[index] = self.encode(picture, self.qualities[index])
            return len(coded[index])

        index = finest_fit(len(self.qualities), size, max_bytes)
        return None if index is None else (self.qualities[index], coded[index])


def finest_fit(count: int, size: Callable[[int], int], max_bytes: int) -> int | None:
    """Bisect for the last index in 0..count - 1 whose size fits; sizes grow with the index.

    Args:
        count: Number of settings, coarsest first.
        size: Function from an index to bytes.
        max_bytes: The budget.

    Returns:
        The index, which `size` was called with, or None if not even the coarsest fits.
    """
    if size(0) > max_bytes:
        return None
    fits, beyond = 0, count
    while beyond - fits > 1:
        middle = (fits + beyond) // 2
        if size(middle) <= max_bytes:
            fits = middle
        else:
            beyond = middle
    return fits


class Jpeg(ClassicalCodec):
    """Baseline JPEG with optimised Huffman tables; libjpeg-turbo."""

    series = ("jpeg",)
    container = "JPEG"
    qualities = range(1, 96)

    def options(self, quality: float) -> dict[str, Any]:
        """Optimised tables; progressive files are larger at these sizes."""
        return {"quality": int(quality), "optimize": True}


class WebP(ClassicalCodec):
    """Lossy WebP at its slowest; libwebp."""

    series = ("webp",)
    container = "WEBP"
    qualities = range(101)

    def options(self, quality: float) -> dict[str, Any]:
        """The most thorough method."""
        return {"quality": int(quality), "method": 6}


class Avif(ClassicalCodec):
    """AVIF by libavif, the one that is built into Pillow."""

    series = ("avif",)
    container = "AVIF"
    qualities = range(101)

    def options(self, quality: float) -> dict[str, Any]:
        """Speed 4 of 0..10, one thread."""
        return {"quality": int(quality), "speed": 4, "max_threads": 1}


class JpegXl(ClassicalCodec):
    """JPEG XL through pillow-jxl-plugin, as a bare codestream.

    That plugin wraps libjxl for Pillow in 2.5 MB, so JPEG XL is coded and decoded like the others;
    imagecodecs would bring 80 MB and an interface of its own.
    """

    series = ("jxl",)
    container = "JXL"
    qualities = tuple(step / 2 for step in range(200))

    def __init__(self) -> None:
        try:
            import pillow_jxl  # noqa: F401 - registers itself with Pillow
        except ImportError as error:
            raise MissingExtraError("JPEG XL", package="pillow-jxl-plugin", extra="lab") from error

    def options(self, quality: float) -> dict[str, Any]:
        """Effort 9 of 1..10: a quarter fewer bytes than the default at the lowest qualities."""
        return {"quality": quality, "effort": 9, "num_threads": 1}


class Jpeg2000(ClassicalCodec):
    """JPEG 2000 by OpenJPEG: the 9/7 wavelet, a bare codestream, one layer."""

    series = ("jpeg2000",)
    container = "JPEG2000"
    qualities = tuple(1.02**step for step in range(-460, -40))

    def options(self, quality: float) -> dict[str, Any]:
        """Quality is the share of the raw size, from 1/9000 to 1/2."""
        return {
            "quality_mode": "rates",
            "quality_layers": [1 / quality],
            "irreversible": True,
            "no_jp2": True,
        }


CLASSICAL: dict[str, type[ClassicalCodec]] = {
    codec.series[0]: codec for codec in (Jpeg, WebP, Avif, JpegXl, Jpeg2000)
}
"""The classical codecs by name."""
