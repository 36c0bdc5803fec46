"""Pictures in and out: checked, resized, as the network wants them."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from misc_shared.codec.layout import MAX_SIDE, MIN_SIDE
from misc_shared.errors import ConfigError

__all__ = ["check_picture", "resize", "to_network"]


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
    return np.asarray(Image.fromarray(picture).resize((width, height), Image.Resampling.BICUBIC))


def to_network(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn uint8 [H, W, 3] into float32 [1, 3, H, W] in 0..1."""
    planes = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], dtype=np.float32)
    return planes / np.float32(255)
