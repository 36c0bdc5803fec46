"""Tiles cover a plane and their weights add up."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from misc_receiver.refine.tiling import tiles


@given(st.integers(1, 24), st.integers(1, 24), st.integers(4, 9), st.integers(1, 3))
def test_weights_sum_to_one_everywhere(rows: int, columns: int, side: int, overlap: int) -> None:
    """Whatever the plane, no cell is left out or counted twice."""
    height, width = rows * 8, columns * 8
    total = np.zeros((height, width))
    for tile in tiles(height, width, side=side * 8, overlap=overlap * 8, multiple=8):
        total[tile.rows, tile.columns] += tile.weight
        assert tile.weight.shape == total[tile.rows, tile.columns].shape
        assert max(tile.weight.shape) <= side * 8
        assert not tile.rows.start % 8
        assert not tile.columns.start % 8
    assert np.allclose(total, 1)


def test_a_small_plane_is_one_tile() -> None:
    """Nothing is blended that needs no blending."""
    (tile,) = tiles(64, 96, side=96, overlap=16, multiple=8)
    assert tile.weight.min() == 1
