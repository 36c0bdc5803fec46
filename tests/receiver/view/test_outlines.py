"""Outlines of maps as SVG paths."""

import numpy as np

from misc_receiver.view.outlines import outline


def test_an_empty_map_has_none() -> None:
    """Nothing to draw."""
    assert outline(np.zeros((4, 4), bool)) == ""


def test_a_hole_is_a_ring_of_its_own() -> None:
    """One path round the item, one round the hole."""
    cells = np.ones((3, 3), bool)
    cells[1, 1] = False
    assert outline(cells).count("M") == outline(cells).count("Z") == 2


def test_cells_that_touch_at_a_corner_stay_apart() -> None:
    """Two shapes, not one that crosses itself."""
    assert outline(np.eye(2, dtype=bool)).count("M") == 2


def test_straight_sides_cost_one_line() -> None:
    """A large square is four bends."""
    assert outline(np.ones((30, 30), bool)).count("Q") == 4
