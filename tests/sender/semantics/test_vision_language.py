"""The backend that asks a local vision-language model, on a tiny one with random weights."""

import json
import threading
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.sender.semantics.tiny_models import save_clip, save_vision_language

from misc_sender.semantics import SemanticsOptions, make_backend
from misc_sender.semantics.vision_language import VisionLanguageSemantics, parse_names
from misc_shared.errors import ConfigError, PackError, SemanticsError
from misc_shared.semantics import Item, Semantics

pytestmark = pytest.mark.usefixtures("no_network")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a tiny model."""
    return save_vision_language(tmp_path_factory.mktemp("vlm"))


def test_a_folder_is_loaded_and_its_words_keep_the_contract(
    tmp_path: Path, photo: NDArray[np.uint8]
) -> None:
    """Names, a detail of each and a caption; this model answers the same to every question."""
    words = ("the", "dog", ",", "grass", "and", "sky", ".")
    options = SemanticsOptions(model=str(save_vision_language(tmp_path, says=words)))
    said = make_backend("transformers", options=options).describe(photo)
    assert said == Semantics(
        tuple(Item(name, "the dog , grass and sky") for name in ("dog", "grass", "sky")),
        "the dog , grass and sky .",
    )


def outcome(folder: Path, picture: NDArray[np.uint8]) -> Semantics | str:
    """Return what a model says, or the error that its words are."""
    try:
        return VisionLanguageSemantics(str(folder)).describe(picture)
    except SemanticsError as error:
        return str(error)


@pytest.mark.parametrize("shape", [(16, 16), (16, 400), (700, 900)])
def test_random_words_are_words_or_a_typed_error(folder: Path, shape: tuple[int, int]) -> None:
    """The same for the same picture, whatever its shape and whoever loads the model."""
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    assert outcome(folder, picture) == outcome(folder, picture)


def test_a_model_that_names_nothing_is_one_typed_error(
    tmp_path: Path, photo: NDArray[np.uint8]
) -> None:
    """The picture then goes without words."""
    backend = VisionLanguageSemantics(str(save_vision_language(tmp_path, says=())))
    with pytest.raises(SemanticsError, match="named nothing in at most 3 words each"):
        backend.describe(photo)


def test_closing_ends_a_long_answer(folder: Path, photo: NDArray[np.uint8]) -> None:
    """Ctrl-C does not wait for a model that likes to talk."""
    backend = VisionLanguageSemantics(str(folder))
    caught: list[Exception] = []

    def work() -> None:
        try:
            backend.describe(photo)
        except SemanticsError as error:
            caught.append(error)

    backend.close()
    thread = threading.Thread(target=work)
    thread.start()
    thread.join(60)
    assert "stopped before the model had answered" in str(caught[0])


@pytest.mark.parametrize(
    ("answer", "names"),
    [
        ("Dog, grass, sky", ["dog", "grass", "sky"]),
        ("1. A dog\n2. The green grass\n3. Sky.", ["dog", "green grass", "sky"]),
        ("- a dog\n- a sandy beach\n", ["dog", "sandy beach"]),
        ("A dog and a cat.", ["dog", "cat"]),
        ("dog, Dog, the dog", ["dog"]),
        ("dog, cat, cow, hen", ["dog", "cat", "cow"]),
        ("a dog that runs through grass, sky", ["sky"]),
        ("This picture shows a dog on a lawn.", []),
        (" ,, \n", []),
        ("", []),
    ],
)
def test_names_are_read_from_any_list(answer: str, names: list[str]) -> None:
    """Numbers, articles, order and repetition do no harm; a sentence is no name."""
    assert parse_names(answer) == names


def test_control_characters_are_no_names() -> None:
    """They are refused, not sent."""
    with pytest.raises(SemanticsError, match="control characters"):
        parse_names("a \x1b[31mdog")


def test_missing_weights_are_one_sentence_with_the_command(tmp_path: Path) -> None:
    """Nobody asks the hub, so nothing hangs."""
    with pytest.raises(PackError) as caught:
        VisionLanguageSemantics("nobody/no-such-model")
    assert str(caught.value) == (
        "model nobody/no-such-model is not on this machine; run: hf download nobody/no-such-model"
    )
    with pytest.raises(PackError, match="there is no folder /no/such/folder"):
        VisionLanguageSemantics("/no/such/folder")
    with pytest.raises(PackError, match=r"holds no model: config\.json is missing"):
        VisionLanguageSemantics(str(tmp_path))


def test_incomplete_and_damaged_folders_are_told(tmp_path: Path) -> None:
    """A model without weights, with cut weights, and with a configuration that is no JSON."""
    weights = save_vision_language(tmp_path) / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(PackError, match="is damaged"):
        VisionLanguageSemantics(str(tmp_path))
    weights.unlink()
    with pytest.raises(PackError, match="holds no complete model"):
        VisionLanguageSemantics(str(tmp_path))
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(PackError, match="holds no complete model"):
        VisionLanguageSemantics(str(tmp_path))


def test_models_of_another_kind_are_told(tmp_path: Path) -> None:
    """CLIP compares and does not talk; an unknown kind may need a newer transformers."""
    with pytest.raises(ConfigError, match="does not load as an image-text-to-text model"):
        VisionLanguageSemantics(str(save_clip(tmp_path)))
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "of-tomorrow"}))
    with pytest.raises(ConfigError, match="does not load as an image-text-to-text model"):
        VisionLanguageSemantics(str(tmp_path))


def test_a_model_that_takes_no_questions_is_told(tmp_path: Path) -> None:
    """A base model without a chat template."""
    with pytest.raises(ConfigError, match="has no chat template"):
        VisionLanguageSemantics(str(save_vision_language(tmp_path, template=None)))
