"""Rows of an earlier or unfinished run, and BD-rates of what was merged."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner, Result

from misc_lab.bench.bd_rate import bd_rates
from misc_lab.bench.earlier import conditions_of, read_earlier
from misc_lab.bench.journal import Journal
from misc_lab.bench.results import Point, Row
from misc_lab.cli_bench import app
from misc_shared.errors import ConfigError


def curve(series: str, scale: float) -> list[Point]:
    """Make a curve that needs `scale` times the bytes of one in which each doubling gains 3 dB."""
    rates = [0.02, 0.04, 0.08, 0.16]
    return [
        Point(series, rate, 3, 3, rate * scale, {"psnr": 20.0 + 3 * step, "sqfd": 1 - 0.1 * step})
        for step, rate in enumerate(rates)
    ]


@pytest.mark.parametrize(("scale", "percent"), [(0.5, -50.0), (1.0, 0.0), (2.0, 100.0)])
def test_bd_rate_is_the_bytes_for_the_same_quality(scale: float, percent: float) -> None:
    """Of curves that are copies of each other, by PSNR and by a distance alike."""
    rates = bd_rates([*curve("avif", 1.0), *curve("other", scale)])
    assert set(rates) == {"other"}
    for name in ("psnr", "sqfd"):
        found = rates["other"][name]
        assert found is not None
        assert found.percent == pytest.approx(percent, abs=1e-6)
        assert found.overlap == pytest.approx(1.0)


def test_bd_rate_leaves_out_budgets_that_not_every_picture_held() -> None:
    """Half the curve is left then, and the overlap says so; of one point there is none."""
    other = [replace(p, fitted=1 if p.target_bpp < 0.08 else 3) for p in curve("other", 1.0)]
    found = bd_rates([*curve("avif", 1.0), *other])["other"]["psnr"]
    assert found is not None
    assert found.overlap == pytest.approx(1 / 3)
    assert bd_rates([*curve("avif", 1.0), *other[:3]])["other"]["psnr"] is None


def test_bd_rate_of_curves_that_do_not_meet_is_none() -> None:
    """The same where a curve falls, and without an anchor there is nothing."""
    far = [replace(p, metrics={"psnr": 90.0 + i}) for i, p in enumerate(curve("other", 1.0))]
    anchor = [replace(p, metrics={"psnr": p.metrics["psnr"]}) for p in curve("avif", 1.0)]
    assert bd_rates([*anchor, *far])["other"]["psnr"] is None
    falling = [replace(p, bpp=1 - p.bpp) for p in curve("other", 1.0)]
    assert bd_rates([*curve("avif", 1.0), *falling])["other"]["psnr"] is None
    assert bd_rates(curve("other", 1.0)) == {}


@pytest.fixture(scope="module")
def pictures(photo: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of one small picture."""
    folder = tmp_path_factory.mktemp("merged")
    Image.fromarray(photo[20:196, 140:348]).save(folder / "a.png")
    return folder


