"""`misc-bench rd` end to end on two small pictures, and its parts."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from misc_lab.bench.metrics import Judge
from misc_lab.bench.own import MiscCodec
from misc_lab.bench.results import Point, Row, average
from misc_lab.bench.rival import finest_fit
from misc_lab.bench.rivals import RIVALS, absent_rivals
from misc_lab.bench.truth import block_error, hatch, psnr
from misc_lab.bench.unsharp import with_control
from misc_lab.bench.video import find_vvc_encoder
from misc_lab.cli_bench import app
from misc_shared.errors import BitstreamError, ConfigError

PERCEPTUAL = """
import torch

class SqueezeNet(torch.nn.Module):
    def forward(self, picture):
        return [picture, torch.nn.functional.avg_pool2d(picture, 8)]

def feature_distance(net, a, b):
    return torch.stack([(u - v).abs().mean((1, 2, 3)) for u, v in zip(net(a), net(b))]).sum(0)

def texture_distance(net, a, b):
    return (net(a)[1].std((2, 3)) - net(b)[1].std((2, 3))).abs().mean(1)
"""

SHIFT_TOLERANT = """
import torch

class StLpips(torch.nn.Module):
    def forward(self, a, b):
        pooled = [torch.nn.functional.max_pool2d(picture, 3, 1) for picture in (a, b)]
        return (pooled[0] - pooled[1]).square().mean((1, 2, 3))
"""


@pytest.fixture(scope="module")
def crop(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give the astronaut's head and shoulders, uint8 [176, 208, 3]."""
    return np.ascontiguousarray(photo[20:196, 140:348])


