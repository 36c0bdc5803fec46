"""The demonstration's pictures."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFont
from typer.testing import CliRunner

from misc_lab.demo.cli import app
from misc_lab.demo.panels import Panel, Strip, draw_strip, stack
from misc_shared.outlines import draw_items
from misc_shared.semantics import Item


def test_a_photograph_side_by_side_with_what_arrived(tmp_path: Path) -> None:
    """One strip a photograph, a sheet of all, every stage as a file, a table."""
    options = ["--photographs", "chelsea", "--semantics", "none", "--no-refine"]
    result = CliRunner().invoke(app, ["--out", str(tmp_path), *options])
    assert result.exit_code == 0, result.output
    assert "chelsea" in result.stdout
    with Image.open(tmp_path / "chelsea.png") as strip, Image.open(tmp_path / "sheet.png") as sheet:
        assert strip.width > 1500
        assert sheet.width == strip.width
    assert (tmp_path / "chelsea" / "sim-0000.coarse-1.png").is_file()


def test_an_unknown_photograph_costs_one_sentence(tmp_path: Path) -> None:
    """Exit status 2, with the names that there are."""
    result = CliRunner().invoke(app, ["--out", str(tmp_path), "--photographs", "mona-lisa"])
    assert result.exit_code == 2
    assert "astronaut" in result.stderr


def test_a_map_is_drawn_where_the_item_is() -> None:
    """The outline runs around the map's cells and nowhere else."""
    cells = np.zeros((4, 4), dtype=bool)
    cells[2:, 2:] = True
    picture = Image.new("RGB", (160, 160))
    font = ImageFont.load_default(8)
    assert isinstance(font, ImageFont.FreeTypeFont)
    draw_items(picture, [Item("x", map=cells), Item("y"), Item("z", map=~cells & False)], font=font)
    drawn = np.asarray(picture).any(axis=2)
    assert drawn[120, 80]  # left edge of the map
    assert not drawn[:78, :78].any()
    assert drawn[100, 100]  # the name, in the middle of a cell
    assert not drawn[125:150, 90:150].any()  # inside


@pytest.mark.parametrize("count", [1, 3])
def test_strips_of_one_sheet_align(small_photo: NDArray[np.uint8], count: int) -> None:
    """A strip with fewer panels is as wide as the others."""
    panels = [Panel("title", "a note " * 30, small_photo, badge="generated")] * count
    strip = draw_strip(Strip("name", "subtitle", panels, caption="words " * 100, columns=3))
    full = draw_strip(Strip("name", "subtitle", [panels[0]] * 3))
    assert strip.width == full.width
    assert stack([strip, full]).height == strip.height + full.height
