"""The nano refiner as its user meets it, with a tiny random network behind the real code."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.receiver.refine.tiny import make_request, refine, save_component, tiny_network

from misc_receiver.refine import Refiner, RefineRequest, load_refiner
from misc_receiver.refine.guard import MAX_DISAGREEMENT, cell_means, coarse_planes
from misc_receiver.refine.nano import NanoRefiner
from misc_receiver.torch_door import diffusers
from misc_shared.errors import ConfigError
from misc_shared.semantics import Item, Semantics


@pytest.fixture(scope="module")
def request_() -> RefineRequest:
    """Give a picture with everything known about it."""
    return make_request(96, 128)


def test_same_seed_gives_the_same_picture(tiny_refiner: Refiner, request_: RefineRequest) -> None:
    """What is invented can be invented again."""
    first, second = (refine(tiny_refiner, request_, seed=5) for _ in range(2))
    assert np.array_equal(first.pixels, second.pixels)


def test_another_seed_changes_detail_not_content(
    tiny_refiner: Refiner, request_: RefineRequest
) -> None:
    """Every seed gives other pixels that agree with the coarse picture."""
    steps = [refine(tiny_refiner, request_, seed=seed) for seed in range(5)]
    pictures = [request_.coarse, *(step.pixels for step in steps)]
    truth, *found = cell_means(coarse_planes(pictures, torch.device("cpu")))
    assert len({step.pixels.tobytes() for step in steps}) == 5
    for step, cells in zip(steps, found, strict=True):
        assert step.passed_guard
        assert (cells - truth).square().mean().sqrt() <= MAX_DISAGREEMENT


def test_several_streams_at_once(tiny_refiner: Refiner, request_: RefineRequest) -> None:
    """Pictures of two sizes, some described and some not, come out as they do alone."""
    requests = [request_, make_request(40, 50), RefineRequest(request_.coarse[::-1].copy())]
    seeds = [5, 6, 7]
    *previews, last = tiny_refiner.refine_batch(requests, steps=2, seeds=seeds)
    assert len(previews) == 1
    for step, request, seed in zip(last, requests, seeds, strict=True):
        alone = refine(tiny_refiner, request, seed=seed).pixels.astype(int)
        assert step.final
        assert np.abs(step.pixels - alone).max() <= 1


@pytest.mark.parametrize(
    ("height", "width"), [(17, 33), (16, 16), (96, 50), (255, 300), (700, 500)]
)
def test_any_size(tiny_refiner: Refiner, height: int, width: int) -> None:
    """A refined picture has the size of the coarse one, whatever that is."""
    step = refine(tiny_refiner, make_request(height, width), steps=1)
    assert step.pixels.shape == (height, width, 3)
    assert step.pixels.dtype == np.uint8


@pytest.mark.parametrize("steps", [1, 2, 4])
def test_each_step_gives_a_preview(
    tiny_refiner: Refiner, request_: RefineRequest, steps: int
) -> None:
    """The steps are counted, and the last one says that it is the last."""
    shown = list(tiny_refiner.refine(request_, steps=steps, seed=0))
    assert [step.step for step in shown] == list(range(1, steps + 1))
    assert [step.final for step in shown] == [False] * (steps - 1) + [True]
    assert all(step.pixels.shape == request_.coarse.shape for step in shown)
    assert {step.steps for step in shown} == {steps}


def test_fidelity_goes_from_refined_to_coarse(
    tiny_refiner: Refiner, request_: RefineRequest
) -> None:
    """The dial's end is the coarse picture itself, its middle lies halfway."""
    dial = {at: refine(tiny_refiner, request_, fidelity=at).pixels for at in (0.0, 0.5, 1.0)}
    added = {at: np.abs(pixels - request_.coarse.astype(int)).mean() for at, pixels in dial.items()}
    assert np.array_equal(dial[1.0], request_.coarse)
    assert added[0.0] > 0.5
    assert added[0.5] == pytest.approx(added[0.0] / 2, rel=0.15)


def test_what_is_not_known_is_done_without(tiny_refiner: Refiner, request_: RefineRequest) -> None:
    """A picture whose text, maps and features did not arrive is refined all the same."""
    bare = RefineRequest(request_.coarse)
    unplaced = replace(request_, semantics=Semantics((Item("dog"),)))
    for request in (bare, unplaced):
        assert refine(tiny_refiner, request).passed_guard


def test_texture_is_heard_by_a_network_that_learnt_to(
    tiny_refiner: Refiner, request_: RefineRequest, tmp_path: Path
) -> None:
    """Rough and smooth originals of one coarse picture are refined apart; others do not care."""
    component = save_component(tmp_path / "refiner", tiny_network(texture=True))
    hearing = load_refiner("nano", component=component)
    rough, smooth = (replace(request_, texture=np.full(4, at, np.float32)) for at in (4.0, -2.0))
    for refiner, expected in ((hearing, 3), (tiny_refiner, 1)):
        steps = [refine(refiner, each) for each in (request_, rough, smooth)]
        assert all(step.passed_guard for step in steps)
        assert len({step.pixels.tobytes() for step in steps}) == expected


def test_an_item_acts_where_its_map_is(tiny_refiner: Refiner, request_: RefineRequest) -> None:
    """Another detail of an item changes its own half of the picture more than the other."""
    item = Item("dog", "white, small", make_request(96, 128).semantics.items[0].map)  # type: ignore[union-attr]
    other = replace(request_, semantics=replace(request_.semantics, items=(item,)))  # type: ignore[type-var]
    one, two = (refine(tiny_refiner, each).pixels.astype(int) for each in (request_, other))
    changed = np.abs(one - two).mean((0, 2))
    assert changed[:48].mean() > 2 * changed[80:].mean()


def test_features_of_another_codec_are_refused(
    tiny_refiner: Refiner, request_: RefineRequest
) -> None:
    """The message says what does not fit together."""
    alien = replace(request_, features=np.zeros((7, 3, 3), dtype=np.float32))
    with pytest.raises(ConfigError, match="7 feature channels"):
        refine(tiny_refiner, alien)


@pytest.mark.parametrize(("steps", "fidelity"), [(0, 0.0), (1000, 0.0), (1, -0.1), (1, 1.5)])
def test_senseless_dials_are_refused(
    tiny_refiner: Refiner, request_: RefineRequest, steps: int, fidelity: float
) -> None:
    """Steps and fidelity have ranges, and the message gives them."""
    with pytest.raises(ConfigError, match="give a number from"):
        refine(tiny_refiner, request_, steps=steps, fidelity=fidelity)


def test_tiles_leave_no_seam() -> None:
    """Tiles change little, and nowhere more than elsewhere.

    They can't change nothing: group normalisation averages over what the network sees at once.
    """
    request = make_request(224, 320)
    network = tiny_network().eval()
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler()
    whole = refine(NanoRefiner(network, scheduler), request).pixels.astype(int)
    tiled = refine(NanoRefiner(network, scheduler, tile_side=160), request).pixels.astype(int)
    difference = np.abs(tiled - whole)
    added = np.abs(whole - request.coarse)
    assert difference.mean() < 0.2 * added.mean()
    steps_across = np.abs(np.diff(tiled - whole, axis=1)).mean((0, 2))
    assert steps_across.max() < 4 * steps_across.mean() + 0.5
