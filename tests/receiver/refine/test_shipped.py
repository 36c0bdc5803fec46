"""The refiner that the embedded pack ships."""

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.receiver.refine.tiny import refine

from misc_receiver.refine import Refiner, RefineRequest, load_refiner
from misc_shared.codec import ImageDecoder, ImageEncoder
from misc_shared.packs import load_pack
from misc_shared.semantics import Item, Semantics


@pytest.fixture(scope="module")
def refiner() -> Refiner:
    """Give the shipped refiner."""
    return load_refiner("nano", component=load_pack().component("refiner"))


@pytest.fixture(scope="module")
def received(photo: NDArray[np.uint8]) -> RefineRequest:
    """Give the astronaut as our own codec sends her at 0.024 bits per pixel."""
    codec = load_pack().component("codec")
    encoded = ImageEncoder(codec).encode(
        photo, max_bytes=photo.shape[0] * photo.shape[1] * 3 // 1000
    )
    decoded = ImageDecoder(codec).decode(encoded.layers)
    semantics = Semantics((Item("woman", "orange suit", np.ones((8, 8), dtype=np.bool_)),))
    return RefineRequest.of(decoded, semantics)


def test_it_is_small_and_says_what_it_is() -> None:
    """At most 16 MB, with a card."""
    component = load_pack().component("refiner")
    weights = component.file("diffusion_pytorch_model.safetensors")
    assert weights.stat().st_size <= 16_000_000
    assert component.card["data"]
    assert component.card["steps"] > 0


def test_it_holds_its_guard(refiner: Refiner, received: RefineRequest) -> None:
    """Every seed gives a picture that may be shown, each with its own detail."""
    steps = [refine(refiner, received, seed=seed) for seed in range(3)]
    assert all(step.passed_guard for step in steps)
    assert len({step.pixels.tobytes() for step in steps}) == 3


def test_it_adds_detail(refiner: Refiner, received: RefineRequest) -> None:
    """The refined picture has more fine detail than the coarse one."""

    def roughness(pixels: NDArray[np.uint8]) -> float:
        return float(np.abs(np.diff(pixels.astype(int), axis=1)).mean())

    assert roughness(refine(refiner, received).pixels) > roughness(received.coarse)
