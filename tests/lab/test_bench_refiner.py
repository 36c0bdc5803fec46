"""`misc-bench ablate` and `misc-bench seeds` on a small described picture."""

import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from misc_lab.bench.contents import CONTENTS
from misc_lab.cli_bench import app


@pytest.mark.timeout(300)  # two processes start, each with its own libraries
def test_ablation(described_photo: Path, tmp_path: Path) -> None:
    """Every content, within the same bytes, with and without diffusion."""
    options = ["--bpp", "0.12", "--steps", "0,1", "--semantics", "file", "--workers", "1"]
    command = ["ablate", str(described_photo.parent), "--out", str(tmp_path), *options]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    means = json.loads((tmp_path / "ablate.json").read_text())["means"]
    found = {(row["contents"], row["steps"]): row for row in means}
    with_latents = {one.name for one in CONTENTS if one.latents}
    assert set(found) == {(one.name, 1) for one in CONTENTS} | {(name, 0) for name in with_latents}
    limit = int(0.12 * 256 * 192 / 8)
    assert all(0.9 * limit < found[name, 0]["nbytes"] <= limit for name in with_latents)
    assert 0 < found["items", 1]["nbytes"] < found["items, maps", 1]["nbytes"] < 100
    assert found["latents", 0]["metrics"]["psnr"] > found["caption", 1]["metrics"]["psnr"] + 3
    assert (tmp_path / "ablate.md").read_text().count("\n") == 2 + len(means)
    with Image.open(tmp_path / "ablate.png") as plot:
        assert plot.width > 500


@pytest.mark.timeout(300)  # a process starts with torch
def test_seeds(described_photo: Path, tmp_path: Path) -> None:
    """Three seeds give three pictures whose cells are those received."""
    options = ["--seeds", "3", "--steps", "1", "--bpp", "0.1"]
    command = ["seeds", str(described_photo.parent), "--out", str(tmp_path), *options]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    (one,) = json.loads((tmp_path / "seeds.json").read_text())["pictures"]
    assert one["passed"] == one["different"] == 3
    assert one["worst_disagreement"] <= 1
    assert one["detail"] > one["cell_detail"]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["ablate", "--steps", "two"], "whole numbers"),
        (["ablate", "--bpp", "0"], "bits above 0"),
        (["ablate", "--semantics", "openai"], "nano or file"),
        (["seeds", "--seeds", "0"], "1 seed"),
    ],
)
def test_a_wrong_option_costs_one_sentence(
    command: list[str], words: str, described_photo: Path
) -> None:
    """Exit status 2, before anything is measured."""
    name, *options = command
    result = CliRunner().invoke(app, [name, str(described_photo.parent), *options])
    assert result.exit_code == 2
    assert words in result.stderr
