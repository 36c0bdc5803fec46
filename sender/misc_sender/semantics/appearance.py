"""Measures an item: its colour, size and place in a few words that cost few bytes.

The words are always in this order and from these lists, as "brown, large, center", because the
text coder has counted such phrases.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["COLOURS", "appearance"]

# Names with typical shades (RGB 0..255). A pixel takes the name of the nearest shade in a space
# where hue counts more than brightness.
_SHADES: tuple[tuple[str, tuple[tuple[int, int, int], ...]], ...] = (
    ("black", ((15, 15, 15), (38, 36, 36), (25, 30, 42))),
    ("gray", ((75, 75, 75), (115, 115, 115), (155, 155, 155), (105, 112, 122))),
    ("white", ((250, 250, 250), (215, 215, 215), (225, 230, 240))),
    ("brown", ((95, 60, 35), (130, 90, 60), (60, 42, 28), (110, 80, 62))),
    ("tan", ((200, 170, 130), (170, 140, 105), (225, 195, 160))),
    ("red", ((200, 30, 35), (140, 25, 30), (225, 70, 65))),
    ("orange", ((235, 130, 40), (205, 100, 30))),
    ("yellow", ((240, 215, 60), (215, 185, 50))),
    ("green", ((60, 120, 45), (95, 140, 70), (40, 70, 35), (130, 170, 80))),
    ("blue", ((50, 90, 180), (110, 160, 215), (30, 50, 100), (90, 120, 160), (150, 190, 230))),
    ("purple", ((110, 55, 150), (150, 110, 190))),
    ("pink", ((240, 150, 180), (220, 90, 140))),
)
COLOURS = tuple(name for name, _ in _SHADES)
"""Colour names in use."""

_SHADE_NAMES = np.array([place for place, (_, shades) in enumerate(_SHADES) for _ in shades])
_SAMPLES = 4  # across and down each map cell
_LARGE, _MEDIUM = 0.25, 0.08  # shares of the picture
_EDGE = 0.38  # a center nearer to an edge than this is at that edge


def appearance(image: NDArray[np.uint8], where: NDArray[np.bool_]) -> str:
    """Describe what lies under a map.

    Args:
        image: uint8 [H, W, 3], RGB.
        where: bool [rows, columns], True where the item is; at least one cell is.

    Returns:
        Colour, size and place, such as "brown, large, center".
    """
    return f"{_colour(image, where)}, {_size(where)}, {_place(where)}"


def _colour(image: NDArray[np.uint8], where: NDArray[np.bool_]) -> str:
    rows, columns = where.shape
    small = Image.fromarray(image).resize(
        (columns * _SAMPLES, rows * _SAMPLES), Image.Resampling.BOX, reducing_gap=2.0
    )
    inside = np.repeat(np.repeat(where, _SAMPLES, 0), _SAMPLES, 1)
    pixels = _opponent(np.asarray(small)[inside])
    distances = ((pixels[:, None] - _SHADE_SPACE[None]) ** 2).sum(2)
    votes = np.bincount(_SHADE_NAMES[distances.argmin(1)], minlength=len(COLOURS))
    return COLOURS[int(votes.argmax())]


def _opponent(colours: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Turn RGB [N, 3] into brightness, red-green and blue-yellow, [N, 3]."""
    red, green, blue = (colours[:, channel].astype(np.float32) for channel in range(3))
    brightness = 0.3 * red + 0.59 * green + 0.11 * blue
    return np.stack([0.6 * brightness, red - green, 0.7 * (blue - (red + green) / 2)], 1)


_SHADE_SPACE = _opponent(np.array([shade for _, shades in _SHADES for shade in shades], np.uint8))


def _size(where: NDArray[np.bool_]) -> str:
    share = where.mean()
    if share >= _LARGE:
        return "large"
    return "medium" if share >= _MEDIUM else "small"


def _place(where: NDArray[np.bool_]) -> str:
    rows, columns = np.nonzero(where)
    down = (rows.mean() + 0.5) / where.shape[0]
    across = (columns.mean() + 0.5) / where.shape[1]
    vertical = "top" if down < _EDGE else "bottom" if down > 1 - _EDGE else ""
    horizontal = "left" if across < _EDGE else "right" if across > 1 - _EDGE else ""
    return f"{vertical} {horizontal}".strip() or "center"
