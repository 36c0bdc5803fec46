"""Turns whatever a picture file holds into upright RGB pixels, within limits."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from misc_shared.codec.layout import MAX_SIDE, MIN_SIDE
from misc_shared.errors import SourceError

__all__ = ["check_size", "fit", "read_picture"]

_MOST_PIXELS = 100_000_000
# A picture's own decoder raises any of these on damaged bytes.
_DECODING_ERRORS = (OSError, SyntaxError, ValueError, EOFError, IndexError, MemoryError)
_BACKGROUND = (255, 255, 255)
_SIXTEEN_BITS = 257  # 65535 / 255


def read_picture(path: Path, *, max_side: int | None = None) -> NDArray[np.uint8]:
    """Read a picture file: upright, opaque, RGB; the first one if it holds several.

    Args:
        path: the file, in any format that Pillow reads.
        max_side: shrink the picture so that its longer side is at most this many pixels.

    Returns:
        uint8 [H, W, 3], RGB.

    Raises:
        SourceError: the file is missing, damaged, no picture, or of a size that cannot be sent.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns where we refuse.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                _refuse_bomb(image, path)
                if max_side is not None:
                    image.draft("RGB", (max_side, max_side))  # JPEG: decodes no more than needed
                return fit(_upright_rgb(image), max_side=max_side, name=str(path))
    except Image.DecompressionBombError:
        raise SourceError(_bomb(path)) from None
    except _DECODING_ERRORS as error:
        raise SourceError(_unreadable(path, error)) from None


def fit(pixels: NDArray[np.uint8], *, max_side: int | None, name: str) -> NDArray[np.uint8]:
    """Shrink a picture to `max_side` if one is given, then check its size.

    Args:
        pixels: uint8 [H, W, 3].
        max_side: pixels of the longer side at most, or None to keep the size.
        name: what to call the picture in messages.

    Raises:
        SourceError: a side is below 16 or above 4096 pixels.
    """
    height, width = pixels.shape[:2]
    if max_side is not None and max(height, width) > max_side:
        scale = max_side / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        shrunk = Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)
        pixels = np.asarray(shrunk)
    check_size(pixels.shape[1], pixels.shape[0], name=name)
    return pixels


def check_size(width: int, height: int, *, name: str) -> None:
    """Refuse a size that the codec does not take.

    Raises:
        SourceError: a side is below 16 or above 4096 pixels.
    """
    if max(width, height) > MAX_SIDE:
        raise SourceError(
            f"{name} is {width}x{height} pixels, at most {MAX_SIDE} a side can be sent; "
            f"shrink it with --max-side {MAX_SIDE}"
        )
    if min(width, height) < MIN_SIDE:
        raise SourceError(
            f"{name} is {width}x{height} pixels, at least {MIN_SIDE} a side are expected"
        )


def _refuse_bomb(image: Image.Image, path: Path) -> None:
    """Check the size that the header claims, before any pixel is decoded."""
    if image.width * image.height > _MOST_PIXELS:
        raise SourceError(_bomb(path))


def _bomb(path: Path) -> str:
    return f"{path} claims more than {_MOST_PIXELS // 1_000_000} million pixels and was not decoded"


def _unreadable(path: Path, error: BaseException) -> str:
    if isinstance(error, FileNotFoundError):
        return f"there is no file {path}"
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return f"{path} is no picture that can be read: {reason}"


def _upright_rgb(image: Image.Image) -> NDArray[np.uint8]:
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith(("I", "F")):
        return _from_deep_gray(np.asarray(upright))
    if "A" in upright.getbands() or "transparency" in upright.info:
        layered = upright.convert("RGBA")
        opaque = Image.new("RGBA", layered.size, (*_BACKGROUND, 255))
        upright = Image.alpha_composite(opaque, layered)
    return np.array(upright.convert("RGB"))


def _from_deep_gray(values: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Bring gray of 16 bits, or of floats up to 1, to 8 bits; Pillow would cut off at 255."""
    scale = 255.0 if values.dtype.kind == "f" else 1.0 / _SIXTEEN_BITS
    numbers = np.nan_to_num(values.astype(np.float64)) * scale
    gray = np.clip(np.rint(numbers), 0, 255).astype(np.uint8)
    return np.repeat(gray[:, :, None], 3, axis=2)
