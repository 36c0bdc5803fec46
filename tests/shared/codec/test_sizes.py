"""Pictures of every size and shape come back at their own size, whole, and without seams."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from misc_shared.codec import ImageDecoder, ImageEncoder
from misc_shared.codec.layout import MAX_CELLS, MAX_SIDE, SCALES, grid_cells
from misc_shared.codec.pictures import resize
from misc_shared.packs import load_pack

Picture = NDArray[np.uint8]


@pytest.fixture(scope="module")
def encoder() -> ImageEncoder:
    """Open the embedded pack's encoder."""
    return ImageEncoder(load_pack().component("codec"))


@pytest.fixture(scope="module")
def decoder() -> ImageDecoder:
    """Open the embedded pack's decoder."""
    return ImageDecoder(load_pack().component("codec"))


def _waves(width: int, height: int, *, length: float = 40) -> Picture:
    """Draw smooth gray waves that run across every cell border."""
    rows, columns = np.mgrid[:height, :width] / length
    gray = 127.5 + 60 * np.sin(columns + rows / 2) + 50 * np.cos(columns / 2 - rows)
    return np.asarray(np.repeat(gray[:, :, None], 3, 2), np.uint8)


def _error(a: Picture, b: Picture) -> NDArray[np.float64]:
    """Squared error of each pixel, [H, W]."""
    return np.asarray(np.square(a.astype(np.float64) - b).mean(2))


@settings(max_examples=12)
@given(st.integers(16, 300), st.integers(16, 300), st.integers(0, len(SCALES) - 1))
@example(16, 16, 7)
@example(70, 64, 7)  # a cell of 384 pixels, were it not rounded up to the picture
@example(95, 64, 0)  # just under one and a half cells
@example(97, 64, 0)  # just over
@example(16, 300, 2)
def test_any_shape_at_any_working_size(
    encoder: ImageEncoder, decoder: ImageDecoder, width: int, height: int, scale_index: int
) -> None:
    """However a picture has to be stretched to whole cells, it comes back as it was."""
    picture = _waves(width, height)
    encoded = encoder.encode(picture, quality=24, scale_index=scale_index)
    decoded = decoder.decode(encoded.layers)
    assert decoded.pixels.shape == picture.shape
    assert _error(decoded.pixels, picture).mean() < 0.4 * picture.var() + 100


@pytest.mark.parametrize(("width", "height"), [(MAX_SIDE, 64), (64, MAX_SIDE), (MAX_SIDE, 16)])
def test_extreme_shapes_keep_their_budget(
    encoder: ImageEncoder, decoder: ImageDecoder, width: int, height: int
) -> None:
    """A strip is a picture too."""
    picture = _waves(width, height)
    encoded = encoder.encode(picture, max_bytes=1200)
    assert encoded.nbytes <= 1200
    decoded = decoder.decode(encoded.layers)
    assert decoded.pixels.shape == picture.shape
    assert _error(decoded.pixels, picture).mean() < 0.3 * picture.var()


def test_cells_leave_no_seams(encoder: ImageEncoder, decoder: ImageDecoder) -> None:
    """The picture is no worse at the borders of 64x64 cells than between them."""
    picture = _waves(640, 384)
    decoded = decoder.decode(encoder.encode(picture, quality=31, scale_index=0).layers)
    error = _error(decoded.pixels, picture)
    for axis in (0, 1):
        along = error.mean(axis)[16:-16]
        place = (np.arange(len(along)) + 16) % 64
        border = (place == 0) | (place == 63)
        assert along[border].mean() < 1.5 * along[~border].mean()


@pytest.mark.parametrize(
    ("size", "wanted"),
    [((70, 600), (70, 4096)), ((300, 2000), (211, 1100)), ((40, 90), (80, 1025))],
)
def test_parts_of_a_resized_picture_join_without_a_seam(
    size: tuple[int, int], wanted: tuple[int, int]
) -> None:
    """In parts or in one go, the pixels are the same but for rounding."""
    picture = _waves(*size, length=7)
    filtered = Image.Resampling.BICUBIC
    wide = Image.fromarray(picture).resize((wanted[0], size[1]), filtered)
    whole = np.asarray(wide.resize(wanted, filtered)).astype(int)
    assert np.abs(resize(picture, *wanted) - whole).max() <= 1


def test_the_largest_picture_is_coded_in_fewer_cells() -> None:
    """There is a working size within the limit for each picture."""
    columns, rows = grid_cells(MAX_SIDE, MAX_SIDE, len(SCALES) - 1)
    assert columns * rows <= MAX_CELLS
