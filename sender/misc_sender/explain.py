"""`misc-send --explain`: the picture with what is said about it, and what each word cost."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from misc_sender.encode import EncodedFrame
from misc_sender.sources import Frame
from misc_shared.atomic_file import write_atomically
from misc_shared.errors import ConfigError
from misc_shared.maps import encode_maps
from misc_shared.outlines import draw_items, item_colour
from misc_shared.packs import Component
from misc_shared.semantics import Item, Semantics
from misc_shared.text import TextCoder
from misc_shared.wire import LayerKind

__all__ = ["Explainer", "ItemCost", "draw_explanation", "item_costs"]

_WIDTH = 768
_SIDE = 420
_MARGIN = 22
_LINE = 25
_FEWEST_LINES = 12
_BACKGROUND = (18, 20, 24)
_BRIGHT = (240, 240, 236)
_DIM = (158, 164, 174)
_ACCENT = (237, 174, 73)


@dataclass(frozen=True)
class ItemCost:
    """Bytes that one item added to what was already said.

    Attributes:
        name: of the text layer, for its name.
        detail: of the text layer, for its detail.
        map: of the maps layer.
    """

    name: int
    detail: int
    map: int


def item_costs(semantics: Semantics, text: TextCoder, *, mapped: bool) -> list[ItemCost]:
    """Count what each item adds when all is said anew, in order; the caption adds the rest.

    Arithmetic coding spends fractions of bytes, so a cheap word may add none.

    Args:
        semantics: what the text layer says.
        text: the coder of that layer.
        mapped: whether a maps layer went along.
    """
    costs = []
    items: tuple[Item, ...] = ()
    before, maps_before = 0, 0
    for item in semantics.items:
        named = len(text.encode(Semantics((*items, dataclasses.replace(item, detail="")))))
        items = (*items, item)
        detailed = len(text.encode(Semantics(items)))
        maps = len(encode_maps([one.map for one in items if one.map is not None])) if mapped else 0
        costs.append(ItemCost(named - before, detailed - named, maps - maps_before))
        before, maps_before = detailed, maps
    return costs


def draw_explanation(
    pixels: NDArray[np.uint8], encoded: EncodedFrame, text: TextCoder
) -> Image.Image:
    """Draw a picture with outlines, and its words with their bytes beside it.

    Args:
        pixels: uint8 [H, W, 3], RGB.
        encoded: the picture as it goes out.
        text: the coder of its text layer.
    """
    lines = list(_lines(encoded, text))
    height = max(1, round(_WIDTH * pixels.shape[0] / pixels.shape[1]))
    tall = max(height, _LINE * max(_FEWEST_LINES, len(lines))) + 2 * _MARGIN
    canvas = Image.new("RGB", (_WIDTH + _SIDE + 3 * _MARGIN, tall), _BACKGROUND)
    picture = Image.fromarray(pixels).resize((_WIDTH, height), Image.Resampling.LANCZOS)
    draw_items(picture, encoded.semantics.items, font=_font(16))
    canvas.paste(picture, (_MARGIN, _MARGIN))
    draw = ImageDraw.Draw(canvas)
    left, right = _WIDTH + 2 * _MARGIN, _WIDTH + _SIDE + 2 * _MARGIN
    for place, (words, cost, colour) in enumerate(lines):
        top = _MARGIN + place * _LINE
        draw.text((left, top), words, colour, _font(16))
        draw.text((right - draw.textlength(cost, _font(16)), top), cost, _DIM, _font(16))
    return canvas


class Explainer:
    """Keeps a file that explains the latest picture.

    Args:
        path: where to write; the suffix says which image format.
        component: the pack component "text".

    Raises:
        ConfigError: the suffix is of no image format that can be written.
    """

    def __init__(self, path: Path, component: Component) -> None:
        Image.init()
        if Image.EXTENSION.get(path.suffix.lower()) not in Image.SAVE:
            raise ConfigError(
                f"--explain {path}: no image format has this suffix; choose one such as out.png"
            )
        self._path = path
        self._text = TextCoder(component)

    def __call__(self, frame: Frame, encoded: EncodedFrame) -> None:
        """Explain a picture.

        Raises:
            ConfigError: the file cannot be written.
        """
        picture = draw_explanation(frame.pixels, encoded, self._text)
        # Pillow itself would write what fits of a JPEG, and say nothing of a full disk.
        data = io.BytesIO()
        picture.save(data, format=Image.registered_extensions()[self._path.suffix.lower()])
        try:
            # A viewer that follows the file never sees half of it.
            write_atomically(self._path, data.getvalue())
        except OSError as error:
            raise ConfigError(f"--explain {self._path} cannot be written: {error}") from error


_Line = tuple[str, str, tuple[int, int, int]]


def _lines(encoded: EncodedFrame, text: TextCoder) -> Iterator[_Line]:
    """Words, their cost and their colour, a line each."""
    said, layers = encoded.semantics, encoded.layers
    mapped = LayerKind.MAPS in layers
    costs = item_costs(said, text, mapped=mapped)
    for place, (item, cost) in enumerate(zip(said.items, costs, strict=True)):
        yield item.name, f"{cost.name} B", item_colour(place)
        for part in _wrapped(item.detail):
            yield f"    {part}", f"{cost.detail} B" if item.detail.startswith(part) else "", _BRIGHT
        if item.map is not None and mapped:
            rows, columns = item.map.shape
            yield f"    map of {columns} x {rows} cells", f"{cost.map} B", _BRIGHT
    spoken = sum(cost.name + cost.detail for cost in costs)
    for place, part in enumerate(_wrapped(said.caption)):
        yield part, "" if place else f"{len(text.encode(said)) - spoken} B", _ACCENT
    if not said.items and not said.caption:
        yield "nothing is said", "0 B", _DIM
    yield "", "", _DIM
    yield from _totals(encoded)


def _totals(encoded: EncodedFrame) -> Iterator[_Line]:
    for kind, data in sorted(encoded.layers.items()):
        yield f"{kind.name.lower()} layer", f"{len(data)} B", _DIM
    framing = encoded.wire_bytes - sum(map(len, encoded.layers.values()))
    yield "framing", f"{framing} B", _DIM
    size = f"{encoded.width} x {encoded.height}, {encoded.bpp:.4f} bpp"
    yield f"in all ({size})", f"{encoded.wire_bytes} B", _BRIGHT


def _wrapped(sentence: str, *, longest: int = 42) -> Sequence[str]:
    """Break a text into lines of about as many letters as there is room for."""
    lines: list[str] = []
    for word in sentence.split():
        if lines and len(lines[-1]) + 1 + len(word) <= longest:
            lines[-1] += f" {word}"
        else:
            lines.append(word[:longest])
    return lines


def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("this Pillow was built without FreeType, which all its wheels have")
    return font
