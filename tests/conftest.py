"""Fixtures and settings for every test."""

import os
import signal

import numpy as np
import pytest
import skimage.data
from hypothesis import settings
from numpy.typing import NDArray

# A search that differs from run to run finds more at a desk and only confuses in CI.
settings.register_profile("ci", deadline=None, derandomize=True)
settings.register_profile("desk", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "desk")


@pytest.fixture(scope="session", autouse=True)
def _own_state(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What the programs remember from run to run is not the user's here."""
    os.environ["XDG_STATE_HOME"] = str(tmp_path_factory.mktemp("state"))


@pytest.fixture(scope="session", autouse=True)
def _own_interrupts() -> None:
    """A shell starts what runs in its background deaf to Ctrl-C, and so would be our programs."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def photo() -> NDArray[np.uint8]:
    """Give the portrait of an astronaut, uint8 [512, 512, 3] RGB, read-only."""
    pixels: NDArray[np.uint8] = skimage.data.astronaut()
    pixels.setflags(write=False)
    return pixels


@pytest.fixture(scope="session")
def small_photo(photo: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Give the astronaut's face and shoulder, uint8 [96, 128, 3] RGB, read-only."""
    return photo[64:160, 160:288]
