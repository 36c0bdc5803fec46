"""How much fine texture a picture has: two bytes that tell a refiner how much it may add.

A decoded picture at these rates has a third of the original's fine contrast, and nothing that is
left of a lawn or a wall tells whether it was rough or smooth. The original's contrast in two bands
settles that for the picture as a whole, as film-grain parameters do in video codecs.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = [
    "TEXTURE_BYTES",
    "TEXTURE_FIELDS",
    "TEXTURE_LAYER",
    "contrasts",
    "pack_texture",
    "unpack_texture",
]

TEXTURE_FIELDS: Final = 4
TEXTURE_BYTES: Final = 2
# The layer of a key that begins with it: the base has no byte to spare.
TEXTURE_LAYER: Final = 1
_BITS: Final = 4
# Levels are 0.4 octaves apart, and the lowest stands for contrasts of 1/4 of 255 and less.
_STEP: Final = 0.4
_LOWEST: Final = -2.0
_FAINT: Final = 1e-3


def contrasts(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Measure a picture's contrast in its two finest octaves.

    Args:
        picture: uint8 [H, W, 3] RGB, sides of at least 6.

    Returns:
        float32 [4], log2 of levels of 255: mean and root mean square of the difference of a pixel's
        luma from the mean of its four neighbours', at full size, then at half. Their distance
        tells texture everywhere from a few edges.
    """
    luma = np.asarray(Image.fromarray(picture).convert("L")).astype(np.int16)
    rows, columns = (side // 2 * 2 for side in luma.shape)
    even = luma[:rows, :columns]
    half = even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]
    found = []
    for plane, unit in ((luma, 4.0), (half, 16.0)):
        around = plane[:-2, 1:-1] + plane[2:, 1:-1] + plane[1:-1, :-2] + plane[1:-1, 2:]
        off = np.abs(4 * plane[1:-1, 1:-1] - around).astype(np.float32)
        found += [off.mean() / unit, np.sqrt(np.square(off).mean()) / unit]
    return np.log2(np.maximum(found, _FAINT)).astype(np.float32)


def pack_texture(found: NDArray[np.float32]) -> bytes:
    """Write `contrasts` as four levels of four bits, the first one highest."""
    levels = np.rint((found - _LOWEST) / _STEP).clip(0, 2**_BITS - 1).astype(int)
    word = 0
    for level in levels:
        word = word << _BITS | int(level)
    return word.to_bytes(TEXTURE_BYTES, "big")


def unpack_texture(data: bytes) -> NDArray[np.float32]:
    """Read what `pack_texture` wrote: float32 [4], log2 of levels of 255."""
    word = int.from_bytes(data, "big")
    shifts = range(_BITS * (TEXTURE_FIELDS - 1), -1, -_BITS)
    levels = [word >> shift & (2**_BITS - 1) for shift in shifts]
    return np.array(levels, np.float32) * np.float32(_STEP) + np.float32(_LOWEST)
