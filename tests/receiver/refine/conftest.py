"""Fixtures for the refiner's tests."""

import pytest
from tests.receiver.refine.tiny import save_component, tiny_network

from misc_receiver.refine import Refiner, load_refiner
from misc_shared.packs import Component


@pytest.fixture(scope="session")
def tiny_component(tmp_path_factory: pytest.TempPathFactory) -> Component:
    """Give the tiny refiner as a component of a pack."""
    return save_component(tmp_path_factory.mktemp("pack") / "refiner", tiny_network())


@pytest.fixture(scope="session")
def tiny_refiner(tiny_component: Component) -> Refiner:
    """Give the tiny refiner, loaded."""
    return load_refiner("nano", component=tiny_component)
