"""JPEG, WebP, AVIF, JPEG XL and JPEG 2000, as whole files of Pillow."""

import io
from abc import abstractmethod
from typing import Any, ClassVar

from PIL import Image, features

from misc_lab.bench.rival import Rival
from misc_shared.errors import MissingExtraError

__all__ = ["Avif", "Jpeg", "Jpeg2000", "JpegXl", "PillowCodec", "WebP"]


class PillowCodec(Rival):
    """A format that Pillow writes and reads."""

    container: ClassVar[str]
    feature: ClassVar[str]

    @classmethod
    def version(cls) -> str:
        """Pillow's own word on the library inside."""
        return f"{cls.feature} {features.version(cls.feature)}"

    @abstractmethod
    def options(self, quality: float) -> dict[str, Any]:
        """Pillow's save options for a quality."""

    def encode(self, picture: Image.Image, quality: float) -> bytes:
        """The whole file."""
        buffer = io.BytesIO()
        picture.save(buffer, self.container, **self.options(quality))
        return buffer.getvalue()

    @staticmethod
    def open(data: bytes) -> Image.Image:
        """Decode with Pillow."""
        with Image.open(io.BytesIO(data)) as opened:
            return opened.convert("RGB")


class Jpeg(PillowCodec):
    """Baseline JPEG with optimised Huffman tables; libjpeg-turbo."""

    series = ("jpeg",)
    container = "JPEG"
    feature = "libjpeg_turbo"
    qualities = range(1, 96)

    def options(self, quality: float) -> dict[str, Any]:
        """Optimised tables; progressive files are larger at these sizes."""
        return {"quality": int(quality), "optimize": True}


class WebP(PillowCodec):
    """Lossy WebP at its slowest; libwebp."""

    series = ("webp",)
    container = "WEBP"
    feature = "webp"
    qualities = range(101)

    def options(self, quality: float) -> dict[str, Any]:
        """The most thorough method."""
        return {"quality": int(quality), "method": 6}


class Avif(PillowCodec):
    """AVIF by libavif, the one that is built into Pillow."""

    series = ("avif",)
    container = "AVIF"
    feature = "avif"
    qualities = range(101)

    def options(self, quality: float) -> dict[str, Any]:
        """Speed 4 of 0..10, one thread."""
        return {"quality": int(quality), "speed": 4, "max_threads": 1}


class JpegXl(PillowCodec):
    """JPEG XL through pillow-jxl-plugin, as a bare codestream.

    That plugin wraps libjxl for Pillow in 2.5 MB, so JPEG XL is coded and decoded like the others;
    imagecodecs would bring 80 MB and an interface of its own.
    """

    series = ("jxl",)
    container = "JXL"
    qualities = tuple(step / 2 for step in range(200))

    def __init__(self) -> None:
        super().__init__()
        _register_jxl()

    @classmethod
    def version(cls) -> str:
        """The plugin's version; it does not tell libjxl's."""
        from importlib.metadata import version

        return f"pillow-jxl-plugin {version('pillow-jxl-plugin')}"

    def options(self, quality: float) -> dict[str, Any]:
        """Effort 9 of 1..10: a quarter fewer bytes than the default at the lowest qualities."""
        return {"quality": quality, "effort": 9, "num_threads": 1}

    @staticmethod
    def open(data: bytes) -> Image.Image:
        """Decode with Pillow and the plugin."""
        _register_jxl()
        return PillowCodec.open(data)


class Jpeg2000(PillowCodec):
    """JPEG 2000 by OpenJPEG: the 9/7 wavelet, a bare codestream, one layer."""

    series = ("jpeg2000",)
    container = "JPEG2000"
    feature = "jpg_2000"
    qualities = tuple(1.02**step for step in range(-460, -40))

    def options(self, quality: float) -> dict[str, Any]:
        """Quality is the share of the raw size, from 1/9000 to 1/2."""
        return {
            "quality_mode": "rates",
            "quality_layers": [1 / quality],
            "irreversible": True,
            "no_jp2": True,
        }


def _register_jxl() -> None:
    try:
        import pillow_jxl  # noqa: F401 - registers itself with Pillow
    except ImportError as error:
        raise MissingExtraError("JPEG XL", package="pillow-jxl-plugin", extra="lab") from error
