"""`misc-sim compare`: the same pictures over several links, as a page and its numbers."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from misc_lab.cli_sim import app

LINKS = "lorawan-dr5,iridium-dialup,lte-m"
FILES = ("compare.html", "compare.json", "compare.md", "compare.svg")


def compare(source: Path, out: Path, *arguments: str) -> None:
    """Run the command in this process."""
    options = [
        "--links",
        LINKS,
        "--out",
        str(out),
        "--semantics",
        "file",
        "--workers",
        "1",
        "--quick",
    ]
    result = CliRunner().invoke(app, ["compare", str(source), *options, *arguments])
    assert result.exit_code == 0, result.output


@pytest.fixture(scope="module")
def small_described(described_photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the described photograph at the smallest size that MS-SSIM takes."""
    path = tmp_path_factory.mktemp("small") / "astronaut.png"
    with Image.open(described_photo) as picture:
        picture.resize((216, 162), Image.Resampling.LANCZOS).save(path)
    words = described_photo.with_name("astronaut.png.json").read_text()
    path.with_name("astronaut.png.json").write_text(words)
    return path


@pytest.fixture(scope="module")
def found(small_described: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a comparison."""
    out = tmp_path_factory.mktemp("compare")
    compare(small_described, out, "--bytes", "400")
    return out


@pytest.fixture(scope="module")
def report(found: Path) -> dict[str, Any]:
    """Give its numbers."""
    read: dict[str, Any] = json.loads((found / "compare.json").read_text())
    return read


def test_a_second_run_is_the_same(found: Path, small_described: Path, tmp_path: Path) -> None:
    """Same seed, same bytes in every file: no clock is in any of them."""
    compare(small_described, tmp_path, "--bytes", "400")
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (found / name).read_bytes(), name


def test_the_page_asks_nobody_for_anything(found: Path) -> None:
    """No script and no address outside; pictures are data in the page."""
    page = (found / "compare.html").read_text()
    assert "<script" not in page
    assert "url(data:image/webp" in page
    outside = page.replace("http://www.w3.org/2000/svg", "").replace("http-equiv", "")
    assert "http:" not in outside
    assert "https:" not in outside


def test_others_are_as_good_and_cross_the_same_link(report: dict[str, Any]) -> None:
    """Each useful file reaches our quality and is shown once it is there, not before."""
    (picture,) = report["pictures"]
    for link in LINKS.split(","):
        ways = picture["ways"][link]
        for name in ("avif", "webp", "progressive", "jpeg"):
            way = ways[name]
            assert way["looks"]["final"]["ms_ssim"] >= picture["useful"] - 1e-4
            assert way["bytes"] > way["payload"]
            assert 0 < way["first"] <= way["final"]


def test_what_a_link_shows_only_grows(report: dict[str, Any]) -> None:
    """The first picture, then everything; an empty screen never follows a picture."""
    for ways in report["pictures"][0]["ways"].values():
        for way in ways.values():
            seen = [look is not None for look in way["looks"].values()]
            assert seen == sorted(seen)
            assert way["first"] <= way["complete"] <= way["final"]
    ours = report["pictures"][0]["ways"]["iridium-dialup"]["misc"]
    assert ours["caption"] is not None
    assert ours["first"] < ours["complete"]


def test_a_fast_link_favours_others_and_the_report_says_so(report: dict[str, Any]) -> None:
    """Over lte-m, with bytes at will, another codec has the better picture within a second."""
    lte = next(one for one in report["links"] if one["profile"]["name"] == "lte-m")
    assert lte["chosen"]["1"]["avif"] > lte["chosen"]["1"]["misc"]
    slow = next(one for one in report["links"] if one["profile"]["name"] == "lorawan-dr5")
    assert slow["chosen"]["30"]["misc"] is not None
    assert slow["ways"]["misc"]["first"] < slow["ways"]["avif"]["first"]


def test_the_refined_picture_is_marked(found: Path) -> None:
    """What a model invented part of says so on the page."""
    assert "<em>generated</em>" in (found / "compare.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["compare", "absent.png"], "absent.png"),
        (["compare", "pattern", "--links", "nbiot"], "no link profile 'nbiot'"),
        (["compare", "pattern", "--quality", "2"], "MS-SSIM in (0, 1)"),
        (["compare", "pattern", "--workers", "0"], "0 workers"),
    ],
)
def test_a_wrong_option_costs_one_sentence(arguments: list[str], words: str) -> None:
    """Exit status 2, one line on standard error."""
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.count("\n") == 1
