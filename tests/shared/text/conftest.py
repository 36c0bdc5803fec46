"""The text coder of the embedded pack."""

import pytest

from misc_shared.packs import Component, load_pack
from misc_shared.text import TextCoder


@pytest.fixture(scope="session")
def component() -> Component:
    """Give the embedded pack's text component."""
    return load_pack("nano").component("text")


@pytest.fixture(scope="session")
def coder(component: Component) -> TextCoder:
    """Give a coder for it."""
    return TextCoder(component)
