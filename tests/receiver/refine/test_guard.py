"""The guard: what was received stays true, and what does not is marked."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from tests.receiver.refine.tiny import make_request, refine, save_component, tiny_network

from misc_receiver.refine import load_refiner
from misc_receiver.refine.guard import (
    MAX_DISAGREEMENT,
    MAX_DRIFT,
    Verdict,
    cell_means,
    coarse_planes,
    guard,
    spread,
)

COARSE = make_request(100, 150).coarse


def judge(refined: NDArray[np.floating], coarse: NDArray[np.uint8]) -> Verdict:
    """Guard one picture [H, W, 3]."""
    planes = torch.from_numpy(refined.transpose(2, 0, 1)[None].astype(np.float32))
    (verdict,) = guard(planes, coarse_planes([coarse], planes.device))
    return verdict


def test_the_coarse_picture_itself_passes_unchanged() -> None:
    """Nothing added, nothing moved."""
    verdict = judge(COARSE.astype(np.float32), COARSE)
    assert verdict.passed
    assert np.array_equal(verdict.pixels, COARSE)


def test_detail_passes_and_stays() -> None:
    """Noise within the cells is what a refiner is for."""
    noise = np.random.default_rng(0).normal(0, 12, COARSE.shape)
    verdict = judge(COARSE + noise, COARSE)
    assert verdict.passed
    assert np.std(verdict.pixels - COARSE.astype(int)) > 10


def test_a_small_shift_of_colour_is_taken_back() -> None:
    """Back-projection gives every cell its received colour again."""
    verdict = judge(COARSE + np.float32(5), COARSE)
    assert verdict.passed
    assert verdict.drift == pytest.approx(5)
    assert np.abs(verdict.pixels - COARSE.astype(int)).max() <= 1


def test_saturated_places_agree_too() -> None:
    """Detail on white can only go down; the cell's mean still has to come out right."""
    white = np.full((64, 64, 3), 255, dtype=np.uint8)
    noise = np.random.default_rng(0).normal(0, 6, white.shape)
    verdict = judge(white + noise, white)
    assert verdict.disagreement <= MAX_DISAGREEMENT


@pytest.mark.parametrize("fault", [3 * MAX_DRIFT, np.nan, np.inf, -np.inf])
def test_a_picture_that_strayed_fails(fault: float) -> None:
    """Neither a false colour nor a number that is none may be shown."""
    verdict = judge(COARSE + np.float32(fault), COARSE)
    assert not verdict.passed
    assert verdict.pixels.dtype == np.uint8


def test_cells_are_even_and_keep_flat_colour() -> None:
    """Every cell has 16 pixels or more a side, and spreading a flat colour gives it back."""
    flat = torch.full((3, 33, 47), 80.0)
    cells = cell_means(flat)
    assert cells.shape == (3, 2, 2)
    assert torch.allclose(spread(cells, (33, 47)), flat)


def test_one_broken_picture_of_a_batch_spoils_no_other() -> None:
    """Each stream's picture is judged alone."""
    coarse = coarse_planes([COARSE, COARSE], torch.device("cpu"))
    refined = coarse.clone()
    refined[1, 0, 5, 5] = torch.nan
    sound, broken = guard(refined, coarse)
    assert sound.passed
    assert not broken.passed


@pytest.mark.parametrize("strength", [1e4, np.nan])
def test_a_broken_model_is_caught(
    tmp_path_factory: pytest.TempPathFactory, strength: float
) -> None:
    """Weights that are far too strong, or not numbers, give pictures that are marked."""
    folder = tmp_path_factory.mktemp("broken") / "refiner"
    refiner = load_refiner("nano", component=save_component(folder, tiny_network(strength)))
    assert not refine(refiner, make_request(64, 64)).passed_guard