@pytest.fixture(scope="module")
def folder(crop: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder of two small pictures and a perceptual metric."""
    path = tmp_path_factory.mktemp("pictures")
    Image.fromarray(crop).save(path / "a.png")
    Image.fromarray(crop[:, ::-1]).save(path / "b.png")
    (path / "distance.py").write_text(PERCEPTUAL)
    return path


@pytest.mark.timeout(400)  # two workers and two decoders start, each with its own libraries
def test_two_pictures_end_to_end(folder: Path, tmp_path: Path) -> None:
    """Ours and JPEG within two budgets: every byte counted, JSON, CSV, a plot and a table."""
    arguments = ["rd", str(folder), "--out", str(tmp_path), "--codecs", "misc,jpeg"]
    options = ["--bpp", "0.15,0.6", "--semantics", "none", "--no-refine"]
    metric = ["--perceptual", str(folder / "distance.py")]
    result = CliRunner().invoke(app, [*arguments, *options, *metric])
    assert result.exit_code == 0, result.output
    assert "misc coarse" in result.stdout

    content = json.loads((tmp_path / "rd.json").read_text())
    assert {row["image"] for row in content["rows"]} == {"a.png", "b.png"}
    assert {row["series"] for row in content["rows"]} == {"misc coarse", "jpeg"}
    for row in content["rows"]:
        assert row["bpp"] == pytest.approx(row["nbytes"] * 8 / (176 * 208))
        assert row["bpp"] <= row["target_bpp"]
        assert set(row["metrics"]) == {"psnr", "ms_ssim", "blocks", "hatch", "sqfd", "sqtd"}
        assert 5 < row["metrics"]["psnr"] < 60
    with (tmp_path / "rd.csv").open() as file:
        assert len(list(csv.DictReader(file))) == len(content["rows"]) == 8
    with Image.open(tmp_path / "rd.png") as plot:
        assert plot.width > 1000


@pytest.mark.parametrize("name", RIVALS)
def test_a_rival_keeps_its_budget_and_gains_from_more(name: str, crop: NDArray[np.uint8]) -> None:
    """Every file fits, and the best of a larger budget is closer to the original."""
    if name in absent_rivals():
        pytest.skip(absent_rivals()[name])
    codec, judge = RIVALS[name](), Judge()
    judge.look_at(crop)
    scores = []
    for budget in (700, 2800):
        files = list(codec.files(crop, max_bytes=budget))
        assert files
        assert all(file.nbytes <= budget for file in files)
        pictures = [codec.decode(file.parts, width=208, height=176)[name] for file in files]
        assert all(picture.shape == crop.shape for picture in pictures)
        scores.append(max(judge.measure(picture)["ms_ssim"] for picture in pictures))
    assert scores[1] > scores[0]


def test_a_system_without_vvc_is_told_so_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is left out of all codecs with a sentence; asked for by name, it is an error."""
    monkeypatch.setenv("PATH", str(tmp_path))
    find_vvc_encoder.cache_clear()
    try:
        assert list(absent_rivals()) == ["vvc"]
        options = ["--out", str(tmp_path), "--codecs", "vvc"]
        result = CliRunner().invoke(app, ["rd", str(folder), *options])
        assert result.exit_code == 2
        assert "vvencapp, or an ffmpeg with libvvenc" in result.stderr
        # A wrong budget ends the run after the codecs are chosen.
        result = CliRunner().invoke(app, ["rd", str(folder), "--bpp", "0"])
        assert "VVC is left out" in result.stderr
    finally:
        find_vvc_encoder.cache_clear()


def test_a_damaged_file_of_a_rival_is_an_error_and_its_decoder_lives_on(
    crop: NDArray[np.uint8],
) -> None:
    """Pillow's codecs and FFmpeg's alike."""
    for name in ("webp", "hevc"):
        codec = RIVALS[name]()
        file = next(codec.files(crop, max_bytes=2000))
        with pytest.raises(BitstreamError):
            codec.decode((b"junk",), width=208, height=176)
        assert name in codec.decode(file.parts, width=208, height=176)


def test_a_codec_that_cannot_get_so_small_gives_nothing(crop: NDArray[np.uint8]) -> None:
    """AVIF's container alone is larger than this."""
    assert list(RIVALS["avif"]().files(crop, max_bytes=100)) == []


def test_ours_is_decoded_from_the_bytes_of_the_stream_alone(crop: NDArray[np.uint8]) -> None:
    """A byte changed in the stream changes or breaks the picture: nothing else gets across."""
    codec = MiscCodec(pack="nano", refine=False, semantics="none")
    (file,) = codec.files(crop, max_bytes=400)
    assert file.nbytes <= 400
    picture = codec.decode(file.parts, width=208, height=176)["misc coarse"]
    assert picture.shape == crop.shape
    largest = max(range(len(file.parts)), key=lambda index: len(file.parts[index]))
    damaged = list(file.parts)
    # In the middle: the last byte only closes the range coder's interval, and may be free to vary.
    middle = len(damaged[largest]) // 2
    changed = bytes([damaged[largest][middle] ^ 0xFF])
    damaged[largest] = damaged[largest][:middle] + changed + damaged[largest][middle + 1 :]
    try:
        other = codec.decode(tuple(damaged), width=208, height=176)["misc coarse"]
    except BitstreamError:
        return
    assert not np.array_equal(picture, other)


def test_a_stream_without_a_base_is_an_error_and_the_decoder_lives_on(
    crop: NDArray[np.uint8],
) -> None:
    """One bad stream costs one typed error, and the next one decodes."""
    codec = MiscCodec(pack="nano", refine=False, semantics="none")
    (file,) = codec.files(crop, max_bytes=400)
    with pytest.raises(BitstreamError):
        codec.decode(file.parts[:1], width=208, height=176)
    with pytest.raises(BitstreamError):
        codec.decode((b"junk",), width=208, height=176)
    assert "misc coarse" in codec.decode(file.parts, width=208, height=176)


def test_identical_pictures_are_perfect(crop: NDArray[np.uint8], folder: Path) -> None:
    """Every metric at its best value."""
    judge = Judge(perceptual=[str(folder / "distance.py")])
    judge.look_at(crop)
    assert judge.measure(crop) == pytest.approx(
        {
            "psnr": 100.0,
            "ms_ssim": 1.0,
            "blocks": 0.0,
            "hatch": hatch(crop),
            "sqfd": 0.0,
            "sqtd": 0.0,
        },
        abs=1e-5,
    )


def test_psnr_is_that_of_the_definition(crop: NDArray[np.uint8]) -> None:
    """An error of 4 everywhere is 20 log10(255 / 4)."""
    original = np.full_like(crop, 100)
    judge = Judge()
    judge.look_at(original)
    assert judge.measure(original + 4)["psnr"] == pytest.approx(20 * math.log10(255 / 4))


def test_the_judge_ranks_by_the_first_perceptual_metric(
    crop: NDArray[np.uint8], folder: Path
) -> None:
    """Its score is that distance, turned round; without one it is MS-SSIM."""
    noisy = np.clip(crop + np.random.default_rng(1).normal(0, 20, crop.shape), 0, 255)
    noisy = noisy.astype(np.uint8)
    for judge, sign in ((Judge(perceptual=[str(folder / "distance.py")]), -1), (Judge(), 1)):
        judge.look_at(crop)
        assert judge.score(noisy) == pytest.approx(sign * judge.measure(noisy)[judge.ranking])
        assert judge.score(noisy) < judge.score(crop)


def test_a_wrong_colour_is_told_however_sharp_the_picture(crop: NDArray[np.uint8]) -> None:
    """A tint of 8 levels counts as 8; noise of 8 levels, which has no colour, hardly."""
    assert block_error(crop // 2, crop // 2 + 8) == pytest.approx(8)
    noise = np.random.default_rng(2).normal(0, 8, crop.shape).round()
    noisy = (crop // 2 + 40 + noise).clip(0, 255).astype(np.uint8)
    assert block_error(crop // 2 + 40, noisy) < 0.5


def test_a_hatch_is_told_and_grain_is_not(crop: NDArray[np.uint8]) -> None:
    """Stripes of six levels each four pixels show; noise that is stronger does not."""
    plain = hatch(crop)
    stripe = np.tile([0, 6, 0, -6], crop.shape[1] // 4)[None, :, None]
    assert hatch((crop.astype(int) + stripe).clip(0, 255).astype(np.uint8)) > 2 * plain
    grain = np.random.default_rng(3).normal(0, 6, crop.shape).round()
    assert hatch((crop + grain).clip(0, 255).astype(np.uint8)) < 1.5 * plain


def test_the_unsharp_mask_costs_what_refinement_costs(crop: NDArray[np.uint8]) -> None:
    """It is held to the refined picture's PSNR, and left out where none is refined."""
    noise = np.random.default_rng(4).normal(0, 6, crop.shape)
    coarse, refined = ((crop + part * noise).clip(0, 255).astype(np.uint8) for part in (1, 2))
    pictures = {"misc coarse": coarse, "misc refined": refined}
    found = with_control(pictures, crop)
    lost = psnr(crop, found["misc unsharp"]) - psnr(crop, found["misc refined"])
    assert 0 <= lost < 0.2
    assert not np.array_equal(found["misc unsharp"], coarse)
    assert list(with_control({"jpeg": coarse}, crop)) == ["jpeg"]


def test_a_shift_tolerant_distance_is_read_from_a_file(
    crop: NDArray[np.uint8], tmp_path: Path
) -> None:
    """A file with StLpips gives ST-LPIPS, which ranks if it is the first."""
    path = tmp_path / "stlpips.py"
    path.write_text(SHIFT_TOLERANT)
    judge = Judge(perceptual=[str(path)])
    judge.look_at(crop)
    assert judge.ranking == "st_lpips"
    assert judge.measure(crop // 2)["st_lpips"] > judge.measure(crop)["st_lpips"] == 0


@pytest.mark.parametrize("fitting", range(12))
def test_bisection_finds_the_last_that_fits(fitting: int) -> None:
    """For every number of settings that fit, of eleven."""
    found = finest_fit(11, lambda index: 10 if index < fitting else 20, 15)
    assert found == (min(fitting, 11) - 1 if fitting else None)


def test_means_say_how_many_pictures_fitted() -> None:
    """A picture that did not fit is counted, not averaged."""
    rows = [
        Row("a", "avif", 0.01, 100, 0.008, "", 0.1, 0.1, {"psnr": 20.0}),
        Row("b", "avif", 0.01, None, None, "", 0.1, 0.0, {}),
    ]
    assert average(rows) == [Point("avif", 0.01, 1, 2, 0.008, {"psnr": 20.0})]


def test_a_small_picture_is_refused_with_the_size_that_would_do() -> None:
    """MS-SSIM needs 161 pixels a side."""
    with pytest.raises(ConfigError, match="161"):
        Judge().look_at(np.zeros((160, 200, 3), np.uint8))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--codecs", "misc,jpg"], "no codec jpg; choose from: misc, jpeg"),
        (["--codecs", ","], "choose from"),
        (["--bpp", "0.1,x"], "numbers with commas"),
        (["--bpp", "0"], "above 0"),
        (["--workers", "0"], "1 worker"),
        (["--perceptual", "absent.py"], "absent.py is no Python file"),
        (["--semantics", "gpt"], "no semantics backend 'gpt'"),
        (["--pack", "absent"], "absent"),
    ],
)
def test_a_wrong_option_costs_one_sentence(
    options: list[str], words: str, folder: Path, tmp_path: Path
) -> None:
    """Exit status 2 and one line on standard error that names the fault."""
    arguments = ["rd", str(folder), "--out", str(tmp_path), "--codecs", "misc,jpeg"]
    result = CliRunner().invoke(app, [*arguments, *options])
    assert result.exit_code == 2
    assert words in result.stderr
    assert result.stderr.startswith("misc-bench: ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "words"), [("import absent_package", "does not run"), ("a = 1", "lacks SqueezeNet")]
)
def test_a_perceptual_file_of_the_wrong_kind_is_named(
    text: str, words: str, tmp_path: Path
) -> None:
    """What is missing is said before any picture is coded."""
    path = tmp_path / "metric.py"
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        Judge(perceptual=[str(path)])


@pytest.mark.parametrize("name", ["lpips", "dists"])
def test_a_published_metric_says_what_it_lacks(name: str) -> None:
    """Nothing is downloaded behind the user's back."""
    try:
        judge = Judge(perceptual=[name])
    except ConfigError as error:
        assert name in str(error).lower()  # noqa: PT017 - where all is installed there is none
    else:
        assert judge.ranking == name


def test_a_damaged_picture_ends_the_run_with_one_sentence(folder: Path, tmp_path: Path) -> None:
    """A worker's error comes through by name, without its traceback."""
    (tmp_path / "broken.png").write_bytes((folder / "a.png").read_bytes()[:2000])
    options = ["--out", str(tmp_path / "out"), "--codecs", "jpeg", "--workers", "1"]
    result = CliRunner().invoke(app, ["rd", str(tmp_path), *options])
    assert result.exit_code == 2
    assert "broken.png" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_without_pictures_is_said(tmp_path: Path) -> None:
    """The sentence names the folder."""
    result = CliRunner().invoke(app, ["rd", str(tmp_path), "--out", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert str(tmp_path) in result.stderr
