"""The maps layer: bytes for maps and maps for bytes."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from misc_shared.errors import BitstreamError, ConfigError, LimitError, RemoteError
from misc_shared.maps import MAX_SIDE, MIN_SIDE, decode_maps, encode_maps, maps_need_base
from misc_shared.semantics import MAX_ITEMS


def blob(grid: int, down: float, across: float, radius: float) -> NDArray[np.bool_]:
    """A disc on a grid, its place and radius in shares of the side: bool [grid, grid]."""
    y, x = (np.mgrid[:grid, :grid] + 0.5) / grid
    covered: NDArray[np.bool_] = (y - down) ** 2 + (x - across) ** 2 < radius**2
    return covered


def picture(grid: int) -> list[NDArray[np.bool_]]:
    """Three items: something in the middle, something at the right, and the ground."""
    ground = np.zeros((grid, grid), np.bool_)
    ground[grid * 3 // 4 :] = True
    return [blob(grid, 0.5, 0.4, 0.27), blob(grid, 0.4, 0.85, 0.14), ground]


@st.composite
def some_maps(draw: st.DrawFn) -> list[NDArray[np.bool_]]:
    """Maps of one shape, from empty over noise to full."""
    rows, columns = draw(st.integers(MIN_SIDE, MAX_SIDE)), draw(st.integers(MIN_SIDE, MAX_SIDE))
    noise = np.random.default_rng(draw(st.integers(0, 99)))
    shares = draw(st.lists(st.sampled_from([0.0, 0.02, 0.5, 0.98, 1.0]), max_size=MAX_ITEMS))
    return [noise.random((rows, columns)) < share for share in shares]


@given(some_maps())
@example([])
@example(picture(8))
@example(picture(32))
@example([np.ones((4, 32), np.bool_)] * MAX_ITEMS)
def test_maps_come_back(maps: list[NDArray[np.bool_]]) -> None:
    """Shapes too."""
    decoded = decode_maps(encode_maps(maps))
    assert len(decoded) == len(maps)
    assert all(np.array_equal(one, other) for one, other in zip(decoded, maps, strict=True))
    assert all(one.dtype == np.bool_ for one in decoded)


@pytest.mark.parametrize(("grid", "most"), [(8, 12), (16, 26), (32, 60)])
def test_three_maps_are_small(grid: int, most: int) -> None:
    """The recipe prints what real ones take: 10 bytes for three 8x8 maps, 21 for 16x16."""
    assert len(encode_maps(picture(grid))) <= most


@pytest.mark.parametrize("full", [False, True])
def test_uniform_maps_cost_a_few_bits(full: bool) -> None:  # noqa: FBT001
    """However fine the grid."""
    maps = [np.full((32, 32), full)] * 3
    assert len(encode_maps(maps)) <= 2


def test_no_maps_take_no_bytes() -> None:
    """And no bytes are no maps."""
    assert encode_maps([]) == b""
    assert decode_maps(b"") == []


def test_an_earlier_map_makes_its_complement_cheaper() -> None:
    """Items rarely overlap."""
    item = blob(16, 0.5, 0.5, 0.4)
    alone = len(encode_maps([~item]))
    assert len(encode_maps([item, ~item])) < len(encode_maps([item])) + alone


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        ([np.ones((8, 8), np.bool_)] * (MAX_ITEMS + 1), "9 maps"),
        ([np.ones((3, 8), np.bool_)], r"\(3, 8\)"),
        ([np.ones((8, 33), np.bool_)], r"\(8, 33\)"),
        ([np.ones(8, np.bool_)], r"\(8,\)"),
        ([np.ones((8, 8), np.bool_), np.ones((8, 9), np.bool_)], "one shape"),
        ([np.ones((8, 8), np.uint8)], "expected bool"),
    ],
)
def test_other_arrays_are_refused(maps: list[NDArray[np.bool_]], message: str) -> None:
    """Before anything is coded."""
    with pytest.raises(ConfigError, match=message):
        encode_maps(maps)


def test_more_maps_than_accepted_are_refused() -> None:
    """Before memory is spent on them."""
    data = encode_maps(picture(8))
    assert len(decode_maps(data, max_items=3)) == 3
    with pytest.raises(LimitError, match="found 3, expected at most 2"):
        decode_maps(data, max_items=2)


def test_trailing_bytes_are_refused() -> None:
    """Beyond the four that a range decoder looks ahead."""
    with pytest.raises(BitstreamError, match="after the layer's end"):
        decode_maps(encode_maps(picture(8)) + b"\1" * 8)


def test_every_beginning_decodes_or_is_refused() -> None:
    """A cut layer yields some maps or a typed error, byte by byte."""
    data = encode_maps(picture(16))
    for end in range(len(data)):
        try:
            maps = decode_maps(data[:end])
        except RemoteError:
            continue
        assert len(maps) <= MAX_ITEMS
        assert all(one.size <= MAX_SIDE**2 for one in maps)


def test_only_maps_that_changed_are_coded() -> None:
    """The others cost a bit each."""
    noise = np.random.default_rng(3)
    base = [noise.random((16, 16)) < 0.3 for _ in range(3)]
    maps = [base[0], base[1].copy(), base[2]]
    maps[1][4:8, 4:8] = True
    for new, share in ((maps, 0.5), (base, 0.05)):
        data = encode_maps(new, base)
        assert maps_need_base(data)
        assert len(data) <= share * len(encode_maps(new)) + 2
        assert np.array_equal(decode_maps(data, base=base), new)


def test_maps_of_another_grid_or_number_stand_alone() -> None:
    """A base of another shape is not leaned on."""
    one = [np.eye(8, dtype=bool)]
    for base in ([np.eye(16, dtype=bool)], one * 2, []):
        data = encode_maps(one, base)
        assert not maps_need_base(data)
        assert data == encode_maps(one)


def test_maps_left_out_need_their_base() -> None:
    """Without it nothing is invented."""
    one = [np.eye(8, dtype=bool)]
    with pytest.raises(BitstreamError, match="expected a base"):
        decode_maps(encode_maps(one, one))
