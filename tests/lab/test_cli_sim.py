"""`misc-sim` end to end: real pictures, real bytes, virtual time."""

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from misc_lab.cli_sim import app
from misc_lab.links import PROFILES

QUICK = ("--semantics", "file", "--no-refine")


def run(*arguments: object) -> dict[str, Any]:
    """Run misc-sim and read its JSON."""
    result = CliRunner().invoke(app, [*map(str, arguments), *QUICK, "--json"])
    assert result.exit_code == 0, result.output
    report: dict[str, Any] = json.loads(result.stdout)
    return report


@pytest.fixture(scope="module")
def nb_iot(described_photo: Path) -> dict[str, Any]:
    """Give the report of three pictures over nb-iot."""
    return run(described_photo, "--link", "nb-iot", "--count", 3, "--bytes", 500)


def test_time_to_coarse_is_that_of_its_bytes(nb_iot: dict[str, Any]) -> None:
    """At most 1.15 x (bytes up to and including the base) x 8 / rate + one-way delay."""
    profile = PROFILES["nb-iot"]
    for frame in nb_iot["frames"]:
        coarse = next(stage for stage in frame["stages"] if stage["kind"] == "coarse")
        on_air = coarse["bytes_until"] * 8 / profile.rate
        assert on_air + profile.delay <= coarse["after"] + 1e-3
        assert coarse["after"] <= 1.15 * on_air + profile.delay


def test_every_layer_becomes_visible_in_turn(nb_iot: dict[str, Any]) -> None:
    """Coarse first, then text, then ever sharper pictures; the budget holds."""
    for frame in nb_iot["frames"]:
        kinds = [stage["kind"] for stage in frame["stages"]]
        sharpness = [stage["layers"] for stage in frame["stages"] if stage["kind"] == "coarse"]
        assert kinds[0] == "coarse"
        assert "text" in kinds
        assert sharpness == sorted(set(sharpness))
        assert frame["outcome"] == "delivered"
        assert frame["items"] == ["person", "flag"]
        assert sum(layer["wire_bytes"] for layer in frame["layers"].values()) <= 500


def test_the_same_seed_gives_the_same_report(described_photo: Path) -> None:
    """Twice over a lossy link, byte for byte; another seed differs."""
    arguments = (described_photo, "--link", "wifi-bad", "--count", 4, "--fps", 2, "--seed")
    first, again, other = (run(*arguments, seed) for seed in (5, 5, 6))
    assert first == again
    assert first != other


def test_a_link_without_return_channel_still_shows_the_picture(described_photo: Path) -> None:
    """LoRaWAN: one way, one per cent of the time; the base comes in the first datagram."""
    report = run(described_photo, "--link", "lorawan-dr5", "--bytes", 300)
    (frame,) = report["frames"]
    assert report["down"] is None
    assert frame["stages"][0]["kind"] == "coarse"
    assert frame["outcome"] == "sent"
    assert report["up"]["busy_seconds"] <= 0.011 * report["seconds"] + 1


def test_pictures_are_written_at_the_size_of_the_original(
    described_photo: Path, tmp_path: Path
) -> None:
    """One file a stage, and the report beside them."""
    run(described_photo, "--link", "geo", "--out", tmp_path)
    with Image.open(tmp_path / "sim-0000.coarse-1.png") as picture:
        assert picture.size == (256, 192)
    assert json.loads((tmp_path / "sim.json").read_text())["link"]["name"] == "geo"


def test_the_refined_picture_comes_last_and_says_what_it_is(
    described_photo: Path, tmp_path: Path
) -> None:
    """With the default refiner, and a file that nobody can take for a photograph."""
    options = ["--link", "nb-iot", "--semantics", "file", "--out", str(tmp_path), "--json"]
    result = CliRunner().invoke(app, [str(described_photo), *options])
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["frames"][0]["stages"][-1]["kind"] == "refined"
    with Image.open(tmp_path / "sim-0000.refined.png") as picture:
        assert picture.size == (256, 192)
        assert "TrainedAlgorithmicMedia" in picture.info["DigitalSourceType"]


def test_a_trace_drives_the_link(described_photo: Path, tmp_path: Path) -> None:
    """With one opportunity a second, the base takes the first of them."""
    trace = tmp_path / "slow.up"
    trace.write_text("1000\n")
    report = run(described_photo, "--link", "lte-m", "--trace", trace)
    first = report["frames"][0]["stages"][0]["after"]
    assert 1.1 <= first <= 1.13  # the opportunity, the delay and some jitter


def test_measured_time_passes_on_the_virtual_clock(described_photo: Path) -> None:
    """Coding and decoding take a while on any machine."""
    report = run(described_photo, "--link", "nb-iot", "--measured")
    free = run(described_photo, "--link", "nb-iot")
    first, idle = (one["frames"][0]["stages"][0]["after"] for one in (report, free))
    assert first > idle


def test_overhead_slows_the_link_down(described_photo: Path) -> None:
    """Bytes of the transport take time only when asked for."""
    charged = run(described_photo, "--link", "nb-iot", "--overhead")
    free = run(described_photo, "--link", "nb-iot")
    difference = (
        charged["frames"][0]["stages"][0]["after"] - free["frames"][0]["stages"][0]["after"]
    )
    assert difference == pytest.approx(177 * 8 / 6_000, abs=1e-3)
    assert free["transport_overhead_bytes"] == 177 * free["up"]["datagrams"]


def test_the_tables_name_what_matters(described_photo: Path) -> None:
    """A person reads times, layers, losses and what was left out of account."""
    result = CliRunner().invoke(app, [str(described_photo), "--link", "gprs", *QUICK])
    assert result.exit_code == 0
    for words in ("coarse", "refined", "detail1", "repeats", "lost", "busy", "orange suit"):
        assert words in result.stdout.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["pattern", "--link", "nbiot"], "no link profile 'nbiot'; choose one of: lorawan-dr0"),
        (["absent.png", "--link", "geo"], "absent.png"),
        (["pattern", "--link", "geo", "--fps", "0"], "0.0 pictures a second"),
        (["pattern", "--link", "geo", "--count", "0"], "0 pictures"),
        (["pattern", "--link", "geo", "--bytes", "3"], "3 bytes per picture are too few"),
        (["pattern", "--link", "geo", "--trace", "absent.up"], "absent.up cannot be read"),
        (["pattern", "--link", "geo", "--pack", "absent"], "absent"),
    ],
)
def test_a_wrong_option_costs_one_sentence(arguments: list[str], words: str) -> None:
    """Exit status 2, one line on standard error that names the fault, no traceback."""
    result = CliRunner().invoke(app, [*arguments, "--semantics", "none", "--no-refine"])
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.startswith("misc-sim: ")
    assert result.stderr.count("\n") == 1
