"""A codec to compare with, at its best: the best of five working sizes, the finest quantiser.

At a few hundred bytes every codec does best on a reduced picture. So each is tried at five
sizes, with the finest quantiser that fits the budget, and the benchmark keeps the best.
The size to enlarge to is told to the decoder and not billed: a gift to them, not to us.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar

import numpy as np
from PIL import Image

from misc_lab.bench.codec import CodedFile, Pixels
from misc_lab.bench.decoder_process import DecoderProcess

__all__ = ["SCALES", "Rival", "finest_fit"]

SCALES = {"1": 1.0, "1/1.5": 1.5, "1/2": 2.0, "1/3": 3.0, "1/4": 4.0}
"""Divisors of both sides, by the name they have in reports."""

_DECODER = "misc_lab.bench.rival_decoding"


class Rival(ABC):
    """A codec of still pictures, with its quantisers in order from coarsest to finest.

    What was coded of the last picture is kept: other budgets for it ask for much the same files.

    Attributes:
        series: The codec's name, alone.
        qualities: Settings of the quantiser.
        even: Whether both sides of a picture must be even.
    """

    series: tuple[str, ...]
    qualities: ClassVar[Sequence[float]]
    even: ClassVar[bool] = False

    def __init__(self) -> None:
        self._picture: Pixels = np.zeros((0, 0, 3), np.uint8)
        self._coded: dict[str, dict[int, bytes]] = {}
        self._decoder: DecoderProcess | None = None

    @classmethod
    @abstractmethod
    def version(cls) -> str:
        """Give the library that codes, with its version, for the report."""

    @abstractmethod
    def encode(self, picture: Image.Image, quality: float) -> bytes:
        """Code an RGB picture."""

    @staticmethod
    @abstractmethod
    def open(data: bytes) -> Image.Image:
        """Decode to RGB of the coded size; runs in the decoder's process."""

    def files(self, image: Pixels, *, max_bytes: int) -> Iterator[CodedFile]:
        """One file a scale: the finest that fits."""
        if image is not self._picture:
            self._picture = image
            self._coded = {scale: {} for scale in SCALES}
        for scale in SCALES:
            small = self.shrink(image, scale)
            coded = self._coded[scale]
            index = self._finest(small, coded, max_bytes)
            if index is not None:
                yield CodedFile((coded[index],), f"{scale} quality {self.qualities[index]:g}")

    def decode(self, parts: tuple[bytes, ...], *, width: int, height: int) -> Mapping[str, Pixels]:
        """Decode in another process, and enlarge there by Lanczos.

        Raises:
            BitstreamError: The bytes do not decode.
        """
        if self._decoder is None:
            self._decoder = DecoderProcess(_DECODER, self.series[0])
        pictures = self._decoder.decode(parts, width=width, height=height)
        return dict(zip(self.series, pictures, strict=True))

    def shrink(self, image: Pixels, scale: str) -> Image.Image:
        """Reduce a picture to one of SCALES by Lanczos."""
        full = Image.fromarray(image)
        step = 2 if self.even else 1
        width, height = (max(step, step * round(side / SCALES[scale] / step)) for side in full.size)
        return full.resize((width, height), Image.Resampling.LANCZOS)

    def _finest(self, picture: Image.Image, coded: dict[int, bytes], max_bytes: int) -> int | None:
        def size(index: int) -> int:
            coded[index] = self.encode(picture, self.qualities[index])
            return len(coded[index])

        known = {index: len(data) for index, data in coded.items()}
        return finest_fit(len(self.qualities), size, max_bytes, known=known)


def finest_fit(
    count: int,
    size: Callable[[int], int],
    max_bytes: int,
    *,
    known: dict[int, int] | None = None,
) -> int | None:
    """Search for the last index in 0..count - 1 whose size fits; sizes grow with the index.

    From the coarse end, which is the cheap one to code, in steps that double; then bisection, every
    other time by interpolation of the sizes' logarithms, nearly a straight line for a quantiser.

    Args:
        count: Number of settings, coarsest first.
        size: Function from an index to bytes.
        max_bytes: The budget.
        known: Sizes from earlier searches; new ones are added.

    Returns:
        The index, whose size is in `known`, or None if not even the coarsest fits.
    """
    known = {} if known is None else known

    def fitting(index: int) -> bool:
        if index not in known:
            known[index] = size(index)
        return known[index] <= max_bytes

    if not fitting(0):
        return None
    fits = max(index for index, nbytes in known.items() if nbytes <= max_bytes)
    beyond = min((index for index in known if index > fits), default=count)
    step, interpolate = max(1, count // 16), True
    while beyond - fits > 1:
        if beyond not in known:
            middle = min(fits + step, count - 1)
            step *= 2
        elif interpolate:
            middle = _between(fits, beyond, known, max_bytes)
            interpolate = False
        else:
            middle = (fits + beyond) // 2
            interpolate = True
        if fitting(middle):
            fits = middle
        else:
            beyond = middle
    return fits


def _between(fits: int, beyond: int, known: Mapping[int, int], max_bytes: int) -> int:
    """Guess the last index that fits from the sizes at both ends."""
    smallest = max(1, known[fits])
    share = math.log(max(1, max_bytes) / smallest) / math.log(known[beyond] / smallest)
    return min(beyond - 1, max(fits + 1, fits + round(share * (beyond - fits))))
