"""The refiner `sd`: the real loading and sampling code on a tiny random Stable Diffusion."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.receiver.refine.tiny import make_request, refine
from tests.receiver.refine.tiny_sd import save_sd

from misc_receiver.refine import Refiner, RefineRequest, load_refiner
from misc_receiver.refine.stable_diffusion.regions import regions
from misc_receiver.refine.stable_diffusion.settings import SdSettings
from misc_shared.errors import ConfigError, PackError
from misc_shared.semantics import Item, Semantics

LEFT = np.array([[True, False]])


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> SdSettings:
    """Give the folders of the tiny models."""
    return save_sd(tmp_path_factory.mktemp("sd"))


@pytest.fixture(scope="module")
def refiner(settings: SdSettings) -> Refiner:
    """Give the tiny refiner, loaded as the real one is."""
    return load_refiner("sd", sd=settings)


@pytest.fixture(scope="module")
def described() -> RefineRequest:
    """Give a picture with a dog in its left half."""
    semantics = Semantics((Item("dog", "brown, large", LEFT),), "a dog on grass")
    return replace(make_request(48, 64), semantics=semantics, features=None)


def test_an_item_acts_in_its_place_alone(refiner: Refiner, described: RefineRequest) -> None:
    """Other words for the left half: at most 1 % of the change is outside of it.

    What is outside is the guard's, whose cells of 16 pixels shade into their neighbours. The
    picture is wide because a random model gives the guard far more to mend than a real one.
    """
    wide = replace(described, coarse=make_request(32, 192).coarse)
    cat = Item("cat", "white with black spots, asleep", LEFT)
    other = replace(wide, semantics=Semantics((cat,), "a dog on grass"))
    one, two = (refine(refiner, each, seed=4).pixels.astype(int) for each in (wide, other))
    changed = np.abs(one - two)
    assert changed[:, :96].mean() > 1
    assert changed[:, 96:].sum() <= 0.01 * changed.sum()
    assert not changed[:, 96 + 64 :].any()


def test_the_caption_acts_everywhere(refiner: Refiner, described: RefineRequest) -> None:
    """Other words for the whole picture change both halves."""
    semantics = Semantics(described.semantics.items, "two boats in a harbour")  # type: ignore[union-attr]
    other = replace(described, semantics=semantics)
    one, two = (refine(refiner, each).pixels.astype(int) for each in (described, other))
    changed = np.abs(one - two).mean((0, 2))
    assert min(changed[:32].mean(), changed[32:].mean()) > 0.1


def test_previews_then_the_picture_and_the_seed_decides(
    refiner: Refiner, described: RefineRequest
) -> None:
    """Each step is shown, the same seed gives the same picture, another one another."""
    first, again, other = (
        list(refiner.refine(described, steps=2, seed=seed)) for seed in (3, 3, 8)
    )
    assert [(one.step, one.final) for one in first] == [(1, False), (2, True)]
    assert np.array_equal(first[-1].pixels, again[-1].pixels)
    assert not np.array_equal(first[-1].pixels, other[-1].pixels)


def test_the_guard_holds_it_too(refiner: Refiner, described: RefineRequest) -> None:
    """A random model contradicts what was received, and its picture is marked."""
    assert not refine(refiner, described).passed_guard


def test_several_streams_at_once(refiner: Refiner, described: RefineRequest) -> None:
    """Pictures of two sizes in one batch come out as they do alone, in their order."""
    requests = [described, make_request(30, 21), RefineRequest(described.coarse[::-1].copy())]
    seeds = [5, 6, 7]
    *_, last = refiner.refine_batch(requests, steps=1, seeds=seeds)
    for step, request, seed in zip(last, requests, seeds, strict=True):
        alone = refine(refiner, request, steps=1, seed=seed).pixels.astype(int)
        assert step.final
        assert np.abs(step.pixels - alone).max() <= 2


@pytest.mark.parametrize(("height", "width"), [(9, 40), (16, 230)])
def test_any_size(refiner: Refiner, height: int, width: int) -> None:
    """Small ones are enlarged and long ones go in tiles; what comes out has the size."""
    step = refine(refiner, make_request(height, width), steps=1)
    assert step.pixels.shape == (height, width, 3)


# UniPC in diffusers makes an array of a tensor in the way that NumPy 2 warns of.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_without_adapter_previews_and_with_guidance(
    settings: SdSettings, described: RefineRequest
) -> None:
    """Then a scheduler for plain models walks, and only the last step is shown."""
    plain = replace(settings, lora=None, preview=None, guidance=4.0, memory="slices")
    steps = list(load_refiner("sd", sd=plain).refine(described, steps=3, seed=0))
    assert [(one.step, one.steps, one.final) for one in steps] == [(3, 3, True)]


def test_files_say_which_models_ran(refiner: Refiner, settings: SdSettings) -> None:
    """By name and version."""
    names = refiner.models.split(", ")
    assert [name.partition("@")[0] for name in names] == [
        *(settings.model, settings.controlnet, settings.lora, settings.preview)
    ]
    assert all(len(name.partition("@")[2]) == 12 for name in names)


@pytest.mark.parametrize("part", ["model", "controlnet", "lora", "preview"])
def test_missing_weights_are_one_sentence_with_the_command(
    settings: SdSettings, part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is downloaded; the sentence has the option and the command that downloads."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    absent = replace(settings, **{part: "nobody/nothing-of-the-kind"})
    with pytest.raises(PackError, match=f"--sd-{part} .*hf download nobody/nothing") as caught:
        load_refiner("sd", sd=absent)
    assert "\n" not in str(caught.value)


def test_damaged_weights_are_one_sentence(settings: SdSettings, tmp_path: Path) -> None:
    """The folder is named."""
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(PackError, match=f"{tmp_path} does not load"):
        load_refiner("sd", sd=replace(settings, controlnet=str(tmp_path)))


def test_senseless_settings_are_refused(
    refiner: Refiner, settings: SdSettings, described: RefineRequest
) -> None:
    """Each with its range."""
    for wrong in ({"strength": 0.0}, {"guidance": 0.5}, {"control": 9.0}, {"memory": "much"}):
        with pytest.raises(ConfigError, match=r"give|use one of"):
            SdSettings(**wrong)  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="add --gpu"):
        load_refiner("sd", sd=replace(settings, memory="offload"))
    with pytest.raises(ConfigError, match="at most 25"):
        refine(refiner, described, steps=26)


def test_words_without_place_go_to_the_whole_picture() -> None:
    """Maps come late or never; an empty one places nothing."""
    nowhere = np.zeros((8, 8), dtype=np.bool_)
    items = (Item("dog", "brown", LEFT), Item("sky"), Item("cat", "", nowhere))
    whole, dog = regions(Semantics(items, "A meadow."))
    assert whole.map is None
    assert whole.prompt.startswith("A meadow, sky, cat")
    assert dog.prompt.startswith("dog, brown, A meadow, sky, cat")
    assert len(regions(None)) == 1
