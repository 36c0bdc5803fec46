"""`misc-bench delta` on a drawn scene."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from misc_lab.cli_bench import app


def test_deltas_save_bytes_at_the_same_quality(tmp_path: Path) -> None:
    """The files hold what the tables say, and the bars that hold for every pack hold here."""
    options = ["--count", "3", "--qualities", "8", "--out", str(tmp_path)]
    result = CliRunner().invoke(app, ["delta", "pattern", *options])
    assert result.exit_code == 0, result.output
    report = json.loads((tmp_path / "delta.json").read_text())
    (still,), (video,) = report["still_scene"], report["video_scene"]
    assert still["share"] <= 0.1
    assert video["pictures"] == 3
    assert video["keys"] == 1
    assert video["share"] < 0.9
    assert video["metrics"]["ms_ssim"] == pytest.approx(video["key_metrics"]["ms_ssim"], abs=0.02)
    assert (tmp_path / "delta.png").stat().st_size > 0
    assert "MS-SSIM" in result.output


def test_qualities_are_numbers(tmp_path: Path) -> None:
    """And the message shows how to write them."""
    result = CliRunner().invoke(
        app, ["delta", "pattern", "--qualities", "a", "--out", str(tmp_path)]
    )
    assert result.exit_code != 0
    assert "such as 8,16,24" in result.output
