"""The outlines and names of items, drawn into a picture."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from misc_shared.semantics import Item

__all__ = ["draw_items"]

_COLOURS = ((255, 209, 102), (6, 214, 160), (239, 71, 111), (17, 138, 178))
_LINE_WIDTH = 3

Segment = tuple[float, float, float, float]


def draw_items(
    picture: Image.Image, items: Sequence[Item], *, font: ImageFont.FreeTypeFont
) -> None:
    """Draw each item's map as an outline with its name, in place; items without a map are left out.

    Args:
        picture: RGB, of any size.
        items: Their maps are [rows, cols] over the whole picture.
        font: For the names.
    """
    draw = ImageDraw.Draw(picture)
    mapped = [item for item in items if item.map is not None and item.map.any()]
    for index, item in enumerate(mapped):
        if item.map is None:
            continue
        colour = _COLOURS[index % len(_COLOURS)]
        scale = (picture.width / item.map.shape[1], picture.height / item.map.shape[0])
        for segment in _border(item.map):
            draw.line(_scaled(segment, scale), fill=colour, width=_LINE_WIDTH)
        _draw_name(draw, item.name, _corner(item.map, scale), colour, font)


def _border(cells: NDArray[np.bool_]) -> Iterator[Segment]:
    """Edges between cells in and out of a map, as x0, y0, x1, y1 in cells."""
    padded = np.pad(cells, 1)
    for row, column in np.argwhere(padded[:-1, 1:-1] != padded[1:, 1:-1]):
        yield column, row, column + 1, row
    for row, column in np.argwhere(padded[1:-1, :-1] != padded[1:-1, 1:]):
        yield column, row, column, row + 1


def _scaled(segment: Segment, scale: tuple[float, float]) -> Segment:
    x0, y0, x1, y1 = segment
    return x0 * scale[0], y0 * scale[1], x1 * scale[0], y1 * scale[1]


def _corner(cells: NDArray[np.bool_], scale: tuple[float, float]) -> tuple[float, float]:
    """The upper left corner of the first cell in reading order."""
    row, column = np.argwhere(cells)[0]
    return column * scale[0], row * scale[1]


def _draw_name(
    draw: ImageDraw.ImageDraw,
    name: str,
    corner: tuple[float, float],
    colour: tuple[int, int, int],
    font: ImageFont.FreeTypeFont,
) -> None:
    left, top = corner[0] + 1, corner[1] + 1
    width = draw.textlength(name, font) + 8
    draw.rectangle((left, top, left + width, top + font.size + 5), fill=colour)
    draw.text((left + 4, top + 1), name, (20, 20, 20), font)
