"""The embedded backend on photographs that nobody trained on."""

import subprocess
import sys

import numpy as np
import pytest
from numpy.typing import NDArray
from skimage import data

from misc_sender.semantics import SemanticsBackend, make_backend
from misc_sender.semantics.nano import NanoSemantics
from misc_shared.packs import load_pack
from misc_shared.semantics import MAX_CAPTION_WORDS, MAX_DETAIL_WORDS, MAX_NAME_WORDS, Semantics

PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "rocket")


def photograph(name: str) -> NDArray[np.uint8]:
    """Return one of scikit-image's photographs, uint8 [H, W, 3]."""
    picture: NDArray[np.uint8] = getattr(data, name)()
    return picture


@pytest.fixture(scope="module")
def nano() -> SemanticsBackend:
    """Return the embedded backend."""
    return make_backend("nano")


@pytest.fixture(scope="module")
def said(nano: SemanticsBackend) -> dict[str, Semantics]:
    """Return what it says of each photograph."""
    return {name: nano.describe(photograph(name)) for name in PHOTOGRAPHS}


@pytest.mark.parametrize("name", PHOTOGRAPHS)
def test_the_contract_holds(said: dict[str, Semantics], name: str) -> None:
    """Few items of few words, each with a map that has something in it."""
    semantics = said[name]
    assert len(semantics.items) <= 3
    assert len(semantics.caption.split()) <= MAX_CAPTION_WORDS
    assert len({item.name for item in semantics.items}) == len(semantics.items)
    for item in semantics.items:
        assert 1 <= len(item.name.split()) <= MAX_NAME_WORDS
        assert 1 <= len(item.detail.split()) <= MAX_DETAIL_WORDS
        assert item.map is not None
        assert item.map.shape == (32, 32)
        assert item.map.dtype == np.bool_
        assert item.map.any()


def test_a_person_is_seen_and_found(said: dict[str, Semantics]) -> None:
    """The astronaut is in the middle of her portrait."""
    people = {"person", "man", "woman", "boy", "girl", "child"}
    found = [item for item in said["astronaut"].items if item.name in people]
    assert found
    assert found[0].map is not None
    assert found[0].map[8:24, 8:24].mean() > 0.5


def test_any_word_of_the_vocabulary_is_located() -> None:
    """Whether or not it would be said; what is no word of ours gets no map."""
    component = load_pack("nano").component("semantics")
    words = ("water", "grass", "puppies", "xylophonist")
    maps = NanoSemantics(component).locate(photograph("coffee"), words)
    assert [one is None for one in maps] == [False, False, False, True]
    assert all(one.shape == (32, 32) and one.any() for one in maps if one is not None)


def test_the_same_picture_gives_the_same_words(said: dict[str, Semantics]) -> None:
    """A fresh backend with another number of threads says exactly the same."""
    other = make_backend("nano", threads=2)
    assert {name: other.describe(photograph(name)) for name in PHOTOGRAPHS} == said


@pytest.mark.parametrize("shape", [(16, 16), (16, 400), (400, 16), (600, 800)])
def test_any_shape_and_emptiness_are_fine(nano: SemanticsBackend, shape: tuple[int, int]) -> None:
    """A picture of nothing gets a description within the contract."""
    semantics = nano.describe(np.full((*shape, 3), 127, np.uint8))
    assert len(semantics.items) <= 3


def test_noise_gets_no_items(nano: SemanticsBackend) -> None:
    """What it does not understand gets fewer words, not wrong ones."""
    noise = np.random.default_rng(0).integers(0, 256, (384, 512, 3), np.uint8)
    assert len(nano.describe(noise).items) <= 1


def test_the_pack_is_small_and_knows_many_nouns() -> None:
    """At most 12 MB, at least 300 nouns, none of more than three words."""
    component = load_pack("nano").component("semantics")
    assert sum(component.file(name).stat().st_size for name in component.card["files"]) <= 12e6
    from misc_sender.semantics.vocabulary import load_vocabulary

    nouns = load_vocabulary(component.file("vocabulary.json")).nouns
    assert len(nouns) >= 300
    assert all(len(noun.name.split()) <= MAX_NAME_WORDS for noun in nouns)


def test_torch_stays_away() -> None:
    """The edge has no torch, and describing a picture does not ask for it."""
    program = (
        "import sys, numpy; from misc_sender.semantics import make_backend; "
        "make_backend('nano').describe(numpy.zeros((64, 64, 3), numpy.uint8)); "
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
