"""Maps are as fine as the budget allows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from misc_sender.grids import GRIDS, coarser, fit_maps
from misc_sender.shares import MAP_SHARE
from misc_shared.maps import encode_maps
from misc_shared.semantics import Item, Semantics
from misc_shared.wire import MAX_OVERHEAD

COLUMNS, ROWS = np.meshgrid(np.arange(32), np.arange(32))
DISC = (ROWS - 14) ** 2 + (COLUMNS - 17) ** 2 < 90
WAVE = np.sin(COLUMNS / 3) * 5 + ROWS > 20
SAID = Semantics((Item("ball", "red", DISC), Item("sea", "blue", WAVE)), "A ball at sea.")


def side_of(said: Semantics) -> int:
    """Return the one grid that all maps have."""
    shapes = {item.map.shape for item in said.items if item.map is not None}
    assert len(shapes) == 1
    rows, columns = shapes.pop()
    assert rows == columns
    return int(rows)


def test_the_finest_grid_that_its_share_pays_for() -> None:
    """With more bytes come finer maps, with few none; they never exceed their share."""
    sides = []
    for limit in range(50, 30_000, 200):
        fitted = fit_maps(SAID, limit)
        maps = [item.map for item in fitted.items if item.map is not None]
        sides.append(side_of(fitted) if maps else 0)
        assert not maps or len(encode_maps(maps)) + MAX_OVERHEAD <= MAP_SHARE * limit
        assert [item.name for item in fitted.items] == ["ball", "sea"]
    assert sides == sorted(sides)
    assert set(sides) == {0, *GRIDS}


def test_a_larger_share_buys_finer_maps() -> None:
    """As `--map-share` asks for; their datagram counts, so a small picture has none by default."""
    assert fit_maps(SAID, 1155, share=0.01).items[0].map is None
    assert side_of(fit_maps(SAID, 1155, share=0.02)) == 8
    assert side_of(fit_maps(SAID, 1155, share=0.06)) > 8
    assert fit_maps(SAID, 1155, share=0).items[0].map is None


def test_words_stay_and_coarse_maps_stay_coarse() -> None:
    """Only maps change, and none becomes finer than it was."""
    small = Semantics((Item("ball", "red", coarser(DISC, 16)),), "A ball.")
    fitted = fit_maps(small, 10_000)
    assert fitted == small
    assert fit_maps(small, 60).caption == small.caption
    assert side_of(fit_maps(small, 1800)) == 8


def test_without_a_budget_or_without_all_maps_nothing_changes() -> None:
    """Maps travel together or not at all."""
    assert fit_maps(SAID, None) is SAID
    partly = Semantics((*SAID.items, Item("sun")))
    assert fit_maps(partly, 100) is partly
    assert fit_maps(Semantics(), 100) == Semantics()


def test_maps_finer_than_eight_by_eight_only_where_they_were() -> None:
    """A backend with maps of 4 x 4 keeps them."""
    tiny = Semantics((Item("ball", "", np.eye(4, dtype=np.bool_)),))
    assert fit_maps(tiny, 2000) == tiny


@pytest.mark.parametrize("side", GRIDS)
@given(rows=st.integers(4, 40), columns=st.integers(4, 40), seed=st.integers(0, 99))
def test_merging_keeps_something_of_something(
    side: int, rows: int, columns: int, seed: int
) -> None:
    """Empty stays empty, full stays full, and what was anywhere is still somewhere."""
    cells = np.random.default_rng(seed).random((rows, columns)) < 0.1
    assert coarser(cells, side).any() == cells.any()
    assert coarser(np.ones((rows, columns), np.bool_), side).all()
    assert coarser(cells, side).shape == (side, side)


def test_a_half_picture_stays_half() -> None:
    """Merging whole cells is exact."""
    left = COLUMNS < 16
    assert np.array_equal(coarser(left, 8), np.arange(8)[None].repeat(8, 0) < 4)
