"""Pictures side by side with what they cost written below."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from misc_shared.outlines import draw_items
from misc_shared.semantics import Item

__all__ = ["Panel", "Strip", "draw_strip", "stack"]

PANEL_WIDTH = 340
_GAP = 14
_MARGIN = 26
_BACKGROUND = (18, 20, 24)
_FRAME = (58, 62, 70)
_BRIGHT = (240, 240, 236)
_DIM = (158, 164, 174)
_ACCENT = (237, 174, 73)


@dataclass(frozen=True, eq=False)
class Panel:
    """One picture of a strip.

    Attributes:
        title: What it is, in a word or two.
        note: What it cost and when it was there.
        pixels: uint8 [H, W, 3] RGB.
        items: Items whose outlines are drawn in.
        badge: A mark on the picture, as on refined ones: "generated".
    """

    title: str
    note: str
    pixels: NDArray[np.uint8]
    items: Sequence[Item] = ()
    badge: str = ""


@dataclass(frozen=True, eq=False)
class Strip:
    """A row of panels.

    Attributes:
        title: Name of the photograph.
        subtitle: Link, size and budget.
        panels: From left to right; all of one shape.
        caption: What the sender's semantics say.
        columns: Room for this many panels, so that strips of one sheet align.
    """

    title: str
    subtitle: str
    panels: Sequence[Panel]
    caption: str = ""
    columns: int = 0


def draw_strip(strip: Strip) -> Image.Image:
    """Draw one row: heading, panels, caption."""
    height, width = strip.panels[0].pixels.shape[:2]
    panel_height = round(PANEL_WIDTH * height / width)
    count = max(strip.columns, len(strip.panels))
    total_width = 2 * _MARGIN + count * PANEL_WIDTH + (count - 1) * _GAP
    footer = 44 if strip.caption else 12
    canvas = Image.new("RGB", (total_width, 62 + panel_height + 58 + footer), _BACKGROUND)
    draw = ImageDraw.Draw(canvas)
    draw.text((_MARGIN, 20), strip.title, _BRIGHT, _font(23))
    after_title = _MARGIN + draw.textlength(strip.title, _font(23)) + 16
    draw.text((after_title, 26), strip.subtitle, _DIM, _font(16))
    for index, panel in enumerate(strip.panels):
        corner = (_MARGIN + index * (PANEL_WIDTH + _GAP), 62)
        _draw_panel(canvas, panel, corner, panel_height)
    if strip.caption:
        line = _fit(draw, strip.caption, total_width - 2 * _MARGIN, _font(17))
        draw.text((_MARGIN, canvas.height - 38), line, _ACCENT, _font(17))
    return canvas


def stack(images: Sequence[Image.Image]) -> Image.Image:
    """Put strips below each other on one sheet."""
    width = max(image.width for image in images)
    sheet = Image.new("RGB", (width, sum(image.height for image in images)), _BACKGROUND)
    top = 0
    for image in images:
        sheet.paste(image, (0, top))
        top += image.height
    return sheet


def _draw_panel(canvas: Image.Image, panel: Panel, corner: tuple[int, int], height: int) -> None:
    left, top = corner
    picture = Image.fromarray(panel.pixels).resize((PANEL_WIDTH, height), Image.Resampling.LANCZOS)
    draw_items(picture, panel.items, font=_font(14))
    canvas.paste(picture, corner)
    draw = ImageDraw.Draw(canvas)
    draw.rectangle((left - 1, top - 1, left + PANEL_WIDTH, top + height), outline=_FRAME)
    if panel.badge:
        _draw_badge(draw, panel.badge, (left + PANEL_WIDTH - 8, top + 8))
    draw.text((left, top + height + 8), panel.title, _BRIGHT, _font(18))
    note = _fit(draw, panel.note, PANEL_WIDTH, _font(14))
    draw.text((left, top + height + 32), note, _DIM, _font(14))


def _draw_badge(draw: ImageDraw.ImageDraw, text: str, top_right: tuple[int, int]) -> None:
    right, top = top_right
    left = right - draw.textlength(text, _font(13)) - 12
    draw.rounded_rectangle((left, top, right, top + 20), radius=5, fill=_ACCENT)
    draw.text((left + 6, top + 2), text, _BACKGROUND, _font(13))


def _fit(draw: ImageDraw.ImageDraw, text: str, width: int, font: ImageFont.FreeTypeFont) -> str:
    """Shorten a text until it fits a width in pixels."""
    if draw.textlength(text, font) <= width:
        return text
    while text and draw.textlength(text + "…", font) > width:
        text = text[:-1]
    return text.rstrip() + "…"


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("this Pillow was built without FreeType, which all its wheels have")
    return font
