"""Every file that another codec might send of a picture, and the choices among them."""

import functools
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from misc_lab.bench.classical import PillowCodec
from misc_lab.bench.codec import Pixels
from misc_lab.compare.eye import Eye, View
from misc_lab.compare.formats import FORMATS

__all__ = ["CodedPicture", "best_within", "catalogue", "ladder", "smallest_reaching"]

_FINE = (1, 5, 9, 13, 18, 24, 31, 40, 50, 61, 73, 86)
_COARSE = (5, 20, 45, 70, 90)
_LARGE = (1.0, 1.5)
_SMALL = (2.0, 3.0, 4.0, 5.0, 6.0, 8.0)
"""Divisors of both sides. WebP and AVIF do best at a fifth or a sixth where bytes are fewest."""

_RUNG = 1.35
"""Each file of a ladder is at least so many times larger than the one before."""


@dataclass(frozen=True, eq=False)
class CodedPicture:
    """One file.

    Attributes:
        codec: One of FORMATS.
        data: The file.
        setting: As in "1/2 size, quality 20".
        pixels: How many the codec coded, in millions: fewer than the picture's where it shrank it.
        view: What the file shows, enlarged to the original's size.
    """

    codec: str
    data: bytes
    setting: str
    pixels: float
    view: View


def catalogue(eye: Eye, *, quick: bool = False) -> dict[str, list[CodedPicture]]:
    """Code a picture at eight sizes and 5 or 12 qualities in every format.

    Args:
        eye: Looks at the picture.
        quick: Take every second size and every third quality.

    Returns:
        Format -> its files, the smallest first.
    """
    seen: dict[bytes, View] = {}
    found = {name: list(_files(codec(), eye, seen, quick=quick)) for name, codec in FORMATS.items()}
    return {name: sorted(files, key=lambda one: len(one.data)) for name, files in found.items()}


def smallest_reaching(files: Iterable[CodedPicture], quality: float) -> CodedPicture | None:
    """The smallest file that is at least so much like the original; None if none is."""
    return next((one for one in files if one.view.quality >= quality), None)


def best_within(files: Iterable[CodedPicture], max_bytes: int) -> CodedPicture | None:
    """The file most like the original among those of at most `max_bytes`; None if none fits."""
    fitting = [one for one in files if len(one.data) <= max_bytes]
    return max(fitting, key=lambda one: one.view.quality, default=None)


def ladder(files: Sequence[CodedPicture]) -> list[CodedPicture]:
    """Files of which each is larger and better than the one before, in steps that count."""
    rungs: list[CodedPicture] = []
    for one in files:
        if rungs and one.view.quality <= rungs[-1].view.quality:
            continue
        if len(rungs) > 1 and len(one.data) < _RUNG * len(rungs[-2].data):
            rungs.pop()
        rungs.append(one)
    return rungs


def _files(
    codec: PillowCodec, eye: Eye, seen: dict[bytes, View], *, quick: bool
) -> Iterator[CodedPicture]:
    height, width = eye.original.shape[:2]
    for divisor in (*_LARGE, *_SMALL)[:: 2 if quick else 1]:
        small = _shrink(eye.original, divisor)
        size = "full size" if divisor == 1 else f"1/{divisor:g} size"
        for quality in (_COARSE if divisor in _LARGE else _FINE)[:: 3 if quick else 1]:
            data = codec.encode(small, quality)
            # A progressive JPEG shows what a sequential one shows.
            key = hashlib.sha256(codec.open(data).tobytes()).digest()
            if key not in seen:
                decode = functools.partial(_decode, codec, data, width=width, height=height)
                seen[key] = eye.glance(decode)
            setting = f"{size}, quality {quality}"
            yield CodedPicture(codec.series[0], data, setting, _millions(small), seen[key])


def _shrink(picture: Pixels, divisor: float) -> Image.Image:
    full = Image.fromarray(picture)
    width, height = (max(1, round(side / divisor)) for side in full.size)
    return full.resize((width, height), Image.Resampling.LANCZOS)


def _decode(codec: PillowCodec, data: bytes, *, width: int, height: int) -> Pixels:
    return np.asarray(codec.open(data).resize((width, height), Image.Resampling.LANCZOS))


def _millions(picture: Image.Image) -> float:
    return picture.width * picture.height / 1e6
