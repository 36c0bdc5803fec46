"""A sheet of pictures as they look after few bytes: one row a picture, one panel a budget."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from misc_lab.bench.codec import Pixels
from misc_lab.demo.panels import Panel, Strip, draw_strip, stack
from misc_lab.result_files import write_picture
from misc_sender.budget import Budget, frame_bytes
from misc_sender.encode import EncodedFrame, FrameEncoder
from misc_sender.sources import Frame
from misc_sender.sources.pixels import read_picture
from misc_sender.sources.samples import find_sample
from misc_shared.codec import ImageDecoder
from misc_shared.packs import Pack, load_pack
from misc_shared.wire import LayerKind

__all__ = ["SAMPLES", "draw_first_bytes"]

SAMPLES = ("sample:astronaut", "sample:chelsea", "sample:coffee", "sample:rocket")
"""Photographs that scikit-image ships; nothing was trained on them."""

_WIDTH, _HEIGHT = 512, 384
_FIRST_LAYER_BYTES = 60
_FIRST_LAYER_BUDGETS = range(200, 700, 50)
_MTU = 1100
_ORDER = (LayerKind.BASE, LayerKind.DETAIL1, LayerKind.DETAIL2)


def draw_first_bytes(
    names: Sequence[str], out: Path, *, budgets: Sequence[int], pack: str
) -> dict[str, int]:
    """Draw the sheet.

    A panel for a budget is a picture made for it. Before them comes a first layer alone: of
    pictures for 200 to 650 bytes, the largest that takes at most 60 bytes on the wire.

    Args:
        names: Files, or sample:NAME; cut and shrunk to 512x384.
        out: The PNG.
        budgets: Bytes on the wire, framing included, text and maps left out.
        pack: Name or folder of the model pack.

    Returns:
        Picture -> bytes on the wire of the first layer that is shown.

    Raises:
        LocalError: A picture or the pack cannot be read, or a budget is too small.
    """
    opened = load_pack(pack)
    decoder = ImageDecoder(opened.component("codec"))
    rows, sizes = [], {}
    for name in names:
        picture = _cut(read_picture(_find(name), max_side=None))
        first, sizes[name] = _first_layer(opened, picture, decoder)
        panels = [Panel("original", "", picture), first]
        panels += [_panel(opened, picture, budget, decoder) for budget in budgets]
        rows.append(draw_strip(Strip(_title(name), f"{_WIDTH}x{_HEIGHT}", panels)))
    out.parent.mkdir(parents=True, exist_ok=True)
    write_picture(stack(rows), out)
    return sizes


def _panel(pack: Pack, picture: Pixels, budget: int, decoder: ImageDecoder) -> Panel:
    frame = _encode(pack, picture, budget)
    layers = [frame.layers[kind] for kind in _ORDER if kind in frame.layers]
    return Panel(f"{budget} bytes", f"{frame.wire_bytes} used", decoder.decode(layers).pixels)


def _first_layer(pack: Pack, picture: Pixels, decoder: ImageDecoder) -> tuple[Panel, int]:
    """Give the largest first layer within its limit, or the smallest, and its bytes."""
    found: dict[int, tuple[int, bytes]] = {}
    for budget in _FIRST_LAYER_BUDGETS:
        base = _encode(pack, picture, budget).layers[LayerKind.BASE]
        found[frame_bytes({LayerKind.BASE: base}, mtu=_MTU)] = (budget, base)
    fitting = [nbytes for nbytes in found if nbytes <= _FIRST_LAYER_BYTES]
    nbytes = max(fitting, default=min(found))
    budget, base = found[nbytes]
    note = f"of the picture for {budget} bytes"
    return Panel(f"{nbytes} bytes: first layer", note, decoder.decode([base]).pixels), nbytes


def _encode(pack: Pack, picture: Pixels, budget: int) -> EncodedFrame:
    encoder = FrameEncoder(pack, semantics="none", budget=Budget(max_bytes=budget), mtu=_MTU)
    return encoder.encode(Frame(pixels=picture, captured_at=0.0))


def _cut(picture: Pixels) -> Pixels:
    """Cut the middle of the sheet's shape, and shrink it."""
    height, width = picture.shape[:2]
    scale = min(width / _WIDTH, height / _HEIGHT)
    across, down = round(_WIDTH * scale), round(_HEIGHT * scale)
    left, top = (width - across) // 2, (height - down) // 2
    cut = Image.fromarray(picture).crop((left, top, left + across, top + down))
    return np.asarray(cut.resize((_WIDTH, _HEIGHT), Image.Resampling.LANCZOS))


def _find(name: str) -> Path:
    return find_sample(name.removeprefix("sample:")) if name.startswith("sample:") else Path(name)


def _title(name: str) -> str:
    return Path(name.removeprefix("sample:")).stem
