"""Colour, size and place of an item."""

import numpy as np
import pytest
from numpy.typing import NDArray

from misc_sender.semantics.appearance import appearance


def picture_of(colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Return a picture of one colour."""
    return np.broadcast_to(np.array(colour, np.uint8), (48, 64, 3)).copy()


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((10, 10, 10), "black"),
        ((128, 128, 128), "gray"),
        ((245, 245, 245), "white"),
        ((101, 67, 33), "brown"),
        ((210, 180, 140), "tan"),
        ((220, 20, 30), "red"),
        ((255, 140, 0), "orange"),
        ((255, 220, 40), "yellow"),
        ((50, 130, 50), "green"),
        ((120, 160, 60), "green"),
        ((40, 80, 190), "blue"),
        ((135, 190, 235), "blue"),
        ((120, 50, 150), "purple"),
        ((255, 150, 190), "pink"),
    ],
)
def test_colours_have_their_everyday_names(colour: tuple[int, int, int], name: str) -> None:
    """A person would say the same."""
    assert appearance(picture_of(colour), np.ones((16, 16), bool)).startswith(f"{name}, ")


@pytest.mark.parametrize(
    ("rows", "columns", "phrase"),
    [
        (slice(0, 16), slice(0, 16), "large, center"),
        (slice(0, 8), slice(0, 16), "large, top"),
        (slice(6, 10), slice(0, 6), "medium, left"),
        (slice(12, 16), slice(12, 16), "small, bottom right"),
        (slice(0, 2), slice(0, 2), "small, top left"),
    ],
)
def test_size_and_place_follow_the_map(rows: slice, columns: slice, phrase: str) -> None:
    """Size is the map's share of the picture, place its middle."""
    where = np.zeros((16, 16), bool)
    where[rows, columns] = True
    assert appearance(picture_of((10, 10, 10)), where) == f"black, {phrase}"


def test_only_what_lies_under_the_map_counts() -> None:
    """A red ball on green grass is red."""
    picture = picture_of((50, 130, 50))
    picture[12:36, 16:48] = (220, 20, 30)
    where = np.zeros((16, 16), bool)
    where[5:11, 5:11] = True
    assert appearance(picture, where) == "red, medium, center"