@pytest.fixture(scope="module")
def earlier(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the results of a run with WebP."""
    out = tmp_path_factory.mktemp("earlier")
    result = rd(pictures, out, "--codecs", "webp", "--bpp", "0.3,0.6,1")
    assert result.exit_code == 0, result.output
    return out / "rd.json"


def rd(pictures: Path, out: Path, *options: str) -> Result:
    """Run `misc-bench rd` with one worker."""
    arguments = ["rd", str(pictures), "--out", str(out), "--workers", "1"]
    return CliRunner().invoke(app, [*arguments, *options])


@pytest.mark.timeout(400)  # workers and decoders start, each with its own libraries
def test_an_earlier_run_is_taken_over(pictures: Path, earlier: Path, tmp_path: Path) -> None:
    """Its rows are beside the new ones, with its versions, and BD-rate compares both."""
    options = ["--codecs", "avif", "--bpp", "0.3,0.6", "--merge", str(earlier)]
    result = rd(pictures, tmp_path, *options)
    assert result.exit_code == 0, result.output
    assert "BD-rate against AVIF" in result.stdout
    content = json.loads((tmp_path / "rd.json").read_text())
    assert {(row["series"], row["target_bpp"]) for row in content["rows"]} == {
        (series, bpp) for series in ("avif", "webp") for bpp in (0.3, 0.6)
    }
    (taken,) = content["settings"]["taken_over"]
    assert taken["file"] == "rd.json"
    assert taken["codecs"]["webp"].startswith("webp ")
    assert set(content["settings"]["codec_versions"]) == {"avif", "webp"}
    assert set(content["bd_rate_against_avif"]["webp"]) == {"psnr", "ms_ssim", "blocks"}


@pytest.mark.parametrize(
    ("budgets", "perceptual", "words"),
    [((0.2,), (), "lacks the budget 0.2"), ((0.3,), ("lpips",), "metrics were others")],
)
def test_results_of_other_conditions_are_refused(
    budgets: tuple[float, ...],
    perceptual: tuple[str, ...],
    words: str,
    pictures: Path,
    earlier: Path,
) -> None:
    """Budgets and metrics must be the same."""
    wanted = conditions_of([pictures / "a.png"], budgets=budgets, perceptual=perceptual)
    with pytest.raises(ConfigError, match=words):
        read_earlier(earlier, wanted, besides=())


@pytest.mark.timeout(400)  # workers and decoders start, each with its own libraries
def test_results_of_other_pictures_are_refused(
    pictures: Path, earlier: Path, tmp_path: Path
) -> None:
    """A picture of the same name and other content is another picture."""
    (tmp_path / "a.png").write_bytes((pictures / "a.png").read_bytes() + b"\0")
    wanted = conditions_of([tmp_path / "a.png"], budgets=(0.3,), perceptual=())
    with pytest.raises(ConfigError, match=r"a\.png is not among its pictures"):
        read_earlier(earlier, wanted, besides=())


def test_results_from_before_a_metric_are_refused(
    pictures: Path, earlier: Path, tmp_path: Path
) -> None:
    """The sentence names what they lack; a table with holes would mislead."""
    content = json.loads(earlier.read_text())
    for one in content["rows"]:
        del one["metrics"]["blocks"]
    (tmp_path / "rd.json").write_text(json.dumps(content))
    wanted = conditions_of([pictures / "a.png"], budgets=(0.3,), perceptual=())
    with pytest.raises(ConfigError, match="they lack blocks; measure those codecs again"):
        read_earlier(tmp_path / "rd.json", wanted, besides=())


def test_a_file_that_holds_no_results_is_said(tmp_path: Path) -> None:
    """JSON of another kind, and no file at all."""
    (tmp_path / "rd.json").write_text("{}")
    wanted = conditions_of([], budgets=(), perceptual=())
    for name in ("rd.json", "absent.json"):
        with pytest.raises(ConfigError, match="no earlier results"):
            read_earlier(tmp_path / name, wanted, besides=())


def row(image: str) -> Row:
    """Make a row."""
    return Row(image, "jpeg", 0.1, 100, 0.09, "1/2 quality 3", 0.1, 0.2, {"psnr": 20.0})


def test_an_unfinished_run_goes_on_where_it_was(tmp_path: Path) -> None:
    """Whole lines are kept, the one in which it was stopped is not; the file goes at the end."""
    path = tmp_path / "rd.unfinished.jsonl"
    first = Journal(path, {"bpp": 0.1})
    first.add([row("a")])
    first.add([row("b")])
    path.write_text(path.read_text()[:-20])
    second = Journal(path, {"bpp": 0.1})
    assert second.rows == {"a": [row("a")]}
    second.add([row("b")])
    assert set(Journal(path, {"bpp": 0.1}).rows) == {"a", "b"}
    assert Journal(path, {"bpp": 0.2}).rows == {}
    second.remove()
    assert not path.exists()


@pytest.mark.timeout(400)  # workers and decoders start, each with its own libraries
def test_what_was_measured_is_not_measured_again(pictures: Path, tmp_path: Path) -> None:
    """The rows that a stopped run of the same settings left are in the results."""
    (tmp_path / "in").mkdir()
    whole = (pictures / "a.png").read_bytes()
    (tmp_path / "in" / "a.png").write_bytes(whole)
    options = ["--codecs", "jpeg", "--bpp", "0.6"]
    assert rd(tmp_path / "in", tmp_path, *options).exit_code == 0
    content = json.loads((tmp_path / "rd.json").read_text())
    changed = [one | {"setting": "as before"} for one in content["rows"]]
    head = json.dumps(content["settings"] | {"workers": None}, sort_keys=True)
    (tmp_path / "rd.unfinished.jsonl").write_text(f"{head}\n{json.dumps(changed)}\n")
    assert rd(tmp_path / "in", tmp_path, *options).exit_code == 0
    again = json.loads((tmp_path / "rd.json").read_text())
    assert [one["setting"] for one in again["rows"]] == ["as before"]
    assert not (tmp_path / "rd.unfinished.jsonl").exists()
