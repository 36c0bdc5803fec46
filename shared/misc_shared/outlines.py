"""The outlines and names of items, drawn into a picture."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from misc_shared.semantics import Item

__all__ = ["draw_items", "item_colour", "name_place"]

_COLOURS = ((255, 209, 102), (6, 214, 160), (239, 71, 111), (17, 138, 178))
_LINE_WIDTH = 3

Segment = tuple[float, float, float, float]


def item_colour(index: int) -> tuple[int, int, int]:
    """Return the RGB colour, 0..255, in which the item at a place of the list is drawn."""
    return _COLOURS[index % len(_COLOURS)]


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
    for index, item in enumerate(items):
        if item.map is None or not item.map.any():
            continue
        colour = item_colour(index)
        scale = (picture.width / item.map.shape[1], picture.height / item.map.shape[0])
        for segment in _border(item.map):
            draw.line(_scaled(segment, scale), fill=colour, width=_LINE_WIDTH)
        column, row = name_place(item.map)
        _draw_name(draw, item.name, (column * scale[0], row * scale[1]), colour, font)


def name_place(cells: NDArray[np.bool_]) -> tuple[float, float]:
    """Where an item's name goes: the middle of its map's cell that is nearest to the middle of all.

    Args:
        cells: bool [rows, columns], at least one of them True.

    Returns:
        x and y in cells, from the top left corner.
    """
    places = np.argwhere(cells)
    nearest = places[np.abs(places - places.mean(axis=0)).sum(axis=1).argmin()]
    row, column = (nearest + 0.5).tolist()
    return column, row


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


def _draw_name(
    draw: ImageDraw.ImageDraw,
    name: str,
    middle: tuple[float, float],
    colour: tuple[int, int, int],
    font: ImageFont.FreeTypeFont,
) -> None:
    width, height = draw.textlength(name, font) + 8, font.size + 5
    left = max(0.0, min(middle[0] - width / 2, draw.im.size[0] - width))
    top = middle[1] - height / 2
    draw.rectangle((left, top, left + width, top + height), fill=colour)
    draw.text((left + 4, top + 1), name, (20, 20, 20), font)
