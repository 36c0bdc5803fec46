"""The control of refinement: an unsharp mask that costs as much PSNR.

What a refiner adds has to be worth more than what sharpening adds, which is free and knows nothing.
The mask's strength is found by looking at the original, so that both are as far from it.
"""

from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageFilter

from misc_lab.bench.codec import Pixels
from misc_lab.bench.truth import psnr

__all__ = ["COARSE", "REFINED", "UNSHARP", "sharpen_to", "with_control"]

COARSE, REFINED, UNSHARP = "misc coarse", "misc refined", "misc unsharp"

_RADIUS = 2.0  # pixels
_STRONGEST = 400  # per cent
_HALVINGS = 9  # down to one per cent


def with_control(pictures: Mapping[str, Pixels], original: Pixels) -> Mapping[str, Pixels]:
    """Add the sharpened coarse picture where there is a refined one to hold beside it.

    Args:
        pictures: Series -> picture.
        original: Of the same size.
    """
    if REFINED not in pictures:
        return pictures
    aim = psnr(original, pictures[REFINED])
    return {**pictures, UNSHARP: sharpen_to(pictures[COARSE], original, aim)}


def sharpen_to(picture: Pixels, original: Pixels, aim: float) -> Pixels:
    """Sharpen as far as the PSNR allows.

    Args:
        picture: uint8 [H, W, 3].
        original: Of the same size.
        aim: In dB; the result has at least that, and the picture itself comes back where it has
            less already.
    """
    best, low, high = picture, 0, _STRONGEST
    for _ in range(_HALVINGS):
        middle = (low + high) // 2
        sharper = _unsharp(picture, middle)
        if psnr(original, sharper) >= aim:
            best, low = sharper, middle
        else:
            high = middle
    return best


def _unsharp(picture: Pixels, percent: int) -> Pixels:
    mask = ImageFilter.UnsharpMask(radius=_RADIUS, percent=percent, threshold=0)
    return np.asarray(Image.fromarray(picture).filter(mask))
