"""`misc-send --explain`: what is said, where, and what it cost."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from misc_sender.cli import app
from misc_sender.encode import EncodedFrame
from misc_sender.explain import Explainer, draw_explanation, item_costs
from misc_sender.side import Side
from misc_sender.sources import Frame
from misc_shared.codec import EncodedImage
from misc_shared.errors import ConfigError
from misc_shared.maps import encode_maps
from misc_shared.packs import load_pack
from misc_shared.semantics import Item, Semantics
from misc_shared.text import TextCoder
from misc_shared.wire import LayerKind

TOP = np.arange(16)[:, None].repeat(16, 1) < 6
SAID = Semantics(
    (Item("dog", "brown, large, center", TOP), Item("grass", "green, large, bottom", ~TOP)),
    "A brown dog runs through the grass.",
)


@pytest.fixture(scope="module")
def text() -> TextCoder:
    """Return the embedded text coder."""
    return TextCoder(load_pack("nano").component("text"))


def encoded(said: Semantics, text: TextCoder) -> EncodedFrame:
    """Return a picture as it would go out."""
    layers = {LayerKind.BASE: bytes(80)}
    if said != Semantics():
        layers[LayerKind.TEXT] = text.encode(said)
    maps = [item.map for item in said.items if item.map is not None]
    if maps:
        layers[LayerKind.MAPS] = encode_maps(maps)
    size = sum(map(len, layers.values())) + 17
    image = EncodedImage((layers[LayerKind.BASE], b"", b""), 128, 96, 3, 1.0, ())
    return EncodedFrame(layers, size, image, Side(said, bool(maps), {}))


def picture() -> NDArray[np.uint8]:
    """Return a gray picture, uint8 [96, 128, 3]."""
    return np.full((96, 128, 3), 90, np.uint8)


def test_costs_make_up_the_layers(text: TextCoder) -> None:
    """Names, details and caption add up to the text layer, maps to theirs."""
    costs = item_costs(SAID, text, mapped=True)
    assert len(costs) == len(SAID.items)
    spoken = sum(cost.name + cost.detail for cost in costs)
    silent = Semantics(SAID.items)
    assert spoken == len(text.encode(silent))
    maps = [item.map for item in SAID.items if item.map is not None]
    assert sum(cost.map for cost in costs) == len(encode_maps(maps))
    assert all(cost.map == 0 for cost in item_costs(SAID, text, mapped=False))


@pytest.mark.parametrize(
    "said", [SAID, Semantics(), Semantics(caption="word " * 50), Semantics((Item("dog"),))]
)
def test_any_words_are_drawn(text: TextCoder, said: Semantics) -> None:
    """Lines stand beside the picture, which outlines change only where something has a map."""
    drawn = np.asarray(draw_explanation(picture(), encoded(said, text), text))
    left = drawn[22 : 22 + 576, 22 : 22 + 768]
    assert (left == 90).all() == all(item.map is None for item in said.items)
    assert (drawn[:, 22 + 768 + 22 :] > 200).any()


def test_a_suffix_of_no_format_is_told_at_once(tmp_path: Path) -> None:
    """Before anything is sent."""
    component = load_pack("nano").component("text")
    with pytest.raises(ConfigError, match=r"out\.png"):
        Explainer(tmp_path / "out.txt", component)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path, text: TextCoder) -> None:
    """The message names the file."""
    explain = Explainer(tmp_path / "no" / "out.png", load_pack("nano").component("text"))
    with pytest.raises(ConfigError, match="cannot be written"):
        explain(Frame(pixels=picture(), captured_at=0.0), encoded(SAID, text))


def test_the_command_writes_the_file(tmp_path: Path) -> None:
    """From the command line to a picture, with words from a file."""
    source = tmp_path / "photo.png"
    Image.fromarray(np.full((128, 128, 3), 120, np.uint8)).save(source)
    rows = ["0" * 8] * 4 + ["1" * 8] * 4
    says = {"items": [{"name": "grass", "detail": "", "map": rows}], "caption": "Grass."}
    source.with_name("photo.png.json").write_text(json.dumps(says))
    arguments = [str(source), "--to", f"file:{tmp_path / 'out.misc'}", "--semantics", "file"]
    out = tmp_path / "why.png"
    result = CliRunner().invoke(app, [*arguments, "--bytes", "600", "--explain", str(out)])
    assert result.exit_code == 0, result.output
    with Image.open(out) as drawn:
        assert drawn.width > 768
    assert not list(tmp_path.glob("*.tmp"))
