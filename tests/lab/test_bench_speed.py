"""`misc-bench speed` on a small picture, and its parts."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from misc_lab.bench.speeds import Speed, ratio
from misc_lab.cli_bench import app

OURS = Speed("misc", "encode", 64, 48, 3, 0.2, 0.1, 0.3, 10, 20, 100, "")


def test_the_ratio_is_ours_over_theirs_at_the_same_place() -> None:
    """There is none for ourselves, nor without ours at that size and stage."""
    theirs = replace(OURS, codec="avif", median_seconds=0.05)
    assert ratio(theirs, [OURS, theirs]) == pytest.approx(4.0)
    assert ratio(OURS, [OURS, theirs]) is None
    assert ratio(replace(theirs, stage="decode"), [OURS, theirs]) is None


@pytest.mark.timeout(300)  # four processes start, each with its own libraries
def test_ours_beside_jpeg(tmp_path: Path) -> None:
    """Both stages of both, each with times, memory and bytes."""
    options = ["--sizes", "256x192", "--codecs", "misc,jpeg", "--runs", "2", "--bpp", "0.1"]
    options += ["--no-refiner"]
    result = CliRunner().invoke(app, ["speed", "--out", str(tmp_path), *options])
    assert result.exit_code == 0, result.output
    speeds = json.loads((tmp_path / "speed.json").read_text())["speeds"]
    assert {(one["codec"], one["stage"]) for one in speeds} == {
        (codec, stage) for codec in ("misc", "jpeg") for stage in ("encode", "decode")
    }
    for one in speeds:
        assert one["runs"] == 2
        assert 0 < one["fastest_seconds"] <= one["median_seconds"] <= one["slowest_seconds"]
        assert 20e6 < one["start_bytes"] <= one["peak_bytes"] < 2e9
        assert 0 < one["nbytes"] <= 0.1 * 256 * 192 / 8
    with Image.open(tmp_path / "speed.png") as plot:
        assert plot.width > 1000


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--sizes", "512"], "look like 512x384"),
        (["--sizes", "0x5"], "at least one size"),
        (["--codecs", "gif"], "no codec gif"),
        (["--runs", "0"], "1 run or more"),
        (["--pack", "absent"], "absent"),
        (["--picture", "sample:nobody"], "no sample 'nobody'"),
    ],
)
def test_a_wrong_option_costs_one_sentence(options: list[str], words: str, tmp_path: Path) -> None:
    """Exit status 2 and the sentence, before anything is timed."""
    result = CliRunner().invoke(app, ["speed", "--out", str(tmp_path), *options])
    assert result.exit_code == 2
    assert words in result.stderr


@pytest.mark.timeout(300)  # a process starts with torch
def test_the_refiner_alone(tmp_path: Path) -> None:
    """Times, memory and operations by batch; the preview comes before the whole."""
    options = ["--codecs", "none", "--refiner-sizes", "64x48", "--batches", "2", "--runs", "2"]
    result = CliRunner().invoke(app, ["speed", "--out", str(tmp_path), *options])
    assert result.exit_code == 0, result.output
    speeds = json.loads((tmp_path / "speed-refiner.json").read_text())["speeds"]
    one = speeds[0]
    assert (one["device"], one["batch"], one["steps"]) == ("cpu", 2, 2)
    assert 0 < one["preview_seconds"] < one["median_seconds"]
    assert one["pictures_per_second"] == pytest.approx(2 / one["median_seconds"])
    assert 1e8 < one["flop"] < 1e11
    assert one["peak_bytes"] < 2e9
    assert not (tmp_path / "speed.json").exists()
