"""Pictures in and out: checked, resized, as the network wants them."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from misc_shared.codec.layout import MAX_SIDE, MIN_SIDE
from misc_shared.errors import ConfigError

__all__ = ["check_picture", "from_network", "resize", "to_network"]

# Pillow holds four copies of what it resizes: a large picture goes through it in parts.
_BAND: Final = 512
_FILTER: Final = Image.Resampling.BICUBIC


def check_picture(picture: NDArray[np.uint8]) -> None:
    """Refuse what is not a picture this codec takes.

    Raises:
        ConfigError: Not uint8 [H, W, 3], or a side outside 16..4096.
    """
    if picture.dtype != np.uint8 or picture.ndim != len("HWC") or picture.shape[2] != len("RGB"):
        message = (
            f"found a {picture.dtype} array of shape {picture.shape}, expected uint8 [height, "
            "width, 3]"
        )
        raise ConfigError(message)
    if not MIN_SIDE <= min(picture.shape[:2]) <= max(picture.shape[:2]) <= MAX_SIDE:
        message = (
            f"found a {picture.shape[1]}x{picture.shape[0]} picture, expected sides of "
            f"{MIN_SIDE}..{MAX_SIDE}; resize it first"
        )
        raise ConfigError(message)


def resize(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Bicubic with antialiasing; uint8 [H, W, 3] to uint8 [height, width, 3]."""
    if picture.shape[:2] == (height, width):
        return picture
    if height <= _BAND:
        return np.asarray(Image.fromarray(picture).resize((width, height), _FILTER))
    wide = Image.fromarray(picture).resize((width, picture.shape[0]), _FILTER)
    result = np.empty((height, width, 3), np.uint8)
    step = picture.shape[0] / height
    for top in range(0, height, _BAND):
        bottom = min(height, top + _BAND)
        # The filter reads beyond the box, so the parts join without a seam.
        box = (0, top * step, width, min(picture.shape[0], bottom * step))
        result[top:bottom] = np.asarray(wide.resize((width, bottom - top), _FILTER, box=box))
    return result


def to_network(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn uint8 [H, W, 3] into float32 [1, 3, H, W] in 0..1."""
    planes = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], dtype=np.float32)
    planes /= np.float32(255)
    return planes


def from_network(planes: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Turn float32 [3, H, W], about 0..1, into uint8 [H, W, 3]; the input is overwritten."""
    planes *= np.float32(255)
    np.rint(planes, out=planes)
    np.clip(planes, 0, 255, out=planes)
    return np.ascontiguousarray(planes.astype(np.uint8).transpose(1, 2, 0))
