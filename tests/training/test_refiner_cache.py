"""What the refiner learns from comes back as it was stored."""

from pathlib import Path

import numpy as np
import pytest
from training.refiner_cache import Pair, PairStore

from misc_receiver.refine import RefineRequest
from misc_shared.errors import ConfigError
from misc_shared.semantics import Item, Semantics

MAP = np.eye(8, dtype=np.bool_)
SAID = [
    None,
    Semantics(),
    Semantics((Item("dog", "brown, large", MAP), Item("grass")), "a dog on grass"),
]


def a_pair(said: Semantics | None, *, number: int = 0) -> Pair:
    """Noise of a size of its own."""
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 256, (2, 64, 96 + 32 * number, 3), dtype=np.uint8)
    features = rng.normal(size=(20, 4, 6 + 2 * number)).astype(np.float16).astype(np.float32)
    return Pair(f"photo-{number}", pixels[0], RefineRequest(pixels[1], features, said, 11 + number))


def test_pairs_come_back(tmp_path: Path) -> None:
    """Pixels, features and what was said, by another reader."""
    pairs = [a_pair(said, number=number) for number, said in enumerate(SAID)]
    store = PairStore(tmp_path)
    for pair in pairs:
        store.append(pair)
    again = PairStore(tmp_path)
    assert len(again) == len(pairs)
    for number, pair in enumerate(pairs):
        found = again[number]
        assert (found.name, found.request.quality) == (pair.name, pair.request.quality)
        assert found.request.semantics == pair.request.semantics
        np.testing.assert_array_equal(found.original, pair.original)
        np.testing.assert_array_equal(found.request.coarse, pair.request.coarse)
        np.testing.assert_array_equal(found.request.features, pair.request.features)


def test_a_picture_without_features_is_refused_and_nothing_is_stored(tmp_path: Path) -> None:
    """Features are what the refiner needs most."""
    pixels = np.zeros((64, 64, 3), np.uint8)
    store = PairStore(tmp_path)
    with pytest.raises(ConfigError, match="without features"):
        store.append(Pair("photo", pixels, RefineRequest(pixels, None, None, 3)))
    assert len(PairStore(tmp_path)) == 0
