"""`misc-bench ladder` and `first-bytes`: the parts, and each once on a small picture."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from misc_lab.bench.rungs import BudgetUse, Rung, climbs, uses
from misc_lab.cli_bench import app


def rung(image: str, asked: int, nbytes: int | None, ms_ssim: float) -> Rung:
    """Make a rung of the budgets' ladder."""
    return Rung(image, "bytes", asked, nbytes, "", {} if nbytes is None else {"ms_ssim": ms_ssim})


def test_uses_count_a_picture_that_did_not_fit() -> None:
    """It has used nothing; one above its budget is not within it."""
    rungs = [rung("a", 100, 90, 0.5), rung("b", 100, None, 0.0), rung("c", 100, 101, 0.5)]
    (found,) = uses(rungs)
    assert found == BudgetUse(100, 3, 1, 0.0, pytest.approx((0.9 + 1.01) / 3))


def test_a_step_back_is_found_and_noise_is_not() -> None:
    """Steps are counted within a picture, and only where bytes grow."""
    rungs = [
        rung("a", 100, 90, 0.5),
        rung("a", 200, 190, 0.45),
        rung("a", 300, 290, 0.449),
        rung("a", 400, 290, 0.2),
        rung("b", 100, 90, 0.9),
        rung("b", 200, None, 0.0),
        rung("b", 300, 250, 0.95),
    ]
    (climb,) = climbs(rungs)
    assert (climb.steps, climb.backward) == (3, 1)
    assert climb.worst == pytest.approx(0.05)
    assert climb.where == "a at bytes 200"


@pytest.mark.timeout(300)  # a worker and a decoder start, each with its own libraries
def test_one_picture_up_the_ladder(photo: NDArray[np.uint8], tmp_path: Path) -> None:
    """Budgets are kept, more bytes are better, and JSON, plot and tables say so."""
    (tmp_path / "in").mkdir()
    Image.fromarray(photo[20:196, 140:348]).save(tmp_path / "in" / "a.png")
    options = ["--bytes", "250,900", "--qualities", "0,31", "--workers", "1"]
    arguments = ["ladder", str(tmp_path / "in"), "--out", str(tmp_path), *options]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "used on average" in result.stdout
    content = json.loads((tmp_path / "ladder.json").read_text())
    assert [one["within"] for one in content["budgets"]] == [1, 1]
    assert all(one["steps"] == 1 and one["backward"] == 0 for one in content["climbs"])
    with Image.open(tmp_path / "ladder.png") as plot:
        assert plot.width > 1000


def test_first_bytes_of_a_picture(photo: NDArray[np.uint8], tmp_path: Path) -> None:
    """A sheet of original, first layer and one panel a budget; the first layer's bytes are told."""
    Image.fromarray(photo).save(tmp_path / "astronaut.png")
    arguments = ["first-bytes", str(tmp_path / "astronaut.png"), "--bytes", "200,500"]
    result = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "sheet.png")])
    assert result.exit_code == 0, result.output
    assert "first layer" in result.stdout
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 4 * 300


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["ladder", ".", "--bytes", "1,x"], "whole numbers"),
        (["ladder", ".", "--bytes", "0"], "at least 1"),
        (["ladder", ".", "--qualities", "32"], "0 to 31"),
        (["ladder", ".", "--workers", "0"], "1 worker"),
        (["first-bytes", "sample:nobody"], "no sample 'nobody'"),
    ],
)
def test_a_wrong_option_costs_one_sentence(options: list[str], words: str) -> None:
    """Exit status 2 and the sentence."""
    result = CliRunner().invoke(app, options)
    assert result.exit_code == 2
    assert words in result.stderr
